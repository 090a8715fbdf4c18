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
	[ "$(dax_driver)" = device_dax ] || fail "the namespace did not come back as device-dax"
	restore_state
}
