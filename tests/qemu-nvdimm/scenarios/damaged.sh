# shellcheck shell=sh disable=SC2154
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Bytes of the image have changed before it is restored. restore names the file that they were in, and
# does not restore the rest as if it were the whole state.
#
# kernel: 6.1
# region: memmap
# needs: pmem-preserve

stage1() {
	hot_add
	make_state /var/state 32
	make_victim
	snapshot_state /var/state
	pmem-preserve checkpoint --kexec /var/state
}

stage2() {
	offset=$(find_text "$victim_text" /dev/pmem0)
	printf 'XYZ' | dd of=/dev/pmem0 bs=1 seek="$offset" conv=notrunc,fsync 2>/dev/null
	expect_status 4 pmem-preserve verify
	expect_output '/var/state/victim'
	expect_status 4 pmem-preserve restore
	expect_output '/var/state/victim'
	# The checkpoint is kept for inspection.
	expect_status 4 pmem-preserve verify
	expect_status 5 pmem-preserve hot-add
	pmem-preserve discard
	hot_add
}
