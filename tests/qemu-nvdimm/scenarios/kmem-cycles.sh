# shellcheck shell=sh disable=SC2154
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A machine that runs for years removes and adds the memory hundreds of times. No cycle may leak a
# reservation, a slab or a page.
#
# kernel: 6.1 6.12
# cpus: 2
# region: memmap
# size: 512M
# timeout: 900
# module: build/modules/{kernel}/kmem.ko

# kB that the kernel holds for itself: slab that cannot be reclaimed, stacks, page tables, per-CPU.
kernel_memory() {
	awk '/^(SUnreclaim|KernelStack|PageTables|Percpu):/ { all += $2 } END { print all }' \
		/proc/meminfo
}

cycle() {
	for _ in $(seq "$1"); do
		echo unplugged >"$device/state"
		echo online_movable >"$device/state"
	done
}

bind_kmem
take_pictures
set +x
# The first ones fill caches.
cycle 20
before=$(kernel_memory)
take_time cycle 180
after=$(kernel_memory)
set -x
note "the kernel held $before kB, and $after kB after 180 more cycles"
# 64 bytes a cycle would be 12 kB; what else goes on in a system is more than that.
[ "$after" -lt $((before + 768)) ] || fail "memory was lost: $before kB before, $after kB after"
expect_picture /tmp/online
unplug
expect_picture /tmp/unplugged
for _ in $(seq 10); do
	unbind_kmem
	rebind_kmem
done
unplug
expect_picture /tmp/unplugged
unbind_kmem
rmmod kmem
expect_picture /tmp/unplugged
check_dmesg
