// SPDX-License-Identifier: GPL-2.0-or-later
#include "tree/walk-read.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/report.h"
#include "tree/file-writer.h"
#include "tree/lease.h"
#include "tree/walk-holes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* How often, and how far apart, a lenient reader asks whether a file is still open for writing. */
#define LENIENT_TRIES	 4
#define LENIENT_PAUSE_NS NS_PER_MS

#define PATH(tree, index) (tree_path_text(tree, index).text)

void walk_reading_begin(struct walk_reading *reading, struct tree *tree)
{
	*reading = (struct walk_reading){
		.tree = tree,
		.opening = PTHREAD_MUTEX_INITIALIZER,
		.lock = PTHREAD_MUTEX_INITIALIZER,
	};
	leases_begin(&reading->leases);
}

void walk_reading_end(struct walk_reading *reading)
{
	leases_end(&reading->leases);
	free(reading->shared);
}

int walk_reading_share(struct walk_reading *reading, uint32_t index, uint64_t bytes)
{
	struct walk_shared *shared;

	if (reading->shared_count == reading->shared_capacity) {
		size_t capacity = reading->shared_capacity ? 2 * reading->shared_capacity : 64;

		shared = reallocarray(reading->shared, capacity, sizeof(*shared));
		if (!shared)
			return report_error(-ENOMEM, "cannot read the state");
		reading->shared = shared;
		reading->shared_capacity = capacity;
	}
	shared = &reading->shared[reading->shared_count++];
	shared->index = index;
	shared->is_leased = false;
	atomic_init(&shared->left, bytes);
	return 0;
}

static struct walk_shared *find_shared(const struct walk_reading *reading, uint32_t index)
{
	size_t low = 0, high = reading->shared_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (reading->shared[middle].index < index)
			low = middle + 1;
		else
			high = middle;
	}
	return low < reading->shared_count && reading->shared[low].index == index
		       ? &reading->shared[low]
		       : NULL;
}

/* Other threads may mark the same entry. */
static void mark_changed(struct tree *tree, uint32_t index)
{
	if (!(__atomic_fetch_or(&tree->entries[index].flags, ENTRY_CHANGED, __ATOMIC_RELAXED) &
	      ENTRY_CHANGED))
		detail("%s: changed while it was being read, and is saved as it is",
		       PATH(tree, index));
}

