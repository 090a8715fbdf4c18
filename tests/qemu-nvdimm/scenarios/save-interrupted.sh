# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The program is killed while it writes. What is on the media then is no checkpoint: nobody restores
# half a state. The state itself is untouched, and the next checkpoint is a whole one.
#
# kernel: 6.1
# region: memmap
# needs: pmem-preserve

being_written() {
	[ -b /dev/pmem0 ] && dd if=/dev/pmem0 bs=512 count=1 iflag=direct 2>/dev/null | grep -q .
}

stage1() {
	hot_add
	make_state /var/state 200
	snapshot_state /var/state
	pmem-preserve prepare
	dd if=/dev/zero of=/dev/pmem0 bs=512 count=1 conv=fsync
	pmem-preserve checkpoint /var/state &
	wait_until 60 being_written
	kill -KILL $!
	status=0
	wait $! || status=$?
	[ $status = 137 ] || fail "it ended by itself, with $status: too fast for this test"
	kexec_into
}

stage2() {
	expect_status 3 pmem-preserve restore
	[ -z "$(ls /var/state)" ] || fail "half a state was restored"
	cp -a /scratch/reference/. /var/state/
	pmem-preserve checkpoint --kexec /var/state
}

stage3() {
	restore_state
}
