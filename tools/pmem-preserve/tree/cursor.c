// SPDX-License-Identifier: GPL-2.0-or-later
#include "tree/cursor.h"

#include "base/cleanup.h"
#include "tree/beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* Farther down than this an anchor is opened half way. */
#define NEAR 64u

void tree_cursor_init(struct tree_cursor *cursor, const struct tree *tree, int root)
{
	*cursor = (struct tree_cursor){ .tree = tree, .root = root };
	for (size_t i = 0; i < TREE_CURSOR_KEPT; i++)
		cursor->kept[i].fd = -1;
	for (size_t i = 0; i < TREE_CURSOR_ANCHORS; i++)
		cursor->anchors[i].fd = -1;
}

static void replace(struct kept_directory *kept, uint32_t index, int fd)
{
	if (kept->fd >= 0)
		close(kept->fd);
	*kept = (struct kept_directory){ index, fd };
}

void tree_cursor_close(struct tree_cursor *cursor)
{
	for (size_t i = 0; i < TREE_CURSOR_KEPT; i++)
		replace(&cursor->kept[i], 0, -1);
	for (size_t i = 0; i < TREE_CURSOR_ANCHORS; i++)
		replace(&cursor->anchors[i], 0, -1);
}

/* Directories of one level have indices close to each other, and so places of their own. */
static struct kept_directory *place_of(struct tree_cursor *cursor, uint32_t index)
{
	return &cursor->kept[index % TREE_CURSOR_KEPT];
}

static int find_kept(struct tree_cursor *cursor, uint32_t index)
{
	const struct kept_directory *kept = place_of(cursor, index);

	return kept->index == index ? kept->fd : -1;
}

static int find_anchor(const struct tree_cursor *cursor, uint32_t index)
{
	for (size_t i = 0; i < TREE_CURSOR_ANCHORS; i++)
		if (cursor->anchors[i].index == index && cursor->anchors[i].fd >= 0)
			return cursor->anchors[i].fd;
	return -1;
}

/* The nearest directory above @index that is open, or the root. */
static int find_above(struct tree_cursor *cursor, uint32_t index, uint32_t *ret_above,
		      size_t *ret_distance)
{
	uint32_t above = index;
	size_t distance = 0;
	int fd = -1;

	while (fd < 0 && above != 0) {
		above = cursor->tree->entries[above].parent;
		distance++;
		fd = find_kept(cursor, above);
		if (fd < 0)
			fd = find_anchor(cursor, above);
	}
	*ret_above = above;
	*ret_distance = distance;
	return fd < 0 ? cursor->root : fd;
}

/* Opens @index by its path from the open directory @above. */
static int open_path(const struct tree *tree, int fd, uint32_t above, uint32_t index)
{
	_cleanup_free_ char *path = NULL;
	size_t length = 0;
	char *at;

	if (index == above)
		return open_directory_beneath(fd, ".", O_PATH);
	for (uint32_t i = index; i != above; i = tree->entries[i].parent)
		length += strlen(tree_name(tree, i)) + 1;
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
	return open_directory_beneath(fd, path, O_PATH);
}

/* Others that lie far down, too, find an anchor on their way and are not opened from the root. */
static int open_from_above(struct tree_cursor *cursor, uint32_t index)
{
	const struct tree *tree = cursor->tree;
	uint32_t above, middle;
	size_t distance;
	int fd = find_above(cursor, index, &above, &distance);

	while (distance > NEAR) {
		middle = index;
		for (size_t i = 0; i < distance / 2; i++)
			middle = tree->entries[middle].parent;
		fd = open_path(tree, fd, above, middle);
		if (fd < 0)
			return fd;
		replace(&cursor->anchors[cursor->next_anchor++ % TREE_CURSOR_ANCHORS], middle, fd);
		above = middle;
		distance /= 2;
	}
	return open_path(tree, fd, above, index);
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
		replace(place_of(cursor, index), index, fd);
	return fd;
}
