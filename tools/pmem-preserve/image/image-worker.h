/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What each thread needs that goes through an image: a buffer, and open directories. */
#ifndef PMEM_PRESERVE_IMAGE_WORKER_H
#define PMEM_PRESERVE_IMAGE_WORKER_H

#include "base/parallel.h"
#include "tree/tree.h"

struct image_worker {
	void *job;
	struct tree_cursor cursor;
	uint8_t *buffer; /* IMAGE_SPAN bytes, fit for a store */
};

struct image_work {
	const struct tree *tree;
	int root; /* where "/" of the tree lies; -1: no directory is opened */
	unsigned int threads;
	void *job;
};

/* parallel_run() with such workers; @run gets a struct image_worker. */
int image_work(const struct image_work *work, uint64_t items, parallel_function *run);

#endif
