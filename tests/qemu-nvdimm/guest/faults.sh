# shellcheck shell=sh disable=SC2154
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Runs that end at the program's fault points (tools/pmem-preserve/base/fault.h), and what must hold
# afterwards. $layout is set.

# make_small_state: one of nearly everything, but quick to compare.
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

# fail_at POINT[:N] kill|error COMMAND...: the command is killed there, or the step fails.
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

# committed: whether the region holds a complete checkpoint that was not restored. An incomplete one
# must not be reported as damaged, but one that was about to be erased may have lost its copies.
committed() {
	status=0
	pmem-preserve --json verify >/tmp/verify 2>&1 || status=$?
	case $status in
	0) grep -q '"phase": *"committed"' /tmp/verify ;;
	3) return 1 ;;
	4) grep -q 'are damaged, but no file' /tmp/verify && grep -q '"phase": *"committed"' /tmp/verify ||
		fail "a checkpoint is damaged: $(cat /tmp/verify)" ;;
	*) fail "verify exited with $status: $(cat /tmp/verify)" ;;
	esac
}

region_state() {
	pmem-preserve --json status | sed -n 's/^ *"state": *"\([a-z]*\)".*/\1/p' | head -n 1
}

# report WHILE OUTCOME: a line of the table that tests/qemu-nvdimm/run prints.
report() {
	note "fault $number $point, $action in $1: $2"
}

# after_checkpoint NEXT: the state is unchanged, and the next command completes or undoes what was left
# unfinished.
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
	report checkpoint "$outcome"
	if [ "$1" = checkpoint ]; then
		pmem-preserve checkpoint "$layout" /var/state
		pmem-preserve verify
		pmem-preserve discard
	fi
	pmem-preserve hot-add
	expect_ram
}

# checkpoint_faults NEXT ACTION POINTS: the command after each fault is NEXT, "checkpoint" or "hot-add".
checkpoint_faults() {
	next=$1
	for at in $3; do
		fail_at "$at" "$2" pmem-preserve checkpoint "$layout" /var/state
		after_checkpoint "$next"
	done
}

# add_faults ACTION POINTS: faults on the way from raw, or devdax, to RAM.
add_faults() {
	for at in $2; do
		pmem-preserve prepare "$layout"
		fail_at "$at" "$1" pmem-preserve hot-add
		report hot-add "the region is $(region_state)"
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
			report discard "the state, and the checkpoint"
			pmem-preserve discard
		else
			report discard "the state"
		fi
		pmem-preserve hot-add
		expect_ram
	done
}

# With the next kernel loaded: after an error it is unloaded, after a kill the next attempt succeeds.
kexec_faults() {
	fail_at KEXEC_LOADED error pmem-preserve checkpoint "$layout" --kexec /var/state
	compare_tree /var/state
	committed && fail "the checkpoint would come back in the next boot"
	expect_no_next_kernel
	expect_ram
	report kexec "the state; the region is $(region_state)"

	fail_at KEXEC_LOADED kill pmem-preserve checkpoint "$layout" --kexec /var/state
	compare_tree /var/state
	committed || fail "the checkpoint was not committed when the kernel was loaded"
	report kexec "the state, and the checkpoint; the region is $(region_state), the kernel is loaded"
	pmem-preserve discard
	pmem-preserve hot-add
	expect_ram
	fail_at KEXEC_LOADED error pmem-preserve checkpoint "$layout" --kexec /var/state
	expect_no_next_kernel
	expect_ram
}

is_stopped() {
	grep -q '^State:.T' "/proc/$1/status"
}

# cut_power_at POINT[:N] COMMAND...: the machine loses its power there. Does not return.
cut_power_at() {
	at=$1
	shift
	PMEM_PRESERVE_FAULT="$at=stop" "$@" &
	wait_until 120 is_stopped $!
	sync
	note "the power goes at $at of: $*"
	echo "@@ power-cut" >/dev/ttyS1
	wait $!
	fail "the power was not cut"
}
