// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hot-remove: all blocks go offline and all ranges are removed, or what was online before is online
 * again in the same zones.
 *
 * All blocks of all ranges are offline before the first range is removed. The notifier keeps
 * everybody else from onlining one meanwhile, so that removing, which cannot be undone cheaply,
 * does not fail.
 */
#include "kmem.h"

#include <linux/ktime.h>
#include <linux/memory_hotplug.h>
#include <linux/slab.h>

#define CREATE_TRACE_POINTS
#include "kmem-trace.h"

/* Emptiest block first. On error @failure names the block. */
static int offline_all(struct kmem_memory *memory, struct kmem_block *blocks, unsigned int count,
		       struct kmem_failure *failure)
{
	unsigned int i;
	ktime_t began;
	int r;

	kmem_sort_emptiest_first(blocks, count);
	for (i = 0; i < count; i++) {
		if (blocks[i].before == KMEM_OFFLINE)
			continue;
		began = ktime_get();
		r = kmem_set_block(memory, blocks[i].pfn, KMEM_OFFLINE);
		trace_kmem_block(memory->name, kmem_block_number(blocks[i].pfn), blocks[i].used, r,
				 ktime_us_delta(ktime_get(), began));
		if (r) {
			failure->block = blocks[i].pfn;
			return r;
		}
	}
	return 0;
}

/* Its blocks are offline: whoever looks at the memory from now on need not look at them. */
static int remove_range(struct kmem_memory *memory, struct kmem_range *range)
{
	int r;

	kmem_set_added(memory, range, false);
	r = remove_memory(range->range.start, range_len(&range->range));
	if (r)
		kmem_set_added(memory, range, true);
	return r;
}

/*
 * All that are added, or none. They are offline, and added again they are offline as well; until
 * the last one is gone, all of them stay reserved.
 */
static int remove_ranges(struct kmem_memory *memory)
{
	struct kmem_range *range, *end = memory->ranges + memory->nr_ranges;
	int r = 0;

	for (range = memory->ranges; range < end && r == 0; range++)
		if (range->added)
			r = remove_range(memory, range);
	if (r)
		memory->wanted = KMEM_UNPLUGGED;
	for (range = memory->ranges; range < end; range++) {
		if (r == 0)
			kmem_unreserve(range);
		else if (range->res && !range->added)
			kmem_add_range(memory, range);
	}
	return r;
}

/**
 * kmem_take_out() - take blocks offline and remove all ranges
 * @memory: within a job of it
 * @blocks: all of it, as kmem_list_blocks() found them; they are sorted
 * @count: how many
 * @failure: gets the block that did not go
 *
 * Return: 0; or a negative errno, and the blocks that went are offline.
 */
int kmem_take_out(struct kmem_memory *memory, struct kmem_block *blocks, unsigned int count,
		  struct kmem_failure *failure)
{
	int r = offline_all(memory, blocks, count, failure);

	return r ?: remove_ranges(memory);
}

static void find_reason(const struct kmem_memory *memory, struct kmem_failure *failure, int error)
{
	if (memory->cancelled && !memory->asked)
		failure->class = KMEM_CLASS_NOTIFIER;
	else if (error == -ECANCELED)
		failure->class = KMEM_CLASS_INTERRUPTED;
	else if (failure->block != KMEM_NO_PFN)
		kmem_find_reason(failure);
	if (failure->class == KMEM_CLASS_UNKNOWN && error == -ETIMEDOUT)
		failure->class = KMEM_CLASS_SLOW;
}

static void roll_back(struct kmem_memory *memory, const struct kmem_block *blocks,
		      unsigned int count, struct kmem_failure *failure)
{
	unsigned int i;
	int r;

	kmem_begin_undo(memory, false);
	for (i = 0; i < count; i++) {
		if (blocks[i].before == KMEM_OFFLINE ||
		    kmem_block_state(blocks[i].pfn) == blocks[i].before)
			continue;
		r = kmem_set_block(memory, blocks[i].pfn, blocks[i].before);
		trace_kmem_rollback(memory->name, kmem_block_number(blocks[i].pfn), r);
		failure->lost += r != 0;
	}
	failure->rollback = failure->lost ? KMEM_ROLLBACK_INCOMPLETE : KMEM_ROLLBACK_COMPLETE;
}

static int run_remove(struct kmem_memory *memory, struct kmem_failure *failure)
{
	struct kmem_block *blocks;
	int count = kmem_list_blocks(memory, &blocks);
	int r;

	if (count < 0)
		return count;
	memory->wanted = KMEM_OFFLINE;
	r = kmem_take_out(memory, blocks, count, failure);
	if (r) {
		find_reason(memory, failure, r);
		roll_back(memory, blocks, count, failure);
	} else {
		kmem_release(memory);
	}
	kvfree(blocks);
	return r;
}

/**
 * kmem_remove() - take everything offline and remove it, or leave everything as it is
 * @memory: the caller holds its lock
 *
 * Takes at most timeout_ms of @memory, plus the time of one migration and of the rollback. A fatal
 * signal to the caller ends it too.
 *
 * Return: 0, also when nothing was added. -EBUSY: something does not go. -ETIMEDOUT, -ECANCELED
 * (the caller was killed), -ENOMEM, or the errno of a memory notifier.
 */
int kmem_remove(struct kmem_memory *memory)
{
	unsigned int timeout_ms = READ_ONCE(memory->timeout_ms);
	int r;

	if (!kmem_added(memory))
		return 0;
	trace_kmem_unplug_begin(memory->name, kmem_count_blocks(memory), timeout_ms);
	r = kmem_run(memory, KMEM_UNPLUG, run_remove, timeout_ms);
	trace_kmem_unplug_end(memory->name, r, memory->failure.lost);
	return r;
}
