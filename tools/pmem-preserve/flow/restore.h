/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a committed image to the tree. Must not know what becomes of the memory afterwards. */
#ifndef PMEM_PRESERVE_RESTORE_H
#define PMEM_PRESERVE_RESTORE_H

struct context;
struct options;
struct place;

/*
 * Restores what lies in @place as the options say and marks it restored (unless kept). Adds "image"
 * to the result, and "damaged" with options->salvage. Errors as image_open() and image_extract(),
 * reported; the checkpoint stays then.
 */
int restore_run(struct context *context, const struct options *options, const struct place *place);

#endif
