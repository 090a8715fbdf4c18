// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/store.h"

#include "base/cleanup.h"
#include "base/directory-of.h"
#include "base/fault.h"
#include "flow/instance.h"
#include "base/interrupt.h"
#include "base/report.h"
#include "store/sigbus.h"

#include <errno.h>
#include <fcntl.h>
#include <libpmem.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#define HUGE_PAGE (2 << 20)
#define UDEV_MS	  10000
/* Each place that cannot be read is worth a line, up to here: a dead device has thousands. */
#define WARNINGS_MAX 8u

/* device-dax tells in sysfs only. An NVDIMM's size is a multiple of the mapping's alignment. */
static int dax_number(dev_t device, const char *name, uint64_t *ret_number)
{
	_cleanup_fclose_ FILE *file = NULL;
	unsigned long long number;
	char path[80];

	snprintf(path, sizeof(path), "/sys/dev/char/%u:%u/%s", major(device), minor(device), name);
	file = fopen(path, "re");
	if (!file)
		return -errno;
	if (fscanf(file, "%llu", &number) != 1)
		return -EINVAL;
	*ret_number = number;
	return 0;
}

/* @piece: what the mapping can be split at. */
static int map(struct store *store, int protection, uint64_t piece)
{
	int r;

	store->map = mmap(NULL, store->capacity, protection, MAP_SHARED, store->fd, 0);
	if (store->map == MAP_FAILED) {
		store->map = NULL;
		return fail(-errno, "%s: cannot map", store->path);
	}
	r = poison_watch(store->map, store->capacity, piece, &store->watch);
	return r < 0 ? fail(r, "%s: cannot map", store->path) : 0;
}

static int open_dax(struct store *store, dev_t device, enum store_mode mode)
{
	uint64_t alignment = HUGE_PAGE;
	int r = dax_number(device, "size", &store->capacity);

	if (r < 0)
		return fail(r, "%s: is not a device-dax device", store->path);
	store->kind = STORE_DAX;
	dax_number(device, "align", &alignment);
	/* A private mapping of device-dax is refused, so a reader's is shared too, but read-only.
	 */
	return map(store, mode == STORE_READ ? PROT_READ : PROT_READ | PROT_WRITE,
		   alignment > HUGE_PAGE ? alignment : HUGE_PAGE);
}

/* Removes what one left behind who was killed; whoever is at work still holds the lock. */
static int remove_stale(const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return -errno;
	return unlink(path) < 0 && errno != ENOENT ? -errno : 0;
}

/*
 * Puts the new file at "PATH.new" until it is published: @put does that, and fails with -EEXIST
 * where a file is there already. The store has that name on success only.
 */
static int take_temporary_name(struct store *store,
			       int (*put)(struct store *store, const char *path))
{
	_cleanup_free_ char *path = NULL;
	int r;

	if (asprintf(&path, "%s.new", store->path) < 0) {
		path = NULL;
		return fail(-ENOMEM, "%s: cannot create", store->path);
	}
	r = put(store, path);
	if (r == -EEXIST) {
		r = remove_stale(path);
		if (r == -EWOULDBLOCK)
			return fail(-E_FAILED, "%s: another pmem-preserve is at work on it", path);
		if (r == 0)
			r = put(store, path);
	}
	if (r < 0)
		return fail(r, "%s: cannot create", path);
	store->temporary = take_pointer(path);
	return 0;
}

static int open_temporary(struct store *store, const char *path)
{
	store->fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	return store->fd < 0 ? -errno : 0;
}

/*
 * Without a name where the file system can do that, so that nothing is left behind by whoever is
 * killed; else with a temporary one.
 */
