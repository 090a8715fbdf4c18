#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Carries a directory across kexec in persistent memory that serves as RAM meanwhile: the seven
# steps by hand, with ndctl, daxctl, tar and kexec. It is the runbook for a machine where
# pmem-preserve is not installed, and what pmem-preserve is measured against.
#
#   save      1  offline the memory and take it out of the system
#             2  what is left is a device-dax namespace
#             3  make it a raw namespace: a block device, /dev/pmemN
#             4  write the directory to it as a tar archive, with its length and checksum
#             5  load the new kernel
#             6  kexec
#   restore   7  verify the archive, unpack it, make a device-dax namespace, add it as RAM
#
# No service is stopped: before save, stop what writes to the directory.
#
# On the media: one block of text (below), a block that stays zero (libnvdimm looks there for an
# info block of its own), then the archive.
set -eu

block=4096
magic="preserve-state 1"
seconds_to_offline=120

usage() {
	cat <<-END
	Usage: preserve-state.sh [--region NAME] [--replace] save DIR
	       preserve-state.sh [--region NAME] restore DIR
	       preserve-state.sh [--region NAME] [--replace] ram

	save     takes the persistent memory out of the system, writes DIR to it, and kexecs
	restore  after that boot: unpacks it into DIR, and makes the memory RAM again
	ram      makes the memory RAM, as restore does at its end

	  --region NAME  which, as in "ndctl list -R"; not needed when there is only one
	  --replace      save, ram: give up a state that was never restored

	Needs root, ndctl, daxctl, kexec, and GNU tar: any other tar loses ACLs, extended
	attributes and holes.
	END
}

say() { echo "preserve-state: $*" >&2; }
die() { say "$*"; exit 1; }
has() { command -v "$1" >/dev/null; }

nd=/sys/bus/nd/devices
dax_devices=/sys/bus/dax/devices
memory=/sys/devices/system/memory

find_region() {
	if [ -z "$region" ]; then
		for path in "$nd"/region*; do
			[ -e "$path" ] || die "this machine has no persistent memory: boot with memmap=SIZE!START," \
				"or give it an NVDIMM (after kexec: is memmap= on the command line still?)"
			[ -z "$region" ] || die "there are several regions, name one: --region ${path##*/}"
			region=${path##*/}
		done
	fi
	[ -e "$nd/$region" ] || die "there is no region $region (see: ndctl list -R)"
	namespace=
	for path in "$nd/$region"/namespace*.*; do
		[ -r "$path/size" ] || continue
		[ "$(cat "$path/size")" != 0 ] || continue
		[ -z "$namespace" ] || die "$region has several namespaces: make it one"
		namespace=${path##*/}
	done
	[ -n "$namespace" ] ||
		die "$region has no namespace: ndctl create-namespace --region=$region --mode=devdax"
	bytes=$(cat "$nd/$region/size")
}

# Sets dax: the region's device-dax device ("dax0.0"), or "" when it is no device-dax namespace.
find_dax() {
	dax=
	for path in "$dax_devices"/dax*; do
		[ -e "$path" ] || continue
		case $(readlink -f "$path") in
		*/"$region"/*) dax=${path##*/} ;;
		esac
	done
}

# Sets pmem: the region's block device ("/dev/pmem0"), or "".
find_pmem() {
	pmem=
	for path in "$nd/$region"/*/block/pmem*; do
		[ ! -e "$path" ] || pmem=/dev/${path##*/}
	done
}

is_ram() {
	[ -n "$dax" ] && [ "$(basename "$(readlink -f "$dax_devices/$dax/driver")")" = kmem ]
}

# Memory blocks of $dax that are not offline, one a line.
blocks_online() {
	size=$((0x$(cat "$memory/block_size_bytes")))
	first=$((($(cat "$dax_devices/$dax/resource") + size - 1) / size))
	last=$((($(cat "$dax_devices/$dax/resource") + $(cat "$dax_devices/$dax/size")) / size - 1))
	number=$first
	while [ "$number" -le "$last" ]; do
		if [ -e "$memory/memory$number" ] && [ "$(cat "$memory/memory$number/state")" != offline ]
		then
			echo "memory$number"
		fi
		number=$((number + 1))
	done
}

