# shellcheck shell=sh disable=SC2154
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The program and the driver together: what keeps the memory from being taken out is told to the user,
# by name; when it is gone, the memory is taken out, holds the state across the kexec, and is RAM again.
#
# kernel: 6.1 6.12
# region: memmap
# module: build/modules/{kernel}/kmem.ko build/modules/{kernel}/pin_page.ko
# needs: pmem-preserve

stage1() {
	hot_add
	use_device
	make_state /var/state 48
	snapshot_state /var/state
	picture /tmp/online
	pin "$(nth_block 3)"
	take_time expect_status 6 pmem-preserve checkpoint --deadline 8 /var/state
	expect_faster 60000
	expect_output "$(nth_block 3)"
	expect_failure "block=$(nth_block 3)" "pfn=$pfn" class=pinned rollback=complete
	expect_picture /tmp/online
	compare_state /var/state
	unpin
	pmem-preserve checkpoint --kexec /var/state
	fail "checkpoint --kexec came back"
}

stage2() {
	restore_state
	use_device
	expect_state online_movable
	unplug
	expect_no_failure
	check_dmesg
}
