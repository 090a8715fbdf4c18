// SPDX-License-Identifier: GPL-2.0-or-later
#include "tree/extract-check.h"

#include "base/report.h"
#include "base/text.h"
#include "tree/extract-inode.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

/*
 * What was checkpointed must not exist. The directory itself may, as it is often a mount point, but
 * must not contain anything that the checkpoint contains as well.
 */
static int check_root(struct tree_cursor *cursor, uint32_t index)
{
	const struct tree *tree = cursor->tree;
	const struct entry *entry = &tree->entries[index];
	struct stat stat;
	int fd = tree_cursor_open(cursor, entry->parent);

	if (fd < 0 || fstatat(fd, tree_name(tree, index), &stat,
			      AT_SYMLINK_NOFOLLOW | (index ? 0 : AT_EMPTY_PATH)) < 0)
		return 0;
	if (!S_ISDIR(entry->mode) || !S_ISDIR(stat.st_mode))
		return extract_exists(tree, index);
	fd = tree_cursor_open(cursor, index);
	for (uint32_t i = 0; fd >= 0 && i < entry->count; i++) {
		uint32_t child = entry->first + i;

		if (!(tree->entries[child].flags & (ENTRY_ROOT | ENTRY_ANCESTOR)) &&
		    fstatat(fd, tree_name(tree, child), &stat, AT_SYMLINK_NOFOLLOW) == 0)
			return extract_exists(tree, child);
	}
	return 0;
}

/* Ancestors are not part of the checkpoint: they are never replaced, and links not followed. */
static int check_ancestor(struct tree_cursor *cursor, uint32_t index)
{
	int fd = tree_cursor_open(cursor, index);

	return fd == -ELOOP || fd == -ENOTDIR ? extract_blocked(cursor->tree, index) : 0;
}

/* Opens the deepest directory on the way to @index that exists; the cursor owns it. */
static int open_existing(struct tree_cursor *cursor, uint32_t index)
{
	int fd = -1;

	for (; fd < 0; index = cursor->tree->entries[index].parent) {
		if (S_ISDIR(cursor->tree->entries[index].mode))
			fd = tree_cursor_open(cursor, index);
		if (index == 0)
			break;
	}
	return fd;
}

/* Only if all of it goes to one file system; otherwise a file for which there is no space fails. */
static int check_space(struct tree_cursor *cursor, uint64_t bytes)
{
	const struct tree *tree = cursor->tree;
	uint64_t free_bytes = 0;
	struct statvfs space;
	struct stat stat;
	dev_t device = 0;
	bool first = true;
	int fd;

	for (uint32_t i = 0; i < tree->count; i++) {
		if (!(tree->entries[i].flags & ENTRY_ROOT))
			continue;
		fd = open_existing(cursor, i);
		if (fd < 0 || fstat(fd, &stat) < 0 || fstatvfs(fd, &space) < 0 ||
		    space.f_blocks == 0 || (!first && stat.st_dev != device))
			return 0;
		first = false;
		device = stat.st_dev;
		free_bytes = (uint64_t)space.f_bavail * space.f_frsize;
	}
	if (bytes <= free_bytes)
		return 0;
	return report_error(-E_NO_FIT,
			    "the state takes %s, but only %s are free where it is restored to",
			    size_exact(bytes).text, size_exact(free_bytes).text);
}

int extract_check(const struct extraction *extraction, uint64_t bytes)
{
	const struct tree *tree = extraction->tree;
	bool overwrite = extraction->overwrite;
	struct tree_cursor cursor;
	int r = 0;

	tree_cursor_init(&cursor, tree, extraction->root);
	for (uint32_t i = 0; i < tree->count && r == 0; i++) {
		if (tree->entries[i].flags & ENTRY_ANCESTOR)
			r = check_ancestor(&cursor, i);
		else if ((tree->entries[i].flags & ENTRY_ROOT) && !overwrite)
			r = check_root(&cursor, i);
	}
	if (r == 0 && !overwrite)
		r = check_space(&cursor, bytes);
	tree_cursor_close(&cursor);
	return r;
}
