// SPDX-License-Identifier: GPL-2.0-or-later
/* checkpoint: from a tree to a committed image, and with --kexec on into the next kernel. */
#include "auth/trust.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/interrupt.h"
#include "base/report.h"
#include "commands/command.h"
#include "flow/checkpoint.h"
#include "flow/place.h"
#include "flow/to-json.h"
#include "reboot/expected.h"
#include "reboot/kexec.h"
#include "settings/options.h"

#include <json.h>

static int load_and_start(const struct kexec_plan *plan)
{
	/* The last chance to interrupt it. */
	int r = interrupt_check();

	if (r < 0)
		return r;
	inform("Loading %s as the next kernel", plan->kernel);
	r = kexec_load(plan);
	if (r < 0)
		return r;
	r = fault(FAULT_KEXEC_LOADED);
	if (r == 0)
		r = interrupt_check();
	if (r == 0) {
		inform("Starting the next kernel; \"pmem-preserve restore\" brings the state back there");
		r = kexec_execute();
	}
	kexec_unload();
	return r;
}

/* A file that was named is not where a boot looks. */
static void expect(const struct checkpoint *job, struct kexec_plan *plan)
{
	struct expected expected;

	if (job->request.where->image)
		return;
	checkpoint_expect(job, &expected);
	if (plan->kernel)
		expected.by_kexec = expected_on_cmdline(&expected, &plan->cmdline);
	expected_write(&expected);
}

static int run(struct checkpoint *job, struct kexec_plan *plan)
{
	int r = checkpoint_take(job);

	if (r < 0)
		return r;
	r = checkpoint_write(job);
	if (r == 0)
		expect(job, plan);
	if (r == 0 && plan->kernel)
		r = load_and_start(plan);
	if (r == 0)
		return 0;
	checkpoint_roll_back(job);
	if (!job->request.where->image)
		expected_settle();
	return r;
}

static int plan_kexec(const struct options *options, const struct place *place,
		      struct kexec_plan *ret_plan)
{
	const struct kernel_wish wish =
		command_kernel_wish(options, place->is_region ? &place->region : NULL);
	bool loaded;
	int r;

	if (!options->kexec)
		return 0;
	r = kexec_is_loaded(&loaded);
	return r < 0 ? r : kexec_plan(&wish, ret_plan);
}

static int check(struct checkpoint *job, struct options *options, struct kexec_plan *plan)
{
	int r = trust_read_key(&options->trust);

	if (r == 0)
		r = place_find(&options->where, &job->place);
	if (r == 0)
		r = checkpoint_list(job);
	if (r == 0)
		r = plan_kexec(options, &job->place, plan);
	return r < 0 ? r : checkpoint_check(job);
}

int cmd_checkpoint(struct context *context, int argc, char **argv)
{
	_cleanup_options_ struct options options = { 0 };
	_cleanup_kexec_plan_ struct kexec_plan plan = { 0 };
	_cleanup_checkpoint_ struct checkpoint job = { .timeline[TIMELINE_BEGIN] = unix_ns() };
	_cleanup_close_ int lock = -1;
	int r;

	r = options_parse(context->config, argc, argv,
			  OPTION_IMAGE | OPTION_REGION | OPTION_LAYOUT | OPTION_REPLACE |
				  OPTION_IN_PLACE | OPTION_EXCLUDE | OPTION_KEXEC | OPTION_KERNEL |
				  OPTION_KEY_FILE | OPTION_DEADLINE | OPTION_THREADS |
				  OPTION_DRY_RUN,
			  "[PATH]...", &options);
	if (r < 0 || options.help)
		return r;
	if (options.in_place && !options.where.image)
		return report_error(-E_USAGE,
				    "--in-place is for an image in a file (--image=FILE); a region is always written in place");
	job.request = command_checkpoint_request(context, &options, argv + options.first,
						 (size_t)(argc - options.first));
	r = command_lock(&options, 0, &lock);
	if (r == 0)
		r = check(&job, &options, &plan);
	if (r == 0 && options.dry_run)
		inform("Nothing was changed; the checkpoint would go to %s%s%s",
		       place_name(&job.place), job.was_ram ? ", which would no longer be RAM" : "",
		       options.kexec ? ", and the next kernel would be started" : "");
	else if (r == 0)
		r = run(&job, &plan);
	checkpoint_add_to_json(context->result, &job);
	return r;
}
