/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * In which order memory blocks go offline. Pages that must leave a block move to whatever is free,
 * and that is mostly the other blocks of the same zone, which have to be emptied in their turn: in
 * the order of addresses the same state is moved again and again. With the emptiest block first
 * there is soon no free page left in the zone, and each page moves about once.
 */
#ifndef PMEM_PRESERVE_BLOCK_ORDER_H
#define PMEM_PRESERVE_BLOCK_ORDER_H

#include <stddef.h>
#include <stdint.h>

struct memory_blocks;

struct block_use {
	size_t index;	     /* into memory_blocks->block */
	uint64_t used_bytes; /* in pages that are not free: a guess from some of /proc/kpageflags */
};

/*
 * The blocks, emptiest first. Where the use of a block cannot be read, all count as empty, which
 * leaves them in the order of their addresses. The caller frees the array, which has
 * @blocks->count members; NULL: no memory.
 */
struct block_use *blocks_emptiest_first(const struct memory_blocks *blocks);

#endif
