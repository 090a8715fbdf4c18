# shellcheck shell=sh disable=SC2034,SC2154
# SPDX-License-Identifier: GPL-2.0-or-later
#
# As in faults.sh, with the image in the mapped devdax device, and with the driver that removes all of
# the memory or none.
#
# kernel: 6.1
# region: nvdimm
# size: 512M
# cpus: 2
# timeout: 900
# needs: fault-points
# module: build/modules/{kernel}/kmem.ko

layout=--layout=devdax
taking="REMOVE_BEGIN REMOVE_OFFLINE DAX_UNBOUND REMOVE_DEVDAX ERASE_BEGIN ERASE_WRITTEN
	ERASE_FLUSHED"
writing="IMAGE_BEGIN IMAGE_MARKED IMAGE_MIB IMAGE_COPIED IMAGE_TABLE IMAGE_HEADER IMAGE_FLUSHED
	PHASE_WRITTEN PHASE_FLUSHED"
giving="ADD_BEGIN DAX_UNBOUND ADD_BOUND ADD_POLICY ADD_ONLINE"

make_small_state
pmem-preserve hot-add
expect_ram
checkpoint_faults hot-add kill "$taking IMAGE_MIB PHASE_WRITTEN"
checkpoint_faults checkpoint error "$taking IMAGE_MIB PHASE_FLUSHED"
if [ -n "$long" ]; then
	checkpoint_faults hot-add kill "$writing"
	checkpoint_faults checkpoint error "$writing"
fi
add_faults kill "$giving"
add_faults error "$giving"
check_dmesg
