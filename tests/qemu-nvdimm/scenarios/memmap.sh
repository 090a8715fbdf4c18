# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A machine without an NVDIMM sets a range of its RAM aside, in which its state survives kexec.
#
# kernel: 6.1
# cpus: 2
# region: memmap
# needs: pmem-preserve

stage1() {
	save_state 64
}

stage2() {
	restore_state
}
