# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The seven steps by hand, on an NVDIMM with labels, with a kernel that onlines memory by itself.
#
# kernel: 7.3
# region: nvdimm-labels

stage1() {
	preserve-state.sh ram
	expect_ram
	make_state /var/state 32
	rm /var/state/special/socket # tar has no sockets
	snapshot_state /var/state
	preserve-state.sh save /var/state
}

stage2() {
	expect_status 1 preserve-state.sh save /var/state
	expect_output 'never restored'
	expect_status 1 preserve-state.sh ram
	preserve-state.sh restore /var/state
	compare_state /var/state
	expect_ram
	check_dmesg
}
