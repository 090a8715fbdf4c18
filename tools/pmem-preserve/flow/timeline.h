/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How long the state was away, and what the time went into. */
#ifndef PMEM_PRESERVE_TIMELINE_H
#define PMEM_PRESERVE_TIMELINE_H

#include <stdint.h>

struct image_timeline;

/*
 * One sentence; "" if the times make no sense, as when the clock was set meanwhile. @now_ns: the end
 * of the restore; @boot_ns: the beginning of this boot. Both in ns since the epoch.
 */
struct timeline_text {
	char text[256];
};
struct timeline_text timeline_text(const struct image_timeline *timeline, uint64_t now_ns,
				   uint64_t boot_ns);

/* Says it after a restore. */
void timeline_inform(const struct image_timeline *timeline);

#endif
