// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Restoring file data: each thread takes the next piece of the image, checks its digests, and
 * writes the files in it while they are in the cache.
 */
#include "image/image-extract.h"

#include "base/cleanup.h"
#include "image/image-worker.h"
#include "tree/extract-inode.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define PATH(tree, index) (tree_path_text(tree, index).text)

static int write_all(int fd, const uint8_t *data, size_t length, uint64_t offset)
{
	while (length > 0) {
		ssize_t put = pwrite(fd, data, length, (off_t)offset);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -errno;
		data += put;
		length -= (size_t)put;
		offset += (uint64_t)put;
	}
	return 0;
}

static bool is_zero(const uint8_t *data, size_t length)
{
	return data[0] == 0 && memcmp(data, data + 1, length - 1) == 0;
}

/* In the image, a chunk of a sparse file has zeroes for the holes around its data. */
static int write_sparse(int fd, const uint8_t *data, size_t length, uint64_t offset)
{
	size_t start = 0, at = 0;
	int r;

	while (at < length) {
		size_t block = length - at < EROFS_BLOCK ? length - at : EROFS_BLOCK;

		if (is_zero(data + at, block)) {
			r = write_all(fd, data + start, at - start, offset + start);
			if (r < 0)
				return r;
			start = at + block;
		}
		at += block;
	}
	return write_all(fd, data + start, at - start, offset + start);
}

/* -EFAULT, not reported: @data is mapped memory that the kernel cannot read. */
static int extract_data(struct image_worker *worker, const struct extent *extent,
			const uint8_t *data, size_t length, uint64_t offset)
{
	const struct extract_job *job = worker->job;
	struct extraction *extraction = job->extraction;
	const struct tree *tree = extraction->tree;
	const struct entry *entry = &tree->entries[extent->entry];
	bool split = extraction->flags[extent->entry] & EXTRACT_SPLIT;
	bool sparse = entry->flags & ENTRY_SPARSE;
	int parent = extract_open_parent(extraction, &worker->cursor, extent->entry);
	_cleanup_close_ int fd = -1;
	int r;

	if (parent < 0)
		return parent;
	fd = split ? extract_open_again(extraction, extent->entry, parent)
		   : extract_create(extraction, extent->entry, parent);
	if (fd < 0)
		return fd;
	if (!split && sparse && ftruncate(fd, (off_t)entry->size) < 0)
		return extract_failed(tree, extent->entry, -errno, "cannot set its size");
	r = (sparse ? write_sparse : write_all)(fd, data, length, offset);
	if (r == -EFAULT)
		return r;
	if (r < 0)
		return extract_failed(tree, extent->entry, r, "cannot write");
	return split ? 0 : extract_attributes(extraction, extent->entry, fd);
}

/* Of the file that @extent is a part of. */
static int report_damage(const struct extract_job *job, const struct extent *extent)
{
	const struct image *image = job->image;

	if (job->options->salvage)
		return report_error(-E_FAILED,
				    "%s: %s was intact a moment ago and is damaged now; try again",
				    image->store->path, PATH(image->tree, extent->entry));
	return report_error(-E_DAMAGED,
			    "%s: the checkpoint is damaged: %s; \"verify\" lists all damaged files, \"restore --salvage\" restores the others",
			    image->store->path, PATH(image->tree, extent->entry));
}

/* Whether there are only damaged files in that piece of the image, which are not restored. */
static bool is_all_damaged(const struct image *image, uint64_t start, uint64_t end)
{
	for (size_t i = image_find_extent(image, start);
	     i < image->extent_count && image->extents[i].place < end; i++)
		if (!(image->tree->entries[image->extents[i].entry].flags & ENTRY_DAMAGED))
			return false;
	return true;
}

int image_extract_piece(void *data, uint64_t item)
{
	struct image_worker *worker = data;
	struct extract_job *job = worker->job;
	const struct image *image = job->image;
	uint64_t from = image->header.data_offset + item * job->piece, to = from + job->piece;
	const uint8_t *bytes = NULL;
	struct image_bad bad;
	int r;

	if (to > image->header.index_offset)
		to = image->header.index_offset;
	progress_add(&job->progress, to - from);
	if (job->options->salvage && is_all_damaged(image, from, to))
		return 0;
	r = image_view_data(image, worker->buffer, from, to, &bytes, &bad);
	for (size_t i = image_find_extent(image, from);
	     r == 0 && i < image->extent_count && image->extents[i].place < to; i++) {
		const struct extent *extent = &image->extents[i];
		uint64_t start = extent->place > from ? extent->place : from;
		uint64_t stop = extent->place + extent->length;

		if (image->tree->entries[extent->entry].flags & ENTRY_DAMAGED)
			continue;
		if (stop > to)
			stop = to;
		if (image_any_bad(&bad, start - from, stop - from))
			return report_damage(job, extent);
		r = extract_data(worker, extent, bytes + (start - from), stop - start,
				 extent->offset + (start - extent->place));
		/* It was good when it was digested; it must have been when it was written. */
		if (r == -EFAULT || (r == 0 && store_check(image->store, stop - start, start) < 0))
			return report_damage(job, extent);
	}
	if (r < 0)
		return r;
	return fault(FAULT_RESTORE_SPAN);
}
