# shellcheck shell=sh disable=SC2154
# SPDX-License-Identifier: GPL-2.0-or-later
#
# With $layout set: ends at the program's fault points (tools/pmem-preserve/base/fault.h), and what must be true then.

# make_small_state: one of nearly everything, so that a comparison takes no time.
make_small_state() {
	mkdir -p /var/state
	(
		cd /var/state || exit
		make_sizes
		mkdir small
		mkdir small/1
		make_links
		make_names
		make_times
	)
	rm -rf "$reference"
	cp -a /var/state "$reference"
	compare_tree /var/state
}

# fail_at POINT[:N] kill|error COMMAND...: the command ends there, in that way.
fail_at() {
	point=$1 action=$2
	shift 2
	status=0
	PMEM_PRESERVE_FAULT="$point=$action" "$@" >"$output" 2>&1 || status=$?
	cat "$output"
	number=$(sed -n 's/.*fault point \([0-9]*\): .*/\1/p' "$output" | head -n 1)
	[ -n "$number" ] || fail "$point was not reached: $*"
	case $action in
	kill) [ $status = 137 ] || fail "status $status after a kill at $point: $*" ;;
	error) [ $status = 1 ] || [ $status = 6 ] || fail "status $status after $point: $*" ;;
	esac
}

# committed: whether the region holds a whole checkpoint that was not restored; a part of one must not
# look like one.
committed() {
	status=0
	pmem-preserve --json verify >/tmp/verify 2>&1 || status=$?
	case $status in
	0) grep -q '"phase": *"committed"' /tmp/verify ;;
	3) return 1 ;;
	*) fail "verify ended with $status: $(cat /tmp/verify)" ;;
	esac
}

region_state() {
	pmem-preserve --json status | sed -n 's/^ *"state": *"\([a-z]*\)".*/\1/p' | head -n 1
}

# The table of the run: what became of the memory and of the state.
tell() {
	note "fault $number $point, $action in $1: $2"
}

# after_checkpoint ACTION NEXT: the state is where it was; whatever was done by halves is mended by
# the next command.
after_checkpoint() {
	compare_tree /var/state
	if committed; then
		outcome="the state, and the checkpoint; the region is $(region_state)"
		expect_status 5 pmem-preserve hot-add
		pmem-preserve discard
	else
		outcome="the state; the region is $(region_state)"
		[ "$action" = kill ] || expect_ram
	fi
	tell checkpoint "$outcome"
	if [ "$1" = checkpoint ]; then
		pmem-preserve checkpoint "$layout" /var/state
		pmem-preserve verify
		pmem-preserve discard
	fi
	pmem-preserve hot-add
	expect_ram
}

# checkpoint_faults NEXT ACTION POINTS: NEXT, "checkpoint" or "hot-add", is the command after it.
checkpoint_faults() {
	next=$1
	for at in $3; do
		fail_at "$at" "$2" pmem-preserve checkpoint "$layout" /var/state
		after_checkpoint "$next"
	done
}

# add_faults ACTION POINTS: on the way from raw, or devdax, to RAM.
add_faults() {
	for at in $2; do
		pmem-preserve prepare "$layout"
		fail_at "$at" "$1" pmem-preserve hot-add
		tell hot-add "the region is $(region_state)"
		pmem-preserve hot-add
		expect_ram
		compare_tree /var/state
	done
}

# discard_faults ACTION POINTS
discard_faults() {
	for at in $2; do
		pmem-preserve checkpoint "$layout" /var/state
		fail_at "$at" "$1" pmem-preserve discard
		if committed; then
			tell discard "the state, and the checkpoint"
			pmem-preserve discard
		else
			tell discard "the state"
		fi
		pmem-preserve hot-add
		expect_ram
	done
}

# With the next kernel loaded: an error takes it out again, after a kill the next try goes through.
kexec_faults() {
	fail_at KEXEC_LOADED error pmem-preserve checkpoint "$layout" --kexec /var/state
	compare_tree /var/state
	committed && fail "the checkpoint would come back in the next boot"
	[ "$(cat /sys/kernel/kexec_loaded)" = 0 ] || fail "the kernel is still loaded"
	expect_ram
	tell kexec "the state; the region is $(region_state)"

	fail_at KEXEC_LOADED kill pmem-preserve checkpoint "$layout" --kexec /var/state
	compare_tree /var/state
	committed || fail "it was committed before the kernel was loaded"
	tell kexec "the state, and the checkpoint; the region is $(region_state), the kernel is loaded"
	pmem-preserve discard
	pmem-preserve hot-add
	expect_ram
	fail_at KEXEC_LOADED error pmem-preserve checkpoint "$layout" --kexec /var/state
	[ "$(cat /sys/kernel/kexec_loaded)" = 0 ] || fail "the kernel is still loaded"
	expect_ram
}

is_stopped() {
	grep -q '^State:.T' "/proc/$1/status"
}

# cut_power_at POINT[:N] COMMAND...: the machine loses its power there. Never returns.
cut_power_at() {
	at=$1
	shift
	PMEM_PRESERVE_FAULT="$at=stop" "$@" &
	wait_until 120 is_stopped $!
	sync
	note "the power goes at $at of: $*"
	echo "@@ power-cut" >/dev/ttyS1
	wait $!
	fail "the power is still there"
}
