# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# abort undoes prepare and gives the memory back. A dry run changes nothing. Each command may be
# repeated.
#
# kernel: 6.1
# region: nvdimm
# size: 512M
# needs: pmem-preserve

stage1() {
	hot_add
	new_state 32
	before=$(memtotal)
	pmem-preserve prepare --dry-run
	pmem-preserve checkpoint --dry-run --kexec /var/state
	expect_ram
	for layout in raw devdax; do
		pmem-preserve prepare --layout=$layout
		pmem-preserve prepare --layout=$layout
		[ "$(memtotal)" -lt "$before" ] || fail "MemTotal is still $(memtotal) kB"
		pmem-preserve status | grep -q "^region0 *$layout " || fail "the region is not $layout"
		pmem-preserve abort
		pmem-preserve abort
		expect_ram
		expect_memtotal "$before"
	done
	# An unrestored checkpoint blocks every command that would give the memory back.
	pmem-preserve checkpoint /var/state
	expect_status 5 pmem-preserve abort
	expect_status 5 pmem-preserve hot-add
	expect_status 5 pmem-preserve prepare --layout=devdax
	pmem-preserve verify
	pmem-preserve discard
	pmem-preserve abort
	expect_ram
	compare_state /var/state
	check_dmesg
}
