// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Checking every byte of an image: the digests of what has one, in both copies of what there is
 * twice, and that everything else is zero. Tells what is damaged: ranges, and files.
 */
#include "base/cleanup.h"
#include "base/text.h"
#include "image/image-internal.h"
#include "image/image-worker.h"

#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct verify {
	struct image *image;
	struct progress progress;
	pthread_mutex_t lock;
	uint64_t files;
	bool gaps; /* what belongs to no file must be zero */
};

const char *image_part_name(enum image_part part)
{
	static const char *const names[] = {
		[IMAGE_PART_HEADER] = "header",
		[IMAGE_PART_HEADER_COPY] = "copy of the header",
		[IMAGE_PART_GAP] = "nothing: it should be zero",
		[IMAGE_PART_INDEX] = "index",
		[IMAGE_PART_INDEX_COPY] = "copy of the index",
		[IMAGE_PART_FILES] = "files",
	};

	return names[part];
}

/* To be called with the lock. */
static int add_damage(struct image *image, uint64_t offset, uint64_t length, enum image_part part)
{
	if (image->damage_count == image->damage_capacity) {
		size_t capacity = image->damage_capacity ? 2 * image->damage_capacity : 64;
		struct image_damage *larger =
			reallocarray(image->damage, capacity, sizeof(*larger));

		if (!larger)
			return report_error(-ENOMEM, "%s: cannot verify", image->store->path);
		image->damage = larger;
		image->damage_capacity = capacity;
	}
	image->damage[image->damage_count++] = (struct image_damage){ offset, length, part };
	return 0;
}

static int add_damaged_block(struct verify *verify, uint64_t offset, enum image_part part)
{
	int r;

	pthread_mutex_lock(&verify->lock);
	r = add_damage(verify->image, offset, IMAGE_BLOCK, part);
	pthread_mutex_unlock(&verify->lock);
	return r;
}

static int compare_damage(const void *a, const void *b)
{
	const struct image_damage *x = a, *y = b;

	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

/* Sorts the ranges, and makes one of those that touch. */
static void merge_damage(struct image *image)
{
	size_t count = 0;

	if (image->damage_count)
		qsort(image->damage, image->damage_count, sizeof(*image->damage), compare_damage);
	for (size_t i = 0; i < image->damage_count; i++) {
		const struct image_damage *next = &image->damage[i];
		struct image_damage *last = count ? &image->damage[count - 1] : NULL;

		if (last && last->part == next->part && last->offset + last->length >= next->offset)
			last->length = next->offset + next->length - last->offset;
		else
			image->damage[count++] = *next;
	}
	image->damage_count = count;
}

static bool is_zero(const uint8_t *bytes, uint64_t length)
{
	return length == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, (size_t)length - 1) == 0);
}

/* Marks the file that has bytes in the block at @place; false if there is none. */
static bool mark_files(struct verify *verify, uint64_t place)
{
	struct image *image = verify->image;
	size_t i = image_find_extent(image, place);
	struct entry *entry;

	if (i == image->extent_count || image->extents[i].place >= place + IMAGE_BLOCK)
		return false;
	entry = &image->tree->entries[image->extents[i].entry];
	pthread_mutex_lock(&verify->lock);
	verify->files += !(entry->flags & ENTRY_DAMAGED);
	entry->flags |= ENTRY_DAMAGED;
	pthread_mutex_unlock(&verify->lock);
	return true;
}

/* What no file has of the blocks from @start to @end must be zero, if their digests match. */
static int check_gaps(struct verify *verify, const uint8_t *bytes, uint64_t start, uint64_t end,
		      const struct image_bad *bad)
{
	const struct image *image = verify->image;
	size_t i = image_find_extent(image, start);
	int r = 0;

	for (uint64_t at = start, next; at < end && r == 0; at = next) {
		uint64_t used = at;

		next = at + IMAGE_BLOCK;
		if (i < image->extent_count && image->extents[i].place < next) {
			used = image->extents[i].place + image->extents[i].length;
			used = used < next ? used : next;
			i += used < next ||
			     image->extents[i].place + image->extents[i].length == next;
		}
		if (!image_is_bad(bad, (at - start) / IMAGE_BLOCK) &&
		    !is_zero(bytes + (used - start), next - used))
			r = add_damaged_block(verify, at, IMAGE_PART_GAP);
	}
	return r;
}

