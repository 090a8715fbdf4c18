// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * All threads read the tree, so none of them can add to it: each collects what it finds in a tree
 * of its own. Once all are done, the calling thread takes it over.
 */
#include "tree/walk-level.h"

#include "base/cleanup.h"
#include "base/parallel.h"
#include "base/report.h"
#include "tree/walk-inode.h"
#include "tree/walk-names.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define INODES_AT_ONCE 128u

/* Beneath this depth, fewer directories than these are not listed in several threads. */
#define DEPTH_MAX	50u
#define DIRECTORIES_MIN 100u

/* The names in one directory: @count strings in @strings, one after the other, from @first on. */
struct listing {
	const struct tree *strings;
	size_t first, count;
};

struct level {
	struct tree *tree;
	struct tree_cursor *cursor; /* of the calling thread */
	pthread_t caller;
	unsigned int threads;
	const struct walk_options *options;
	parallel_function *run;
	int (*take_over)(struct level *level, void *const workers[PARALLEL_THREADS_MAX]);
	uint64_t items;

	const uint32_t *directories; /* to list; an item is one of them */
	struct listing *listings;
	uint32_t begin; /* the first inode to read; an item is INODES_AT_ONCE of them */
};

struct level_worker {
	struct walk_worker walk;
	struct names names;
	const struct level *level;
};

static int read_inodes(void *data, uint64_t item);

static int begin_worker(void *data, void **ret_worker)
{
	const struct level *level = data;
	struct level_worker *worker = calloc(1, sizeof(*worker));

	if (!worker)
		return report_error(-ENOMEM, "cannot list the state");
	worker->level = level;
	*ret_worker = worker;
	return walk_worker_begin(&worker->walk, level->tree, level->cursor->root,
				 pthread_equal(pthread_self(), level->caller) ? level->cursor
									      : NULL,
				 level->run == read_inodes);
}

static int end_worker(void *data)
{
	struct level_worker *worker = data;

	walk_worker_end(&worker->walk);
	names_clear(&worker->names);
	return 0;
}

static int walk_in_threads(struct level *level)
{
	void *workers[PARALLEL_THREADS_MAX] = { NULL };
	const struct parallel parallel = {
		.threads = level->threads,
		.items = level->items,
		.run = level->run,
		.begin = begin_worker,
		.end = end_worker,
		.data = level,
		.workers = workers,
	};
	int r = parallel_run(&parallel);

	if (r == 0)
		r = level->take_over(level, workers);
	for (size_t i = 0; i < PARALLEL_THREADS_MAX && r == 0; i++) {
		struct level_worker *worker = workers[i];

		if (worker && tree_adopt_unsaved(level->tree, worker->walk.found) < 0)
			r = report_error(-ENOMEM, "cannot list the state");
	}
	for (size_t i = 0; i < PARALLEL_THREADS_MAX; i++) {
		struct level_worker *worker = workers[i];

		if (worker)
			walk_worker_clear(&worker->walk);
		free(worker);
	}
	return r;
}

/* Of a directory that cannot be read, the names that are known are returned, which may be none. */
static int read_names(struct level_worker *worker, uint32_t index)
{
	const struct tree *tree = worker->level->tree;
	int directory, r;

	worker->names.count = 0;
	directory = tree_cursor_open(worker->walk.cursor, index);
	if (directory < 0)
		return report_error(directory, "%s: cannot open", tree_path_text(tree, index).text);
	r = names_read(&worker->names, worker->level->options, tree, index, directory);
	if (r < 0)
		return report_error(r, "%s: cannot read the directory",
				    tree_path_text(tree, index).text);
	return 0;
}

