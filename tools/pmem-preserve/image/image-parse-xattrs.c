// SPDX-License-Identifier: GPL-2.0-or-later
/* Extended attributes of an untrusted image: after the inodes, and in the extra table. */
#include "image/image-parse.h"
#include "image/xattr-prefix.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

static int parse_inline_xattrs(struct parse *parse, uint32_t index, uint32_t set, const uint8_t *at,
			       uint64_t bytes)
{
	const uint8_t *end = at + bytes;
	int r;

	if (bytes == 0)
		return 0;
	if (!parse_is_zero(at, sizeof(struct erofs_xattr_header)))
		return parse_bad(parse, index, "shared extended attributes");
	at += sizeof(struct erofs_xattr_header);
	if (at == end)
		return parse_bad(parse, index, "extended attributes");
	while (at < end) {
		char name[EROFS_NAME_MAX + sizeof("system.posix_acl_default")];
		const struct xattr_prefix *prefix;
		struct erofs_xattr_entry entry;
		uint64_t value_length, total;

		/* @at and @end are multiples of 4, so the head of a record fits. */
		memcpy(&entry, at, sizeof(entry));
		value_length = entry.value_length;
		total = align_up(sizeof(entry) + entry.name_length + value_length, 4);
		prefix = xattr_prefix_by_number(entry.prefix);
		if (total > (uint64_t)(end - at) || !prefix ||
		    prefix->length + entry.name_length > XATTR_NAME_MAX ||
		    (prefix->whole ? entry.name_length != 0 : entry.name_length == 0) ||
		    memchr(at + sizeof(entry), '\0', entry.name_length) ||
		    !parse_is_zero(at + sizeof(entry) + entry.name_length + value_length,
				   total - sizeof(entry) - entry.name_length - value_length))
			return parse_bad(parse, index, "extended attributes");
		memcpy(name, prefix->text, prefix->length);
		memcpy(name + prefix->length, at + sizeof(entry), entry.name_length);
		r = tree_xattrs_add(parse->tree, set, name, prefix->length + entry.name_length,
				    at + sizeof(entry) + entry.name_length, value_length);
		if (r < 0)
			return parse_no_memory(parse, r);
		at += total;
	}
	return 0;
}

/* The records of the inode with @nid. */
static int parse_extra_xattrs(struct parse *parse, uint64_t nid, uint32_t set)
{
	size_t low = 0, high = parse->extra_count;
	struct image_extra_xattr record;
	int r;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		memcpy(&record, parse->extra[middle], sizeof(record));
		if (record.nid < nid)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < parse->extra_count; low++) {
		const char *name = (const char *)parse->extra[low] + sizeof(record);

		memcpy(&record, parse->extra[low], sizeof(record));
		if (record.nid != nid)
			break;
		r = tree_xattrs_add(parse->tree, set, name, record.name_length,
				    name + record.name_length, record.value_length);
		if (r < 0)
			return parse_no_memory(parse, r);
		parse->extra_used++;
	}
	return 0;
}

int parse_extra_table(struct parse *parse)
{
	const struct image_table *table = &parse->image->tables[IMAGE_TABLE_EXTRA];
	const uint8_t *start = parse->image->index + table->offset;
	const uint8_t *end = start + table->length;
	uint64_t last = 0;

	parse->extra =
		calloc(table->length / sizeof(struct image_extra_xattr) + 1, sizeof(*parse->extra));
	if (!parse->extra)
		return parse_no_memory(parse, -ENOMEM);
	for (const uint8_t *at = start; at < end;) {
		struct image_extra_xattr record;
		uint64_t bytes;

		if ((size_t)(end - at) < sizeof(record))
			return parse_bad(parse, 0, "table of extra attributes");
		memcpy(&record, at, sizeof(record));
		bytes = align_up(sizeof(record) + (uint64_t)record.name_length +
					 record.value_length,
				 8);
		if (bytes > (uint64_t)(end - at) || record.name_length == 0 ||
		    record.name_length > XATTR_NAME_MAX || record.nid < last ||
		    memchr(at + sizeof(record), '\0', record.name_length) ||
		    !parse_is_zero(at + sizeof(record) + record.name_length + record.value_length,
				   bytes - sizeof(record) - record.name_length -
					   record.value_length))
			return parse_bad(parse, 0, "table of extra attributes");
		last = record.nid;
		parse->extra[parse->extra_count++] = at;
		at += bytes;
	}
	return 0;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* No name occurs twice, after the inode and in the table together. */
static int check_names(struct parse *parse, uint32_t index, uint32_t set)
{
	_cleanup_free_ const char **names = NULL;
	const uint8_t *cursor = NULL;
	struct xattr_set header;
	struct xattr xattr;
	size_t count = 0;

	memcpy(&header, parse->tree->xattrs + set, sizeof(header));
	if (header.count < 2)
		return 0;
	names = calloc(header.count, sizeof(*names));
	if (!names)
		return parse_no_memory(parse, -ENOMEM);
	while (tree_next_xattr(parse->tree, set, &cursor, &xattr))
		names[count++] = xattr.name;
	qsort(names, count, sizeof(*names), compare_names);
	for (size_t i = 1; i < count; i++)
		if (strcmp(names[i - 1], names[i]) == 0)
			return parse_bad(parse, index, "an extended attribute with two values");
	return 0;
}

int parse_xattrs(struct parse *parse, uint32_t index, uint64_t place, uint64_t bytes)
{
	uint32_t set;
	int r = tree_xattrs_begin(parse->tree, &set);

	if (r < 0)
		return parse_no_memory(parse, r);
	r = parse_inline_xattrs(parse, index, set, parse->image->index + place + INODE_BYTES,
				bytes);
	if (r == 0)
		r = parse_extra_xattrs(parse, place >> EROFS_NID_SHIFT, set);
	if (r == 0)
		r = check_names(parse, index, set);
	if (r < 0)
		return r;
	tree_xattrs_end(parse->tree, &set, parse->tree->entries[index ? index - 1 : 0].xattrs);
	parse->tree->entries[index].xattrs = set;
	return 0;
}
