# shellcheck shell=sh disable=SC2154
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A page of the dax device goes bad while the program has it mapped: the program ends with an error that
# says so, and is not killed by a signal. What it had restored is removed again; what it was writing is
# not a checkpoint.
#
# The kernel's own handling of memory errors runs, and sends SIGBUS to processes that have the page
# mapped. A machine check at the access itself is not emulated.
#
# kernel: 6.1 6.12
# cpus: 2
# region: memmap
# needs: pmem-preserve

back=/tmp/back

# stop_at PID OFFSET: stops that process as soon as it has touched the page there. Fails if it ends
# earlier.
stop_at() {
	perl -e '
		my ($pid, $offset) = @ARGV;
		while (kill 0, $pid) {
			open(M, "<", "/proc/$pid/maps") or exit 1;
			my ($start) = map { /^([0-9a-f]+)-.* \/dev\/dax/ ? hex $1 : () } <M>;
			defined $start or next;
			open(P, "<", "/proc/$pid/pagemap") or exit 1;
			sysseek(P, ($start + $offset) / 4096 * 8, 0);
			sysread(P, my $entry, 8) == 8 or next;
			# present
			unpack("Q", $entry) >> 63 or next;
			kill "STOP", $pid;
			exit 0;
		}
		exit 1;' "$1" "$2"
}

poison() {
	echo $(($(cat "/sys/bus/dax/devices/$(dax_device)/resource") + $1)) \
		>/sys/devices/system/memory/hard_offline_page
}

# poisoned STATUS OFFSET COMMAND...: poisons the page while the command has it mapped. The command must
# exit with that status and say why. If it did not need the page any more, it is run again.
poisoned() {
	expected=$1 place=$2
	shift 2
	for try in 1 2 3 4 5 6 7 8; do
		"$@" >"$output" 2>&1 &
		program=$!
		if stop_at $program "$place"; then
			poison "$place" || :
			kill -CONT $program
		fi
		status=0
		wait $program || status=$?
		cat "$output"
		if [ $status = "$expected" ]; then
			expect_output 'the memory is poisoned'
			return
		fi
		[ $status = 0 ] || fail "status $status, not $expected: $*"
		rm -rf ${back:?}/*
		note "try $try: the command did not need the page any more"
	done
	fail "the command was too fast each time"
}

# A few MiB, then many small files, which take some time, then more MiB.
make_files() {
	mkdir /var/state/small
	head -c 9000000 "$random" >/var/state/first
	for number in $(seq 1500); do
		echo "small file $number" >"/var/state/small/$number"
	done
	for number in $(seq 24); do
		cat "$random"
	done >/var/state/zz
}

mkdir $back
make_files
# PR_MCE_KILL_EARLY for every process: SIGBUS is sent at once, and not at the next access.
echo 1 >/proc/sys/vm/memory_failure_early_kill
pmem-preserve checkpoint --image /tmp/image /var/state
small=$(($(find_text 'small file 1200$' /tmp/image) / 4096 * 4096))
rm /tmp/image
pmem-preserve checkpoint --layout devdax /var/state
expect_devdax

poisoned 4 $small pmem-preserve restore --keep -j 1 --into $back
expect_output '/var/state/(small/|zz)'
expect_empty $back
poisoned 4 $small pmem-preserve verify -j 1
expect_output '/var/state/(small/|zz)'
poisoned 1 $small pmem-preserve checkpoint -j 1 --replace --layout devdax /var/state
expect_status 3 pmem-preserve restore --into $back
expect_empty $back
# The error was only simulated: the page works again.
pmem-preserve checkpoint --layout devdax /var/state
pmem-preserve restore --into $back --no-hot-add
diff -r /var/state $back/var/state
check_dmesg
