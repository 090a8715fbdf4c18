# shellcheck shell=sh disable=SC1091,SC2154
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What ../demo runs: one kexec with a state in /var/state, told in lines that start with "## ".
# Its argument is the size of the state in MiB.

mib=$1

# The command as a user types it, what it says, and the memory there is afterwards.
tell() {
	note "  # $*"
	{ "$@" 2>&1 || echo "status $?"; } | while read -r line; do
		note "    $line"
	done
}

memory() {
	note "  MemTotal: $(($(memtotal) / 1024)) MiB"
}

stage1() {
	note "First boot: Linux $(uname -r)"
	memory
	tell pmem-preserve hot-add
	memory
	note "  A state of $mib MiB in /var/state; a copy of it goes to disk, to judge by afterwards"
	make_state /var/state "$mib"
	snapshot_state /var/state >/dev/null
	tell pmem-preserve prepare
	memory
	tell pmem-preserve checkpoint --kexec /var/state
}

stage2() {
	note "Second boot, after kexec: Linux $(uname -r), up for $(cut -d ' ' -f 1 /proc/uptime) s"
	memory
	note "  /var/state holds $(find /var/state -type f | wc -l) files"
	tell pmem-preserve restore
	note "  /var/state holds $(find /var/state -type f | wc -l) files"
	memory
	compare_state /var/state >/tmp/verdict || fail "$(cat /tmp/verdict)"
	note "Verdict of rsync (content, owners, modes, times, links, ACLs, attributes): no difference"
}
