# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A page that cannot be migrated keeps its block online. checkpoint gives up at its deadline, and all of
# the memory is RAM as before. When the page is free, the checkpoint succeeds.
#
# kernel: 6.1
# region: memmap
# size: 512M
# needs: pmem-preserve

# A pipe that nobody reads keeps the pages that were spliced into it.
pin() {
	mkfifo /tmp/pipe
	sleep 1000 <>/tmp/pipe &
	reader=$!
	cat /var/state/large/of-2 >/tmp/pipe &
	writer=$!
	wait_until 10 grep -q pipe_w "/proc/$writer/wchan" "/proc/$writer/stack"
}

stage1() {
	hot_add
	new_state 32
	pin
	before=$(memtotal)
	began=$(uptime_ms)
	expect_status 6 pmem-preserve checkpoint --deadline 5 /var/state
	[ $(($(uptime_ms) - began)) -lt 20000 ] || fail "it took $(($(uptime_ms) - began)) ms"
	expect_memtotal "$before"
	expect_ram
	check_dmesg
	kill "$writer" "$reader"
	wait
	compare_state /var/state
	pmem-preserve checkpoint --kexec /var/state
}

stage2() {
	restore_state
}
