# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The namespace stays device-dax: the state is written and read through a mapping, without a conversion
# that takes time and can fail.
#
# kernel: 6.1
# region: memmap
# needs: pmem-preserve

stage1() {
	save_state 64 --layout devdax
}

stage2() {
	expect_devdax
	restore_state
}
