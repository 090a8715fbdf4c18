// SPDX-License-Identifier: GPL-2.0-or-later
/* Reading the files of a tree that was walked, with a check that nothing has changed since. */
#include "base/cleanup.h"
#include "base/report.h"
#include "tree/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static int changed(const struct tree *tree, uint32_t index)
{
	return report_error(-E_CHANGED,
			    "%s: changed while it was being read; stop what writes there",
			    tree_path_text(tree, index).text);
}

/* It no longer exists, or something else has its name. */
static bool is_gone(int error)
{
	return error == -ENOENT || error == -ENOTDIR || error == -ELOOP;
}

static bool is_same(const struct entry *entry, const struct stat *stat)
{
	return entry->inode == stat->st_ino && entry->mode == stat->st_mode &&
	       entry->mtime == stat->st_mtim.tv_sec &&
	       entry->mtime_nsec == (uint32_t)stat->st_mtim.tv_nsec &&
	       entry->ctime == stat->st_ctim.tv_sec &&
	       entry->ctime_nsec == (uint32_t)stat->st_ctim.tv_nsec &&
	       (!S_ISREG(entry->mode) || entry->size == (uint64_t)stat->st_size);
}

void walk_reader_close(struct walk_reader *reader)
{
	if (reader->fd >= 0)
		close(reader->fd);
	reader->fd = -1;
}

/* After the read, as a write before or during it has changed the times by now. */
int walk_check_unchanged(struct walk_reader *reader)
{
	const struct tree *tree = reader->cursor->tree;
	struct stat stat;
	int r = 0;

	if (reader->fd < 0)
		return 0;
	if (fstat(reader->fd, &stat) < 0)
		r = report_error(-errno, "%s: cannot read",
				 tree_path_text(tree, reader->index).text);
	else if (!is_same(&tree->entries[reader->index], &stat))
		r = changed(tree, reader->index);
	walk_reader_close(reader);
	return r;
}

static int open_file(struct walk_reader *reader, uint32_t index)
{
	const struct tree *tree = reader->cursor->tree;
	int directory = tree_cursor_open(reader->cursor, tree->entries[index].parent);
	const char *name = tree_name(tree, index);
	int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;

	if (is_gone(directory))
		return changed(tree, index);
	if (directory < 0)
		return report_error(directory, "%s: cannot open", tree_path_text(tree, index).text);
	/* Only owners can use O_NOATIME. */
	reader->fd = openat(directory, name, flags | O_NOATIME);
	if (reader->fd < 0 && errno == EPERM)
		reader->fd = openat(directory, name, flags);
	if (reader->fd < 0 && is_gone(-errno))
		return changed(tree, index);
	if (reader->fd < 0)
		return report_error(-errno, "%s: cannot open", tree_path_text(tree, index).text);
	reader->index = index;
	return 0;
}

int walk_read(struct walk_reader *reader, uint32_t index, void *buffer, size_t length,
	      uint64_t offset)
{
	const struct tree *tree = reader->cursor->tree;
	int r;

	if (reader->fd < 0 || reader->index != index) {
		r = walk_check_unchanged(reader);
		if (r == 0)
			r = open_file(reader, index);
		if (r < 0)
			return r;
	}
	while (length > 0) {
		ssize_t got = pread(reader->fd, buffer, length, (off_t)offset);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return report_error(-errno, "%s: cannot read",
					    tree_path_text(tree, index).text);
		if (got == 0)
			return changed(tree, index);
		buffer = (char *)buffer + got;
		length -= (size_t)got;
		offset += (uint64_t)got;
	}
	return 0;
}

static int check_entry(struct tree_cursor *cursor, uint32_t index)
{
	const struct tree *tree = cursor->tree;
	int directory =
		index ? tree_cursor_open(cursor, tree->entries[index].parent) : cursor->root;
	int r = directory < 0 ? directory : 0;
	struct stat stat;

	if (r == 0 &&
	    fstatat(directory, tree_name(tree, index), &stat,
		    AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | (index ? 0 : AT_EMPTY_PATH)) < 0)
		r = -errno;
	if (is_gone(r) || (r == 0 && !is_same(&tree->entries[index], &stat)))
		return changed(tree, index);
	if (r < 0)
		return report_error(r, "%s: cannot read", tree_path_text(tree, index).text);
	return 0;
}

int walk_check_rest(const struct tree *tree)
{
	_cleanup_close_ int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct tree_cursor cursor;
	int r = 0;

	if (root < 0)
		return report_error(-errno, "/: cannot open");
	tree_cursor_init(&cursor, tree, root);
	for (uint32_t i = 0; i < tree->count && r == 0; i++) {
		const struct entry *entry = &tree->entries[i];
		bool was_read = S_ISREG(entry->mode) && entry->size &&
				(entry->count || !(entry->flags & ENTRY_SPARSE));

		/* Files that were read have been checked; ancestors may change. */
		if (!(entry->flags & ENTRY_ANCESTOR) && !was_read)
			r = check_entry(&cursor, i);
	}
	tree_cursor_close(&cursor);
	return r;
}
