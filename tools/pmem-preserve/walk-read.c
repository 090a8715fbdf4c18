// SPDX-License-Identifier: GPL-2.0-or-later
/* Reading the files of a tree that was walked, with the proof that nothing changed since. */
#include "cleanup.h"
#include "report.h"
#include "walk.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

static int changed(const struct tree *tree, uint32_t index)
{
	return fail(-E_FAILED, "%s: changed while it was being read; stop what writes there",
		    tree_path_text(tree, index).text);
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

int walk_read(struct tree_cursor *cursor, uint32_t index, void *buffer, size_t length,
	      uint64_t offset)
{
	const struct tree *tree = cursor->tree;
	const struct entry *entry = &tree->entries[index];
	_cleanup_close_ int fd = -1;
	struct stat stat;
	int directory;

	directory = tree_cursor_open(cursor, entry->parent);
	if (directory == -ENOENT || directory == -ENOTDIR || directory == -ELOOP)
		return changed(tree, index);
	if (directory < 0)
		return fail(directory, "%s: cannot open", tree_path_text(tree, index).text);
	/* O_NOATIME is for owners only. */
	fd = openat(directory, tree_name(tree, index),
		    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOATIME | O_CLOEXEC);
	if (fd < 0 && errno == EPERM)
		fd = openat(directory, tree_name(tree, index),
			    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 && (errno == ENOENT || errno == ELOOP))
		return changed(tree, index);
	if (fd < 0)
		return fail(-errno, "%s: cannot open", tree_path_text(tree, index).text);
	while (length > 0) {
		ssize_t got = pread(fd, buffer, length, (off_t)offset);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return fail(-errno, "%s: cannot read", tree_path_text(tree, index).text);
		if (got == 0)
			return changed(tree, index);
		buffer = (char *)buffer + got;
		length -= (size_t)got;
		offset += (uint64_t)got;
	}
	/* Looked at after the read: whoever wrote before or during it has left a mark by now. */
	if (fstat(fd, &stat) < 0)
		return fail(-errno, "%s: cannot read", tree_path_text(tree, index).text);
	return is_same(entry, &stat) ? 0 : changed(tree, index);
}

int walk_unchanged(const struct tree *tree)
{
	_cleanup_close_ int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct tree_cursor cursor;
	struct stat stat;
	int r = 0;

	if (root < 0)
		return fail(-errno, "/: cannot open");
	tree_cursor_init(&cursor, tree, root);
	for (uint32_t i = 0; i < tree->count && r == 0; i++) {
		const struct entry *entry = &tree->entries[i];
		int directory;

		bool was_read = S_ISREG(entry->mode) && entry->size &&
				(entry->count || !(entry->flags & ENTRY_SPARSE));

		/* What was read was looked at then; ancestors are not kept. */
		if ((entry->flags & ENTRY_ANCESTOR) || was_read)
			continue;
		directory = i ? tree_cursor_open(&cursor, entry->parent) : root;
		if (directory < 0 ||
		    fstatat(directory, tree_name(tree, i), &stat,
			    AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | (i ? 0 : AT_EMPTY_PATH)) < 0 ||
		    !is_same(entry, &stat))
			r = changed(tree, i);
	}
	tree_cursor_close(&cursor);
	return r;
}
