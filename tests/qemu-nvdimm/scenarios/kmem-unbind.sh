# shellcheck shell=sh disable=SC2154
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Unbinding a driver cannot fail, so memory that does not go then would be lost until the next reboot,
# and with the stock driver it is. Ours keeps it: it stays RAM, nobody else gets at it, and the next
# bind has it back.
#
# kernel: 6.1 6.12
# region: memmap
# size: 512M
# module: build/modules/{kernel}/kmem.ko build/modules/{kernel}/pin_page.ko

is_reserved() {
	grep -A 1 ": $dax\$" /proc/iomem | grep -q "System RAM (kmem)"
}

# A write of "unplugged" that was refused, and then an unbind that comes to the same.
unbind_while_pinned() {
	echo 4000 >"$device/unplug_timeout_ms"
	take_time unbind_kmem
	expect_faster 40000
	[ -z "$(dax_driver)" ] || fail "$dax is bound to $(dax_driver)"
	expect_picture /tmp/online
	is_reserved || fail "its addresses are free for anybody"
	dmesg | grep -q "$dax: the memory stays RAM" || fail "the log does not say so"
	! rmmod kmem || fail "rmmod took the driver of memory that is in use"
}

# device_dax would map memory that the kernel uses for its own; a raw namespace would write to it.
check_nobody_else_gets_it() {
	! echo "$dax" >"$drivers/device_dax/bind" || fail "device_dax took memory that is in use"
	! ndctl create-namespace --force --reconfig="$(namespace)" --mode=raw ||
		fail "memory that is in use became a block device"
	expect_picture /tmp/online
}

bind_again() {
	[ "$(dax_driver)" = kmem ] || rebind_kmem
	expect_state online_movable
	expect_picture /tmp/online
	# It is the same memory, with all that is known of it.
	expect_failure operation=unplug block="$block" class=pinned rollback=complete
	[ "$(cat "$device/unplug_timeout_ms")" = 4000 ] || fail "the time limit is another one"
	dmesg | grep -q "takes over the memory that $dax left behind" || fail "the log does not say so"
}

bind_kmem
unplug
picture /tmp/unplugged
echo online_movable >"$device/state"
picture /tmp/online
block=$(nth_block 2)
pin "$block"
unbind_while_pinned
check_nobody_else_gets_it
bind_again
# It still does not go, and is left behind once more, with its namespace this time.
unbind_while_pinned
ndctl disable-namespace "$(namespace)" || echo "the namespace stays"
ndctl enable-namespace "$(namespace)" || echo "the namespace was there"
wait_until 10 test -e "$device"
bind_again
unpin
unplug
expect_picture /tmp/unplugged
unbind_kmem
rmmod kmem
check_dmesg
