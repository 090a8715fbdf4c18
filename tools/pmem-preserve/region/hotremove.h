/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Taking hot-added memory offline under a deadline, all of it or none. It knows memory blocks and
 * the attributes of the kmem driver; it must not know of regions and namespaces, and it leaves the
 * driver bound.
 */
#ifndef PMEM_PRESERVE_HOTREMOVE_H
#define PMEM_PRESERVE_HOTREMOVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct memory_blocks;
struct memory_failure;

/* How hard to try. */
struct hot_remove_limits {
	uint64_t deadline_ms;
	/* Called after each step with the blocks that are off by now; may be NULL. */
	void (*progress)(void *data, unsigned int blocks_offline, unsigned int blocks);
	void *data;
	struct memory_failure *failure; /* filled in with -E_MEMORY; may be NULL */
};

/* Whether the driver of the dax device ("dax0.0") removes its memory by itself, all or none... */
bool hot_remove_has_state(const char *device);
/* ... and within a time that it is told, in the best order, and saying why when it cannot. */
bool hot_remove_has_deadline(const char *device);

/* What that attribute says: "unplugged", "online_movable"...; 0 or -errno, not reported. */
int hot_remove_read_state(const char *device, char *buffer, size_t size);

/*
 * Takes all blocks of the dax device offline, one by one, by memoryN/state, or (when the driver has
 * the attribute) removes them by it. @blocks: as read before; what they were is what is gone back
 * to, and they describe what is there at the end.
 *
 * SIGINT, SIGTERM and SIGHUP end the wait like the deadline; they take effect after the roll-back.
 *
 * Error: -E_MEMORY, reported: the block that would not go, why, and whether all others are back.
 */
int hot_remove_by_block(const char *device, struct memory_blocks *blocks,
			const struct hot_remove_limits *limits);
int hot_remove_by_state(const char *device, struct memory_blocks *blocks,
			const struct hot_remove_limits *limits);

#endif
