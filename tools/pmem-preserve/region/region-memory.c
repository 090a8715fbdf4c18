// SPDX-License-Identifier: GPL-2.0-or-later
/* RAM <-> DEVDAX. */
#include "base/child.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/report.h"
#include "base/sysfs.h"
#include "base/text.h"
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

/* Where the memory of the dax device lies: the same whichever driver it has. */
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
	return r < 0 ? report_error(r, "%s: its address cannot be read", region->dax_device) : 0;
}

static int read_blocks(const struct region *region, const struct ranges *ranges,
		       struct memory_blocks *ret_blocks)
{
	int r = memory_blocks_read(ranges->range, ranges->count, ret_blocks);

	return r < 0 ? report_error(r, "%s: its memory blocks cannot be read", region->dax_device)
		     : 0;
}

/* Gives the dax device to kmem or to device_dax, whichever driver it has now. */
static int bind_driver(const struct region *region, const char *driver)
{
	_cleanup_region_handle_ struct region_handle handle = {};
	int r = region_handle_open(region, &handle);

	if (r < 0)
		return r;
	if (!handle.device)
		return report_error(-ENODEV, "%s has no dax device any more", region->name);
	if (strcmp(dax_driver(region->dax_device).text, driver) == 0)
		return 0;
	r = daxctl_dev_disable(handle.device);
	if (r < 0)
		return report_error(r, "%s: cannot be taken from its driver", region->dax_device);
	r = fault(FAULT_DAX_UNBOUND);
	if (r < 0)
		return r;
	/* The library's objects do not survive that. */
	region_handle_close(&handle);
	r = region_handle_open(region, &handle);
	if (r < 0)
		return r;
	if (!handle.device)
		return report_error(-ENODEV, "%s has no dax device any more", region->name);
	r = strcmp(driver, "kmem") == 0 ? daxctl_dev_enable_ram(handle.device)
					: daxctl_dev_enable_devdax(handle.device);
	/* It also says 0 when another driver was quicker. */
	if (r >= 0 && strcmp(dax_driver(region->dax_device).text, driver) != 0)
		r = -EBUSY;
	if (r < 0)
		return report_error(r, "%s: the driver %s does not take it, see the kernel's log",
				    region->dax_device, driver);
	return 0;
}

/* Unbinds kmem when, and only when, nothing is online: otherwise the memory leaks until reboot. */
static int remove_offline_memory(const struct region *region, const struct ranges *ranges)
{
	_cleanup_memory_blocks_ struct memory_blocks before = {}, after = {};
	int r = read_blocks(region, ranges, &before);

	if (r < 0)
		return r;
	if (memory_blocks_online(&before))
		return report_error(-E_MEMORY,
				    "%s: %zu of its %zu blocks came online again: another program (a udev rule?) does that, stop it first",
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
				    "%s: %zu blocks are offline but the kernel did not remove them; only a reboot gives them back",
				    region->dax_device, after.count);
	return 0;
}

int region_adopt(struct region *region)
{
	int r = bind_driver(region, "kmem");

	if (r == 0)
		r = region_refresh(region);
	else
		warn("%u blocks of %s stay RAM until the next reboot: only a driver that remembers them (the package dax-kmem-dkms) can take them back",
		     region->blocks, region->name);
	return r;
}

int region_hot_remove(struct region *region, const struct hot_remove_limits *limits)
{
	_cleanup_memory_blocks_ struct memory_blocks blocks = {};
	_cleanup_ranges_ struct ranges ranges = {};
	int r;

	if (region->state == REGION_DEVDAX)
		return 0;
	if (region->state != REGION_RAM)
		return report_error(-EINVAL, "%s is not in use as RAM, it is %s%s%s", region->name,
				    region_state_name(region->state), *region->why ? ": " : "",
				    region->why);
	r = read_ranges(region, &ranges);
	if (r == 0)
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
	if (r == 0)
		r = fault(FAULT_REMOVE_OFFLINE);
	if (r == 0)
		r = remove_offline_memory(region, &ranges);
	if (r < 0) {
		/* The error is reported; what is there now is worth knowing all the same. */
		region_refresh(region);
		return r;
	}
	return region_refresh(region);
}

/*
 * Makes the kernel bring new memory online as movable while it is added: its default may be a
 * kernel zone, out of which memory cannot be taken again. "" when there is nothing to restore.
 */
struct auto_online {
	char before[32];
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
			warn("%s cannot be set back to %s: %s", AUTO_ONLINE, policy->before,
			     strerror(-r));
	}
	sigprocmask(SIG_SETMASK, &policy->old_signals, NULL);
}

