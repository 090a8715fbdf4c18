# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# An NVDIMM without labels holds the state.
#
# kernel: 6.1
# cpus: 2
# region: nvdimm
# needs: pmem-preserve

stage1() {
	save_state 64
}

stage2() {
	restore_state
}
