# shellcheck shell=sh disable=SC2034,SC2154
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Helper functions for the scenarios of the kmem driver (drivers/dax).

drivers=/sys/bus/dax/drivers
failure=/tmp/last_failure
block_bytes=$((0x$(cat "$memory_blocks/block_size_bytes")))

# The range is a dax device. Sets $dax, $device and $blocks.
use_device() {
	dax=$(dax_device)
	device=/sys/bus/dax/devices/$dax
	blocks=$(range_blocks)
}

# The same, after the range was made a devdax namespace and bound to our kmem.
bind_kmem() {
	[ -e /sys/module/kmem/version ] || fail "the kernel's own kmem is loaded"
	[ -e /sys/bus/dax/devices/dax0.0 ] || make_devdax
	use_device
	[ ! -e "$device/driver" ] || echo "$dax" >"$device/driver/unbind"
	# Binds it at once; a later bind needs no new_id.
	echo "$dax" >"$drivers/kmem/new_id"
	[ "$(dax_driver)" = kmem ] || fail "$dax is not bound to kmem"
}

unbind_kmem() {
	echo "$dax" >"$drivers/kmem/unbind"
}

rebind_kmem() {
	echo "$dax" >"$drivers/kmem/bind"
}

# The dynamic region of a machine with "# region: soft-reserved", after modprobe dax_hmem region_idle=1.
region=/sys/devices/platform/hmem.0/dax_region
devices=/sys/bus/dax/devices

# create MIB: a device of that size, of the first free ranges. Sets $dax.
create() {
	echo 1 >$region/create
	read -r dax <$region/create
	echo $(($1 << 20)) >"$devices/$dax/size"
}

# The name is to be forgotten, too: the next one with it would be bound unasked.
destroy() {
	echo "$1" >"$drivers/kmem/remove_id"
	echo 0 >"$devices/$1/size"
	echo "$1" >$region/delete
}

# Like bind_kmem, for one of several devices.
bind_device() {
	device=$devices/$1
	[ ! -e "$device/driver" ] || echo "$1" >"$device/driver/unbind"
	echo "$1" >"$drivers/kmem/new_id"
	[ -e "$device/driver" ] || return
	blocks=$(list_blocks)
}

list_blocks() {
	for mapping in "$device"/mapping[0-9]*; do
		number=$(($(cat "$mapping/start") / block_bytes))
		while [ $number -le $(($(cat "$mapping/end") / block_bytes)) ]; do
			echo "memory$number"
			number=$((number + 1))
		done
	done
}

# All of it online movable, whatever the kernel's policy made of it.
online_all() {
	for block in $blocks; do
		echo online_movable >"$memory_blocks/$block/state" || :
	done
	expect_state online_movable
}

expect_state() {
	read -r said <"$device/state"
	[ "$said" = "$1" ] || fail "the state is $said, not $1"
}

expect_progress() {
	read -r said <"$device/progress"
	[ "$said" = "$1" ] || fail "progress is $said, not $1"
}

# expect_refused MESSAGE VALUE FILE: writing VALUE fails with the errno of that message (a pattern).
expect_refused() {
	if said=$(/usr/bin/echo "$2" 2>&1 >"$3"); then
		fail "$3 accepted $2, expected: $1"
	fi
	# shellcheck disable=SC2254 # it is a pattern
	case $said in
	"echo: write error: "$1) ;;
	*) fail "$2 was refused by $3: $said" ;;
	esac
}

unplug() {
	echo unplugged >"$device/state"
	expect_state unplugged
}

# expect_failure PATTERN...: lines of last_failure, such as errno=-110.
expect_failure() {
	tee "$failure" <"$device/last_failure"
	for pattern; do
		found=
		while read -r line; do
			# shellcheck disable=SC2254 # it is a pattern
			case $line in
			$pattern) found=yes ;;
			esac
		done <"$failure"
		[ "$found" ] || fail "last_failure does not say $pattern: $(cat "$failure")"
	done
}

