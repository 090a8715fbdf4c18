# shellcheck shell=sh disable=SC2154
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A page of the dax device turns out to be bad while the program has it mapped: it ends with an error
# that says so, and not by a signal half way. What it had restored is gone again; what it was writing
# is no checkpoint.
#
# The kernel's own handling of a memory error runs, and tells who has the page mapped by SIGBUS. That
# the processor itself stops at the page, no emulated machine does.
#
# kernel: 6.1 6.12
# cpus: 2
# region: memmap
# needs: pmem-preserve

back=/tmp/back

# stop_at PID OFFSET: stops that process as soon as it has touched the page there. Fails when it ends
# before.
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

# poisoned STATUS OFFSET COMMAND...: the command, with that page going bad while it has it mapped,
# ends with that status and says why. It may have been done with the page: then once more.
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
		note "try $try: it was done with that page"
	done
	fail "it was always too fast"
}

# A few MiB, then many small files, which take their time, then some MiB more.
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
# As if the policy of each process were PR_MCE_KILL_EARLY: told at once, and not at the next access.
echo 1 >/proc/sys/vm/memory_failure_early_kill
pmem-preserve checkpoint --image /tmp/image /var/state
small=$(grep -abo -m 1 'small file 1200$' /tmp/image | cut -d : -f 1)
[ -n "$small" ] || fail "the small file is not in the image"
small=$((small / 4096 * 4096))
rm /tmp/image
pmem-preserve checkpoint --layout devdax /var/state
[ "$(dax_driver)" = device_dax ] || fail "the region is not device-dax"

poisoned 4 $small pmem-preserve restore --keep -j 1 --into $back
expect_output '/var/state/(small/|zz)'
[ -z "$(ls $back)" ] || fail "something was left behind"
poisoned 4 $small pmem-preserve verify -j 1
expect_output '/var/state/(small/|zz)'
poisoned 1 $small pmem-preserve checkpoint -j 1 --replace --layout devdax /var/state
expect_status 3 pmem-preserve restore --into $back
[ -z "$(ls $back)" ] || fail "half a checkpoint was restored"
# Nothing of it stays: the simulated error is no real one.
pmem-preserve checkpoint --layout devdax /var/state
pmem-preserve restore --into $back --no-hot-add
diff -r /var/state $back/var/state
check_dmesg
