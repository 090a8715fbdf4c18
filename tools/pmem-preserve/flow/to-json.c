// SPDX-License-Identifier: GPL-2.0-or-later
#include "flow/to-json.h"

#include "base/json.h"
#include "base/text.h"
#include "flow/checkpoint.h"
#include "flow/history.h"
#include "flow/problems.h"
#include "flow/restore.h"
#include "flow/room.h"
#include "flow/state-size.h"
#include "image/image.h"
#include "reboot/kernel-choice.h"
#include "region/region.h"
#include "settings/config.h"

#include <inttypes.h>
#include <json.h>
#include <stdio.h>

static void add_text(struct json_object *object, const char *key, const char *value)
{
	if (*value)
		json_add(object, key, json_text(value));
}

static void add_number(struct json_object *object, const char *key, uint64_t value)
{
	json_add(object, key, json_object_new_uint64(value));
}

static void add_boolean(struct json_object *object, const char *key, bool value)
{
	json_add(object, key, json_object_new_boolean(value));
}

static struct json_object *timeline_to_json(const struct image_timeline *timeline)
{
	static const char *const events[TIMELINE_EVENTS] = {
		[TIMELINE_BEGIN] = "begin",	[TIMELINE_MEMORY_REMOVED] = "memory_removed",
		[TIMELINE_WRITE] = "write",	[TIMELINE_COMMITTED] = "committed",
		[TIMELINE_RESTORE] = "restore", [TIMELINE_RESTORED] = "restored",
		[TIMELINE_STOP] = "stop",
	};
	struct json_object *object = json_object_new_object();

	for (int i = 0; i < TIMELINE_EVENTS; i++)
		if (events[i] && timeline->at[i])
			json_add(object, events[i],
				 json_object_new_double((double)timeline->at[i] / 1e9));
	return object;
}

struct json_object *image_to_json(const struct image_header *header)
{
	struct json_object *object = json_object_new_object();

	add_text(object, "phase", image_phase_name(header->phase));
	add_text(object, "uuid", uuid_text(header->uuid).text);
	add_number(object, "generation", header->generation);
	add_boolean(object, "sealed", header->seal == IMAGE_SEAL_KEYED);
	add_number(object, "image_bytes", header->image_bytes);
	add_number(object, "files", header->files);
	add_number(object, "file_bytes", header->file_bytes);
	add_number(object, "marked", header->marked);
	add_number(object, "unsaved", header->unsaved);
	add_number(object, "created", header->created_ns / 1000000000);
	json_add(object, "hostname", json_text((const char *)header->hostname));
	json_add(object, "kernel", json_text((const char *)header->kernel));
	json_add(object, "timeline", timeline_to_json(&header->timeline));
	return object;
}

struct json_object *damage_to_json(const struct image *image)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < image->damage_count; i++) {
		struct json_object *object = json_object_new_object();

		add_number(object, "offset", image->damage[i].offset);
		add_number(object, "length", image->damage[i].length);
		add_text(object, "what", image_part_name(image->damage[i].part));
		json_append(array, object);
	}
	return array;
}

static void add_ram(struct json_object *object, const struct region *region)
{
	add_boolean(object, "state_attribute", region->has_state_attribute);
	add_boolean(object, "deadline_attribute", region->has_deadline_attribute);
	if (region->last_failure.error)
		json_add(object, "last_failure", memory_failure_to_json(&region->last_failure));
}

struct json_object *region_to_json(const struct region *region)
{
	struct json_object *object = json_object_new_object();

	add_text(object, "name", region->name);
	add_text(object, "provider", region->provider);
	add_text(object, "namespace", region->namespace);
	add_text(object, "uuid", region->uuid);
	add_text(object, "state", region_state_name(region->state));
	add_text(object, "why", region->why);
	add_text(object, "block_device", region->block_device);
	add_text(object, "dax_device", region->dax_device);
	add_number(object, "start", region->start);
	add_number(object, "raw_bytes", region->raw_bytes);
	add_number(object, "devdax_bytes", region->devdax_bytes);
	add_number(object, "ram_bytes", region->ram_bytes);
	add_number(object, "block_bytes", region->block_bytes);
	json_add(object, "target_node", json_object_new_int(region->target_node));
	if (region->state == REGION_RAM)
		add_ram(object, region);
	if (region->state == REGION_RAM || region->blocks) {
		add_number(object, "blocks", region->blocks);
		add_number(object, "blocks_online", region->blocks_online);
		add_number(object, "blocks_movable", region->blocks_movable);
	}
	return object;
}

struct json_object *memory_failure_to_json(const struct memory_failure *failure)
{
	struct json_object *object = json_object_new_object();
	const char *rollback = memory_rollback_name(failure->rollback);
	char block[32];

	add_text(object, "operation", failure->operation);
	if (failure->has_block) {
		snprintf(block, sizeof(block), "memory%" PRIu64, failure->block);
		add_text(object, "block", block);
		add_number(object, "start", failure->block * failure->block_bytes);
		add_number(object, "bytes", failure->block_bytes);
	}
	if (failure->has_pfn)
		add_number(object, "pfn", failure->pfn);
	add_text(object, "class", failure->class);
	add_number(object, "errno", (uint64_t)-failure->error);
	if (rollback)
		add_text(object, "rollback", rollback);
	return object;
}

struct json_object *entry_to_json(const struct tree *tree, uint32_t index, const char *path)
{
	const struct entry *entry = &tree->entries[index];
	struct json_object *object = json_object_new_object();

