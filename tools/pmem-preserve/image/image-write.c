// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Writing an image: each thread takes the next MiB of it. In pieces that stay in the cache, it reads
 * them from the files, digests them and stores them, so that every byte is read once.
 */
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/text.h"
#include "image/image-internal.h"
#include "image/image-worker.h"
#include "tree/walk-read.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <uuid/uuid.h>

/* Half of a small second-level cache. */
#define PIECE (256u << 10)

struct job {
	struct image *image;
	struct store *store;
	struct progress *progress;
};

/* Fills in the image bytes from @at to @end: the files that are there, and zeroes in between. */
static int fill(const struct image *image, struct walk_reader *reader, uint8_t *buffer, uint64_t at,
		uint64_t end)
{
	int r;

	for (size_t i = image_find_extent(image, at); i < image->extent_count; i++) {
		const struct extent *extent = &image->extents[i];
		uint64_t from = extent->place > at ? extent->place : at;
		uint64_t to = extent->place + extent->length;

		if (from >= end)
			break;
		if (to > end)
			to = end;
		memset(buffer, 0, from - at);
		buffer += from - at;
		r = walk_read(reader, extent->entry, buffer, to - from,
			      extent->offset + (from - extent->place));
		if (r < 0)
			return r;
		buffer += to - from;
		at = to;
	}
	memset(buffer, 0, end - at);
	return 0;
}

static uint64_t segment_of(uint64_t place)
{
	return place / IMAGE_SEGMENT;
}

/* Files in more than one segment may be read by several threads. */
static int share_files(const struct image *image, struct walk_reading *reading)
{
	int r = 0;

	for (size_t i = 0, next; i < image->extent_count && r == 0; i = next) {
		const struct extent *first = &image->extents[i], *last = first;
		uint64_t bytes = first->length;

		for (next = i + 1;
		     next < image->extent_count && image->extents[next].entry == first->entry;
		     next++) {
			last = &image->extents[next];
			bytes += last->length;
		}
		if (segment_of(first->place) != segment_of(last->place + last->length - 1))
			r = walk_reading_share(reading, first->entry, bytes);
	}
	return r;
}

/* Digests and stores the blocks of the data from @at to @end. */
static int put(const struct job *job, const uint8_t *bytes, uint64_t at, uint64_t end)
{
	struct image *image = job->image;

	if (image_seal_blocks(image->seal, at / IMAGE_BLOCK, bytes, (end - at) / IMAGE_BLOCK,
			      image_leaf(image, at)) < 0)
		return report_error(-ENOMEM, "%s: cannot compute its digests", job->store->path);
	return store_write(job->store, bytes, end - at, at);
}

static int write_data(struct image_worker *worker, uint64_t start, uint64_t stop)
{
	const struct job *job = worker->job;
	int r = 0;

	for (uint64_t at = start, end; at < stop && r == 0; at = end) {
		end = at + PIECE < stop ? at + PIECE : stop;
		r = fill(job->image, &worker->reader, worker->buffer, at, end);
		if (r == 0)
			r = put(job, worker->buffer, at, end);
	}
	if (r < 0)
		return r;
	return walk_reader_settle(&worker->reader);
}

static int write_segment(void *data, uint64_t number)
{
	struct image_worker *worker = data;
	const struct job *job = worker->job;
	const struct image_header *header = &job->image->header;
	uint64_t start = header->data_offset + number * IMAGE_SEGMENT;
	uint64_t stop = start + IMAGE_SEGMENT < header->index_offset ? start + IMAGE_SEGMENT
								     : header->index_offset;
	int r = write_data(worker, start, stop);

	progress_add(job->progress, stop - start);
	if (r < 0)
		return r;
	return fault(FAULT_IMAGE_MIB);
}

/* To both of its places. */
static int write_index(void *data, uint64_t number)
{
	struct image_worker *worker = data;
	const struct job *job = worker->job;
	const struct image_header *header = &job->image->header;
	uint64_t offset = number * IMAGE_SEGMENT, length = header->index_bytes - offset;
	const uint8_t *bytes = job->image->index + offset;
	int r;

	if (length > IMAGE_SEGMENT)
		length = IMAGE_SEGMENT;
	r = store_write(job->store, bytes, length, header->index_offset + offset);
	if (r == 0)
		r = store_write(job->store, bytes, length, header->index_copy_offset + offset);
	progress_add(job->progress, 2 * length);
	return r;
}

/* What lies between the parts. */
static int write_zeroes(struct store *store, uint64_t at, uint64_t end)
{
	_cleanup_free_ uint8_t *zeroes = store_buffer(IMAGE_SEGMENT);
	int r = 0;

	if (!zeroes)
		return report_error(-ENOMEM, "%s: cannot write", store->path);
	memset(zeroes, 0, IMAGE_SEGMENT);
	for (uint64_t length; at < end && r == 0; at += length) {
		length = end - at < IMAGE_SEGMENT ? end - at : IMAGE_SEGMENT;
		r = store_write(store, zeroes, length, at);
	}
	return r;
}

