// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * shutdown: what pmem-preserve.service runs when it is stopped. If the machine is shutting down, it
 * saves the state to wherever it survives that kind of shutdown.
 */
#include "auth/counter.h"
#include "auth/trust.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/interrupt.h"
#include "base/report.h"
#include "commands/command.h"
#include "flow/checkpoint.h"
#include "flow/inside.h"
#include "flow/instance.h"
#include "flow/place.h"
#include "flow/to-json.h"
#include "reboot/expected.h"
#include "reboot/kexec.h"
#include "reboot/next-state.h"
#include "reboot/notes.h"
#include "settings/options.h"

#include <json.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* A file that always changes is saved as it is after so many attempts, or after the deadline. */
#define STRICT_ATTEMPTS 3

struct saving {
	struct context *context;
	const struct options *options;
	struct checkpoint_request request;
	enum next_state next;
	uint64_t begin;
	struct kernel_note kernel;  /* that "kexec" has loaded */
	bool has_kernel, is_unsafe; /* it may overwrite the region */
	struct expected expected;   /* by the next boot */
	char remarks[1024];	    /* all that went wrong */
};

static bool survives(enum survival survival, enum next_state next)
{
	switch (next) {
	case NEXT_REBOOT:
		return survival >= SURVIVES_REBOOT;
	case NEXT_POWEROFF:
		return survival >= SURVIVES_POWEROFF;
	default:
		return true;
	}
}

/* systemd goes through the firmware if no kernel is loaded for kexec. */
static enum next_state effective_next_state(enum next_state next)
{
	bool loaded;

	if (next != NEXT_KEXEC || kexec_is_loaded(&loaded) < 0 || loaded)
		return next;
	warn("no kernel is loaded for kexec: this will be a reboot through the firmware");
	return NEXT_REBOOT;
}

__attribute__((format(printf, 2, 3))) static void remark(struct saving *saving, const char *format,
							 ...)
{
	size_t used = strlen(saving->remarks);
	va_list args;

	if (used)
		used += (size_t)snprintf(saving->remarks + used, sizeof(saving->remarks) - used,
					 "; ");
	if (used >= sizeof(saving->remarks))
		return;
	va_start(args, format);
	vsnprintf(saving->remarks + used, sizeof(saving->remarks) - used, format, args);
	va_end(args);
}

static int failed(struct saving *saving, int r)
{
	remark(saving, "%s", report_last_error());
	return r;
}

/*
 * A kernel that was loaded while the region was RAM, or not by us, may be moved right into the
 * region when it starts.
 */
static bool kernel_may_overwrite(const struct saving *saving, const struct region *region)
{
	return saving->next == NEXT_KEXEC && (region->state == REGION_RAM || !saving->has_kernel);
}

/* All of it; or, if that does not work, all that can be read. */
static int list_state(struct saving *saving, struct checkpoint *job)
{
	int r = checkpoint_list(job);

	if (r == 0 || job->request.lenient)
		return r;
	failed(saving, r);
	warn("this is left out, as nobody can correct it any more");
	job->request.lenient = true;
	return checkpoint_list(job);
}

static int save_once(struct saving *saving, struct checkpoint *job)
{
	int r = list_state(saving, job);

	if (r == 0)
		r = checkpoint_check(job);
	if (r == 0)
		r = checkpoint_take(job);
	return r < 0 ? r : checkpoint_write(job);
}

/* While a file changes it is tried again; in the end it is saved as it is, and what can be read. */
static int save_state(struct saving *saving, struct checkpoint *job)
{
	const uint64_t deadline_ns = now_ns() + saving->options->deadline_seconds * NS_PER_SECOND;
	int r = save_once(saving, job);

	for (unsigned int attempt = 1;
	     (r == -E_CHANGED || r == -E_UNREADABLE) && !job->request.lenient; attempt++) {
		failed(saving, r);
		job->request.lenient =
			r == -E_UNREADABLE || attempt >= STRICT_ATTEMPTS || now_ns() > deadline_ns;
		warn(r == -E_UNREADABLE	    ? "all that can be read is saved"
		     : job->request.lenient ? "it does not come to rest: it is saved as it is"
					    : "it is tried again");
		r = save_once(saving, job);
	}
	return r;
}

