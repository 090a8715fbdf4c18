# shellcheck shell=sh disable=SC2154
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Blocks that differ from the rest: one was taken offline, one was put into a kernel zone on purpose. A
# removal that fails leaves each of them as it was, and reports kernel memory as the reason; one that
# succeeds removes them like the others.
#
# kernel: 6.1 (6.12)
# cpus: 2
# region: memmap
# memory: 1280M
# module: build/modules/{kernel}/kmem.ko
# module: build/modules/{kernel}/pin_page.ko

kernel_zones=/sys/module/kmem/parameters/online_kernel_zones

# What was offline stays offline, by whichever way the removal fails.
check_offline_before() {
	echo offline >"$memory_blocks/$(nth_block 2)/state"
	picture /tmp/before
	expect_progress "1 7"
	pin "$(nth_block 4)"
	echo 6000 >"$device/unplug_timeout_ms"
	expect_refused "Connection timed out" unplugged "$device/state"
	expect_failure class=pinned rollback=complete
	expect_picture /tmp/before
	unpin
	echo 30000 >"$device/unplug_timeout_ms"
	unplug
	expect_picture /tmp/unplugged
}

# MiB that are free in ZONE_NORMAL. Those of the block are given out last.
normal_free() {
	awk '/^Node/ { zone = $4 } $1 == "pages" && zone == "Normal" { free += $3 }
		END { print int(free / 256) }' /proc/zoneinfo
}

# Memory of the kernel's own, which never moves: what is written to pipes. Sets $holder.
hold_kernel_memory() {
	perl -e '
		$data = "x" x (16 << 20);
		for (1 .. shift() / 16) {
			pipe(my $r, my $w) or die "pipe: $!";
			push @pipes, $r, $w;
			fcntl($w, 1031, 16 << 20) or die "F_SETPIPE_SZ: $!";
			syswrite($w, $data) == 16 << 20 or die "write: $!";
		}
		open(F, ">/tmp/holds");
		close(F);
		sleep;
	' "$1" &
	holder=$!
	wait_until 60 test -e /tmp/holds
}

# Every zone at once: offline, in a kernel zone, movable.
make_mixed() {
	echo offline >"$memory_blocks/auto_online_blocks"
	rebind_kmem
	echo Y >$kernel_zones
	echo online_kernel >"$memory_blocks/$(nth_block 3)/state"
	echo N >$kernel_zones
	expect_refused "Operation not permitted" online_kernel "$memory_blocks/$(nth_block 4)/state"
	for block in $blocks; do
		[ "$block" = "$(nth_block 2)" ] || [ "$block" = "$(nth_block 3)" ] ||
			echo online_movable >"$memory_blocks/$block/state"
	done
	expect_state mixed
	picture /tmp/mixed
	grep "^$(nth_block 3)/valid_zones:Normal" /tmp/mixed || fail "no block is in a kernel zone"
}

check_kernel_page() {
	hold_kernel_memory $(($(normal_free) - 48))
	take_time expect_refused "Device or resource busy" unplugged "$device/state"
	expect_failure errno=-16 "block=$(nth_block 3)" "pfn=0x*" class=kernel-zone \
		rollback=complete
	expect_picture /tmp/mixed
	kill $holder
}

# All of it in a kernel zone, because the operator said that it may be.
check_online_kernel() {
	echo Y >$kernel_zones
	echo online_kernel >"$device/state"
	expect_state online_kernel
	expect_progress "0 7"
	picture /tmp/kernel
	grep "^$(nth_block 1)/valid_zones:Normal" /tmp/kernel || fail "it is in another zone"
	pin "$(nth_block 1)"
	expect_refused "Device or resource busy" unplugged "$device/state"
	expect_failure errno=-16 "block=$(nth_block 1)" "pfn=$pfn" class=kernel-zone \
		rollback=complete
	expect_picture /tmp/kernel
	unpin
	unplug
	echo online >"$device/state"
	expect_state online_movable
	echo N >$kernel_zones
	expect_picture /tmp/online
}

bind_kmem
take_pictures
check_offline_before
check_online_kernel
unbind_kmem
make_mixed
# The last: what else of the kernel's has got into that block meanwhile may stay there for ever.
check_kernel_page
check_dmesg
