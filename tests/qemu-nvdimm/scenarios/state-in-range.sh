# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Most of the state lies in the memory that is removed: its pages are migrated, and none is lost.
#
# kernel: 6.1
# region: memmap
# size: 512M
# needs: pmem-preserve

stage1() {
	hot_add
	new_state 220
	# The reference is on disk, so nothing else fills the range.
	echo 3 >/proc/sys/vm/drop_caches
	[ "$(movable_used)" -gt 150000 ] || fail "only $(movable_used) kB of the range are in use"
	pmem-preserve checkpoint --kexec /var/state
}

stage2() {
	restore_state
}
