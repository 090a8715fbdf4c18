# shellcheck shell=sh disable=SC2154
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A machine that reboots this way ten times; with TESTS_LONG=1 in the environment a hundred times. Each
# boot finds the state of the one before, and the range is removed and added each time. Small losses of
# memory, blocks or files would add up.
#
# kernel: 6.1
# region: memmap
# timeout: 3600
# needs: pmem-preserve

cycles=10
[ -z "$long" ] || cycles=100
turn=$stage

# What a boot has once the state is back and the range is RAM: the same in each boot.
inventory() {
	echo "blocks $(range_blocks | wc -l)"
	echo "state $(du -sk /var/state | cut -f 1) kB"
	echo "files $(find /var/state -path /var/state/boots -prune -o -print | wc -l)"
	echo "mounts $(wc -l </proc/mounts)"
}

# The content of all files.
sums() {
	(cd /var/state && find . -type f -exec cksum {} + | sort)
}

if [ "$turn" = 1 ]; then
	make_state /var/state 16
	mkdir /var/state/boots
	snapshot_state /var/state
	sums >/scratch/sums
	pmem-preserve hot-add
	pmem-preserve checkpoint --kexec /var/state
fi
restore_state
[ "$(find /var/state/boots -type f | wc -l)" = $((turn - 2)) ] || fail "files of earlier boots are missing"
inventory >/tmp/inventory
if [ ! -e /scratch/inventory ]; then
	cp /tmp/inventory /scratch/inventory
	memtotal >/scratch/memtotal
fi
# The number of pages that the kernel keeps for itself varies.
less=$(($(cat /scratch/memtotal) - $(memtotal)))
[ $less -lt 1024 ] || fail "boot $turn has $less kB less memory than the second one had"
diff /scratch/inventory /tmp/inventory || fail "boot $turn is not as the second one was"
if [ "$turn" -gt $cycles ]; then
	rm -f /var/state/boots/*
	sums | diff /scratch/sums - ||
		fail "the state is not what it was"
	note "$cycles times there and back"
	exit 0
fi
: >"/var/state/boots/$turn"
rsync -a --modify-window=-1 /var/state/boots/ "$reference/boots/"
pmem-preserve checkpoint --kexec /var/state
