// SPDX-License-Identifier: GPL-2.0-or-later
#include "tree/extract-staging.h"

#include "base/cleanup.h"
#include "base/fault.h"
#include "base/report.h"
#include "tree/beneath.h"
#include "tree/extract-inode.h"
#include "tree/extract-leftover.h"
#include "tree/extract-remove.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define TRIES 16u

#define PATH(tree, index) (tree_path_text(tree, index).text)

/* Where the open directory is now, for messages: what is found there has no path in the tree. */
static struct path_text real_path(int fd)
{
	char link[PROC_PATH_BYTES];
	struct path_text path = { "" };

	snprintf(link, sizeof(link), "/proc/thread-self/fd/%d", fd);
	if (readlink(link, path.text, sizeof(path.text) - 1) < 0)
		strcpy(path.text, "?");
	return path;
}

static int new_name(const char *prefix, char name[STAGING_NAME_BYTES])
{
	uint32_t random;

	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		return -EIO;
	snprintf(name, STAGING_NAME_BYTES, "%s%08x", prefix, random);
	return 0;
}

/* 0, or -EEXIST if there is something in it. */
static int check_empty(int directory)
{
	int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r;
	DIR *list = fd < 0 ? NULL : fdopendir(fd);
	unsigned int names = 0;

	if (!list) {
		r = -errno;
		cleanup_close(&fd);
		return r;
	}
	while (names < 3 && readdir(list))
		names++;
	closedir(list);
	return names == 2 ? 0 : -EEXIST;
}

/*
 * What a directory inherits from the one it is made in, group and ACLs, it would pass on. In the end
 * it must be ours, whatever the file system makes of owners and modes, and empty: whoever owns the
 * directory around it could have exchanged it for another one of ours.
 */
static int make_private(int fd)
{
	struct stat stat;

	fremovexattr(fd, "system.posix_acl_access");
	fremovexattr(fd, "system.posix_acl_default");
	if (fchown(fd, (uid_t)-1, (gid_t)getauxval(AT_EGID)) < 0 || fchmod(fd, 0700) < 0 ||
	    fstat(fd, &stat) < 0)
		return -errno;
	if (stat.st_uid != getauxval(AT_EUID) || stat.st_gid != getauxval(AT_EGID) ||
	    (stat.st_mode & 07777) != 0700)
		return -EPERM;
	return check_empty(fd);
}

