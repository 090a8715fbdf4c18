// SPDX-License-Identifier: GPL-2.0-or-later
#include "tree/extract-inode.h"

#include "base/cleanup.h"
#include "base/report.h"
#include "tree/beneath.h"
#include "tree/extract-ordinary.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define PATH(tree, index) (tree_path_text(tree, index).text)

int extract_failed(const struct tree *tree, uint32_t index, int error, const char *what)
{
	if (error == -ENOSPC || error == -EDQUOT)
		return report_error(-E_NO_FIT,
				    "%s: %s: no space left where the state is restored to",
				    PATH(tree, index), what);
	return report_error(error, "%s: %s", PATH(tree, index), what);
}

/*
 * A regular file is open. Anything else is O_PATH, which most calls refuse: they get the path
 * /proc/thread-self/fd/N, which is the inode itself, whatever has happened to its name, and through
 * which a symbolic link is not followed. So the calls that take a path cannot be misled.
 */
struct inode {
	int fd;
	bool is_open;
	char path[PROC_PATH_BYTES];
};

static struct inode inode_of(const struct entry *entry, int fd)
{
	struct inode inode = { .fd = fd, .is_open = S_ISREG(entry->mode) };

	if (!inode.is_open)
		snprintf(inode.path, sizeof(inode.path), "/proc/thread-self/fd/%d", fd);
	return inode;
}

static int set_xattr(const struct inode *inode, const struct xattr *xattr)
{
	return inode->is_open
		       ? fsetxattr(inode->fd, xattr->name, xattr->value, xattr->value_length, 0)
		       : setxattr(inode->path, xattr->name, xattr->value, xattr->value_length, 0);
}

static void remove_xattr(const struct inode *inode, const char *name)
{
	if (inode->is_open)
		fremovexattr(inode->fd, name);
	else
		removexattr(inode->path, name);
}

static int set_mode(const struct inode *inode, mode_t mode)
{
	return inode->is_open ? fchmod(inode->fd, mode) : chmod(inode->path, mode);
}

/* A directory that existed before may have ACLs. New inodes have none: see extract-staging.c. */
static void drop_acls(const struct inode *inode)
{
	remove_xattr(inode, "system.posix_acl_access");
	remove_xattr(inode, "system.posix_acl_default");
}

/*
 * Whether a file is created with its final mode, as nobody can reach it before it is
 * published. Not split files, which are opened again: their mode might not permit it.
 */
static bool is_created_with_mode(const struct extraction *extraction, uint32_t index)
{
	const struct entry *entry = &extraction->tree->entries[index];

	return S_ISREG(entry->mode) && !(extraction->flags[index] & EXTRACT_SPLIT) &&
	       !entry->xattrs && !(entry->mode & 07000);
}

static bool is_created_with_owner(const struct extraction *extraction, uint32_t index)
{
	const struct entry *entry = &extraction->tree->entries[index];

	return !(extraction->flags[index] & EXTRACT_MERGED) && entry->uid == getauxval(AT_EUID) &&
	       entry->gid == getauxval(AT_EGID);
}

static bool may_fail(const struct entry *entry)
{
	/* Ancestors are not part of the state: a user need not be able to set their attributes. */
	return errno == EPERM && (entry->flags & ENTRY_ANCESTOR);
}

int extract_attributes(const struct extraction *extraction, uint32_t index, int fd)
{
	const struct tree *tree = extraction->tree;
	const struct entry *entry = &tree->entries[index];
	const struct inode inode = inode_of(entry, fd);
	struct timespec times[2] = {
		{ .tv_nsec = UTIME_OMIT },
		{ .tv_sec = entry->mtime, .tv_nsec = entry->mtime_nsec },
	};
	const uint8_t *cursor = NULL;
	struct xattr xattr;

	if (!is_created_with_owner(extraction, index) &&
	    fchownat(fd, "", entry->uid, entry->gid, AT_EMPTY_PATH) < 0 && !may_fail(entry))
		return report_error(-errno, "%s: cannot change the owner to %u:%u",
				    PATH(tree, index), entry->uid, entry->gid);
	if (extraction->flags[index] & EXTRACT_MERGED)
		drop_acls(&inode);
	while (tree_next_xattr(tree, entry->xattrs, &cursor, &xattr))
		if (!((extraction->flags[index] & EXTRACT_PLAIN) && xattr_is_special(xattr.name)) &&
		    set_xattr(&inode, &xattr) < 0 && !may_fail(entry))
			return report_error(-errno, "%s: cannot set the extended attribute %s",
					    PATH(tree, index), xattr.name);
	if (!S_ISLNK(entry->mode) && !is_created_with_mode(extraction, index) &&
	    set_mode(&inode, entry->mode & 07777) < 0)
		return report_error(-errno, "%s: cannot set the mode", PATH(tree, index));
	if (utimensat(fd, "", times, AT_EMPTY_PATH) < 0)
		return report_error(-errno, "%s: cannot set the modification time",
				    PATH(tree, index));
	return 0;
}

int extract_special(struct extraction *extraction, uint32_t index, int directory)
{
	const struct tree *tree = extraction->tree;
	const struct entry *entry = &tree->entries[index];
	const char *name = tree_name(tree, index);
	_cleanup_close_ int fd = -1;
	int r;

	if (S_ISLNK(entry->mode))
		r = symlinkat(tree_target(tree, index), directory, name);
	else
		r = mknodat(directory, name, (entry->mode & S_IFMT) | 0600,
			    device_decode(entry->device));
	if (r == 0)
		fd = openat(directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return extract_failed(tree, index, -errno, "cannot create");
	extraction->flags[index] |= EXTRACT_CREATED;
	return extract_attributes(extraction, index, fd);
}

int extract_create(struct extraction *extraction, uint32_t index, int directory)
{
	const struct tree *tree = extraction->tree;
	mode_t mode =
		is_created_with_mode(extraction, index) ? tree->entries[index].mode & 0777 : 0600;
	int fd = openat(directory, tree_name(tree, index),
			O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, mode);

	if (fd < 0)
		return extract_failed(tree, index, -errno, "cannot create");
	extraction->flags[index] |= EXTRACT_CREATED;
	return fd;
}

int extract_open_again(const struct extraction *extraction, uint32_t index, int directory)
{
	const struct tree *tree = extraction->tree;
	int fd = openat(directory, tree_name(tree, index), O_WRONLY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return report_error(-errno, "%s: cannot open", PATH(tree, index));
	return fd;
}

int extract_link(struct extraction *extraction, uint32_t index, int first_directory, int directory)
{
	const struct tree *tree = extraction->tree;
	const char *first = tree_name(tree, tree->entries[index].inode_entry);

	if (linkat(first_directory, first, directory, tree_name(tree, index), 0) < 0)
		return extract_failed(tree, index, -errno, "cannot link");
	extraction->flags[index] |= EXTRACT_CREATED;
	return 0;
}
