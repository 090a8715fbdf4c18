# shellcheck shell=sh disable=SC2154
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Special pages: locked by a database, huge pages, one with a hardware error. They do not prevent
# the removal; or, if the kernel cannot migrate them, the removal ends in time and reports them. The
# programs that use them are not affected.
#
# kernel: (6.1) 6.12
# cpus: 2
# region: memmap
# module: build/modules/{kernel}/kmem.ko
# module: build/modules/{kernel}/pin_page.ko

# hold MMAP-FLAGS MIB: a process with that much memory. Sets $holder.
hold() {
	rm -f /tmp/holds
	perl -e '
		my ($flags, $mib) = @ARGV;
		$length = $mib << 20;
		# mmap, readable and writable
		$address = syscall(9, 0, $length, 3, 0x8022 | hex($flags), -1, 0);
		$address > 0 or die "mmap: $!";
		open(R, "/usr/lib/qemu-nvdimm/random") and read(R, $data, 1 << 20) or die $!;
		open(M, "+<", "/proc/self/mem") or die $!;
		sub at { sysseek(M, $address + ($_[0] << 20), 0) or die $!; }
		sub mark { substr($data, 0, 8) = pack("Q", $_[0]); }
		for (0 .. $mib - 1) { at $_; mark $_; syswrite(M, $data) == 1 << 20 or die $!; }
		$SIG{USR1} = sub {
			for (0 .. $mib - 1) {
				at $_; mark $_;
				sysread(M, $there, 1 << 20) == 1 << 20 && $there eq $data or exit 1;
			}
			exit 0;
		};
		open(F, ">/tmp/holds");
		sleep while 1;' "$1" "$2" &
	holder=$!
	wait_until 60 test -e /tmp/holds
}

# The process finds all in its memory as it was, and ends.
release() {
	kill -USR1 "$holder"
	wait "$holder" || fail "the memory of a process has changed"
}

online_again() {
	expect_picture /tmp/unplugged
	echo online_movable >"$device/state"
	expect_picture /tmp/online
}

locked=0x2000
huge=0x40000

check_locked() {
	hold $locked 96
	grep -E "^VmLck:[[:space:]]+98304 kB" "/proc/$holder/status" || fail "it is not locked"
	[ "$(movable_used)" -gt 90000 ] || fail "only $(movable_used) kB of the range are in use"
	unplug
	release
	online_again
}

set_huge_pages() {
	echo "$1" >/proc/sys/vm/nr_hugepages
	wait_until 10 grep -Eq "^HugePages_Total: +$1$" /proc/meminfo
}

# Those that nobody uses are given up; the pool is smaller then.
check_huge_free() {
	set_huge_pages 70
	[ "$(movable_used)" -gt 140000 ] || fail "only $(movable_used) kB of the range are in use"
	unplug
	online_again
}

# While there are free ones in the same block, the kernel moves those in use back and forth.
check_huge_used() {
	set_huge_pages 50
	hold $huge 80
	echo 8000 >"$device/unplug_timeout_ms"
	take_time expect_refused "Connection timed out" unplugged "$device/state"
	expect_faster 40000
	expect_failure errno=-110 "block=memory*" "pfn=0x*" class=hugetlb rollback=complete
	expect_picture /tmp/online
	echo 60000 >"$device/unplug_timeout_ms"
	set_huge_pages 40
	unplug
	release
	online_again
	set_huge_pages 0
}

poison() {
	pfn=$(printf '%#x' $(($(first_pfn "$1") + 5000)))
	echo "$pfn" >/sys/kernel/debug/hwpoison/corrupt-pfn
	grep -E '^HardwareCorrupted: +4 kB' /proc/meminfo || fail "the page is not poisoned"
	picture /tmp/poisoned
}

# A poisoned page is no obstacle to its block, nor to those that have to come back.
check_poisoned() {
	modprobe hwpoison-inject
	poison "$(nth_block 3)"
	pin "$(nth_block 5)"
	echo 6000 >"$device/unplug_timeout_ms"
	expect_refused "Connection timed out" unplugged "$device/state"
	expect_failure class=pinned "block=$(nth_block 5)" rollback=complete
	expect_picture /tmp/poisoned
	unpin
	echo 30000 >"$device/unplug_timeout_ms"
	unplug
	rmmod hwpoison-inject
	online_again
}

bind_kmem
take_pictures
check_locked
check_huge_free
check_huge_used
# With CONFIG_DEBUG_VM, removing any memory while a page is poisoned is a BUG of 6.1's own:
# clear_hwpoisoned_pages() looks at struct pages that were made unreadable before.
if [ -e /proc/lockdep_stats ]; then
	note "skipped: poisoned pages, which this kernel cannot remove"
else
	check_poisoned
fi
check_dmesg
