# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What nearly every scenario of the program does before its kexec and after it.

# The range becomes RAM that can be removed again.
hot_add() {
	before=$(memtotal)
	pmem-preserve hot-add
	expect_ram
	expect_more_memory "$before"
}

# new_state MIB: a state in /var/state, and the snapshot that compare_state compares with.
new_state() {
	make_state /var/state "$1"
	snapshot_state /var/state
}

# save_state MIB [OPTION...]: uses the range, makes a state, checkpoints it; ends with a kexec.
save_state() {
	hot_add
	checkpoint_state "$@"
}

checkpoint_state() {
	new_state "$1"
	shift
	pmem-preserve checkpoint --kexec "$@" /var/state
	fail "checkpoint --kexec returned"
}

# The state is back and correct, and the range is RAM again.
restore_state() {
	before=$(memtotal)
	pmem-preserve restore "$@"
	compare_state /var/state
	expect_ram
	expect_more_memory "$before"
	expect_status 3 pmem-preserve restore
	check_dmesg
}
