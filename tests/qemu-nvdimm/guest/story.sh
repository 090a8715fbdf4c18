# shellcheck shell=sh disable=SC1091,SC2154
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What ../demo runs: one kexec with a state in /var/state. The demo shows the lines that start with
# "## ". The argument is the size of the state in MiB.

mib=$1

# The command as a user types it, and its output.
show() {
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
	show pmem-preserve hot-add
	memory
	note "  A state of $mib MiB in /var/state; a copy goes to disk, for the comparison"
	new_state "$mib" >/dev/null
	show pmem-preserve prepare
	memory
	show pmem-preserve checkpoint --kexec /var/state
}

stage2() {
	note "Second boot, after kexec: Linux $(uname -r), up for $(cut -d ' ' -f 1 /proc/uptime) s"
	memory
	note "  /var/state holds $(find /var/state -type f | wc -l) files"
	show pmem-preserve restore
	note "  /var/state holds $(find /var/state -type f | wc -l) files"
	memory
	compare_state /var/state >/tmp/verdict || fail "$(cat /tmp/verdict)"
	note "Result of rsync (content, owners, modes, times, links, ACLs, attributes): no difference"
}
