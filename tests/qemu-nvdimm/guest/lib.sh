# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What scenarios are written with. Sourced by run-stage under "set -eu"; $stage is set.

# The rest by idea: the tree that is preserved; the memory it is preserved in; what a run of the
# program is made of; the driver that takes the memory back; the program's fault points.
# shellcheck disable=SC1091
. /usr/lib/qemu-nvdimm/state.sh
# shellcheck disable=SC1091
. /usr/lib/qemu-nvdimm/memory.sh
# shellcheck disable=SC1091
. /usr/lib/qemu-nvdimm/program.sh
# shellcheck disable=SC1091
. /usr/lib/qemu-nvdimm/kmem.sh
# shellcheck disable=SC1091
. /usr/lib/qemu-nvdimm/faults.sh

fail() {
	echo "FAIL: $*"
	exit 1
}

# expect_status N COMMAND...: the command must end with that status. Its output is kept in $output.
output=/tmp/output
expect_status() {
	expected=$1
	shift
	status=0
	"$@" >"$output" 2>&1 || status=$?
	cat "$output"
	[ "$status" = "$expected" ] || fail "status $status, not $expected: $*"
}

# expect_output REGEX: the command that expect_status ran last must have said that.
expect_output() {
	grep -Eq -e "$1" "$output" || fail "the output does not say: $1"
}

# wait_until SECONDS COMMAND...: polls until the command succeeds.
wait_until() {
	deadline=$(($(uptime_ms) + $1 * 1000))
	shift
	until "$@"; do
		[ "$(uptime_ms)" -lt $deadline ] || fail "never came true: $*"
		usleep 20000
	done
}

uptime_ms() {
	read -r uptime _ </proc/uptime
	echo "${uptime%.*}${uptime#*.}0"
}

# note TEXT: a line of the story that the demo tells; in other runs a line of the log.
note() {
	echo "## $*"
}

# What the harness looks for on the console is checked here as well, for messages below its level.
check_dmesg() {
	if dmesg | grep -E 'WARNING: |BUG: |Oops|Call Trace|page allocation failure|segfault at'; then
		fail "the kernel complained"
	fi
	# A debug kernel checks its locks until the first thing that it finds.
	[ ! -e /proc/lockdep_stats ] || grep -q 'debug_locks: *1' /proc/lockdep_stats ||
		fail "lockdep has given up"
}
