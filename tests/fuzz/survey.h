/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finds the fields of an image, for the mutator to change. The image is not trusted: as much is
 * found as there is.
 */
#ifndef PMEM_PRESERVE_SURVEY_H
#define PMEM_PRESERVE_SURVEY_H

#include <stddef.h>
#include <stdint.h>

/* The meaning of a place: a value can be copied between places with the same role. */
enum role {
	ROLE_NUMBER, /* anything else */
	ROLE_AREA,   /* of the header: offsets and sizes of the areas */
	ROLE_SIZE,   /* of a file, or of a large value */
	ROLE_LENGTH, /* of something within a block: names, values, offsets of names */
	ROLE_PHASE,
	ROLE_STORE, /* size of the device */
	ROLE_FORMAT,
	ROLE_MODE,
	ROLE_NID,
	ROLE_TYPE,
	ROLE_BLOCK,
	ROLE_CHUNK, /* a block, in an array of them */
	ROLE_TEXT,
	ROLE_NAME,
	ROLE_BYTES, /* file data, digests, values of xattrs */
	ROLE_INODE, /* a whole inode */
	ROLES,
};

struct place {
	size_t offset;
	uint32_t bytes;
	enum role role;
};

#define PLACES_MAX 8192u

struct survey {
	size_t count;
	uint32_t by_role[ROLES];
	struct place places[PLACES_MAX];
};

void survey_image(const uint8_t *image, size_t size, struct survey *ret_survey);

/* The @number-th place with @role, which is less than by_role[@role]. */
const struct place *survey_place(const struct survey *survey, enum role role, uint32_t number);

#endif