static int list_directory(void *data, uint64_t item)
{
	struct level_worker *worker = data;
	const struct level *level = worker->level;
	struct tree *strings = worker->walk.found;
	struct listing *listing = &level->listings[item];
	uint32_t index = level->directories[item], unused;
	int r = read_names(worker, index);

	if (r < 0)
		r = walk_leave_out(&worker->walk, index, r);
	*listing = (struct listing){ strings, strings->names_used, worker->names.count };
	for (size_t i = 0; i < listing->count && r == 0; i++) {
		r = tree_add_string(strings, worker->names.list[i], strlen(worker->names.list[i]),
				    &unused);
		if (r < 0)
			r = report_error(r, "%s: cannot list",
					 tree_path_text(level->tree, index).text);
	}
	return r;
}

static int add_names(struct tree *tree, uint32_t directory, const struct listing *listing)
{
	const char *name = listing->strings->names + listing->first;
	uint32_t child;

	tree->entries[directory].first = tree->count;
	tree->entries[directory].count = (uint32_t)listing->count;
	for (size_t i = 0; i < listing->count; i++) {
		size_t length = strlen(name);
		int r = tree_add(tree, directory, name, length, &child);

		if (r < 0)
			return report_error(r, "%s: cannot list",
					    tree_path_text(tree, directory).text);
		name += length + 1;
	}
	return 0;
}

static int add_listings(struct level *level, void *const workers[PARALLEL_THREADS_MAX])
{
	int r = 0;

	for (uint64_t i = 0; i < level->items && r == 0; i++)
		r = add_names(level->tree, level->directories[i], &level->listings[i]);
	return r;
}

/*
 * A thread that is started has to open its first directory from the root, which at a great depth takes
 * longer than to list a few directories.
 */
static bool is_deep(const struct tree *tree, const uint32_t *directories, size_t count)
{
	unsigned int depth = 0;

	if (count == 0)
		return false;
	for (uint32_t i = directories[0]; i != 0 && depth < DEPTH_MAX; depth++)
		i = tree->entries[i].parent;
	return depth == DEPTH_MAX;
}

int walk_list_directories(struct tree *tree, const uint32_t *directories, size_t count,
			  struct tree_cursor *cursor, const struct walk_options *options)
{
	_cleanup_free_ struct listing *listings = calloc(count + 1, sizeof(*listings));
	struct level level = {
		.tree = tree,
		.cursor = cursor,
		.caller = pthread_self(),
		.threads = count < DIRECTORIES_MIN && is_deep(tree, directories, count)
				   ? 1
				   : options->threads,
		.options = options,
		.run = list_directory,
		.take_over = add_listings,
		.items = count,
		.directories = directories,
		.listings = listings,
	};

	if (!listings)
		return report_error(-ENOMEM, "cannot list the state");
	return walk_in_threads(&level);
}

static int read_inodes(void *data, uint64_t item)
{
	struct level_worker *worker = data;
	const struct level *level = worker->level;
	uint64_t index = level->begin + item * INODES_AT_ONCE, end = index + INODES_AT_ONCE;
	int r = 0;

	if (end > level->tree->count)
		end = level->tree->count;
	for (; index < end && r == 0; index++)
		r = walk_inode(&worker->walk, (uint32_t)index);
	return r;
}

static int adopt_found(struct level *level, void *const workers[PARALLEL_THREADS_MAX])
{
	for (size_t i = 0; i < PARALLEL_THREADS_MAX; i++) {
		const struct level_worker *worker = workers[i];
		int r;

		if (!worker)
			continue;
		r = tree_adopt(level->tree, worker->walk.found, worker->walk.owners,
			       worker->walk.owner_count);
		if (r < 0)
			return report_error(r, "cannot list the state");
	}
	return 0;
}

int walk_read_inodes(struct tree *tree, uint32_t begin, struct tree_cursor *cursor,
		     const struct walk_options *options)
{
	struct level level = {
		.tree = tree,
		.cursor = cursor,
		.caller = pthread_self(),
		.threads = options->threads,
		.options = options,
		.run = read_inodes,
		.take_over = adopt_found,
		.items = ((uint64_t)tree->count - begin + INODES_AT_ONCE - 1) / INODES_AT_ONCE,
		.begin = begin,
	};

	return walk_in_threads(&level);
}
