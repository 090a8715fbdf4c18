// SPDX-License-Identifier: GPL-2.0-or-later
/* checkpoint: from a tree to a committed image, and with --kexec on into the next kernel. */
#include "cleanup.h"
#include "command.h"
#include "guard.h"
#include "image-json.h"
#include "image.h"
#include "interrupt.h"
#include "kexec.h"
#include "memory.h"
#include "options.h"
#include "place.h"
#include "region-json.h"
#include "report.h"
#include "walk.h"

#include <errno.h>
#include <json.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct checkpoint {
	struct context *context;
	struct options options;
	struct place place;
	struct image *image;
	struct kexec_plan plan;
	uint64_t timeline[TIMELINE_EVENTS];
	uint64_t generation;
	bool was_ram;
	bool written; /* what was on the media before is gone */
};

static void cleanup_checkpoint(struct checkpoint *job)
{
	image_free(job->image);
	kexec_plan_clear(&job->plan);
	options_clear(&job->options);
}

/* An image within the tree that it holds would change while it is written. */
static int refuse_inside(const struct tree *tree, const char *path)
{
	_cleanup_free_ char *copy = strdup(path), *directory = NULL;
	struct stat status;

	if (stat(path, &status) == 0 && !S_ISREG(status.st_mode))
		return 0;
	/* A file that is there is opened through links; a new one is named beside them. */
	directory = realpath(path, NULL);
	if (!directory)
		directory = copy ? realpath(dirname(copy), NULL) : NULL;
	if (!directory)
		return fail(-errno, "%s: its directory cannot be found", path);
	for (size_t i = 0; i < tree->path_count; i++) {
		size_t length = strlen(tree->paths[i]);

		if (length == 1 || (strncmp(directory, tree->paths[i], length) == 0 &&
				    (directory[length] == '/' || directory[length] == '\0')))
			return fail(-E_USAGE, "%s: would lie inside of %s, which it is to hold",
				    path, tree->paths[i]);
	}
	return 0;
}

static int list_state(struct checkpoint *job, int argc, char **argv)
{
	const struct config *config = job->context->config;
	bool named = job->options.first < argc;
	struct walk_options walk = {
		.paths = named ? argv + job->options.first : config->states,
		.path_count = named ? (size_t)(argc - job->options.first) : config->state_count,
		.excludes = job->options.excludes,
		.exclude_count = job->options.exclude_count,
		.threads = job->options.threads,
	};
	struct tree *tree;
	int r;

	if (walk.path_count == 0)
		return fail(-E_USAGE, "no PATH was given, and no \"state =\" is configured in %s",
			    CONFIG_PATH);
	r = walk_tree(&walk, &tree);
	if (r < 0)
		return r;
	if (!job->place.is_region) {
		r = refuse_inside(tree, job->place.path);
		if (r < 0) {
			tree_free(tree);
			return r;
		}
	}
	r = image_layout(tree, &job->image);
	if (r < 0)
		return r;
	inform("The state is %llu files with %s; its image takes %s",
	       (unsigned long long)job->image->header.files,
	       size_text(job->image->header.file_bytes).text,
	       size_text(job->image->header.image_bytes).text);
	return 0;
}

/* Everything that can be known before the memory, the media or the kernel are touched. */
static int check(struct checkpoint *job)
{
	const struct region *region = &job->place.region;
	_cleanup_store_ struct store *store = NULL;
	char name[64];
	int r;

	if (job->options.kexec) {
		bool loaded;

		r = kexec_is_loaded(&loaded);
		if (r < 0)
			return r;
		r = kexec_plan(job->options.kernel, job->options.initrd, job->options.cmdline,
			       &job->plan);
		if (r < 0)
			return r;
	}
	if (job->options.in_place && access(job->place.path, F_OK) < 0 && errno == ENOENT)
		return fail(-E_FAILED,
			    "%s: is not there; --in-place needs a file that has room for the "
			    "state: fallocate -l SIZE FILE",
			    job->place.path);
	if (job->place.path[0]) {
		r = checkpoint_guard_path(job->place.path, place_name(&job->place),
					  job->options.replace, &job->generation);
		if (r < 0)
			return r;
	}
	if (!job->place.is_region) {
		/* In place, opening to write may fill holes: here it is only looked at. */
		r = store_open(job->place.path, job->options.in_place ? STORE_UPDATE : STORE_WRITE,
			       &store);
		return r < 0 ? r : image_fits(job->image, store->capacity, job->place.path);
	}
	r = memory_explain(region, job->context->result);
	if (r < 0)
		return r;
	snprintf(name, sizeof(name), "%s as %s", region->name, layout_name(job->options.layout));
	return image_fits(job->image, memory_capacity(region, job->options.layout), name);
}

