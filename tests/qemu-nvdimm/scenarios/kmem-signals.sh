# shellcheck shell=sh disable=SC2154,SC2016
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A process that waits for a removal can be interrupted: Ctrl-C, or a service manager that kills it,
# ends the removal soon, names the page, and everything is as before. A signal that the process handles or ignores
# changes nothing, and no write ever fails with EINTR, after which a shell would retry for ever. A
# suspend ends it like a kill.
#
# kernel: 6.1 (6.12)
# cpus: 2
# region: memmap
# size: 512M
# module: build/modules/{kernel}/kmem.ko
# module: build/modules/{kernel}/pin_page.ko
# module: build/modules/{kernel}/limit_blocks.ko

# start_write VALUE [PERL]: in the background, after that piece of Perl. It ends with the errno that
# it got, or 0. Sets $writer.
start_write() {
	perl -e '
		$SIG{$_} = "DEFAULT" for qw(INT QUIT TERM);
		'"${2:-}"'
		open(F, ">", $ARGV[0]) or die $!;
		$status = defined(syswrite(F, $ARGV[1])) ? 0 : $! + 0;
		# No timer of a caller may fire when Perl, on its way out, has no handlers any more.
		$never = pack("q4", 0, 0, 0, 0);
		syscall(38, 0, $never, 0);
		exit($status)' "$device/state" "$1" &
	writer=$!
}

# Something has been taken offline already.
wait_for_worker() {
	wait_until 20 grep -q "^[12] 3" "$device/progress"
}

# expect_write_ended STATUS MILLISECONDS: within that time; 128 and more: by a signal.
expect_write_ended() {
	status=0
	take_time wait "$writer" || status=$?
	[ $status = "$1" ] || fail "the writer ended with $status, not $1"
	expect_faster "$2"
}

check_fatal() {
	start_write unplugged
	wait_for_worker
	kill "-$1" "$writer"
	expect_write_ended "$2" 20000
	expect_failure operation=unplug errno=-125 "block=$(nth_block 2)" "pfn=$pfn" class=pinned \
		rollback=complete
	expect_picture /tmp/online
}

# ETIMEDOUT is 110; the timer fires many times before that.
check_harmless() {
	echo 6000 >"$device/unplug_timeout_ms"
	start_write unplugged '
		$tick = pack("q4", 0, 100000, 0, 100000);
		$SIG{ALRM} = sub { $ticks++ };
		$SIG{USR1} = "IGNORE";
		$SIG{USR2} = sub { };
		syscall(38, 0, $tick, 0) == 0 or die "setitimer: $!";'
	wait_for_worker
	for signal in USR1 USR2 CHLD WINCH CONT STOP CONT; do
		kill -$signal $writer
	done
	expect_write_ended 110 40000
	expect_failure errno=-110 class=pinned rollback=complete
	expect_picture /tmp/online
	echo 60000 >"$device/unplug_timeout_ms"
}

# A writer that waits for its turn can be killed, too; the removal in progress is not affected.
check_waiting() {
	start_write unplugged
	first=$writer
	wait_for_worker
	start_write unplugged
	wait_until 10 grep -q . "/proc/$writer/wchan"
	kill -TERM $writer
	expect_write_ended 143 20000
	wait_for_worker
	start_write online_movable
	writer=$first
	kill -KILL "$writer"
	expect_write_ended 137 20000
	wait $! || fail "the second writer was to find it online"
	expect_picture /tmp/online
}

# A laptop that is closed while somebody waits sleeps soon; nothing is removed behind its back.
# ECANCELED is 125.
check_suspend() {
	grep -qw freezer /sys/power/pm_test || return 0
	echo 60000 >"$device/unplug_timeout_ms"
	start_write unplugged
	wait_for_worker
	echo freezer >/sys/power/pm_test
	echo freeze >/sys/power/state || fail "the system cannot be suspended"
	echo none >/sys/power/pm_test
	expect_write_ended 125 20000
	expect_failure operation=unplug errno=-125 rollback=complete
	expect_picture /tmp/online
}

# In the middle of an add, all of it is taken back, or all of it is there.
check_online() {
	unplug
	modprobe limit_blocks delay_ms=500
	start_write online_movable
	wait_until 20 grep -q "^[12] 3" "$device/progress"
	kill -KILL "$writer"
	expect_write_ended 137 40000
	read -r state <"$device/state"
	case $state in
	unplugged)
		expect_failure operation=online errno=-125 class=interrupted rollback=complete
		expect_picture /tmp/unplugged
		;;
	online_movable)
		expect_no_failure
		expect_picture /tmp/online
		;;
	*) fail "the state is $state" ;;
	esac
	rmmod limit_blocks
}

bind_kmem
take_pictures
pin "$(nth_block 2)"
echo 60000 >"$device/unplug_timeout_ms"
check_fatal INT 130
check_fatal TERM 143
check_fatal KILL 137
check_harmless
check_waiting
check_suspend
unpin
check_online
check_dmesg
