// SPDX-License-Identifier: GPL-2.0-or-later
/* Reading, writing and flushing an open store, with the errors of its medium. */
#include "store/store.h"

#include "base/report.h"
#include "store/sigbus.h"

#include <errno.h>
#include <libpmem.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Each read error is worth a line, up to this number: a dead device has thousands. */
#define WARNINGS_MAX 8u

static int outside(const struct store *store, size_t length, uint64_t offset)
{
	/* Of a file, reading beyond the end is damage, and writing is checked by the kernel. */
	if ((store->kind == STORE_FILE && !store->map) ||
	    (offset <= store->capacity && length <= store->capacity - offset))
		return 0;
	return report_error(-ENXIO, "%s: %zu bytes at offset %llu are out of range", store->path,
			    length, (unsigned long long)offset);
}

static int unreadable(struct store *store, uint64_t offset, const char *why)
{
	unsigned int count = atomic_fetch_add(&store->unreadable, 1);

	if (count < WARNINGS_MAX)
		warn("%s: read failed at offset %llu: %s", store->path, (unsigned long long)offset,
		     why);
	else if (count == WARNINGS_MAX)
		warn("%s: further read errors are not shown; see the kernel log", store->path);
	return -E_DAMAGED;
}

/* Errors of the medium, as block devices and file systems report them. */
static bool is_medium_error(int error)
{
	return error == EIO || error == ENODATA || error == EILSEQ || error == EREMOTEIO ||
	       error == EBADMSG || error == EUCLEAN || error == EHWPOISON;
}

int store_check(struct store *store, uint64_t length, uint64_t offset)
{
	return sigbus_hit(store->watch, offset, length)
		       ? unreadable(store, offset, sigbus_reason(store->watch))
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
			return report_error(-errno, "%s: read failed at offset %llu", store->path,
					    (unsigned long long)offset);
		if (got == 0)
			return unreadable(store, offset, "the file was truncated");
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
	return sigbus_hit(store->watch, offset, length)
		       ? report_error(-EIO, "%s: write failed: %s", store->path,
				      sigbus_reason(store->watch))
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
					    "%s: write failed at offset %llu%s", store->path,
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
	/* Writes to device-dax have bypassed the caches and waited for their stores. */
	if (store->kind != STORE_DAX && fsync(store->fd) < 0)
		return report_error(-errno, "%s: flush failed", store->path);
	return check_written(store, store->written, 0);
}

void *store_buffer(size_t length)
{
	void *buffer;

	return posix_memalign(&buffer, STORE_BLOCK_BYTES, length) == 0 ? buffer : NULL;
}
