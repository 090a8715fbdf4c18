// SPDX-License-Identifier: GPL-2.0-or-later
#include "flow/timeline.h"

#include "base/clock.h"
#include "base/report.h"
#include "image/image-format.h"

#include <stdio.h>

/* The next kernel reads the time from a clock that counts seconds. */
#define CLOCK_ERROR_NS (5 * NS_PER_SECOND)

static double seconds(uint64_t start_ns, uint64_t end_ns)
{
	return (double)(end_ns - start_ns) / (double)NS_PER_SECOND;
}

struct timeline_text timeline_text(const struct image_timeline *timeline, uint64_t now_ns,
				   uint64_t boot_ns)
{
	const uint64_t *at = timeline->at;
	uint64_t begin = at[TIMELINE_BEGIN], committed = at[TIMELINE_COMMITTED];
	uint64_t restore = at[TIMELINE_RESTORE], stop = at[TIMELINE_STOP];
	struct timeline_text text = { "" };
	char stopping[48] = "";

	if (!begin || committed < begin || restore < committed || now_ns < restore)
		return text;
	if (committed > boot_ns + CLOCK_ERROR_NS) {
		snprintf(text.text, sizeof(text.text),
			 "The state was saved earlier in this boot, %.1f s before; it took %.1f s to save and %.1f to restore",
			 seconds(committed, restore), seconds(begin, committed),
			 seconds(restore, now_ns));
		return text;
	}
	if (stop && stop <= begin)
		snprintf(stopping, sizeof(stopping), "%.1f to stop the services, ",
			 seconds(stop, begin));
	snprintf(text.text, sizeof(text.text),
		 "The state was away for %.1f s: %s%.1f to save, %.1f to boot, %.1f to restore",
		 seconds(*stopping ? stop : begin, now_ns), stopping, seconds(begin, committed),
		 seconds(committed, restore), seconds(restore, now_ns));
	return text;
}

void timeline_inform(const struct image_timeline *timeline)
{
	struct timeline_text text = timeline_text(timeline, unix_ns(), boot_unix_ns());

	if (*text.text)
		inform("%s", text.text);
}
