# shellcheck shell=sh disable=SC2154
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Blocks of the device that cannot be read, or written: the kernel's own I/O errors, from a
# device-mapper table on the region. Each damaged file is named, and the others are salvaged. A
# checkpoint that meets such blocks does not change the state, and leaves nothing that could be restored.
#
# kernel: 6.1
# region: memmap
# needs: pmem-preserve

bad=/dev/dm-0
back=/tmp/back whole=/tmp/whole

# bad_device SECTOR COUNT...: maps /dev/pmem0, with errors in COUNT sectors from each SECTOR on.
bad_device() {
	[ ! -e $bad ] || dmsetup remove bad
	from=0
	while [ $# -gt 0 ]; do
		[ "$1" = $from ] || echo "$from $(($1 - from)) linear /dev/pmem0 $from"
		echo "$1 $2 error"
		from=$(($1 + $2))
		shift 2
	done >/tmp/table
	echo "$from $((sectors - from)) linear /dev/pmem0 $from" >>/tmp/table
	dmsetup create bad /tmp/table
	wait_until 10 test -b $bad
}

# header_field OFFSET: the number there.
header_field() {
	perl -e 'open(P, "<", "/dev/pmem0"); seek(P, $ARGV[0], 0); read(P, $n, 8);
		print unpack("Q", $n)' "$1"
}

check_files() {
	bad_device $((victim * 8)) 8
	expect_status 4 pmem-preserve --json verify --image $bad
	expect_output 'read failed at offset [0-9]+: Input/output error'
	expect_output '"/var/state/victim"'
	expect_status 4 pmem-preserve restore --image $bad --into $back
	expect_output '/var/state/victim'
	expect_empty $back
	expect_status 4 pmem-preserve restore --salvage --image $bad --into $back
	expect_output '^pmem-preserve: warning: damaged: /var/state/victim$'
	rm "$reference/victim"
	touch -r /var/state "$reference"
	compare_state $back/var/state
}

check_the_rest() {
	bad_device 0 8
	expect_status 4 pmem-preserve verify --image $bad
	expect_output 'header'
	# The index, of which there are two, and what it begins with in both.
	index=$(($(header_field 96) / 512)) copy=$(($(header_field 112) / 512))
	bad_device $index 8
	expect_status 4 pmem-preserve verify --image $bad
	expect_output ': index'
	expect_status 0 pmem-preserve restore --keep --image $bad --into $whole
	expect_output 'its copy is used'
	bad_device $copy 8 $index 8
	expect_status 4 pmem-preserve restore --salvage --image $bad --into $back
	expect_output 'directories and inodes of the checkpoint are damaged, and so is their copy'
}

check_writing() {
	bad_device $((victim * 8)) 8
	expect_status 1 pmem-preserve checkpoint --replace --image $bad /var/state
	expect_output 'write failed at offset [0-9]+: Input/output error'
	expect_status 3 pmem-preserve restore --image $bad --into $back
	dmsetup remove bad
	expect_status 3 pmem-preserve restore --into $back
	pmem-preserve checkpoint /var/state
	expect_status 0 pmem-preserve verify
}

modprobe dm-mod
mkdir $back $whole
sectors=$(cat /sys/class/block/pmem0/size)
make_state /var/state 32
make_victim
touch -d '2001-02-03 04:05:06' /var/state
snapshot_state /var/state
pmem-preserve checkpoint /var/state
victim=$(($(find_text "$victim_text" /dev/pmem0) / 4096))
check_files
check_the_rest
check_writing
check_dmesg
