// SPDX-License-Identifier: GPL-2.0-or-later
#include "flow/checkpoint.h"

#include "auth/counter.h"
#include "auth/trust.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/report.h"
#include "base/text.h"
#include "flow/guard.h"
#include "flow/inside.h"
#include "flow/place.h"
#include "flow/reclaim.h"
#include "reboot/expected.h"
#include "tree/walk.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uuid/uuid.h>

void checkpoint_clear(struct checkpoint *job)
{
	image_free(job->image);
	job->image = NULL;
}

/* An image file inside the tree that it holds would change while it is written. */
static int refuse_inside(const struct tree *tree, const char *path)
{
	struct stat status;

	if (stat(path, &status) == 0 && !S_ISREG(status.st_mode))
		return 0;
	for (size_t i = 0; i < tree->path_count; i++) {
		bool inside;
		int r = image_is_inside(path, tree->paths[i], &inside);

		if (r < 0)
			return report_error(r, "%s: cannot find its directory", path);
		if (inside)
			return report_error(-E_USAGE,
					    "%s: image file is inside %s, which is being checkpointed; name one outside of it",
					    path, tree->paths[i]);
	}
	return 0;
}

int checkpoint_list(struct checkpoint *job)
{
	const struct checkpoint_request *request = &job->request;
	struct walk_options walk = {
		.paths = request->paths,
		.path_count = request->path_count,
		.excludes = request->excludes,
		.exclude_count = request->exclude_count,
		.threads = request->threads,
		.lenient = request->lenient,
	};
	struct tree *tree;
	int r;

	if (walk.path_count == 0)
		return report_error(-E_USAGE,
				    "no PATH given, and no \"state =\" in the configuration");
	checkpoint_clear(job);
	r = walk_tree(&walk, &tree);
	if (r < 0)
		return r;
	r = image_layout(tree, &job->image);
	if (r < 0)
		return r;
	inform("The state is %llu files with %s; its image takes %s",
	       (unsigned long long)job->image->header.files,
	       size_text(job->image->header.file_bytes).text,
	       size_text(job->image->header.image_bytes).text);
	return 0;
}

/* One more than that of any checkpoint that there is, in either place, or was. */
static int choose_generation(struct checkpoint *job)
{
	const struct image_header *in_place = &job->image_before;
	const struct trust *trust = job->request.trust;
	uint64_t newest = image_is_credible(in_place, trust->key) ? in_place->generation : 0;
	uint64_t elsewhere, counter;
	int r = counter_is_writable(trust->counter_file);

	if (r == 0)
		r = counter_read(trust->counter_file, &counter);
	if (r < 0)
		return r;
	elsewhere = place_generation_elsewhere(job->request.where, trust->key, &job->place);
	if (newest < elsewhere)
		newest = elsewhere;
	if (newest < counter)
		newest = counter;
	job->generation = 1 + newest;
	return 0;
}

int checkpoint_check(struct checkpoint *job)
{
	struct region *region = &job->place.region;
	const struct checkpoint_request *request = &job->request;
	_cleanup_store_ struct store *store = NULL;
	char name[64];
	int r = 0;

	if (request->in_place && access(job->place.path, F_OK) < 0 && errno == ENOENT)
		return report_error(-E_FAILED,
				    "%s: no such file; --in-place needs a file that has room for the state: fallocate -l SIZE FILE",
				    job->place.path);
	if (!job->place.is_region) {
		r = refuse_inside(job->image->tree, job->place.path);
	} else if (!request->dry_run) {
		r = region_settle(region);
		place_update(&job->place);
	}
	if (r < 0)
		return r;
	job->image_before = (struct image_header){ 0 };
	if (stat(job->place.path, &job->file_before) < 0)
		job->file_before = (struct stat){ 0 };
	if (job->place.path[0]) {
		r = checkpoint_guard_path(job->place.path, place_name(&job->place),
					  request->replace, &job->image_before);
		if (r < 0)
			return r;
	}
	r = choose_generation(job);
	if (r < 0)
		return r;
	job->was_ram |= job->place.is_region && region->state == REGION_RAM;
	if (!job->place.is_region) {
		/* STORE_IN_PLACE may fill holes, which a check must not do. */
		r = store_open(job->place.path, request->in_place ? STORE_UPDATE : STORE_WRITE,
			       &store);
		return r < 0 ? r : image_fits(job->image, store->capacity, job->place.path);
	}
	r = memory_explain(region, &job->memory);
	if (r == 0 && request->dry_run)
		r = memory_foresee(region, &job->memory);
	if (r < 0)
		return r;
	snprintf(name, sizeof(name), "%s as %s", region->name, layout_name(request->layout));
	return image_fits(job->image, memory_capacity(region, request->layout), name);
}

