# shellcheck shell=sh disable=SC2154
# SPDX-License-Identifier: GPL-2.0-or-later
#
# More memory is in use than fits outside the range, and there is no swap. The removal fails within
# its time limit and reports this reason; no process is killed for it, and no stored data is lost.
#
# kernel: 6.1 (6.12)
# cpus: 2
# region: memmap
# size: 512M
# memory: 1280M
# state-size: 3G
# allow: page allocation failure|Call Trace
# module: build/modules/{kernel}/kmem.ko

# MiB that can still be used.
available() {
	sed -n 's/^MemAvailable: *\([0-9]*\)...  *kB/\1/p' /proc/meminfo
}

fill() {
	dd if=/dev/zero of=/var/state/file bs=1M count=$(($(available) - 120))
	[ "$(movable_used)" -gt 300000 ] || fail "only $(movable_used) kB of the range are in use"
}

expect_no_memory() {
	# What is in the way is found where it stands still, so it has to get there.
	limit=4000
	[ ! -e /proc/lockdep_stats ] || limit=25000
	echo $limit >"$device/unplug_timeout_ms"
	take_time expect_refused "C*" unplugged "$device/state"
	expect_faster 40000
	case $said in
	*"Connection timed out" | *"Cannot allocate memory") ;;
	*) fail "$said" ;;
	esac
	expect_failure operation=unplug "block=memory*" "pfn=0x*" class=no-memory rollback=complete
	expect_picture /tmp/online
}

bind_kmem
unplug
echo online_movable >"$device/state"
picture /tmp/online
fill
size=$(stat -c %s /var/state/file)
expect_no_memory
expect_no_memory
[ "$(stat -c %s /var/state/file)" = "$size" ] || fail "the file is not what it was"
! dmesg | grep -i 'oom\|killed process' || fail "a process was killed"
rm /var/state/file
echo 30000 >"$device/unplug_timeout_ms"
unplug
expect_no_failure
# The kernel itself logs, once, that it could not allocate a target of the migration.
! dmesg | grep -E 'WARNING: |BUG: |Oops' || fail "the kernel complained"
