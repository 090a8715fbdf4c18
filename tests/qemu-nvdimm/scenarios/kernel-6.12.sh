# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Linux 6.12 onlines added memory by itself, in a zone of its choice: the range must be online movable
# nevertheless, or the next checkpoint could not remove it.
#
# kernel: 6.12
# region: memmap
# needs: pmem-preserve

stage1() {
	save_state 64
}

stage2() {
	restore_state
}
