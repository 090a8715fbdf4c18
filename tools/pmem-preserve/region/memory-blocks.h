/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory blocks in /sys/devices/system/memory: which of them are in a range, whether they are
 * online, and in which zone.
 */
#ifndef PMEM_PRESERVE_MEMORY_BLOCKS_H
#define PMEM_PRESERVE_MEMORY_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ZONE_MOVABLE "Movable"

/* Of physical memory, in bytes. */
struct memory_range {
	uint64_t start;
	uint64_t bytes;
};

struct memory_block {
	uint64_t number; /* N of memoryN; its address is N times the size of a block */
	bool online;
	char zone[16]; /* "Movable", "Normal"; "" if it is offline or spans zones */
};

struct memory_blocks {
	uint64_t block_bytes;
	struct memory_block *block;
	size_t count;
};
void memory_blocks_clear(struct memory_blocks *blocks);
#define _cleanup_memory_blocks_ __attribute__((cleanup(memory_blocks_clear)))

/* The size of one memory block. 0 or -errno, not reported. */
int memory_block_bytes(uint64_t *ret_bytes);

/* The part of a range that consists of whole memory blocks: what can be hot-added of it. */
struct memory_range memory_range_whole_blocks(struct memory_range range, uint64_t block_bytes);

/* The blocks that exist in the ranges, in their order. 0 or -errno, not reported. */
int memory_blocks_read(const struct memory_range *ranges, size_t count,
		       struct memory_blocks *ret_blocks);

/* Whether memory@number is one of them. */
bool memory_blocks_have(const struct memory_blocks *blocks, uint64_t number);

/* Writes to memory@number/state: "offline", "online_movable"... 0 or -errno, not reported. */
int memory_block_write_state(uint64_t number, const char *value);

/* Updates one block; -ENOENT if it is gone. Not reported. */
int memory_block_refresh(struct memory_block *block);

size_t memory_blocks_online(const struct memory_blocks *blocks);
size_t memory_blocks_movable(const struct memory_blocks *blocks);

/*
 * Brings blocks online that are online in @wanted, which has the same blocks, in the zones given
 * there ("": the kernel's choice). The last block is the first, so that a zone grows as it shrank.
 * Ends at @deadline_ns. Then updates all blocks: compare each with memory_block_matches(). Returns
 * 0 or the first error of the kernel, not reported.
 */
int memory_blocks_online_as(struct memory_blocks *blocks, const struct memory_block *wanted,
			    uint64_t deadline_ns);
bool memory_block_matches(const struct memory_block *block, const struct memory_block *wanted);

/* "memory38 (0x130000000-0x137ffffff)", for messages. */
struct block_text {
	char text[80];
};
struct block_text block_text(uint64_t number, uint64_t block_bytes);

#endif
