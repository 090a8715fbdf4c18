// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/store.h"

#include "base/cleanup.h"
#include "base/fault.h"
#include "base/interrupt.h"
#include "base/lock.h"
#include "base/replace-file.h"
#include "base/report.h"
#include "store/sigbus.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <libpmem.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
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
		return report_error(-errno, "%s: cannot map", store->path);
	}
	r = poison_watch(store->map, store->capacity, piece, &store->watch);
	return r < 0 ? report_error(r, "%s: cannot map", store->path) : 0;
}

static int open_dax(struct store *store, dev_t device, enum store_mode mode)
{
	uint64_t alignment = HUGE_PAGE;
	int r = dax_number(device, "size", &store->capacity);

	if (r < 0)
		return report_error(r, "%s: is not a device-dax device", store->path);
	store->kind = STORE_DAX;
	dax_number(device, "align", &alignment);
	/* A private mapping of device-dax is refused, so a reader's is shared too, but read-only.
	 */
	return map(store, mode == STORE_READ ? PROT_READ : PROT_READ | PROT_WRITE,
		   alignment > HUGE_PAGE ? alignment : HUGE_PAGE);
}

/*
 * A new file beside the old one, which keeps its name until the new one is published. Without a
 * name where the file system can do that, so that nothing is left behind by a process that is
 * killed; else with a temporary one.
 */
static int create_file(struct store *store)
{
	_cleanup_close_ int directory = open_directory_of(store->path);
	_cleanup_free_ char *copy = strdup(store->path);
	struct statvfs space;
	int r;

	if (directory < 0 || !copy)
		return report_error(copy ? directory : -ENOMEM, "%s: cannot open its directory",
				    store->path);
	r = new_file_create(directory, basename(copy), 0600, &store->file);
	if (r == -EWOULDBLOCK)
		return report_error(-E_FAILED, "%s.new: another pmem-preserve is at work on it",
				    store->path);
	if (r < 0)
		return report_error(r, "%s: cannot create", store->path);
	store->is_new = true;
	store->fd = store->file.fd;
	if (fstatvfs(store->fd, &space) < 0)
		return report_error(-errno, "%s: cannot tell the free space", store->path);
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
			r = report_error(-E_NO_FIT,
					 "%s: has holes, and there is no space left to fill them; nothing was changed",
					 store->path);
		else
			r = report_error(-errno, "%s: cannot fill its holes", store->path);
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
		return report_error(-errno, "%s: cannot open", store->path);
	if (fstat(store->fd, &stat) < 0)
		return report_error(-errno, "%s: cannot open", store->path);
	if (S_ISREG(stat.st_mode)) {
		store->capacity = (uint64_t)stat.st_size;
		return mode == STORE_IN_PLACE ? open_in_place(store, &stat) : 0;
	}
	if (S_ISCHR(stat.st_mode))
		return open_dax(store, stat.st_rdev, mode);
	if (!S_ISBLK(stat.st_mode))
		return report_error(-E_USAGE,
				    "%s: is neither a file, a block device nor a dax device",
				    store->path);
	/* O_EXCL: not while a file system, or anything else in the kernel, holds the device. */
	close(store->fd);
	store->fd = open(store->path, flags | O_DIRECT | (mode == STORE_READ ? 0 : O_EXCL));
	if (store->fd < 0)
		return report_error(-errno, "%s: cannot open%s", store->path,
				    errno == EBUSY ? ", it is in use" : "");
	store->kind = STORE_BLOCK;
	if (ioctl(store->fd, BLKGETSIZE64, &store->capacity) < 0)
		return report_error(-errno, "%s: cannot tell its size", store->path);
	return 0;
}

/*
 * A second instance is refused at once; but udev, too, holds the lock of a block device while it
 * looks at one that has just appeared or changed.
 */
static int lock(const struct store *store)
{
	int r = lock_take(store->fd, store->kind == STORE_BLOCK ? UDEV_MS : 0);

	if (r == -EWOULDBLOCK)
		return report_error(-E_FAILED, "%s: %s is at work on it", store->path,
				    lock_holder(store->fd).text);
	return r == 0 || r == -EINTR ? r : report_error(r, "%s: cannot lock", store->path);
}

int store_open(const char *path, enum store_mode mode, struct store **ret_store)
{
	_cleanup_store_ struct store *store = calloc(1, sizeof(*store));
	struct stat status;
	bool exists;
	int r;

	if (!store)
		return report_error(-ENOMEM, "%s: cannot open", path);
	store->fd = store->file.fd = store->file.directory = -1;
	exists = stat(path, &status) == 0;
	store->path = exists ? realpath(path, NULL) : strdup(path);
	if (!store->path)
		return report_error(-errno, "%s: cannot open", path);
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
	/* A new file's descriptor is that of @store->file. */
	if (store->fd >= 0 && store->fd != store->file.fd)
		close(store->fd);
	new_file_clear(&store->file);
	free(store->path);
	free(store);
}

static int outside(const struct store *store, size_t length, uint64_t offset)
{
	/* Reading a file beyond its end is damage, and writing it an error of the system's. */
	if ((store->kind == STORE_FILE && !store->map) ||
	    (offset <= store->capacity && length <= store->capacity - offset))
		return 0;
	return report_error(-ENXIO, "%s: no %zu bytes at %llu", store->path, length,
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
			return report_error(-errno, "%s: cannot read at %llu", store->path,
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
		       ? report_error(-EIO, "%s: cannot keep what is written to it: %s",
				      store->path, poison_reason(store->watch))
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
			return report_error(errno == ENOSPC ? -E_NO_FIT : -errno,
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
		return report_error(-errno, "%s: cannot be flushed", store->path);
	return check_written(store, store->written, 0);
}

int store_publish(struct store *store)
{
	int r;

	if (!store->is_new)
		return 0;
	r = new_file_publish(&store->file);
	store->is_new = store->file.name != NULL;
	return r < 0 ? report_error(r,
				    store->is_new ? "%s: cannot be named"
						  : "%s: cannot flush its directory",
				    store->path)
		     : 0;
}

int store_remove(const struct store *store)
{
	_cleanup_close_ int directory = open_directory_of(store->path);
	int r;

	if (directory < 0)
		return report_error(directory, "%s: cannot open its directory", store->path);
	if (unlink(store->path) < 0)
		return report_error(-errno, "%s: cannot remove", store->path);
	r = fault(FAULT_FILE_REMOVED);
	if (r == 0 && fsync(directory) < 0)
		r = report_error(-errno,
				 "%s: is removed, but its directory cannot be flushed: it may come back after a power cut",
				 store->path);
	return r;
}

void *store_buffer(size_t length)
{
	void *buffer;

	return posix_memalign(&buffer, STORE_BLOCK_BYTES, length) == 0 ? buffer : NULL;
}
