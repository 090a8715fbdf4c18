// SPDX-License-Identifier: GPL-2.0-or-later
/* status: the memory, the checkpoints and the problems of the configuration. */
#include "auth/key.h"
#include "auth/trust.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/report.h"
#include "base/text.h"
#include "commands/command.h"
#include "flow/place.h"
#include "flow/problems.h"
#include "flow/to-json.h"
#include "image/image.h"
#include "settings/options.h"

#include <errno.h>
#include <json.h>
#include <libsmartcols.h>
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
		printf("  \"pmem-preserve restore\" restores it\n");
}

/*
 * Adds "image" to @object, null if there is none. -E_DAMAGED, for the exit status, if the image is
 * damaged or (if the key can be read) not authentic.
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
	if (r == 0 && options->trust.key && header.phase != IMAGE_PHASE_WRITING)
		r = image_authenticate(&header, options->trust.key, name);
	return r;
}

static void print_ram(const struct region *region)
{
	const struct memory_failure *failure = &region->last_failure;

	if (region->blocks)
		printf("%s: %u of %u blocks of %s are online, %u in ZONE_MOVABLE\n", region->name,
		       region->blocks_online, region->blocks, size_text(region->block_bytes).text,
		       region->blocks_movable);
	else
		printf("%s: kmem is bound but has not added it: \"pmem-preserve hot-add\" does\n",
		       region->name);
	if (region->blocks_movable < region->blocks_online)
		printf("  blocks in a kernel zone may be impossible to take back\n");
	printf("  it can be taken back %s\n",
	       region->has_deadline_attribute ? "by the driver, with a deadline"
	       : region->has_state_attribute  ? "by the driver, without a deadline of its own"
					      : "block by block");
	if (failure->error)
		printf("  the last attempt to %s failed at %s: %s\n",
		       strcmp(failure->operation, "online") == 0 ? "add it" : "take it back",
		       memory_failure_block(failure).text, memory_failure_reason(failure).text);
}

static void print_region(const struct region *region)
{
	if (region->why[0])
		printf("%s: %s\n", region->name, region->why);
	if (region->state == REGION_RAM)
		print_ram(region);
	else if (region->ram_bytes && region->target_node >= 0 && !region->blocks)
		printf("%s: %s of it can be RAM: \"pmem-preserve hot-add\"\n", region->name,
		       size_text(region->ram_bytes).text);
}

static const struct column {
	const char *name;
	int flags; /* SCOLS_FL_* */
} columns[] = {
	{ "REGION", 0 },
	{ "STATE", 0 },
	{ "SIZE", SCOLS_FL_RIGHT },
	{ "AS RAM", SCOLS_FL_RIGHT },
	{ "START", 0 },
	{ "PROVIDER", 0 },
};
#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

static int add_region(struct libscols_table *table, const struct region *region)
{
	const struct size_text size = size_text(region->raw_bytes);
	const struct size_text ram = size_text(region->ram_bytes);
	char start[24];
	const char *const cells[COLUMNS] = { region->name, region_state_name(region->state),
					     size.text,	   ram.text,
					     start,	   region->provider };
	struct libscols_line *line = scols_table_new_line(table, NULL);
	int r = line ? 0 : -ENOMEM;

	snprintf(start, sizeof(start), "%#llx", (unsigned long long)region->start);
	for (size_t i = 0; i < COLUMNS && r == 0; i++)
		r = scols_line_set_data(line, i, cells[i]);
	return r;
}

/* The regions as a table; what there is to say of each of them follows it. */
static int print_regions(const struct region *regions, size_t count)
{
	struct libscols_table *table = scols_new_table();
	int r = table ? 0 : -ENOMEM;

	for (size_t i = 0; i < COLUMNS && r == 0; i++)
		if (!scols_table_new_column(table, columns[i].name, 0, columns[i].flags))
			r = -ENOMEM;
	for (size_t i = 0; i < count && r == 0; i++)
		r = add_region(table, &regions[i]);
	if (r == 0)
		r = scols_print_table(table);
	scols_unref_table(table);
	return r < 0 ? report_error(r, "failed to print the regions") : 0;
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
	_cleanup_problems_ struct problems problems = { 0 };
	int r;

	if (context->config->is_there && !context->json)
		print_config(context->config);
	r = problems_find(context->config, regions, count, &problems);
	json_add(context->result, "problems", problems_to_json(problems.list, problems.count));
	for (size_t i = 0; i < problems.count && !context->json; i++) {
		const struct problem *problem = &problems.list[i];

		printf("  ! %s%s%s\n", problem->problem, *problem->fix ? "\n    -> " : "",
		       problem->fix);
	}
	return r;
}

/* The fallback file, if it exists. */
static int show_fallback(const struct context *context, const struct options *options)
{
	struct json_object *object;
	int r;

	if (!options->where.fallback || access(options->where.fallback, F_OK) < 0)
		return 0;
	object = json_object_new_object();
	json_add(context->result, "fallback", object);
	json_add(object, "path", json_text(options->where.fallback));
	r = show_image(context, options, options->where.fallback, options->where.fallback, object);
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
	/* Any user may ask for the status, but not every user may read the key. */
	if (!key_fault(options.trust.key_file))
		result = trust_read_key(&options.trust);
	if (options.where.image) {
		r = place_find_checkpoint(&options.where, options.trust.key, &place);
		return r < 0 ? r
			     : show_image(context, &options, place.path, place.path,
					  context->result);
	}
	r = region_list(&regions, &count);
	if (r < 0)
		return r;
	array = json_object_new_array();
	json_add(context->result, "regions", array);
	if (count && !context->json)
		result = print_regions(regions, count);
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
