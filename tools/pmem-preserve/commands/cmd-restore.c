// SPDX-License-Identifier: GPL-2.0-or-later
/* restore: from a committed image to the tree; then the memory goes back to the system. */
#include "base/cleanup.h"
#include "base/json.h"
#include "base/report.h"
#include "commands/command.h"
#include "flow/guard.h"
#include "flow/lost.h"
#include "flow/place.h"
#include "flow/reclaim.h"
#include "flow/restore.h"
#include "flow/to-json.h"
#include "flow/wipe.h"
#include "image/image.h"
#include "settings/options.h"

#include <json.h>

static int restore(struct context *context, const struct options *options,
		   const struct place *place)
{
	const struct restore_request request = {
		.trust = &options->trust,
		.into = options->into,
		.overwrite = options->overwrite,
		.salvage = options->salvage,
		.keep = options->keep,
		.special = !options->no_special,
		.dry_run = options->dry_run,
		.again = options->where.image != NULL,
		.threads = options->threads,
	};
	_cleanup_restored_ struct restored restored = { 0 };
	int r = restore_run(place, &request, &restored);

	restored_add_to_json(context->result, &restored, request.salvage, request.special);
	if (restored.is_marked || r == -E_NOT_MARKED)
		lost_settle(&options->where, &restored.header);
	return r;
}

/* Gives the memory that held the checkpoint back to the system. */
static int release(struct region *region, bool wipe)
{
	struct image_header header;
	int r;

	if (region->target_node < 0 || region->ram_bytes == 0) {
		inform("%s stays %s: it cannot be RAM on this machine", region->name,
		       region_state_name(region->state));
		return 0;
	}
	r = checkpoint_guard(region, false, &header);
	if (r == 0 && wipe)
		r = wipe_region(region);
	if (r == 0)
		r = memory_release(region);
	if (r < 0)
		warn("the state is restored, but %s is not in use as RAM; \"pmem-preserve hot-add\" tries again",
		     region->name);
	return r;
}

int cmd_restore(struct context *context, int argc, char **argv)
{
	_cleanup_options_ struct options options = { 0 };
	_cleanup_close_ int lock = -1;
	struct place place;
	int r;

	r = options_parse(context->config, argc, argv,
			  OPTION_IMAGE | OPTION_REGION | OPTION_INTO | OPTION_OVERWRITE |
				  OPTION_SALVAGE | OPTION_KEEP | OPTION_NO_HOT_ADD |
				  OPTION_KEY_FILE | OPTION_NO_SPECIAL | OPTION_THREADS |
				  OPTION_DRY_RUN,
			  NULL, &options);
	if (r < 0 || options.help)
		return r;
	/* Where the checkpoint is damaged, files of before would stay among those restored. */
	if (options.salvage && options.overwrite)
		return report_error(-E_USAGE,
				    "restore: --salvage and --overwrite do not go together; salvage --into an empty directory");
	r = command_lock(&options, 0, &lock);
	if (r == 0)
		r = command_find_checkpoint(&options, &place);
	if (r < 0)
		return r;
	r = restore(context, &options, &place);
	if (r < 0 || options.dry_run || options.keep || options.no_hot_add || !place.is_region)
		return r;
	r = release(&place.region, options.wipe);
	json_add(context->result, "region", region_to_json(&place.region));
	return r;
}
