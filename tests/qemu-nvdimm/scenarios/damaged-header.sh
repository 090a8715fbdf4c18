# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The header itself is damaged, or erased: such a checkpoint is not restored, but not overwritten either
# without --replace, and not reported as missing. With the copy of the header it can be salvaged.
#
# kernel: 6.1
# region: memmap
# needs: pmem-preserve

expect_refused() {
	expect_status 4 pmem-preserve restore
	expect_output 'header'
	expect_status 5 pmem-preserve hot-add
	expect_status 5 pmem-preserve checkpoint /var/state
	expect_empty /var/state
}

stage1() {
	save_state 32
}

stage2() {
	printf 'X' | dd of=/dev/pmem0 bs=1 seek=40 conv=notrunc,fsync 2>/dev/null
	expect_refused
	dd if=/dev/zero of=/dev/pmem0 bs=4096 count=1 conv=notrunc,fsync 2>/dev/null
	expect_refused
	expect_status 4 pmem-preserve restore --salvage
	expect_output 'everything else is intact'
	compare_state /var/state
	pmem-preserve discard
	hot_add
}