static int verify_data(void *data, uint64_t number)
{
	struct image_worker *worker = data;
	struct verify *verify = worker->job;
	const struct image_header *header = &verify->image->header;
	uint64_t start = header->data_offset + number * IMAGE_SPAN, end = start + IMAGE_SPAN;
	const uint8_t *bytes;
	struct image_bad bad;
	int r;

	if (end > header->index_offset)
		end = header->index_offset;
	r = image_view_data(verify->image, worker->buffer, start, end, &bytes, &bad);
	progress_add(&verify->progress, end - start);
	for (uint64_t at = start; r == 0 && bad.any && at < end; at += IMAGE_BLOCK)
		if (image_is_bad(&bad, (at - start) / IMAGE_BLOCK))
			r = add_damaged_block(verify, at,
					      mark_files(verify, at) ? IMAGE_PART_FILES
								     : IMAGE_PART_GAP);
	if (r < 0 || !verify->gaps)
		return r;
	return check_gaps(verify, bytes, start, end, &bad);
}

static int work_on_data(struct verify *verify, unsigned int threads)
{
	const struct image_header *header = &verify->image->header;
	const struct image_work work = {
		.tree = verify->image->tree,
		.root = -1,
		.threads = threads,
		.job = verify,
	};
	uint64_t bytes = header->index_offset - header->data_offset;

	return image_work(&work, (bytes + IMAGE_SPAN - 1) / IMAGE_SPAN, verify_data);
}

/* One copy of a piece of the index; those at the end have the even numbers. */
static int verify_index(void *data, uint64_t number)
{
	struct image_worker *worker = data;
	struct verify *verify = worker->job;
	const struct image_header *header = &verify->image->header;
	uint64_t offset = number / 2 * IMAGE_SPAN, length = header->index_bytes - offset;
	uint64_t base = number % 2 ? header->index_copy_offset : header->index_offset;
	const uint8_t *bytes;
	struct image_bad bad;
	int r;

	if (length > IMAGE_SPAN)
		length = IMAGE_SPAN;
	r = image_view(verify->image, worker->buffer, base + offset, base + offset + length, &bytes,
		       &bad);
	if (r == 0)
		r = image_index_check(verify->image, offset, bytes, length / IMAGE_BLOCK, &bad);
	progress_add(&verify->progress, length);
	for (uint64_t at = 0; r == 0 && bad.any && at < length; at += IMAGE_BLOCK)
		if (image_is_bad(&bad, at / IMAGE_BLOCK))
			r = add_damaged_block(verify, base + offset + at,
					      number % 2 ? IMAGE_PART_INDEX_COPY
							 : IMAGE_PART_INDEX);
	return r;
}

static int work_on_index(struct verify *verify, unsigned int threads)
{
	const struct image_work work = {
		.tree = verify->image->tree,
		.root = -1,
		.threads = threads,
		.job = verify,
	};
	uint64_t pieces = (verify->image->header.index_bytes + IMAGE_SPAN - 1) / IMAGE_SPAN;

	return image_work(&work, 2 * pieces, verify_index);
}

/* What lies between the parts must be zero. */
static int verify_zeroes(struct verify *verify, uint8_t *buffer, uint64_t at, uint64_t end)
{
	int r = 0;

	for (uint64_t stop; at < end && r == 0; at = stop) {
		const uint8_t *bytes;
		struct image_bad bad;

		stop = end - at < IMAGE_SPAN ? end : at + IMAGE_SPAN;
		r = image_view(verify->image, buffer, at, stop, &bytes, &bad);
		for (uint64_t block = at; r == 0 && block < stop; block += IMAGE_BLOCK)
			if (image_is_bad(&bad, (block - at) / IMAGE_BLOCK) ||
			    !is_zero(bytes + (block - at), IMAGE_BLOCK))
				r = add_damaged_block(verify, block, IMAGE_PART_GAP);
	}
	return r;
}

/*
 * Compares the first block in @block, or its copy, with what was read when the image was opened. The
 * phase is not compared, nor in the copy the timeline: they change in the first block alone.
 */
static bool is_same_block(const struct image *image, const uint8_t *block, bool copy)
{
	struct image_header header = image->header, other;
	struct image_digest digest;

	memcpy(&other, block, sizeof(other));
	digest = image_digest_of(other.timeline.at, sizeof(other.timeline.at));
	if (!image_digest_same(&digest, &other.timeline.digest))
		return false;
	if (copy)
		memcpy(header.magic, IMAGE_COPY_MAGIC, sizeof(header.magic));
	other.phase = header.phase;
	other.timeline = header.timeline;
	return memcmp(&header, &other, sizeof(header)) == 0 &&
	       memcmp(block + IMAGE_HEADER_BYTES, image->super, sizeof(image->super)) == 0;
}

