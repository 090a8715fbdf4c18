# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The next kernel cannot be loaded, after the state was saved: the memory is RAM again, the state is
# where it was, and no checkpoint stays behind that would refuse the next one.
#
# kernel: 6.1
# region: memmap
# size: 512M
# needs: pmem-preserve

stage1() {
	hot_add
	make_state /var/state 32
	snapshot_state /var/state
	before=$(memtotal)
	head -c 100000 /dev/urandom >/tmp/no-kernel
	for layout in raw devdax; do
		expect_status 1 pmem-preserve checkpoint --layout=$layout --kexec --kernel=/tmp/no-kernel \
			--initrd= /var/state
		expect_ram
		[ "$(memtotal)" = "$before" ] || fail "MemTotal was $before kB and is $(memtotal) kB"
		expect_status 3 pmem-preserve restore
		compare_state /var/state
	done
	[ "$(cat /sys/kernel/kexec_loaded)" = 0 ] || fail "a kernel is loaded"
	check_dmesg
}
