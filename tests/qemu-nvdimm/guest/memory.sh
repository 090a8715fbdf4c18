# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The range of persistent memory, as ndctl and daxctl see it, and the system's RAM.
# The guest has one region.

memory_blocks=/sys/devices/system/memory

memtotal() {
	sed -n 's/^MemTotal: *\([0-9]*\) kB/\1/p' /proc/meminfo
}

memfree() {
	sed -n 's/^MemFree: *\([0-9]*\) kB/\1/p' /proc/meminfo
}

# kB in use in ZONE_MOVABLE, which consists of the added range only.
movable_used() {
	awk '/zone +Movable/ { movable = 1 } /^Node/ && !/Movable/ { movable = 0 }
		movable && $1 == "pages" { free += $3 } movable && $1 == "managed" { all += $2 }
		END { print (all - free) * 4 }' /proc/zoneinfo
}

namespace() {
	for path in /sys/bus/nd/devices/region0/namespace*.*; do
		if [ "$(cat "$path/size")" != 0 ]; then
			echo "${path##*/}"
			return
		fi
	done
	fail "region0 has no namespace"
}

dax_device() {
	for path in /sys/bus/dax/devices/dax*; do
		[ ! -e "$path" ] || echo "${path##*/}"
	done
}

# Prints "kmem", "device_dax" or nothing.
dax_driver() {
	link=/sys/bus/dax/devices/$(dax_device)/driver
	[ ! -e "$link" ] || basename "$(readlink -f "$link")"
}

# With ndctl, for scenarios that do not test the conversion by the program.
make_devdax() {
	ndctl create-namespace --force --reconfig="$(namespace)" --mode=devdax --map=mem
}

make_raw() {
	ndctl create-namespace --force --reconfig="$(namespace)" --mode=raw
	dd if=/dev/zero of=/dev/pmem0 bs=4096 seek=1 count=1
}

# expect_memtotal KB: MemTotal has not changed.
expect_memtotal() {
	[ "$(memtotal)" = "$1" ] || fail "MemTotal was $1 kB and is $(memtotal) kB"
}

# expect_more_memory BEFORE: MemTotal has grown since by half of the region or more.
expect_more_memory() {
	expected=$(($1 + $(cat /sys/bus/nd/devices/region0/size) / 1024 / 2))
	[ "$(memtotal)" -ge "$expected" ] || fail "MemTotal is $(memtotal) kB, after $1 kB"
}

# The namespace is devdax, and its device can be mapped.
expect_devdax() {
	[ "$(dax_driver)" = device_dax ] || fail "the region is not bound to device_dax"
}

# The whole range is RAM, and can be removed: each of its blocks is online, in ZONE_MOVABLE.
expect_ram() {
	[ "$(dax_driver)" = kmem ] || fail "the region is not bound to kmem"
	count=0
	for block in $(range_blocks); do
		[ "$(cat "$memory_blocks/$block/state")" = online ] || fail "$block is not online"
		zone=$(cat "$memory_blocks/$block/valid_zones")
		[ "$zone" = Movable ] || fail "$block is in zone $zone"
		count=$((count + 1))
	done
	[ $count -gt 0 ] || fail "the region has no memory block"
}

range_blocks() {
	size=$((0x$(cat $memory_blocks/block_size_bytes)))
	dax=/sys/bus/dax/devices/$(dax_device)
	number=$((($(cat "$dax/resource") + size - 1) / size))
	end=$((($(cat "$dax/resource") + $(cat "$dax/size")) / size))
	while [ $number -lt $end ]; do
		echo "memory$number"
		number=$((number + 1))
	done
}

expect_no_next_kernel() {
	[ "$(cat /sys/kernel/kexec_loaded)" = 0 ] || fail "a kernel is loaded"
}

# kexec_into [WORD...]: loads this kernel again and starts it, with the command line WORD..., or with
# the present one.
kexec_into() {
	if [ $# -gt 0 ]; then
		set -- "--command-line=$*"
	else
		set -- --reuse-cmdline
	fi
	kexec -s -l "/boot/vmlinuz-$(uname -r)" --initrd="/boot/initrd.img-$(uname -r)" "$@"
	sync
	kexec -e
}