static int write_image(struct checkpoint *job)
{
	struct image_write_options options = {
		.threads = job->options.threads,
		.generation = job->generation + 1,
		.timeline = job->timeline,
	};
	_cleanup_store_ struct store *store = NULL;
	uint64_t start = now_ns();
	double seconds;
	int r;

	r = store_open(job->place.path, job->options.in_place ? STORE_IN_PLACE : STORE_WRITE,
		       &store);
	if (r < 0)
		return r;
	job->written = true;
	r = image_write(job->image, store, &options);
	if (r < 0)
		return r;
	seconds = (double)(now_ns() - start) / 1e9;
	inform("The checkpoint is committed in %s (generation %llu, %.2f s, %.0f MiB/s)",
	       place_name(&job->place), (unsigned long long)options.generation, seconds,
	       (double)job->image->header.image_bytes / (1 << 20) / seconds);
	json_object_object_add(job->context->result, "image", image_to_json(&job->image->header));
	return 0;
}

/* Nothing was handed over: the state is where it was, and the memory goes back to the system. */
static void roll_back(struct checkpoint *job)
{
	_cleanup_store_ struct store *store = NULL;

	if (!job->place.is_region)
		return;
	place_update(&job->place);
	if (job->written && store_open(job->place.path, STORE_UPDATE, &store) == 0)
		image_erase(store);
	store_close(take_pointer(store));
	if (!job->was_ram)
		return;
	inform("Giving the memory back; the state is where it was");
	if (memory_give(&job->place.region) < 0)
		warn("%s is still not RAM; \"pmem-preserve hot-add\" tries again",
		     job->place.region.name);
}

static int run(struct checkpoint *job)
{
	int r;

	if (job->place.is_region) {
		r = memory_take(&job->place.region, job->options.layout,
				job->options.deadline_seconds, job->context->result);
		if (r < 0)
			return r;
		place_update(&job->place);
		if (job->was_ram)
			job->timeline[TIMELINE_MEMORY_REMOVED] = unix_ns();
	}
	r = write_image(job);
	if (r < 0)
		goto rollback;
	if (!job->options.kexec)
		return 0;
	/* The last moment to change one's mind. */
	r = interrupt_check();
	if (r < 0)
		goto rollback;
	inform("Loading %s as the next kernel", job->plan.kernel);
	r = kexec_load(&job->plan);
	if (r < 0)
		goto rollback;
	r = interrupt_check();
	if (r == 0) {
		inform("Starting the next kernel; \"pmem-preserve restore\" brings the state back "
		       "there");
		r = kexec_execute();
	}
	kexec_unload();

rollback:
	roll_back(job);
	return r;
}

int cmd_checkpoint(struct context *context, int argc, char **argv)
{
	_cleanup_(cleanup_checkpoint) struct checkpoint job = { .context = context };
	int r;

	r = options_parse(context->config, argc, argv,
			  OPTION_IMAGE | OPTION_REGION | OPTION_LAYOUT | OPTION_REPLACE |
				  OPTION_IN_PLACE | OPTION_EXCLUDE | OPTION_KEXEC |
				  OPTION_DEADLINE | OPTION_THREADS | OPTION_DRY_RUN,
			  "[PATH]...", &job.options);
	if (r < 0 || job.options.help)
		return r;
	if (job.options.in_place && !job.options.image)
		return fail(-E_USAGE, "--in-place is for an image in a file (--image=FILE); a "
				      "region is always written in place");
	job.timeline[TIMELINE_BEGIN] = unix_ns();
	r = place_find(&job.options, &job.place);
	if (r == 0)
		r = list_state(&job, argc, argv);
	if (r == 0)
		r = check(&job);
	if (r < 0)
		return r;
	job.was_ram = job.place.is_region && job.place.region.state == REGION_RAM;
	if (job.options.dry_run) {
		inform("Nothing was changed; the checkpoint would go to %s%s%s",
		       place_name(&job.place), job.was_ram ? ", which would no longer be RAM" : "",
		       job.options.kexec ? ", and the next kernel would be started" : "");
		return 0;
	}
	r = run(&job);
	if (job.place.is_region)
		json_object_object_add(context->result, "region",
				       region_to_json(&job.place.region));
	return r;
}
