# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The seven steps by hand, on memmap=: the runbook works as documented.
#
# kernel: 6.1
# region: memmap

stage1() {
	before=$(memtotal)
	preserve-state.sh ram
	expect_ram
	expect_more_memory "$before"
	make_state /var/state 64
	rm /var/state/special/socket # tar has no sockets
	snapshot_state /var/state
	preserve-state.sh save /var/state
}

stage2() {
	before=$(memtotal)
	preserve-state.sh restore /var/state
	compare_state /var/state
	expect_ram
	expect_more_memory "$before"
	check_dmesg
}
