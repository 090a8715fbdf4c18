// SPDX-License-Identifier: GPL-2.0-or-later
/* boot: restore as pmem-preserve.service does it, and a note of what it came to. */
#include "auth/key.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/report.h"
#include "commands/command.h"
#include "flow/image-json.h"
#include "flow/instance.h"
#include "flow/place.h"
#include "flow/restore.h"
#include "reboot/notes.h"
#include "settings/options.h"

#include <json.h>
#include <string.h>

static const char *outcome_of(int r)
{
	switch (r) {
	case 0:
		return "restored";
	case -E_NO_CHECKPOINT:
		return "none";
	case -E_DAMAGED:
		return "damaged";
	default:
		return "failed";
	}
}

/* A text member of the result's "image"; NULL: there is none. */
static const char *image_text(const struct context *context, const char *key)
{
	struct json_object *image, *member;

	if (json_object_object_get_ex(context->result, "image", &image) &&
	    json_object_object_get_ex(image, key, &member))
		return json_object_get_string(member);
	return NULL;
}

/* The unit may be started again in the same boot: what was restored then is so still. */
static bool was_restored_before(int r)
{
	char outcome[16];

	return r == -E_NO_CHECKPOINT &&
	       run_file_read("boot", "PMEM_PRESERVE_OUTCOME", outcome, sizeof(outcome)) &&
	       strcmp(outcome, "restored") == 0;
}

int cmd_boot(struct context *context, int argc, char **argv)
{
	_cleanup_options_ struct options options = { 0 };
	_cleanup_close_ int lock = -1;
	struct place place;
	int r, note;

	r = options_parse(context->config, argc, argv, OPTION_THREADS, NULL, &options);
	if (r < 0 || options.help)
		return r;
	/* The last one's, where user space alone was started anew. */
	run_file_remove("shutdown");
	r = instance_lock(&options, INSTANCE_WAIT_SECONDS, &lock);
	if (r == 0)
		r = key_read(options.key_file, &options.key);
	if (r == 0)
		r = place_find_checkpoint(&options, &place);
	if (r == 0)
		r = restore_run(context, &options, &place);
	if (was_restored_before(r)) {
		inform("The state was restored earlier in this boot");
		return 0;
	}
	const struct run_line lines[] = {
		{ "PMEM_PRESERVE_OUTCOME", outcome_of(r) },
		{ "PMEM_PRESERVE_REASON", r < 0 ? report_last_error() : NULL },
		{ "PMEM_PRESERVE_PLACE", r == 0 ? place_name(&place) : NULL },
		{ "PMEM_PRESERVE_UUID", r == 0 ? image_text(context, "uuid") : NULL },
		{ "PMEM_PRESERVE_GENERATION", r == 0 ? image_text(context, "generation") : NULL },
	};

	json_add(context->result, "outcome", json_object_new_string(outcome_of(r)));
	note = run_file_write("boot", lines, sizeof(lines) / sizeof(lines[0]));
	if (r == -E_DAMAGED)
		warn("the services start without their state; the checkpoint stays: \"pmem-preserve verify\" names what is damaged, \"restore --salvage\" brings back the rest, \"discard\" gives it up");
	else if (r < 0 && r != -E_NO_CHECKPOINT)
		warn("the checkpoint stays; when the cause is gone, \"systemctl start pmem-preserve.service\" restores it");
	return r < 0 ? r : note;
}
