/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The order in which memory blocks go offline. Pages of a block are migrated to free memory, which
 * is mostly in other blocks of the same zone, which must be emptied later: in the order of
 * addresses the same pages are migrated repeatedly. With the emptiest block first there are soon no
 * free pages in the zone, and each page is migrated about once.
 */
#ifndef PMEM_PRESERVE_BLOCK_ORDER_H
#define PMEM_PRESERVE_BLOCK_ORDER_H

#include <stddef.h>
#include <stdint.h>

struct memory_blocks;

struct block_use {
	size_t index;	     /* into memory_blocks->block */
	uint64_t used_bytes; /* in pages that are not free, estimated from /proc/kpageflags */
};

/*
 * The blocks, emptiest first. If their use cannot be read, they stay in the order of their
 * addresses. The caller frees the array of @blocks->count members; NULL if there is no memory.
 */
struct block_use *blocks_emptiest_first(const struct memory_blocks *blocks);

#endif
