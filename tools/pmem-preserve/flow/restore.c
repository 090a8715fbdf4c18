// SPDX-License-Identifier: GPL-2.0-or-later
#include "flow/restore.h"

#include "auth/counter.h"
#include "auth/trust.h"
#include "base/clock.h"
#include "base/report.h"
#include "base/strings.h"
#include "base/text.h"
#include "flow/incomplete.h"
#include "flow/place.h"
#include "flow/timeline.h"
#include "image/image.h"

#include <stdlib.h>
#include <string.h>

void restored_clear(struct restored *restored)
{
	strings_free(&restored->damaged, &restored->damaged_count);
	for (size_t i = 0; i < restored->left_out_count; i++)
		free(restored->left_out[i].path);
	free(restored->left_out);
	*restored = (struct restored){ 0 };
}

/* Without memory for a path it is only missing in the result: it has been reported. */
static void on_damaged(void *data, const char *path)
{
	struct restored *restored = data;

	warn("damaged: %s", path);
	strings_add(&restored->damaged, &restored->damaged_count, path);
}

static void on_left_out(void *data, const char *path, const char *what)
{
	struct restored *restored = data;
	struct left_out *larger = reallocarray(restored->left_out, restored->left_out_count + 1,
					       sizeof(*restored->left_out));

	inform("left out: %s: %s", path, what);
	if (!larger)
		return;
	restored->left_out = larger;
	larger[restored->left_out_count] = (struct left_out){ strdup(path), what };
	if (larger[restored->left_out_count].path)
		restored->left_out_count++;
}

/* What is whole has been restored, or would be; the checkpoint is unchanged. */
static int end_salvage(const struct restore_request *request)
{
	if (request->dry_run)
		inform("Nothing was changed; everything but what is listed here can be restored");
	else
		inform("Everything but what is listed here was checked and is restored. The checkpoint stays: \"restore --salvage --into\" another directory tries again, \"discard\" gives it up");
	return -E_DAMAGED;
}

static void explain_by_hand(const struct store *store)
{
	warn("nothing can be salvaged without knowing what was whole. By hand, unchecked: \"mount -t erofs -o ro %s DIR\", or \"fsck.erofs --extract=DIR %s\"%s, which gets files with holes wrong; if these find no superblock, pmem-preserve(8) says how to put the second one in its place",
	     store->path, store->path,
	     store->kind == STORE_DAX ? " (of a dax device: from a copy, made with daxio)" : "");
}

/* An image that was restored, given up or followed by a newer one before must not come back. */
static int refuse_old(const struct trust *trust, const struct place *place,
		      const struct image_header *header)
{
	uint64_t counter;
	int r = counter_read(trust->counter_file, &counter);

	if (r < 0 || header->generation >= counter)
		return r;
	return report_error(-E_REFUSED,
			    "%s: the checkpoint is an old one that was put back: it has generation %llu, but at least %llu is expected; to restore it anyway, write %llu to %s",
			    place_name(place), (unsigned long long)header->generation,
			    (unsigned long long)counter, (unsigned long long)header->generation,
			    trust->counter_file);
}

/* One restore. Each step gets what the steps before it have found. */
struct job {
	const struct place *place;
	const struct restore_request *request;
	struct restored *restored;
	bool keep;	   /* nothing in the store is changed */
	int marked;	   /* what it came to */
	uint64_t start_ns; /* on now_ns()'s clock */
	uint64_t began_ns; /* on unix_ns()'s clock */
	struct store *store;
	struct image *image;
};

static int open_image(struct job *job)
{
	const struct restore_request *request = job->request;
	unsigned int flags = request->salvage ? IMAGE_ALLOW_LOST_HEADER : 0;
	int r = store_open(job->place->path, job->keep ? STORE_READ : STORE_UPDATE, &job->store);

	if (r < 0)
		return r;
	if (!job->keep)
		flags |= IMAGE_FOR_UPDATE;
	if (request->again && job->store->kind == STORE_FILE)
		flags |= IMAGE_ALLOW_RESTORED;
	r = image_open(job->store, request->trust->key, flags, &job->image);
	if (r == -E_DAMAGED && request->salvage)
		explain_by_hand(job->store);
	return r;
}

