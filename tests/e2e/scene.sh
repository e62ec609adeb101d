# What many of the end-to-end scripts stand on: the folder of an `openssl ca`, one sshd for every address of loopback, a
# TLS server for each host. Sourced after lib.sh; all of it lies in the work folder $D.

# ca_folder FOLDER: what `openssl ca` needs, but for ca.pem and ca.key. Behind its end the caller may add sections.
ca_folder() {
  mkdir -p "$1/newcerts"
  : >"$1/index.txt"
  echo 1000 >"$1/serial"
  echo 01 >"$1/crlnumber"
  cat >"$1/openssl.cnf" <<E
[ca]
default_ca = c
[c]
dir = $1
database = $1/index.txt
new_certs_dir = $1/newcerts
certificate = $1/ca.pem
private_key = $1/ca.key
serial = $1/serial
crlnumber = $1/crlnumber
default_md = sha256
default_days = 365
unique_subject = no
copy_extensions = copy
policy = p
[p]
commonName = supplied
[req]
distinguished_name = dn
[dn]
E
}

# authority FOLDER NAME: the same with a key and a certificate of its own
authority() {
  ca_folder "$1"
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1/ca.key" -out "$1/ca.pem" -subj "/CN=$2" \
    -days 3650 -config "$1/openssl.cnf" -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign \
    2>/dev/null
}

# ssh_server [LINE...]: sshd on port 2222; the key $D/id is let in as whoever runs this. LINEs end its configuration.
ssh_server() {
  ssh-keygen -q -t ed25519 -N '' -f "$D/hostkey"
  ssh-keygen -q -t ed25519 -N '' -f "$D/id"
  cp "$D/id.pub" "$D/authorized_keys"
  cat >"$D/sshd_config" <<E
Port 2222
ListenAddress 0.0.0.0
HostKey $D/hostkey
AuthorizedKeysFile $D/authorized_keys
StrictModes no
UsePAM no
PermitRootLogin prohibit-password
PidFile $D/sshd.pid
MaxStartups 4000
E
  for line in "$@"; do echo "$line" >>"$D/sshd_config"; done
  mkdir -p /run/sshd 2>/dev/null || :
  ssh_start
}
# ssh_start: it goes into the background before it listens, and writes its pid once it does
ssh_start() {
  "$(command -v sshd)" -f "$D/sshd_config" -E "$D/sshd.log"
  wait_for "sshd" test -s "$D/sshd.pid"
}
# known ADDRESS...: lines of known_hosts for that server
known() { for address in "$@"; do echo "[$address]:2222 $(cut -d' ' -f1,2 "$D/hostkey.pub")"; done; }

# web_server FOLDER ADDRESS [CERTIFICATE]: FOLDER/nginx.conf, which presents FOLDER/server.pem, or CERTIFICATE, on port 8443
web_server() {
  cat >"$1/nginx.conf" <<E
pid $1/nginx.pid; error_log $1/error.log; worker_processes 1;
events { worker_connections 64; }
http { access_log off;
  server { listen $2:8443 ssl; ssl_certificate ${3:-$1/server.pem}; ssl_certificate_key $1/server.key; } }
E
}
web_start() { nginx -c "$1/nginx.conf" 2>>"$D/nginx.log" || die "nginx of $1"; }
