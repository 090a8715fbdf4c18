# shellcheck shell=sh disable=SC2154
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A machine that reboots this way again and again: each boot finds the state of the one before, and
# the range is taken out and added each time.
#
# kernel: 6.1
# region: memmap
# timeout: 1200
# needs: pmem-preserve

stage1() {
	save_state 16
}

again() {
	restore_state
	echo "boot $stage" >>/var/state/boots
	snapshot_state /var/state
	pmem-preserve checkpoint --kexec /var/state
}

stage2() {
	again
}

stage3() {
	again
}

stage4() {
	restore_state
	[ "$(cat /var/state/boots)" = "$(printf 'boot 2\nboot 3')" ] || fail "boots were forgotten"
}
