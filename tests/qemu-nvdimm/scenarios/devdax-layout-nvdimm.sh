# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The same, on an NVDIMM with labels.
#
# kernel: 6.1
# region: nvdimm-labels
# needs: pmem-preserve

stage1() {
	save_state 64 --layout devdax
}

stage2() {
	[ "$(dax_driver)" = device_dax ] || fail "the namespace did not come back as device-dax"
	restore_state
}
