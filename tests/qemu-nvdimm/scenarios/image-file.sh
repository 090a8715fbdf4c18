# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A machine without persistent memory keeps its state in a file on disk: the same image, the same
# commands.
#
# kernel: 6.1
# region: none
# needs: pmem-preserve

stage1() {
	make_state /var/state 32
	snapshot_state /var/state
	expect_status 1 pmem-preserve checkpoint /var/state
	expect_output 'memmap='
	pmem-preserve checkpoint --image /scratch/image --kexec /var/state
}

stage2() {
	fsck.erofs /scratch/image
	pmem-preserve restore --image /scratch/image
	compare_state /var/state
	check_dmesg
}