/* When "kexec" began to stop the services; 0 if it did not. */
static uint64_t services_stopped_at(const struct saving *saving)
{
	struct kernel_note note;

	return saving->next == NEXT_KEXEC && note_read_kernel(&note) ? note.stop_ns : 0;
}

/* What the checkpoint is not, although it is committed. */
static void remark_doubts(struct saving *saving, const struct tree *tree)
{
	uint32_t changed = 0, first = 0;

	for (uint32_t i = 0; i < tree->unsaved_count; i++)
		remark(saving, "left out: %s: %s", tree->unsaved[i].path,
		       strerror(-tree->unsaved[i].error));
	for (uint32_t i = 0; i < tree->count; i++)
		if (tree->entries[i].flags & ENTRY_CHANGED && changed++ == 0)
			first = i;
	if (changed)
		remark(saving, "saved as it was while it changed: %s%s",
		       tree_path_text(tree, first).text, changed > 1 ? ", and others" : "");
}

static int save(struct saving *saving, const struct place *place)
{
	_cleanup_checkpoint_ struct checkpoint job = {
		.request = saving->request,
		.place = *place,
		.timeline[TIMELINE_BEGIN] = saving->begin,
		.timeline[TIMELINE_STOP] = services_stopped_at(saving),
	};
	int r = save_state(saving, &job);

	if (r == -E_NOT_DURABLE) {
		failed(saving, r);
		r = 0;
	}
	if (r < 0) {
		failed(saving, r);
		if (job.taken)
			checkpoint_roll_back(&job);
	} else {
		remark_doubts(saving, job.image->tree);
		checkpoint_expect(&job, &saving->expected);
	}
	checkpoint_add_to_json(saving->context->result, &job);
	return r;
}

static int save_to_region(struct saving *saving, bool last_resort, struct place *ret_place)
{
	_cleanup_close_ int lock = -1;
	int r = command_lock(saving->options, INSTANCE_WAIT_SECONDS, &lock);

	if (r == 0)
		r = place_find(&saving->options->where, ret_place);
	if (r < 0)
		return failed(saving, r);
	saving->is_unsafe = kernel_may_overwrite(saving, &ret_place->region);
	if (saving->is_unsafe) {
		r = report_error(-E_REFUSED,
				 saving->has_kernel
					 ? "the memory of %s was not taken back when the next kernel was loaded, which may start by overwriting it"
					 : "the next kernel was not loaded by \"pmem-preserve kexec\", and may start by overwriting %s",
				 ret_place->region.name);
		failed(saving, r);
		if (!last_resort)
			return r;
		warn("there is no other place: it is saved there");
	}
	return save(saving, ret_place);
}

/* A file that lies in one tree of the state can hold the others. */
static size_t outside_of(struct saving *saving, const char *file, char **ret_paths)
{
	const struct checkpoint_request *request = &saving->request;
	size_t count = 0;

	for (size_t i = 0; i < request->path_count; i++) {
		bool inside = false;

		image_is_inside(file, request->paths[i], &inside);
		if (inside && request->path_count > 1) {
			warn("%s is left out, as %s lies in it", request->paths[i], file);
			remark(saving, "left out: %s: %s lies in it", request->paths[i], file);
		} else {
			ret_paths[count++] = request->paths[i];
		}
	}
	return count;
}

static int save_to_fallback(struct saving *saving, struct place *ret_place)
{
	const char *file = saving->options->where.fallback;
	const struct checkpoint_request before = saving->request;
	_cleanup_free_ char **paths = calloc(before.path_count + 1, sizeof(*paths));
	int r;

	inform("The state goes to the fallback file %s", file);
	progress_allow(saving->options->deadline_seconds);
	r = place_fallback(&saving->options->where, ret_place);
	if (r < 0)
		return failed(saving, r);
	if (paths) {
		saving->request.path_count = outside_of(saving, file, paths);
		saving->request.paths = paths;
	}
	r = save(saving, ret_place);
	saving->request = before;
	return r;
}