	json_add(object, "path", json_text(path));
	add_text(object, "mode", mode_text(entry->mode).text);
	add_number(object, "links", tree->entries[entry->inode_entry].links);
	add_number(object, "uid", entry->uid);
	add_number(object, "gid", entry->gid);
	json_add(object, "mtime", json_object_new_int64(entry->mtime));
	if (S_ISREG(entry->mode))
		add_number(object, "size", entry->size);
	if (S_ISLNK(entry->mode))
		json_add(object, "target", json_text(tree_target(tree, index)));
	return object;
}

static struct json_object *event_to_json(const struct event *event)
{
	struct json_object *object = json_object_new_object();

	add_number(object, "at", event->at_ns / 1000000000);
	json_add(object, "place", json_text(event->place));
	add_number(object, "generation", event->generation);
	return object;
}

struct json_object *history_to_json(const struct history *history)
{
	struct json_object *object = json_object_new_object();

	if (history->saved.at_ns)
		json_add(object, "saved", event_to_json(&history->saved));
	if (history->restored.at_ns)
		json_add(object, "restored", event_to_json(&history->restored));
	add_text(object, "outcome", history->outcome);
	add_text(object, "reason", history->reason);
	return object;
}

struct json_object *state_to_json(char **paths, size_t count, const struct state_size *size,
				  const struct room *rooms, size_t room_count)
{
	struct json_object *object = json_object_new_object(), *array = json_object_new_array();

	json_add(object, "paths", strings_to_json(paths, count));
	if (size->is_measured) {
		add_number(object, "files", size->files);
		add_number(object, "file_bytes", size->file_bytes);
		add_number(object, "image_bytes", size->image_bytes);
	} else {
		json_add(object, "not_measured", json_text(size->why));
	}
	for (size_t i = 0; i < room_count; i++) {
		struct json_object *room = json_object_new_object();

		add_text(room, "kind", rooms[i].kind);
		json_add(room, "place", json_text(rooms[i].place));
		add_number(room, "bytes", rooms[i].bytes);
		if (size->is_measured)
			add_boolean(room, "fits", size->image_bytes <= rooms[i].bytes);
		json_append(array, room);
	}
	json_add(object, "rooms", array);
	return object;
}

struct json_object *kernel_to_json(const struct kernel_choice *choice)
{
	struct json_object *object = json_object_new_object(), *left = json_object_new_array();
	const struct kernel *kernel = &choice->kernel;

	if (choice->error) {
		json_add(object, "problem", json_text(choice->problem));
	} else {
		json_add(object, "file", json_text(kernel->file));
		if (kernel->initrd)
			json_add(object, "initrd", json_text(kernel->initrd));
		add_text(object, "release", kernel->release);
		add_text(object, "why", choice->why);
		add_text(object, "fault", kernel->fault.text);
	}
	for (size_t i = 0; i < choice->left; i++) {
		struct json_object *other = json_object_new_object();

		json_add(other, "file", json_text(choice->installed.list[i].file));
		json_add(other, "why", json_text(choice->installed.list[i].fault.text));
		json_append(left, other);
	}
	json_add(object, "left", left);
	return object;
}

struct json_object *config_to_json(const struct config *config)
{
	struct json_object *object = json_object_new_object();

	json_add(object, "path", json_text(config->path));
	add_boolean(object, "is_there", config->is_there);
	add_text(object, "survives", survival_name(config->survives));
	if (config->fallback)
		json_add(object, "fallback", json_text(config->fallback));
	if (config->key_file)
		json_add(object, "key_file", json_text(config->key_file));
	json_add(object, "excludes", strings_to_json(config->excludes, config->exclude_count));
	return object;
}

struct json_object *problems_to_json(const struct problem *problems, size_t count)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < count; i++) {
		struct json_object *object = json_object_new_object();

		json_add(object, "problem", json_text(problems[i].problem));
		json_add(object, "fix", json_text(problems[i].fix));
		json_append(array, object);
	}
	return array;
}

struct json_object *strings_to_json(char **strings, size_t count)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < count; i++)
		json_append(array, json_text(strings[i]));
	return array;
}

void memory_add_to_json(struct json_object *result, const struct region *region,
			const struct memory_report *report)
{
	if (region)
		json_add(result, "region", region_to_json(region));
	if (report->has_estimate) {
		struct json_object *object = json_object_new_object();

		add_number(object, "used_inside", report->estimate.used_inside);
		add_number(object, "available_outside", report->estimate.available_outside);
		json_add(result, "estimate", object);
	}
	if (report->failure.error)
		json_add(result, "memory_failure", memory_failure_to_json(&report->failure));
}

void checkpoint_add_to_json(struct json_object *result, const struct checkpoint *job)
{
	memory_add_to_json(result, job->place.is_region ? &job->place.region : NULL, &job->memory);
	if (job->image && job->image->header.phase == IMAGE_PHASE_COMMITTED)
		json_add(result, "image", image_to_json(&job->image->header));
}

void restored_add_to_json(struct json_object *result, const struct restored *restored, bool salvage,
			  bool special)
{
	struct json_object *array;

	if (restored->has_header)
		json_add(result, "image", image_to_json(&restored->header));
	if (salvage && restored->has_header)
		json_add(result, "damaged",
			 strings_to_json(restored->damaged, restored->damaged_count));
	if (special)
		return;
	array = json_object_new_array();
	for (size_t i = 0; i < restored->left_out_count; i++) {
		struct json_object *object = json_object_new_object();

		json_add(object, "path", json_text(restored->left_out[i].path));
		add_text(object, "what", restored->left_out[i].what);
		json_append(array, object);
	}
	json_add(result, "left_out", array);
}