static int changed(struct tree *tree, uint32_t index)
{
	if (tree->lenient) {
		mark_changed(tree, index);
		return 0;
	}
	return report_error(-E_CHANGED,
			    "%s: changed while it was being read; stop what writes there",
			    PATH(tree, index));
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

/* An error on the way to the current file, or while it is read. */
static int unreadable(struct walk_reader *reader, int error, const char *what)
{
	struct walk_reading *reading = reader->reading;
	struct walk_file *file = &reader->file;
	struct tree *tree = reading->tree;
	_cleanup_free_ char *path = NULL;
	int r;

	if (!tree->lenient && is_gone(error))
		return changed(tree, file->index);
	if (!tree->lenient)
		return report_error(-E_UNREADABLE, "%s: cannot %s: %s", PATH(tree, file->index),
				    what, strerror(-error));
	if (file->is_unsaved)
		return 0;
	file->is_unsaved = true;
	mark_changed(tree, file->index);
	warn("%s: cannot %s, zeroes are saved in its place: %s", PATH(tree, file->index), what,
	     strerror(-error));
	path = tree_path(tree, file->index);
	pthread_mutex_lock(&reading->lock);
	r = path ? tree_add_unsaved(tree, path, error) : -ENOMEM;
	pthread_mutex_unlock(&reading->lock);
	return r < 0 ? report_error(r, "cannot note what is not saved") : 0;
}

static int take_lease(struct walk_file *file, bool lenient)
{
	const struct timespec pause = { .tv_nsec = LENIENT_PAUSE_NS };
	int r = lease_take(file->fd, &file->leased_ns);

	for (int i = 1; r == -EAGAIN && lenient && i < LENIENT_TRIES; i++) {
		nanosleep(&pause, NULL);
		r = lease_take(file->fd, &file->leased_ns);
	}
	return r;
}

static void tell_no_lease(struct walk_reading *reading, uint32_t index, int error)
{
	bool told;

	pthread_mutex_lock(&reading->lock);
	told = reading->told;
	reading->told = true;
	pthread_mutex_unlock(&reading->lock);
	if (!told)
		inform("%s: there are no leases (%s): that a file is written while it is read shows there by its times alone",
		       PATH(reading->tree, index), strerror(-error));
}

static int is_being_written(const struct tree *tree, const struct walk_file *file)
{
	const struct file_writer writer = file_writer_find(file->fd);

	if (writer.pid)
		return report_error(-E_CHANGED,
				    "%s: is being written: process %d (%s) has it open for writing, or mapped shared and writable; stop it first",
				    PATH(tree, file->index), (int)writer.pid, writer.name);
	return report_error(-E_CHANGED,
			    "%s: is being written: a process has it open for writing, or mapped shared and writable; stop it first",
			    PATH(tree, file->index));
}

static int lease_file(struct walk_reader *reader)
{
	struct walk_reading *reading = reader->reading;
	struct walk_file *file = &reader->file;
	struct tree *tree = reading->tree;
	int r = take_lease(file, tree->lenient);

	file->has_lease = r == 0;
	if (r == -EAGAIN && tree->lenient)
		mark_changed(tree, file->index);
	else if (r == -EAGAIN)
		return is_being_written(tree, file);
	else if (r < 0)
		tell_no_lease(reading, file->index, r);
	return 0;
}

static int check_listed(const struct walk_reader *reader, const struct walk_file *file)
{
	struct tree *tree = reader->reading->tree;
	struct stat stat;

	if (fstat(file->fd, &stat) < 0)
		return report_error(-E_UNREADABLE, "%s: cannot read: %s", PATH(tree, file->index),
				    strerror(errno));
	return is_same(&tree->entries[file->index], &stat) ? 0 : changed(tree, file->index);
}

/*
 * The first thread leases it, and the others begin only then. With a lease of its own each of them would
 * be refused while somebody waits for that of the first. The others have to look at once whether it is
 * the same file: as soon as they have read their parts the lease may be gone.
 */
static int lease_shared(struct walk_reader *reader)
{
	struct walk_shared *shared = reader->file.shared;
	int r = 0;

	pthread_mutex_lock(&reader->reading->opening);
	reader->file.is_holder = !shared->is_leased;
	if (reader->file.is_holder) {
		shared->is_leased = true;
		r = lease_file(reader);
	}
	pthread_mutex_unlock(&reader->reading->opening);
	return reader->file.is_holder ? r : check_listed(reader, &reader->file);
}

static int open_file(struct walk_reader *reader, uint32_t index)
{
	const struct tree *tree = reader->reading->tree;
	int directory = tree_cursor_open(reader->cursor, tree->entries[index].parent);
	const char *name = tree_name(tree, index);
	int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
	struct walk_file *file = &reader->file;

	*file = (struct walk_file){ .fd = -1, .index = index };
	file->shared = find_shared(reader->reading, index);
	reader->has_file = true;
	if (directory < 0)
		return unreadable(reader, directory, "open");
	/* Only owners can use O_NOATIME. */
	file->fd = openat(directory, name, flags | O_NOATIME);
	if (file->fd < 0 && errno == EPERM)
		file->fd = openat(directory, name, flags);
	if (file->fd < 0)
		return unreadable(reader, -errno, "open");
	return file->shared ? lease_shared(reader) : lease_file(reader);
}

static void close_file(struct walk_file *file)
{
	if (file->fd >= 0)
		close(file->fd);
	file->fd = -1;
}

/* Stores to a mapped hole leave no other trace; the data beside it was read under the lease. */
static bool has_same_holes(const struct tree *tree, const struct walk_file *file)
{
	bool is_same = false;

	if (!(tree->entries[file->index].flags & ENTRY_SPARSE))
		return true;
	return walk_compare_holes(tree, file->index, file->fd, &is_same) == 0 && is_same;
}

/* After the read: whatever has changed it has changed its times by now, or waits for the lease. */
static int check_file(struct walk_reader *reader, struct walk_file *file)
{
	struct tree *tree = reader->reading->tree;
	int r = 0;

	if (file->fd < 0)
		return 0;
	if (!file->shared || file->is_holder) {
		r = check_listed(reader, file);
		if (r == 0 && (!has_same_holes(tree, file) ||
			       (file->has_lease && !lease_is_held(&reader->reading->leases,
								  file->fd, file->leased_ns))))
			r = changed(tree, file->index);
	}
	close_file(file);
	return r;
}

static bool is_incomplete(const struct walk_file *file)
{
	return file->is_holder && atomic_load(&file->shared->left) > 0;
}

static int hold(struct walk_reader *reader, const struct walk_file *file)
{
	if (reader->held_count == reader->held_capacity) {
		size_t capacity = reader->held_capacity ? 2 * reader->held_capacity : 16;
		struct walk_file *held = reallocarray(reader->held, capacity, sizeof(*held));

		if (!held)
			return report_error(-ENOMEM, "cannot read the state");
		reader->held = held;
		reader->held_capacity = capacity;
	}
	reader->held[reader->held_count++] = *file;
	return 0;
}

static int leave_file(struct walk_reader *reader)
{
	int r;

	if (!reader->has_file)
		return 0;
	if (is_incomplete(&reader->file))
		r = hold(reader, &reader->file);
	else
		r = check_file(reader, &reader->file);
	if (r == 0)
		reader->has_file = false;
	return r;
}

static int enter_file(struct walk_reader *reader, uint32_t index)
{
	int r = leave_file(reader);

	if (r < 0)
		return r;
	for (size_t i = 0; i < reader->held_count; i++) {
		if (reader->held[i].index != index)
			continue;
		reader->file = reader->held[i];
		reader->has_file = true;
		reader->held[i] = reader->held[--reader->held_count];
		return 0;
	}
	return open_file(reader, index);
}

/* How much there was: less than @length at the end of the file, or where it cannot be read. */
static ssize_t read_whole(int fd, uint8_t *buffer, size_t length, uint64_t offset)
{
	size_t got = 0;

	while (got < length) {
		ssize_t more = pread(fd, buffer + got, length - got, (off_t)(offset + got));

		if (more < 0 && errno == EINTR)
			continue;
		if (more < 0)
			return -errno;
		if (more == 0)
			break;
		got += (size_t)more;
	}
	return (ssize_t)got;
}

int walk_read(struct walk_reader *reader, uint32_t index, void *buffer, size_t length,
	      uint64_t offset)
{
	struct walk_file *file = &reader->file;
	ssize_t got = 0;
	int r = 0;

	if (!reader->has_file || file->index != index)
		r = enter_file(reader, index);
	if (r < 0)
		return r;
	if (file->fd >= 0)
		got = read_whole(file->fd, buffer, length, offset);
	if (got < 0)
		r = unreadable(reader, (int)got, "read");
	else if (file->fd >= 0 && (size_t)got < length)
		r = changed(reader->reading->tree, index);
	if (got < (ssize_t)length)
		memset((uint8_t *)buffer + (got > 0 ? got : 0), 0,
		       length - (size_t)(got > 0 ? got : 0));
	if (file->shared)
		atomic_fetch_sub(&file->shared->left, length);
	return r;
}

int walk_reader_settle(struct walk_reader *reader)
{
	size_t kept = 0;
	int r = 0;

	if (reader->has_file && !reader->file.shared)
		r = leave_file(reader);
	for (size_t i = 0; i < reader->held_count; i++) {
		struct walk_file *file = &reader->held[i];

		if (r < 0 || is_incomplete(file))
			reader->held[kept++] = *file;
		else
			r = check_file(reader, file);
	}
	reader->held_count = kept;
	return r;
}

int walk_reader_end(struct walk_reader *reader)
{
	int r = 0;

	/* What is incomplete now is so because of an error, and is not going to be used. */
	if (reader->has_file && !is_incomplete(&reader->file))
		r = leave_file(reader);
	if (r == 0)
		r = walk_reader_settle(reader);
	if (reader->has_file)
		close_file(&reader->file);
	for (size_t i = 0; i < reader->held_count; i++)
		close_file(&reader->held[i]);
	free(reader->held);
	*reader = (struct walk_reader){ .file.fd = -1 };
	return r;
}

static int check_entry(struct tree_cursor *cursor, struct tree *tree, uint32_t index)
{
	int directory =
		index ? tree_cursor_open(cursor, tree->entries[index].parent) : cursor->root;
	int r = directory < 0 ? directory : 0;
	struct stat stat;

	if (r == 0 &&
	    fstatat(directory, tree_name(tree, index), &stat,
		    AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | (index ? 0 : AT_EMPTY_PATH)) < 0)
		r = -errno;
	if (is_gone(r) || (r < 0 && tree->lenient) ||
	    (r == 0 && !is_same(&tree->entries[index], &stat)))
		return changed(tree, index);
	if (r < 0)
		return report_error(-E_UNREADABLE, "%s: cannot read: %s", PATH(tree, index),
				    strerror(-r));
	return 0;
}

int walk_check_rest(struct tree *tree)
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
			r = check_entry(&cursor, tree, i);
	}
	tree_cursor_close(&cursor);
	return r;
}