int checkpoint_take(struct checkpoint *job)
{
	int r;

	if (!job->place.is_region || job->taken)
		return 0;
	r = memory_reclaim(&job->place.region, job->request.layout, job->request.deadline_seconds,
			   &job->memory);
	if (r < 0)
		return r;
	place_update(&job->place);
	job->taken = true;
	if (job->was_ram)
		job->timeline[TIMELINE_MEMORY_REMOVED] = unix_ns();
	return 0;
}

static int refuse_changed(const struct checkpoint *job)
{
	return report_error(-E_REFUSED,
			    "%s: is not what it was when it was checked: another checkpoint was made there, or it was restored; it is left alone",
			    place_name(&job->place));
}

/* Another process may have made a checkpoint there since: that one is not to be replaced by ours. */
static int check_file(void *data)
{
	const struct checkpoint *job = data;
	const struct stat *before = &job->file_before;
	struct stat now;

	if (stat(job->place.path, &now) < 0)
		now = (struct stat){ 0 };
	if (now.st_dev == before->st_dev && now.st_ino == before->st_ino &&
	    now.st_ctim.tv_sec == before->st_ctim.tv_sec &&
	    now.st_ctim.tv_nsec == before->st_ctim.tv_nsec)
		return 0;
	return refuse_changed(job);
}

/* The same for what is written in place, under the lock of the store. */
static int check_image(const struct checkpoint *job, struct store *store)
{
	struct image_header now = { 0 };

	if (image_read_header(store, &now) == -E_DAMAGED)
		image_read_copy(store, &now);
	if (now.phase == job->image_before.phase &&
	    memcmp(now.uuid, job->image_before.uuid, sizeof(now.uuid)) == 0)
		return 0;
	return refuse_changed(job);
}

int checkpoint_write(struct checkpoint *job)
{
	struct image_write_options options = {
		.threads = job->request.threads,
		.generation = job->generation,
		.timeline = job->timeline,
		.key = job->request.trust->key,
	};
	_cleanup_store_ struct store *store = NULL;
	uint64_t start = now_ns();
	double seconds;
	uuid_t uuid;
	int r, result;

	if (job->request.uuid && uuid_parse(job->request.uuid, uuid) == 0)
		options.uuid_begin = uuid;

	r = store_open(job->place.path, job->request.in_place ? STORE_IN_PLACE : STORE_WRITE,
		       &store);
	/* A region has a lock of its own, and what is left in its memory is nobody's. */
	if (r == 0 && !store->is_new && !job->place.is_region)
		r = check_image(job, store);
	if (r < 0)
		return r;
	store->may_replace = check_file;
	store->replace_data = job;
	job->written = true;
	r = image_write(job->image, store, &options);
	if (r < 0 && r != -E_NOT_DURABLE)
		return r;
	result = r;
	/* After the commit: a crash in between must leave an image that can be restored. */
	if (counter_raise(job->request.trust->counter_file, job->generation) < 0)
		warn("failed to update the generation counter; replay of an older checkpoint will not be detected");
	seconds = seconds_since(start);
	inform("The checkpoint is committed in %s (generation %llu, %.2f s, %.0f MiB/s)",
	       place_name(&job->place), (unsigned long long)options.generation, seconds,
	       (double)job->image->header.image_bytes / (1 << 20) / seconds);
	return result;
}

void checkpoint_expect(const struct checkpoint *job, struct expected *ret_expected)
{
	struct expected expected = { .generation = job->generation };

	snprintf(expected.place, sizeof(expected.place), "%s", place_name(&job->place));
	if (job->image && job->image->header.phase == IMAGE_PHASE_COMMITTED)
		snprintf(expected.uuid, sizeof(expected.uuid), "%s",
			 uuid_text(job->image->header.uuid).text);
	else
		expected_choose_uuid(&expected);
	*ret_expected = expected;
}

void checkpoint_roll_back(struct checkpoint *job)
{
	_cleanup_store_ struct store *store = NULL;
	int r = 0;

	if (!job->place.is_region)
		return;
	place_update(&job->place);
	if (job->written && store_open(job->place.path, STORE_UPDATE, &store) == 0)
		r = job->request.wipe ? image_wipe(store, job->image->header.image_bytes)
				      : image_erase(store);
	store_close(take_pointer(store));
	/* A copy that somebody took of it meanwhile must not be restored. */
	if (job->written && job->image->header.phase == IMAGE_PHASE_COMMITTED)
		counter_raise(job->request.trust->counter_file, job->generation + 1);
	if (!job->was_ram)
		return;
	inform("Giving the memory back; the state is where it was");
	if (r == 0 || !job->request.wipe)
		r = memory_release(&job->place.region);
	if (r < 0)
		warn("%s is still not RAM; \"pmem-preserve hot-add\" tries again",
		     job->place.region.name);
}
