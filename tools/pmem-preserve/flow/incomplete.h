/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Telling what a checkpoint lacks: files that changed while they were saved, and paths that could
 * not be saved. A checkpoint on the way down saves the rest all the same.
 */
#ifndef PMEM_PRESERVE_INCOMPLETE_H
#define PMEM_PRESERVE_INCOMPLETE_H

struct image_header;
struct json_object;
struct tree;

/* How many there are, as "2 files changed while they were saved"; empty: none. */
struct incomplete_text {
	char text[128];
};
struct incomplete_text incomplete_text(const struct image_header *header);

/* A warning with these numbers, if there are any. */
void incomplete_warn(const struct image_header *header);

/* Which ones: a warning for each. */
void incomplete_warn_each(const struct tree *tree);

/* The same: {"marked": [PATH...], "unsaved": [{"path", "reason"}...]} are added to @result. */
void incomplete_add_to_json(struct json_object *result, const struct tree *tree);

#endif
