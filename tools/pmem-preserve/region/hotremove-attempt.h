/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the ways of taking memory offline have in common, for hotremove-*.c alone. */
#ifndef PMEM_PRESERVE_HOTREMOVE_ATTEMPT_H
#define PMEM_PRESERVE_HOTREMOVE_ATTEMPT_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "region/memory-failure.h"

struct hot_remove_limits;
struct memory_block;
struct memory_blocks;

struct attempt {
	const char *device;
	struct memory_blocks *blocks;
	const struct hot_remove_limits *limits;
	struct memory_block *before; /* what the blocks were */
	struct block_use *order;     /* in which they go offline; not the driver's own */
	size_t *steps;		     /* how many have; shared with the child that does it */
	uint64_t deadline_ns;
	size_t steps_reported;
	unsigned int reported;
	sigset_t old_signals;
};

/* Starts the clock and holds back the signals that end it; to be ended whatever it returns. */
int attempt_begin(struct attempt *attempt);
void attempt_end(struct attempt *attempt);

/* Whether one of these signals has come. */
bool attempt_interrupted(const struct attempt *attempt);

void attempt_show_progress(struct attempt *attempt, unsigned int offline);

/* Fills in ->order, which the next needs. */
int attempt_find_order(struct attempt *attempt);

/* Takes all blocks offline one by one. On error @ret_block is the one that would not go. */
int attempt_offline_all(struct attempt *attempt, const struct memory_block **ret_block);

/*
 * Brings back what was online before, reports, and returns -E_MEMORY. What @failure says about a
 * roll-back is what the driver did itself.
 */
int attempt_give_up(const struct attempt *attempt, struct memory_failure failure);

#endif
