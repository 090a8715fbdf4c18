# shellcheck shell=sh disable=SC2154
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Another part of the kernel may refuse to offline a block, or to online it again. Its errno is
# passed on and the blocks that were offline already are restored; if even that fails, the driver
# reports how many blocks were not restored, and goes on until they are or the operator ends that.
#
# kernel: 6.1 6.12
# cpus: 2
# region: memmap
# module: build/modules/{kernel}/kmem.ko
# module: build/modules/{kernel}/limit_blocks.ko

limits=/sys/module/limit_blocks/parameters
injected=/sys/kernel/debug/notifier-error-inject/memory/actions

# Blocks that may go offline, and come online again.
allow() {
	echo "$1" >$limits/offline_left
	echo "$2" >$limits/online_left
}

refused_block() {
	read -r number <$limits/refused_block
	echo "memory$number"
}

blocks_online() {
	online=0
	for block in $blocks; do
		read -r state <"$memory_blocks/$block/state"
		[ "$state" != online ] || online=$((online + 1))
	done
	echo $online
}

# On the way down: the first block, one in the middle, the last one.
check_refused() {
	for count in 0 3 6; do
		allow $count -1
		expect_refused "Input/output error" unplugged "$device/state"
		expect_failure operation=unplug errno=-5 "block=$(refused_block)" pfn=- \
			class=notifier rollback=complete
		expect_picture /tmp/online
	done
}

# -EINTR has a meaning of its own to the driver, and to a shell that writes: it must not get out.
check_refused_by_eintr() {
	echo 4 >$limits/error
	allow 3 -1
	expect_refused '*' unplugged "$device/state"
	expect_failure operation=unplug "errno=-[1-9]*" "block=$(refused_block)" pfn=- \
		class=notifier rollback=complete
	expect_picture /tmp/online
	echo 5 >$limits/error
}

# On the way back: of the 5 blocks that went, one comes back, or none. A write ends the rollback, and
# the blocks can be brought back by hand.
check_rollback_refused() {
	allow 5 "$1"
	expect_refused "Input/output error" unplugged "$device/state"
	expect_failure operation=unplug errno=-5 pfn=- class=notifier \
		"rollback=incomplete: $((5 - $1)) of 7 blocks are not online, going on"
	[ "$(blocks_online)" = $((2 + $1)) ] || fail "$(blocks_online) of 7 blocks are online"
	expect_progress "$((5 - $1)) 7"
	expect_state mixed
	expect_refused "Input/output error" online_movable "$device/state"
	expect_failure operation=online errno=-5 class=notifier rollback=none
	allow -1 -1
	expect_refused "Device or resource busy" online_movable "$device/state"
	online_all
	expect_picture /tmp/online
}

# All is undone when a block does not come online: also those that did.
check_online_refused() {
	allow -1 "$1"
	expect_refused "Input/output error" online_movable "$device/state"
	expect_failure operation=online errno=-5 "block=$(refused_block)" pfn=- class=notifier \
		rollback=complete
	expect_state unplugged
	expect_picture /tmp/unplugged
}

# The undo of a block is refused, too: the blocks that remain are reported, and removed next time.
check_undo_refused() {
	allow 1 4
	expect_refused "Input/output error" online_movable "$device/state"
	expect_failure operation=online errno=-5 class=notifier \
		"rollback=incomplete: [1-7] of 7 blocks are still there"
	allow -1 -1
	unplug
	expect_no_failure
	expect_picture /tmp/unplugged
}

# The kernel's own module for such tests: the error is there for as long as it is set.
check_injected() {
	modprobe memory-notifier-error-inject
	echo -12 >$injected/MEM_GOING_OFFLINE/error
	expect_refused "Cannot allocate memory" unplugged "$device/state"
	expect_failure errno=-12 class=notifier rollback=complete
	expect_picture /tmp/online
	echo 0 >$injected/MEM_GOING_OFFLINE/error
	unplug
	echo -1 >$injected/MEM_GOING_ONLINE/error
	expect_refused "Operation not permitted" online_movable "$device/state"
	expect_failure operation=online errno=-1 class=notifier rollback=complete
	expect_picture /tmp/unplugged
	echo 0 >$injected/MEM_GOING_ONLINE/error
	echo online_movable >"$device/state"
	rmmod memory-notifier-error-inject
}

# Nothing is in the way, it only takes longer than there was time.
check_slow() {
	allow -1 -1
	echo 300 >$limits/delay_ms
	echo 400 >"$device/unplug_timeout_ms"
	expect_refused "Connection timed out" unplugged "$device/state"
	expect_failure operation=unplug errno=-110 "block=memory*" class=slow rollback=complete
	expect_picture /tmp/online
	echo 0 >$limits/delay_ms
	echo 30000 >"$device/unplug_timeout_ms"
}

bind_kmem
take_pictures
modprobe limit_blocks
check_slow
check_refused
check_refused_by_eintr
check_rollback_refused 1
check_rollback_refused 0
allow -1 -1
unplug
check_online_refused 0
check_online_refused 4
check_undo_refused
echo online_movable >"$device/state"
check_injected
expect_picture /tmp/online
unplug
expect_picture /tmp/unplugged
check_dmesg
