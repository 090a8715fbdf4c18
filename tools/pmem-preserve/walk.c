// SPDX-License-Identifier: GPL-2.0-or-later
#include "walk.h"

#include "beneath.h"
#include "cleanup.h"
#include "report.h"
#include "walk-inode.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <string.h>

struct walk {
	const struct walk_options *options;
	struct tree *tree;
	struct tree_cursor cursor;
};

/* Names of one directory, sorted; the strings are owned. */
struct names {
	char **list;
	size_t count, capacity;
};

static void cleanup_names(struct names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->list[i]);
	free(names->list);
}

static int add_name(struct names *names, const char *name, size_t length)
{
	char *copy;

	if (names->count == names->capacity) {
		size_t capacity = names->capacity ? 2 * names->capacity : 64;
		char **list = reallocarray(names->list, capacity, sizeof(*list));

		if (!list)
			return -ENOMEM;
		names->list = list;
		names->capacity = capacity;
	}
	copy = strndup(name, length);
	if (!copy)
		return -ENOMEM;
	names->list[names->count++] = copy;
	return 0;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_beneath(const char *path, const char *directory)
{
	size_t length = strlen(directory);

	if (length == 1)
		return path[1] != '\0';
	return strncmp(path, directory, length) == 0 && path[length] == '/';
}

static bool is_named(const struct tree *tree, const char *path)
{
	for (size_t i = 0; i < tree->path_count; i++)
		if (strcmp(tree->paths[i], path) == 0)
			return true;
	return false;
}

static bool leads_to_named(const struct tree *tree, const char *path)
{
	for (size_t i = 0; i < tree->path_count; i++)
		if (is_beneath(tree->paths[i], path))
			return true;
	return false;
}

static bool is_excluded(const struct walk_options *options, const char *directory, const char *name)
{
	_cleanup_free_ char *path = NULL;

	for (size_t i = 0; i < options->exclude_count; i++) {
		const char *glob = options->excludes[i];

		if (!strchr(glob, '/')) {
			if (fnmatch(glob, name, 0) == 0)
				return true;
			continue;
		}
		if (!path && asprintf(&path, "%s/%s", directory[1] ? directory : "", name) < 0) {
			path = NULL;
			return false;
		}
		if (fnmatch(glob, path, FNM_PATHNAME) == 0)
			return true;
	}
	return false;
}

/* What was asked for by name is taken, whatever the globs say. */
static bool is_wanted(const struct tree *tree, const char *directory, const char *name)
{
	_cleanup_free_ char *path = NULL;

	if (tree->path_count == 1)
		return false;
	if (asprintf(&path, "%s/%s", directory[1] ? directory : "", name) < 0) {
		path = NULL;
		return true;
	}
	return is_named(tree, path) || leads_to_named(tree, path);
}

static int list_directory(const struct walk *walk, int fd, const char *path, struct names *names)
{
	struct dirent *entry;
	DIR *directory = fdopendir(fd);
	int r = 0;

	if (!directory) {
		close(fd);
		return -errno;
	}
	for (;;) {
		errno = 0;
		entry = readdir(directory);
		if (!entry) {
			r = -errno;
			break;
		}
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
		    (is_excluded(walk->options, path, entry->d_name) &&
		     !is_wanted(walk->tree, path, entry->d_name)))
			continue;
		r = add_name(names, entry->d_name, strlen(entry->d_name));
		if (r < 0)
			break;
	}
	closedir(directory);
	return r;
}

/* Of an ancestor: only the names that lead to what was asked for. */
static int list_ancestor(const struct tree *tree, const char *path, struct names *names)
{
	int r = 0;

	for (size_t i = 0; i < tree->path_count && r == 0; i++) {
		const char *name = tree->paths[i] + (path[1] ? strlen(path) + 1 : 1);

		if (is_beneath(tree->paths[i], path))
			r = add_name(names, name, strcspn(name, "/"));
	}
	return r;
}

/* What a child directory is for the walk: entered as a whole, only passed through, or left empty.
 */
static int classify(struct walk *walk, uint32_t index, const char *directory,
		    bool parent_is_ancestor, bool other_mount, bool *ret_enter)
{
	struct entry *entry = &walk->tree->entries[index];
	_cleanup_free_ char *path = NULL;
	bool left_out;

	*ret_enter = true;
	if (!parent_is_ancestor && !other_mount && walk->tree->path_count == 1)
		return 0;
	path = tree_path(walk->tree, index);
	if (!path)
		return -ENOMEM;
	left_out =
		other_mount || is_excluded(walk->options, directory, tree_name(walk->tree, index));
	if (is_named(walk->tree, path)) {
		entry->flags |= ENTRY_ROOT;
	} else if (parent_is_ancestor || (left_out && leads_to_named(walk->tree, path))) {
		entry->flags |= ENTRY_ANCESTOR;
	} else if (other_mount) {
		inform("%s is another file system and is left out (name it to include it)", path);
		*ret_enter = false;
	}
	return 0;
}

