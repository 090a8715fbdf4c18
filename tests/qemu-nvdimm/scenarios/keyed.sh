# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# With a key, across kexec: what was restored is not restored again, even if somebody changes the phase,
# and nothing of it is left in memory that is used again.
#
# kernel: 6.1
# region: memmap
# needs: pmem-preserve

configure() {
	printf '%s\n' 'key-file = /scratch/key' 'counter-file = /scratch/counter' 'wipe = yes' \
		>/etc/pmem-preserve.conf
}

# Without the page cache of the device, which may hold old data; and only up to the end of the image:
# behind it the state may have been when this was RAM.
mark_is_there() {
	sync
	echo 3 >/proc/sys/vm/drop_caches
	head -c "$bytes" /dev/pmem0 | tr -d '\000' | grep -q "a mark of the state"
}

stage1() {
	(umask 077 && head -c 32 /dev/urandom >/scratch/key)
	configure
	yes "a mark of the state" | head -n 100000 >/var/state/mark
	save_state 32
}

stage2() {
	expect_status 5 pmem-preserve restore
	expect_output key-file
	configure
	bytes=$(pmem-preserve --json verify | sed -n 's/.*"image_bytes": *\([0-9]*\),.*/\1/p')
	expect_status 0 pmem-preserve restore --no-hot-add
	compare_state /var/state
	mark_is_there || fail "the mark is not found where it must be"
	printf '\270\261\032\226\253\262\323\244' |
		dd of=/dev/pmem0 bs=1 seek=16 conv=notrunc 2>/dev/null
	sync
	rm -r /var/state/*
	expect_status 5 pmem-preserve restore
	expect_output 'is an old one'
	[ -z "$(ls -A /var/state)" ] || fail "an old state came back"
	pmem-preserve hot-add --replace
	expect_ram
	pmem-preserve prepare --layout raw
	if mark_is_there; then
		fail "the state is still in the memory"
	fi
	for give_up in "discard" "hot-add --replace" "prepare --replace --layout devdax"; do
		pmem-preserve checkpoint --layout raw /var/state
		generation=$(cat /scratch/counter)
		# shellcheck disable=SC2086 # words
		pmem-preserve $give_up
		[ "$(cat /scratch/counter)" = $((generation + 1)) ] ||
			fail "what $give_up gave up could be put back"
	done
	pmem-preserve hot-add
}
