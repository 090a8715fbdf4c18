# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The namespace stays device-dax: the state is written and read through a mapping, and neither
# conversion nor info block costs time or can go wrong.
#
# kernel: 6.1
# region: memmap
# needs: pmem-preserve

stage1() {
	save_state 64 --layout devdax
}

stage2() {
	[ "$(dax_driver)" = device_dax ] || fail "the namespace did not come back as device-dax"
	restore_state
}
