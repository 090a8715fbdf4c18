/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The attributes of directories of the state that exist already: what they were, while entries are
 * published in them, and what they become. Each is held open and never looked up by name.
 */
#ifndef PMEM_PRESERVE_EXTRACT_MERGED_H
#define PMEM_PRESERVE_EXTRACT_MERGED_H

#include "tree/extract.h"

/*
 * Notes the attributes, and closes the directory to all but us (owner, mode 0700, no ACL) unless its
 * attributes are the final ones already and nobody else can write there.
 */
int extract_merged_close(struct extraction *extraction, struct merged *merged);

/* Gives it the attributes of its entry. */
int extract_merged_finish(const struct extraction *extraction, const struct merged *merged);

/* Gives it the attributes back that were noted. 0 or -errno, not reported. */
int extract_merged_put_back(const struct extraction *extraction, struct merged *merged);

#endif
