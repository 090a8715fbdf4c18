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
	save_state 64 --layout=raw
}

stage2() {
	restore_state
	# The next one is not refused for what is left of this one, where no RAM lies.
	pmem-preserve checkpoint --layout=raw /var/state
	expect_status 0 pmem-preserve verify
	pmem-preserve discard
	pmem-preserve hot-add
}
