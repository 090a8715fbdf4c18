# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Run in a VM by bench/hot-remove: removes the range in two ways in turn, and prints how long each took:
# "sample WAY LOAD MICROSECONDS MOVED-KIB".
#
#	hot-remove.sh idle|half PAIRS HALF-MIB
#
# The way "steps" is daxctl offline-memory and unbind; "state" is the attribute. If /lib/ours/kmem.ko
# exists, it is loaded for "state" instead of the kernel's own.

# Finer than /proc/uptime. The first lines of this file cost little.
now_ns() {
	{
		read -r _
		read -r _
		read -r _ _ ns _
	} </proc/timer_list
	echo "$ns"
}

device=/sys/bus/dax/devices/$(dax_device)
ours=/lib/ours/kmem.ko

use_driver() {
	[ -e $ours ] || return 0
	rmmod kmem
	if [ "$1" = state ]; then
		insmod $ours
	else
		modprobe kmem
	fi
}

to_ram() {
	use_driver "$1"
	echo offline >$memory_blocks/auto_online_blocks
	daxctl reconfigure-device --mode=system-ram "$(dax_device)" >/dev/null
	expect_ram
}

remove_by_steps() {
	daxctl offline-memory "$(dax_device)" >/dev/null
	dax_device >/sys/bus/dax/drivers/kmem/unbind
}

# The device stays bound, but its memory is removed.
remove_by_state() {
	echo unplugged >"$device/state"
}

fill() {
	[ "$1" = half ] || return 0
	dd if=/dev/urandom of=/var/state/half bs=1M count="$half_mib" 2>/dev/null
}

sample() {
	way=$1 load=$2
	to_ram "$way"
	fill "$load"
	used=$(movable_used)
	before=$(now_ns)
	"remove_by_$way"
	after=$(now_ns)
	[ ! -e "$memory_blocks/$first_block" ] || fail "$first_block is still there"
	echo "sample $way $load $(((after - before) / 1000)) $used"
	rm -f /var/state/half
	[ "$way" = steps ] || echo "${device##*/}" >/sys/bus/dax/drivers/kmem/unbind
}

load=$1 pairs=$2 half_mib=$3
make_devdax >/dev/null
device=/sys/bus/dax/devices/$(dax_device)
first_block=$(range_blocks | head -n 1)
# The first of each is not counted: it uses memory that was never used before.
sample steps "$load" >/dev/null
sample state "$load" >/dev/null
while [ "$pairs" -gt 0 ]; do
	sample steps "$load"
	sample state "$load"
	pairs=$((pairs - 1))
done
