// SPDX-License-Identifier: GPL-2.0-or-later
#include "flow/history.h"

#include "base/clock.h"
#include "image/image.h"
#include "reboot/notes.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static void take(struct event *event, uint64_t at_ns, uint64_t generation, const char *place)
{
	if (at_ns <= event->at_ns)
		return;
	event->at_ns = at_ns;
	event->generation = generation;
	snprintf(event->place, sizeof(event->place), "%s", place);
}

void history_begin(struct history *ret_history)
{
	struct boot_note note = { 0 };
	struct stat status;

	*ret_history = (struct history){ 0 };
	if (!note_read_boot(&note))
		return;
	snprintf(ret_history->outcome, sizeof(ret_history->outcome), "%s", note.outcome);
	snprintf(ret_history->reason, sizeof(ret_history->reason), "%s", note.reason);
	if (strcmp(note.outcome, BOOT_RESTORED) == 0 && stat(RUN_DIRECTORY "/boot", &status) == 0)
		take(&ret_history->restored,
		     (uint64_t)status.st_mtim.tv_sec * NS_PER_SECOND +
			     (uint64_t)status.st_mtim.tv_nsec,
		     note.generation, note.place);
}

void history_add(struct history *history, const char *place, const struct image_header *header)
{
	uint64_t restored_ns = header->timeline.at[TIMELINE_RESTORED];

	if (header->phase == IMAGE_PHASE_WRITING)
		return;
	take(&history->saved, header->created_ns, header->generation, place);
	if (header->phase == IMAGE_PHASE_RESTORED)
		take(&history->restored, restored_ns, header->generation, place);
}