# Step 1. Offlining moves the pages elsewhere; a page that cannot move would keep it busy for ever,
# so it gets a deadline. The check in between matters: kernels without the "state" attribute let
# the driver go with blocks online, and the memory is then lost to everyone until a real reboot.
take_out() {
	say "1: offlining the memory of $dax"
	if ! timeout "$seconds_to_offline" daxctl offline-memory "$dax" >&2 || [ -n "$(blocks_online)" ]
	then
		busy=$(blocks_online | tr '\n' ' ')
		daxctl online-memory "$dax" >&2 || :
		die "cannot take the memory out: in use: ${busy:-unknown}. Free memory, or stop what pins it"
	fi
	daxctl reconfigure-device --mode=devdax "$dax" >&2
	find_dax
	[ -n "$dax" ] || die "2: $region did not become device-dax"
	! is_ram || die "2: $dax is still RAM"
	say "2: $dax is device-dax"
}

# Step 3. The first two blocks are zeroed: what libnvdimm left in the second one would bring the
# namespace back as device-dax at the next boot.
to_raw() {
	find_pmem
	if [ -z "$pmem" ]; then
		ndctl create-namespace --force --reconfig="$namespace" --mode=raw >/dev/null
		find_region
		find_pmem
		[ -b "$pmem" ] || die "3: $region has no block device"
		dd if=/dev/zero of="$pmem" bs=$block seek=1 count=1 2>/dev/null
	fi
	say "3: $pmem is raw"
}

read_header() {
	header=$(dd if="$pmem" bs=$block count=1 2>/dev/null | tr -d '\0' | head -n 4)
	case $header in
	"$magic"*) phase=$(field phase) length=$(field length) checksum=$(field checksum) ;;
	*) phase=none ;;
	esac
}
field() { echo "$header" | sed -n "s/^$1 //p"; }

refuse_unrestored() {
	read_header
	if [ "$phase" = committed ] && [ -z "$replace" ]; then
		die "$pmem holds a state that was never restored: restore it, or say --replace"
	fi
}

write_header() {
	printf '%s\nphase %s\nlength %s\nchecksum %s\n' "$magic" "$1" "$length" "$checksum" |
		dd of="$pmem" bs=$block iflag=fullblock conv=sync,fsync 2>/dev/null
	blockdev --flushbufs "$pmem"
}

# Sets tar_options, for both ways.
find_tar() {
	tar_options=
	if tar --version 2>/dev/null | grep -q 'GNU tar'; then
		tar_options="--format=posix --numeric-owner --xattrs --xattrs-include=* --acls --sparse"
		tar_options="$tar_options --warning=no-timestamp"
	else
		say "this is not GNU tar: ACLs, extended attributes and holes are lost"
	fi
}

# Step 4. The checksum is of what is read back from the media. The header comes last, when the
# archive is there: a save that was cut short is no save. tar's "file changed as we read it" is a
# failure too. The archive is padded to whole records of 64 KiB, which gives its length.
write_state() {
	dd if=/dev/zero of="$pmem" bs=$block count=2 conv=fsync 2>/dev/null
	set -f
	# shellcheck disable=SC2086
	{ tar $tar_options -C "$directory" -cf - . || : >"$work/failed"; } |
		LC_ALL=C dd of="$pmem" bs=64k iflag=fullblock oflag=seek_bytes seek=$((2 * block)) \
			conv=sync,fsync 2>"$work/copied" || : >"$work/failed"
	set +f
	if [ -e "$work/failed" ]; then
		cat "$work/copied" >&2
		die "4: could not write all of $directory to $pmem"
	fi
	length=$(($(sed -n 's/^\([0-9]*\)+0 records out$/\1/p' "$work/copied") * 65536))
	blockdev --flushbufs "$pmem"
	checksum=$(archive | cksum | cut -d ' ' -f 1)
	write_header committed
	say "4: $length bytes written to $pmem"
}

# Step 5. After the memory is out, and by kexec_file_load (-s): the older call plans from the
# firmware's map, where a memmap= range is plain RAM, and would put the initrd on top of the state.
load_kernel() {
	kexec -s -l "$kernel" --initrd="$initrd" --reuse-cmdline >&2 || die "5: kexec cannot load $kernel"
	say "5: $kernel is loaded"
}