static int make_locked(struct staging *staging)
{
	struct stat stat;

	staging->lock =
		openat(staging->fd, STAGING_LOCK, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (staging->lock < 0)
		return -errno;
	/* Where there are no such locks, leftovers are never removed. */
	if ((flock(staging->lock, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK) ||
	    fstat(staging->lock, &stat) < 0 || stat.st_nlink == 0)
		return -EEXIST;
	if (mkdirat(staging->fd, "root", 0700) < 0)
		return -errno;
	staging->root = openat(staging->fd, "root", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return staging->root < 0 ? -errno : 0;
}

static void drop(struct staging *staging)
{
	int *fds[] = { &staging->fd, &staging->root, &staging->lock };

	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
		cleanup_close(fds[i]);
		*fds[i] = -1;
	}
}

/* -EEXIST, or -ENOENT: somebody took it for one that is left over; begin again. */
static int try_to_make(struct staging *staging)
{
	int r = new_name(STAGING_PREFIX, staging->name);

	if (r < 0)
		return r;
	if (mkdirat(staging->parent, staging->name, 0700) < 0)
		return -errno;
	staging->fd = openat(staging->parent, staging->name,
			     O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	r = staging->fd < 0 ? -errno : make_private(staging->fd);
	if (r == 0) {
		r = make_locked(staging);
		if (r < 0 && r != -EEXIST && staging->lock >= 0) {
			unlinkat(staging->fd, "root", AT_REMOVEDIR);
			unlinkat(staging->fd, STAGING_LOCK, 0);
		}
	}
	if (r == 0)
		return 0;
	drop(staging);
	unlinkat(staging->parent, staging->name, AT_REMOVEDIR);
	return r;
}

/* Making and removing a staging directory has changed the time of the one around it. */
static void set_time(const struct extraction *extraction, const struct staging *staging,
		     bool undone)
{
	uint32_t index = extraction->merged[staging->merged].entry;
	const struct entry *entry = &extraction->tree->entries[index];
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, staging->mtime };

	if (!undone && (entry->flags & ENTRY_ANCESTOR))
		return;
	if (!undone)
		times[1] = (struct timespec){ entry->mtime, entry->mtime_nsec };
	/* Not so for an ancestor that is another user's. */
	utimensat(staging->parent, "", times, AT_EMPTY_PATH);
}

static int make(struct extraction *extraction, uint32_t number)
{
	const struct tree *tree = extraction->tree;
	const struct merged *merged = &extraction->merged[number];
	struct staging *staging = &extraction->stagings[extraction->staging_count];
	struct stat stat;
	int r = -EEXIST;

	if (fstat(merged->fd, &stat) < 0)
		return report_error(-errno, "%s: cannot open", PATH(tree, merged->entry));
	*staging = (struct staging){
		.parent = merged->fd,
		.merged = number,
		.fd = -1,
		.root = -1,
		.lock = -1,
		.mtime = stat.st_mtim,
	};
	for (unsigned int i = 0; i < TRIES && (r == -EEXIST || r == -ENOENT); i++)
		r = try_to_make(staging);
	if (r < 0)
		set_time(extraction, staging, true);
	if (r == -EPERM)
		return report_error(r,
				    "%s: cannot make a directory there that nobody else can enter, which a restore begins with",
				    PATH(tree, merged->entry));
	if (r < 0)
		return extract_failed(tree, merged->entry, r, "cannot create a directory there");
	extraction->staging_count++;
	return 0;
}

/* Makes the directory of entry @index, and those that lead to it, beneath @root. */
static int make_path(const struct tree *tree, int root, uint32_t index)
{
	_cleanup_free_ char *path = tree_path(tree, index);
	int r = 0, at = root;

	if (!path)
		return -ENOMEM;
	for (char *name = strtok(path, "/"); name && r == 0; name = strtok(NULL, "/")) {
		int next;

		if (mkdirat(at, name, 0700) < 0 && errno != EEXIST)
			r = -errno;
		next = r < 0 ? -1 : openat(at, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (r == 0 && next < 0)
			r = -errno;
		if (at != root)
			close(at);
		at = next;
	}
	if (at != root && at >= 0)
		close(at);
	return r;
}

static int find_or_make(struct extraction *extraction, struct tree_cursor *cursor, uint32_t number)
{
	const struct tree *tree = extraction->tree;
	struct merged *merged = &extraction->merged[number];
	const struct merged *parent = &extraction->merged[merged->parent];
	int r, directory;

	/* Where this restore or another one begins to make something. */
	if (merged->gets_entries ||
	    (tree->entries[merged->entry].flags & (ENTRY_ANCESTOR | ENTRY_ROOT)))
		extract_remove_leftovers(merged->fd, real_path(merged->fd).text);
	if (parent->mount == merged->mount)
		merged->staging = parent->staging;
	if (merged->staging == NO_STAGING && !merged->gets_entries)
		return 0;
	if (merged->staging != NO_STAGING) {
		extraction->staging[merged->entry] = merged->staging;
		directory = extract_open_directory(extraction, cursor, parent->entry);
		if (directory < 0)
			return directory;
		r = mkdirat(directory, tree_name(tree, merged->entry), 0700) < 0 ? -errno : 0;
	} else {
		merged->staging = extraction->staging_count;
		extraction->staging[merged->entry] = merged->staging;
		r = make(extraction, number);
		if (r < 0)
			return r;
		r = make_path(tree, extraction->stagings[merged->staging].root, merged->entry);
	}
	return r < 0 ? extract_failed(tree, merged->entry, r, "cannot create") : 0;
}

/* An undo must not fail because there are too many open files. */
static int reserve(struct extraction *extraction)
{
	for (size_t i = 0; i < RESERVED_FDS; i++) {
		int fd = fcntl(extraction->root, F_DUPFD_CLOEXEC, 0);

		if (fd < 0)
			return report_error(-errno, "cannot restore");
		extraction->reserved[extraction->reserved_count++] = fd;
	}
	return 0;
}

static void release_reserved(struct extraction *extraction)
{
	while (extraction->reserved_count)
		close(extraction->reserved[--extraction->reserved_count]);
}

int extract_stagings_make(struct extraction *extraction)
{
	struct tree_cursor cursor;
	int r = reserve(extraction);

	if (r < 0)
		return r;
	extraction->stagings = calloc(extraction->merged_count, sizeof(*extraction->stagings));
	if (!extraction->stagings)
		return report_error(-ENOMEM, "cannot restore");
	tree_cursor_init(&cursor, extraction->tree, -1);
	for (uint32_t i = 0; i < extraction->merged_count && r == 0; i++)
		r = find_or_make(extraction, &cursor, i);
	tree_cursor_close(&cursor);
	return r;
}

int extract_stagings_keep(struct extraction *extraction)
{
	for (uint32_t i = 0; i < extraction->staging_count; i++) {
		struct staging *staging = &extraction->stagings[i];
		char name[STAGING_NAME_BYTES];
		int r = new_name(STAGING_REPLACED, name);

		if (r == 0 && renameat2(staging->parent, staging->name, staging->parent, name,
					RENAME_NOREPLACE) < 0)
			r = -errno;
		/* File systems without that flag: the name is random. */
		if (r == -EINVAL &&
		    renameat(staging->parent, staging->name, staging->parent, name) == 0)
			r = 0;
		if (r < 0)
			return report_error(r, "%s/%s: cannot rename",
					    real_path(staging->parent).text, staging->name);
		strcpy(staging->name, name);
	}
	return 0;
}

/* Others than root cannot remove anything from a directory that is not to be written to. */
static int remove_from(int directory, const char *name)
{
	char path[PROC_PATH_BYTES];
	struct stat stat;
	int r;

	if (unlinkat(directory, name, AT_REMOVEDIR) == 0)
		return 0;
	if (errno != EACCES || fstat(directory, &stat) < 0)
		return -errno;
	snprintf(path, sizeof(path), "/proc/thread-self/fd/%d", directory);
	if (chmod(path, (stat.st_mode & 07777) | S_IRWXU) < 0)
		return -EACCES;
	r = unlinkat(directory, name, AT_REMOVEDIR) < 0 ? -errno : 0;
	return chmod(path, stat.st_mode & 07777) < 0 ? -errno : r;
}

static int remove_staging(struct staging *staging)
{
	int r = fault(FAULT_STAGING_REMOVE);

	if (r == 0)
		r = remove_all_in(staging->fd, STAGING_LOCK);
	if (r == 0 && unlinkat(staging->fd, STAGING_LOCK, 0) < 0)
		r = -errno;
	return r < 0 ? r : remove_from(staging->parent, staging->name);
}

int extract_stagings_remove(struct extraction *extraction, bool undone)
{
	int result = 0;

	release_reserved(extraction);
	for (uint32_t i = 0; i < extraction->staging_count; i++) {
		struct staging *staging = &extraction->stagings[i];
		int r = staging->keep ? 0 : remove_staging(staging);

		if (staging->keep)
			warn("%s/root: what was replaced is here, as it could not be put back; take out what you need, then remove this directory",
			     real_path(staging->fd).text);
		else if (r < 0)
			warn("%s: what is left of the restore could not be removed: %s",
			     real_path(staging->fd).text, strerror(-r));
		if (staging->keep || r < 0)
			result = -E_FAILED;
		set_time(extraction, staging, undone);
		drop(staging);
	}
	extraction->staging_count = 0;
	return result;
}