/* A driver with the attribute adds its memory in one go, and may wait to be told to. */
static int add_by_state(const struct region *region)
{
	const struct child_limit wait = { .deadline_ns = now_ns() + ONLINE_MS * NS_PER_MS,
					  .grace_ms = ONLINE_MS };
	struct memory_failure failure;
	char path[96], state[32];
	int r = hot_remove_read_state(region->dax_device, state, sizeof(state));

	if (r < 0)
		return report_error(r, "%s: its state cannot be read", region->dax_device);
	if (strcmp(state, "unplugged") != 0)
		return 0;
	snprintf(path, sizeof(path), "/sys/bus/dax/devices/%s/state", region->dax_device);
	r = sysfs_write_within(-1, path, "online_movable", &wait);
	if (r == 0)
		return 0;
	if (memory_failure_read(region->dax_device, region->block_bytes, &failure) < 0 ||
	    strcmp(failure.operation, "online") != 0 || failure.error != r)
		return report_error(r, "%s: its memory cannot be added, see the kernel's log",
				    region->dax_device);
	return report_error(r,
			    "%s: its memory cannot be added, as %s cannot be brought online (%s)",
			    region->dax_device, memory_failure_block(&failure).text,
			    memory_failure_reason(&failure).text);
}

/* Takes out again what came up in a kernel zone: as long as that is new, it is still empty. */
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

	if (r == 0)
		r = read_blocks(region, &ranges, &blocks);
	if (r == 0)
		r = leave_kernel_zones(region, &blocks);
	if (r < 0)
		return r;
	if (!blocks.count)
		return report_error(-ENOMEM,
				    "%s: the driver kmem added no memory, see the kernel's log",
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

/* After a failed hot-add: back to devdax, as far as that goes. */
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
				    "%s cannot be used as RAM, as the kernel knows no NUMA node for it: the firmware must describe it (ACPI SRAT), or memmap= set aside a range with RAM behind it",
				    region->name);
	if (region->block_bytes && !region->ram_bytes)
		return report_error(-ENOSPC,
				    "%s cannot be used as RAM: its %s do not hold one whole memory block of %s",
				    region->name, size_text(region->devdax_bytes).text,
				    size_text(region->block_bytes).text);
	return 0;
}

int region_hot_add(struct region *region)
{
	bool was_ram = region->state == REGION_RAM;
	struct auto_online policy = {};
	int r;

	if (was_ram && region->blocks && region->blocks_movable == region->blocks)
		return 0;
	if (!was_ram && region->state != REGION_DEVDAX)
		return report_error(-EINVAL, "%s cannot be used as RAM while it is %s",
				    region->name, region_state_name(region->state));
	if (!was_ram) {
		r = region_can_be_ram(region);
		if (r < 0)
			return r;
	}
	auto_online_movable(&policy);
	r = fault(FAULT_ADD_BEGIN);
	if (r == 0 && !was_ram) {
		r = bind_driver(region, "kmem");
		if (r == 0)
			r = region_refresh(region);
	}
	if (r == 0)
		r = fault(FAULT_ADD_BOUND);
	if (r == 0 && region->has_state_attribute)
		r = add_by_state(region);
	auto_online_restore(&policy);
	if (r == 0)
		r = fault(FAULT_ADD_POLICY);
	if (r == 0)
		r = online_all(region);
	if (r == 0)
		r = fault(FAULT_ADD_ONLINE);
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
 * The kernel counts by zone, not by range. Where the node's ZONE_MOVABLE is this range alone, as it
 * is on nearly all machines, used_inside is exact; where it holds other memory too, the range is
 * taken to hold as much of what is used, and of what is free, as fits into it. Blocks in a kernel
 * zone count as full.
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
			return report_error(r, "/proc/meminfo cannot be read");
		*ret_estimate = estimate;
		return 0;
	}
	movable = region->blocks_movable * region->block_bytes;
	r = memory_available(&available);
	if (r == 0 && movable)
		r = zone_usage_read(region->target_node, ZONE_MOVABLE, &zone);
	if (r < 0)
		return report_error(r, "%s: how full its memory is cannot be read", region->name);
	estimate.used_inside =
		at_most(zone.managed - at_most(zone.free, zone.managed), movable) +
		(region->blocks_online - region->blocks_movable) * region->block_bytes;
	inside = at_most(zone.free + zone.file_cache, movable);
	estimate.available_outside = available - at_most(inside, available);
	*ret_estimate = estimate;
	return 0;
}
