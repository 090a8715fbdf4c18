// SPDX-License-Identifier: GPL-2.0-or-later
#include "flow/reclaim.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/report.h"
#include "base/text.h"
#include "flow/instance.h"
#include "image/image.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void on_blocks(void *data, unsigned int blocks_offline, unsigned int blocks)
{
	struct progress *progress = data;
	uint64_t done = blocks ? blocks_offline * progress->total / blocks : 0;

	if (done > progress->done)
		progress_add(progress, done - progress->done);
}

int memory_begin(const char *name, bool dry_run, int *ret_lock, struct region *ret_region)
{
	int r = dry_run ? 0 : instance_lock(0, ret_lock);

	if (r == 0)
		r = region_find(name, ret_region);
	if (r == 0 && !dry_run)
		r = region_settle(ret_region);
	return r;
}

uint64_t memory_capacity(const struct region *region, enum layout layout)
{
	return layout == LAYOUT_RAW ? region->raw_bytes : region->devdax_bytes;
}

/* Only warns: the estimate is pessimistic, and the kernel may drop caches or swap. */
static int explain_removal(const struct region *region, struct memory_report *report)
{
	struct hot_remove_estimate needs;
	int r = region_estimate_hot_remove(region, &needs);

	if (r < 0)
		return r;
	report->has_estimate = true;
	report->estimate = needs;
	detail("%s: at most %s have to move, into %s that are available elsewhere", region->name,
	       size_text(needs.used_inside).text, size_text(needs.available_outside).text);
	if (needs.used_inside > needs.available_outside)
		warn("%s may hold more than fits elsewhere: up to %s in use, %s available outside",
		     region->name, size_exact(needs.used_inside).text,
		     size_exact(needs.available_outside).text);
	return 0;
}

int memory_explain(const struct region *region, struct memory_report *report)
{
	if (region->state == REGION_OTHER)
		return report_error(-EINVAL, "%s cannot be used: %s", region->name, region->why);
	detail("%s (%s, %s) is %s: %s as raw, %s as devdax, %s as RAM in blocks of %s",
	       region->name, region->provider, size_text(region->raw_bytes).text,
	       region_state_name(region->state), size_text(region->raw_bytes).text,
	       size_text(region->devdax_bytes).text, size_text(region->ram_bytes).text,
	       size_text(region->block_bytes).text);
	return region->state == REGION_RAM ? explain_removal(region, report) : 0;
}

int memory_foresee(const struct region *region, struct memory_report *report)
{
	const struct memory_failure *failure = &region->last_failure;

	if (region->state != REGION_RAM)
		return 0;
	if (failure->error && strcmp(failure->operation, "unplug") == 0) {
		report->failure = *failure;
		return report_error(-E_MEMORY,
				    "%s could not be taken back when that was last tried: %s: %s; \"pmem-preserve prepare\" tries again while the services run, \"abort\" undoes it",
				    region->name, memory_failure_block(failure).text,
				    memory_failure_reason(failure).text);
	}
	inform("Whether each page of %s can be moved is not known before it is tried: \"pmem-preserve prepare\" does that while the services run, \"abort\" undoes it",
	       region->name);
	return 0;
}

/*
 * What was RAM may by chance hold a page of an old image just where an image begins. It is erased at
 * once, so that nothing takes it for a checkpoint before the conversion has zeroed that place.
 */
static int erase_stale_header(const struct region *region)
{
	_cleanup_store_ struct store *store = NULL;
	char path[REGION_PATH_BYTES];
	int r;

	region_path(region, path);
	r = store_open(path, STORE_UPDATE, &store);
	return r < 0 ? r : image_erase(store);
}

static int reclaim(struct region *region, enum layout layout, unsigned int deadline_seconds,
		   struct memory_report *report)
{
	struct progress progress;
	struct hot_remove_limits limits = {
		.deadline_ms = deadline_seconds * 1000ull,
		.progress = on_blocks,
		.data = &progress,
		.failure = &report->failure,
	};
	uint64_t start = now_ns();
	int r = 0;

	if (region_is_kept(region)) {
		inform("Binding %s to kmem again", region->dax_device);
		r = region_adopt(region);
		if (r < 0)
			return r;
	}
	if (region->state == REGION_RAM) {
		inform("Taking %s back from the system: %u blocks of %s, at most %u seconds",
		       region->name, region->blocks, size_text(region->block_bytes).text,
		       deadline_seconds);
		progress_begin(&progress, "Taking memory back",
			       region->blocks * region->block_bytes);
		r = region_hot_remove(region, &limits);
		progress_end(&progress);
		if (r < 0)
			return r;
		inform("%s is no longer RAM (%.2f s)", region->name, seconds_since(start));
		r = fault(FAULT_REMOVE_DEVDAX);
		if (r == 0)
			r = erase_stale_header(region);
		if (r < 0)
			return r;
	}
	if (layout == LAYOUT_RAW && region->state != REGION_RAW)
		return region_to_raw(region);
	if (layout == LAYOUT_DEVDAX && region->state != REGION_DEVDAX)
		return region_to_devdax(region);
	return 0;
}

int memory_reclaim(struct region *region, enum layout layout, unsigned int deadline_seconds,
		   struct memory_report *report)
{
	const struct region before = *region;
	int r = reclaim(region, layout, deadline_seconds, report);

	if (r == 0 && region->state != before.state)
		inform("%s is %s now: %s", region->name, region_state_name(region->state),
		       size_text(memory_capacity(region, layout)).text);
	if (r == 0 || before.state != REGION_RAM ||
	    (region->state == REGION_RAM && region->blocks_online >= before.blocks_online))
		return r;
	inform("Giving the memory back");
	if (region_settle(region) < 0 || memory_release(region) < 0)
		warn("%s could not be given back completely; \"pmem-preserve hot-add\" tries again",
		     region->name);
	return r;
}

int memory_release(struct region *region)
{
	uint64_t start = now_ns();
	int r = 0;

	if (region_is_kept(region))
		r = region_adopt(region);
	else if (region->state == REGION_OTHER)
		return report_error(-EINVAL, "%s cannot be used as RAM: %s", region->name,
				    region->why);
	if (r == 0 && region->state != REGION_RAM)
		r = region_can_be_ram(region);
	if (r == 0 && region->state != REGION_DEVDAX && region->state != REGION_RAM)
		r = region_to_devdax(region);
	if (r == 0)
		r = region_hot_add(region);
	if (r == 0)
		inform("%s is RAM: %s in ZONE_MOVABLE (%.2f s)", region->name,
		       size_text(region->ram_bytes).text, seconds_since(start));
	return r;
}
