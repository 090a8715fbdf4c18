// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Lists a tree level by level: of each level the names in all directories first, then the inodes;
 * both in several threads (walk-level.c).
 */
#include "tree/walk.h"

#include "base/cleanup.h"
#include "base/report.h"
#include "tree/walk-level.h"
#include "tree/walk-names.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

/* In a directory's "data", instead of the mount: its contents are left out. */
#define NOT_ENTERED UINT64_MAX

struct walk {
	const struct walk_options *options;
	struct tree *tree;
	struct tree_cursor cursor;
};

/* Decides about a child directory: walk all of it, only pass through it, or leave it empty. */
static int classify(struct walk *walk, uint32_t index, const char *directory, bool other_mount)
{
	struct tree *tree = walk->tree;
	struct entry *entry = &tree->entries[index];
	bool parent_is_ancestor = tree->entries[entry->parent].flags & ENTRY_ANCESTOR;
	_cleanup_free_ char *path = tree_path(tree, index);
	bool left_out, leads;

	if (!path)
		return report_error(-ENOMEM, "cannot list the state");
	left_out =
		other_mount || names_is_excluded(walk->options, directory, tree_name(tree, index));
	leads = names_leads_to_asked(tree, path);
	if (leads)
		entry->flags |= ENTRY_LEADS;
	if (names_is_asked(tree, path)) {
		entry->flags |= ENTRY_ROOT;
	} else if (parent_is_ancestor || (left_out && leads)) {
		entry->flags |= ENTRY_ANCESTOR;
	} else if (other_mount) {
		inform("%s is another file system and is left out (to include it, name it)", path);
		entry->data = NOT_ENTERED;
	}
	return 0;
}

/*
 * Sets *@ret_keep to false for a file that something is mounted on and that was not asked for, and for
 * what could not be read.
 */
static int settle_entry(struct walk *walk, uint32_t index, bool *ret_keep)
{
	struct tree *tree = walk->tree;
	struct entry *entry = &tree->entries[index];
	const struct entry *parent = &tree->entries[entry->parent];
	bool other_mount = entry->data != parent->data;
	bool parent_is_ancestor = parent->flags & ENTRY_ANCESTOR;
	_cleanup_free_ char *directory = NULL;

	*ret_keep = entry->mode != 0;
	/* Most entries need no decision, and a path takes time to build. */
	if (!*ret_keep || (!other_mount && !parent_is_ancestor &&
			   (!(parent->flags & ENTRY_LEADS) || !S_ISDIR(entry->mode))))
		return 0;
	directory = tree_path(tree, entry->parent);
	if (!directory)
		return report_error(-ENOMEM, "cannot list the state");
	if (S_ISDIR(entry->mode) || parent_is_ancestor)
		return classify(walk, index, directory, other_mount);
	if (!names_is_wanted(tree, directory, tree_name(tree, index))) {
		inform("%s is a mount point and is left out", tree_path_text(tree, index).text);
		*ret_keep = false;
	}
	return 0;
}

/* Decides about the entries from @begin on, the children of those from @level on. */
static int settle(struct walk *walk, uint32_t level, uint32_t begin)
{
	struct tree *tree = walk->tree;
	uint32_t kept = begin;
	int r = 0;

	for (uint32_t i = begin; i < tree->count && r == 0; i++) {
		struct entry *parent = &tree->entries[tree->entries[i].parent];
		bool keep;

		if (parent->first == i)
			parent->first = kept;
		r = settle_entry(walk, i, &keep);
		if (!keep) {
			parent->count--;
			continue;
		}
		if (kept != i) {
			tree->entries[kept] = tree->entries[i];
			tree->entries[kept].inode_entry = kept;
		}
		kept++;
	}
	tree->count = kept;
	for (uint32_t i = level; i < begin; i++)
		tree->entries[i].data = 0;
	return r;
}

static int compare_inodes(const void *a, const void *b, void *data)
{
	const struct entry *entries = data;
	uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;

	if (entries[i].filesystem != entries[j].filesystem)
		return entries[i].filesystem < entries[j].filesystem ? -1 : 1;
	if (entries[i].inode != entries[j].inode)
		return entries[i].inode < entries[j].inode ? -1 : 1;
	return i < j ? -1 : i > j;
}

/* Sorts the entries with several names by inode; the first of each becomes the inode's entry. */
static int join_hard_links(struct tree *tree)
{
	_cleanup_free_ uint32_t *candidates = NULL;
	uint32_t count = 0;

	for (uint32_t i = 0; i < tree->count; i++)
		if (!S_ISDIR(tree->entries[i].mode) && tree->entries[i].links > 1)
			count++;
	candidates = malloc((count + 1) * sizeof(*candidates));
	if (!candidates)
		return -ENOMEM;
	count = 0;
	for (uint32_t i = 0; i < tree->count; i++)
		if (!S_ISDIR(tree->entries[i].mode) && tree->entries[i].links > 1)
			candidates[count++] = i;
	qsort_r(candidates, count, sizeof(*candidates), compare_inodes, tree->entries);
	for (uint32_t i = 1; i < count; i++) {
		const struct entry *previous = &tree->entries[candidates[i - 1]];
		struct entry *entry = &tree->entries[candidates[i]];

		if (previous->filesystem == entry->filesystem && previous->inode == entry->inode)
			entry->inode_entry = previous->inode_entry;
	}
	return 0;
}

