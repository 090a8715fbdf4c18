// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/command.h"

#include "auth/trust.h"
#include "flow/checkpoint.h"
#include "flow/instance.h"
#include "flow/place.h"
#include "settings/options.h"

int command_lock(const struct options *options, unsigned int wait_seconds, int *ret_lock)
{
	return options->where.image || options->dry_run ? 0 : instance_lock(wait_seconds, ret_lock);
}

struct checkpoint_request command_checkpoint_request(const struct context *context,
						     const struct options *options, char **paths,
						     size_t count)
{
	const struct config *config = context->config;

	return (struct checkpoint_request){
		.paths = count ? paths : config->states,
		.path_count = count ? count : config->state_count,
		.excludes = options->excludes,
		.exclude_count = options->exclude_count,
		.where = &options->where,
		.trust = &options->trust,
		.layout = options->layout,
		.threads = options->threads,
		.deadline_seconds = options->deadline_seconds,
		.in_place = options->in_place,
		.replace = options->replace,
		.wipe = options->wipe,
		.dry_run = options->dry_run,
	};
}

int command_find_checkpoint(struct options *options, struct place *ret_place)
{
	int r = trust_read_key(&options->trust);

	return r < 0 ? r : place_find_checkpoint(&options->where, options->trust.key, ret_place);
}

int command_open_checkpoint(struct options *options, enum store_mode mode, struct place *ret_place,
			    struct store **ret_store)
{
	int r = command_find_checkpoint(options, ret_place);

	return r < 0 ? r : store_open(ret_place->path, mode, ret_store);
}
