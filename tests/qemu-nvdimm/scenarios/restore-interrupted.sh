# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The program is killed while it restores. The checkpoint is still whole, and a second restore ends
# with the whole state; until then nothing may write over it.
#
# kernel: 6.1
# region: memmap
# needs: pmem-preserve

stage1() {
	save_state 200
}

stage2() {
	pmem-preserve restore &
	wait_until 60 test -d /var/state/large
	kill -KILL $!
	status=0
	wait $! || status=$?
	[ $status = 137 ] || fail "it ended by itself, with $status: too fast for this test"
	expect_status 5 pmem-preserve hot-add
	expect_status 5 pmem-preserve checkpoint /var/state
	restore_state --overwrite
}
