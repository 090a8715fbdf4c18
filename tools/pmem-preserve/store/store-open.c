// SPDX-License-Identifier: GPL-2.0-or-later
/* Opening a store, which is done differently for each kind, and closing it. */
#include "store/store.h"

#include "base/cleanup.h"
#include "base/interrupt.h"
#include "base/lock.h"
#include "base/replace-file.h"
#include "base/report.h"
#include "store/sigbus.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
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

/* Only sysfs has these. The size of an NVDIMM is a multiple of the mapping's alignment. */
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

/* @piece: bytes at which the mapping can be split. */
static int map(struct store *store, int protection, uint64_t piece)
{
	int r;

	store->map = mmap(NULL, store->capacity, protection, MAP_SHARED, store->fd, 0);
	if (store->map == MAP_FAILED) {
		store->map = NULL;
		return report_error(-errno, "%s: cannot map", store->path);
	}
	r = sigbus_watch(store->map, store->capacity, piece, &store->watch);
	if (r < 0)
		return report_error(r, "%s: cannot map", store->path);
	return 0;
}

static int open_dax(struct store *store, dev_t device, enum store_mode mode)
{
	uint64_t alignment = HUGE_PAGE;
	int r = dax_number(device, "size", &store->capacity);

	if (r < 0)
		return report_error(r, "%s: not a device-dax device", store->path);
	store->kind = STORE_DAX;
	dax_number(device, "align", &alignment);
	/* The kernel refuses private mappings of device-dax: a reader's is shared and read-only. */
	return map(store, mode == STORE_READ ? PROT_READ : PROT_READ | PROT_WRITE,
		   alignment > HUGE_PAGE ? alignment : HUGE_PAGE);
}

/* A new file beside the old one, which keeps its name until the new one is published. */
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
		return report_error(-E_FAILED, "%s.new: in use by another pmem-preserve",
				    store->path);
	if (r < 0)
		return report_error(r, "%s: cannot create", store->path);
	store->is_new = true;
	store->fd = store->file.fd;
	if (fstatvfs(store->fd, &space) < 0)
		return report_error(-errno, "%s: cannot determine the free space", store->path);
	store->capacity = (uint64_t)space.f_bavail * space.f_frsize;
	/* ramfs, for instance, has no limit. */
	if (space.f_blocks == 0)
		store->capacity = UINT64_MAX;
	return 0;
}

/*
 * A file that is written in place must not run out of space half way: neither the old image nor the
 * new one would be there. Where the file system does not support fallocate(2), that is not ensured.
 */
static int allocate_holes(const struct store *store, off_t size)
{
	while (fallocate(store->fd, 0, 0, size) < 0) {
		int r;

		if (errno == EOPNOTSUPP)
			return 0;
		if (errno == ENOSPC)
			return report_error(-E_NO_FIT,
					    "%s: no space left to allocate the holes of the file; nothing was changed",
					    store->path);
		if (errno != EINTR)
			return report_error(-errno, "%s: cannot allocate the holes of the file",
					    store->path);
		r = interrupt_check();
		if (r < 0)
			return r;
	}
	return 0;
}

/* A file of huge pages, which a tmpfs can have, is written like device-dax: that is faster. */
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
	int r = stat->st_size ? allocate_holes(store, stat->st_size) : 0;

	if (r < 0)
		return r;
	return map_huge_pages(store, stat);
}

static int open_existing(struct store *store, enum store_mode mode)
{
	struct stat stat;
	int flags = (mode == STORE_READ ? O_RDONLY : O_RDWR) | O_CLOEXEC;

	store->fd = open(store->path, flags | O_NONBLOCK);
	if (store->fd < 0)
		return report_error(-errno, "%s: cannot open%s", store->path,
				    errno == EACCES && geteuid() != 0 ? " it except as root" : "");
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
				    "%s: not a regular file, a block device or a dax device",
				    store->path);
	/* O_EXCL fails while a file system, or anything else in the kernel, uses the device. */
	close(store->fd);
	store->fd = open(store->path, flags | O_DIRECT | (mode == STORE_READ ? 0 : O_EXCL));
	if (store->fd < 0)
		return report_error(-errno, "%s: cannot open%s", store->path,
				    errno == EBUSY ? ", it is in use" : "");
	store->kind = STORE_BLOCK;
	if (ioctl(store->fd, BLKGETSIZE64, &store->capacity) < 0)
		return report_error(-errno, "%s: cannot determine its size", store->path);
	return 0;
}

/*
 * A second instance is refused at once. Block devices are also locked by udev for a moment, while
 * it probes one that has just appeared or changed.
 */
static int lock(const struct store *store)
{
	int r = lock_take(store->fd, store->kind == STORE_BLOCK ? UDEV_MS : 0);

	if (r == -EWOULDBLOCK)
		return report_error(-E_FAILED, "%s: in use by %s", store->path,
				    lock_holder(store->fd).text);
	if (r < 0 && r != -EINTR)
		return report_error(r, "%s: cannot lock", store->path);
	return r;
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
	if (r == 0 && mode != STORE_READ)
		r = lock(store);
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
	sigbus_unwatch(store->watch);
	/* The descriptor of a new file belongs to @store->file. */
	if (store->fd >= 0 && store->fd != store->file.fd)
		close(store->fd);
	new_file_clear(&store->file);
	free(store->path);
	free(store);
}