/* What must be known before anything is restored. */
static int check_age(struct job *job)
{
	const struct trust *trust = job->request->trust;
	int r = refuse_old(trust, job->place, &job->image->header);

	return r < 0 || job->keep ? r : counter_is_writable(trust->counter_file);
}

static int describe(struct job *job)
{
	const struct image_header *header = &job->image->header;

	inform("%s holds the state of %s, %s: %llu files with %s", place_name(job->place),
	       (const char *)header->hostname, time_text(header->created_ns).text,
	       (unsigned long long)header->files, size_text(header->file_bytes).text);
	incomplete_warn(header);
	return 0;
}

static int extract(struct job *job)
{
	const struct restore_request *request = job->request;
	const struct extract_options options = {
		.into = request->into ? request->into : "/",
		.overwrite = request->overwrite,
		.salvage = request->salvage,
		.dry_run = request->dry_run,
		.threads = request->threads,
		.damaged = on_damaged,
		.left_out = request->special ? NULL : on_left_out,
		.data = job->restored,
	};
	int r;

	job->image->header.timeline.at[TIMELINE_RESTORE] = job->began_ns;
	r = image_extract(job->image, &options);
	if (r == 0 && !request->dry_run)
		job->image->header.timeline.at[TIMELINE_RESTORED] = unix_ns();
	/* Of a salvage it is of interest what the image was, even if it has failed. */
	job->restored->has_header = r == 0 || request->salvage;
	return r == -E_DAMAGED && request->salvage ? end_salvage(request) : r;
}

/* From here on the image is a checkpoint no more. */
static int mark_restored(struct job *job)
{
	struct image_header *header = &job->image->header;

	if (job->keep || header->phase == IMAGE_PHASE_RESTORED)
		return 0;
	job->marked = image_set_phase(job->store, IMAGE_PHASE_RESTORED, &header->timeline);
	if (job->marked < 0)
		return 0;
	header->phase = IMAGE_PHASE_RESTORED;
	job->restored->is_marked = true;
	if (counter_raise(job->request->trust->counter_file, header->generation + 1) < 0)
		warn("failed to update the generation counter; replay of this checkpoint will not be detected");
	return 0;
}

static int conclude(struct job *job)
{
	const struct image_header *header = &job->image->header;

	if (job->request->dry_run) {
		inform("Nothing was changed. %s of data in %llu files were read and are as they were written, no file is in the way, and the state fits",
		       size_text(header->file_bytes).text, (unsigned long long)header->files);
		return 0;
	}
	inform("Everything is restored and was checked (%.2f s)%s", seconds_since(job->start_ns),
	       job->keep ? "; the checkpoint stays" : "");
	timeline_inform(&header->timeline);
	if (job->marked == 0)
		return 0;
	return report_error(-E_NOT_MARKED,
			    "%s: the state is restored, but the checkpoint could not be marked, and counts as one that was not; \"pmem-preserve discard%s%s\" gives it up",
			    place_name(job->place), job->place->is_region ? "" : " --image ",
			    job->place->is_region ? "" : job->place->path);
}

int restore_run(const struct place *place, const struct restore_request *request,
		struct restored *ret_restored)
{
	static int (*const steps[])(struct job * job) = {
		open_image, check_age, describe, extract, mark_restored, conclude,
	};
	struct job job = {
		.place = place,
		.request = request,
		.restored = ret_restored,
		.keep = request->keep || request->dry_run,
		.start_ns = now_ns(),
		.began_ns = unix_ns(),
	};
	int r = 0;

	*ret_restored = (struct restored){ 0 };
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]) && r == 0; i++)
		r = steps[i](&job);
	if (job.image)
		ret_restored->header = job.image->header;
	image_free(job.image);
	store_close(job.store);
	return r;
}
