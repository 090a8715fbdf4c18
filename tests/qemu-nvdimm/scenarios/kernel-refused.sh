# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The next kernel cannot be loaded after the state was saved: the memory is RAM again, the state is
# unchanged, and no checkpoint is left that would make the next one be refused.
#
# kernel: 6.1
# region: memmap
# size: 512M
# needs: pmem-preserve

stage1() {
	hot_add
	new_state 32
	before=$(memtotal)
	head -c 100000 /dev/urandom >/tmp/no-kernel
	for layout in raw devdax; do
		expect_status 1 pmem-preserve checkpoint --layout=$layout --kexec --kernel=/tmp/no-kernel \
			--initrd= /var/state
		expect_ram
		expect_memtotal "$before"
		expect_status 3 pmem-preserve restore
		compare_state /var/state
	done
	expect_no_next_kernel
	check_dmesg
}
