// SPDX-License-Identifier: GPL-2.0-or-later
#include "tree/walk-inode.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/report.h"
#include "tree/beneath.h"
#include "tree/walk-holes.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#define XATTR_TRIES 5

#define TICK_NS_MAX 10000000 /* HZ=100 */
/* A file that changes all the time does not keep the walk: its lease is refused later. */
#define TICK_TRIES 20

/* A list or value may grow between the query for its size and the read: try again. */
static ssize_t read_names(const char *path, char **ret_names)
{
	for (int i = 0; i < XATTR_TRIES; i++) {
		ssize_t length = llistxattr(path, NULL, 0);
		char *names;

		if (length <= 0)
			return length < 0 ? -errno : 0;
		names = malloc((size_t)length);
		if (!names)
			return -ENOMEM;
		length = llistxattr(path, names, (size_t)length);
		if (length >= 0) {
			*ret_names = names;
			return length;
		}
		free(names);
		if (errno != ERANGE)
			return -errno;
	}
	return -EAGAIN;
}

static ssize_t read_value(const char *path, const char *name, char **ret_value)
{
	for (int i = 0; i < XATTR_TRIES; i++) {
		ssize_t length = lgetxattr(path, name, NULL, 0);
		char *value;

		if (length <= 0)
			return length < 0 ? -errno : 0;
		value = malloc((size_t)length);
		if (!value)
			return -ENOMEM;
		length = lgetxattr(path, name, value, (size_t)length);
		if (length >= 0) {
			*ret_value = value;
			return length;
		}
		free(value);
		if (errno != ERANGE)
			return -errno;
	}
	return -EAGAIN;
}

