# shellcheck shell=sh disable=SC2034,SC2154
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The program is killed, or a step fails, at every point of the way from RAM to a checkpoint on a raw
# device and back, with the stock driver. A region would be unusable, RAM be lost until the next
# reboot, or an incomplete image be taken for a checkpoint.
#
# kernel: 6.1
# region: memmap
# size: 512M
# cpus: 2
# timeout: 900
# needs: fault-points

layout=--layout=raw
taking="REMOVE_BEGIN REMOVE_OFFLINE DAX_UNBOUND REMOVE_DEVDAX ERASE_BEGIN ERASE_WRITTEN
	ERASE_FLUSHED RAW_BEGIN RAW_UNCLAIMED RAW_FORCED RAW_ZEROED RAW_DISABLED RAW_ENABLED"
writing="IMAGE_BEGIN IMAGE_MARKED IMAGE_MIB IMAGE_MIB:3 IMAGE_COPIED IMAGE_TABLE IMAGE_HEADER
	IMAGE_FLUSHED PHASE_WRITTEN PHASE_FLUSHED"
giving="DEVDAX_BEGIN DEVDAX_ZEROED DEVDAX_DISABLED DEVDAX_CLAIMED DEVDAX_BOUND ADD_BEGIN DAX_UNBOUND
	ADD_BOUND ADD_POLICY ADD_ONLINE"

make_small_state
pmem-preserve hot-add
expect_ram
# Blocks that go offline in parallel may be done before the error is noticed: only killed here.
checkpoint_faults checkpoint kill "REMOVE_BLOCKS $taking"
# tests/image tries the image alone at each point, without a VM.
checkpoint_faults hot-add kill "IMAGE_MARKED IMAGE_MIB PHASE_WRITTEN"
[ -z "$long" ] || checkpoint_faults checkpoint kill "$writing"
checkpoint_faults hot-add error "$taking IMAGE_MIB PHASE_FLUSHED"
[ -z "$long" ] || checkpoint_faults checkpoint error "$writing"
add_faults kill "$giving"
add_faults error "$giving"
# The fix that status suggests works.
for at in DAX_UNBOUND RAW_DISABLED; do
	fail_at $at kill pmem-preserve checkpoint "$layout" /var/state
	expect_status 0 pmem-preserve status
	expect_output "pmem-preserve hot-remove --region region0"
	pmem-preserve hot-remove --region region0
	[ "$(region_state)" = devdax ] || [ "$(region_state)" = raw ] || fail "it did not work"
	pmem-preserve hot-add
	expect_ram
done
# Two at once: the second one fails immediately, names the first one, and does not disturb it.
PMEM_PRESERVE_FAULT=RAW_UNCLAIMED=stop pmem-preserve checkpoint "$layout" /var/state &
wait_until 60 is_stopped $!
expect_status 1 pmem-preserve hot-add
expect_output "process $! \\(pmem-preserve\\) is changing the memory"
expect_status 1 pmem-preserve checkpoint "$layout" /var/state
kill -CONT $!
wait $! || fail "the first one failed"
committed || fail "there is no checkpoint of the first one"
pmem-preserve discard
pmem-preserve hot-add
expect_ram
kexec_faults
discard_faults kill "ERASE_BEGIN ERASE_COPY ERASE_WRITTEN ERASE_FLUSHED"
check_dmesg
