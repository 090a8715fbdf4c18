#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Preserves a directory across kexec in persistent memory that is used as RAM between reboots: the
# seven steps by hand, with ndctl, daxctl, tar and kexec. A runbook for machines without pmem-preserve,
# and the baseline that pmem-preserve is compared with.
#
#   save      1  offline and hot-remove the memory
#             2  the namespace is device-dax now
#             3  reconfigure it as raw: a block device, /dev/pmemN
#             4  write the directory to it as a tar archive, with its length and checksum
#             5  load the new kernel
#             6  kexec
#   restore   7  verify the archive, unpack it, reconfigure the namespace as device-dax, hot-add it
#
# No service is stopped: before save, stop everything that writes to the directory.
#
# On the medium: one block of text (below), a block of zeroes (where libnvdimm looks for its info
# block), then the archive.
set -eu

block=4096
magic="preserve-state 1"
seconds_to_offline=120

usage() {
	cat <<-END
	Usage: preserve-state.sh [--region NAME] [--replace] save DIR
	       preserve-state.sh [--region NAME] restore DIR
	       preserve-state.sh [--region NAME] [--replace] ram

	save     hot-removes the persistent memory, writes DIR to it, and runs kexec
	restore  after that boot: unpacks it into DIR, and makes the memory RAM again
	ram      makes the memory RAM, as restore does at its end

	  --region NAME  as shown by "ndctl list -R"; not needed if there is only one
	  --replace      save, ram: replace a state that was never restored

	Needs root, ndctl, daxctl, kexec, and GNU tar: other versions of tar lose ACLs, extended
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
			[ -e "$path" ] || die "no persistent memory found: boot with memmap=SIZE!START, or add an NVDIMM" \
				"(after kexec: is memmap= still on the command line?)"
			[ -z "$region" ] || die "several regions found, choose one: --region ${path##*/}"
			region=${path##*/}
		done
	fi
	[ -e "$nd/$region" ] || die "region $region not found (see: ndctl list -R)"
	namespace=
	for path in "$nd/$region"/namespace*.*; do
		[ -r "$path/size" ] || continue
		[ "$(cat "$path/size")" != 0 ] || continue
		[ -z "$namespace" ] || die "$region has several namespaces, only one is supported"
		namespace=${path##*/}
	done
	[ -n "$namespace" ] ||
		die "$region has no namespace: ndctl create-namespace --region=$region --mode=devdax"
	bytes=$(cat "$nd/$region/size")
}

# Sets dax: the region's device-dax device ("dax0.0"), or "" if the namespace is not device-dax.
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

# Memory blocks of $dax that are not offline, one per line.
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

# Step 1. Offlining migrates the pages; with a pinned page it would never end, hence the deadline.
# Check before reconfiguring: kernels without the "state" attribute unbind the driver with blocks
# online, and then the memory is unusable until a reboot through the firmware.
take_out() {
	say "1: offlining the memory of $dax"
	if ! timeout "$seconds_to_offline" daxctl offline-memory "$dax" >&2 || [ -n "$(blocks_online)" ]
	then
		busy=$(blocks_online | tr '\n' ' ')
		daxctl online-memory "$dax" >&2 || :
		die "cannot offline the memory; still online: ${busy:-unknown}. Free memory, or stop what pins it"
	fi
	daxctl reconfigure-device --mode=devdax "$dax" >&2
	find_dax
	[ -n "$dax" ] || die "2: $region is not device-dax"
	! is_ram || die "2: $dax is still RAM"
	say "2: $dax is device-dax"
}

# Step 3. libnvdimm's info block in the second block must go, or the namespace would be device-dax
# again at the next boot.
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
		die "$pmem holds a state that was never restored: restore it, or use --replace"
	fi
}

write_header() {
	printf '%s\nphase %s\nlength %s\nchecksum %s\n' "$magic" "$1" "$length" "$checksum" |
		dd of="$pmem" bs=$block iflag=fullblock conv=sync,fsync 2>/dev/null
	blockdev --flushbufs "$pmem"
}

# Sets tar_options, for save and restore.
find_tar() {
	tar_options=
	if tar --version 2>/dev/null | grep -q 'GNU tar'; then
		tar_options="--format=posix --numeric-owner --xattrs --xattrs-include=* --acls --sparse"
		tar_options="$tar_options --warning=no-timestamp"
	else
		say "tar is not GNU tar: ACLs, extended attributes and holes will be lost"
	fi
}

# Step 4. The checksum is computed from what is read back from the medium. The header is written last,
# so that an interrupted save leaves no valid state. tar's "file changed as we read it" is a failure,
# too. The archive is padded to whole records of 64 KiB, whose number gives its length.
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
		die "4: cannot write all of $directory to $pmem"
	fi
	length=$(($(sed -n 's/^\([0-9]*\)+0 records out$/\1/p' "$work/copied") * 65536))
	blockdev --flushbufs "$pmem"
	checksum=$(archive | cksum | cut -d ' ' -f 1)
	write_header committed
	say "4: $length bytes written to $pmem"
}

