// SPDX-License-Identifier: GPL-2.0-or-later
#include "extract-inode.h"

#include "beneath.h"
#include "cleanup.h"
#include "report.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define PATH(tree, index) (tree_path_text(tree, index).text)

int extract_failed(const struct tree *tree, uint32_t index, int error, const char *what)
{
	if (error == -ENOSPC || error == -EDQUOT)
		return fail(-E_NO_FIT, "%s: %s: no space left where the state is restored to",
			    PATH(tree, index), what);
	return fail(error, "%s: %s", PATH(tree, index), what);
}

/*
 * A directory that was there before may have a default ACL, which all that is created in it takes.
 * Deeper down there is nothing to inherit any more.
 */
static void drop_acls(const struct tree *tree, uint32_t index, const char *path)
{
	const struct entry *entry = &tree->entries[index];

	if (tree->entries[entry->parent].flags & ENTRY_CREATED)
		return;
	removexattr(path, "system.posix_acl_access");
	if (S_ISDIR(entry->mode))
		removexattr(path, "system.posix_acl_default");
}

void extract_drop_inherited(const struct tree *tree, uint32_t index, int directory)
{
	_cleanup_close_ int fd = openat(directory, tree_name(tree, index),
					O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	char path[PROC_PATH_BYTES];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (fd >= 0)
		drop_acls(tree, index, path);
}

int extract_exists(const struct tree *tree, uint32_t index)
{
	return fail(-E_REFUSED,
		    "%s: exists already; --overwrite replaces it with what the checkpoint holds",
		    PATH(tree, index));
}

int extract_blocked(const struct tree *tree, uint32_t index)
{
	return fail(-E_REFUSED, "%s: is a symbolic link or a file now, and was a directory",
		    PATH(tree, index));
}

static bool may_fail(const struct entry *entry)
{
	/* A directory that only leads to the state is not the state: a user may go without. */
	return errno == EPERM && (entry->flags & ENTRY_ANCESTOR);
}

/*
 * /proc/self/fd/N is the inode itself, whatever has happened to its name, and a symlink is not
 * followed through it; so the calls that want a path cannot be led astray.
 */
int extract_attributes(const struct tree *tree, uint32_t index, int fd)
{
	const struct entry *entry = &tree->entries[index];
	struct timespec times[2] = {
		{ .tv_nsec = UTIME_OMIT },
		{ .tv_sec = entry->mtime, .tv_nsec = entry->mtime_nsec },
	};
	const uint8_t *cursor = NULL;
	char path[PROC_PATH_BYTES];
	struct xattr xattr;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (fchownat(fd, "", entry->uid, entry->gid, AT_EMPTY_PATH) < 0 && !may_fail(entry))
		return fail(-errno, "%s: cannot give it to %u:%u", PATH(tree, index), entry->uid,
			    entry->gid);
	drop_acls(tree, index, path);
	while (tree_next_xattr(tree, entry->xattrs, &cursor, &xattr))
		if (setxattr(path, xattr.name, xattr.value, xattr.value_length, 0) < 0 &&
		    !may_fail(entry))
			return fail(-errno, "%s: cannot set the extended attribute %s",
				    PATH(tree, index), xattr.name);
	if (!S_ISLNK(entry->mode) && chmod(path, entry->mode & 07777) < 0)
		return fail(-errno, "%s: cannot set the mode", PATH(tree, index));
	if (utimensat(fd, "", times, AT_EMPTY_PATH) < 0)
		return fail(-errno, "%s: cannot set the time", PATH(tree, index));
	return 0;
}

/* What has the name already goes when it may; a directory with anything in it never does. */
static int make_room(const struct tree *tree, uint32_t index, int directory, bool overwrite)
{
	if (!overwrite)
		return extract_exists(tree, index);
	if (unlinkat(directory, tree_name(tree, index), 0) < 0)
		return extract_failed(tree, index, -errno, "cannot replace");
	return 0;
}

static int make_special(const struct tree *tree, uint32_t index, int directory)
{
	const struct entry *entry = &tree->entries[index];
	int r;

	if (S_ISLNK(entry->mode))
		r = symlinkat(tree_target(tree, index), directory, tree_name(tree, index));
	else
		r = mknodat(directory, tree_name(tree, index), (entry->mode & S_IFMT) | 0600,
			    device_decode(entry->device));
	return r < 0 ? -errno : 0;
}

int extract_special(struct tree *tree, uint32_t index, int directory, bool overwrite)
{
	_cleanup_close_ int fd = -1;
	int r = make_special(tree, index, directory);

	if (r == -EEXIST) {
		r = make_room(tree, index, directory, overwrite);
		if (r < 0)
			return r;
		r = make_special(tree, index, directory);
	}
	if (r < 0)
		return extract_failed(tree, index, r, "cannot create");
	tree->entries[index].flags |= ENTRY_CREATED;
	fd = openat(directory, tree_name(tree, index), O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return extract_failed(tree, index, -errno, "cannot create");
	return extract_attributes(tree, index, fd);
}

int extract_create(struct tree *tree, uint32_t index, int directory, bool overwrite)
{
	const char *name = tree_name(tree, index);
	int flags = O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC;
	int fd = openat(directory, name, flags, 0600), r;

	if (fd < 0 && errno == EEXIST) {
		r = make_room(tree, index, directory, overwrite);
		if (r < 0)
			return r;
		fd = openat(directory, name, flags, 0600);
	}
	if (fd < 0)
		return extract_failed(tree, index, -errno, "cannot create");
	tree->entries[index].flags |= ENTRY_CREATED;
	return fd;
}

int extract_link(struct tree *tree, uint32_t index, int first_directory, int directory,
		 bool overwrite)
{
	const char *first = tree_name(tree, tree->entries[index].inode_entry);
	const char *name = tree_name(tree, index);
	int r = linkat(first_directory, first, directory, name, 0);

	if (r < 0 && errno == EEXIST) {
		r = make_room(tree, index, directory, overwrite);
		if (r < 0)
			return r;
		r = linkat(first_directory, first, directory, name, 0);
	}
	if (r < 0)
		return extract_failed(tree, index, -errno, "cannot link");
	tree->entries[index].flags |= ENTRY_CREATED;
	return 0;
}
