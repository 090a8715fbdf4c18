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
	extraction->staging = calloc(tree->count, sizeof(*extraction->staging));
	if (!extraction->flags || !extraction->staging || tree_new(&extraction->saved) < 0)
		return report_error(-ENOMEM, "%s: cannot restore there", into);
	return 0;
}

static void close_open(int fd)
{
	if (fd >= 0)
		close(fd);
}

void extract_end(struct extraction *extraction)
{
	for (uint32_t i = 0; i < extraction->staging_count; i++) {
		close_open(extraction->stagings[i].fd);
		close_open(extraction->stagings[i].root);
		close_open(extraction->stagings[i].lock);
	}
	for (uint32_t i = 0; i < extraction->merged_count; i++)
		close_open(extraction->merged[i].fd);
	for (uint32_t i = 0; i < extraction->top_count; i++)
		close_open(extraction->tops[i].fd);
	if (extraction->tree)
		close_open(extraction->root);
	tree_free(extraction->saved);
	free(extraction->tops);
	free(extraction->stagings);
	free(extraction->merged);
	free(extraction->staging);
	free(extraction->flags);
	*extraction = (struct extraction){ .root = -1 };
}

int extract_open_directory(const struct extraction *extraction, struct tree_cursor *cursor,
			   uint32_t index)
{
	const struct staging *staging = &extraction->stagings[extraction->staging[index]];
	int fd;

	if (cursor->root != staging->root) {
		tree_cursor_close(cursor);
		tree_cursor_init(cursor, extraction->tree, staging->root);
	}
	fd = tree_cursor_open(cursor, index);
	if (fd < 0)
		return report_error(fd, "%s: cannot open", PATH(extraction->tree, index));
	return fd;
}

int extract_open_parent(const struct extraction *extraction, struct tree_cursor *cursor,
			uint32_t index)
{
	return extract_open_directory(extraction, cursor, extraction->tree->entries[index].parent);
}

static int create_directory(struct extraction *extraction, struct tree_cursor *cursor,
			    uint32_t index)
{
	const struct tree *tree = extraction->tree;
	int parent;

	extraction->staging[index] = extraction->staging[tree->entries[index].parent];
	parent = extract_open_parent(extraction, cursor, index);
	if (parent < 0)
		return parent;
	if (mkdirat(parent, tree_name(tree, index), 0700) < 0)
		return extract_failed(tree, index, -errno, "cannot create");
	extraction->flags[index] |= EXTRACT_CREATED;
	return 0;
}

int extract_directories(struct extraction *extraction)
{
	const struct tree *tree = extraction->tree;
	struct tree_cursor cursor;
	int r = 0;

	tree_cursor_init(&cursor, tree, -1);
	for (uint32_t i = 1; i < tree->count && r == 0; i++)
		if (S_ISDIR(tree->entries[i].mode) && !(extraction->flags[i] & EXTRACT_MERGED))
			r = create_directory(extraction, &cursor, i);
	tree_cursor_close(&cursor);
	return r;
}

int extract_links(struct extraction *extraction)
{
	const struct tree *tree = extraction->tree;
	struct tree_cursor first, cursor;
	int r = 0;

	tree_cursor_init(&first, tree, -1);
	tree_cursor_init(&cursor, tree, -1);
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

/* Children before parents. */
int extract_finish_directories(const struct extraction *extraction)
{
	const struct tree *tree = extraction->tree;
	struct tree_cursor cursor;
	int r = 0;

	tree_cursor_init(&cursor, tree, -1);
	for (uint32_t i = tree->count; i-- > 0 && r == 0;) {
		int fd;

		if (!S_ISDIR(tree->entries[i].mode) || !(extraction->flags[i] & EXTRACT_CREATED))
			continue;
		fd = extract_open_directory(extraction, &cursor, i);
		r = fd < 0 ? fd : extract_attributes(extraction, i, fd);
	}
	tree_cursor_close(&cursor);
	return r;
}

/* Once per file system rather than once per directory. */
static int sync_directory(const struct extraction *extraction, uint32_t index, int fd, dev_t *last)
{
	struct stat stat;

	if (fd >= 0 && fstat(fd, &stat) == 0 && stat.st_dev == *last)
		return 0;
	if (fd < 0 || syncfs(fd) < 0)
		return report_error(-errno, "%s: flush failed", PATH(extraction->tree, index));
	*last = stat.st_dev;
	return 0;
}

int extract_sync(const struct extraction *extraction)
{
	const struct tree *tree = extraction->tree;
	dev_t last = 0;
	int r = 0;

	for (uint32_t i = 0; i < extraction->staging_count && r == 0; i++) {
		const struct staging *staging = &extraction->stagings[i];

		r = sync_directory(extraction, extraction->merged[staging->merged].entry,
				   staging->fd, &last);
	}
	/* Those that get no entries have attributes to flush. */
	for (uint32_t i = 0; i < extraction->merged_count && r == 0; i++) {
		const struct merged *merged = &extraction->merged[i];
		_cleanup_close_ int fd = -1;

		if (merged->staging != NO_STAGING ||
		    (tree->entries[merged->entry].flags & ENTRY_ANCESTOR))
			continue;
		fd = openat(merged->fd, ".", O_RDONLY | O_CLOEXEC);
		r = sync_directory(extraction, merged->entry, fd, &last);
	}
	return r;
}
