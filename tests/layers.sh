#!/bin/sh
# The house's floors: an include points to the same floor or one below, and four libraries live in one room each.
cd "${SRCDIR:-.}" || exit 1
bad=0

# floor NAME: its height; what is higher may include what is lower.
awk_floors='
BEGIN {
  n = split("base journal incident pki child fleet comms report drill engine work app", name)
  split("1 3 2 4 5 6 7 8 9 10 11 12", height)
  for (i = 1; i <= n; i++) h[name[i]] = height[i]
}
FNR == 1 { split(FILENAME, part, "/"); mine = part[2] }
/^#include "/ {
  split($2, q, "\""); split(q[2], t, "/")
  if (!(t[1] in h) || t[1] == mine) next
  if (FILENAME == "src/main.c") next
  if (h[t[1]] > h[mine]) { print FILENAME ":" FNR ": " mine " looks up to " t[1]; bad = 1 }
}
END { exit bad }'
if awk "$awk_floors" $(find src -name '*.[ch]'); then echo "ok - arrows point down"
else echo "not ok - arrows point down"; bad=1; fi

# only LIBRARY-PATTERN ALLOWED-PATTERN NAME
only() {
  found=$(grep -rlE "#[ ]*include[ ]*<($1)" src ui | grep -vE "$2")
  if [ -z "$found" ]; then echo "ok - $3"; else echo "not ok - $3: $found"; bad=1; fi
}
only 'n?curses|panel|form|menu' '^ui/' 'curses only in ui/'
only 'sqlite3' '^src/journal/' 'SQLite only in journal/'
only 'libssh/' '^src/(child/ssh_|drill/)' 'libssh only in the SSH child and the drill host'
only 'curl/' '^src/child/' 'curl only in children'
only 'openssl/' '^src/(base/digest\.c|pki/|child/|drill/)' 'OpenSSL only in pki/, the children and the drill'

found=$(grep -nE '#include "' ui/*.c ui/*.h | grep -vE '"((app/model|engine/(command|engine|run|config))\.h|base/[a-z0-9]+\.h|[a-z_0-9]+\.h)"')
if [ -z "$found" ]; then echo "ok - screens see the model, the commands and base"
else echo "not ok - screens see more than the model: $found"; bad=1; fi

# What xgettext is not told of stays in English, and nobody hears of it.
found=$(grep -rlE '(^|[^A-Za-z_])(_|N_|NC_|ngettext)\(' src ui --include='*.[ch]' | grep -vx 'src/base/i18n.h' | LC_ALL=C sort |
    diff - po/POTFILES.in)
if [ -z "$found" ]; then echo "ok - po/POTFILES.in lists every source with words to translate"
else echo "not ok - po/POTFILES.in lists other sources: $found"; bad=1; fi

exit $bad
