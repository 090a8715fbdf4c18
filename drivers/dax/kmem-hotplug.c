// SPDX-License-Identifier: GPL-2.0-only
/*
 * The operations on the memory of a device. Hot-add makes all ranges System RAM, or none.
 * Hot-remove takes all blocks offline and removes all ranges, or none (kmem-rollback.c).
 *
 * All blocks of all ranges are offline before the first range is removed. Meanwhile the notifier
 * keeps others from onlining them, so removal itself, which is expensive to undo, does not fail.
 */
#include "kmem.h"

#include <linux/ktime.h>
#include <linux/slab.h>

#include "kmem-trace.h"

/* Emptiest block first. On error @failure has the block. */
static int offline_all(struct kmem_memory *memory, struct kmem_block *blocks, unsigned int count,
		       struct kmem_failure *failure)
{
	unsigned int i;
	ktime_t began;
	int r;

	for (i = 0; i < count; i++) {
		r = kmem_stopped(memory);
		if (r)
			return r;
		kmem_survey_block(&blocks[i]);
	}
	kmem_sort_emptiest_first(blocks, count);
	for (i = 0; i < count; i++) {
		if (kmem_block_state(blocks[i].pfn) == KMEM_OFFLINE)
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

/*
 * Takes all @blocks of the memory offline and removes all ranges. Rolls nothing back: on error,
 * some blocks may be offline.
 */
static int kmem_offline_and_remove(struct kmem_memory *memory, struct kmem_block *blocks,
				   unsigned int count, struct kmem_failure *failure)
{
	int r = offline_all(memory, blocks, count, failure);

	return r ?: kmem_remove_ranges(memory);
}

static int online_all(struct kmem_memory *memory, struct kmem_failure *failure)
{
	struct kmem_block *blocks;
	int i, r = 0, count = kmem_list_blocks(memory, &blocks);

	if (count < 0)
		return count;
	for (i = 0; i < count && r == 0; i++) {
		if (blocks[i].before == memory->wanted)
			continue;
		r = kmem_stopped(memory);
		if (r)
			break;
		r = kmem_set_block(memory, blocks[i].pfn, memory->wanted);
		if (r)
			failure->block = blocks[i].pfn;
	}
	kvfree(blocks);
	return r;
}

static int add_all(struct kmem_memory *memory, struct kmem_failure *failure)
{
	unsigned int i;
	int r;

	memory->zone_refused = false;
	for (i = 0; i < memory->nr_ranges; i++) {
		r = kmem_stopped(memory);
		if (r)
			return r;
		r = kmem_add_range(memory, &memory->ranges[i]);
		if (r)
			return r;
	}
	/* Auto-online chose a kernel zone and was refused: online to ZONE_MOVABLE instead. */
	if (memory->wanted == KMEM_OFFLINE && memory->zone_refused)
		memory->wanted = KMEM_ONLINE_MOVABLE;
	return memory->wanted == KMEM_OFFLINE ? 0 : online_all(memory, failure);
}

static void undo_add(struct kmem_memory *memory, struct kmem_failure *failure)
{
	struct kmem_failure ignored = {};
	struct kmem_block *blocks;
	int count, r;

	kmem_begin_undo(memory, true, KMEM_UNDO_MS);
	count = kmem_list_blocks(memory, &blocks);
	if (count < 0) {
		r = count;
	} else {
		r = kmem_offline_and_remove(memory, blocks, count, &ignored);
		kvfree(blocks);
	}
	failure->rollback = r ? KMEM_ROLLBACK_INCOMPLETE : KMEM_ROLLBACK_COMPLETE;
	failure->lost = r ? kmem_count_blocks(memory) : 0;
}

static int run_add(struct kmem_memory *memory, struct kmem_failure *failure)
{
	int r = kmem_acquire(memory);

	if (r)
		return r;
	r = add_all(memory, failure);
	if (r) {
		kmem_classify_failure(memory, failure, r);
		undo_add(memory, failure);
		if (!kmem_added(memory))
			kmem_release(memory);
	}
	return r;
}

/**
 * kmem_add() - hot-add all ranges, or none
 * @memory: memory with no range added; the caller holds its lock
 * @wanted: KMEM_ONLINE_MOVABLE or KMEM_ONLINE_KERNEL; or KMEM_OFFLINE to follow the kernel's
 *	auto-online policy, but online to ZONE_MOVABLE
 *
 * Return: 0, -EBUSY if a range is reserved, -ECANCELED if the caller was killed, or an error of
 * memory hot-plug or of a notifier. After an error ranges may still be added, if they could not be
 * removed again: see kmem_added().
 */
int kmem_add(struct kmem_memory *memory, enum kmem_state wanted)
{
	memory->wanted = wanted;
	return kmem_run(memory, KMEM_ONLINE, run_add, KMEM_TIMEOUT_MAX_MS);
}

static int run_remove(struct kmem_memory *memory, struct kmem_failure *failure)
{
	struct kmem_block *blocks;
	int count = kmem_list_blocks(memory, &blocks);
	int r;

	if (count < 0)
		return count;
	kmem_recall(memory, blocks, count);
	memory->wanted = KMEM_OFFLINE;
	r = kmem_offline_and_remove(memory, blocks, count, failure);
	if (r) {
		kmem_classify_failure(memory, failure, r);
		kmem_roll_back(memory, blocks, count, failure);
		return r;
	}
	kmem_forget(memory);
	kmem_release(memory);
	kvfree(blocks);
	return 0;
}

/**
 * kmem_remove() - hot-remove all ranges, or none
 * @memory: the caller holds its lock
 *
 * Takes at most timeout_ms of @memory, plus one migration pass and KMEM_UNDO_MS of rollback, which
 * goes on in the background if it is not complete by then. A fatal signal to the caller, or a
 * suspend, cancels the removal.
 *
 * Return: 0, also if nothing was added; -EBUSY if a block could not be taken offline, -ETIMEDOUT,
 * -ECANCELED if the caller was killed, -ENOMEM, or an error of a memory notifier.
 */
int kmem_remove(struct kmem_memory *memory)
{
	unsigned int timeout_ms = READ_ONCE(memory->timeout_ms);
	int r;

	if (!kmem_added(memory))
		return 0;
	kmem_stop_rollback(memory);
	trace_kmem_unplug_begin(memory->name, kmem_count_blocks(memory), timeout_ms);
	r = kmem_run(memory, KMEM_UNPLUG, run_remove, timeout_ms);
	trace_kmem_unplug_end(memory->name, r, memory->failure.lost);
	kmem_continue_rollback(memory);
	return r;
}
