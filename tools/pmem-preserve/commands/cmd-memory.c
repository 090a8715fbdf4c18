// SPDX-License-Identifier: GPL-2.0-or-later
/* hot-add (by another name: abort) and hot-remove: the memory alone, without any state. */
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/report.h"
#include "base/text.h"
#include "commands/command.h"
#include "flow/guard.h"
#include "flow/reclaim.h"
#include "flow/to-json.h"
#include "flow/wipe.h"
#include "image/image.h"
#include "region/region.h"
#include "settings/options.h"

#include <errno.h>
#include <json.h>

static int release(struct region *region, struct options *options,
		   const struct image_header *header)
{
	int r = options->replace ? checkpoint_forget(&options->trust, header) : 0;

	if (r == 0 && options->wipe)
		r = wipe_region(region);
	return r < 0 ? r : memory_release(region);
}

static int hot_add(struct region *region, struct options *options, struct memory_report *report)
{
	struct image_header header;
	int r = region_is_kept(region) ? 0 : memory_explain(region, report);

	if (r == 0 && region->state != REGION_RAM)
		r = region_can_be_ram(region);
	if (r == 0)
		r = checkpoint_guard(region, options->replace, &header);
	if (r < 0)
		return r;
	if (region->state == REGION_RAM && region->blocks &&
	    region->blocks_movable == region->blocks)
		inform("%s is in use as RAM already: %s", region->name,
		       size_text(region->ram_bytes).text);
	else if (options->dry_run && region->state == REGION_RAM)
		inform("%s would be brought online: %s in ZONE_MOVABLE", region->name,
		       size_text(region->ram_bytes).text);
	else if (options->dry_run)
		inform("%s would go from %s to RAM: %s in ZONE_MOVABLE", region->name,
		       region_state_name(region->state), size_text(region->ram_bytes).text);
	else
		r = release(region, options, &header);
	return r;
}

static int foresee_removal(const struct region *region, unsigned int deadline_seconds,
			   struct memory_report *report)
{
	int r = memory_foresee(region, report);

	if (r == 0)
		inform("%s would be taken back from the system: %u blocks of %s, within %u seconds",
		       region->name, region->blocks, size_text(region->block_bytes).text,
		       deadline_seconds);
	return r;
}

static int hot_remove(struct region *region, const struct options *options,
		      struct memory_report *report)
{
	bool kept = region_is_kept(region);
	int r = kept ? 0 : memory_explain(region, report);

	if (r < 0)
		return r;
	if (region->state != REGION_RAM && !kept)
		inform("%s is not in use as RAM, it is %s", region->name,
		       region_state_name(region->state));
	else if (!options->dry_run)
		r = memory_reclaim(region, LAYOUT_DEVDAX, options->deadline_seconds, report);
	else
		r = foresee_removal(region, options->deadline_seconds, report);
	return r;
}

/* What both commands have in common: the region is found, and described in the result. */
static int run(struct context *context, int argc, char **argv, unsigned int allowed, bool add)
{
	_cleanup_options_ struct options options = { 0 };
	_cleanup_close_ int lock = -1;
	struct memory_report report = { 0 };
	struct region region;
	uint64_t start;
	int r = options_parse(context->config, argc, argv, allowed, NULL, &options);

	if (r < 0 || options.help)
		return r;
	r = memory_begin(options.where.region, options.dry_run, &lock, &region);
	if (r < 0)
		return r;
	start = now_ns();
	r = add ? hot_add(&region, &options, &report) : hot_remove(&region, &options, &report);
	memory_add_to_json(context->result, &region, &report);
	json_add(context->result, "seconds", json_object_new_double(seconds_since(start)));
	json_add(context->result, "dry_run", json_object_new_boolean(options.dry_run));
	return r;
}

int cmd_hot_add(struct context *context, int argc, char **argv)
{
	return run(context, argc, argv, OPTION_REGION | OPTION_REPLACE | OPTION_DRY_RUN, true);
}

int cmd_hot_remove(struct context *context, int argc, char **argv)
{
	return run(context, argc, argv, OPTION_REGION | OPTION_DEADLINE | OPTION_DRY_RUN, false);
}
