// SPDX-License-Identifier: GPL-2.0-or-later
#include "tree/cursor.h"

#include "base/cleanup.h"
#include "tree/beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

void tree_cursor_init(struct tree_cursor *cursor, const struct tree *tree, int root)
{
	cursor->tree = tree;
	cursor->root = root;
	for (size_t i = 0; i < TREE_CURSOR_KEPT; i++)
		cursor->kept[i].fd = -1;
}

void tree_cursor_close(struct tree_cursor *cursor)
{
	for (size_t i = 0; i < TREE_CURSOR_KEPT; i++) {
		if (cursor->kept[i].fd >= 0)
			close(cursor->kept[i].fd);
		cursor->kept[i].fd = -1;
	}
}

/* Directories of one level have indices close to each other, and so places of their own. */
static int find_kept(const struct tree_cursor *cursor, uint32_t index)
{
	size_t place = index % TREE_CURSOR_KEPT;

	return cursor->kept[place].directory == index ? cursor->kept[place].fd : -1;
}

static void keep(struct tree_cursor *cursor, uint32_t index, int fd)
{
	size_t place = index % TREE_CURSOR_KEPT;

	if (cursor->kept[place].fd >= 0)
		close(cursor->kept[place].fd);
	cursor->kept[place].directory = index;
	cursor->kept[place].fd = fd;
}

/* Opens it from the nearest directory above it that is open. */
static int open_from_above(const struct tree_cursor *cursor, uint32_t index)
{
	const struct tree *tree = cursor->tree;
	_cleanup_free_ char *path = NULL;
	size_t length = 0;
	uint32_t above = index;
	int from = -1;
	char *at;

	while (from < 0 && above != 0) {
		length += strlen(tree_name(tree, above)) + 1;
		above = tree->entries[above].parent;
		from = find_kept(cursor, above);
	}
	if (from < 0)
		from = cursor->root;
	if (length == 0)
		return open_directory_beneath(from, ".", O_PATH);
	path = malloc(length);
	if (!path)
		return -ENOMEM;
	at = path + length;
	for (uint32_t i = index; i != above; i = tree->entries[i].parent) {
		size_t name_length = strlen(tree_name(tree, i));

		*--at = i == index ? '\0' : '/';
		at -= name_length;
		memcpy(at, tree_name(tree, i), name_length);
	}
	return open_directory_beneath(from, path, O_PATH);
}

int tree_cursor_open(struct tree_cursor *cursor, uint32_t index)
{
	int fd = find_kept(cursor, index);

	if (fd >= 0)
		return fd;
	fd = open_from_above(cursor, index);
	if (fd == -EMFILE) {
		tree_cursor_close(cursor);
		fd = open_from_above(cursor, index);
	}
	if (fd >= 0)
		keep(cursor, index, fd);
	return fd;
}
