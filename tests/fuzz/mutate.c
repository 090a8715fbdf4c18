// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Mutations of images for libFuzzer: fields are changed according to their meaning, areas grow and
 * shrink, and then the digests are fixed, so that the code after their checks is reached. Some
 * images keep wrong digests.
 */
#include "change.h"
#include "image/erofs.h"
#include "fuzz.h"
#include "image/image-internal.h"
#include "pack.h"
#include "seal.h"

#include <stdbool.h>
#include <string.h>

#define CHANGES_MAX 6u

/* Whether the areas lie within the image, so that they can be moved. */
static bool read_areas(const uint8_t *image, size_t size, struct image_header *ret_header)
{
	struct image_header header;

	if (size < IMAGE_INDEX_COPY)
		return false;
	memcpy(&header, image, sizeof(header));
	if (header.index_offset > size || header.inodes_bytes > size ||
	    header.tables_bytes > size || header.data_offset > header.index_offset ||
	    header.inodes_bytes % IMAGE_BLOCK || header.tables_bytes % IMAGE_BLOCK ||
	    header.index_offset + header.inodes_bytes + header.tables_bytes > size)
		return false;
	*ret_header = header;
	return true;
}

/* Sets what follows from the sizes of the areas, and moves them. Returns the size; 0: too large. */
static size_t add_up(uint8_t *image, size_t size, struct image_header *header)
{
	size_t from = header->data_offset, end;
	size_t bytes = header->index_offset - from + header->inodes_bytes + header->tables_bytes;

	image_set_geometry(header, header->index_offset - from);
	end = header->image_bytes;
	if (end > UNPACKED_MAX || bytes > UNPACKED_MAX - header->data_offset)
		return 0;
	memmove(image + header->data_offset, image + from, bytes);
	memset(image + header->data_offset + bytes, 0, end - header->data_offset - bytes);
	if (size < header->data_offset)
		return 0;
	memset(image + IMAGE_INDEX_COPY + header->index_bytes, 0,
	       header->data_offset - IMAGE_INDEX_COPY - header->index_bytes);
	memcpy(image, header, sizeof(*header));
	return end;
}

/* Adds a block after the inodes, a copy of another one. */
static bool add_block(uint8_t *image, struct image_header *header, struct random *random)
{
	size_t at = header->index_offset + header->inodes_bytes;
	size_t blocks = header->inodes_bytes / IMAGE_BLOCK;
	uint8_t *records = image + at + IMAGE_BLOCK;

	if (at + header->tables_bytes + IMAGE_BLOCK > UNPACKED_MAX || blocks == 0)
		return false;
	memmove(image + at + IMAGE_BLOCK, image + at, header->tables_bytes);
	memcpy(image + at,
	       image + header->index_offset + random_below(random, blocks) * IMAGE_BLOCK,
	       IMAGE_BLOCK);
	for (uint64_t i = 0; i < header->table_count && i < 8; i++) {
		struct image_table_record record;

		memcpy(&record, records + i * sizeof(record), sizeof(record));
		record.offset += IMAGE_BLOCK;
		memcpy(records + i * sizeof(record), &record, sizeof(record));
	}
	header->inodes_bytes += IMAGE_BLOCK;
	return true;
}

/* What a table of that type could hold: one record, or anything. */
static size_t fill_table(uint8_t *content, uint32_t type, const uint8_t *image,
			 const struct image_header *header, const struct survey *survey,
			 struct random *random)
{
	struct image_extra_xattr extra = { .value_length = random_below(random, 12),
					   .name_length = 6 };
	struct image_unsaved unsaved = { .error = random_below(random, 200), .path_length = 8 };
	const struct place *nid = any_place(survey, ROLE_NID, random);

	if (type == IMAGE_TABLE_EXTRA && nid) {
		memcpy(&extra.nid, image + nid->offset, sizeof(extra.nid));
		memcpy(content, &extra, sizeof(extra));
		memcpy(content + sizeof(extra), "none.x", 6);
		return align_up(sizeof(extra) + 6 + extra.value_length, 8);
	}
	if (type == IMAGE_TABLE_UNSAVED) {
		memcpy(content, &unsaved, sizeof(unsaved));
		memcpy(content + sizeof(unsaved), "/a/path/", 8);
		return sizeof(unsaved) + 8;
	}
	content[0] = (uint8_t)random_below(random, 256);
	return header->files < 64 && type == IMAGE_TABLE_MARKS ? 8 : 1 + random_below(random, 40);
}

/* Adds a table behind the others, if there is room in the last block. */
static bool add_table(uint8_t *image, struct image_header *header, const struct survey *survey,
		      struct random *random)
{
	uint8_t *area = image + header->index_offset + header->inodes_bytes, content[64] = { 0 };
	size_t head = header->table_count * sizeof(struct image_table_record), end = head, length;
	uint32_t last = 0;

