// SPDX-License-Identifier: GPL-2.0-or-later
/* The tables of an untrusted image, but for that of extra xattrs: image-parse-xattrs.c. */
#include "image/image-parse.h"

#include <errno.h>
#include <stdlib.h>

int parse_table_directory(struct parse *parse)
{
	struct image *image = parse->image;
	const struct image_header *header = &image->header;
	const uint8_t *records = image->index + header->inodes_bytes;
	uint64_t end = header->inodes_bytes + header->tables_bytes;
	uint64_t at =
		header->inodes_bytes + header->table_count * sizeof(struct image_table_record);
	uint32_t last = 0;

	for (uint64_t i = 0; i < header->table_count; i++) {
		struct image_table_record record;
		uint64_t padded;

		memcpy(&record, records + i * sizeof(record), sizeof(record));
		if (record.type <= last || record.reserved ||
		    (record.flags & ~IMAGE_TABLE_INCOMPATIBLE) || record.offset != at ||
		    record.length == 0 || record.length > end - at)
			return parse_bad(parse, 0, "directory of tables");
		padded = align_up(record.length, 8);
		if (!parse_is_zero(image->index + at + record.length, padded - record.length))
			return parse_bad(parse, 0, "directory of tables");
		at += padded;
		last = record.type;
		if (record.type < IMAGE_TABLE_TYPES) {
			if (record.flags != image_table_flags(record.type))
				return parse_bad(parse, 0, "directory of tables");
			image->tables[record.type] =
				(struct image_table){ record.offset, record.length };
		} else if (record.flags & IMAGE_TABLE_INCOMPATIBLE) {
			return report_error(-E_DAMAGED,
					    "%s: the checkpoint has an incompatible table that this program does not know (type %u); restore it with the version that wrote it",
					    image->store->path, record.type);
		}
	}
	if (align_up(at, IMAGE_BLOCK) != end || !parse_is_zero(image->index + at, end - at))
		return parse_bad(parse, 0, "directory of tables");
	return 0;
}

static const uint8_t *table_at(const struct parse *parse, enum image_table_type type,
			       const uint8_t **ret_end)
{
	const struct image_table *table = &parse->image->tables[type];

	*ret_end = parse->image->index + table->offset + table->length;
	return parse->image->index + table->offset;
}

/* Marks a path that was checkpointed, and the directories that only lead to it. */
static int mark_path(struct parse *parse, const char *path)
{
	struct tree *tree = parse->tree;
	bool inside = false;
	uint32_t index = 0;

	if (*path != '/')
		return parse_bad(parse, 0, "table of paths");
	for (const char *name = path + 1; *name;) {
		size_t length = strcspn(name, "/");

		inside |= tree->entries[index].flags & ENTRY_ROOT;
		if (!inside)
			tree->entries[index].flags |= ENTRY_ANCESTOR;
		index = tree_find_child(tree, index, name, length);
		name += length;
		if (length == 0 || index == 0 || (*name == '/' && !name[1]))
			return parse_bad(parse, 0, "table of paths");
		name += *name == '/';
	}
	tree->entries[index].flags =
		(uint16_t)((tree->entries[index].flags & ~ENTRY_ANCESTOR) | ENTRY_ROOT);
	return 0;
}

static int parse_paths(struct parse *parse)
{
	const uint8_t *end, *start = table_at(parse, IMAGE_TABLE_PATHS, &end);
	struct tree *tree = parse->tree;
	size_t count = 0;
	int r;

	if (start == end || end[-1] != '\0')
		return parse_bad(parse, 0, "table of paths");
	for (const uint8_t *p = start; p < end; p++)
		count += *p == '\0';
	tree->paths = calloc(count, sizeof(*tree->paths));
	if (!tree->paths)
		return parse_no_memory(parse, -ENOMEM);
	for (const char *at = (const char *)start; at < (const char *)end; at += strlen(at) + 1) {
		tree->paths[tree->path_count] = strdup(at);
		if (!tree->paths[tree->path_count])
			return parse_no_memory(parse, -ENOMEM);
		tree->path_count++;
		r = mark_path(parse, at);
		if (r < 0)
			return r;
	}
	for (uint32_t i = 1; i < tree->count; i++)
		if (tree->entries[tree->entries[i].parent].flags & ENTRY_ANCESTOR &&
		    !(tree->entries[i].flags & (ENTRY_ANCESTOR | ENTRY_ROOT)))
			return parse_bad(parse, i, "not beneath a path that was checkpointed");
	return 0;
}

static uint32_t ino_of(const struct parse *parse, uint32_t index)
{
	struct erofs_inode inode;

	memcpy(&inode, parse->image->index + (parse->tree->entries[index].inode << EROFS_NID_SHIFT),
	       sizeof(inode));
	return inode.ino;
}

/* Each set bit is that of an inode, and marks all its names. */
static int parse_marks(struct parse *parse)
{
	const struct image_header *header = &parse->image->header;
	const uint8_t *end, *marks = table_at(parse, IMAGE_TABLE_MARKS, &end);
	struct tree *tree = parse->tree;
	uint64_t set = 0, found = 0;

	if (marks != end && (uint64_t)(end - marks) != align_up(header->files, 64) / 8)
		return parse_bad(parse, 0, "table of marks");
	for (const uint8_t *at = marks; at < end; at++)
		set += (uint64_t)__builtin_popcount(*at);
	for (uint32_t i = 0; i < tree->count && set; i++) {
		struct entry *entry = &tree->entries[i];
		uint32_t bit = ino_of(parse, i) - 1;

		if (!(marks[bit / 8] >> bit % 8 & 1))
			continue;
		entry->flags |= ENTRY_CHANGED;
		found += entry->inode_entry == i;
	}
	if (set != header->marked || found != set)
		return parse_bad(parse, 0, "table of marks");
	return 0;
}

static int parse_unsaved(struct parse *parse)
{
	const uint8_t *end, *at = table_at(parse, IMAGE_TABLE_UNSAVED, &end);
	uint64_t count = 0;

	for (uint64_t bytes; at < end; at += bytes, count++) {
		_cleanup_free_ char *path = NULL;
		struct image_unsaved record;
		const uint8_t *text = at + sizeof(record);

		if ((size_t)(end - at) < sizeof(record))
			return parse_bad(parse, 0, "table of unsaved paths");
		memcpy(&record, at, sizeof(record));
		bytes = align_up(sizeof(record) + (uint64_t)record.path_length, 8);
		if (bytes > (uint64_t)(end - at) || record.path_length == 0 || record.error == 0 ||
		    record.error > 4095 || memchr(text, '\0', record.path_length) ||
		    !parse_is_zero(text + record.path_length,
				   bytes - sizeof(record) - record.path_length))
			return parse_bad(parse, 0, "table of unsaved paths");
		path = strndup((const char *)text, record.path_length);
		if (!path || tree_add_unsaved(parse->tree, path, -(int)record.error) < 0)
			return parse_no_memory(parse, -ENOMEM);
	}
	if (count != parse->image->header.unsaved)
		return parse_bad(parse, 0, "table of unsaved paths");
	return 0;
}

int parse_tables(struct parse *parse)
{
	int r = parse_paths(parse);

	if (r == 0)
		r = parse_marks(parse);
	return r < 0 ? r : parse_unsaved(parse);
}
