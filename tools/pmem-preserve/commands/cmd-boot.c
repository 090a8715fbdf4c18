// SPDX-License-Identifier: GPL-2.0-or-later
/* boot: restore as pmem-preserve.service does it, and a note of what it came to. */
#include "base/cleanup.h"
#include "base/json.h"
#include "base/report.h"
#include "base/text.h"
#include "commands/command.h"
#include "flow/instance.h"
#include "flow/lost.h"
#include "flow/place.h"
#include "flow/restore.h"
#include "flow/to-json.h"
#include "image/image.h"
#include "reboot/expected.h"
#include "reboot/notes.h"
#include "settings/options.h"

#include <json.h>
#include <string.h>

/* What is known of this boot; the outcome goes into the note. */
struct boot {
	const struct config *config;
	struct options *options;
	bool expects;
	struct expected expected;
	struct place place;
	struct restored restored;
	const char *outcome;
};

static void boot_clear(struct boot *boot)
{
	restored_clear(&boot->restored);
}

static const char *outcome_of(int r)
{
	switch (r) {
	case 0:
	case -E_NOT_MARKED:
		return BOOT_RESTORED;
	case -E_NO_CHECKPOINT:
		return BOOT_NONE;
	case -E_DAMAGED:
		return BOOT_DAMAGED;
	default:
		return BOOT_FAILED;
	}
}

/* The unit may be started again in the same boot: what was restored then still is. */
static bool was_restored_before(int r)
{
	struct boot_note note;

	return r == -E_NO_CHECKPOINT && note_read_boot(&note) &&
	       strcmp(note.outcome, BOOT_RESTORED) == 0;
}

/* The checkpoint of which this boot's note says that it was restored, but which could not be marked. */
static bool is_noted(const struct place *place)
{
	struct image_header header;
	struct boot_note note;

	return note_read_boot(&note) && strcmp(note.outcome, BOOT_RESTORED) == 0 &&
	       note.reason[0] && place_read_header(place, &header) == 0 &&
	       strcmp(note.uuid, uuid_text(header.uuid).text) == 0;
}

/* The file does not tell any more whether checkpoints must be authentic, or what they may contain. */
static int refuse_doubts(const struct config *config, const struct place *place)
{
	struct image_header header;

	if (!config_may_lack(config, "key-file") && !config_may_lack(config, "special"))
		return 0;
	if (place_read_header(place, &header) < 0 || header.phase != IMAGE_PHASE_COMMITTED)
		return 0;
	return report_error(-E_REFUSED,
			    "%s: \"key-file =\" or \"special =\" cannot be read, so that it is not known what may be restored from %s; correct it",
			    config->path, place_name(place));
}

static int find_and_restore(struct boot *boot)
{
	struct options *options = boot->options;
	const struct restore_request request = {
		.trust = &options->trust,
		.special = !options->no_special,
		.threads = options->threads,
	};
	_cleanup_close_ int lock = -1;
	int r = command_lock(options, INSTANCE_WAIT_SECONDS, &lock);

	if (r == 0)
		r = command_find_checkpoint(options, &boot->place);
	if (r == 0 && is_noted(&boot->place))
		r = -E_NO_CHECKPOINT;
	if (r == 0)
		r = refuse_doubts(boot->config, &boot->place);
	if (r == 0 && boot->expects)
		r = lost_refuse_older(&boot->expected, &boot->place, &boot->outcome);
	if (r == 0)
		r = restore_run(&boot->place, &request, &boot->restored);
	return r;
}

static int restore(struct boot *boot)
{
	int r = find_and_restore(boot);

	if (r == 0 || r == -E_NOT_MARKED)
		expected_settle();
	if (r == -E_NO_CHECKPOINT && boot->expects && !was_restored_before(r)) {
		int lost = lost_report(&boot->expected, &boot->outcome);

		r = lost < 0 ? lost : r;
	}
	if (!boot->outcome)
		boot->outcome = outcome_of(r);
	return r;
}

static int write_note(int r, const struct boot *boot)
{
	const struct image_header *header = &boot->restored.header;
	struct boot_note note = { 0 };

	snprintf(note.outcome, sizeof(note.outcome), "%s", boot->outcome);
	if (r < 0)
		snprintf(note.reason, sizeof(note.reason), "%s", report_last_error());
	if (r == 0 || r == -E_NOT_MARKED) {
		snprintf(note.place, sizeof(note.place), "%s", place_name(&boot->place));
		snprintf(note.uuid, sizeof(note.uuid), "%s", uuid_text(header->uuid).text);
		note.generation = header->generation;
	}
	return note_write_boot(&note);
}

static void explain(int r, const char *outcome)
{
	if (strcmp(outcome, BOOT_LOST) == 0)
		warn("the services start without their state; \"pmem-preserve discard\" gives it up");
	else if (strcmp(outcome, BOOT_UNREACHABLE) == 0)
		warn("the services start without their state; when the cause is gone, \"systemctl restart pmem-preserve.service\" restores it; \"pmem-preserve discard\" gives it up");
	else if (r == -E_DAMAGED)
		warn("the services start without their state; the checkpoint stays: \"pmem-preserve verify\" lists the damaged files, \"restore --salvage\" restores the others, \"discard\" gives it up");
	else if (r < 0 && r != -E_NO_CHECKPOINT && r != -E_NOT_MARKED)
		warn("the checkpoint stays; when the cause is gone, \"systemctl start pmem-preserve.service\" restores it");
}

int cmd_boot(struct context *context, int argc, char **argv)
{
	_cleanup_options_ struct options options = { 0 };
	_cleanup_(boot_clear) struct boot boot = { .config = context->config, .options = &options };
	int r, written;

	r = options_parse(context->config, argc, argv, OPTION_THREADS, NULL, &options);
	if (r < 0 || options.help)
		return r;
	/* One of before a soft reboot, which keeps /run. */
	note_remove_shutdown();
	/* For the way down: the file may be wrong by then. */
	config_keep(context->config);
	boot.expects = expected_read(&boot.expected);
	r = restore(&boot);
	restored_add_to_json(context->result, &boot.restored, false, !options.no_special);
	if (was_restored_before(r)) {
		inform("The state was restored earlier in this boot");
		return 0;
	}
	json_add(context->result, "outcome", json_object_new_string(boot.outcome));
	written = write_note(r, &boot);
	explain(r, boot.outcome);
	command_check_fallback(context->config);
	/* The services have their state, and can start. */
	return r < 0 && r != -E_NOT_MARKED ? r : written;
}
