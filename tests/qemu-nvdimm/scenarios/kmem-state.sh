# shellcheck shell=sh disable=SC2154
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Everyday use of the driver: idle memory is removed and added, by `state` and by binding, each time
# all of it, and in the zone that it can be removed from. Operations that would make it impossible to
# remove (a kernel zone, half of the blocks) are refused with the documented errno.
#
# kernel: (6.1) 6.12
# cpus: 2
# region: memmap
# size: 512M
# module: build/modules/{kernel}/kmem.ko

read_attributes() {
	expect_progress "$1"
	[ "$(cat "$device/unplug_timeout_ms")" = 30000 ] || fail "the default is 30 s"
	expect_no_failure
	for mode in state:644 progress:444 last_failure:444 unplug_timeout_ms:644; do
		[ "$(stat -c %a "$device/${mode%:*}")" = "${mode#*:}" ] || fail "not $mode"
	done
}

# What the kernel would online to a kernel zone comes online movable.
bind_by_policy() {
	unbind_kmem
	expect_picture /tmp/unplugged
	echo "$1" >"$memory_blocks/auto_online_blocks"
	rebind_kmem
	expect_state "$2"
	read_attributes "$3"
}

check_policies() {
	bind_kmem
	dmesg | grep "$dax: 132120576 of 534773760 bytes unusable: not in whole memory blocks" ||
		fail "nobody said what alignment costs"
	unplug
	picture /tmp/unplugged
	bind_by_policy online online_movable "0 3"
	bind_by_policy online_kernel online_movable "0 3"
	bind_by_policy online_movable online_movable "0 3"
	picture /tmp/online
	bind_by_policy offline offline "3 3"
}

# One block, of which the kernel would have to choose the zone.
check_zone_policy() {
	block=$memory_blocks/$(nth_block 2)
	expect_refused "Operation not permitted" online_kernel "$block/state"
	expect_refused "Operation not permitted" online "$block/state"
	expect_state offline
	echo online_movable >"$block/state"
	expect_state mixed
	expect_progress "2 3"
	expect_refused "Device or resource busy" online_movable "$device/state"
	expect_state mixed
	online_all
	expect_picture /tmp/online
}

check_unplug() {
	take_time unplug
	expect_uevent RESULT=unplugged STATE=unplugged
	expect_picture /tmp/unplugged
	read_attributes "3 3"
	echo unplugged >"$device/state"
	expect_picture /tmp/unplugged
}

check_online() {
	echo "$1" >"$device/state"
	expect_state online_movable
	expect_uevent RESULT=online STATE=online_movable
	expect_picture /tmp/online
	read_attributes "0 3"
	# What it is already is no error; what it would have to be unplugged for is one.
	echo online >"$device/state"
	echo online_movable >"$device/state"
	expect_refused "Device or resource busy" online_kernel "$device/state"
	expect_picture /tmp/online
}

check_refusals() {
	expect_refused "Operation not permitted" online_kernel "$device/state"
	for value in offline mixed online_movables garbage ' ' "$(printf '%0100d' 1)"; do
		expect_refused "Invalid argument" "$value" "$device/state"
	done
	expect_picture /tmp/unplugged
	for value in 0 -1 3600001 1s ' '; do
		expect_refused "Invalid argument" "$value" "$device/unplug_timeout_ms"
		expect_refused "Invalid argument" "$value" \
			/sys/module/kmem/parameters/unplug_timeout_ms
	done
	read_attributes "3 3"
}

check_timeout_default() {
	for value in 1 3600000; do
		echo $value >"$device/unplug_timeout_ms"
		[ "$(cat "$device/unplug_timeout_ms")" = $value ] || fail "not $value"
	done
	echo 12345 >/sys/module/kmem/parameters/unplug_timeout_ms
	[ "$(cat "$device/unplug_timeout_ms")" = 3600000 ] || fail "a bound device has changed"
	unbind_kmem
	rebind_kmem
	[ "$(cat "$device/unplug_timeout_ms")" = 12345 ] || fail "the new default is not used"
}

check_unbind() {
	online_all
	! rmmod kmem || fail "rmmod took the driver of memory that is in use"
	unbind_kmem
	expect_picture /tmp/unplugged
	rmmod kmem
	modprobe kmem
	bind_kmem
	online_all
	expect_picture /tmp/online
	unplug
	expect_picture /tmp/unplugged
	# Bound, but without memory, the module may go; the device does not mind.
	rmmod kmem
	[ ! -e "$device/state" ] || fail "$dax still has the attributes"
}

check_policies
check_zone_policy
watch_uevents
check_unplug
check_refusals
check_online online_movable
check_unplug
check_online online
check_timeout_default
check_unbind
check_dmesg
