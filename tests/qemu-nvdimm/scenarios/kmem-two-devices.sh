# shellcheck shell=sh disable=SC2034,SC2154
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Two devices are removed at a time, each with a page that cannot move, and with another limit; or
# somebody else holds the lock of memory hot-plug while a removal is rolled back. Whoever waits is told
# the truth, and in the end all memory is online again, without anybody doing anything.
#
# kernel: 6.1 (6.12)
# cpus: 2
# region: soft-reserved
# timeout: 3600
# module: build/modules/{kernel}/kmem.ko
# module: build/modules/{kernel}/pin_page.ko
# module: build/modules/{kernel}/limit_blocks.ko

# One that hangs would keep the machine from being turned off.
holder=
trap '[ -z "$holder" ] || kill $holder' EXIT

# Each try takes as long as the longer limit.
tries=3
[ -z "$long" ] || tries=50

# first and second: devices of four blocks, online.
make_devices() {
	modprobe dax_hmem region_idle=1
	create 512
	first=$dax
	create 512
	second=$dax
	for dax in $first $second; do
		bind_device "$dax"
		[ "$(cat "$device/state")" = online_movable ] || online_all
	done
}

# use DEVICE: it is the one that $device, $dax and $blocks are about.
use() {
	dax=$1
	device=$devices/$1
	blocks=$(list_blocks)
}

has_state() {
	[ "$(cat "$device/state")" = "$1" ]
}

# start_unplug DEVICE MILLISECONDS: in the background, with that limit.
start_unplug() {
	echo "$2" >"$devices/$1/unplug_timeout_ms"
	/usr/bin/echo unplugged >"$devices/$1/state" 2>"/tmp/answer.$1" &
}

expect_timed_out() {
	grep "Connection timed out" "/tmp/answer.$1" || fail "$1: $(cat "/tmp/answer.$1")"
}

# One second apart, limits of 4 and 40 seconds.
try_both() {
	start_unplug "$first" 4000
	began=$(uptime_ms)
	wait_until 3 sh -c "[ \$(cut -d . -f 1 /proc/uptime) -gt $((began / 1000)) ]"
	start_unplug "$second" 40000
	wait || :
	for dax in $first $second; do
		use "$dax"
		expect_timed_out "$dax"
		expect_state online_movable
		expect_progress "0 4"
		expect_failure errno=-110 class=pinned rollback=complete
	done
	expect_picture /tmp/online
}

check_two_devices() {
	pin "$(use "$first" && nth_block 2)" "$(use "$second" && nth_block 3)"
	set +x
	for try in $(seq $tries); do
		try_both
		note "try $try of $tries: everything is online"
	done
	set -x
	unpin
}

# The removal of another device is not given time that belongs to the one that waits.
check_turn() {
	pin "$(use "$first" && nth_block 2)"
	start_unplug "$first" 20000
	use "$first"
	wait_until 10 grep -q "^[1-3] 4" "$device/progress"
	use "$second"
	echo 1000 >"$device/unplug_timeout_ms"
	take_time expect_refused "Connection timed out" unplugged "$device/state"
	expect_faster 10000
	expect_failure errno=-110 block=- pfn=- class=lock-held rollback=none
	expect_state online_movable
	wait || :
	use "$first"
	expect_failure class=pinned rollback=complete
	expect_picture /tmp/online
	unpin
}

# Who gets the lock is chance, so it is tried until somebody else gets it.
until_interrupted() {
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		start_unplug "$first" 6000
		writer=$!
		wait_until 5 grep -q "^[1-3] 4" "$device/progress"
		start_holder "$holder_block"
		wait "$writer" || :
		expect_timed_out "$first"
		! has_state mixed || return 0
		stop_holder
		expect_picture /tmp/online
	done
	fail "nobody else gets the lock"
}

# Somebody takes the lock between the removal and its rollback, for longer than the writer waits.
# Leaves the blocks of the first device half offline.
interrupt_rollback() {
	pin "$(use "$first" && nth_block 4)" "$(use "$second" && nth_block 4)"
	holder_block=$(use "$second" && nth_block 4)
	use "$first"
	until_interrupted
	expect_failure errno=-110 class=pinned "rollback=incomplete: [123] of 4 blocks are not online, going on"
}

check_continued() {
	watch_uevents
	interrupt_rollback
	: >"$uevents"
	stop_holder
	wait_until 20 has_state online_movable
	expect_failure errno=-110 class=pinned rollback=complete
	expect_uevent BLOCK=memory[0-9]+ CLASS=pinned ERRNO=-110 PFN=0x[0-9a-f]+ RESULT=unplug-failed \
		ROLLBACK=complete STATE=online_movable
	kill "$watcher"
	expect_picture /tmp/online
	unpin
}

# Another removal, once the page is free, takes what is offline already with the rest.
check_removed_instead() {
	interrupt_rollback
	stop_holder
	unpin
	unplug
	expect_no_failure
	echo online_movable >"$device/state"
	expect_picture /tmp/online
}

# Without a device the rollback goes on, too.
check_orphan() {
	interrupt_rollback
	echo 1000 >"$device/unplug_timeout_ms"
	echo "$first" >"$drivers/kmem/unbind"
	stop_holder
	wait_until 20 picture_is /tmp/online
	rebind_kmem
	expect_state online_movable
	expect_failure errno=-110 rollback=complete
	expect_picture /tmp/online
	unpin
}

picture_is() {
	picture /tmp/now
	cmp -s "$1" /tmp/now
}

# A block that is refused for good is asked for again and again, until the operator ends that.
check_given_up() {
	use "$first"
	echo 30000 >"$device/unplug_timeout_ms"
	modprobe limit_blocks offline_left=2 online_left=0
	expect_refused "Input/output error" unplugged "$device/state"
	expect_failure errno=-5 class=notifier "rollback=incomplete: 2 of 4 blocks are not online, going on"
	# The removal of another device does not wait for it.
	echo 3 >/sys/module/limit_blocks/parameters/offline_left
	use "$second"
	echo 30000 >"$device/unplug_timeout_ms"
	expect_refused "Input/output error" unplugged "$device/state"
	expect_failure errno=-5 class=notifier
	use "$first"
	expect_refused "Input/output error" online_movable "$device/state"
	expect_failure operation=online errno=-5 class=notifier rollback=none
	expect_state mixed
	echo -1 >/sys/module/limit_blocks/parameters/online_left
	use "$second"
	wait_until 60 has_state online_movable
	use "$first"
	expect_state mixed
	online_all
	rmmod limit_blocks
	expect_picture /tmp/online
}

make_devices
picture /tmp/online
check_two_devices
check_turn
check_continued
check_removed_instead
check_orphan
check_given_up
check_dmesg
