// SPDX-License-Identifier: GPL-2.0-or-later
#include "tree/walk-names.h"

#include "base/cleanup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void names_clear(struct names *names)
{
	free(names->list);
	free(names->text);
	*names = (struct names){ 0 };
}

/* @names->list is filled in once all names are there: until then the text may move. */
static int add_name(struct names *names, const char *name, size_t length)
{
	if (names->room - names->used < length + 1) {
		size_t room = 2 * names->room + length + 4096;
		char *text = realloc(names->text, room);

		if (!text)
			return -ENOMEM;
		names->text = text;
		names->room = room;
	}
	memcpy(names->text + names->used, name, length);
	names->text[names->used + length] = '\0';
	names->used += length + 1;
	names->count++;
	return 0;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int sort_names(struct names *names)
{
	size_t distinct = 0;
	char *at = names->text;

	if (names->count > names->capacity) {
		const char **list =
			reallocarray(names->list, 2 * names->count, sizeof(*names->list));

		if (!list)
			return -ENOMEM;
		names->list = list;
		names->capacity = 2 * names->count;
	}
	for (size_t i = 0; i < names->count; i++) {
		names->list[i] = at;
		at += strlen(at) + 1;
	}
	if (names->count > 1)
		qsort(names->list, names->count, sizeof(*names->list), compare_names);
	for (size_t i = 0; i < names->count; i++)
		if (i == 0 || strcmp(names->list[i], names->list[distinct - 1]) != 0)
			names->list[distinct++] = names->list[i];
	names->count = distinct;
	return 0;
}

static bool is_beneath(const char *path, const char *directory)
{
	size_t length = strlen(directory);

	if (length == 1)
		return path[1] != '\0';
	return strncmp(path, directory, length) == 0 && path[length] == '/';
}

bool names_is_asked(const struct tree *tree, const char *path)
{
	for (size_t i = 0; i < tree->path_count; i++)
		if (strcmp(tree->paths[i], path) == 0)
			return true;
	return false;
}

bool names_leads_to_asked(const struct tree *tree, const char *path)
{
	for (size_t i = 0; i < tree->path_count; i++)
		if (is_beneath(tree->paths[i], path))
			return true;
	return false;
}

bool names_is_excluded(const struct walk_options *options, const char *directory, const char *name)
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

/* Paths that were asked for are included, whatever the globs say. */
bool names_is_wanted(const struct tree *tree, const char *directory, const char *name)
{
	_cleanup_free_ char *path = NULL;

	if (tree->path_count == 1)
		return false;
	if (asprintf(&path, "%s/%s", directory[1] ? directory : "", name) < 0) {
		path = NULL;
		return true;
	}
	return names_is_asked(tree, path) || names_leads_to_asked(tree, path);
}

/* @path: NULL if it does not matter. @leads: to a path that was asked for. */
static int read_all(struct names *names, const struct walk_options *options,
		    const struct tree *tree, const char *path, bool leads, int fd)
{
	struct dirent *entry;
	DIR *directory = fdopendir(fd);
	int r = 0;

	if (!directory) {
		close(fd);
		return -errno;
	}
	while (r == 0) {
		errno = 0;
		entry = readdir(directory);
		if (!entry) {
			r = -errno;
			break;
		}
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
		    (names_is_excluded(options, path, entry->d_name) &&
		     !(leads && names_is_wanted(tree, path, entry->d_name))))
			continue;
		r = add_name(names, entry->d_name, strlen(entry->d_name));
	}
	closedir(directory);
	return r;
}

/* Of an ancestor, only the names that lead to a path that was asked for. */
static int read_asked(struct names *names, const struct tree *tree, const char *path)
{
	int r = 0;

	for (size_t i = 0; i < tree->path_count && r == 0; i++) {
		const char *name = tree->paths[i] + (path[1] ? strlen(path) + 1 : 1);

		if (is_beneath(tree->paths[i], path))
			r = add_name(names, name, strcspn(name, "/"));
	}
	return r;
}

/* Building it for each directory of a deep tree would take a time that is quadratic in the depth. */
static bool needs_path(const struct walk_options *options, const struct tree *tree, uint32_t index)
{
	if (tree->entries[index].flags & (ENTRY_ANCESTOR | ENTRY_LEADS))
		return true;
	for (size_t i = 0; i < options->exclude_count; i++)
		if (strchr(options->excludes[i], '/'))
			return true;
	return false;
}

int names_read(struct names *names, const struct walk_options *options, const struct tree *tree,
	       uint32_t index, int directory)
{
	_cleanup_free_ char *path = NULL;
	int fd, r, sorted;

	names->count = 0;
	names->used = 0;
	if (needs_path(options, tree, index)) {
		path = tree_path(tree, index);
		if (!path)
			return -ENOMEM;
	}
	if (tree->entries[index].flags & ENTRY_ANCESTOR) {
		r = read_asked(names, tree, path);
	} else {
		fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		r = fd < 0 ? -errno
			   : read_all(names, options, tree, path,
				      tree->entries[index].flags & ENTRY_LEADS, fd);
	}
	sorted = sort_names(names);
	if (sorted < 0)
		names->count = 0;
	return r < 0 ? r : sorted;
}