expect_no_failure() {
	[ "$(cat "$device/last_failure")" = none ] || fail "$(cat "$device/last_failure")"
}

# nth_block N: from 1 on.
nth_block() {
	for block in $blocks; do
		[ "$1" -gt 1 ] || break
		set -- $(($1 - 1))
	done
	echo "$block"
}

# first_pfn BLOCK
first_pfn() {
	echo $((${1#memory} * block_bytes / 4096))
}

# pin BLOCK...: a page of each cannot move, until unpin. Sets $pfn, that of the last one.
pin() {
	pfns=
	for block; do
		pfn=$(printf '%#x' $(($(first_pfn "$block") + 4711)))
		pfns=$pfns,$pfn
	done
	wait_until 10 modprobe pin_page pfn="${pfns#,}"
}

unpin() {
	rmmod pin_page
}

# The kernel's dax-kmem-hotplug.sh on $dax. Two of its ten do not apply: for one "state" has to be
# stale, the other loses the memory until the next reboot.
run_dax_kmem_hotplug() {
	mkdir -p /usr/kselftest
	cp /usr/bin/ktap_helpers.sh /usr/kselftest/
	expect_status 0 env DAX_KMEM_TEST_DEV="$dax" bash /usr/bin/dax-kmem-hotplug.sh
	expect_output "pass:8 fail:0 .*skip:2"
}

# picture FILE: records the memory as the rest of the system sees it.
picture() {
	{
		grep -E '^(MemTotal|HardwareCorrupted)' /proc/meminfo
		grep MemTotal /sys/devices/system/node/node*/meminfo
		cat /proc/iomem
		(cd "$memory_blocks" && grep -H . memory[0-9]*/state memory[0-9]*/valid_zones)
		awk '/^Node/ { zone = $0 } /present|managed/ { print zone, $1, $2 }' /proc/zoneinfo
	} >"$1"
}

# Records the system without the memory (/tmp/unplugged) and with it (/tmp/online); leaves it online.
take_pictures() {
	unplug
	picture /tmp/unplugged
	echo online_movable >"$device/state"
	picture /tmp/online
}

# expect_picture FILE: nothing has changed since.
expect_picture() {
	picture /tmp/now
	diff "$1" /tmp/now || fail "the memory is not as it was"
}

# take_time COMMAND...: the milliseconds that it took, in $took. Its status is kept.
take_time() {
	began=$(uptime_ms)
	taken_status=0
	"$@" || taken_status=$?
	took=$(($(uptime_ms) - began))
	echo "took $took ms"
	return $taken_status
}

expect_faster() {
	[ "$took" -le "$1" ] || fail "it took $took ms, more than $1"
}

# start_holder BLOCK: somebody's own removal of the block, which hangs on a pinned page and holds the
# lock of memory hot-plug, until stop_holder. It waits for the lock like everybody else.
start_holder() {
	perl -e 'open(F, ">", $ARGV[0]); syswrite(F, "offline") or die "offline: $!"' \
		"$memory_blocks/$1/state" &
	holder=$!
}

stop_holder() {
	kill "$holder"
	wait "$holder" || :
	holder=
}

# Records the driver's uevents, one line for each: the device and the variables, sorted.
uevents=/tmp/uevents
watch_uevents() {
	cat >/tmp/on-uevent <<-'END'
	#!/bin/sh
	[ "$ACTION $SUBSYSTEM" != "change dax" ] || {
		echo "${DEVPATH##*/} $(env | sed -n 's/^DAX_KMEM_//p' | sort | tr '\n' ' ')"
	} >>/tmp/uevents
	END
	chmod +x /tmp/on-uevent
	: >$uevents
	uevent /tmp/on-uevent &
	watcher=$!
	wait_until 10 is_listening $watcher
}

is_listening() {
	stat -L -c %F "/proc/$1/fd"/* | grep -q socket
}

# expect_uevent VARIABLE=REGEX...: in the order of the alphabet; one event had these, and no others.
expect_uevent() {
	wait_until 10 grep -Eqx "$dax $* " $uevents
	cat $uevents
	: >$uevents
}
