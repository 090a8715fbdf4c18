// SPDX-License-Identifier: GPL-2.0-or-later
#include "walk-level.h"

#include "parallel.h"
#include "report.h"
#include "walk-inode.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#define ENTRIES_AT_ONCE 128u

struct level {
	struct tree *tree;
	uint32_t begin;
	int root;
	pthread_mutex_t lock;
	struct looker *done;
};

struct looker {
	struct walk_worker worker;
	struct level *level;
	struct looker *next;
};

static int begin_looker(void *data, void **ret_worker)
{
	struct level *level = data;
	struct looker *looker = calloc(1, sizeof(*looker));

	if (!looker)
		return fail(-ENOMEM, "cannot list the state");
	looker->level = level;
	*ret_worker = looker;
	return walk_worker_begin(&looker->worker, level->tree, level->root);
}

/* What it found waits until nobody reads the tree any more. */
static void end_looker(void *data)
{
	struct looker *looker = data;
	struct level *level = looker->level;

	walk_worker_end(&looker->worker);
	pthread_mutex_lock(&level->lock);
	looker->next = level->done;
	level->done = looker;
	pthread_mutex_unlock(&level->lock);
}

static int look(void *data, uint64_t item)
{
	struct looker *looker = data;
	const struct level *level = looker->level;
	uint64_t index = level->begin + item * ENTRIES_AT_ONCE, end = index + ENTRIES_AT_ONCE;
	int r = 0;

	if (end > level->tree->count)
		end = level->tree->count;
	for (; index < end && r == 0; index++)
		r = walk_inode(&looker->worker, (uint32_t)index);
	return r;
}

int walk_level(struct tree *tree, uint32_t begin, int root, unsigned int threads)
{
	struct level level = { tree, begin, root, PTHREAD_MUTEX_INITIALIZER, NULL };
	const struct parallel parallel = {
		.threads = threads,
		.items = ((uint64_t)tree->count - begin + ENTRIES_AT_ONCE - 1) / ENTRIES_AT_ONCE,
		.run = look,
		.begin = begin_looker,
		.end = end_looker,
		.data = &level,
	};
	int r = parallel_run(&parallel);

	while (level.done) {
		struct looker *looker = level.done;
		const struct walk_worker *worker = &looker->worker;

		level.done = looker->next;
		if (r == 0) {
			r = tree_adopt(tree, worker->found, worker->owners, worker->owner_count);
			if (r < 0)
				fail(r, "cannot list the state");
		}
		tree_free(worker->found);
		free(worker->owners);
		free(looker);
	}
	return r;
}