archive() {
	dd if="$pmem" bs=1M iflag=skip_bytes,count_bytes,fullblock skip=$((2 * block)) \
		count="$length" 2>/dev/null
}

# Step 7, first half. Nothing is unpacked from an archive that is not as it was written.
unpack() {
	[ "$(archive | cksum)" = "$checksum $length" ] ||
		die "7: the state on $pmem is damaged: nothing was unpacked, nothing changed"
	set -f
	# shellcheck disable=SC2086
	archive | tar $tar_options -C "$directory" -xpf - ||
		die "7: cannot unpack into $directory; the state is still on $pmem"
	set +f
	sync
	write_header restored
	say "7: $length bytes unpacked into $directory"
}

# Step 7, second half. Blocks must come online movable, or they could never be taken out again: a
# kernel that onlines new memory by itself may choose otherwise, so that is switched off meanwhile.
to_ram() {
	find_dax
	if [ -z "$dax" ]; then
		ndctl create-namespace --force --reconfig="$namespace" --mode=devdax --map=mem >/dev/null
		find_dax
	fi
	if ! is_ram; then
		policy=$(cat "$memory/auto_online_blocks")
		echo offline >"$memory/auto_online_blocks"
		status=0
		daxctl reconfigure-device --mode=system-ram "$dax" >/dev/null || status=$?
		echo "$policy" >"$memory/auto_online_blocks"
		[ "$status" = 0 ] || die "7: cannot add $dax as RAM"
	fi
	say "7: $dax is RAM: $(sed -n 's/^MemTotal: *//p' /proc/meminfo) in all"
}

save() {
	kernel=/boot/vmlinuz-$(uname -r)
	initrd=/boot/initrd.img-$(uname -r)
	[ -r "$kernel" ] || die "there is no $kernel to load"
	[ -r "$initrd" ] || die "there is no $initrd to load"
	# tar adds 512 bytes and some rounding to each file.
	need=$(($(du -sk "$directory" | cut -f 1) + $(find "$directory" | wc -l) * 2))
	[ "$need" -lt $((bytes / 1024)) ] ||
		die "$directory needs about $need KiB, $region has $((bytes / 1024)): nothing was changed"
	find_dax
	holds_state=yes
	if is_ram; then
		holds_state=no
		going_back=yes
		take_out
	fi
	to_raw
	[ $holds_state = no ] || refuse_unrestored
	write_state
	load_kernel
	sync
	say "6: kexec"
	going_back=
	kexec -e || die "6: kexec failed. The state is on $pmem and in $directory still; the memory" \
		"goes back to the system with: preserve-state.sh --replace ram"
}

restore() {
	find_pmem
	[ -n "$pmem" ] || die "$region is not a raw namespace: no state is there"
	read_header
	case $phase in
	committed) ;;
	restored) die "the state on $pmem was restored already" ;;
	*) die "there is no state on $pmem" ;;
	esac
	unpack
	to_ram
}

ram() {
	find_pmem
	[ -z "$pmem" ] || refuse_unrestored
	to_ram
}

# What was begun and failed is undone: the memory becomes RAM again.
finish() {
	result=$?
	rm -rf "$work"
	if [ "$result" != 0 ] && [ -n "$going_back" ]; then
		going_back=
		say "failed: the memory goes back to the system"
		to_ram
	fi
	exit "$result"
}

region=
replace=
while [ $# -gt 0 ]; do
	case $1 in
	-h | --help) usage; exit 0 ;;
	--region) [ $# -gt 1 ] || { usage >&2; exit 2; }; region=$2; shift ;;
	--replace) replace=yes ;;
	-*) usage >&2; exit 2 ;;
	*) break ;;
	esac
	shift
done
case "${1-} $#" in
"save 2" | "restore 2") directory=$2 ;;
"ram 1") directory=/ ;;
*) usage >&2; exit 2 ;;
esac
[ -d "$directory" ] || die "$directory is not a directory"
[ "$(id -u)" = 0 ] || die "only root may do this"
for tool in ndctl daxctl kexec tar cksum timeout; do
	has "$tool" || die "$tool is missing"
done
find_region
find_tar
going_back=
work=$(mktemp -d)
trap finish EXIT
trap 'exit 130' INT TERM
case $1 in
save) save ;;
restore) restore ;;
ram) ram ;;
esac
