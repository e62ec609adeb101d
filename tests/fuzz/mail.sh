#!/bin/sh
# Feed the mail reader with mails of tests/data/mail, mutated: tests/fuzz/mail.sh [SECONDS [FOLDER]]. Outside of make check;
# needs clang with libFuzzer. What crashes, takes 5 seconds or a gigabyte lies in FOLDER (fuzz-mail) afterwards.
set -eu
seconds=${1:-60}
work=${2:-fuzz-mail}
src=$(cd "$(dirname "$0")/../.." && pwd)
mkdir -p "$work/corpus"
cd "$work"
clang -std=c11 -g -O1 -fsanitize=fuzzer,address,undefined -D_GNU_SOURCE -I"$src/src" -o fuzz_mail \
  "$src/tests/fuzz/fuzz_mail.c" "$src"/src/comms/mail*.c "$src/src/comms/receipt.c" "$src"/src/comms/recognise*.c \
  "$src/src/base/buf.c" "$src/src/base/json.c" "$src/src/base/text.c" "$src/src/base/err.c" "$src/src/base/clock.c" -ljansson
./fuzz_mail -max_total_time="$seconds" -timeout=5 -rss_limit_mb=1024 -max_len=65536 -print_final_stats=1 corpus "$src/tests/data/mail"
