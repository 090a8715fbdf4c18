// SPDX-License-Identifier: GPL-2.0-or-later
/* One block after the other, with memoryN/state: works with every driver. */
#include "base/child.h"
#include "base/fault.h"
#include "base/report.h"
#include "base/text.h"
#include "region/block-order.h"
#include "region/hotremove-attempt.h"
#include "region/hotremove.h"
#include "region/memory-blocks.h"

#include <errno.h>
#include <poll.h>

#define BUSY_TRIES    3
#define BUSY_PAUSE_MS 100

static int offline_block(const struct memory_block *block)
{
	for (unsigned int try = 1;; try++) {
		struct memory_block now = { .number = block->number };

		int r = memory_block_write_state(block->number, "offline");

		/* The state of the block counts, not the result of the write. */
		if (memory_block_refresh(&now) == 0 && !now.online)
			return 0;
		if (r == 0)
			return -EIO;
		if ((r != -EBUSY && r != -EAGAIN) || try == BUSY_TRIES)
			return r;
		/* A page may have been busy for a moment. */
		poll(NULL, 0, BUSY_PAUSE_MS);
	}
}

/* One child for all blocks: a process per block would take longer than an empty block does. */
static int offline_in_child(void *data)
{
	struct attempt *attempt = data;

	for (size_t step = 0; step < attempt->blocks->count; step++) {
		const struct memory_block *block = &attempt->before[attempt->order[step].index];
		int r = block->online ? offline_block(block) : 0;

		if (r < 0)
			return r;
		__atomic_store_n(attempt->steps, step + 1, __ATOMIC_RELAXED);
	}
	return 0;
}

static int tick_offline(void *data)
{
	struct attempt *attempt = data;
	size_t steps = __atomic_load_n(attempt->steps, __ATOMIC_RELAXED);

	for (; attempt->steps_reported < steps; attempt->steps_reported++) {
		const struct block_use *use = &attempt->order[attempt->steps_reported];

		detail("%s: %s is offline; about %s of it were in use", attempt->device,
		       block_text(attempt->before[use->index].number, attempt->blocks->block_bytes)
			       .text,
		       size_text(use->used_bytes).text);
	}
	attempt_show_progress(attempt, (unsigned int)steps);
	if (attempt_interrupted(attempt))
		return -EINTR;
	return steps ? fault(FAULT_REMOVE_BLOCKS) : 0;
}

int attempt_offline_all(struct attempt *attempt, const struct memory_block **ret_block)
{
	const struct child_limit wait = { .deadline_ns = attempt->deadline_ns,
					  .tick = tick_offline,
					  .data = attempt };
	struct memory_blocks *blocks = attempt->blocks;
	size_t steps;
	int r = child_work(offline_in_child, attempt, &wait);

	tick_offline(attempt);
	for (size_t i = 0; i < blocks->count; i++)
		if (memory_block_refresh(&blocks->block[i]) < 0)
			blocks->block[i].online = false;
	if (!memory_blocks_online(blocks))
		return 0;
	steps = *attempt->steps < blocks->count ? *attempt->steps : blocks->count - 1;
	*ret_block = &attempt->before[attempt->order[steps].index];
	return r < 0 ? r : -EIO;
}

static int offline_or_roll_back(struct attempt *attempt)
{
	const struct memory_block *block;
	int r = attempt_find_order(attempt);

	if (r < 0)
		return r;
	r = attempt_offline_all(attempt, &block);
	if (r < 0)
		return attempt_roll_back(attempt,
					 memory_failure_guess(r, block,
							      attempt->blocks->block_bytes));
	return 0;
}

int hot_remove_by_block(const char *device, struct memory_blocks *blocks,
			const struct hot_remove_limits *limits)
{
	struct attempt attempt = { .device = device, .blocks = blocks, .limits = limits };
	int r = attempt_begin(&attempt);

	if (r == 0)
		r = offline_or_roll_back(&attempt);
	attempt_end(&attempt);
	return r;
}
