ansible_user: fromhost
ansible_port: 2201
