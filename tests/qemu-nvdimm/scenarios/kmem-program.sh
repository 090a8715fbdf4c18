# shellcheck shell=sh disable=SC2154,SC2034
# SPDX-License-Identifier: GPL-2.0-or-later
#
# pmem-preserve on a machine with our driver: memory that cannot be removed is reported by block, page
# and reason, the deadline and Ctrl-C leave everything as it was, and memory that an unbind left behind
# is found again.
#
# kernel: 6.1 (6.12)
# cpus: 2
# region: memmap
# size: 512M
# needs: pmem-preserve
# module: build/modules/{kernel}/kmem.ko build/modules/{kernel}/pin_page.ko

# Our driver's device and blocks, in the names that guest/kmem.sh uses.
look() {
	dax=$(dax_device)
	device=/sys/bus/dax/devices/$dax
	blocks=$(range_blocks)
}

check_reason() {
	block=$(nth_block 3)
	pin "$block"
	expect_status 6 pmem-preserve hot-remove --deadline 8
	expect_output "$block.*pinned.*$pfn"
	expect_ram
	[ "$(cat "$device/unplug_timeout_ms")" = 30000 ] || fail "the deadline is the driver's now"
	expect_status 6 pmem-preserve --json prepare --deadline 5
	expect_output "\"block\": *\"$block\""
	expect_output '"class": *"pinned"'
	expect_output '"rollback": *"complete"'
	pmem-preserve status | grep "the last attempt to take it back failed at $block" ||
		fail "status does not tell of the failure"
	expect_ram
	# A dry run knows it, too, and does not promise what has just failed.
	mkdir -p /var/state
	for command in prepare hot-remove "checkpoint /var/state"; do
		# shellcheck disable=SC2086 # a command and its argument
		expect_status 6 pmem-preserve $command -n
		expect_output "$block.*pinned.*prepare"
	done
	expect_ram
}

has_begun() {
	[ "$(cut -d ' ' -f 1 "$device/progress")" -gt 0 ]
}

# A signal to the program ends it long before its deadline, with everything online again.
check_signal() {
	pmem-preserve hot-remove --deadline 300 >"$output" 2>&1 &
	program=$!
	wait_until 20 has_begun
	take_time kill "-$1" $program
	status=0
	wait $program || status=$?
	cat "$output"
	[ $status = "$2" ] || fail "status $status after SIG$1, not $2"
	wait_until 30 grep -q '^0 ' "$device/progress"
	expect_ram
}

# Unbound while it cannot be removed: the driver keeps it, and the program finds it again.
check_left_behind() {
	echo 1000 >"$device/unplug_timeout_ms"
	unbind_kmem
	pmem-preserve status | grep "still RAM" || fail "status does not tell what was left behind"
	! rmmod kmem || fail "rmmod took the driver of memory that is in use"
	expect_status 6 pmem-preserve hot-remove --deadline 5
	expect_ram
	unpin
}

check_by_hand() {
	echo 30000 >"$device/unplug_timeout_ms"
	unplug
	pmem-preserve hot-add
	expect_ram
	expect_state online_movable
	pmem-preserve hot-remove
	hot_add
}

hot_add
look
check_reason
check_signal INT 6
check_signal KILL 137
check_left_behind
check_by_hand
check_dmesg