/* The region, the fallback file, and the region if only that it is safe there is not certain. */
static int save_anywhere(struct saving *saving, struct place *ret_place)
{
	const bool has_fallback = saving->options->where.fallback != NULL;
	const bool in_region = survives(saving->context->config->survives, saving->next);
	int r = -E_FAILED;

	if (!in_region && !has_fallback)
		return failed(saving,
			      report_error(-E_FAILED,
					   "the memory does not survive a %s (\"survives =\"), and there is no \"fallback =\": the state is not kept",
					   next_state_name(saving->next)));
	/* A deadline longer than the unit's timeout must not end it before the fallback is tried. */
	progress_allow(saving->options->deadline_seconds);
	if (in_region)
		r = save_to_region(saving, !has_fallback, ret_place);
	if (r < 0 && has_fallback)
		r = save_to_fallback(saving, ret_place);
	if (r < 0 && has_fallback && saving->is_unsafe)
		r = save_to_region(saving, true, ret_place);
	return r;
}

/*
 * The next boot is told what to look for. Where "kexec" has done that already, this costs no time; but
 * not if the state has gone elsewhere, or nowhere.
 */
static void expect(struct saving *saving, int r)
{
	struct expected *expected = &saving->expected, before;
	bool known = saving->next == NEXT_KEXEC && saving->has_kernel && expected_read(&before);

	if (r < 0) {
		*expected = (struct expected){ 0 };
		snprintf(expected->uuid, sizeof(expected->uuid), "%s", saving->kernel.uuid);
		snprintf(expected->reason, sizeof(expected->reason), "%s", saving->remarks);
	} else if (known && expected_same(&before, expected) &&
		   strcmp(before.place, expected->place) == 0) {
		return;
	}
	expected->by_kexec = known && before.by_kexec;
	expected_write(expected);
}

static int write_note(const struct saving *saving, const struct place *place, int r)
{
	struct shutdown_note note = { .saved = r == 0 };

	snprintf(note.next, sizeof(note.next), "%s", next_state_name(saving->next));
	snprintf(note.reason, sizeof(note.reason), "%s", saving->remarks);
	if (r == 0)
		snprintf(note.place, sizeof(note.place), "%s", place_name(place));
	return note_write_shutdown(&note);
}

/* An unusable key or counter must not cost the state. */
static void prepare_seal(struct trust *trust)
{
	uint64_t generation;
	int r = trust_read_key(trust);

	if (r == 0)
		r = counter_is_writable(trust->counter_file);
	if (r == 0)
		r = counter_read(trust->counter_file, &generation);
	if (r == 0)
		return;
	warn("the state is saved without a seal; the next boot does not restore it, but \"pmem-preserve restore --key-file=\" does");
	trust_give_up(trust);
}

static void remark_problems(struct saving *saving)
{
	const struct config *config = saving->context->config;

	for (size_t i = 0; i < config->problem_count; i++)
		remark(saving, "%s", config_problem_text(config, &config->problems[i]).text);
}

int cmd_shutdown(struct context *context, int argc, char **argv)
{
	_cleanup_options_ struct options options = { 0 };
	struct saving saving = { context, &options, .next = NEXT_STAYS, .begin = unix_ns() };
	struct place place = { 0 };
	int r, written;

	r = options_parse(context->config, argc, argv, OPTION_THREADS, "[kexec|reboot|poweroff]",
			  &options);
	if (r < 0 || options.help)
		return r;
	if (options.first >= argc)
		r = next_state_find(&saving.next);
	else if (options.first + 1 < argc ||
		 next_state_of_verb(argv[options.first], &saving.next) < 0)
		r = report_error(-E_USAGE,
				 "shutdown: unknown argument \"%s\" (kexec, reboot or poweroff)",
				 argv[argc - 1]);
	if (r < 0)
		return r;
	if (saving.next == NEXT_STAYS) {
		inform("The machine is not going down: nothing is saved, and nothing changes");
		return 0;
	}
	saving.next = effective_next_state(saving.next);
	/* Its timeout sends one; all that is waited for has a deadline, and what is begun is to end. */
	interrupt_ignore_sigterm();
	prepare_seal(&options.trust);
	remark_problems(&saving);
	saving.has_kernel = note_read_kernel(&saving.kernel);
	saving.request = command_checkpoint_request(context, &options, NULL, 0);
	if (saving.next == NEXT_KEXEC && saving.has_kernel)
		saving.request.uuid = saving.kernel.uuid;
	r = save_anywhere(&saving, &place);
	expect(&saving, r);
	written = write_note(&saving, &place, r);
	return r < 0 ? r : written;
}
