# shellcheck shell=sh disable=SC2154
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A kernel with a series of patches/ (tests/vm/patched-kernel builds it) removes the memory of a device
# like the module: all of it or none, in time, and names the page. Whoever tries it before sending
# patches to a mailing list has no other test than this, the selftest of the series, and that of 7.3.
#
# kernel: (patched-6.1) (patched-6.12)
# cpus: 2
# region: memmap
# module: build/modules/{kernel}/pin_page.ko
# module: build/modules/{kernel}/limit_blocks.ko
# file: .cache/kernels/{kernel}/kmem-state.sh
# file: .cache/kernels/selftests-7.3/tools/testing/selftests/dax/dax-kmem-hotplug.sh
# file: .cache/kernels/selftests-7.3/tools/testing/selftests/kselftest/ktap_helpers.sh
# file: /bin/bash

# Like bind_kmem, with the kernel's own driver.
bind_own() {
	make_devdax
	use_device
	echo "$dax" >"$device/driver/unbind"
	echo "$dax" >"$drivers/kmem/new_id"
	[ "$(dax_driver)" = kmem ] || fail "$dax is not bound to kmem"
}

check_pinned() {
	block=$(nth_block 4)
	pin "$block"
	echo 3000 >"$device/unplug_timeout_ms"
	take_time expect_refused "Connection timed out" unplugged "$device/state"
	[ "$took" -ge 2900 ] || fail "it did not wait"
	expect_faster 20000
	expect_failure operation=unplug errno=-110 "block=$block" "pfn=$pfn"
	expect_picture /tmp/online
}

# A device that was unbound with a pinned page comes back, and its memory with it.
check_kept() {
	unbind_kmem
	expect_picture /tmp/online
	! rmmod kmem || fail "the driver of memory that is in use could be removed"
	rebind_kmem
	expect_state online_movable
	unpin
	unplug
	[ "$(cat "$device/last_failure")" = none ] || fail "$(cat "$device/last_failure")"
	expect_picture /tmp/unplugged
	unbind_kmem
	rebind_kmem
	unplug
}

# Each block in turn is refused, on the way down and when it is added.
check_refused() {
	modprobe limit_blocks
	for count in 0 1 3 6; do
		echo online_movable >"$device/state" || :
		echo $count >/sys/module/limit_blocks/parameters/offline_left
		expect_refused "Input/output error" unplugged "$device/state"
		expect_failure errno=-5
		expect_picture /tmp/online
		echo -1 >/sys/module/limit_blocks/parameters/offline_left
		unplug
		echo $count >/sys/module/limit_blocks/parameters/online_left
		expect_refused "Input/output error" online_movable "$device/state"
		expect_state unplugged
		expect_picture /tmp/unplugged
		echo -1 >/sys/module/limit_blocks/parameters/online_left
	done
	rmmod limit_blocks
}

check_speed() {
	for _ in 1 2 3; do
		echo online_movable >"$device/state"
		take_time unplug
		note "removed $(echo "$blocks" | wc -w) idle blocks in $took ms"
	done
}

bind_own
kmem-state.sh
run_dax_kmem_hotplug
take_pictures
check_pinned
check_kept
check_refused
check_speed
unbind_kmem
rmmod kmem
expect_picture /tmp/unplugged
check_dmesg
