/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What has become of a checkpoint that a boot expected and did not find. */
#ifndef PMEM_PRESERVE_LOST_H
#define PMEM_PRESERVE_LOST_H

#include <stdint.h>

struct expected;
struct image_header;
struct place;
struct where;

/*
 * Whether the checkpoint at @place may be restored as the state of before this boot. -E_DAMAGED,
 * reported: an older one than is expected.
 */
int lost_refuse_older(const struct expected *expected, const struct place *place,
		      const char **ret_outcome);

/*
 * Called when there is no checkpoint: -E_DAMAGED, reported, with BOOT_LOST or BOOT_UNREACHABLE;
 * 0: the expected one has been restored, and only that it is settled could not be noted.
 */
int lost_report(const struct expected *expected, const char **ret_outcome);

/* The checkpoint with @header was restored or given up: nothing is expected any more. */
void lost_settle(const struct where *where, const struct image_header *header);

#endif
