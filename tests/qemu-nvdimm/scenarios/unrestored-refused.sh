# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A checkpoint that was not restored is not overwritten by the next one, or by hot-add, by mistake.
#
# kernel: 6.1
# region: memmap
# needs: pmem-preserve

stage1() {
	save_state 32
}

stage2() {
	echo other >/var/state/other
	expect_status 5 pmem-preserve checkpoint /var/state
	expect_output '/dev/pmem0|region0'
	expect_status 5 pmem-preserve hot-add
	expect_status 5 pmem-preserve prepare
	expect_status 0 pmem-preserve verify
	rm /var/state/other
	restore_state
	# With --replace it is.
	echo first >/var/state/replaced
	pmem-preserve checkpoint /var/state
	expect_status 5 pmem-preserve checkpoint /var/state
	echo second >/var/state/replaced
	expect_status 0 pmem-preserve checkpoint --replace /var/state
	rm -r /var/state/replaced
	mkdir /tmp/restored
	pmem-preserve restore --into /tmp/restored
	[ "$(cat /tmp/restored/var/state/replaced)" = second ] || fail "the first one was restored"
}
