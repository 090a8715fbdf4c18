// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * shutdown: what pmem-preserve.service runs when it is stopped. If the machine is shutting down, it
 * saves the state to wherever it survives that kind of shutdown.
 */
#include "auth/counter.h"
#include "auth/trust.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/report.h"
#include "commands/command.h"
#include "flow/checkpoint.h"
#include "flow/instance.h"
#include "flow/place.h"
#include "flow/to-json.h"
#include "reboot/kexec.h"
#include "reboot/next-state.h"
#include "reboot/notes.h"
#include "settings/options.h"

#include <json.h>

struct saving {
	struct context *context;
	const struct options *options;
	struct checkpoint_request request;
	enum next_state next;
	uint64_t begin;
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

/*
 * A kernel that was loaded while the region was RAM, or not by us, may be moved right into the
 * region when it starts.
 */
static bool kernel_may_overwrite(const struct saving *saving, const struct region *region)
{
	struct kernel_note note;

	return saving->next == NEXT_KEXEC &&
	       (region->state == REGION_RAM || !note_read_kernel(&note));
}

/* When "kexec" began to stop the services; 0 if it did not. */
static uint64_t services_stopped_at(const struct saving *saving)
{
	struct kernel_note note;

	return saving->next == NEXT_KEXEC && note_read_kernel(&note) ? note.stop_ns : 0;
}

static int save(struct saving *saving, const struct place *place)
{
	_cleanup_checkpoint_ struct checkpoint job = {
		.request = saving->request,
		.place = *place,
		.timeline[TIMELINE_BEGIN] = saving->begin,
		.timeline[TIMELINE_STOP] = services_stopped_at(saving),
	};
	int r = checkpoint_list(&job);

	if (r == 0)
		r = checkpoint_check(&job);
	if (r == 0)
		r = checkpoint_take(&job);
	if (r == 0) {
		r = checkpoint_write(&job);
		if (r < 0)
			checkpoint_roll_back(&job);
	}
	checkpoint_add_to_json(saving->context->result, &job);
	return r;
}

static int save_to_region(struct saving *saving, struct place *ret_place)
{
	_cleanup_close_ int lock = -1;
	int r = command_lock(saving->options, INSTANCE_WAIT_SECONDS, &lock);

	if (r == 0)
		r = place_find(&saving->options->where, ret_place);
	if (r < 0)
		return r;
	if (kernel_may_overwrite(saving, &ret_place->region)) {
		if (saving->options->where.fallback)
			return report_error(-E_REFUSED,
					    "the next kernel was not loaded by \"pmem-preserve kexec\", and may start by overwriting %s",
					    ret_place->region.name);
		warn("the next kernel was not loaded by \"pmem-preserve kexec\", and may start by overwriting %s; there is no fallback to use instead",
		     ret_place->region.name);
	}
	return save(saving, ret_place);
}

static int save_anywhere(struct saving *saving, struct place *ret_place)
{
	const char *fallback = saving->options->where.fallback;
	int r;

	if (survives(saving->context->config->survives, saving->next)) {
		/* A deadline longer than the unit's timeout must not end it before the fallback is tried. */
		progress_allow(saving->options->deadline_seconds);
		r = save_to_region(saving, ret_place);
		if (r == 0 || !fallback)
			return r;
	} else if (!fallback) {
		return report_error(-E_FAILED,
				    "the memory does not survive a %s (\"survives =\"), and there is no \"fallback =\": the state is not kept",
				    next_state_name(saving->next));
	}
	inform("The state goes to the fallback file %s", fallback);
	progress_allow(saving->options->deadline_seconds);
	r = place_fallback(&saving->options->where, ret_place);
	return r < 0 ? r : save(saving, ret_place);
}

static int write_note(const struct saving *saving, const struct place *place, int r)
{
	struct shutdown_note note = { .saved = r == 0 };

	snprintf(note.next, sizeof(note.next), "%s", next_state_name(saving->next));
	if (r < 0)
		snprintf(note.reason, sizeof(note.reason), "%s", report_last_error());
	else
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
	prepare_seal(&options.trust);
	saving.request = command_checkpoint_request(context, &options, NULL, 0);
	r = save_anywhere(&saving, &place);
	written = write_note(&saving, &place, r);
	return r < 0 ? r : written;
}
