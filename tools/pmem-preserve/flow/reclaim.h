/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Taking the memory of a region back from the system and giving it to the system again, as the
 * commands do it: the chain of region transitions, each reported to the operator. Callers ask
 * checkpoint_guard() before they give memory away.
 */
#ifndef PMEM_PRESERVE_RECLAIM_H
#define PMEM_PRESERVE_RECLAIM_H

#include "region/region.h"
#include "settings/config.h"

/* What was found out about the memory on the way. */
struct memory_report {
	bool has_estimate;
	struct hot_remove_estimate estimate; /* of what has to move out of the range */
	struct memory_failure failure; /* why it could not be removed; error is 0 if it could */
};

/*
 * The start of every command that changes a region by itself: takes the lock (*ret_lock, to be
 * closed at the end), finds the region called @name (NULL for the only one), and brings up what
 * another command has left half way: only then can it be seen, and guarded, what lies in it. With
 * @dry_run it is only found. Errors are reported.
 */
int memory_begin(const char *name, bool dry_run, int *ret_lock, struct region *ret_region);

/*
 * Says before the memory is touched what the region is, what alignment costs, and what has to move
 * out of it, which is also stored in @report. -EINVAL (reported) if the region cannot be used.
 */
int memory_explain(const struct region *region, struct memory_report *report);

/*
 * What a dry run knows of a removal that has yet to be tried. -E_MEMORY (reported), as the real run
 * may have it: the last attempt failed, by the driver's own look at the pages, and nothing has been
 * removed since; @report->failure is that. Otherwise it says what only the real run finds out.
 */
int memory_foresee(const struct region *region, struct memory_report *report);

/* The room for an image in bytes once the region has that layout. */
uint64_t memory_capacity(const struct region *region, enum layout layout);

/*
 * From whatever the region is to that layout. What failed half way has been rolled back; why memory
 * could not be removed, if that is known, is in @report->failure.
 */
int memory_reclaim(struct region *region, enum layout layout, unsigned int deadline_seconds,
		   struct memory_report *report);

/* From whatever the region is to RAM, all of it in ZONE_MOVABLE. */
int memory_release(struct region *region);

#endif
