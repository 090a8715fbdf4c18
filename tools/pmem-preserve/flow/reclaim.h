/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Taking the memory of a region back from the system and giving it to the system again, as the
 * commands do it: the chain of region transitions, each told to the operator. Must not know of
 * images; whoever gives memory away has asked checkpoint_guard() first.
 */
#ifndef PMEM_PRESERVE_RECLAIM_H
#define PMEM_PRESERVE_RECLAIM_H

#include "settings/config.h"
#include "region/region.h"

struct json_object;
struct options;

/*
 * What every command begins with that changes a region by itself: takes the lock (*ret_lock, to be
 * closed at the end), finds the region, and brings up what another command left half way: what lies
 * in it is only seen, and guarded, then. With --dry-run it is only found. Reported.
 */
int memory_begin(const struct options *options, int *ret_lock, struct region *ret_region);

/*
 * What is told before the memory is touched: what the region is, what alignment costs, what has to
 * move out of it. -EINVAL (reported) when it cannot serve. Adds "region" and "estimate" to @result.
 */
int memory_explain(const struct region *region, struct json_object *result);

/* The room for an image once the region has that layout, bytes. */
uint64_t memory_capacity(const struct region *region, enum layout layout);

/*
 * From whatever it is to that layout. What was tried and failed has been rolled back; where it is
 * known why memory could not be removed, "memory_failure" is added to @result.
 */
int memory_take(struct region *region, enum layout layout, unsigned int deadline_seconds,
		struct json_object *result);

/* From whatever it is to RAM, all of it in ZONE_MOVABLE. */
int memory_give(struct region *region);

#endif
