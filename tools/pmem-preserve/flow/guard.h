/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rule above all others: what has not been restored is not overwritten, unless told so. */
#ifndef PMEM_PRESERVE_GUARD_H
#define PMEM_PRESERVE_GUARD_H

#include "region/region.h"

struct image_header;
struct trust;

/*
 * Whether the region may be written, converted or hot-added. -E_REFUSED (reported) if it holds a
 * committed checkpoint that was not restored, a damaged one, or somebody else's data; with @replace
 * that is only warned of. *ret_header is the header of the image there or its copy, zeroes if there
 * is none.
 */
int checkpoint_guard(const struct region *region, bool replace, struct image_header *ret_header);

/*
 * The same for what lies at @path (file or device; need not exist), called @name in messages.
 */
int checkpoint_guard_path(const char *path, const char *name, bool replace,
			  struct image_header *ret_header);

/*
 * Called before the image with @header is given up: with a key, a copy of it that somebody has kept
 * is too old to be restored from now on. It is called before and not after, so that a crash in
 * between leaves nothing that could be brought back. Reads the key; errors are reported.
 */
int checkpoint_forget(struct trust *trust, const struct image_header *header);

#endif
