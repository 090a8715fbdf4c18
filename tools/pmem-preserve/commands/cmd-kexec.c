// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * kexec: takes the memory back and loads the kernel, which can fail, while the services still run.
 * Then systemd shuts down, and pmem-preserve.service saves the state on the way.
 */
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
#include "reboot/notes.h"
#include "reboot/systemd.h"
#include "settings/config.h"
#include "settings/options.h"

#include <json.h>
#include <string.h>

/* Stopping this unit is what saves the state. */
static int check_unit(void)
{
	char state[32];

	if (!systemd_runs())
		return report_error(-E_FAILED,
				    "systemd does not run here, so that nothing would stop the services; \"pmem-preserve checkpoint --kexec\" starts the next kernel without that");
	systemd_unit_state(PRESERVE_UNIT, state, sizeof(state));
	if (strcmp(state, "active") == 0)
		return 0;
	return report_error(-E_REFUSED,
			    "%s is %s, so nothing would save the state on the way down; \"systemctl enable --now %s\" fixes it",
			    PRESERVE_UNIT, state, PRESERVE_UNIT);
}

/* The next kernel is told now what the shutdown is to save. */
static void expect(const struct checkpoint *job, struct kexec_plan *plan, struct kernel_note *note)
{
	struct expected expected;

	checkpoint_expect(job, &expected);
	expected.by_kexec = expected_on_cmdline(&expected, &plan->cmdline);
	expected_write(&expected);
	snprintf(note->uuid, sizeof(note->uuid), "%s", expected.uuid);
}

static int hand_over(const struct checkpoint *job, struct kexec_plan *plan)
{
	struct kernel_note note = { 0 };
	int r = interrupt_check();

	if (r < 0)
		return r;
	expect(job, plan, &note);
	snprintf(note.kernel, sizeof(note.kernel), "%s", plan->kernel);
	note.stop_ns = unix_ns();
	r = kexec_load(plan);
	if (r < 0) {
		expected_settle();
		return r;
	}
	r = note_write_kernel(&note);
	if (r == 0)
		r = fault(FAULT_KEXEC_LOADED);
	if (r == 0)
		r = interrupt_check();
	if (r == 0)
		r = systemd_start_kexec();
	if (r == 0)
		return 0;
	expected_settle();
	note_remove_kernel();
	kexec_unload();
	return r;
}

/*
 * The memory stays in use. The fallback file is checked now: once the machine goes down there is
 * nothing else to turn to.
 */
static int turn_to_fallback(struct checkpoint *job)
{
	int r = place_fallback(job->request.where, &job->place);

	if (r == 0)
		r = checkpoint_check(job);
	if (r == 0)
		inform("The memory stays in use; the state will go to %s", job->place.path);
	return r;
}

static int run(struct checkpoint *job, struct kexec_plan *plan, bool or_fallback)
{
	int r = checkpoint_take(job);

	if (r == -E_MEMORY && or_fallback)
		r = turn_to_fallback(job);
	if (r < 0)
		return r;
	r = hand_over(job, plan);
	if (r < 0) {
		checkpoint_roll_back(job);
		return r;
	}
	inform("The services are being stopped; %s saves the state, then %s starts", PRESERVE_UNIT,
	       plan->kernel);
	return 0;
}

static int check(const struct config *config, struct checkpoint *job, struct options *options,
		 struct kexec_plan *plan)
{
	struct kernel_wish wish;
	bool loaded;
	int r = check_unit();

	if (r == 0)
		r = command_check_dependents(config);
	command_check_fallback(config);
	if (r == 0)
		r = trust_read_key(&options->trust);
	if (r == 0)
		r = kexec_is_loaded(&loaded);
	if (r == 0)
		r = place_find(&options->where, &job->place);
	if (r < 0)
		return r;
	wish = command_kernel_wish(options, &job->place.region);
	r = kexec_plan(&wish, plan);
	if (r == 0)
		r = checkpoint_list(job);
	return r < 0 ? r : checkpoint_check(job);
}

int cmd_kexec(struct context *context, int argc, char **argv)
{
	_cleanup_options_ struct options options = { 0 };
	_cleanup_kexec_plan_ struct kexec_plan plan = { 0 };
	_cleanup_checkpoint_ struct checkpoint job = { 0 };
	_cleanup_close_ int lock = -1;
	int r;

	r = options_parse(context->config, argc, argv,
			  OPTION_KERNEL | OPTION_DEADLINE | OPTION_OR_FALLBACK | OPTION_DRY_RUN,
			  NULL, &options);
	if (r < 0 || options.help)
		return r;
	if (options.or_fallback && !options.where.fallback)
		return report_error(-E_USAGE, "--or-fallback needs a \"fallback =\" in %s",
				    context->config->path);
	job.request = command_checkpoint_request(context, &options, NULL, 0);
	r = command_lock(&options, 0, &lock);
	if (r == 0)
		r = check(context->config, &job, &options, &plan);
	if (r == 0 && options.dry_run)
		inform("Nothing was changed; the state would go to %s, and %s would be started",
		       place_name(&job.place), plan.kernel);
	else if (r == 0)
		r = run(&job, &plan, options.or_fallback);
	checkpoint_add_to_json(context->result, &job);
	return r;
}
