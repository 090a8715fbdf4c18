/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rule above all others: what has not been restored is not overwritten, unless told so. */
#ifndef PMEM_PRESERVE_GUARD_H
#define PMEM_PRESERVE_GUARD_H

#include "region/region.h"

struct image_header;
struct options;

/*
 * Whether the region may be written, converted or hot-added. -E_REFUSED (reported) when it holds a
 * committed checkpoint that was not restored, a damaged one, or somebody else's data; with @replace
 * it says what goes and returns 0. *ret_header: that of the image there, its
 * copy, or zeroes.
 */
int checkpoint_guard(const struct region *region, bool replace, struct image_header *ret_header);

/*
 * The same for what lies at @path (file or device; need not exist), called @name in messages.
 */
int checkpoint_guard_path(const char *path, const char *name, bool replace,
			  struct image_header *ret_header);

/*
 * With a key: whoever kept a copy of the image that is given up shall not bring it back. Said
 * before it goes, so that a crash leaves nothing that counts. Reads the key unless that was done;
 * reported.
 */
int checkpoint_forget(struct options *options, const struct image_header *header);

#endif