/* Everything but header, superblock and their copy. */
static int write_payload(struct job *job, int root, unsigned int threads)
{
	struct image *image = job->image;
	const struct image_header *header = &image->header;
	uint64_t data_bytes = header->index_offset - header->data_offset;
	_cleanup_walk_reading_ struct walk_reading reading;
	const struct image_work work = {
		.tree = image->tree,
		.root = root,
		.reading = &reading,
		.threads = threads,
		.job = job,
	};
	int r;

	walk_reading_begin(&reading, image->tree);
	r = share_files(image, &reading);
	if (r == 0)
		r = write_zeroes(job->store, IMAGE_FIRST_BLOCK, IMAGE_COPY_OFFSET);
	if (r == 0)
		r = write_zeroes(job->store, header->index_copy_offset + header->index_bytes,
				 header->data_offset);
	if (r == 0)
		r = image_work(&work, (data_bytes + IMAGE_SEGMENT - 1) / IMAGE_SEGMENT,
			       write_segment);
	if (r == 0)
		r = fault(FAULT_IMAGE_COPIED);
	if (r == 0)
		r = walk_check_rest(image->tree);
	if (r < 0)
		return r;
	image_emit_marks(image);
	r = image_index_seal(image);
	if (r < 0)
		return report_error(r, "%s: cannot compute its digests", job->store->path);
	r = image_work(&work, (header->index_bytes + IMAGE_SEGMENT - 1) / IMAGE_SEGMENT,
		       write_index);
	return r < 0 ? r : fault(FAULT_IMAGE_TABLE);
}

static int describe(struct image *image, const struct store *store,
		    const struct image_write_options *options)
{
	struct image_header *header = &image->header;
	const struct tree *tree = image->tree;
	struct erofs_super super;
	struct utsname name;
	uint64_t inodes = 0;
	bool chunks = false;

	header->phase = IMAGE_PHASE_WRITING;
	header->generation = options->generation;
	header->seal = options->key ? IMAGE_SEAL_KEYED : IMAGE_SEAL_PLAIN;
	header->store_bytes = store->kind == STORE_FILE ? 0 : store->capacity;
	header->created_ns = unix_ns();
	uuid_generate_random(header->uuid);
	if (options->uuid_begin)
		memcpy(header->uuid, options->uuid_begin, sizeof(header->uuid) - 4);
	if (image_seal_new(options->key, header->uuid, &image->seal) < 0)
		return report_error(-ENOMEM, "%s: cannot derive its keys", store->path);
	if (uname(&name) == 0) {
		snprintf((char *)header->hostname, sizeof(header->hostname), "%.63s",
			 name.nodename);
		snprintf((char *)header->kernel, sizeof(header->kernel), "%.63s", name.release);
	}
	if (options->timeline)
		memcpy(header->timeline.at, options->timeline,
		       TIMELINE_EVENTS * sizeof(*options->timeline));
	header->timeline.at[TIMELINE_WRITE] = header->created_ns;

	for (uint32_t i = 0; i < tree->count; i++) {
		inodes += tree->entries[i].inode_entry == i;
		chunks |= (tree->entries[i].flags & ENTRY_SPARSE) && tree->entries[i].size;
	}
	super = image_super(header, inodes, chunks);
	memcpy(image->super, &super, sizeof(super));
	if (image_seal_super(image->seal, image->super, sizeof(image->super),
			     &header->super_digest) < 0)
		return report_error(-ENOMEM, "%s: cannot compute its digests", store->path);
	return 0;
}

/* Writes the final header, and then the phase, which makes it a checkpoint. */
static int commit(struct image *image, struct store *store)
{
	struct image_header *header = &image->header;
	int r;

	header->timeline.at[TIMELINE_COMMITTED] = unix_ns();
	r = image_header_seal(header, image->seal);
	if (r < 0)
		return report_error(r, "%s: cannot compute its digests", store->path);
	r = image_write_header(image, store, FAULT_IMAGE_HEADER, FAULT_IMAGE_FLUSHED);
	if (r < 0)
		return r;
	r = image_set_phase(store, IMAGE_PHASE_COMMITTED, NULL);
	if (r < 0) {
		/* It may be committed nevertheless, and the next boot must not restore it. */
		image_set_phase(store, IMAGE_PHASE_WRITING, NULL);
		return r;
	}
	header->phase = IMAGE_PHASE_COMMITTED;
	return 0;
}

int image_fits(const struct image *image, uint64_t capacity, const char *name)
{
	if (image->header.image_bytes <= capacity)
		return 0;
	return report_error(-E_NO_FIT,
			    "the state takes %s, but %s has room for %s; nothing was changed",
			    size_exact(image->header.image_bytes).text, name,
			    size_exact(capacity).text);
}

int image_write(struct image *image, struct store *store, const struct image_write_options *options)
{
	struct image_header *header = &image->header;
	_cleanup_close_ int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct progress progress;
	struct job job = { image, store, &progress };
	int r;

	if (root < 0)
		return report_error(-errno, "/: cannot open");
	r = image_fits(image, store->capacity, store->path);
	if (r < 0)
		return r;
	r = describe(image, store, options);
	if (r < 0)
		return r;
	/* Without the MAC it is not an image yet, whatever phase somebody writes there. */
	image_header_seal(header, NULL);
	r = fault(FAULT_IMAGE_BEGIN);
	if (r < 0)
		return r;
	r = image_write_header(image, store, 0, FAULT_IMAGE_MARKED);
	if (r < 0)
		return r;
	progress_begin(&progress, "Saving",
		       header->index_offset - header->data_offset + 2 * header->index_bytes);
	r = write_payload(&job, root, options->threads);
	progress_end(&progress);
	if (r < 0)
		return r;
	r = commit(image, store);
	if (r < 0)
		return r;
	return store_publish(store);
}
