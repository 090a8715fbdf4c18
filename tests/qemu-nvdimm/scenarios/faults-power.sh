# shellcheck shell=sh disable=SC2154 # what run-stage and the library set
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The power is cut, and the NVDIMM keeps its content. An incomplete image would be restored as a state,
# a committed checkpoint be lost, or the region be unusable after the next boot.
#
# kernel: 6.1
# region: nvdimm
# size: 512M
# timeout: 900
# needs: fault-points

# Each boot but the last ends in a cut, and the next one checks what that has left: WHILE POINT LEFT,
# where LEFT is "none" (no checkpoint), "whole", or "either". "long": only with TESTS_LONG=1 in the
# environment.
all_cuts() {
	cat <<-END
		save DAX_UNBOUND none long
		save RAW_FORCED none
		save RAW_DISABLED none long
		save IMAGE_MIB:2 none
		save IMAGE_FLUSHED none
		save PHASE_WRITTEN either long
		save PHASE_FLUSHED whole
		restore RESTORE_SPAN whole
		restore RESTORE_FLUSHED whole
		restore PHASE_FLUSHED none
		restore DEVDAX_ZEROED none long
		restore DEVDAX_CLAIMED none long
		restore ADD_BOUND none
	END
}

cuts() {
	if [ -n "$long" ]; then
		all_cuts | sed 's/ long$//'
	else
		all_cuts | grep -v ' long$'
	fi
}

# look_back WHILE POINT LEFT
look_back() {
	if committed; then
		found=whole
		expect_status 5 pmem-preserve hot-add
		pmem-preserve restore --keep --no-hot-add
		compare_tree /var/state
		rm -rf /var/state/*
	else
		found=none
		expect_status 3 pmem-preserve restore
		expect_empty /var/state
	fi
	note "the power was cut at $2 of $1: the checkpoint is $found; the region is $(region_state)"
	[ "$3" = either ] || [ "$3" = $found ] || fail "the checkpoint is $found, not $3"
}

# cut_once WHILE POINT LEFT
cut_once() {
	if [ "$1" = save ]; then
		! committed || pmem-preserve discard
		pmem-preserve hot-add
		expect_ram
	fi
	if [ "$1" = save ] || ! committed; then
		cp -a "$reference/." /var/state/
	fi
	if [ "$1" = save ]; then
		cut_power_at "$2" pmem-preserve checkpoint /var/state
	fi
	[ -z "$(ls /var/state)" ] || pmem-preserve checkpoint /var/state
	rm -rf /var/state/*
	cut_power_at "$2" pmem-preserve restore
}

turn=$stage
if [ "$turn" = 1 ]; then
	make_small_state
	rm -rf /var/state/*
else
	# shellcheck disable=SC2046 # three words
	look_back $(cuts | sed -n "$((turn - 1))p")
fi
if [ "$turn" -le "$(cuts | wc -l)" ]; then
	# shellcheck disable=SC2046
	cut_once $(cuts | sed -n "${turn}p")
fi
pmem-preserve hot-add
expect_ram
check_dmesg
