# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The layout devdax on an NVDIMM with labels.
#
# kernel: 6.1
# region: nvdimm-labels
# needs: pmem-preserve

stage1() {
	save_state 64 --layout devdax
}

stage2() {
	expect_devdax
	restore_state
}
