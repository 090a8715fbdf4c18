// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * status: the memory, the checkpoints, the state, the next kernel, and the problems of it all. What
 * cannot be found out is told in its place, and does not keep the rest from being shown.
 */
#include "auth/key.h"
#include "auth/trust.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/report.h"
#include "commands/cmd-status-print.h"
#include "commands/command.h"
#include "flow/history.h"
#include "flow/place.h"
#include "flow/problems.h"
#include "flow/room.h"
#include "flow/state-size.h"
#include "flow/to-json.h"
#include "image/image.h"
#include "reboot/kernel-choice.h"
#include "region/region.h"
#include "settings/options.h"

#include <errno.h>
#include <json.h>
#include <stdio.h>
#include <unistd.h>

#define MEASURE_SECONDS 5

struct status {
	struct context *context;
	struct options options;
	struct region *regions;
	size_t region_count;
	struct history history;
	int result; /* the last error */
};

static void note_error(struct status *status, int r)
{
	if (r < 0)
		status->result = r;
}

static void heading(const struct status *status, const char *text)
{
	if (!status->context->json)
		printf("\n%s\n", text);
}

/*
 * Adds "image" to @object, null if there is none. -E_DAMAGED, for the exit status, if the image is
 * damaged or (if the key can be read) not authentic.
 */
static int show_image(struct status *status, const char *name, const char *path,
		      struct json_object *object)
{
	const struct key *key = status->options.trust.key;
	_cleanup_store_ struct store *store = NULL;
	struct image_header header;
	int r = store_open(path, STORE_READ, &store);

	if (r == 0)
		r = image_read_header(store, &header);
	json_add(object, "image", r == 0 ? image_to_json(&header) : NULL);
	if (r == -E_NO_CHECKPOINT) {
		if (!status->context->json)
			print_text("  %s: no checkpoint", name);
		return r;
	}
	if (r < 0)
		return r;
	history_add(&status->history, name, &header);
	if (!status->context->json)
		print_image(name, &header);
	return key && header.phase != IMAGE_PHASE_WRITING ? image_authenticate(&header, key, name)
							  : 0;
}

/* A place that need not hold one. */
static void show_place(struct status *status, const char *name, const char *path,
		       struct json_object *object)
{
	int r;

	if (access(path, R_OK) < 0 && errno == EACCES) {
		if (!status->context->json)
			print_text("  %s: only root can see whether it holds a checkpoint", name);
		return;
	}
	r = show_image(status, name, path, object);
	note_error(status, r == -E_NO_CHECKPOINT ? 0 : r);
}

static void show_memory(struct status *status)
{
	note_error(status, region_list(&status->regions, &status->region_count));
	if (!status->context->json)
		note_error(status, print_regions(status->regions, status->region_count));
}

static void show_checkpoints(struct status *status)
{
	const char *fallback = status->options.where.fallback;
	struct json_object *array = json_object_new_array(), *object;
	char path[REGION_PATH_BYTES];

	heading(status, "Checkpoints");
	json_add(status->context->result, "regions", array);
	for (size_t i = 0; i < status->region_count; i++) {
		const struct region *region = &status->regions[i];

		object = region_to_json(region);
		json_append(array, object);
		region_path(region, path);
		if (path[0])
			show_place(status, region->name, path, object);
		else if (!status->context->json)
			print_text("  %s: none, it is %s", region->name,
				   region_state_name(region->state));
	}
	if (fallback && access(fallback, F_OK) == 0) {
		object = json_object_new_object();
		json_add(status->context->result, "fallback", object);
		json_add(object, "path", json_text(fallback));
		show_place(status, fallback, fallback, object);
	}
	json_add(status->context->result, "history", history_to_json(&status->history));
	if (!status->context->json)
		print_history(&status->history);
}

static void show_state(struct status *status, const struct config *config, struct state_size *size,
		       struct room rooms[ROOMS_MAX], size_t *ret_rooms)
{
	*ret_rooms = rooms_find(config, status->regions, status->region_count, rooms);
	if (!config->state_count)
		return;
	heading(status, "State");
	state_measure(config, MEASURE_SECONDS, size);
	json_add(status->context->result, "state",
		 state_to_json(config->states, config->state_count, size, rooms, *ret_rooms));
	if (!status->context->json)
		print_state(config, size, rooms, *ret_rooms);
}

static void show_kernel(struct status *status, const struct config *config,
			struct kernel_choice *choice)
{
	const struct region *region = room_region(config, status->regions, status->region_count);
	const struct kernel_wish wish = command_kernel_wish(&status->options, region);
	int r = kernel_choose(&wish, choice);

	if (r < 0) {
		note_error(status, report_error(r, "cannot look for kernels"));
		return;
	}
	json_add(status->context->result, "next_kernel", kernel_to_json(choice));
	heading(status, "Next kernel");
	if (!status->context->json)
		print_kernel(choice);
}

static void show_config(struct status *status, const struct config *config)
{
	json_add(status->context->result, "config", config_to_json(config));
	heading(status, config->path);
	if (status->context->json)
		return;
	if (config->is_there)
		print_config(config);
	else
		print_text("  there is no such file");
}

static void show_problems(struct status *status, const struct findings *findings)
{
	_cleanup_problems_ struct problems problems = { 0 };
	int r = problems_find(findings, &problems);

	note_error(status, r);
	if (r < 0)
		return;
	json_add(status->context->result, "problems",
		 problems_to_json(problems.list, problems.count));
	heading(status, "Problems");
	if (!status->context->json)
		print_problems(&problems);
}

static void show_all(struct status *status)
{
	const struct config *config = status->context->config;
	_cleanup_kernel_choice_ struct kernel_choice choice = { 0 };
	struct state_size size = { 0 };
	struct room rooms[ROOMS_MAX];
	struct findings findings = {
		.config = config, .choice = &choice, .size = &size, .rooms = rooms
	};

	show_memory(status);
	show_checkpoints(status);
	show_state(status, config, &size, rooms, &findings.room_count);
	show_kernel(status, config, &choice);
	show_config(status, config);
	findings.regions = status->regions;
	findings.region_count = status->region_count;
	show_problems(status, &findings);
}

static int show_file(struct status *status)
{
	const struct options *options = &status->options;
	struct place place;
	int r = place_find_checkpoint(&options->where, options->trust.key, &place);

	return r < 0 ? r : show_image(status, place.path, place.path, status->context->result);
}

int cmd_status(struct context *context, int argc, char **argv)
{
	struct status status = { .context = context };
	int r = options_parse(context->config, argc, argv, OPTION_IMAGE | OPTION_KEY_FILE, NULL,
			      &status.options);

	if (r < 0 || status.options.help)
		return r;
	/* Any user may ask for the status, but not every user may read the key. */
	if (!key_fault(status.options.trust.key_file))
		note_error(&status, trust_read_key(&status.options.trust));
	history_begin(&status.history);
	if (status.options.where.image)
		note_error(&status, show_file(&status));
	else
		show_all(&status);
	free(status.regions);
	options_clear(&status.options);
	return status.result;
}
