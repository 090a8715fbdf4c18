/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The --json output: the results of commands, which are structs, rendered as the last thing that is
 * done with them. pmem-preserve(8) documents the members. Objects belong to the caller.
 */
#ifndef PMEM_PRESERVE_TO_JSON_H
#define PMEM_PRESERVE_TO_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct checkpoint;
struct config;
struct history;
struct image;
struct image_header;
struct json_object;
struct kernel_choice;
struct memory_failure;
struct memory_report;
struct problem;
struct region;
struct restored;
struct room;
struct state_size;
struct tree;

/*
 * {"phase", "uuid", "generation", "sealed", "image_bytes", "files", "file_bytes", "marked",
 * "unsaved", "created", "hostname", "kernel", "timeline": {NAME: seconds since the epoch}}.
 */
struct json_object *image_to_json(const struct image_header *header);

/* [{"offset", "length", "what"}...]: what image_verify() has found. */
struct json_object *damage_to_json(const struct image *image);

/* Members that do not apply are left out. */
struct json_object *region_to_json(const struct region *region);
struct json_object *memory_failure_to_json(const struct memory_failure *failure);

/* A file of an image. */
struct json_object *entry_to_json(const struct tree *tree, uint32_t index, const char *path);

/* {"saved", "restored": {"at", "place", "generation"}, "outcome", "reason"} */
struct json_object *history_to_json(const struct history *history);

/* {"paths", "files", "file_bytes", "image_bytes", "not_measured", "rooms": [{"kind", "place", ...}]} */
struct json_object *state_to_json(char **paths, size_t count, const struct state_size *size,
				  const struct room *rooms, size_t room_count);

/* {"file", "initrd", "release", "why", "fault", "problem", "left": [{"file", "why"}]} */
struct json_object *kernel_to_json(const struct kernel_choice *choice);

/* {"path", "is_there", "survives", "fallback", "key_file", "excludes"} */
struct json_object *config_to_json(const struct config *config);

/* [{"problem", "fix"}...] */
struct json_object *problems_to_json(const struct problem *problems, size_t count);

/* An array of texts. */
struct json_object *strings_to_json(char **strings, size_t count);

/* These add their members to @result. @region: NULL if none was found. */
void memory_add_to_json(struct json_object *result, const struct region *region,
			const struct memory_report *report);
void checkpoint_add_to_json(struct json_object *result, const struct checkpoint *job);
/* @salvage, @special: as in the request; "damaged" is an array with the one, "left_out" without the other. */
void restored_add_to_json(struct json_object *result, const struct restored *restored, bool salvage,
			  bool special);

#endif
