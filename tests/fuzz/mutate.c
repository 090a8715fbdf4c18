// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Mutations of images for libFuzzer: fields are changed according to their meaning, areas grow and
 * shrink, and then the digests are fixed, so that the code after their checks is reached. Some
 * images keep wrong digests.
 */
#include "change.h"
#include "image/erofs.h"
#include "fuzz.h"
#include "image/image-format.h"
#include "seal.h"

#include <stdbool.h>
#include <string.h>

#define CHANGES_MAX 6u

/* Whether the areas follow each other, so that they can be moved. */
static bool read_areas(const uint8_t *image, size_t size, struct image_header *ret_header)
{
	struct image_header header;

	if (size < IMAGE_DATA_OFFSET)
		return false;
	memcpy(&header, image, sizeof(header));
	if (header.meta_offset > size || header.inodes_bytes > size || header.extra_bytes > size ||
	    header.paths_bytes > size ||
	    header.meta_offset + header.inodes_bytes + header.extra_bytes + header.paths_bytes >
		    size)
		return false;
	*ret_header = header;
	return true;
}

static uint64_t segments_of(uint64_t bytes)
{
	return bytes / IMAGE_SEGMENT + !!(bytes % IMAGE_SEGMENT);
}

/* Sets what follows from the sizes of the areas. Returns the size of the image; 0 if too large. */
static size_t add_up(uint8_t *image, size_t size, size_t max_size, struct image_header *header)
{
	size_t end;

	header->extra_offset = header->meta_offset + header->inodes_bytes;
	header->paths_offset = header->extra_offset + header->extra_bytes;
	end = header->paths_offset + header->paths_bytes;
	header->meta_bytes = end - header->meta_offset;
	header->digests_offset = header->meta_offset + align_up(header->meta_bytes, EROFS_BLOCK);
	header->digests_count = segments_of(header->meta_offset) +
				segments_of(header->digests_offset - header->meta_offset);
	header->image_bytes =
		header->digests_offset +
		align_up(header->digests_count * sizeof(struct image_digest), EROFS_BLOCK);
	if (header->image_bytes > max_size)
		return 0;
	if (header->image_bytes > size)
		memset(image + size, 0, header->image_bytes - size);
	memcpy(image, header, sizeof(*header));
	return header->image_bytes;
}

/* Inserts @bytes at @at in the metadata; what follows moves. */
static bool make_room(uint8_t *image, size_t max_size, const struct image_header *header, size_t at,
		      size_t bytes)
{
	size_t end = header->meta_offset + header->inodes_bytes + header->extra_bytes +
		     header->paths_bytes;

	if (end + bytes > max_size)
		return false;
	memmove(image + at + bytes, image + at, end - at);
	memset(image + at, 0, bytes);
	return true;
}

/* Adds a block after the inodes, a copy of another metadata block. */
static bool add_block(uint8_t *image, size_t max_size, struct image_header *header,
		      struct random *random)
{
	size_t at = header->meta_offset + header->inodes_bytes;
	size_t blocks = header->inodes_bytes / EROFS_BLOCK;

	if (!make_room(image, max_size, header, at, EROFS_BLOCK))
		return false;
	if (blocks)
		memcpy(image + at,
		       image + header->meta_offset + random_below(random, blocks) * EROFS_BLOCK,
		       EROFS_BLOCK);
	header->inodes_bytes += EROFS_BLOCK;
	return true;
}

/* Adds an extra xattr of an existing inode. */
static bool add_extra(uint8_t *image, size_t max_size, struct image_header *header,
		      const struct survey *survey, struct random *random)
{
	static const char *const names[] = { "user.x",
					     "trusted.y",
					     "security.capability",
					     "system.posix_acl_access",
					     "system.no",
					     "none",
					     "user." };
	const char *name = names[random_below(random, sizeof(names) / sizeof(names[0]))];
	struct image_extra_xattr record = { .value_length = random_below(random, 40),
					    .name_length = (uint32_t)strlen(name) };
	size_t bytes = align_up(sizeof(record) + record.name_length + record.value_length, 8);
	size_t at = header->meta_offset + header->inodes_bytes + header->extra_bytes;
	const struct place *nid = any_place(survey, ROLE_NID, random);

	if (!nid)
		return false;
	memcpy(&record.nid, image + nid->offset, sizeof(record.nid));
	if (!make_room(image, max_size, header, at, bytes))
		return false;
	memcpy(image + at, &record, sizeof(record));
	memcpy(image + at + sizeof(record), name, record.name_length);
	header->extra_bytes += bytes;
	return true;
}

