# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The next kernel was started without memmap=. restore says so; the state is still in memory, and comes
# back with a kernel that has the range.
#
# kernel: 6.1
# region: memmap
# needs: pmem-preserve

stage1() {
	hot_add
	new_state 32
	cp /proc/cmdline /scratch/cmdline
	pmem-preserve checkpoint /var/state
	# mem= keeps this kernel from using, and overwriting, the range.
	kexec_into "$(sed 's/memmap=[^ ]*//' /proc/cmdline) mem=4G"
}

stage2() {
	[ ! -e /dev/pmem0 ] || fail "the region exists"
	status=0
	pmem-preserve restore >/tmp/output 2>&1 || status=$?
	cat /tmp/output
	[ "$status" = 1 ] || [ "$status" = 3 ] || fail "restore exited with $status"
	expect_output 'memmap='
	expect_empty /var/state
	kexec_into "$(cat /scratch/cmdline)"
}

stage3() {
	restore_state
}
