# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The library for scenarios. Sourced by run-stage under "set -eu"; $stage is set.

# Its other parts: the tree that is preserved; the memory that it is preserved in; steps of the
# program that most scenarios take; the driver; the program's fault points.
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

# expect_status N COMMAND...: the command must exit with that status. Its output is kept in $output.
output=/tmp/output
expect_status() {
	expected=$1
	shift
	status=0
	"$@" >"$output" 2>&1 || status=$?
	cat "$output"
	[ "$status" = "$expected" ] || fail "status $status, not $expected: $*"
}

# expect_output REGEX: the last command of expect_status must have printed that.
expect_output() {
	grep -Eq -e "$1" "$output" || fail "not in the output: $1"
}

expect_empty() {
	[ -z "$(ls "$1")" ] || fail "$1 is not empty: $(ls "$1")"
}

# wait_until SECONDS COMMAND...: polls until the command succeeds.
wait_until() {
	deadline=$(($(uptime_ms) + $1 * 1000))
	shift
	until "$@"; do
		[ "$(uptime_ms)" -lt $deadline ] || fail "timed out: $*"
		usleep 20000
	done
}

uptime_ms() {
	read -r uptime _ </proc/uptime
	echo "${uptime%.*}${uptime#*.}0"
}

# note TEXT: a line of the demo; in other runs a line of the log.
note() {
	echo "## $*"
}

# The same patterns that tests/vm looks for on the console, for messages below its log level.
check_dmesg() {
	if dmesg | grep -E 'WARNING: |BUG: |Oops|Call Trace|page allocation failure|segfault at'; then
		fail "a kernel message, see above"
	fi
	# lockdep turns itself off at its first report.
	[ ! -e /proc/lockdep_stats ] || grep -q 'debug_locks: *1' /proc/lockdep_stats ||
		fail "lockdep is off"
}
