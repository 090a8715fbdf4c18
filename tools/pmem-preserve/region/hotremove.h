/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Takes hot-added memory offline before a deadline, all of it or none, by means of memory blocks
 * and the attributes of the kmem driver, which stays bound.
 */
#ifndef PMEM_PRESERVE_HOTREMOVE_H
#define PMEM_PRESERVE_HOTREMOVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct memory_blocks;
struct memory_failure;

struct hot_remove_limits {
	uint64_t deadline_ms;
	/* Called after each step with the number of offline blocks; may be NULL. */
	void (*progress)(void *data, unsigned int blocks_offline, unsigned int blocks);
	void *data;
	struct memory_failure *failure; /* written with -E_MEMORY; may be NULL */
};

/*
 * Whether the driver of the dax device ("dax0.0") can remove its memory by itself, all or none...
 */
bool hot_remove_has_state(const char *device);
/* ... and has a timeout, uses the best order, and reports the reason of a failure. */
bool hot_remove_has_deadline(const char *device);

/* The attribute "state": "unplugged", "online_movable"... Returns 0 or -errno, not reported. */
int hot_remove_read_state(const char *device, char *buffer, size_t size);

/*
 * Takes all blocks of the dax device offline: one by one with memoryN/state, or all of them with
 * the driver's attribute "state", which removes them, too. @blocks is their present state, to which
 * a failure rolls back; it is updated.
 *
 * SIGINT, SIGTERM and SIGHUP end the wait like the deadline; they take effect after the rollback.
 *
 * Error: -E_MEMORY, reported with the block that failed, why, and whether the rollback is complete.
 */
int hot_remove_by_block(const char *device, struct memory_blocks *blocks,
			const struct hot_remove_limits *limits);
int hot_remove_by_state(const char *device, struct memory_blocks *blocks,
			const struct hot_remove_limits *limits);

#endif
