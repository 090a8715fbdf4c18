# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Whatever fails in the region when the machine goes down, the state is in the fallback file, and the
# memory is RAM again; if that fails too, each cause is told. A boot that does not find the checkpoint
# that its kernel was told to expect, says so: it was overwritten, or this kernel has no memmap=.
#
# kernel: 6.1
# region: memmap
# size: 512M
# needs: fault-points

library=/var/lib/pmem-preserve
notes=/run/pmem-preserve
fallback=/scratch/fallback.img

configure() {
	cat >/etc/pmem-preserve.conf <<-END
		state = /var/state
		survives = reboot
		deadline = 3
		fallback = $1
	END
}

# expect_note NAME REGEX
expect_note() {
	cat $notes/"$1"
	grep -Eq -e "$2" $notes/"$1" || fail "not in the note $1: $2"
}

empty_state() {
	rm -rf /var/state/*
}

# restored_by_boot: the state is back.
restored_by_boot() {
	empty_state
	expect_status 0 pmem-preserve boot
	compare_state /var/state
	[ ! -e $library/expected ] || fail "a checkpoint is expected that was restored"
}

# goes_to_fallback REASON [COMMAND...]: a way down on which something fails in the region.
goes_to_fallback() {
	reason=$1
	shift
	note "$reason"
	expect_status 0 "$@" pmem-preserve shutdown reboot
	expect_note shutdown "PLACE=\"$fallback\""
	expect_note shutdown "REASON=.*$reason"
	grep -q "PLACE=\"$fallback\"" $library/expected || fail "it is not expected in the fallback file"
	expect_ram
	restored_by_boot
}

fails_at() {
	goes_to_fallback "$2" env PMEM_PRESERVE_FAULT="$1=error"
}

# A pipe that nobody reads keeps the pages that were spliced into it.
pin() {
	mkfifo /tmp/pipe
	sleep 1000 <>/tmp/pipe &
	reader=$!
	cat /var/state/large/of-2 >/tmp/pipe &
	writer=$!
	wait_until 10 grep -q pipe_w "/proc/$writer/wchan" "/proc/$writer/stack"
}

unpin() {
	kill "$writer" "$reader"
	wait
}

region_rows() {
	pin
	goes_to_fallback 'memory[0-9]+'
	unpin
	fails_at REMOVE_BEGIN 'fault point 40'
	fails_at RAW_BEGIN 'fault point 50'
	fails_at IMAGE_MIB 'fault point 3'
	fails_at PHASE_WRITTEN 'fault point 8'
	# With each of them the fallback may fail as well.
	mkdir /tmp/full
	mount -t tmpfs -o size=16k tmpfs /tmp/full
	configure /tmp/full/file
	for point in RAW_BEGIN IMAGE_MIB PHASE_WRITTEN; do
		expect_status 7 env PMEM_PRESERVE_FAULT=$point=error pmem-preserve shutdown reboot
		expect_note shutdown 'failed'
		expect_note shutdown 'fault point.*/tmp/full/file'
		expect_ram
		rm $notes/boot
		expect_status 4 pmem-preserve boot
		expect_note boot 'OUTCOME="lost"'
		expect_note boot 'fault point.*/tmp/full/file'
	done
	expect_status 0 pmem-preserve discard
	compare_state /var/state
	configure $fallback
}

stage1() {
	hot_add
	new_state 8
	configure $fallback
	expect_status 3 pmem-preserve boot
	region_rows
	# Nothing fails: the region.
	expect_status 0 pmem-preserve shutdown reboot
	expect_note shutdown 'PLACE="region0"'
	restored_by_boot
	expect_status 0 pmem-preserve hot-add
	# It holds one that was not restored.
	expect_status 0 pmem-preserve checkpoint
	expect_status 0 pmem-preserve shutdown reboot
	expect_note shutdown "PLACE=\"$fallback\""
	expect_note shutdown 'not restored'
	restored_by_boot
	expect_status 0 pmem-preserve discard
	check_dmesg
	pmem-preserve checkpoint --kexec
}

stage2() {
	configure $fallback
	grep -q 'pmem_preserve.expect=.*@region0' /proc/cmdline || fail "the kernel expects nothing"
	# It was overwritten, up to the copy of its header; and is there again.
	dd if=/dev/pmem0 of=/tmp/head bs=4096 count=258
	dd if=/dev/zero of=/dev/pmem0 bs=4096 count=258 conv=fsync
	expect_status 4 pmem-preserve boot
	expect_note boot 'OUTCOME="lost"'
	expect_note boot 'region0 holds no checkpoint'
	dd if=/tmp/head of=/dev/pmem0 bs=4096 conv=fsync
	expect_status 0 pmem-preserve boot
	compare_state /var/state
	expect_status 0 pmem-preserve hot-add
	# That is settled: this boot expects nothing, whoever repeats its command line.
	rm $notes/boot
	expect_status 3 pmem-preserve boot
	pmem-preserve checkpoint
	mkdir -p /scratch/library
	cp $library/expected /scratch/library
	cp /proc/cmdline /scratch/cmdline
	# mem= keeps this kernel from using, and overwriting, the range.
	kexec_into "$(sed 's/memmap=[^ ]*//' /proc/cmdline) mem=4G"
}

stage3() {
	configure $fallback
	mkdir -p $library
	cp /scratch/library/expected $library
	expect_status 4 pmem-preserve boot
	expect_note boot 'OUTCOME="unreachable"'
	expect_note boot 'without memmap='
	expect_status 0 pmem-preserve discard
	rm $notes/boot
	expect_status 3 pmem-preserve boot
	expect_note boot 'OUTCOME="none"'
	check_dmesg
}
