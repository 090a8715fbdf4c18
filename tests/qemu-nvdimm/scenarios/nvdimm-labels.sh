# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# An NVDIMM with labels: its namespace has a uuid, and labels are rewritten at each conversion.
#
# kernel: 6.1
# region: nvdimm-labels
# needs: pmem-preserve

stage1() {
	save_state 64
}

stage2() {
	restore_state
}
