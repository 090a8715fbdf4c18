// SPDX-License-Identifier: GPL-2.0-only
/*
 * The rollback of a removal that failed: brings the blocks that were online back online, each in
 * its zone. It has KMEM_UNDO_MS while the writer waits. Whatever is still missing then is brought
 * back in the background, for as long as it takes: somebody else may hold the lock of memory
 * hot-plug for minutes, or refuse a block until something else has happened.
 *
 * The operations of the memory stop that work first, and let it go on when they have failed. So the
 * worker of an operation and the work never run at a time.
 */
#include "kmem.h"

#include <linux/minmax.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "kmem-trace.h"

/* One pass in the background; short, since a suspend waits for it. */
#define PASS_MS 1000

/* Pauses: for the lock of memory hot-plug; after an error, from the first to the longest. */
#define LOCK_PAUSE_MS	 20
#define FIRST_PAUSE_MS	 250
#define LONGEST_PAUSE_MS 30000

/*
 * Brings blocks back until all are online or the job has to stop. @ret_lost: how many are not.
 * @ret_reason: gets the last of these and why, or is NULL. Returns 0 if another pass is of no use,
 * else the last error. Blocks with a poisoned page cannot come back before the memory is removed.
 */
static int restore(struct kmem_memory *memory, unsigned int *ret_lost,
		   struct kmem_failure *ret_reason)
{
	const struct kmem_block *block, *end = memory->before + memory->nr_before;
	int error = 0;

	*ret_lost = 0;
	for (block = memory->before; block < end; block++) {
		int r;

		if (block->before == KMEM_OFFLINE || kmem_block_state(block->pfn) != KMEM_OFFLINE)
			continue;
		r = kmem_stopped(memory);
		if (!r) {
			r = kmem_set_block(memory, block->pfn, block->before);
			trace_kmem_rollback(memory->name, kmem_block_number(block->pfn), r);
		}
		if (!r)
			continue;
		(*ret_lost)++;
		if (r != -EHWPOISON)
			error = r;
		if (ret_reason) {
			ret_reason->block = block->pfn;
			kmem_classify_failure(memory, ret_reason, r);
		}
	}
	return error;
}

/* What the result of restore() means; forgets the blocks unless the rollback goes on. */
static enum kmem_rollback conclude(struct kmem_memory *memory, int error, unsigned int lost)
{
	if (error) {
		/* Others only delay it: nobody should get the lock before it. */
		kmem_go_first(memory, error == -ETIMEDOUT);
		return KMEM_ROLLBACK_GOING_ON;
	}
	kmem_go_first(memory, false);
	kmem_forget(memory);
	return lost ? KMEM_ROLLBACK_INCOMPLETE : KMEM_ROLLBACK_COMPLETE;
}

static void go_on(struct kmem_memory *memory)
{
	unsigned int pause_ms = memory->first ? LOCK_PAUSE_MS : memory->pause_ms;

	queue_delayed_work(system_freezable_wq, &memory->restorer, msecs_to_jiffies(pause_ms));
}

static void run_restorer(struct work_struct *work)
{
	struct kmem_memory *memory =
		container_of(to_delayed_work(work), struct kmem_memory, restorer);
	struct kmem_failure failure;
	unsigned int lost;
	int r;

	kmem_go_first(memory, true);
	if (!kmem_try_turn()) {
		go_on(memory);
		return;
	}
	WRITE_ONCE(memory->worker, current);
	kmem_begin_undo(memory, false, PASS_MS);
	r = restore(memory, &lost, NULL);
	/* The wait for the lock leaves a signal behind. */
	flush_signals(current);
	WRITE_ONCE(memory->worker, NULL);
	kmem_end_turn();

	failure = memory->failure;
	failure.rollback = conclude(memory, r, lost);
	failure.lost = lost;
	if (failure.rollback == KMEM_ROLLBACK_GOING_ON) {
		kmem_note_rollback(memory, failure.rollback, lost);
		memory->pause_ms = min(2 * memory->pause_ms, LONGEST_PAUSE_MS);
		go_on(memory);
	} else {
		kmem_report(memory, &failure);
	}
}

void kmem_rollback_init(struct kmem_memory *memory)
{
	INIT_DELAYED_WORK(&memory->restorer, run_restorer);
}

/**
 * kmem_recall() - tell which blocks were online before an earlier removal
 * @memory: memory of the job
 * @blocks: all its blocks, as listed by kmem_list_blocks()
 * @count: number of @blocks
 *
 * If the rollback of that removal is not complete, its blocks are to come back when this one fails.
 */
void kmem_recall(const struct kmem_memory *memory, struct kmem_block *blocks, unsigned int count)
{
	unsigned int i;

	if (!memory->before || memory->nr_before != count)
		return;
	for (i = 0; i < count; i++)
		if (blocks[i].before == KMEM_OFFLINE)
			blocks[i].before = memory->before[i].before;
}

/* Ends a rollback: blocks that are offline stay so. */
void kmem_forget(struct kmem_memory *memory)
{
	kvfree(memory->before);
	memory->before = NULL;
	memory->nr_before = 0;
}

/**
 * kmem_roll_back() - roll back a removal, for use in its job
 * @memory: memory of the job
 * @blocks: all its blocks, as they were before; freed by kmem_forget()
 * @count: number of @blocks
 * @failure: gets the result. If it is KMEM_ROLLBACK_GOING_ON, the operation calls
 *	kmem_continue_rollback() at its end
 */
void kmem_roll_back(struct kmem_memory *memory, struct kmem_block *blocks, unsigned int count,
		    struct kmem_failure *failure)
{
	int r;

	kmem_forget(memory);
	kmem_sort_by_address(blocks, count);
	memory->before = blocks;
	memory->nr_before = count;
	memory->pause_ms = FIRST_PAUSE_MS;
	kmem_begin_undo(memory, false, KMEM_UNDO_MS);
	r = restore(memory, &failure->lost, NULL);
	failure->rollback = conclude(memory, r, failure->lost);
}

/**
 * kmem_stop_rollback() - stop the rollback in the background
 * @memory: the caller holds its lock
 *
 * Soon: it notices between two attempts to change a block. The blocks are not forgotten.
 */
void kmem_stop_rollback(struct kmem_memory *memory)
{
	WRITE_ONCE(memory->abandon, true);
	cancel_delayed_work_sync(&memory->restorer);
	WRITE_ONCE(memory->abandon, false);
	kmem_go_first(memory, false);
}

/**
 * kmem_continue_rollback() - let a rollback go on in the background, if one is not complete
 * @memory: the caller holds its lock, and has ended its operation
 */
void kmem_continue_rollback(struct kmem_memory *memory)
{
	if (memory->before)
		go_on(memory);
}

static int run_finish(struct kmem_memory *memory, struct kmem_failure *failure)
{
	memory->wanted = KMEM_MIXED;
	return restore(memory, &failure->lost, failure);
}

/**
 * kmem_finish_rollback() - complete a rollback now, or give it up
 * @memory: the caller holds its lock
 *
 * Takes at most timeout_ms of @memory.
 *
 * Return: 0, also if there is none; -ETIMEDOUT, -ECANCELED if the caller was killed, or the error
 * of a block.
 */
int kmem_finish_rollback(struct kmem_memory *memory)
{
	int r;

	kmem_stop_rollback(memory);
	if (!memory->before)
		return 0;
	r = kmem_run(memory, KMEM_ONLINE, run_finish, READ_ONCE(memory->timeout_ms));
	kmem_forget(memory);
	return r;
}
