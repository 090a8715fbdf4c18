// SPDX-License-Identifier: GPL-2.0-or-later
/* RAM <-> DEVDAX. */
#include "base/child.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/report.h"
#include "base/sysfs.h"
#include "base/text.h"
#include "region/dax-device.h"
#include "region/hotremove.h"
#include "region/memory-blocks.h"
#include "region/memory-usage.h"
#include "region/region-handle.h"
#include "region/region.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AUTO_ONLINE "/sys/devices/system/memory/auto_online_blocks"
#define ONLINE_MS   60000
#define UNDO_MS	    15000

/* The physical ranges of the dax device, whichever driver it has. */
struct ranges {
	struct memory_range *range;
	size_t count;
};

static void ranges_clear(struct ranges *ranges)
{
	free(ranges->range);
}
#define _cleanup_ranges_ __attribute__((cleanup(ranges_clear)))

static int read_ranges(const struct region *region, struct ranges *ret_ranges)
{
	_cleanup_region_handle_ struct region_handle handle = {};
	int r = region_handle_open(region, &handle);

	if (r < 0)
		return r;
	r = region_handle_ranges(&handle, &ret_ranges->range, &ret_ranges->count);
	return r < 0 ? report_error(r, "cannot read the address of %s", region->dax_device) : 0;
}

static int read_blocks(const struct region *region, const struct ranges *ranges,
		       struct memory_blocks *ret_blocks)
{
	int r = memory_blocks_read(ranges->range, ranges->count, ret_blocks);

	return r < 0 ? report_error(r, "cannot read the memory blocks of %s", region->dax_device)
		     : 0;
}

/* Binds the dax device to kmem or to device_dax, whichever driver it has now. */
static int bind_driver(const struct region *region, const char *driver)
{
	_cleanup_region_handle_ struct region_handle handle = {};
	int r = region_handle_open_device(region, &handle);

	if (r < 0)
		return r;
	if (strcmp(dax_driver(region->dax_device).text, driver) == 0)
		return 0;
	r = daxctl_dev_disable(handle.device);
	if (r < 0)
		return report_error(r, "cannot unbind %s from its driver", region->dax_device);
	r = fault(FAULT_DAX_UNBOUND);
	if (r < 0)
		return r;
	/* The objects of the library are stale now. */
	region_handle_close(&handle);
	r = region_handle_open_device(region, &handle);
	if (r < 0)
		return r;
	r = strcmp(driver, "kmem") == 0 ? daxctl_dev_enable_ram(handle.device)
					: daxctl_dev_enable_devdax(handle.device);
	/* It also returns 0 if another driver was faster. */
	if (r >= 0 && strcmp(dax_driver(region->dax_device).text, driver) != 0)
		r = -EBUSY;
	if (r < 0)
		return report_error(r, "cannot bind %s to the driver %s, see the kernel log",
				    region->dax_device, driver);
	return 0;
}

/* Unbinds kmem, but only if all blocks are offline: else the memory leaks until the next reboot. */
static int remove_offline_memory(const struct region *region, const struct ranges *ranges)
{
	_cleanup_memory_blocks_ struct memory_blocks before = {}, after = {};
	int r = read_blocks(region, ranges, &before);

	if (r < 0)
		return r;
	if (memory_blocks_online(&before))
		return report_error(-E_MEMORY,
				    "%s: %zu of its %zu blocks came online again: another program (a udev rule?) does that; stop it first",
				    region->dax_device, memory_blocks_online(&before),
				    before.count);
	r = bind_driver(region, "device_dax");
	if (r < 0)
		return r;
	r = read_blocks(region, ranges, &after);
	if (r < 0)
		return r;
	if (after.count)
		return report_error(-E_MEMORY,
				    "%s: %zu blocks are offline, but the kernel did not remove them; only a reboot brings them back",
				    region->dax_device, after.count);
	return 0;
}

int region_adopt(struct region *region)
{
	int r = bind_driver(region, "kmem");

	if (r < 0) {
		warn("%u blocks of %s stay RAM until the next reboot: only a driver that keeps track of them (package dax-kmem-dkms) can remove them",
		     region->blocks, region->name);
		return r;
	}
	return region_refresh(region);
}

static int remove_memory(const struct region *region, const struct hot_remove_limits *limits)
{
	_cleanup_memory_blocks_ struct memory_blocks blocks = {};
	_cleanup_ranges_ struct ranges ranges = {};
	int r = read_ranges(region, &ranges);

	if (r < 0)
		return r;
	r = read_blocks(region, &ranges, &blocks);
	if (r < 0)
		return r;
	r = fault(FAULT_REMOVE_BEGIN);
	if (r < 0)
		return r;
	if (region->has_state_attribute)
		r = hot_remove_by_state(region->dax_device, &blocks, limits);
	else
		r = hot_remove_by_block(region->dax_device, &blocks, limits);
	if (r < 0)
		return r;
	r = fault(FAULT_REMOVE_OFFLINE);
	return r < 0 ? r : remove_offline_memory(region, &ranges);
}

