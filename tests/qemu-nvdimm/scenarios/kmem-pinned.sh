# shellcheck shell=sh disable=SC2154
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A page that cannot be migrated must neither hang the reboot that waits for it nor cost the memory
# that is offline already: after the time limit everything is as before, and the page is reported in
# `last_failure`, to udev, in the log and in the trace. Once it is free, the memory can be removed.
#
# kernel: (6.1) 6.12
# cpus: 2
# region: memmap
# module: build/modules/{kernel}/kmem.ko
# module: build/modules/{kernel}/pin_page.ko

trace=/sys/kernel/tracing

# expect_traced REGEX...: lines of the trace, in this order, others in between.
expect_traced() {
	cat $trace/trace
	sed 's/.*: \(kmem_[a-z_]*: \)/\1/' $trace/trace >/tmp/trace
	for line; do
		number=$(grep -Enx -m 1 "$line" /tmp/trace | cut -d : -f 1)
		[ "$number" ] || fail "not in the trace, or not in this order: $line"
		sed -i "1,${number}d" /tmp/trace
	done
	: >$trace/trace
}

# Eight seconds are given; the rest is for a busy emulator.
expect_timeout() {
	echo 8000 >"$device/unplug_timeout_ms"
	take_time expect_refused "Connection timed out" unplugged "$device/state"
	[ "$took" -ge 7900 ] || fail "it did not wait"
	expect_faster 40000
	expect_picture /tmp/online
}

check_pinned_frame() {
	block=$(nth_block 4)
	pin "$block"
	expect_timeout
	expect_failure operation=unplug errno=-110 "block=$block" "pfn=$pfn" class=pinned \
		rollback=complete
	expect_uevent "BLOCK=$block" CLASS=pinned ERRNO=-110 "PFN=$pfn" RESULT=unplug-failed \
		ROLLBACK=complete STATE=online_movable
	expect_traced "kmem_unplug_begin: dax0.0 blocks=7 timeout_ms=8000" \
		"kmem_block: dax0.0 memory[0-9]+ used_pages=[0-9]+ error=0 us=[0-9]+" \
		"kmem_block: dax0.0 $block used_pages=[0-9]+ error=-110 us=[0-9]+" \
		"kmem_rollback: dax0.0 memory[0-9]+ error=0" \
		"kmem_unplug_end: dax0.0 error=-110 blocks_not_restored=0"
	dmesg | grep "dax0.0: unplug failed: errno -110, block $block, page $pfn, pinned;" ||
		fail "the log does not tell"
}

# A pipe that nobody reads holds on to the pages that were spliced into it.
pin_by_pipe() {
	head -c 200000 /usr/lib/qemu-nvdimm/random >/var/state/file
	mkfifo /tmp/pipe
	sleep 1000 <>/tmp/pipe &
	reader=$!
	cat /var/state/file >/tmp/pipe &
	writer=$!
	wait_until 10 grep -q pipe_w "/proc/$writer/wchan" "/proc/$writer/stack"
}

# The page is one of user space, on the lists of the kernel, and somebody refers to it.
check_pinned_file() {
	pin_by_pipe
	expect_timeout
	expect_failure errno=-110 "block=memory[1-9]*" "pfn=0x[1-9a-f]*" class=pinned \
		rollback=complete
	pfn=$(sed -n s/pfn=//p "$failure")
	block=$(sed -n s/block=//p "$failure")
	[ $((pfn / 32768)) = "${block#memory}" ] || fail "page $pfn is not in $block"
	kill $reader $writer
	wait $reader $writer || :
}

bind_kmem
online_all
picture /tmp/online
watch_uevents
echo 1 >$trace/events/dax_kmem/enable
check_pinned_frame
expect_refused "Connection timed out" unplugged "$device/state"
unpin
check_pinned_file
: >$trace/trace
take_time unplug
expect_no_failure
expect_uevent RESULT=unplugged STATE=unplugged
expect_traced "kmem_unplug_begin: dax0.0 blocks=7 timeout_ms=8000" \
	"kmem_unplug_end: dax0.0 error=0 blocks_not_restored=0"
echo online_movable >"$device/state"
expect_picture /tmp/online
check_dmesg
