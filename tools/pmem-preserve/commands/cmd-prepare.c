// SPDX-License-Identifier: GPL-2.0-or-later
/* prepare: the part of a checkpoint that is slow, done while services still run. */
#include "base/cleanup.h"
#include "base/report.h"
#include "commands/command.h"
#include "flow/guard.h"
#include "flow/reclaim.h"
#include "flow/to-json.h"
#include "image/image.h"
#include "settings/options.h"

#include <json.h>

static int prepare(struct region *region, struct options *options, struct memory_report *report)
{
	struct image_header header;
	int r = checkpoint_guard(region, options->replace, &header);

	if (r == 0)
		r = memory_explain(region, report);
	if (r == 0 && options->dry_run)
		r = memory_foresee(region, report);
	if (r < 0)
		return r;
	if (options->dry_run) {
		inform("Nothing was changed; %s would go from %s to %s", region->name,
		       region_state_name(region->state), layout_name(options->layout));
		return 0;
	}
	if (options->replace)
		r = checkpoint_forget(&options->trust, &header);
	if (r < 0)
		return r;
	return memory_reclaim(region, options->layout, options->deadline_seconds, report);
}

int cmd_prepare(struct context *context, int argc, char **argv)
{
	_cleanup_options_ struct options options = { 0 };
	_cleanup_close_ int lock = -1;
	struct memory_report report = { 0 };
	struct region region;
	int r;

	r = options_parse(context->config, argc, argv,
			  OPTION_REGION | OPTION_LAYOUT | OPTION_DEADLINE | OPTION_REPLACE |
				  OPTION_DRY_RUN,
			  NULL, &options);
	if (r < 0 || options.help)
		return r;
	r = command_check_dependents(context->config);
	if (r == 0)
		r = memory_begin(options.where.region, options.dry_run, &lock, &region);
	if (r < 0)
		return r;
	r = prepare(&region, &options, &report);
	memory_add_to_json(context->result, &region, &report);
	return r;
}
