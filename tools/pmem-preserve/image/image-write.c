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
#include "tree/walk.h"

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

static int put(const struct job *job, struct image_sealing *sealing, const uint8_t *bytes,
	       uint64_t at, uint64_t end)
{
	image_seal_add(sealing, bytes, end - at);
	return store_write(job->store, bytes, end - at, at);
}

static int write_data(struct image_worker *worker, const struct segment *segment,
		      struct image_sealing *sealing)
{
	const struct job *job = worker->job;
	_cleanup_walk_reader_ struct walk_reader reader = { .cursor = &worker->cursor, .fd = -1 };
	int r = 0;

	for (uint64_t at = segment->start, end; at < segment->end && r == 0; at = end) {
		end = at + PIECE < segment->end ? at + PIECE : segment->end;
		r = fill(job->image, &reader, worker->buffer, at, end);
		if (r == 0)
			r = put(job, sealing, worker->buffer, at, end);
	}
	if (r < 0)
		return r;
	return walk_check_unchanged(&reader);
}

static int write_segment(void *data, uint64_t number)
{
	struct image_worker *worker = data;
	const struct job *job = worker->job;
	struct image *image = job->image;
	const struct segment segment = image_segment(&image->header, number);
	struct image_sealing sealing;
	int r, sealed;

	image_seal_begin(image->seal, number, &sealing);
	if (number < image_data_segments(&image->header))
		r = write_data(worker, &segment, &sealing);
	else
		r = put(job, &sealing, image->meta + (segment.start - image->header.meta_offset),
			segment.start, segment.end);
	sealed = image_seal_end(&sealing, &image->digests[number]);
	if (r == 0 && sealed < 0)
		r = report_error(sealed, "%s: cannot compute its digests", job->store->path);
	progress_add(job->progress, segment.end - segment.start);
	if (r < 0)
		return r;
	return fault(FAULT_IMAGE_MIB);
}

static int describe(struct image *image, const struct store *store,
		    const struct image_write_options *options)
{
	struct image_header *header = &image->header;
	struct erofs_super super;
	struct utsname name;

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

	memcpy(&super, image->super, sizeof(super));
	super.build_time = header->created_ns / 1000000000;
	super.build_time_nsec = (uint32_t)(header->created_ns % 1000000000);
	super.blocks = (uint32_t)(header->image_bytes / EROFS_BLOCK);
	memcpy(super.uuid, header->uuid, sizeof(super.uuid));
	memcpy(image->super, &super, sizeof(super));
	if (image_seal_super(image->seal, image->super, sizeof(image->super),
			     &header->super_digest) < 0)
		return report_error(-ENOMEM, "%s: cannot compute its digests", store->path);
	return 0;
}

/* Writes digest table and final header, and then the phase, which makes it a checkpoint. */
static int commit(struct image *image, struct store *store)
{
	struct image_header *header = &image->header;
	size_t bytes = header->digests_count * sizeof(struct image_digest);
	size_t padded = align_up(bytes, EROFS_BLOCK);
	_cleanup_free_ uint8_t *table = store_buffer(padded);
	int r;

	if (!table)
		return report_error(-ENOMEM, "%s: cannot write the digests", store->path);
	memcpy(table, image->digests, bytes);
	memset(table + bytes, 0, padded - bytes);
	r = store_write(store, table, padded, header->digests_offset);
	if (r == 0)
		r = fault(FAULT_IMAGE_TABLE);
	if (r < 0)
		return r;
	r = image_seal_table(image->seal, image->digests, bytes, &header->root_digest);
	header->timeline.at[TIMELINE_COMMITTED] = unix_ns();
	if (r == 0)
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
	const struct image_work work = { image->tree, root, options->threads, &job };
	int r;

	if (root < 0)
		return report_error(-errno, "/: cannot open");
	r = image_fits(image, store->capacity, store->path);
	if (r < 0)
		return r;
	image->digests = calloc(header->digests_count, sizeof(*image->digests));
	if (!image->digests)
		return report_error(-ENOMEM, "%s: cannot write", store->path);
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
	progress_begin(&progress, "Saving", header->digests_offset);
	r = image_work(&work, header->digests_count, write_segment);
	progress_end(&progress);
	if (r == 0)
		r = fault(FAULT_IMAGE_COPIED);
	if (r < 0)
		return r;
	r = walk_check_rest(image->tree);
	if (r < 0)
		return r;
	r = commit(image, store);
	if (r < 0)
		return r;
	return store_publish(store);
}
