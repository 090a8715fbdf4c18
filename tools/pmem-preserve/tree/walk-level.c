// SPDX-License-Identifier: GPL-2.0-or-later
#include "tree/walk-level.h"

#include "base/parallel.h"
#include "base/report.h"
#include "tree/walk-inode.h"

#include <errno.h>
#include <stdlib.h>

#define ENTRIES_AT_ONCE 128u

struct level {
	struct tree *tree;
	uint32_t begin;
	int root;
};

struct looker {
	struct walk_worker worker;
	const struct level *level;
};

static int begin_looker(void *data, void **ret_worker)
{
	const struct level *level = data;
	struct looker *looker = calloc(1, sizeof(*looker));

	if (!looker)
		return report_error(-ENOMEM, "cannot list the state");
	looker->level = level;
	*ret_worker = looker;
	return walk_worker_begin(&looker->worker, level->tree, level->root);
}

static void end_looker(void *data)
{
	struct looker *looker = data;

	walk_worker_end(&looker->worker);
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

static int adopt(struct tree *tree, const struct walk_worker *worker)
{
	int r = tree_adopt(tree, worker->found, worker->owners, worker->owner_count);

	return r < 0 ? report_error(r, "cannot list the state") : 0;
}

int walk_level(struct tree *tree, uint32_t begin, int root, unsigned int threads)
{
	struct level level = { tree, begin, root };
	void *workers[PARALLEL_THREADS_MAX] = { NULL };
	const struct parallel parallel = {
		.threads = threads,
		.items = ((uint64_t)tree->count - begin + ENTRIES_AT_ONCE - 1) / ENTRIES_AT_ONCE,
		.run = look,
		.begin = begin_looker,
		.end = end_looker,
		.data = &level,
		.workers = workers,
	};
	int r = parallel_run(&parallel);

	for (size_t i = 0; i < PARALLEL_THREADS_MAX; i++) {
		struct looker *looker = workers[i];

		if (!looker)
			continue;
		if (r == 0)
			r = adopt(tree, &looker->worker);
		tree_free(looker->worker.found);
		free(looker->worker.owners);
		free(looker);
	}
	return r;
}
