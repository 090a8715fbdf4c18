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
	# It looks like a kernel, but says that it cannot be loaded above 4 GiB.
	cp "/boot/vmlinuz-$(uname -r)" /tmp/no-kernel
	printf '\000\000' | dd of=/tmp/no-kernel bs=1 seek=566 conv=notrunc
	# This one is seen before anything is touched.
	: >/tmp/empty
	expect_status 1 pmem-preserve checkpoint --kexec --kernel=/tmp/empty --initrd= /var/state
	expect_ram
	pmem-preserve checkpoint --kexec -n /var/state 2>/tmp/said
	grep -q "The next kernel is /boot/vmlinuz-$(uname -r) (the newest that is installed)" /tmp/said ||
		fail "the next kernel is not named: $(cat /tmp/said)"
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
