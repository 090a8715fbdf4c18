# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The state stays in device-dax under the newest kernel, whose own driver removes the memory.
#
# kernel: 7.3
# region: nvdimm
# needs: pmem-preserve

stage1() {
	save_state 64 --layout devdax
}

stage2() {
	expect_devdax
	restore_state
}