	if (header->table_count == 0 || header->table_count > 8 ||
	    header->tables_bytes < IMAGE_BLOCK)
		return false;
	for (uint64_t i = 0; i < header->table_count; i++) {
		struct image_table_record record;

		memcpy(&record, area + i * sizeof(record), sizeof(record));
		if (record.offset < header->inodes_bytes || record.length > IMAGE_BLOCK ||
		    record.offset - header->inodes_bytes > IMAGE_BLOCK)
			return false;
		end = record.offset - header->inodes_bytes + align_up(record.length, 8);
		record.offset += sizeof(record);
		last = record.type;
		memcpy(area + i * sizeof(record), &record, sizeof(record));
	}
	if (end < head || end + sizeof(struct image_table_record) + sizeof(content) > IMAGE_BLOCK)
		return false;
	memmove(area + head + sizeof(struct image_table_record), area + head, end - head);
	end += sizeof(struct image_table_record);
	last += 1 + random_below(random, 3);
	length = fill_table(content, last, image, header, survey, random);
	memcpy(area + end, content, length);
	memcpy(area + head,
	       &(struct image_table_record){ .type = last,
					     .flags = last == IMAGE_TABLE_EXTRA,
					     .offset = header->inodes_bytes + end,
					     .length = length },
	       sizeof(struct image_table_record));
	header->table_count++;
	header->unsaved += last == IMAGE_TABLE_UNSAVED;
	if (last == IMAGE_TABLE_MARKS)
		header->marked = (uint64_t)__builtin_popcount(content[0]);
	return true;
}

static size_t change_areas(uint8_t *image, size_t size, struct random *random,
			   const struct survey *survey)
{
	struct image_header header;
	size_t sum = 0;

	if (!read_areas(image, size, &header))
		return size;
	if (one_in(random, 3) ? add_block(image, &header, random)
			      : add_table(image, &header, survey, random))
		sum = add_up(image, size, &header);
	return sum ? sum : size;
}

/* Like a medium that lost a bit or a block: mostly in file data. */
static void damage(uint8_t *image, size_t size, struct random *random)
{
	struct image_header header;
	size_t end = size, at;

	if (read_areas(image, size, &header) && !one_in(random, 4))
		end = header.index_offset;
	if (end <= IMAGE_INDEX_COPY)
		return;
	if (one_in(random, 4)) {
		memset(image, 0, IMAGE_FIRST_BLOCK);
		return;
	}
	/* Also the copies, and what lies behind; hardly ever the zeroes in between. */
	at = one_in(random, 4) ? IMAGE_HEADER_BYTES : IMAGE_COPY_OFFSET;
	at += random_below(random, end - at);
	if (one_in(random, 4)) {
		at -= at % EROFS_BLOCK;
		memset(image + at, 0xff, size - at < EROFS_BLOCK ? size - at : EROFS_BLOCK);
	} else {
		image[at] ^= (uint8_t)(1u << random_below(random, 8));
	}
}

/* Wrong digests are rare, as little code after their check is reached. */
static void seal_by_chance(uint8_t *image, size_t size, struct random *random)
{
	static const enum seal_level levels[] = { SEAL_NONE, SEAL_HEADER, SEAL_TABLE };
	bool all = !one_in(random, 16);

	seal_image(image, size, all ? SEAL_ALL : levels[random_below(random, 3)]);
	if (one_in(random, 16))
		damage(image, size, random);
}

static uint8_t image[UNPACKED_MAX], other_image[UNPACKED_MAX];

static size_t change_bytes(uint8_t *data, size_t size, size_t max_size, struct random *random)
{
	if (size && one_in(random, 2))
		return 1 + random_below(random, size);
	return LLVMFuzzerMutate(data, size, max_size);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	struct random random = { seed };
	static struct survey survey;
	uint32_t changes = 1;

	if (size < 2 * IMAGE_FIRST_BLOCK || one_in(&random, 64)) {
		size = change_bytes(data, size, max_size, &random);
		size = unpack_image(data, size, image);
		seal_by_chance(image, size, &random);
		return pack_image(image, size, data, max_size);
	}
	size = unpack_image(data, size, image);
	while (changes < CHANGES_MAX && one_in(&random, 2))
		changes++;
	for (uint32_t i = 0; i < changes; i++) {
		/* Surveyed again each time, as the change may have moved things. */
		survey_image(image, size, &survey);
		if (one_in(&random, 8))
			size = change_areas(image, size, &random, &survey);
		else
			change_place(image, size, &survey, &random);
	}
	if (one_in(&random, 4)) {
		struct image_header header;
		size_t sum = 0;

		if (read_areas(image, size, &header))
			sum = add_up(image, size, &header);
		size = sum ? sum : size;
	}
	seal_by_chance(image, size, &random);
	return pack_image(image, size, data, max_size);
}

size_t LLVMFuzzerCustomCrossOver(const uint8_t *first, size_t first_size, const uint8_t *second,
				 size_t second_size, uint8_t *out, size_t max_size,
				 unsigned int seed)
{
	static struct survey survey, other;
	struct random random = { seed };
	size_t size = unpack_image(first, first_size, image);
	size_t other_size = unpack_image(second, second_size, other_image);
	uint32_t changes = 1 + random_below(&random, CHANGES_MAX);

	survey_image(image, size, &survey);
	survey_image(other_image, other_size, &other);
	for (uint32_t i = 0; i < changes; i++)
		change_by_other(image, &survey, other_image, &other, &random);
	seal_by_chance(image, size, &random);
	return pack_image(image, size, out, max_size);
}