static int compare_paths(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Of a lenient tree: the other paths are saved nevertheless. */
static int leave_path_out(struct tree *tree, const char *path, int error)
{
	if (tree_add_unsaved(tree, path, error) < 0)
		return report_error(-ENOMEM, "cannot list the state");
	return 0;
}

static int resolve_paths(const struct walk_options *options, struct tree *tree)
{
	int r = 0;

	tree->paths = calloc(options->path_count, sizeof(*tree->paths));
	if (!tree->paths)
		return report_error(-ENOMEM, "cannot list the state");
	for (size_t i = 0; i < options->path_count && r == 0; i++) {
		char *path = realpath(options->paths[i], NULL);

		if (!path) {
			r = report_error(-errno, "%s: cannot resolve the path", options->paths[i]);
			if (tree->lenient)
				r = leave_path_out(tree, options->paths[i], r);
		} else if (names_is_asked(tree, path)) {
			free(path);
		} else {
			tree->paths[tree->path_count++] = path;
		}
	}
	if (r == 0 && tree->path_count > 0)
		qsort(tree->paths, tree->path_count, sizeof(*tree->paths), compare_paths);
	return r;
}

static bool is_unsaved(const struct tree *tree, const char *path)
{
	for (uint32_t i = 0; i < tree->unsaved_count; i++)
		if (strcmp(tree->unsaved[i].path, path) == 0)
			return true;
	return false;
}

/* A path that vanished between its lookup and the listing must not be missing silently. */
static int check_paths(struct tree *tree)
{
	size_t found = 0;
	uint32_t index;

	for (size_t i = 0; i < tree->path_count; i++) {
		char *path = tree->paths[i];
		int r;

		if (tree_find_path(tree, path, &index)) {
			tree->paths[i] = NULL;
			tree->paths[found++] = path;
			continue;
		}
		r = report_error(-E_CHANGED, "%s: changed while it was being listed", path);
		if (tree->lenient)
			r = is_unsaved(tree, path) ? 0 : leave_path_out(tree, path, -ENOENT);
		if (r < 0)
			return r;
		free(path);
		tree->paths[i] = NULL;
	}
	tree->path_count = found;
	if (found == 0)
		return report_error(-E_FAILED, "nothing of the state can be read");
	return 0;
}

/* Adds the contents of the directories from @level to @end. */
static int list_level(struct walk *walk, uint32_t level, uint32_t end)
{
	struct tree *tree = walk->tree;
	_cleanup_free_ uint32_t *directories = calloc(end - level, sizeof(*directories));
	size_t count = 0;

	if (!directories)
		return report_error(-ENOMEM, "cannot list the state");
	for (uint32_t i = level; i < end; i++) {
		if (!S_ISDIR(tree->entries[i].mode))
			continue;
		tree->entries[i].first = end;
		if (tree->entries[i].data != NOT_ENTERED)
			directories[count++] = i;
	}
	return walk_list_directories(tree, directories, count, &walk->cursor, walk->options);
}

static int walk_levels(struct walk *walk)
{
	struct tree *tree = walk->tree;
	int r = walk_read_inodes(tree, 0, &walk->cursor, walk->options);
	uint32_t end;

	tree->entries[0].flags = names_is_asked(tree, "/") ? ENTRY_ROOT : ENTRY_ANCESTOR;
	if (names_leads_to_asked(tree, "/"))
		tree->entries[0].flags |= ENTRY_LEADS;
	for (uint32_t level = 0; level < tree->count && r == 0; level = end) {
		end = tree->count;
		r = list_level(walk, level, end);
		if (r == 0)
			r = walk_read_inodes(tree, end, &walk->cursor, walk->options);
		if (r == 0)
			r = settle(walk, level, end);
	}
	return r;
}

int walk_tree(const struct walk_options *options, struct tree **ret_tree)
{
	_cleanup_tree_ struct tree *tree = NULL;
	_cleanup_close_ int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct walk walk = { .options = options };
	uint32_t index;
	int r;

	if (root < 0)
		return report_error(-errno, "/: cannot open");
	r = tree_new(&tree);
	if (r == 0)
		r = tree_add(tree, 0, "", 0, &index);
	if (r < 0)
		return report_error(r, "cannot list the state");
	tree->lenient = options->lenient;
	r = resolve_paths(options, tree);
	if (r < 0)
		return r;
	walk.tree = tree;
	tree_cursor_init(&walk.cursor, tree, root);
	r = walk_levels(&walk);
	tree_cursor_close(&walk.cursor);
	if (r < 0)
		return r;
	r = join_hard_links(tree);
	if (r < 0)
		return report_error(r, "cannot list the state");
	tree_count(tree);
	r = check_paths(tree);
	if (r < 0)
		return r;
	*ret_tree = take_pointer(tree);
	return 0;
}