static int create_file(struct store *store)
{
	_cleanup_close_ int directory = open_directory_of(store->path);
	struct statvfs space;
	int r;

	if (directory < 0)
		return fail(directory, "%s: cannot open its directory", store->path);
	store->is_new = true;
	store->fd = openat(directory, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (store->fd < 0) {
		r = take_temporary_name(store, open_temporary);
		if (r < 0)
			return r;
	}
	if (fstatvfs(store->fd, &space) < 0)
		return fail(-errno, "%s: cannot tell the free space", store->path);
	store->capacity = (uint64_t)space.f_bavail * space.f_frsize;
	/* Such as ramfs, which knows no limit. */
	if (space.f_blocks == 0)
		store->capacity = UINT64_MAX;
	return 0;
}

/*
 * What is written in place must find its room: half way, neither the old image nor the new one
 * would be there. A file system that cannot fill holes has to do without.
 */
static int fill_holes(const struct store *store, off_t size)
{
	int r = 0;

	while (r == 0 && fallocate(store->fd, 0, 0, size) < 0) {
		if (errno == EOPNOTSUPP)
			return 0;
		if (errno == EINTR)
			r = interrupt_check();
		else if (errno == ENOSPC)
			r = fail(-E_NO_FIT,
				 "%s: has holes, and there is no space left to fill them; nothing was changed",
				 store->path);
		else
			r = fail(-errno, "%s: cannot fill its holes", store->path);
	}
	return r;
}

/* A file of huge pages, as a tmpfs can have them, is best written as device-dax is. */
static int map_huge_pages(struct store *store, const struct stat *stat)
{
	struct statfs system;

	if (stat->st_blksize < HUGE_PAGE || stat->st_size < HUGE_PAGE ||
	    fstatfs(store->fd, &system) < 0 || system.f_type != TMPFS_MAGIC)
		return 0;
	return map(store, PROT_READ | PROT_WRITE, HUGE_PAGE);
}

static int open_in_place(struct store *store, const struct stat *stat)
{
	int r = stat->st_size ? fill_holes(store, stat->st_size) : 0;

	return r < 0 ? r : map_huge_pages(store, stat);
}

static int open_existing(struct store *store, enum store_mode mode)
{
	struct stat stat;
	int flags = (mode == STORE_READ ? O_RDONLY : O_RDWR) | O_CLOEXEC;

	store->fd = open(store->path, flags | O_NONBLOCK);
	if (store->fd < 0)
		return fail(-errno, "%s: cannot open", store->path);
	if (fstat(store->fd, &stat) < 0)
		return fail(-errno, "%s: cannot open", store->path);
	if (S_ISREG(stat.st_mode)) {
		store->capacity = (uint64_t)stat.st_size;
		return mode == STORE_IN_PLACE ? open_in_place(store, &stat) : 0;
	}
	if (S_ISCHR(stat.st_mode))
		return open_dax(store, stat.st_rdev, mode);
	if (!S_ISBLK(stat.st_mode))
		return fail(-E_USAGE, "%s: is neither a file, a block device nor a dax device",
			    store->path);
	/* O_EXCL: not while a file system, or anything else in the kernel, holds the device. */
	close(store->fd);
	store->fd = open(store->path, flags | O_DIRECT | (mode == STORE_READ ? 0 : O_EXCL));
	if (store->fd < 0)
		return fail(-errno, "%s: cannot open%s", store->path,
			    errno == EBUSY ? ", it is in use" : "");
	store->kind = STORE_BLOCK;
	if (ioctl(store->fd, BLKGETSIZE64, &store->capacity) < 0)
		return fail(-errno, "%s: cannot tell its size", store->path);
	return 0;
}

/*
 * A second instance is refused at once; but udev, too, holds the lock of a block device while it
 * looks at one that has just appeared or changed.
 */
static int lock(const struct store *store)
{
	static const struct timespec pause = { .tv_nsec = 20 * NS_PER_MS };
	uint64_t deadline_ns = now_ns() + (store->kind == STORE_BLOCK ? UDEV_MS * NS_PER_MS : 0);

	while (flock(store->fd, LOCK_EX | LOCK_NB) < 0) {
		int r;

		if (errno != EWOULDBLOCK && errno != EINTR)
			return fail(-errno, "%s: cannot lock", store->path);
		if (now_ns() >= deadline_ns)
			return fail(-E_FAILED, "%s: %s is at work on it", store->path,
				    lock_holder(store->fd).text);
		r = interrupt_check();
		if (r < 0)
			return r;
		nanosleep(&pause, NULL);
	}
	return 0;
}

int store_open(const char *path, enum store_mode mode, struct store **ret_store)
{
	_cleanup_store_ struct store *store = calloc(1, sizeof(*store));
	struct stat status;
	bool exists;
	int r;

	if (!store)
		return fail(-ENOMEM, "%s: cannot open", path);
	store->fd = -1;
	exists = stat(path, &status) == 0;
	store->path = exists ? realpath(path, NULL) : strdup(path);
	if (!store->path)
		return fail(-errno, "%s: cannot open", path);
	if (mode == STORE_WRITE && (!exists || S_ISREG(status.st_mode)))
		r = create_file(store);
	else
		r = open_existing(store, mode);
	if (r < 0)
		return r;
	r = mode == STORE_READ ? 0 : lock(store);
	if (r < 0)
		return r;
	*ret_store = take_pointer(store);
	return 0;
}

void store_close(struct store *store)
{
	if (!store)
		return;
	if (store->map)
		munmap(store->map, store->capacity);
	poison_unwatch(store->watch);
	if (store->fd >= 0)
		close(store->fd);
	if (store->temporary)
		unlink(store->temporary);
	free(store->temporary);
	free(store->path);
	free(store);
}

static int outside(const struct store *store, size_t length, uint64_t offset)
{
	/* Reading a file beyond its end is damage, and writing it an error of the system's. */
	if ((store->kind == STORE_FILE && !store->map) ||
	    (offset <= store->capacity && length <= store->capacity - offset))
		return 0;
	return fail(-ENXIO, "%s: no %zu bytes at %llu", store->path, length,
		    (unsigned long long)offset);
}

static int unreadable(struct store *store, uint64_t offset, const char *why)
{
	unsigned int count = atomic_fetch_add(&store->unreadable, 1);

	if (count < WARNINGS_MAX)
		warn("%s: cannot read at %llu: %s", store->path, (unsigned long long)offset, why);
	else if (count == WARNINGS_MAX)
		warn("%s: cannot be read at more places; see the kernel's log", store->path);
	return -E_DAMAGED;
}

/* Errors of the medium, as block devices and file systems tell them. */
static bool is_medium_error(int error)
{
	return error == EIO || error == ENODATA || error == EILSEQ || error == EREMOTEIO ||
	       error == EBADMSG || error == EUCLEAN || error == EHWPOISON;
}

int store_check(struct store *store, uint64_t length, uint64_t offset)
{
	return poison_hit(store->watch, offset, length)
		       ? unreadable(store, offset, poison_reason(store->watch))
		       : 0;
}

int store_read(struct store *store, void *buffer, size_t length, uint64_t offset)
{
	int r = outside(store, length, offset);

	if (r < 0)
		return r;
	if (store->map) {
		memcpy(buffer, (char *)store->map + offset, length);
		return store_check(store, length, offset);
	}
	while (length > 0) {
		ssize_t got = pread(store->fd, buffer, length, (off_t)offset);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 && is_medium_error(errno))
			return unreadable(store, offset, strerror(errno));
		if (got < 0)
			return fail(-errno, "%s: cannot read at %llu", store->path,
				    (unsigned long long)offset);
		if (got == 0)
			return unreadable(store, offset, "it ends in the middle of an image");
		buffer = (char *)buffer + got;
		length -= (size_t)got;
		offset += (uint64_t)got;
	}
	return 0;
}