int region_hot_remove(struct region *region, const struct hot_remove_limits *limits)
{
	int r, refreshed;

	if (region->state == REGION_DEVDAX)
		return 0;
	if (region->state != REGION_RAM)
		return report_error(-EINVAL, "%s is not in use as RAM: it is %s", region->name,
				    region_state_text(region).text);
	r = remove_memory(region, limits);
	refreshed = region_refresh(region);
	return r < 0 ? r : refreshed;
}

/*
 * While memory is added, makes the kernel bring new blocks online in ZONE_MOVABLE: its default may
 * be a kernel zone, from which memory cannot be removed.
 */
struct auto_online {
	char before[32]; /* the value to restore, or "" */
	sigset_t old_signals;
};

static void auto_online_movable(struct auto_online *policy)
{
	sigset_t signals;
	int r;

	sigfillset(&signals);
	sigprocmask(SIG_BLOCK, &signals, &policy->old_signals);
	r = sysfs_read(-1, AUTO_ONLINE, policy->before, sizeof(policy->before));
	if (r == 0 && strcmp(policy->before, "online_movable") != 0) {
		r = sysfs_write(-1, AUTO_ONLINE, "online_movable");
		/* Kernels before 5.8 know only online and offline. */
		if (r < 0)
			r = sysfs_write(-1, AUTO_ONLINE, "offline");
	} else {
		policy->before[0] = '\0';
	}
	if (r < 0) {
		detail("%s: %s", AUTO_ONLINE, strerror(-r));
		policy->before[0] = '\0';
	}
}

static void auto_online_restore(const struct auto_online *policy)
{
	if (*policy->before) {
		int r = sysfs_write(-1, AUTO_ONLINE, policy->before);

		if (r < 0)
			warn("cannot set %s back to %s: %s", AUTO_ONLINE, policy->before,
			     strerror(-r));
	}
	sigprocmask(SIG_SETMASK, &policy->old_signals, NULL);
}

/* A driver with the attribute "state" adds all of its memory at once, but maybe only on request. */
static int add_by_state(const struct region *region)
{
	const struct child_limit wait = { .deadline_ns = now_ns() + ONLINE_MS * NS_PER_MS,
					  .grace_ms = ONLINE_MS };
	struct memory_failure failure;
	char state[32];
	int r = hot_remove_read_state(region->dax_device, state, sizeof(state));

	if (r < 0)
		return report_error(r, "cannot read the state of %s", region->dax_device);
	if (strcmp(state, "unplugged") != 0)
		return 0;
	r = sysfs_write_within(-1, dax_path(region->dax_device, "state").text, "online_movable",
			       &wait);
	if (r == 0)
		return 0;
	if (memory_failure_read(region->dax_device, region->block_bytes, &failure) < 0 ||
	    strcmp(failure.operation, "online") != 0 || failure.error != r)
		return report_error(r, "cannot add the memory of %s, see the kernel log",
				    region->dax_device);
	return report_error(r, "cannot add the memory of %s, as %s cannot be brought online (%s)",
			    region->dax_device, memory_failure_block(&failure).text,
			    memory_failure_reason(&failure).text);
}

/* Takes blocks offline that came online in a kernel zone: while they are new, they are empty. */
static int leave_kernel_zones(const struct region *region, struct memory_blocks *blocks)
{
	const struct hot_remove_limits limits = { .deadline_ms = UNDO_MS };

	if (memory_blocks_online(blocks) == memory_blocks_movable(blocks))
		return 0;
	inform("%s: %zu of %zu blocks are in a kernel zone, moving them to ZONE_MOVABLE",
	       region->name, memory_blocks_online(blocks) - memory_blocks_movable(blocks),
	       blocks->count);
	return hot_remove_by_block(region->dax_device, blocks, &limits);
}

static int online_all(const struct region *region)
{
	_cleanup_memory_blocks_ struct memory_blocks blocks = {};
	_cleanup_free_ struct memory_block *wanted = NULL;
	_cleanup_ranges_ struct ranges ranges = {};
	int r = read_ranges(region, &ranges);

	if (r < 0)
		return r;
	r = read_blocks(region, &ranges, &blocks);
	if (r < 0)
		return r;
	r = leave_kernel_zones(region, &blocks);
	if (r < 0)
		return r;
	if (!blocks.count)
		return report_error(-ENOMEM,
				    "%s: the driver kmem added no memory, see the kernel log",
				    region->dax_device);
	if (memory_blocks_movable(&blocks) == blocks.count)
		return 0;
	wanted = calloc(blocks.count, sizeof(*wanted));
	if (!wanted)
		return report_error(-ENOMEM, "%s", region->dax_device);
	for (size_t i = 0; i < blocks.count; i++)
		wanted[i] = (struct memory_block){ .number = blocks.block[i].number,
						   .online = true,
						   .zone = ZONE_MOVABLE };
	r = memory_blocks_online_as(&blocks, wanted, now_ns() + ONLINE_MS * NS_PER_MS);
	for (size_t i = 0; i < blocks.count; i++)
		if (!memory_block_matches(&blocks.block[i], &wanted[i]))
			return report_error(r < 0 ? r : -EIO,
					    "%s: %s cannot be brought online in ZONE_MOVABLE",
					    region->dax_device,
					    block_text(blocks.block[i].number, blocks.block_bytes)
						    .text);
	return 0;
}