static int walk_child(struct walk *walk, uint32_t parent, int directory, const char *path,
		      const char *name, uint64_t parent_mount, uint32_t previous)
{
	bool parent_is_ancestor = walk->tree->entries[parent].flags & ENTRY_ANCESTOR;
	struct inode_source source;
	bool enter = true;
	uint32_t index;
	int r;

	r = tree_add(walk->tree, parent, name, strlen(name), &index);
	if (r < 0)
		return fail(r, "%s/%s: cannot list", path, name);
	r = walk_inode(walk->tree, index, directory, previous, &source);
	if (r < 0)
		return r;
	if (S_ISDIR(walk->tree->entries[index].mode) || parent_is_ancestor) {
		r = classify(walk, index, path, parent_is_ancestor, source.mount != parent_mount,
			     &enter);
		if (r < 0)
			return fail(r, "%s: cannot list", tree_path_text(walk->tree, index).text);
	}
	if (!S_ISDIR(walk->tree->entries[index].mode) && source.mount != parent_mount &&
	    !parent_is_ancestor && !is_wanted(walk->tree, path, name)) {
		inform("%s is mounted from elsewhere and is left out",
		       tree_path_text(walk->tree, index).text);
		walk->tree->count--;
		return 0;
	}
	/* Until it is walked, a directory's "data" says whether it will be, on which mount. */
	if (S_ISDIR(walk->tree->entries[index].mode))
		walk->tree->entries[index].data = enter ? source.mount : UINT64_MAX;
	return 0;
}

static int walk_directory(struct walk *walk, uint32_t index)
{
	_cleanup_(cleanup_names) struct names names = { 0 };
	struct tree *tree = walk->tree;
	uint64_t mount = tree->entries[index].data;
	_cleanup_free_ char *path = tree_path(tree, index);
	uint32_t first = tree->count;
	int directory, fd, r;

	tree->entries[index].data = 0;
	tree->entries[index].first = first;
	if (mount == UINT64_MAX)
		return 0;
	if (tree_path_length(tree, index) > TREE_PATH_MAX)
		return fail(-ENAMETOOLONG, "%s: cannot be kept", tree_path_text(tree, index).text);
	if (!path)
		return fail(-ENOMEM, "cannot list the state");
	directory = tree_cursor_open(&walk->cursor, index);
	if (directory < 0)
		return fail(directory, "%s: cannot open", path);
	if (tree->entries[index].flags & ENTRY_ANCESTOR) {
		r = list_ancestor(tree, path, &names);
	} else {
		fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		r = fd < 0 ? -errno : list_directory(walk, fd, path, &names);
	}
	if (r < 0)
		return fail(r, "%s: cannot read the directory", path);
	if (names.count > 1)
		qsort(names.list, names.count, sizeof(*names.list), compare_names);
	for (size_t i = 0; i < names.count; i++) {
		if (i && strcmp(names.list[i], names.list[i - 1]) == 0)
			continue;
		r = walk_child(walk, index, directory, path, names.list[i], mount,
			       tree->count > first ? tree->count - 1 : index);
		if (r < 0)
			return r;
	}
	tree->entries[index].count = tree->count - first;
	return 0;
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

/* Entries with more than one name: sorted by inode, the first of each becomes the inode's entry. */
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

static int resolve_paths(const struct walk_options *options, struct tree *tree)
{
	tree->paths = calloc(options->path_count, sizeof(*tree->paths));
	if (!tree->paths)
		return fail(-ENOMEM, "cannot list the state");
	for (size_t i = 0; i < options->path_count; i++) {
		char *path = realpath(options->paths[i], NULL);

		if (!path)
			return fail(-errno, "%s: cannot be found", options->paths[i]);
		if (is_named(tree, path))
			free(path);
		else
			tree->paths[tree->path_count++] = path;
	}
	qsort(tree->paths, tree->path_count, sizeof(*tree->paths), compare_names);
	return 0;
}

/* One that went away between its lookup and the listing would be missing without a word. */
static int check_paths(const struct tree *tree)
{
	uint32_t index;

	for (size_t i = 0; i < tree->path_count; i++)
		if (!tree_find_path(tree, tree->paths[i], &index))
			return fail(-E_FAILED, "%s: changed while it was being listed",
				    tree->paths[i]);
	return 0;
}

int walk_tree(const struct walk_options *options, struct tree **ret_tree)
{
	_cleanup_tree_ struct tree *tree = NULL;
	_cleanup_close_ int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct walk walk = { .options = options };
	struct inode_source source;
	uint32_t index;
	int r;

	if (root < 0)
		return fail(-errno, "/: cannot open");
	r = tree_new(&tree);
	if (r == 0)
		r = tree_add(tree, 0, "", 0, &index);
	if (r < 0)
		return fail(r, "cannot list the state");
	r = resolve_paths(options, tree);
	if (r < 0)
		return r;
	walk.tree = tree;
	tree_cursor_init(&walk.cursor, tree, root);
	r = walk_inode(tree, 0, root, 0, &source);
	if (r < 0)
		return r;
	tree->entries[0].flags = is_named(tree, "/") ? ENTRY_ROOT : ENTRY_ANCESTOR;
	tree->entries[0].data = source.mount;
	for (index = 0; index < tree->count && r == 0; index++)
		if (S_ISDIR(tree->entries[index].mode))
			r = walk_directory(&walk, index);
	tree_cursor_close(&walk.cursor);
	if (r < 0)
		return r;
	r = join_hard_links(tree);
	if (r < 0)
		return fail(r, "cannot list the state");
	tree_count(tree);
	r = check_paths(tree);
	if (r < 0)
		return r;
	*ret_tree = take_pointer(tree);
	return 0;
}