int store_view(struct store *store, void *buffer, size_t length, uint64_t offset,
	       const uint8_t **ret_bytes)
{
	int r;

	if (store->map) {
		r = outside(store, length, offset);
		*ret_bytes = (const uint8_t *)store->map + offset;
	} else {
		r = store_read(store, buffer, length, offset);
		*ret_bytes = buffer;
	}
	return r;
}

static void note_written(struct store *store, uint64_t end)
{
	uint64_t before = atomic_load(&store->written);

	while (before < end && !atomic_compare_exchange_weak(&store->written, &before, end))
		;
}

static int check_written(const struct store *store, uint64_t length, uint64_t offset)
{
	return poison_hit(store->watch, offset, length)
		       ? fail(-EIO, "%s: cannot keep what is written to it: %s", store->path,
			      poison_reason(store->watch))
		       : 0;
}

int store_write(struct store *store, const void *buffer, size_t length, uint64_t offset)
{
	int r = outside(store, length, offset);

	if (r < 0)
		return r;
	if (store->map) {
		pmem_memcpy((char *)store->map + offset, buffer, length, PMEM_F_MEM_NONTEMPORAL);
		note_written(store, offset + length);
		return check_written(store, length, offset);
	}
	while (length > 0) {
		ssize_t put = pwrite(store->fd, buffer, length, (off_t)offset);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return fail(errno == ENOSPC ? -E_NO_FIT : -errno,
				    "%s: cannot write at %llu%s", store->path,
				    (unsigned long long)offset,
				    errno == ENOSPC ? ": no space left" : "");
		buffer = (const char *)buffer + put;
		length -= (size_t)put;
		offset += (uint64_t)put;
	}
	return 0;
}

