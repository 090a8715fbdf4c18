// SPDX-License-Identifier: GPL-2.0-or-later
#include "tree/extract.h"

#include "base/cleanup.h"
#include "base/report.h"
#include "tree/extract-inode.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH(tree, index) (tree_path_text(tree, index).text)

int extract_begin(struct extraction *extraction, struct tree *tree, const char *into,
		  bool overwrite)
{
	*extraction = (struct extraction){ .tree = tree, .overwrite = overwrite };
	extraction->root = open(into, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (extraction->root < 0)
		return report_error(-errno, "%s: cannot restore there (it must be a directory)",
				    into);
	extraction->flags = calloc(tree->count, sizeof(*extraction->flags));
	extraction->inodes = calloc(tree->count, sizeof(*extraction->inodes));
	if (!extraction->flags || !extraction->inodes)
		return report_error(-ENOMEM, "%s: cannot restore there", into);
	return 0;
}

void extract_end(struct extraction *extraction)
{
	if (extraction->tree && extraction->root >= 0)
		close(extraction->root);
	free(extraction->flags);
	free(extraction->inodes);
	*extraction = (struct extraction){ .root = -1 };
}

int extract_open_parent(const struct extraction *extraction, struct tree_cursor *cursor,
			uint32_t index)
{
	const struct tree *tree = extraction->tree;
	uint32_t parent = tree->entries[index].parent;
	int fd = tree_cursor_open(cursor, parent);

	if (fd == -ELOOP || fd == -ENOTDIR)
		return extract_blocked(tree, parent);
	if (fd < 0)
		return report_error(fd, "%s: cannot open", PATH(tree, parent));
	return fd;
}

static int create_directory(struct extraction *extraction, struct tree_cursor *cursor,
			    uint32_t index)
{
	const struct tree *tree = extraction->tree;
	const struct entry *entry = &tree->entries[index];
	const char *name = tree_name(tree, index);
	bool may_exist = entry->flags & (ENTRY_ROOT | ENTRY_ANCESTOR);
	int parent = extract_open_parent(extraction, cursor, index);
	struct stat stat;

	if (parent < 0)
		return parent;
	if (mkdirat(parent, name, 0700) == 0) {
		extract_new_directory(extraction, index, parent);
		return 0;
	}
	if (errno != EEXIST || fstatat(parent, name, &stat, AT_SYMLINK_NOFOLLOW) < 0)
		return extract_failed(tree, index, -errno, "cannot create");
	if (!S_ISDIR(stat.st_mode) && (entry->flags & ENTRY_ANCESTOR))
		return extract_blocked(tree, index);
	if (!extraction->overwrite && !(may_exist && S_ISDIR(stat.st_mode)))
		return extract_exists(tree, index);
	if (S_ISDIR(stat.st_mode))
		return 0;
	if (unlinkat(parent, name, 0) < 0 || mkdirat(parent, name, 0700) < 0)
		return extract_failed(tree, index, -errno, "cannot replace");
	extract_new_directory(extraction, index, parent);
	return 0;
}

int extract_directories(struct extraction *extraction)
{
	const struct tree *tree = extraction->tree;
	struct tree_cursor cursor;
	int r = 0;

	tree_cursor_init(&cursor, tree, extraction->root);
	for (uint32_t i = 1; i < tree->count && r == 0; i++)
		if (S_ISDIR(tree->entries[i].mode))
			r = create_directory(extraction, &cursor, i);
	tree_cursor_close(&cursor);
	return r;
}

int extract_links(struct extraction *extraction)
{
	const struct tree *tree = extraction->tree;
	struct tree_cursor first, cursor;
	int r = 0;

	tree_cursor_init(&first, tree, extraction->root);
	tree_cursor_init(&cursor, tree, extraction->root);
	for (uint32_t i = 0; i < tree->count && r == 0; i++) {
		const struct entry *entry = &tree->entries[i];
		int first_parent, parent;

		if (entry->inode_entry == i || (entry->flags & ENTRY_DAMAGED) ||
		    (extraction->flags[i] & EXTRACT_LEFT_OUT))
			continue;
		first_parent = extract_open_parent(extraction, &first, entry->inode_entry);
		parent = extract_open_parent(extraction, &cursor, i);
		r = first_parent < 0 ? first_parent : parent < 0 ? parent : 0;
		if (r == 0)
			r = extract_link(extraction, i, first_parent, parent);
	}
	tree_cursor_close(&first);
	tree_cursor_close(&cursor);
	return r;
}

/* Children before parents. An ancestor that existed before is not modified. */
int extract_finish_directories(const struct extraction *extraction)
{
	const struct tree *tree = extraction->tree;
	struct tree_cursor cursor;
	int r = 0;

	tree_cursor_init(&cursor, tree, extraction->root);
	for (uint32_t i = tree->count; i-- > 0 && r == 0;) {
		const struct entry *entry = &tree->entries[i];
		int fd;

		if (!S_ISDIR(entry->mode) ||
		    ((entry->flags & ENTRY_ANCESTOR) && !(extraction->flags[i] & EXTRACT_CREATED)))
			continue;
		fd = tree_cursor_open(&cursor, i);
		r = fd < 0 ? report_error(fd, "%s: cannot open", PATH(tree, i))
			   : extract_attributes(extraction, i, fd);
	}
	tree_cursor_close(&cursor);
	return r;
}

int extract_sync(const struct extraction *extraction)
{
	const struct tree *tree = extraction->tree;
	struct tree_cursor cursor;
	struct stat stat = { 0 };
	dev_t last = 0;
	int r = 0;

	tree_cursor_init(&cursor, tree, extraction->root);
	for (uint32_t i = 0; i < tree->count && r == 0; i++) {
		_cleanup_close_ int fd = -1;
		int directory;

		if (!(tree->entries[i].flags & ENTRY_ROOT))
			continue;
		directory = tree_cursor_open(&cursor, S_ISDIR(tree->entries[i].mode)
							      ? i
							      : tree->entries[i].parent);
		fd = directory < 0 ? -1 : openat(directory, ".", O_RDONLY | O_CLOEXEC);
		/* Once per file system rather than once per path. */
		if (fd >= 0 && fstat(fd, &stat) == 0 && stat.st_dev == last)
			continue;
		last = stat.st_dev;
		if (fd < 0 || syncfs(fd) < 0)
			r = report_error(directory < 0 ? directory : -errno, "%s: flush failed",
					 PATH(tree, i));
	}
	tree_cursor_close(&cursor);
	return r;
}
