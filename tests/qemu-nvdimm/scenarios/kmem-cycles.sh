# shellcheck shell=sh disable=SC2154
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A machine that reboots into a new kernel every day takes its memory out some hundred times before
# it is switched off. Each time what leaves with it must come back: MemTotal, /proc/iomem, the node's
# counts and zones, and the kernel's own memory, which would fill up slowly.
#
# kernel: 6.1 6.12
# region: memmap
# size: 512M
# module: build/modules/{kernel}/kmem.ko
# timeout: 900

cycles=200
# What is cached comes and goes; a leak of half a page of slab in each cycle, or of a hundredth of the
# memory's own struct pages, would be more.
slab_slack_kib=$((cycles * 2))
free_slack_kib=16384

cycle() {
	unplug
	echo online_movable >"$device/state"
}

slab_kib() {
	echo 3 >/proc/sys/vm/drop_caches
	sed -n 's/^SUnreclaim: *\([0-9]*\) kB/\1/p' /proc/meminfo
}

free_kib() {
	echo 3 >/proc/sys/vm/drop_caches
	memfree
}

settled() {
	[ $(($(slab_kib) - slab)) -le $slab_slack_kib ] &&
		[ $((free - $(free_kib))) -le $free_slack_kib ]
}

bind_kmem
online_all
# What is made once and kept.
for _ in 1 2 3 4 5 6 7 8 9 10; do
	cycle
done
picture /tmp/online
slab=$(slab_kib)
free=$(free_kib)
count=0
while [ $count -lt $cycles ]; do
	cycle
	count=$((count + 1))
done
echo "slab $slab -> $(slab_kib) kB, free $free -> $(free_kib) kB"
expect_state online_movable
expect_picture /tmp/online
# Some memory is given back only after a grace period.
wait_until 20 settled
unbind_kmem
rmmod kmem
check_dmesg
