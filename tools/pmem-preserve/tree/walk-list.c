// SPDX-License-Identifier: GPL-2.0-or-later
#include "tree/walk-list.h"

#include "base/cleanup.h"
#include "base/parallel.h"
#include "base/report.h"
#include "tree/walk-names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Names of one directory: @count strings, one behind the other, from @first on. */
struct listing {
	const struct tree *strings;
	size_t first, count;
};

struct list {
	const struct tree *tree;
	const struct walk_options *options;
	const uint32_t *directories;
	struct listing *listings;
	int root;
};

struct lister {
	const struct list *list;
	struct tree_cursor cursor;
	struct names names;
	struct tree *strings; /* a tree of nothing else */
};

static int begin_lister(void *data, void **ret_worker)
{
	const struct list *list = data;
	struct lister *lister = calloc(1, sizeof(*lister));

	if (!lister)
		return report_error(-ENOMEM, "cannot list the state");
	lister->list = list;
	tree_cursor_init(&lister->cursor, list->tree, list->root);
	*ret_worker = lister;
	return tree_new(&lister->strings) < 0 ? report_error(-ENOMEM, "cannot list the state") : 0;
}

static void end_lister(void *data)
{
	struct lister *lister = data;

	tree_cursor_close(&lister->cursor);
	names_clear(&lister->names);
}

static int list_directory(void *data, uint64_t item)
{
	struct lister *lister = data;
	const struct list *list = lister->list;
	const struct tree *tree = list->tree;
	struct listing *listing = &list->listings[item];
	uint32_t index = list->directories[item], unused;
	int directory, r;

	if (tree_path_length(tree, index) > TREE_PATH_MAX)
		return report_error(-ENAMETOOLONG, "%s: cannot be kept",
				    tree_path_text(tree, index).text);
	directory = tree_cursor_open(&lister->cursor, index);
	if (directory < 0)
		return report_error(directory, "%s: cannot open", tree_path_text(tree, index).text);
	r = names_read(&lister->names, list->options, tree, index, directory);
	*listing = (struct listing){ lister->strings, lister->strings->names_used,
				     lister->names.count };
	for (size_t i = 0; i < listing->count && r == 0; i++)
		r = tree_add_string(lister->strings, lister->names.list[i],
				    strlen(lister->names.list[i]), &unused);
	return r < 0 ? report_error(r, "%s: cannot read the directory",
				    tree_path_text(tree, index).text)
		     : 0;
}

static int add_names(struct tree *tree, uint32_t directory, const struct listing *listing)
{
	const char *name = listing->strings->names + listing->first;
	uint32_t child;
	int r = 0;

	tree->entries[directory].first = tree->count;
	tree->entries[directory].count = (uint32_t)listing->count;
	for (size_t i = 0; i < listing->count && r == 0; i++) {
		size_t length = strlen(name);

		r = tree_add(tree, directory, name, length, &child);
		name += length + 1;
	}
	return r < 0 ? report_error(r, "%s: cannot list", tree_path_text(tree, directory).text) : 0;
}

int walk_list(struct tree *tree, const uint32_t *directories, size_t count, int root,
	      const struct walk_options *options)
{
	_cleanup_free_ struct listing *listings = calloc(count + 1, sizeof(*listings));
	struct list list = { tree, options, directories, listings, root };
	void *workers[PARALLEL_THREADS_MAX] = { NULL };
	const struct parallel parallel = {
		.threads = options->threads,
		.items = count,
		.run = list_directory,
		.begin = begin_lister,
		.end = end_lister,
		.data = &list,
		.workers = workers,
	};
	int r = listings ? parallel_run(&parallel) : report_error(-ENOMEM, "cannot list the state");

	for (size_t i = 0; i < count && r == 0; i++)
		r = add_names(tree, directories[i], &listings[i]);
	for (size_t i = 0; i < PARALLEL_THREADS_MAX; i++) {
		struct lister *lister = workers[i];

		if (lister)
			tree_free(lister->strings);
		free(lister);
	}
	return r;
}
