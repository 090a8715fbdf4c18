// SPDX-License-Identifier: GPL-2.0-or-later
/* Checking the digests of an image, and finding the files that are damaged. */
#include "base/cleanup.h"
#include "image/image-internal.h"
#include "image/image-worker.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

struct verify {
	struct image *image;
	struct progress progress;
	pthread_mutex_t lock;
	uint64_t segments, files;
};

static int verify_segment(void *data, uint64_t number)
{
	struct image_worker *worker = data;
	struct verify *verify = worker->job;
	struct image *image = verify->image;
	const struct segment segment = image_segment(&image->header, number);
	int r;

	r = store_read(image->store, worker->buffer, segment.end - segment.start, segment.start);
	if (r == 0)
		r = image_check_segment(image, number, worker->buffer);
	progress_add(&verify->progress, segment.end - segment.start);
	if (r != -E_DAMAGED)
		return r;
	pthread_mutex_lock(&verify->lock);
	verify->segments++;
	for (size_t i = image_find_extent(image, segment.start);
	     i < image->extent_count && image->extents[i].place < segment.end; i++) {
		struct entry *entry = &image->tree->entries[image->extents[i].entry];

		verify->files += !(entry->flags & ENTRY_DAMAGED);
		entry->flags |= ENTRY_DAMAGED;
	}
	pthread_mutex_unlock(&verify->lock);
	return 0;
}

int image_verify(struct image *image, unsigned int threads,
		 void (*damaged)(void *data, const char *path), void *data)
{
	struct verify verify = { .image = image, .lock = PTHREAD_MUTEX_INITIALIZER };
	struct tree *tree = image->tree;
	const struct image_work work = { tree, -1, threads, &verify };
	int r;

	progress_begin(&verify.progress, "Verifying", image->header.digests_offset);
	r = image_work(&work, image->header.digests_count, verify_segment);
	progress_end(&verify.progress);
	if (r < 0 || (verify.segments == 0 && !image->header_lost))
		return r;
	if (verify.segments == 0)
		return report_error(-E_DAMAGED,
				    "%s: the header or the superblock is lost or damaged; everything else is intact",
				    image->store->path);
	for (uint32_t i = 0; i < tree->count; i++) {
		_cleanup_free_ char *path = NULL;

		/* All names of a damaged inode. */
		if (!(tree->entries[tree->entries[i].inode_entry].flags & ENTRY_DAMAGED))
			continue;
		tree->entries[i].flags |= ENTRY_DAMAGED;
		path = tree_path(tree, i);
		if (!path)
			return report_error(-ENOMEM, "%s: cannot verify", image->store->path);
		damaged(data, path);
	}
	return report_error(-E_DAMAGED, "%s: %llu of %llu MiB are damaged, with %llu files%s",
			    image->store->path, (unsigned long long)verify.segments,
			    (unsigned long long)image->header.digests_count,
			    (unsigned long long)verify.files,
			    image->header_lost ? "; the header or the superblock is damaged as well"
					       : "");
}
