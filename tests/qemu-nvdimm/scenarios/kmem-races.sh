# shellcheck shell=sh disable=SC2154
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Other writers change the blocks during a removal: a udev rule that onlines new blocks, an operator,
# a second removal. Operations are atomic and take turns; no writer can change a block during one, and
# the attributes of the driver are correct at any time.
#
# kernel: 6.1 6.12
# cpus: 2
# region: memmap
# module: build/modules/{kernel}/kmem.ko
# module: build/modules/{kernel}/pin_page.ko

jobs=
# One that hangs would keep the machine from being turned off.
trap '[ -z "$jobs" ] || kill $jobs' EXIT

# The shell's own echo: the writers are to be as fast as can be.
flip() {
	while :; do
		for value in offline online_movable online online_kernel; do
			echo $value >"$memory_blocks/$1/state" || :
		done
	done 2>/dev/null
}

write_states() {
	while :; do
		for value in unplugged online_movable; do
			echo $value >"$device/state" || :
		done
	done 2>/dev/null
}

# What is read is one of the documented answers, whatever goes on.
read_all() {
	while :; do
		# Unbound, the device has none of these.
		cat "$device/state" "$device/progress" "$device/last_failure" >"/tmp/read.$1" \
			2>/dev/null || :
		if grep -Evx 'unplugged|offline|online_movable|mixed|[0-7] 7|none|[a-z]+=.+' \
			"/tmp/read.$1"; then
			echo "$1" >/tmp/misread
		fi
	done
}

run() {
	"$@" &
	jobs="$jobs $!"
}

stop() {
	# shellcheck disable=SC2086
	kill $jobs
	# shellcheck disable=SC2086
	wait $jobs || :
	jobs=
}

write_unplugged() {
	/usr/bin/echo unplugged >"$device/state"
}

# Removed as a whole, or refused as a whole. Busy blocks are the only reason there is, unless the
# machine is so slow that the writers keep the lock of memory hot-plug until the time is over.
unplug_against_writers() {
	limit=$(cat "$device/unplug_timeout_ms")
	for block in $blocks; do
		run flip "$block"
	done
	run read_all 1
	removed=0 refused=0
	for _ in $(seq "$1"); do
		if take_time write_unplugged; then
			expect_state unplugged
			expect_progress "7 7"
			grep -q "System RAM (kmem)" /proc/iomem && fail "some of it is still there"
			echo online_movable >"$device/state"
			removed=$((removed + 1))
		else
			busy=errno=-16
			[ "$took" -lt "$limit" ] || busy="errno=-1[16]*"
			expect_failure operation=unplug "$busy" rollback=complete
			refused=$((refused + 1))
		fi
	done
	stop
	note "removed $removed times, refused $refused times"
	[ $removed -gt 0 ] || fail "the writers won each time"
}

# Two that want opposite things, one that reads, one that unbinds under them.
switch_against_switch() {
	run write_states
	run write_states
	run read_all 2
	for _ in $(seq "$1"); do
		unbind_kmem
		rebind_kmem
		usleep 100000
	done
	stop
}

settle() {
	[ ! -e /tmp/misread ] || fail "a reader got an answer that is not documented"
	[ "$(cat "$device/state")" = unplugged ] || unplug
	expect_picture /tmp/unplugged
	echo online_movable >"$device/state"
	expect_picture /tmp/online
}

# The kernel has tried to move the pinned page.
has_met_pin() {
	dmesg | grep -q "pfn:\?[ 0x]*${pfn#0x}"
}

# Somebody's own removal of a block hangs on a pinned page, and holds the lock of memory hot-plug.
check_hung_writer() {
	pin "$(nth_block 4)"
	start_holder "$(nth_block 4)"
	jobs=$holder
	wait_until 30 grep -q going-offline "$memory_blocks/$(nth_block 4)/state"
	# No notifier can refuse it any more, and it does not end by itself.
	wait_until 30 has_met_pin
	echo 1000 >"$device/unplug_timeout_ms"
	take_time expect_refused "Connection timed out" unplugged "$device/state"
	expect_faster 10000
	expect_failure errno=-110 "block=memory*" class=lock-held rollback=complete
	stop
	unpin
	echo 30000 >"$device/unplug_timeout_ms"
	expect_picture /tmp/online
}

bind_kmem
take_pictures
check_hung_writer
unplug_against_writers 6
settle
switch_against_switch 6
settle
check_dmesg
