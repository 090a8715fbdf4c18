/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the two ways of taking memory offline have in common, for hotremove-*.c only. */
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
	struct memory_block *before; /* the blocks at the beginning */
	struct block_use *order;     /* for taking them offline one by one */
	size_t *steps;		     /* blocks of that order that are done; shared with the child */
	uint64_t deadline_ns;
	size_t steps_reported;
	unsigned int reported;
	sigset_t old_signals;
};

/*
 * Starts the clock and blocks SIGINT, SIGTERM and SIGHUP. Call attempt_end() even after an error.
 */
int attempt_begin(struct attempt *attempt);
void attempt_end(struct attempt *attempt);

/* Whether one of these signals is pending. */
bool attempt_interrupted(const struct attempt *attempt);

void attempt_show_progress(struct attempt *attempt, unsigned int offline);

/* Fills in ->order for attempt_offline_all(). */
int attempt_find_order(struct attempt *attempt);

/* Takes all blocks offline one by one. On error @ret_block is the one that failed. */
int attempt_offline_all(struct attempt *attempt, const struct memory_block **ret_block);

/*
 * Brings the blocks online that were online before, reports, and returns -E_MEMORY. The rollback in
 * @failure is the one that the driver did itself.
 */
int attempt_roll_back(const struct attempt *attempt, struct memory_failure failure);

#endif
