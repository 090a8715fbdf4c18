# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The next kernel did not get memmap=. restore says so and ends; the state is still in memory, and
# comes back with a kernel that knows of the range.
#
# kernel: 6.1
# region: memmap
# needs: pmem-preserve

stage1() {
	hot_add
	make_state /var/state 32
	snapshot_state /var/state
	cp /proc/cmdline /scratch/cmdline
	pmem-preserve checkpoint /var/state
	# Above what this kernel may use, so that it does not overwrite the range while it looks.
	kexec_into "$(sed 's/memmap=[^ ]*//' /proc/cmdline) mem=4G"
}

stage2() {
	[ ! -e /dev/pmem0 ] || fail "the region is there all the same"
	status=0
	pmem-preserve restore >/tmp/output 2>&1 || status=$?
	cat /tmp/output
	[ "$status" = 1 ] || [ "$status" = 3 ] || fail "restore ended with $status"
	expect_output 'memmap='
	[ -z "$(ls /var/state)" ] || fail "something was restored"
	kexec_into "$(cat /scratch/cmdline)"
}

stage3() {
	restore_state
}
