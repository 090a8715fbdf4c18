# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Bytes of the image changed on the way. restore says which file they were in, and does not pass
# off what is left as the state.
#
# kernel: 6.1
# region: memmap
# needs: pmem-preserve

stage1() {
	hot_add
	make_state /var/state 32
	# What is checked is a MiB at a time: this file has some to itself.
	{
		yes 'padding' | head -c 2000000
		echo 'the place that gets damaged'
		yes 'padding' | head -c 2000000
	} >/var/state/victim
	snapshot_state /var/state
	pmem-preserve checkpoint --kexec /var/state
}

stage2() {
	offset=$(tr '\0' '\n' </dev/pmem0 | grep -abo -m 1 'the place that gets damaged' | cut -d : -f 1)
	[ -n "$offset" ] || fail "the victim is not in the image"
	printf 'XYZ' | dd of=/dev/pmem0 bs=1 seek="$offset" conv=notrunc,fsync 2>/dev/null
	expect_status 4 pmem-preserve verify
	expect_output '/var/state/victim'
	expect_status 4 pmem-preserve restore
	expect_output '/var/state/victim'
	# It is still there to be looked at.
	expect_status 4 pmem-preserve verify
	expect_status 5 pmem-preserve hot-add
	pmem-preserve discard
	hot_add
}
