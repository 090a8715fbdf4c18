# shellcheck shell=sh disable=SC2154
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A whole cycle with this driver: the memory is RAM, is removed, holds the state across a kexec, and
# is RAM again.
#
# kernel: 6.1 6.12
# cpus: 2
# region: memmap
# module: build/modules/{kernel}/kmem.ko
# needs: pmem-preserve

stage1() {
	hot_add
	use_device
	expect_state online_movable
	make_state /var/state 48
	snapshot_state /var/state
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
