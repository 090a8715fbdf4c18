// SPDX-License-Identifier: GPL-2.0-or-later
#include "walk-list.h"

#include "cleanup.h"
#include "parallel.h"
#include "report.h"
#include "walk-names.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Names of one directory: @count strings at @text of what @lister has. */
struct listing {
	struct lister *lister;
	size_t text, count;
};

struct list {
	const struct tree *tree;
	const struct walk_options *options;
	const uint32_t *directories;
	struct listing *listings;
	int root;
	pthread_mutex_t lock;
	struct lister *done;
};

struct lister {
	struct list *list;
	struct tree_cursor cursor;
	struct names names;
	char *text;
	size_t used, room;
	struct lister *next;
};

static int begin_lister(void *data, void **ret_worker)
{
	struct list *list = data;
	struct lister *lister = calloc(1, sizeof(*lister));

	if (!lister)
		return fail(-ENOMEM, "cannot list the state");
	lister->list = list;
	tree_cursor_init(&lister->cursor, list->tree, list->root);
	*ret_worker = lister;
	return 0;
}

/* The text stays until all are done. */
static void end_lister(void *data)
{
	struct lister *lister = data;
	struct list *list = lister->list;

	tree_cursor_close(&lister->cursor);
	names_clear(&lister->names);
	pthread_mutex_lock(&list->lock);
	lister->next = list->done;
	list->done = lister;
	pthread_mutex_unlock(&list->lock);
}

static int keep(struct lister *lister, const char *name)
{
	size_t bytes = strlen(name) + 1;

	if (lister->room - lister->used < bytes) {
		size_t room = 2 * lister->room + bytes + 4096;
		char *text = realloc(lister->text, room);

		if (!text)
			return -ENOMEM;
		lister->text = text;
		lister->room = room;
	}
	memcpy(lister->text + lister->used, name, bytes);
	lister->used += bytes;
	return 0;
}

static int list_directory(void *data, uint64_t item)
{
	struct lister *lister = data;
	const struct list *list = lister->list;
	const struct tree *tree = list->tree;
	struct listing *listing = &list->listings[item];
	uint32_t index = list->directories[item];
	int directory, r;

	if (tree_path_length(tree, index) > TREE_PATH_MAX)
		return fail(-ENAMETOOLONG, "%s: cannot be kept", tree_path_text(tree, index).text);
	directory = tree_cursor_open(&lister->cursor, index);
	if (directory < 0)
		return fail(directory, "%s: cannot open", tree_path_text(tree, index).text);
	r = names_read(&lister->names, list->options, tree, index, directory);
	*listing = (struct listing){ lister, lister->used, lister->names.count };
	for (size_t i = 0; i < listing->count && r == 0; i++)
		r = keep(lister, lister->names.list[i]);
	return r < 0 ? fail(r, "%s: cannot read the directory", tree_path_text(tree, index).text)
		     : 0;
}

static int add_names(struct tree *tree, uint32_t directory, const struct listing *listing)
{
	const char *name = listing->lister->text + listing->text;
	uint32_t child;
	int r = 0;

	tree->entries[directory].first = tree->count;
	tree->entries[directory].count = (uint32_t)listing->count;
	for (size_t i = 0; i < listing->count && r == 0; i++) {
		size_t length = strlen(name);

		r = tree_add(tree, directory, name, length, &child);
		name += length + 1;
	}
	return r < 0 ? fail(r, "%s: cannot list", tree_path_text(tree, directory).text) : 0;
}

int walk_list(struct tree *tree, const uint32_t *directories, size_t count, int root,
	      const struct walk_options *options)
{
	_cleanup_free_ struct listing *listings = calloc(count + 1, sizeof(*listings));
	struct list list = { tree, options, directories, listings, root, PTHREAD_MUTEX_INITIALIZER,
			     NULL };
	const struct parallel parallel = {
		.threads = options->threads,
		.items = count,
		.run = list_directory,
		.begin = begin_lister,
		.end = end_lister,
		.data = &list,
	};
	int r = listings ? parallel_run(&parallel) : fail(-ENOMEM, "cannot list the state");

	for (size_t i = 0; i < count && r == 0; i++)
		r = add_names(tree, directories[i], &listings[i]);
	while (list.done) {
		struct lister *lister = list.done;

		list.done = lister->next;
		free(lister->text);
		free(lister);
	}
	return r;
}
