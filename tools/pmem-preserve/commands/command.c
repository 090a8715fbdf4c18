// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/command.h"

#include "auth/trust.h"
#include "base/report.h"
#include "flow/checkpoint.h"
#include "flow/fallback.h"
#include "flow/instance.h"
#include "flow/place.h"
#include "reboot/dependents.h"
#include "settings/options.h"

#include <string.h>

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

struct kernel_wish command_kernel_wish(const struct options *options, const struct region *region)
{
	return (struct kernel_wish){
		.kernel = options->kernel,
		.initrd = options->initrd,
		.cmdline = options->cmdline,
		.modules = region ? region_modules(region) : NULL,
	};
}

int command_check_dependents(const struct config *config)
{
	_cleanup_dependents_ struct dependents dependents = { 0 };
	int result = 0, r = dependents_find(config->states, config->state_count, &dependents);

	if (r < 0)
		warn("systemd does not say which services must stop before the state is saved, so they were not checked: %s",
		     strerror(-r));
	for (size_t i = 0; i < dependents.count; i++) {
		const struct dependent *dependent = &dependents.list[i];
		struct dependent_text text = dependent_text(dependent);

		if (dependent_may_hang(dependent))
			result = report_error(-E_REFUSED, "%s: the machine might never go down; %s",
					      text.problem, text.fix);
		else
			warn("%s; %s", text.problem, text.fix);
	}
	return result;
}

void command_check_fallback(const struct config *config)
{
	struct fallback_fault fault;

	if (fallback_has_fault(config, &fault))
		warn("%s; %s", fault.problem, fault.fix);
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
