# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A rescue shell without our program can check the checkpoint and read it: fsck.erofs finds no error,
# and the kernel mounts it with all of its content.
#
# kernel: 6.1
# region: nvdimm
# needs: pmem-preserve

stage1() {
	save_state 32
}

stage2() {
	fsck.erofs /dev/pmem0
	mount -t erofs -o ro /dev/pmem0 /mnt
	compare_tree /mnt/var/state
	umount /mnt
	restore_state
}
