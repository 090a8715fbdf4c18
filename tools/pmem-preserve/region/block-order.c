// SPDX-License-Identifier: GPL-2.0-or-later
#include "region/block-order.h"

#include "base/cleanup.h"
#include "base/report.h"
#include "base/sysfs.h"
#include "region/memory-blocks.h"

#include <errno.h>
#include <linux/kernel-page-flags.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * A sample is enough to sort the blocks, and reading the flags of all free pages takes the kernel
 * long. Its place within each 2 MiB varies, as those fill from one end.
 */
#define SAMPLE_PAGES 32u
#define SAMPLE_EVERY 512u

/* Pages of a block that are not in the buddy allocator; the file has 64 bits of flags per page. */
static int estimate_used(int fd, uint64_t first_pfn, uint64_t pages, uint64_t *ret_used)
{
	uint64_t flags[SAMPLE_PAGES], used = 0;

	for (uint64_t i = 0; i < pages / SAMPLE_EVERY; i++) {
		uint64_t place = i * 7 % (SAMPLE_EVERY / SAMPLE_PAGES) * SAMPLE_PAGES;
		uint64_t pfn = first_pfn + i * SAMPLE_EVERY + place;
		ssize_t got = pread(fd, flags, sizeof(flags), (off_t)(pfn * sizeof(*flags)));

		if (got < 0)
			return -errno;
		if (got != sizeof(flags))
			return -ENODATA;
		for (unsigned int j = 0; j < SAMPLE_PAGES; j++)
			used += !(flags[j] & (1ull << KPF_BUDDY));
	}
	*ret_used = used * (SAMPLE_EVERY / SAMPLE_PAGES);
	return 0;
}

static int read_use(const struct memory_blocks *blocks, struct block_use *use)
{
	_cleanup_close_ int fd = sysfs_open_file(-1, "/proc/kpageflags");
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);

	if (fd < 0)
		return fd;
	for (size_t i = 0; i < blocks->count; i++) {
		const struct memory_block *block = &blocks->block[i];
		uint64_t pages = blocks->block_bytes / page, used = 0;
		int r = 0;

		if (block->online)
			r = estimate_used(fd, block->number * pages, pages, &used);
		if (r < 0)
			return r;
		use[i].used_bytes = used * page;
	}
	return 0;
}

static int compare_use(const void *a, const void *b)
{
	const struct block_use *left = a, *right = b;

	if (left->used_bytes != right->used_bytes)
		return left->used_bytes < right->used_bytes ? -1 : 1;
	return left->index < right->index ? -1 : left->index > right->index;
}

struct block_use *blocks_emptiest_first(const struct memory_blocks *blocks)
{
	struct block_use *use = calloc(blocks->count + 1, sizeof(*use));
	int r;

	if (!use)
		return NULL;
	for (size_t i = 0; i < blocks->count; i++)
		use[i].index = i;
	r = read_use(blocks, use);
	if (r < 0) {
		detail("cannot read how full the memory blocks are: %s", strerror(-r));
		for (size_t i = 0; i < blocks->count; i++)
			use[i].used_bytes = 0;
	}
	qsort(use, blocks->count, sizeof(*use), compare_use);
	return use;
}
