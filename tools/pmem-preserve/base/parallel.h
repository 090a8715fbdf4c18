/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs a function over a range of items in several threads. */
#ifndef PMEM_PRESERVE_PARALLEL_H
#define PMEM_PRESERVE_PARALLEL_H

#include <stdint.h>

#define PARALLEL_THREADS_MAX 64u

/* @worker: what parallel_run()'s begin gave this thread. Returns 0 or a negative code. */
typedef int parallel_function(void *worker, uint64_t item);

struct parallel {
	unsigned int threads; /* 0: as many as there are processors to run on */
	uint64_t items;
	parallel_function *run;
	/*
	 * Make what one thread needs of its own, and end it in that thread, when no thread is at
	 * work on an item any more; where the workers are wanted back, the caller releases them.
	 * Both return 0 or a negative code.
	 */
	int (*begin)(void *data, void **ret_worker);
	int (*end)(void *worker);
	void *data;
	/* NULL, or PARALLEL_THREADS_MAX of them: the workers, ended but not released, or NULL. */
	void **workers;
};

/*
 * Calls run() for each item once. Each thread begins with a run of items of its own, so that two
 * are seldom at work in one file or directory, and then helps the others. After the first error no
 * further item is begun; that error is returned. A thread that cannot start is not an error as long
 * as one can: the caller's. A thread sees the files that were open before; those it opens, it
 * alone.
 */
int parallel_run(const struct parallel *parallel);

#endif