static int compare_strings(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Notes that @worker->found has something of @index. */
static int add_owner(struct walk_worker *worker, uint32_t index)
{
	if (worker->owner_count && worker->owners[worker->owner_count - 1] == index)
		return 0;
	if (worker->owner_count == worker->owner_capacity) {
		size_t capacity = worker->owner_capacity ? 2 * worker->owner_capacity : 64;
		uint32_t *owners = reallocarray(worker->owners, capacity, sizeof(*worker->owners));

		if (!owners)
			return -ENOMEM;
		worker->owners = owners;
		worker->owner_capacity = capacity;
	}
	worker->owners[worker->owner_count++] = index;
	return 0;
}

/* Reads the xattrs called @names; sorted, so that equal xattrs are equal sets. */
static int read_values(struct walk_worker *worker, uint32_t index, const char *path,
		       const char *names, size_t length)
{
	_cleanup_free_ const char **sorted = NULL;
	const struct tree *tree = worker->tree;
	struct tree *found = worker->found;
	size_t count = 0;
	uint32_t set;
	int r;

	for (const char *p = names; p < names + length; p += strlen(p) + 1)
		count++;
	sorted = calloc(count, sizeof(*sorted));
	if (!sorted)
		return report_error(-ENOMEM, "%s: cannot read", tree_path_text(tree, index).text);
	count = 0;
	for (const char *p = names; p < names + length; p += strlen(p) + 1)
		sorted[count++] = p;
	qsort(sorted, count, sizeof(*sorted), compare_strings);

	r = tree_xattrs_begin(found, &set);
	for (size_t i = 0; i < count && r == 0; i++) {
		_cleanup_free_ char *value = NULL;
		ssize_t value_length = read_value(path, sorted[i], &value);

		if (value_length < 0)
			return report_error((int)value_length,
					    "%s: cannot read the extended attribute %s",
					    tree_path_text(tree, index).text, sorted[i]);
		r = tree_xattrs_add(found, set, sorted[i], strlen(sorted[i]), value,
				    (size_t)value_length);
	}
	if (r == 0)
		r = add_owner(worker, index);
	if (r < 0)
		return report_error(r, "%s: cannot store the extended attributes",
				    tree_path_text(tree, index).text);
	tree_xattrs_end(found, &set, worker->last_xattrs);
	worker->last_xattrs = set;
	worker->tree->entries[index].xattrs = set;
	return 0;
}

/* A path of the entry, whose parent is the open @directory: in @buffer, or just its name. */
static const char *path_of(struct walk_worker *worker, uint32_t index, int directory, char *buffer)
{
	const struct tree *tree = worker->tree;
	const char *name = index ? tree_name(tree, index) : ".";
	uint32_t parent = tree->entries[index].parent;

	if (worker->home < 0) {
		snprintf(buffer, PROC_PATH_BYTES + NAME_MAX, "/proc/thread-self/fd/%d/%s",
			 directory, name);
		return buffer;
	}
	if (worker->directory != parent) {
		if (fchdir(directory) < 0)
			return NULL;
		worker->directory = parent;
	}
	return name;
}

int walk_leave_out(struct walk_worker *worker, uint32_t index, int error)
{
	const struct tree *tree = worker->tree;
	_cleanup_free_ char *path = NULL;

	if (!tree->lenient || index == 0 || error == -ENOMEM || error == -EOVERFLOW)
		return error;
	path = tree_path(tree, index);
	if (!path || tree_add_unsaved(worker->found, path, error) < 0)
		return report_error(-ENOMEM, "cannot note what is not saved");
	return 0;
}

static int read_all_xattrs(struct walk_worker *worker, uint32_t index, int directory)
{
	const struct tree *tree = worker->tree;
	char buffer[PROC_PATH_BYTES + NAME_MAX];
	const char *path = path_of(worker, index, directory, buffer);
	_cleanup_free_ char *names = NULL;
	ssize_t length = path ? read_names(path, &names) : -errno;

	if (length == -EOPNOTSUPP || length == 0)
		return 0;
	if (length < 0)
		return report_error((int)length, "%s: cannot list the extended attributes",
				    tree_path_text(tree, index).text);
	return read_values(worker, index, path, names, (size_t)length);
}

/*
 * Without its ACL, the bits of the group, which are its mask, might grant more than they did. That this
 * mode is not the one on disk also marks the inode as changed.
 */
static int read_xattrs(struct walk_worker *worker, uint32_t index, int directory)
{
	int r = read_all_xattrs(worker, index, directory);

	if (r == 0)
		return 0;
	worker->tree->entries[index].mode &= ~(uint32_t)S_IRWXG;
	return walk_leave_out(worker, index, r);
}

static int read_link(struct walk_worker *worker, uint32_t index, int directory)
{
	struct tree *tree = worker->tree;
	char target[PATH_MAX + 1];
	ssize_t length = readlinkat(directory, tree_name(tree, index), target, sizeof(target));
	uint32_t offset;
	int r;

	if (length < 0)
		return report_error(-errno, "%s: cannot read the symbolic link",
				    tree_path_text(tree, index).text);
	r = tree_add_string(worker->found, target, (size_t)length, &offset);
	if (r == 0)
		r = add_owner(worker, index);
	if (r < 0)
		return report_error(r, "%s: cannot read the symbolic link",
				    tree_path_text(tree, index).text);
	tree->entries[index].first = offset;
	tree->entries[index].size = (uint64_t)length;
	return 0;
}

/* The data ranges of a file with holes. */
static int read_holes(struct walk_worker *worker, uint32_t index, int directory)
{
	struct tree *tree = worker->tree, *found = worker->found;
	struct entry *entry = &tree->entries[index];
	uint32_t first = found->range_count;
	_cleanup_close_ int fd = -1;
	bool sparse = false;
	int r;

	fd = openat(directory, tree_name(tree, index),
		    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return report_error(-errno, "%s: cannot open", tree_path_text(tree, index).text);
	r = walk_find_data(found, fd, entry->size, &sparse);
	if (r == 0 && sparse)
		r = add_owner(worker, index);
	if (r < 0)
		return report_error(r, "%s: cannot find its holes",
				    tree_path_text(tree, index).text);
	if (!sparse)
		return 0;
	entry->flags |= ENTRY_SPARSE;
	entry->first = first;
	entry->count = found->range_count - first;
	return 0;
}

int walk_worker_begin(struct walk_worker *worker, struct tree *tree, int root,
		      struct tree_cursor *cursor, bool own_directory)
{
	*worker = (struct walk_worker){ .tree = tree, .directory = UINT32_MAX, .home = -1 };
	tree_cursor_init(&worker->own, tree, root);
	worker->cursor = cursor ? cursor : &worker->own;
	if (tree_new(&worker->found) < 0)
		return report_error(-ENOMEM, "cannot list the state");
	if (!own_directory)
		return 0;
	/* The directory must be one that fchdir() can return to; containers may forbid unshare(2). */
	worker->home = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (worker->home >= 0 && unshare(CLONE_FS) < 0) {
		close(worker->home);
		worker->home = -1;
	}
	return 0;
}

void walk_worker_end(struct walk_worker *worker)
{
	/* This may be the main thread, which uses relative paths later. */
	if (worker->home >= 0 && fchdir(worker->home) < 0)
		warn("cannot return to the working directory: %s", strerror(errno));
	if (worker->home >= 0)
		close(worker->home);
	worker->home = -1;
	tree_cursor_close(&worker->own);
}

void walk_worker_clear(struct walk_worker *worker)
{
	tree_free(worker->found);
	free(worker->owners);
}

/*
 * The clock that most file systems take their times from (before Linux 6.13, all of them) advances in
 * ticks. What is changed once more in the tick of its last change keeps its ctime. @now was read before
 * @stat; times of a finer clock are at most one tick ahead of it.
 */
static bool changed_in_this_tick(const struct statx *stat, const struct timespec *now)
{
	int64_t ahead_ns = (stat->stx_ctime.tv_sec - now->tv_sec) * (int64_t)NS_PER_SECOND +
			   stat->stx_ctime.tv_nsec - now->tv_nsec;

	return ahead_ns >= 0 && ahead_ns < TICK_NS_MAX;
}

/* Waits until the tick of its last change is over: any later change changes its ctime. */
static int stat_settled(int directory, const char *name, int flags, struct statx *ret_stat)
{
	for (int i = 0; i < TICK_TRIES; i++) {
		const struct timespec pause = { .tv_nsec = NS_PER_MS };
		struct timespec now;

		clock_gettime(CLOCK_REALTIME_COARSE, &now);
		if (statx(directory, name, flags | AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT,
			  STATX_BASIC_STATS | STATX_MNT_ID, ret_stat) < 0)
			return -errno;
		if (!changed_in_this_tick(ret_stat, &now))
			return 0;
		nanosleep(&pause, NULL);
	}
	return 0;
}

static int read_inode(struct walk_worker *worker, uint32_t index)
{
	struct tree *tree = worker->tree;
	struct entry *entry = &tree->entries[index];
	int directory = tree_cursor_open(worker->cursor, entry->parent), r;
	struct statx stat;

	if (directory < 0)
		return report_error(directory, "%s: cannot open",
				    tree_path_text(tree, entry->parent).text);
	r = stat_settled(directory, tree_name(tree, index), index ? 0 : AT_EMPTY_PATH, &stat);
	if (r < 0)
		return report_error(r, "%s: cannot read", tree_path_text(tree, index).text);
	entry->mode = stat.stx_mode;
	entry->uid = stat.stx_uid;
	entry->gid = stat.stx_gid;
	entry->mtime = stat.stx_mtime.tv_sec;
	entry->mtime_nsec = stat.stx_mtime.tv_nsec;
	entry->ctime = stat.stx_ctime.tv_sec;
	entry->ctime_nsec = stat.stx_ctime.tv_nsec;
	entry->inode = stat.stx_ino;
	entry->links = stat.stx_nlink;
	entry->filesystem = device_encode(makedev(stat.stx_dev_major, stat.stx_dev_minor));
	entry->data = stat.stx_mask & STATX_MNT_ID ? stat.stx_mnt_id : entry->filesystem;

	r = read_xattrs(worker, index, directory);
	if (r < 0)
		return r;
	switch (entry->mode & S_IFMT) {
	case S_IFREG:
		entry->size = stat.stx_size;
		if (stat.stx_blocks * 512 < entry->size)
			return read_holes(worker, index, directory);
		return 0;
	case S_IFLNK:
		return read_link(worker, index, directory);
	case S_IFCHR:
	case S_IFBLK:
		entry->device = device_encode(makedev(stat.stx_rdev_major, stat.stx_rdev_minor));
		return 0;
	default:
		return 0;
	}
}

int walk_inode(struct walk_worker *worker, uint32_t index)
{
	int r = read_inode(worker, index);

	if (r == 0)
		return 0;
	worker->tree->entries[index].mode = 0;
	return walk_leave_out(worker, index, r);
}