/* Adds a path, made of an existing name. */
static bool add_path(uint8_t *image, size_t max_size, struct image_header *header,
		     const struct survey *survey, struct random *random)
{
	const struct place *name = any_place(survey, ROLE_NAME, random);
	size_t at = header->meta_offset + header->inodes_bytes + header->extra_bytes;
	size_t parent = 0, room, length;
	char path[512];

	if (!name)
		return false;
	/* Beneath the first path, or the root. */
	room = header->paths_bytes < sizeof(path) / 2 ? header->paths_bytes : sizeof(path) / 2;
	if (one_in(random, 2))
		parent = strnlen((const char *)image + at, room);
	memcpy(path, image + at, parent);
	path[parent] = '/';
	length = name->bytes < 200 ? name->bytes : 200;
	length = strnlen((const char *)image + name->offset, length);
	memcpy(path + parent + 1, image + name->offset, length);
	length += parent + 1;
	path[length++] = '\0';
	at += header->paths_bytes;
	if (!make_room(image, max_size, header, at, length))
		return false;
	memcpy(image + at, path, length);
	header->paths_bytes += length;
	return true;
}

/* Removes the last path, or a part of it, or of the extra xattrs. */
static void shorten(const uint8_t *image, struct image_header *header, struct random *random)
{
	const uint8_t *paths =
		image + header->meta_offset + header->inodes_bytes + header->extra_bytes;

	if (header->extra_bytes >= 8 && one_in(random, 3)) {
		header->extra_bytes -= 8;
		return;
	}
	if (header->paths_bytes)
		header->paths_bytes--;
	if (one_in(random, 2))
		while (header->paths_bytes && paths[header->paths_bytes - 1])
			header->paths_bytes--;
}

static size_t change_areas(uint8_t *image, size_t size, size_t max_size, struct random *random,
			   const struct survey *survey)
{
	struct image_header header;
	bool changed;
	size_t sum;

	if (!read_areas(image, size, &header))
		return size;
	switch (random_below(random, 4)) {
	case 0:
		changed = add_block(image, max_size, &header, random);
		break;
	case 1:
		changed = add_extra(image, max_size, &header, survey, random);
		break;
	case 2:
		changed = add_path(image, max_size, &header, survey, random);
		break;
	default:
		changed = true;
		shorten(image, &header, random);
	}
	sum = changed ? add_up(image, size, max_size, &header) : 0;
	return sum ? sum : size;
}

/* Like a medium that lost a bit or a block: mostly in file data. */
static void damage(uint8_t *image, size_t size, struct random *random)
{
	struct image_header header;
	size_t end = size, at;

	if (read_areas(image, size, &header) && !one_in(random, 4))
		end = header.meta_offset;
	if (end <= IMAGE_DATA_OFFSET)
		return;
	if (one_in(random, 4)) {
		memset(image, 0, IMAGE_FIRST_BLOCK);
		return;
	}
	at = IMAGE_HEADER_BYTES + random_below(random, end - IMAGE_HEADER_BYTES);
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

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	struct random random = { seed };
	static struct survey survey;
	uint32_t changes = 1;

	if (size < IMAGE_DATA_OFFSET || one_in(&random, 64)) {
		if (size && one_in(&random, 2))
			size = 1 + random_below(&random, size);
		else
			size = LLVMFuzzerMutate(data, size, max_size);
		seal_by_chance(data, size, &random);
		return size;
	}
	while (changes < CHANGES_MAX && one_in(&random, 2))
		changes++;
	for (uint32_t i = 0; i < changes; i++) {
		/* Surveyed again each time, as the change may have moved things. */
		survey_image(data, size, &survey);
		if (one_in(&random, 8))
			size = change_areas(data, size, max_size, &random, &survey);
		else
			change_place(data, size, &survey, &random);
	}
	if (one_in(&random, 4)) {
		struct image_header header;
		size_t sum = 0;

		if (read_areas(data, size, &header))
			sum = add_up(data, size, max_size, &header);
		size = sum ? sum : size;
	}
	seal_by_chance(data, size, &random);
	return size;
}

size_t LLVMFuzzerCustomCrossOver(const uint8_t *first, size_t first_size, const uint8_t *second,
				 size_t second_size, uint8_t *out, size_t max_size,
				 unsigned int seed)
{
	static struct survey survey, other;
	struct random random = { seed };
	size_t size = first_size < max_size ? first_size : max_size;
	uint32_t changes = 1 + random_below(&random, CHANGES_MAX);

	memcpy(out, first, size);
	survey_image(out, size, &survey);
	survey_image(second, second_size, &other);
	for (uint32_t i = 0; i < changes; i++)
		change_by_other(out, &survey, second, &other, &random);
	seal_by_chance(out, size, &random);
	return size;
}
