# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What nearly every scenario of the program does before its kexec and after it.

# The range joins the system's RAM, in a way that it can be taken back.
hot_add() {
	before=$(memtotal)
	pmem-preserve hot-add
	expect_ram
	expect_more_memory "$before"
}

# save_state MIB [OPTION...]: with the range in use, a state in /var/state, checkpointed; kexecs.
save_state() {
	hot_add
	checkpoint_state "$@"
}

checkpoint_state() {
	make_state /var/state "$1"
	shift
	snapshot_state /var/state
	pmem-preserve checkpoint --kexec "$@" /var/state
	fail "checkpoint --kexec came back"
}

# The state is back and right, and the range is RAM again.
restore_state() {
	before=$(memtotal)
	pmem-preserve restore "$@"
	compare_state /var/state
	expect_ram
	expect_more_memory "$before"
	expect_status 3 pmem-preserve restore
	check_dmesg
}
