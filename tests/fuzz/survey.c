// SPDX-License-Identifier: GPL-2.0-or-later
#include "survey.h"

#include "image/erofs.h"
#include "image/image-format.h"

#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#define INODES_MAX    512u
#define CHUNKS_MAX    128u
#define RECORDS_MAX   64u
#define CONTENT_BYTES (64u << 10) /* of one directory or link, or one table */

struct field {
	uint16_t offset, bytes;
	enum role role;
};

#define FIELD(type, member, role)                                                       \
	{                                                                               \
		offsetof(struct type, member), sizeof(((struct type *)0)->member), role \
	}

static const struct field header_fields[] = {
	FIELD(image_header, magic, ROLE_BYTES),
	FIELD(image_header, phase, ROLE_PHASE),
	FIELD(image_header, version, ROLE_NUMBER),
	FIELD(image_header, header_bytes, ROLE_NUMBER),
	/* The options of the target are taken from it. */
	FIELD(image_header, uuid, ROLE_BYTES),
	FIELD(image_header, generation, ROLE_NUMBER),
	FIELD(image_header, store_bytes, ROLE_STORE),
	FIELD(image_header, image_bytes, ROLE_AREA),
	FIELD(image_header, feature_compat, ROLE_NUMBER),
	FIELD(image_header, feature_ro_compat, ROLE_NUMBER),
	FIELD(image_header, feature_incompat, ROLE_NUMBER),
	FIELD(image_header, data_offset, ROLE_AREA),
	FIELD(image_header, index_offset, ROLE_AREA),
	FIELD(image_header, index_bytes, ROLE_AREA),
	FIELD(image_header, index_copy_offset, ROLE_AREA),
	FIELD(image_header, inodes_bytes, ROLE_AREA),
	FIELD(image_header, tables_bytes, ROLE_AREA),
	FIELD(image_header, table_count, ROLE_AREA),
	FIELD(image_header, digests_bytes, ROLE_AREA),
	FIELD(image_header, files, ROLE_NUMBER),
	FIELD(image_header, file_bytes, ROLE_NUMBER),
	FIELD(image_header, marked, ROLE_NUMBER),
	FIELD(image_header, unsaved, ROLE_NUMBER),
	FIELD(image_header, created_ns, ROLE_NUMBER),
	FIELD(image_header, hostname, ROLE_TEXT),
	FIELD(image_header, kernel, ROLE_TEXT),
	FIELD(image_header, root_digest, ROLE_BYTES),
	FIELD(image_header, super_digest, ROLE_BYTES),
	FIELD(image_header, timeline, ROLE_BYTES),
	FIELD(image_header, header_digest, ROLE_BYTES),
};

static const struct field super_fields[] = {
	FIELD(erofs_super, magic, ROLE_NUMBER),
	FIELD(erofs_super, block_bits, ROLE_NUMBER),
	FIELD(erofs_super, root_nid, ROLE_LENGTH),
	FIELD(erofs_super, meta_block, ROLE_BLOCK),
	FIELD(erofs_super, xattr_block, ROLE_BLOCK),
	FIELD(erofs_super, feature_incompat, ROLE_NUMBER),
};

static const struct field inode_fields[] = {
	{ 0, sizeof(struct erofs_inode), ROLE_INODE }, FIELD(erofs_inode, format, ROLE_FORMAT),
	FIELD(erofs_inode, xattr_count, ROLE_LENGTH),  FIELD(erofs_inode, mode, ROLE_MODE),
	FIELD(erofs_inode, size, ROLE_SIZE),	       FIELD(erofs_inode, data, ROLE_BLOCK),
	FIELD(erofs_inode, uid, ROLE_NUMBER),	       FIELD(erofs_inode, gid, ROLE_NUMBER),
	FIELD(erofs_inode, mtime, ROLE_NUMBER),	       FIELD(erofs_inode, mtime_nsec, ROLE_NUMBER),
	FIELD(erofs_inode, links, ROLE_NUMBER),	       FIELD(erofs_inode, ino, ROLE_NUMBER),
};

static const struct field dirent_fields[] = {
	FIELD(erofs_dirent, nid, ROLE_NID),
	FIELD(erofs_dirent, name_offset, ROLE_LENGTH),
	FIELD(erofs_dirent, type, ROLE_TYPE),
};

static const struct field xattr_header_fields[] = {
	FIELD(erofs_xattr_header, name_filter, ROLE_NUMBER),
	FIELD(erofs_xattr_header, shared_count, ROLE_NUMBER),
};

static const struct field xattr_fields[] = {
	FIELD(erofs_xattr_entry, name_length, ROLE_LENGTH),
	FIELD(erofs_xattr_entry, prefix, ROLE_TYPE),
	FIELD(erofs_xattr_entry, value_length, ROLE_LENGTH),
};

