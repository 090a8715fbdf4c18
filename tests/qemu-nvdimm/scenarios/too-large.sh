# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A state that does not fit is refused before anything is changed: the memory stays RAM.
#
# kernel: 6.1
# region: memmap
# size: 256M
# needs: pmem-preserve

stage1() {
	hot_add
	make_state /var/state 300
	before=$(memtotal)
	expect_status 7 pmem-preserve checkpoint --kexec /var/state
	expect_output 'region0'
	expect_memtotal "$before"
	expect_ram
	expect_no_next_kernel
	expect_status 3 pmem-preserve restore --into /tmp/restored
	check_dmesg
}
