#include "child/image.h"

#include "base/digest.h"
#include "base/text.h"

/* Reads like the steps an examiner would type. Progress comes from the size of the copy, the digest
 * from the octets on their way to the disk, so that the source is read exactly once. */
const char image_script[] =
    "fail() { echo \"$*\" >&2; exit 1; }\n"
    "src=$1 dir=$2 img=$2/$3 part=$2/$3.part\n"
    "[ -d \"$dir\" ] || fail \"$dir: the target folder does not exist\"\n"
    "if [ -b \"$src\" ]; then\n"
    "\tsize=$(blockdev --getsize64 \"$src\") || fail \"$src: its size cannot be read\"\n"
    "\town=$((0x$(stat -L -c %t \"$src\"))):$((0x$(stat -L -c %T \"$src\")))\n"
    "\td=$(stat -L -c %d \"$dir\")\n"
    "\tbelow=$((d >> 8 & 4095)):$((d & 255 | d >> 12 & 1048320))\n"
    "\tfrom=$(df --output=source \"$dir\" | tail -n 1)\n"
    "\tfor dev in $below $(lsblk -snro MAJ:MIN \"$from\" 2>/dev/null); do\n"
    "\t\t[ \"$dev\" != \"$own\" ] || fail \"$dir: lies on the source device $src itself\"\n"
    "\tdone\n"
    "elif [ -f \"$src\" ]; then\n"
    "\tsize=$(stat -L -c %s \"$src\")\n"
    "else\n"
    "\tfail \"$src: neither a block device nor a file\"\n"
    "fi\n"
    "[ \"$size\" -gt 0 ] || fail \"$src: is empty\"\n"
    "if [ -s \"$img.sha256\" ] && [ \"$(stat -c %s \"$img\" 2>/dev/null)\" = \"$size\" ]; then\n"
    "\techo \"progress $size $size\"\n"
    "\techo \"sha256 $(head -c 64 \"$img.sha256\")\"\n"
    "\texit 0\n"
    "fi\n"
    "umask 077\n"
    "exec 9>\"$part.lock\" || fail \"$dir: not writable\"\n"
    "flock -n 9 || fail \"$img: is being written already\"\n"
    "tick=\n"
    "trap '[ -z \"$tick\" ] || kill $tick 2>/dev/null; rm -f \"$part\" \"$part.lock\"' EXIT\n"
    "trap 'exit 1' HUP INT TERM\n"
    "rm -f \"$part\"\n"
    "free=$(df -B 1 --output=avail \"$dir\" | tail -n 1 | tr -d ' ')\n"
    "[ \"$free\" -gt \"$size\" ] || fail \"$dir: $size octets are needed, $free are free\"\n"
    "echo \"progress 0 $size\"\n"
    "(exec 9>&-; while sleep 1; do echo \"progress $(stat -c %s \"$part\") $size\"; done) 2>/dev/null &\n"
    "tick=$!\n"
    "said=$({ { dd if=\"$src\" bs=4M iflag=count_bytes,fullblock count=\"$size\" status=none 2>&4 ||\n"
    "\techo 'reading failed' >&4; } | { tee \"$part\" 2>&4 || echo 'writing failed' >&4; } |\n"
    "\tsha256sum; } 4>&1)\n"
    "bad=$(printf '%s\\n' \"$said\" | grep -v '  -$' | head -n 3)\n"
    "[ -z \"$bad\" ] || fail \"$src: $bad\"\n"
    "hex=$(printf %s \"$said\" | head -c 64)\n"
    "[ \"$(stat -c %s \"$part\")\" = \"$size\" ] || fail \"$src: became shorter while it was read\"\n"
    "sync \"$part\" || fail \"$part: fsync\"\n"
    "mv \"$part\" \"$img\" || fail \"$img: rename\"\n"
    "echo \"$hex  $3\" >\"$img.sha256\" || fail \"$img.sha256: write\"\n"
    "sync \"$img.sha256\" \"$dir\" || fail \"$dir: fsync\"\n"
    "echo \"progress $size $size\"\n"
    "echo \"sha256 $hex\"\n";

char *image_short(const char *source, const char *target, const char *name)
{
	struct buf b = { 0 };
	char hex[DIGEST_HEX];

	digest_of(image_script, sizeof image_script - 1, hex);
	buf_addf(&b, "sh image-script.%.12s ", hex);
	text_quote(&b, source);
	buf_addc(&b, ' ');
	text_quote(&b, target);
	buf_addc(&b, ' ');
	text_quote(&b, name);
	return buf_take(&b);
}

char *image_command(const char *source, const char *target, const char *name)
{
	const char *const word[] = { image_script, "sev1-image", source, target, name };
	struct buf b = { 0 };

	buf_adds(&b, "sh -c");
	for (size_t i = 0; i < sizeof word / sizeof word[0]; i++) {
		buf_addc(&b, ' ');
		text_quote(&b, word[i]);
	}
	return buf_take(&b);
}
