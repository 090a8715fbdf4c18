# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A machine without persistent memory keeps its state in a file on disk, with the same image and the
# same commands.
#
# kernel: 6.1
# region: none
# needs: pmem-preserve

stage1() {
	new_state 32
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
