# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Linux 7.3 has its own "state" attribute: the memory is removed by one write, all or nothing.
#
# kernel: 7.3
# region: memmap
# needs: pmem-preserve

stage1() {
	hot_add
	[ -e "/sys/bus/dax/devices/$(dax_device)/state" ] || fail "this kernel has no state attribute"
	checkpoint_state 64
}

stage2() {
	restore_state
}
