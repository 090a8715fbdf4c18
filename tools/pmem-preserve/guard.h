/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rule above all others: what has not been restored is not overwritten, unless told so. */
#ifndef PMEM_PRESERVE_GUARD_H
#define PMEM_PRESERVE_GUARD_H

#include "region.h"

struct image_header;

/*
 * Whether the region may be written, converted or hot-added. -E_REFUSED (reported) when it holds a
 * committed checkpoint that was not restored, a damaged one, or somebody else's data; with @replace
 * it says what goes and returns 0.
 */
int checkpoint_guard(const struct region *region, bool replace);

/*
 * The same for what lies at @path (file or device; need not exist), called @name in messages.
 * *ret_header: that of the image there, or zeroes.
 */
int checkpoint_guard_path(const char *path, const char *name, bool replace,
			  struct image_header *ret_header);

#endif
