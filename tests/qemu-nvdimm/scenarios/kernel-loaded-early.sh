# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A kernel that was loaded before the memory was removed may lie in that memory: it is loaded again.
#
# kernel: 6.12
# region: memmap
# needs: pmem-preserve

stage1() {
	hot_add
	new_state 32
	kexec -s -l "/boot/vmlinuz-$(uname -r)" --initrd="/boot/initrd.img-$(uname -r)" \
		--command-line="$(cat /proc/cmdline) loaded-early"
	pmem-preserve checkpoint --kexec /var/state
}

stage2() {
	! grep -q loaded-early /proc/cmdline || fail "the kernel that was loaded early was started"
	restore_state
}
