# shellcheck shell=sh disable=SC2154
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Run in a VM by bench/sequence: the state survives one kexec after another, each time in another way;
# it is checked each time. The times of the messages are what is measured.
#
#	sequence.sh MIB WAY...
#
#	script           scripts/preserve-state.sh
#	raw, devdax      pmem-preserve, all of it after the services have stopped
#	prepared-raw, prepared-devdax    with the memory removed before that, by "prepare"

restore() {
	echo "@ restore $1"
	case $1 in
	script) preserve-state.sh restore /var/state ;;
	*) pmem-preserve restore ;;
	esac
	echo "@ end"
	compare_state /var/state
	expect_ram
	check_dmesg
}

save() {
	# Otherwise the pages that the check has read would have to be migrated first.
	sync
	echo 3 >/proc/sys/vm/drop_caches
	layout=${1#prepared-}
	case $1 in
	prepared-*)
		echo "@ prepare $1"
		pmem-preserve prepare --layout="$layout"
		;;
	esac
	echo "@ save $1"
	case $1 in
	script) preserve-state.sh save /var/state ;;
	*) pmem-preserve checkpoint --kexec --layout="$layout" /var/state ;;
	esac
	fail "no kexec"
}

mib=$1
shift
if [ "$stage" = 1 ]; then
	hot_add
	make_state /var/state "$mib"
	rm /var/state/special/socket # tar has no sockets
	snapshot_state /var/state
else
	[ "$stage" = 2 ] || shift $((stage - 2))
	restore "$1"
	shift
fi
[ $# = 0 ] || save "$1"
