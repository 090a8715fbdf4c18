// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The tables behind the inodes. Their sizes are fixed before anything is written, but which files
 * change while they are saved is known only when all have been read.
 */
#include "image/image-internal.h"

#include <string.h>

static uint64_t paths_bytes(const struct tree *tree)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < tree->path_count; i++)
		bytes += strlen(tree->paths[i]) + 1;
	return bytes;
}

static uint64_t unsaved_bytes(const struct tree_unsaved *unsaved)
{
	return align_up(sizeof(struct image_unsaved) + strlen(unsaved->path), 8);
}

void image_place_tables(struct image *image, uint64_t extra)
{
	const struct tree *tree = image->tree;
	struct image_header *header = &image->header;
	uint64_t at = header->inodes_bytes;

	image->tables[IMAGE_TABLE_PATHS].length = paths_bytes(tree);
	image->tables[IMAGE_TABLE_EXTRA].length = extra;
	if (tree->lenient)
		image->tables[IMAGE_TABLE_MARKS].length = align_up(tree->count, 64) / 8;
	header->unsaved = tree->unsaved_count;
	for (uint32_t i = 0; i < tree->unsaved_count; i++)
		image->tables[IMAGE_TABLE_UNSAVED].length += unsaved_bytes(&tree->unsaved[i]);
	for (unsigned int type = 1; type < IMAGE_TABLE_TYPES; type++)
		header->table_count += image->tables[type].length != 0;
	at += header->table_count * sizeof(struct image_table_record);
	for (unsigned int type = 1; type < IMAGE_TABLE_TYPES; type++) {
		image->tables[type].offset = at;
		at += align_up(image->tables[type].length, 8);
	}
	header->tables_bytes = align_up(at, IMAGE_BLOCK) - header->inodes_bytes;
}

static void emit_directory(struct image *image)
{
	uint8_t *at = image->index + image->header.inodes_bytes;

	for (uint32_t type = 1; type < IMAGE_TABLE_TYPES; type++) {
		const struct image_table *table = &image->tables[type];
		const struct image_table_record record = {
			.type = type,
			.flags = image_table_flags(type),
			.offset = table->offset,
			.length = table->length,
		};

		if (table->length) {
			memcpy(at, &record, sizeof(record));
			at += sizeof(record);
		}
	}
}

void image_emit_tables(struct image *image)
{
	const struct tree *tree = image->tree;
	char *path = (char *)image->index + image->tables[IMAGE_TABLE_PATHS].offset;
	uint8_t *unsaved = image->index + image->tables[IMAGE_TABLE_UNSAVED].offset;

	emit_directory(image);
	for (size_t i = 0; i < tree->path_count; i++)
		path = stpcpy(path, tree->paths[i]) + 1;
	for (uint32_t i = 0; i < image->header.unsaved; i++) {
		const struct image_unsaved record = {
			.error = (uint32_t)-tree->unsaved[i].error,
			.path_length = (uint32_t)strlen(tree->unsaved[i].path),
		};

		memcpy(unsaved, &record, sizeof(record));
		memcpy(unsaved + sizeof(record), tree->unsaved[i].path, record.path_length);
		unsaved += unsaved_bytes(&tree->unsaved[i]);
	}
}

void image_emit_marks(struct image *image)
{
	const struct tree *tree = image->tree;
	uint8_t *marks = image->index + image->tables[IMAGE_TABLE_MARKS].offset;

	if (!image->tables[IMAGE_TABLE_MARKS].length)
		return;
	for (uint32_t i = 0; i < tree->count; i++)
		if (tree->entries[i].inode_entry == i && (tree->entries[i].flags & ENTRY_CHANGED)) {
			marks[i / 8] |= (uint8_t)(1u << i % 8);
			image->header.marked++;
		}
}