static const struct field extra_fields[] = {
	FIELD(image_extra_xattr, nid, ROLE_NID),
	FIELD(image_extra_xattr, value_length, ROLE_SIZE),
	FIELD(image_extra_xattr, name_length, ROLE_LENGTH),
};

static const struct field table_fields[] = {
	FIELD(image_table_record, type, ROLE_TYPE),
	FIELD(image_table_record, flags, ROLE_TYPE),
	FIELD(image_table_record, offset, ROLE_AREA),
	FIELD(image_table_record, length, ROLE_AREA),
};

static const struct field unsaved_fields[] = {
	FIELD(image_unsaved, error, ROLE_NUMBER),
	FIELD(image_unsaved, path_length, ROLE_LENGTH),
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct walk {
	const uint8_t *image;
	size_t size, meta;
	struct survey *survey;
	size_t inodes[INODES_MAX], inode_count;
};

static void add(struct walk *walk, size_t offset, size_t bytes, enum role role)
{
	struct survey *survey = walk->survey;

	if (survey->count == PLACES_MAX || offset >= walk->size || bytes == 0)
		return;
	if (bytes > walk->size - offset)
		bytes = walk->size - offset;
	if (bytes > CONTENT_BYTES)
		bytes = CONTENT_BYTES;
	survey->places[survey->count++] = (struct place){ offset, (uint32_t)bytes, role };
	survey->by_role[role]++;
}

/* Notes all fields of the record at @offset; false if it is not complete. */
static bool add_fields(struct walk *walk, size_t offset, size_t bytes, const struct field *fields,
		       size_t count)
{
	if (offset > walk->size || walk->size - offset < bytes)
		return false;
	for (size_t i = 0; i < count; i++)
		add(walk, offset + fields[i].offset, fields[i].bytes, fields[i].role);
	return true;
}

static void visit_later(struct walk *walk, uint64_t nid)
{
	size_t offset;

	if (nid >= walk->size >> EROFS_NID_SHIFT || walk->inode_count == INODES_MAX)
		return;
	offset = walk->meta + (nid << EROFS_NID_SHIFT);
	for (size_t i = 0; i < walk->inode_count; i++)
		if (walk->inodes[i] == offset)
			return;
	walk->inodes[walk->inode_count++] = offset;
}

static void survey_xattrs(struct walk *walk, size_t offset, size_t bytes)
{
	size_t end = offset + bytes;
	struct erofs_xattr_entry entry;

	if (bytes == 0 || !add_fields(walk, offset, sizeof(struct erofs_xattr_header),
				      xattr_header_fields, COUNT(xattr_header_fields)))
		return;
	offset += sizeof(struct erofs_xattr_header);
	while (offset < end &&
	       add_fields(walk, offset, sizeof(entry), xattr_fields, COUNT(xattr_fields))) {
		memcpy(&entry, walk->image + offset, sizeof(entry));
		offset += sizeof(entry);
		add(walk, offset, entry.name_length, ROLE_TEXT);
		add(walk, offset + entry.name_length, entry.value_length, ROLE_BYTES);
		offset += align_up((size_t)entry.name_length + entry.value_length, 4);
	}
}

static void survey_directory_block(struct walk *walk, size_t block, size_t bytes)
{
	struct erofs_dirent dirent, next;
	size_t count;

	if (bytes < sizeof(dirent))
		return;
	memcpy(&dirent, walk->image + block, sizeof(dirent));
	count = dirent.name_offset / sizeof(dirent);
	if (count > bytes / sizeof(dirent))
		count = bytes / sizeof(dirent);
	for (size_t i = 0; i < count; i++) {
		size_t at = block + i * sizeof(dirent), end = bytes;

		memcpy(&dirent, walk->image + at, sizeof(dirent));
		if (i + 1 < count) {
			memcpy(&next, walk->image + at + sizeof(dirent), sizeof(next));
			end = next.name_offset;
		}
		add_fields(walk, at, sizeof(dirent), dirent_fields, COUNT(dirent_fields));
		if (dirent.name_offset < end && end <= bytes)
			add(walk, block + dirent.name_offset, end - dirent.name_offset, ROLE_NAME);
		visit_later(walk, dirent.nid);
	}
}

static void survey_chunks(struct walk *walk, const struct erofs_inode *inode, size_t offset)
{
	unsigned int shift = EROFS_BLOCK_BITS + (inode->data & EROFS_CHUNK_BITS_MASK);
	uint64_t count = (inode->size >> shift) + 1;

	for (uint64_t i = 0; i < count && i < CHUNKS_MAX; i++)
		add(walk, offset + i * sizeof(uint32_t), sizeof(uint32_t), ROLE_CHUNK);
}

static void survey_inode(struct walk *walk, size_t offset)
{
	size_t xattr_bytes = 0, content;
	struct erofs_inode inode;

	if (!add_fields(walk, offset, sizeof(inode), inode_fields, COUNT(inode_fields)))
		return;
	memcpy(&inode, walk->image + offset, sizeof(inode));
	if (inode.xattr_count)
		xattr_bytes = sizeof(struct erofs_xattr_header) + 4ul * (inode.xattr_count - 1u);
	offset += sizeof(inode);
	survey_xattrs(walk, offset, xattr_bytes);
	offset += xattr_bytes;
	content = inode.format >> 1 == EROFS_PLAIN ? (size_t)inode.data * EROFS_BLOCK : offset;
	if (S_ISREG(inode.mode) && inode.format >> 1 == EROFS_CHUNKS)
		survey_chunks(walk, &inode, offset);
	else if (S_ISLNK(inode.mode))
		add(walk, content, inode.size, ROLE_TEXT);
	if (!S_ISDIR(inode.mode) || inode.size > CONTENT_BYTES)
		return;
	for (size_t at = 0; at < inode.size && content + at < walk->size; at += EROFS_BLOCK) {
		size_t bytes = inode.size - at < EROFS_BLOCK ? inode.size - at : EROFS_BLOCK;

		if (bytes > walk->size - content - at)
			bytes = walk->size - content - at;
		survey_directory_block(walk, content + at, bytes);
	}
}

static void survey_extra(struct walk *walk, uint64_t at, uint64_t end)
{
	struct image_extra_xattr record;

	for (unsigned int i = 0; i < RECORDS_MAX && at < end; i++) {
		if (!add_fields(walk, at, sizeof(record), extra_fields, COUNT(extra_fields)))
			return;
		memcpy(&record, walk->image + at, sizeof(record));
		add(walk, at + sizeof(record), record.name_length, ROLE_TEXT);
		add(walk, at + sizeof(record) + record.name_length, record.value_length,
		    ROLE_BYTES);
		at += align_up(sizeof(record) + (uint64_t)record.name_length + record.value_length,
			       8);
	}
}

static void survey_tables(struct walk *walk, const struct image_header *header)
{
	uint64_t at = header->index_offset + header->inodes_bytes;
	struct image_table_record table;

	for (unsigned int i = 0; i < RECORDS_MAX && i < header->table_count; i++) {
		uint64_t start, end;

		if (!add_fields(walk, at, sizeof(table), table_fields, COUNT(table_fields)))
			return;
		memcpy(&table, walk->image + at, sizeof(table));
		at += sizeof(table);
		start = header->index_offset + table.offset;
		end = start + table.length;
		if (start > walk->size || end > walk->size || end < start)
			continue;
		if (table.type == IMAGE_TABLE_EXTRA)
			survey_extra(walk, start, end);
		else if (table.type == IMAGE_TABLE_UNSAVED)
			add_fields(walk, start, sizeof(struct image_unsaved), unsaved_fields,
				   COUNT(unsaved_fields));
		else
			add(walk, start, table.length,
			    table.type == IMAGE_TABLE_PATHS ? ROLE_TEXT : ROLE_BYTES);
	}
}

void survey_image(const uint8_t *image, size_t size, struct survey *ret_survey)
{
	struct walk walk = { .image = image, .size = size, .survey = ret_survey };
	struct image_header header;

	ret_survey->count = 0;
	memset(ret_survey->by_role, 0, sizeof(ret_survey->by_role));
	if (!add_fields(&walk, 0, sizeof(header), header_fields, COUNT(header_fields)))
		return;
	add_fields(&walk, EROFS_SUPER_OFFSET, sizeof(struct erofs_super), super_fields,
		   COUNT(super_fields));
	memcpy(&header, image, sizeof(header));
	if (header.index_offset >= size)
		return;
	walk.meta = header.index_offset;
	if (header.data_offset < header.index_offset)
		add(&walk, header.data_offset, header.index_offset - header.data_offset,
		    ROLE_BYTES);
	if (header.inodes_bytes >= size - header.index_offset)
		return;
	survey_tables(&walk, &header);
	add(&walk, header.index_offset + header.inodes_bytes + header.tables_bytes,
	    2 * sizeof(struct image_digest), ROLE_BYTES);
	visit_later(&walk, sizeof(struct erofs_inode) >> EROFS_NID_SHIFT);
	for (size_t i = 0; i < walk.inode_count; i++)
		survey_inode(&walk, walk.inodes[i]);
}

const struct place *survey_place(const struct survey *survey, enum role role, uint32_t number)
{
	for (size_t i = 0; i < survey->count; i++)
		if (survey->places[i].role == role && number-- == 0)
			return &survey->places[i];
	return NULL;
}
