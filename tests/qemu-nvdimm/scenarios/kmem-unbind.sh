# shellcheck shell=sh disable=SC2154
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Unbinding cannot fail, so memory that cannot be removed must not be lost: it must stay working RAM,
# be known to the driver, and be removable later, through the same device or the one that replaces
# it. The kernel's own driver loses it until the next reboot.
#
# kernel: 6.1 6.12
# cpus: 2
# region: memmap
# size: 512M
# module: build/modules/{kernel}/kmem.ko
# module: build/modules/{kernel}/pin_page.ko

expect_kept() {
	grep -q "System RAM (kmem)" /proc/iomem || fail "/proc/iomem has lost the memory"
	for block in $blocks; do
		read -r state <"$memory_blocks/$block/state"
		[ "$state" = online ] || fail "$block is $state"
	done
	[ "$(memtotal)" = "$total" ] || fail "MemTotal was $total kB and is $(memtotal) kB"
	! rmmod kmem || fail "the driver of memory that is RAM could be removed"
}

# Its device comes back, and is left without a driver.
enable_namespace() {
	ndctl enable-namespace namespace0.0
	wait_until 10 test -e "$device"
	[ ! -e "$device/driver" ] || echo "$dax" >"$device/driver/unbind"
}

expect_taken_over() {
	dmesg | tail -n 5 | grep "$dax: adopted the memory that .* left behind" ||
		fail "the log does not tell that the memory was found again"
	expect_state online_movable
	expect_progress "0 3"
}

# It ends within the time that was set, though what is below it does not go.
check_unbind() {
	echo 6000 >"$device/unplug_timeout_ms"
	take_time unbind_kmem
	expect_faster 40000
	[ ! -e "$device/driver" ] || fail "$dax is bound still"
	dmesg | tail -n 5 | grep "$dax: memory remains System RAM" || fail "the log does not tell"
	expect_kept
	# The policy holds without a device, too.
	block=$memory_blocks/$(nth_block 3)
	echo offline >"$block/state"
	expect_refused "Operation not permitted" online_kernel "$block/state"
	echo online_movable >"$block/state"
	expect_kept
}

# device_dax would map memory that the kernel uses for its own; a raw namespace would write to it.
check_nobody_else_gets_it() {
	! echo "$dax" >"$drivers/device_dax/bind" || fail "device_dax took memory that is in use"
	! ndctl create-namespace --force --reconfig="$(namespace)" --mode=raw ||
		fail "memory that is in use became a block device"
	expect_kept
}

# ndctl's try has taken the device away.
check_bind_again() {
	enable_namespace
	rebind_kmem
	expect_taken_over
	expect_picture /tmp/online
	echo 6000 >"$device/unplug_timeout_ms"
	expect_refused "Connection timed out" unplugged "$device/state"
	expect_failure "block=$(nth_block 2)" "pfn=$pfn" class=pinned rollback=complete
}

# The device itself is taken away, as when the region is disabled, and another one comes.
check_new_device() {
	echo 6000 >"$device/unplug_timeout_ms"
	parent=$(basename /sys/bus/nd/drivers/dax_pmem/dax*)
	take_time sh -c "echo $parent >/sys/bus/nd/drivers/dax_pmem/unbind"
	expect_faster 40000
	[ ! -e "$device" ] || fail "$dax is still there"
	expect_kept
	ndctl disable-namespace namespace0.0
	expect_kept
	enable_namespace
	rebind_kmem
	expect_taken_over
	expect_picture /tmp/online
}

check_release() {
	unpin
	unplug
	expect_picture /tmp/unplugged
	unbind_kmem
	rmmod kmem
	expect_picture /tmp/unplugged
}

# With the driver away, another one may have the device: nothing of it is reserved.
check_other_driver() {
	echo "$dax" >"$drivers/device_dax/bind"
	[ "$(dax_driver)" = device_dax ] || fail "$dax cannot be used by device_dax"
}

bind_kmem
take_pictures
total=$(memtotal)
pin "$(nth_block 2)"
check_unbind
check_nobody_else_gets_it
check_bind_again
check_new_device
check_release
check_other_driver
check_dmesg
