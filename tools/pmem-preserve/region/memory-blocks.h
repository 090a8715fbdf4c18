/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory blocks as /sys/devices/system/memory shows them: which of them lie in a range, whether
 * they are online, in which zone. It must not know whose memory it is.
 */
#ifndef PMEM_PRESERVE_MEMORY_BLOCKS_H
#define PMEM_PRESERVE_MEMORY_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ZONE_MOVABLE "Movable"

/* Bytes, physical. */
struct memory_range {
	uint64_t start;
	uint64_t bytes;
};

struct memory_block {
	uint64_t number; /* memoryN; its address is N times the size of a block */
	bool online;
	char zone[16]; /* "Movable", "Normal"; "" when it is offline or spans zones */
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

/* What of a range is whole memory blocks: all that can be hot-added of it. */
struct memory_range memory_range_whole_blocks(struct memory_range range, uint64_t block_bytes);

/* The blocks that exist in the ranges, by address. 0 or -errno, not reported. */
int memory_blocks_read(const struct memory_range *ranges, size_t count,
		       struct memory_blocks *ret_blocks);

/* Whether memory@number is one of them. */
bool memory_blocks_have(const struct memory_blocks *blocks, uint64_t number);

/* Reads one block again; -ENOENT when it is gone. */
int memory_block_refresh(struct memory_block *block);

size_t memory_blocks_online(const struct memory_blocks *blocks);
size_t memory_blocks_movable(const struct memory_blocks *blocks);

/*
 * Brings the blocks that are online in @wanted (as many, of the same numbers) online in the zones
 * given there ("": whichever the kernel picks), last one first, so that a zone grows as it shrank,
 * in at most the time until @deadline_ns. Then reads all blocks again: compare each with
 * memory_block_matches(). Returns 0 or the first error of the kernel, not reported.
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
