# shellcheck shell=sh disable=SC2154
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A device with two ranges is a unit: both become RAM or neither, both are removed or both stay. Half
# of it would be memory that no driver accounts for.
#
# kernel: (6.1) 6.12
# cpus: 2
# region: soft-reserved
# module: build/modules/{kernel}/kmem.ko
# module: build/modules/{kernel}/pin_page.ko
# module: build/modules/{kernel}/limit_blocks.ko

# Of 1 GiB: 256 MiB, a hole of 256, 256, and the rest; one device fills the hole and has the rest.
make_two_ranges() {
	modprobe dax_hmem region_idle=1
	create 256
	create 256
	hole=$dax
	create 256
	destroy "$hole"
	create 512
	bind_device "$dax"
	echo "$dax: $blocks"
	[ "$(find "$device/" -maxdepth 1 -name 'mapping[0-9]*' | wc -l)" = 2 ] ||
		fail "$dax does not have two ranges"
}

expect_ranges() {
	[ "$(grep -c "System RAM (kmem)" /proc/iomem)" = "$1" ] || {
		cat /proc/iomem
		fail "there are not $1 ranges of RAM"
	}
}

check_add_and_remove() {
	[ "$(cat "$device/state")" = unplugged ] || unplug
	picture /tmp/unplugged
	expect_ranges 0
	expect_progress "4 4"
	echo online_movable >"$device/state"
	picture /tmp/online
	expect_ranges 2
	expect_progress "0 4"
	unplug
	expect_picture /tmp/unplugged
	echo online_movable >"$device/state"
	expect_picture /tmp/online
	unbind_kmem
	expect_picture /tmp/unplugged
	rebind_kmem
	[ "$(cat "$device/state")" = online_movable ] || online_all
	expect_picture /tmp/online
}

# The pinned page is in the first range, or in the second.
check_pinned_in() {
	pin "$(nth_block "$1")"
	echo 6000 >"$device/unplug_timeout_ms"
	expect_refused "Connection timed out" unplugged "$device/state"
	expect_failure "block=$(nth_block "$1")" "pfn=$pfn" class=pinned rollback=complete
	expect_picture /tmp/online
	unpin
}

# refuse_each PARAMETER VALUE PICTURE: whichever block it is that is refused, nothing changes.
refuse_each() {
	for count in 0 1 2 3; do
		echo $count >"/sys/module/limit_blocks/parameters/$1"
		expect_refused "Input/output error" "$2" "$device/state"
		expect_failure errno=-5 class=notifier rollback=complete
		expect_picture "$3"
	done
	echo -1 >"/sys/module/limit_blocks/parameters/$1"
}

check_refused() {
	modprobe limit_blocks
	echo 30000 >"$device/unplug_timeout_ms"
	refuse_each offline_left unplugged /tmp/online
	unplug
	refuse_each online_left online_movable /tmp/unplugged
	rmmod limit_blocks
}

# The memory of the device stays behind, unbound, because of a page that was pinned.
leave_behind() {
	echo online_movable >"$device/state"
	echo 500 >"$device/unplug_timeout_ms"
	pin "$(nth_block 1)"
	unbind_kmem
	unpin
}

# The second range is somebody else's: the first one is not added either.
check_second_reserved() {
	unbind_kmem
	destroy "$dax"
	create 256
	hole=$dax
	create 256
	bind_device "$dax"
	[ "$(cat "$device/state")" = unplugged ] || unplug
	leave_behind
	destroy "$dax"
	destroy "$hole"
	picture /tmp/kept
	expect_ranges 1
	create 512
	! bind_device "$dax" || fail "$dax was bound, though its second range is in use"
	dmesg | tail -n 5 | grep "is already reserved" || fail "nobody says why"
	expect_picture /tmp/kept
	destroy "$dax"
}

# A device of that range alone finds it again.
check_taken_over() {
	create 256
	create 256
	bind_device "$dax"
	expect_state online_movable
	expect_progress "0 2"
	echo 30000 >"$device/unplug_timeout_ms"
	unplug
	expect_picture /tmp/unplugged
}

make_two_ranges
check_add_and_remove
for number in 1 2 3 4; do
	check_pinned_in $number
done
check_refused
check_second_reserved
check_taken_over
rmmod kmem
check_dmesg