# Step 5. After the memory was removed, and with kexec_file_load (-s): the older system call uses the
# firmware's memory map, in which a memmap= range is RAM, and would place the initrd over the state.
load_kernel() {
	kexec -s -l "$kernel" --initrd="$initrd" --reuse-cmdline >&2 || die "5: kexec cannot load $kernel"
	say "5: $kernel is loaded"
}

archive() {
	dd if="$pmem" bs=1M iflag=skip_bytes,count_bytes,fullblock skip=$((2 * block)) \
		count="$length" 2>/dev/null
}

# Step 7, first half. A damaged archive is not unpacked at all.
unpack() {
	[ "$(archive | cksum)" = "$checksum $length" ] ||
		die "7: the state on $pmem is damaged; nothing was unpacked or changed"
	set -f
	# shellcheck disable=SC2086
	archive | tar $tar_options -C "$directory" -xpf - ||
		die "7: cannot unpack into $directory; the state is still on $pmem"
	set +f
	sync
	write_header restored
	say "7: $length bytes unpacked into $directory"
}

# Step 7, second half. Blocks must be onlined to ZONE_MOVABLE, or they might never be removable again.
# A kernel that onlines new memory by itself may choose another zone, so that is disabled meanwhile.
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
		[ "$status" = 0 ] || die "7: cannot hot-add $dax as RAM"
	fi
	say "7: $dax is RAM: $(sed -n 's/^MemTotal: *//p' /proc/meminfo) in total"
}

save() {
	kernel=/boot/vmlinuz-$(uname -r)
	initrd=/boot/initrd.img-$(uname -r)
	[ -r "$kernel" ] || die "cannot read $kernel"
	[ -r "$initrd" ] || die "cannot read $initrd"
	# tar adds a header of 512 bytes and padding to each file.
	need=$(($(du -sk "$directory" | cut -f 1) + $(find "$directory" | wc -l) * 2))
	[ "$need" -lt $((bytes / 1024)) ] ||
		die "$directory needs about $need KiB, $region has $((bytes / 1024)) KiB; nothing was changed"
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
	kexec -e || die "6: kexec failed. The state is still in $directory, and on $pmem; to make the" \
		"memory RAM again: preserve-state.sh --replace ram"
}

restore() {
	find_pmem
	[ -n "$pmem" ] || die "$region is not a raw namespace, so it holds no state"
	read_header
	case $phase in
	committed) ;;
	restored) die "the state on $pmem was restored already" ;;
	*) die "no state found on $pmem" ;;
	esac
	unpack
	to_ram
}

ram() {
	find_pmem
	[ -z "$pmem" ] || refuse_unrestored
	to_ram
}

# Rolls back after a failure: the memory becomes RAM again.
finish() {
	result=$?
	rm -rf "$work"
	if [ "$result" != 0 ] && [ -n "$going_back" ]; then
		going_back=
		say "failed: making the memory RAM again"
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
[ "$(id -u)" = 0 ] || die "must be run as root"
for tool in ndctl daxctl kexec tar cksum timeout; do
	has "$tool" || die "$tool is not installed"
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
