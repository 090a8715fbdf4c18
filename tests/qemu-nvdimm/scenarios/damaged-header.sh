# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The header itself is damaged: that is no checkpoint to restore from, and none to write over
# without being told either.
#
# kernel: 6.1
# region: memmap
# needs: pmem-preserve

stage1() {
	save_state 32
}

stage2() {
	printf 'X' | dd of=/dev/pmem0 bs=1 seek=40 conv=notrunc,fsync 2>/dev/null
	expect_status 4 pmem-preserve restore
	expect_status 5 pmem-preserve hot-add
	expect_status 5 pmem-preserve checkpoint /var/state
	[ -z "$(ls /var/state)" ] || fail "something was restored"
}