static int verify_first_block(struct verify *verify, uint8_t *buffer, bool copy)
{
	uint64_t offset = copy ? IMAGE_COPY_OFFSET : 0;
	const uint8_t *bytes;
	struct image_bad bad;
	int r = image_view(verify->image, buffer, offset, offset + IMAGE_FIRST_BLOCK, &bytes, &bad);

	if (r < 0 || (!bad.any && is_same_block(verify->image, bytes, copy)))
		return r;
	return add_damaged_block(verify, offset, copy ? IMAGE_PART_HEADER_COPY : IMAGE_PART_HEADER);
}

static int verify_rest(struct verify *verify)
{
	const struct image_header *header = &verify->image->header;
	_cleanup_free_ uint8_t *buffer = store_buffer(IMAGE_SPAN);
	int r;

	if (!buffer)
		return report_error(-ENOMEM, "%s: cannot verify", verify->image->store->path);
	r = verify_first_block(verify, buffer, false);
	if (r == 0)
		r = verify_first_block(verify, buffer, true);
	if (r == 0)
		r = verify_zeroes(verify, buffer, IMAGE_FIRST_BLOCK, IMAGE_COPY_OFFSET);
	if (r == 0)
		r = verify_zeroes(verify, buffer, header->index_copy_offset + header->index_bytes,
				  header->data_offset);
	return r;
}

/* Passes each name of a damaged inode to damaged(). */
static int tell_files(struct image *image, void (*damaged)(void *data, const char *path),
		      void *data)
{
	struct tree *tree = image->tree;

	for (uint32_t i = 0; i < tree->count; i++) {
		_cleanup_free_ char *path = NULL;

		if (!(tree->entries[tree->entries[i].inode_entry].flags & ENTRY_DAMAGED))
			continue;
		tree->entries[i].flags |= ENTRY_DAMAGED;
		path = tree_path(tree, i);
		if (!path)
			return report_error(-ENOMEM, "%s: cannot verify", image->store->path);
		damaged(data, path);
	}
	return 0;
}

static int conclude(struct verify *verify, void (*damaged)(void *data, const char *path),
		    void *data)
{
	struct image *image = verify->image;
	uint64_t bytes = 0, outside = 0;
	int r;

	merge_damage(image);
	for (size_t i = 0; i < image->damage_count; i++) {
		bytes += image->damage[i].length;
		outside += image->damage[i].part != IMAGE_PART_HEADER;
	}
	r = tell_files(image, damaged, data);
	if (r < 0)
		return r;
	if (verify->files)
		return report_error(-E_DAMAGED, "%s: %s are damaged, with %llu files%s",
				    image->store->path, size_exact(bytes).text,
				    (unsigned long long)verify->files,
				    image->header_lost
					    ? "; the header or the superblock is damaged as well"
					    : "");
	if (image->header_lost && outside == 0)
		return report_error(-E_DAMAGED,
				    "%s: the header or the superblock is lost or damaged; everything else is intact",
				    image->store->path);
	if (image->header_lost || (verify->gaps && image->damage_count))
		return report_error(-E_DAMAGED,
				    "%s: %s are damaged, but no file: there is a good copy of what is needed",
				    image->store->path, size_exact(bytes).text);
	return 0;
}

int image_verify_files(struct image *image, unsigned int threads,
		       void (*damaged)(void *data, const char *path), void *data)
{
	struct verify verify = { .image = image, .lock = PTHREAD_MUTEX_INITIALIZER };
	int r;

	progress_begin(&verify.progress, "Verifying",
		       image->header.index_offset - image->header.data_offset);
	r = work_on_data(&verify, threads);
	progress_end(&verify.progress);
	return r < 0 ? r : conclude(&verify, damaged, data);
}

int image_verify(struct image *image, unsigned int threads,
		 void (*damaged)(void *data, const char *path), void *data)
{
	struct verify verify = {
		.image = image,
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.gaps = true,
	};
	const struct image_header *header = &image->header;
	int r;

	progress_begin(&verify.progress, "Verifying",
		       header->index_offset - header->data_offset + 2 * header->index_bytes);
	r = work_on_data(&verify, threads);
	if (r == 0)
		r = work_on_index(&verify, threads);
	if (r == 0)
		r = verify_rest(&verify);
	progress_end(&verify.progress);
	return r < 0 ? r : conclude(&verify, damaged, data);
}