/* After a failed hot-add: back to devdax, as far as possible. */
static void undo_hot_add(struct region *region)
{
	const struct hot_remove_limits limits = { .deadline_ms = UNDO_MS };

	if (region_refresh(region) < 0)
		return;
	if (region->state == REGION_RAM)
		region_hot_remove(region, &limits);
	else
		region_settle(region);
}

int region_can_be_ram(const struct region *region)
{
	if (region->target_node < 0)
		return report_error(-ENODEV,
				    "%s cannot be used as RAM, as the kernel knows no NUMA node for it: the firmware must describe it (ACPI SRAT), or memmap= must reserve a range that has RAM after it",
				    region->name);
	if (region->block_bytes && !region->ram_bytes)
		return report_error(-ENOSPC,
				    "%s cannot be used as RAM: its %s do not contain a whole memory block of %s",
				    region->name, size_text(region->devdax_bytes).text,
				    size_text(region->block_bytes).text);
	return 0;
}

static int bind_kmem(struct region *region)
{
	int r = fault(FAULT_ADD_BEGIN);

	if (r < 0)
		return r;
	if (region->state != REGION_RAM) {
		r = bind_driver(region, "kmem");
		if (r < 0)
			return r;
		r = region_refresh(region);
		if (r < 0)
			return r;
	}
	r = fault(FAULT_ADD_BOUND);
	if (r < 0)
		return r;
	return region->has_state_attribute ? add_by_state(region) : 0;
}

static int add_memory(struct region *region)
{
	struct auto_online policy = {};
	int r;

	auto_online_movable(&policy);
	r = bind_kmem(region);
	auto_online_restore(&policy);
	if (r < 0)
		return r;
	r = fault(FAULT_ADD_POLICY);
	if (r < 0)
		return r;
	r = online_all(region);
	return r < 0 ? r : fault(FAULT_ADD_ONLINE);
}

int region_hot_add(struct region *region)
{
	bool was_ram = region->state == REGION_RAM;
	int r;

	if (was_ram && region->blocks && region->blocks_movable == region->blocks)
		return 0;
	if (!was_ram && region->state != REGION_DEVDAX)
		return report_error(-EINVAL, "%s cannot be used as RAM while it is %s",
				    region->name, region_state_name(region->state));
	r = was_ram ? 0 : region_can_be_ram(region);
	if (r < 0)
		return r;
	r = add_memory(region);
	if (r < 0) {
		if (!was_ram)
			undo_hot_add(region);
		return r;
	}
	return region_refresh(region);
}

static uint64_t at_most(uint64_t value, uint64_t limit)
{
	return value < limit ? value : limit;
}

/*
 * The kernel counts per zone, not per range. If ZONE_MOVABLE of the node is only this range, as on
 * nearly all machines, used_inside is exact; if it has other memory too, as much of its used and of
 * its free memory as fits is counted as inside. Blocks in a kernel zone count as full.
 */
int region_estimate_hot_remove(const struct region *region,
			       struct hot_remove_estimate *ret_estimate)
{
	struct hot_remove_estimate estimate = {};
	struct zone_usage zone = {};
	uint64_t movable, available, inside;
	int r;

	if (region->state != REGION_RAM || !region->blocks_online) {
		r = memory_available(&estimate.available_outside);
		if (r < 0)
			return report_error(r, "cannot read /proc/meminfo");
		*ret_estimate = estimate;
		return 0;
	}
	movable = region->blocks_movable * region->block_bytes;
	r = memory_available(&available);
	if (r < 0)
		return report_error(r, "cannot read /proc/meminfo");
	r = movable ? zone_usage_read(region->target_node, ZONE_MOVABLE, &zone) : 0;
	if (r < 0)
		return report_error(r, "%s: cannot read /proc/zoneinfo", region->name);
	estimate.used_inside =
		at_most(zone.managed - at_most(zone.free, zone.managed), movable) +
		(region->blocks_online - region->blocks_movable) * region->block_bytes;
	inside = at_most(zone.free + zone.file_cache, movable);
	estimate.available_outside = available - at_most(inside, available);
	*ret_estimate = estimate;
	return 0;
}