int store_flush(struct store *store)
{
	/* Each write to device-dax has passed the caches and waited for its stores already. */
	if (store->kind != STORE_DAX && fsync(store->fd) < 0)
		return fail(-errno, "%s: cannot be flushed", store->path);
	return check_written(store, store->written, 0);
}

/* A file without a name gets the temporary one: a rename can replace what is there, a link cannot.
 */
static int link_temporary(struct store *store, const char *path)
{
	char descriptor[40];

	snprintf(descriptor, sizeof(descriptor), "/proc/self/fd/%d", store->fd);
	return linkat(AT_FDCWD, descriptor, AT_FDCWD, path, AT_SYMLINK_FOLLOW) < 0 ? -errno : 0;
}

int store_publish(struct store *store)
{
	_cleanup_close_ int directory = -1;
	int r = 0;

	if (!store->is_new)
		return 0;
	directory = open_directory_of(store->path);
	if (directory < 0)
		return fail(directory, "%s: cannot open its directory", store->path);
	if (!store->temporary)
		r = take_temporary_name(store, link_temporary);
	if (r == 0)
		r = fault(FAULT_FILE_LINKED);
	if (r < 0)
		return r;
	if (rename(store->temporary, store->path) < 0)
		return fail(-errno, "%s: cannot be named", store->path);
	free(take_pointer(store->temporary));
	store->is_new = false;
	r = fault(FAULT_FILE_RENAMED);
	if (r == 0 && fsync(directory) < 0)
		r = fail(-errno, "%s: cannot flush its directory", store->path);
	return r < 0 ? r : fault(FAULT_FILE_PUBLISHED);
}

int store_remove(const struct store *store)
{
	_cleanup_close_ int directory = open_directory_of(store->path);
	int r;

	if (directory < 0)
		return fail(directory, "%s: cannot open its directory", store->path);
	if (unlink(store->path) < 0)
		return fail(-errno, "%s: cannot remove", store->path);
	r = fault(FAULT_FILE_REMOVED);
	if (r == 0 && fsync(directory) < 0)
		r = fail(-errno,
			 "%s: is removed, but its directory cannot be flushed: it may come back after a power cut",
			 store->path);
	return r;
}

void *store_buffer(size_t length)
{
	void *buffer;

	return posix_memalign(&buffer, STORE_BLOCK_BYTES, length) == 0 ? buffer : NULL;
}
