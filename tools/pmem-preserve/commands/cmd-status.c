// SPDX-License-Identifier: GPL-2.0-or-later
/* status: what the memory is, and what checkpoints there are. */
#include "auth/key.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "commands/command.h"
#include "flow/image-json.h"
#include "flow/place.h"
#include "flow/problems.h"
#include "flow/region-json.h"
#include "image/image.h"
#include "settings/options.h"

#include <json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void print_image(const char *name, const struct image_header *header)
{
	printf("%s: checkpoint %s, %s (generation %llu)\n", name, image_phase_name(header->phase),
	       time_text(header->created_ns).text, (unsigned long long)header->generation);
	if (header->phase == IMAGE_PHASE_WRITING) {
		printf("  it was never finished and cannot be restored\n");
		return;
	}
	printf("  %llu files with %s, image of %s, by %s with kernel %s\n",
	       (unsigned long long)header->files, size_text(header->file_bytes).text,
	       size_text(header->image_bytes).text, (const char *)header->hostname,
	       (const char *)header->kernel);
	if (header->seal == IMAGE_SEAL_KEYED)
		printf("  it is sealed with a key\n");
	if (header->phase == IMAGE_PHASE_COMMITTED)
		printf("  \"pmem-preserve restore\" brings it back\n");
}

/*
 * Adds "image" to @object: null when there is none. -E_DAMAGED is kept for the exit status: of an
 * image that is damaged, or, where the key can be read, not authentic.
 */
static int show_image(const struct context *context, const struct options *options,
		      const char *name, const char *path, struct json_object *object)
{
	_cleanup_store_ struct store *store = NULL;
	struct image_header header;
	int r = store_open(path, STORE_READ, &store);

	if (r == 0)
		r = image_read_header(store, &header);
	json_add(object, "image", r == 0 ? image_to_json(&header) : NULL);
	if (r == -E_NO_CHECKPOINT) {
		if (!context->json)
			printf("%s: no checkpoint\n", name);
		return r;
	}
	if (r == 0 && !context->json)
		print_image(name, &header);
	if (r == 0 && options->key && header.phase != IMAGE_PHASE_WRITING)
		r = image_authenticate(&header, options->key, name);
	return r;
}

static void print_ram(const struct region *region)
{
	const struct memory_failure *failure = &region->last_failure;

	if (region->blocks)
		printf("  %u of %u blocks of %s are online, %u in ZONE_MOVABLE\n",
		       region->blocks_online, region->blocks, size_text(region->block_bytes).text,
		       region->blocks_movable);
	else
		printf("  its driver has not added it: \"pmem-preserve hot-add\" does\n");
	if (region->blocks_movable < region->blocks_online)
		printf("  blocks in a kernel zone may be impossible to take back\n");
	printf("  it is taken back %s\n",
	       region->has_deadline_attribute ? "by the driver, with a deadline"
	       : region->has_state_attribute  ? "by the driver, without a deadline of its own"
					      : "block by block");
	if (failure->error)
		printf("  the last try to %s failed for %s: %s\n",
		       strcmp(failure->operation, "online") == 0 ? "add it" : "take it back",
		       memory_failure_block(failure).text, memory_failure_reason(failure).text);
}

static void print_region(const struct region *region)
{
	printf("%s: %s, %s at %#llx (%s)\n", region->name, region_state_name(region->state),
	       size_text(region->raw_bytes).text, (unsigned long long)region->start,
	       region->provider);
	if (region->why[0])
		printf("  %s\n", region->why);
	if (region->state == REGION_RAM) {
		print_ram(region);
	} else if (region->ram_bytes && region->target_node >= 0 && !region->blocks) {
		printf("  %s of it can be RAM: \"pmem-preserve hot-add\"\n",
		       size_text(region->ram_bytes).text);
	}
}

static int show_region(const struct context *context, const struct options *options,
		       const struct region *region, struct json_object *array)
{
	struct json_object *object = region_to_json(region);
	char path[REGION_PATH_BYTES];
	int r;

	json_append(array, object);
	if (!context->json)
		print_region(region);
	region_path(region, path);
	if (!path[0])
		return 0;
	r = show_image(context, options, region->name, path, object);
	return r == -E_NO_CHECKPOINT ? 0 : r;
}

static void print_config(const struct config *config)
{
	printf("%s:", config->path);
	for (size_t i = 0; i < config->state_count; i++)
		printf("%s %s", i ? "," : " keeps", config->states[i]);
	printf("\n  the memory survives %s; fallback: %s\n", survival_name(config->survives),
	       config->fallback ? config->fallback : "none");
	if (config->key_file)
		printf("  checkpoints are authenticated with %s\n", config->key_file);
}

static int show_config(const struct context *context, const struct region *regions, size_t count)
{
	struct json_object *array = json_object_new_array();
	_cleanup_problems_ struct problems problems = { 0 };
	int r;

	json_add(context->result, "problems", array);
	if (context->config->is_there && !context->json)
		print_config(context->config);
	r = problems_find(context->config, regions, count, &problems);
	for (size_t i = 0; i < problems.count; i++) {
		const struct problem *problem = &problems.list[i];
		struct json_object *object = json_object_new_object();

		json_add(object, "what", path_to_json(problem->what));
		json_add(object, "mend", path_to_json(problem->mend));
		json_append(array, object);
		if (!context->json)
			printf("  ! %s%s%s\n", problem->what, *problem->mend ? "\n    -> " : "",
			       problem->mend);
	}
	return r;
}

/* The fallback file, when it is there. */
static int show_fallback(const struct context *context, const struct options *options)
{
	struct json_object *object;
	int r;

	if (!options->fallback || access(options->fallback, F_OK) < 0)
		return 0;
	object = json_object_new_object();
	json_add(context->result, "fallback", object);
	json_add(object, "path", path_to_json(options->fallback));
	r = show_image(context, options, options->fallback, options->fallback, object);
	return r == -E_NO_CHECKPOINT ? 0 : r;
}

int cmd_status(struct context *context, int argc, char **argv)
{
	_cleanup_options_ struct options options = { 0 };
	_cleanup_free_ struct region *regions = NULL;
	struct place place;
	struct json_object *array;
	size_t count = 0;
	int r, result = 0;

	r = options_parse(context->config, argc, argv, OPTION_IMAGE | OPTION_KEY_FILE, NULL,
			  &options);
	if (r < 0 || options.help)
		return r;
	/* Anybody may ask for the status, and the key is not for everybody. */
	if (!key_fault(options.key_file))
		result = key_read(options.key_file, &options.key);
	if (options.image) {
		r = place_find_checkpoint(&options, &place);
		return r < 0 ? r
			     : show_image(context, &options, place.path, place.path,
					  context->result);
	}
	r = region_list(&regions, &count);
	if (r < 0)
		return r;
	array = json_object_new_array();
	json_add(context->result, "regions", array);
	for (size_t i = 0; i < count; i++) {
		r = show_region(context, &options, &regions[i], array);
		if (r < 0)
			result = r;
	}
	if (count == 0 && !context->json)
		puts("This machine has no region of persistent memory. An NVDIMM is one; so is a\n"
		     "range of RAM set aside with memmap=SIZE!START on the kernel command line.");
	r = show_fallback(context, &options);
	if (r < 0)
		result = r;
	r = show_config(context, regions, count);
	return r < 0 ? r : result;
}
