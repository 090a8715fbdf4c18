/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A thread that works on an image, with a buffer and an open directory. */
#ifndef PMEM_PRESERVE_IMAGE_WORKER_H
#define PMEM_PRESERVE_IMAGE_WORKER_H

#include "base/parallel.h"
#include "tree/walk-read.h"

struct image_worker {
	void *job;
	struct tree_cursor cursor;
	struct walk_reader reader;
	uint8_t *buffer; /* IMAGE_SPAN bytes, from store_buffer() */
};

struct image_work {
	const struct tree *tree;
	int root; /* the directory that "/" stands for; -1 if none is opened */
	unsigned int threads;
	void *job;
	struct walk_reading *reading; /* NULL if no files are read */
};

/* parallel_run() with such workers, which are passed to @run. */
int image_work(const struct image_work *work, uint64_t items, parallel_function *run);

#endif
