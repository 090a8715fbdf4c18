# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The tree that is preserved, and its comparison with a copy, by rsync.

reference=/scratch/reference
random=/usr/lib/qemu-nvdimm/random

# make_state DIR MIB: a tree with about that much data and one of everything that a tree can hold.
# The content is always the same.
make_state() {
	mkdir -p "$1"
	(
		cd "$1" || exit
		make_large_files "$2"
		make_small_files
		make_sizes
		make_links
		make_special_files
		make_sparse_file
		make_names
		make_attributes
		make_times
	)
}

# Each MiB starts with its number, so that no two are equal and none can be in the place of another.
make_large_files() {
	mkdir large
	for share in 2 3 6; do
		for number in $(seq $(($1 / share))); do
			echo "$share $number"
			cat $random
		done >large/of-$share
	done
}

make_small_files() {
	for directory in 1 2 3 4 5 6 7 8; do
		mkdir -p small/$directory/deeper/and/deeper
		for number in $(seq 60); do
			printf '%0*d\n' $((number * number * directory % 9000)) "$number" \
				>"small/$directory/deeper/$number"
		done
	done
	deep=.
	for number in $(seq 40); do
		deep=$deep/directory-$number
	done
	mkdir -p "deep/$deep"
	echo bottom >"deep/$deep/file"
	mkdir empty
}

make_sizes() {
	mkdir sizes
	for size in 0 1 511 4095 4096 4097 8192 65535 65536 1048576 1048577; do
		head -c $size $random >sizes/$size
	done
}

make_links() {
	mkdir links
	echo shared >links/first
	ln links/first links/second
	ln links/first small/1/third
	ln -s first links/relative
	ln -s /nowhere/at/all links/dangling
	ln -s "$(printf '%0900d' 7)" links/long
	chown -h 12:34 links/dangling
}

# The only way to make a socket with busybox is to start its syslogd.
make_special_files() {
	mkdir special
	mkfifo -m 0640 special/fifo
	mknod special/null c 1 3
	mknod special/disk b 259 1048575
	chmod 0600 special/null
	ln -sf "$PWD/special/socket" /dev/log
	syslogd -n -O /dev/null &
	wait_until 10 test -S special/socket
	kill $!
	rm /dev/log
}

make_sparse_file() {
	truncate -s 12M sparse
	echo start | dd of=sparse conv=notrunc 2>/dev/null
	head -c 300000 $random | dd of=sparse bs=4096 seek=1500 conv=notrunc 2>/dev/null
	truncate -s 16M hole
}

make_names() {
	mkdir names
	for name in ' leading and trailing ' '-n' "quote'quote\"" 'back\slash' 'star*' '%s%n' '#' \
		"$(printf 'new\nline')" "$(printf 'not UTF-8: \377\200')" "$(printf '\001\033[31m')" \
		'grün' "$(printf '%0255d' 9)"; do
		echo "$name" >"names/$name"
	done
}

make_attributes() {
	mkdir attributes
	for mode in 4755 2755 1777 0000 0444 6711; do
		echo $mode >attributes/$mode
	done
	chown 1000:1001 attributes/0444
	chown 4000000000:4000000001 attributes/0000
	# chown clears setuid.
	for mode in 4755 2755 1777 0000 0444 6711; do
		chmod $mode attributes/$mode
	done
	mkdir -m 3775 attributes/directory
	setfattr -n trusted.empty attributes/4755
	setfattr -n trusted.note -v "a value" attributes/4755
	setfattr -n trusted.large -v "$(printf '%03000d' 5)" attributes/4755
	setfattr -n trusted.binary -v 0x00ff00ff0a attributes/directory
	setfattr -h -n trusted.on-link -v "of a link" links/relative
	# tmpfs has these since Linux 6.6.
	setfattr -n user.comment -v "by a user" attributes/2755 2>/dev/null || :
	setfacl -m u:1234:rwx,g:56:r-x,m::rwx attributes/0444
	setfacl -m d:u:1234:rwx,d:g::r-x attributes/directory
	touch attributes/directory/inherits
	[ -z "$(command -v setcap)" ] || setcap cap_net_raw+ep attributes/6711
}

# Before 1970, after 2038, with and without a fraction of a second. Called last, since creating files
# changes the time of their directory.
make_times() {
	mkdir times
	touch -d '1953-05-29 11:30:00' times/1953
	touch -d '1970-01-01 00:00:00' times/1970
	touch -d '2106-02-07 06:28:16' times/2106
	touch times/now
	touch -h -d '1999-12-31 23:59:59' links/dangling
	touch -d '2001-02-03 04:05:06' links special empty .
}

# snapshot_state DIR: keeps a copy for compare_state, in this boot or a later one.
snapshot_state() {
	rm -rf $reference
	cp -a "$1" $reference
	disk_usage "$1" >/scratch/disk-usage
	sync
	compare_state "$1"
}

# compare_state DIR: fails unless it equals the snapshot in every name, byte, attribute, time and hole.
compare_state() {
	compare_tree "$1"
	[ "$(disk_usage "$1")" = "$(cat /scratch/disk-usage)" ] ||
		fail "holes were filled: $(disk_usage "$1"), before: $(cat /scratch/disk-usage)"
	note "rsync finds no difference between $1 and the reference"
}

# compare_tree DIR: the same without the holes, for a file system that does not report them. Files that
# are only in DIR are an error, too.
compare_tree() {
	differences=$(rsync -naHAXci --delete --numeric-ids --modify-window=-1 $reference/ "$1/" 2>&1) ||
		fail "rsync cannot compare: $differences"
	[ -z "$differences" ] || fail "$1 differs from the snapshot: $differences"
}

# make_victim: /var/state/victim, a file to be damaged, with $victim_text in its middle. What is
# verified is a MiB at a time: around the text there is nothing else in that MiB.
victim_text='the place that gets damaged'
make_victim() {
	{
		yes 'padding' | head -c 2000000
		echo "$victim_text"
		yes 'padding' | head -c 2000000
	} >/var/state/victim
}

# find_text TEXT FILE: prints the offset at which an image holds it.
find_text() {
	offset=$(tr '\0' '\n' <"$2" | grep -abo -m 1 "$1" | cut -d : -f 1)
	[ -n "$offset" ] || fail "not in $2: $1" >&2
	echo "$offset"
}

# kB that the files with holes use.
disk_usage() {
	for file in sparse hole; do
		[ ! -e "$1/$file" ] || du -k "$1/$file" | cut -f 1
	done
}
