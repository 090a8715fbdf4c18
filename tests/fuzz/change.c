// SPDX-License-Identifier: GPL-2.0-or-later
#include "change.h"

#include "image/erofs.h"
#include "fuzz.h"
#include "image/image-format.h"

#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Names and targets that lead out of the target, to what the sandbox watches. */
static const char *const texts[] = {
	".",
	"..",
	"/",
	"//",
	"../",
	"../x",
	"a/b",
	"/mnt/x",
	"/mnt/outside",
	"/mnt/outside/x",
	"/mnt/outside/file",
	"../../../../../../../mnt/x",
	"../../../../../../../mnt/outside/file",
	"\xff\xfe",
	"\xf0\x9f\x92\xbe",
	"\xed\xa0\x80",
	"\n\x1b[2J",
};

static const uint64_t sizes[] = {
	0,
	1,
	11,
	12,
	13,
	4095,
	4096,
	4097,
	8192,
	65535,
	65536,
	IMAGE_SEGMENT,
	IMAGE_SPAN,
	UINT32_MAX,
	(uint64_t)UINT32_MAX *EROFS_BLOCK,
	INT64_MAX,
	INT64_MAX - 4095,
	UINT64_MAX - 4095,
};

static const uint32_t modes[] = { S_IFREG, S_IFDIR, S_IFCHR, S_IFBLK, S_IFIFO, S_IFSOCK, S_IFLNK };
static const uint8_t types[] = {
	EROFS_TYPE_REGULAR, EROFS_TYPE_DIRECTORY, EROFS_TYPE_CHARACTER, EROFS_TYPE_BLOCK,
	EROFS_TYPE_FIFO,    EROFS_TYPE_SOCKET,	  EROFS_TYPE_SYMLINK,
};

static const uint64_t phases[] = { IMAGE_PHASE_WRITING, IMAGE_PHASE_COMMITTED,
				   IMAGE_PHASE_RESTORED };

/* How often a role is chosen: rarely where most values are valid, or where one try is enough. */
static const uint8_t weights[ROLES] = {
	[ROLE_NUMBER] = 1, [ROLE_AREA] = 3,  [ROLE_SIZE] = 4,  [ROLE_LENGTH] = 4,
	[ROLE_PHASE] = 1,  [ROLE_STORE] = 1, [ROLE_MODE] = 2,  [ROLE_FORMAT] = 2,
	[ROLE_NID] = 4,	   [ROLE_TYPE] = 2,  [ROLE_TEXT] = 2,  [ROLE_BLOCK] = 4,
	[ROLE_CHUNK] = 3,  [ROLE_NAME] = 3,  [ROLE_INODE] = 1, [ROLE_BYTES] = 1,
};

static enum role any_role(struct random *random)
{
	uint32_t sum = 0, at;
	enum role role = 0;

	for (uint32_t i = 0; i < ROLES; i++)
		sum += weights[i];
	for (at = random_below(random, sum); at >= weights[role]; role++)
		at -= weights[role];
	return role;
}

const struct place *any_place(const struct survey *survey, enum role role, struct random *random)
{
	if (survey->by_role[role] == 0)
		return NULL;
	return survey_place(survey, role, random_below(random, survey->by_role[role]));
}

static uint64_t get(const uint8_t *image, const struct place *place)
{
	uint64_t value = 0;

	memcpy(&value, image + place->offset, place->bytes < 8 ? place->bytes : 8);
	return value;
}

static void put(uint8_t *image, const struct place *place, uint64_t value)
{
	memcpy(image + place->offset, &value, place->bytes < 8 ? place->bytes : 8);
}

/* Values that a field of this role may have, or just may not. */
static uint64_t value_for(const uint8_t *image, size_t size, const struct survey *survey,
			  const struct place *place, struct random *random)
{
	const struct place *other;
	uint64_t old = get(image, place);

	switch (place->role) {
	case ROLE_PHASE:
		return phases[random_below(random, COUNT(phases))];
	case ROLE_STORE:
		return one_in(random, 2) ? size : 0;
	case ROLE_FORMAT:
		return random_below(random, 6) << 1 | !one_in(random, 8);
	case ROLE_MODE:
		return one_in(random, 2)
			       ? (old & S_IFMT) | random_below(random, 010000)
			       : (old & ~S_IFMT) | modes[random_below(random, COUNT(modes))];
	case ROLE_TYPE:
		return random_below(random, 9);
	case ROLE_AREA:
	case ROLE_SIZE:
	case ROLE_LENGTH:
		return sizes[random_below(random, COUNT(sizes))];
	case ROLE_CHUNK:
		if (one_in(random, 2))
			return EROFS_NULL_BLOCK;
		/* fallthrough */
	case ROLE_BLOCK:
		other = any_place(survey, one_in(random, 2) ? ROLE_BLOCK : ROLE_CHUNK, random);
		return (other ? get(image, other) : old) + random_below(random, 3) - 1;
	default:
		return random_bits(random);
	}
}

static void change_number(uint8_t *image, size_t size, const struct survey *survey,
			  const struct place *place, struct random *random)
{
	unsigned int bits = place->bytes < 8 ? 8 * place->bytes : 64;
	static const uint16_t steps[] = { 1, 1, 2, 4, 8, 12, 64, 4096 };
	uint64_t value = get(image, place), step = steps[random_below(random, COUNT(steps))];
	const struct place *other;

	switch (random_below(random, 9)) {
	case 0:
		value = one_in(random, 2) ? 0 : UINT64_MAX;
		break;
	case 1:
		value = (1ull << (bits - 1)) - random_below(random, 2);
		break;
	case 2:
		value += one_in(random, 2) ? step : -step;
		break;
	case 3:
		value ^= 1ull << random_below(random, bits);
		break;
	case 4:
		other = any_place(survey, place->role, random);
		value = get(image, other);
		break;
	case 5:
		LLVMFuzzerMutate(image + place->offset, place->bytes, place->bytes);
		return;
	case 6:
		/* All magnitudes are equally likely. */
		value = random_bits(random) >> random_below(random, 64);
		break;
	default:
		value = value_for(image, size, survey, place, random);
	}
	put(image, place, value);
}

/* Another inode for a directory entry, with the matching file type. */
static void change_nid(uint8_t *image, const struct survey *survey, const struct place *place,
		       struct random *random)
{
	const struct place *other = any_place(survey, ROLE_NID, random);

	memcpy(image + place->offset, image + other->offset, sizeof(uint64_t));
	if (other + 2 < survey->places + survey->count && other[2].role == ROLE_TYPE &&
	    place + 2 < survey->places + survey->count && place[2].role == ROLE_TYPE)
		image[place[2].offset] = image[other[2].offset];
}

/* Another type of inode, with the matching type in its directory entry. */
static void change_kind(uint8_t *image, size_t size, const struct survey *survey,
			const struct place *place, struct random *random)
{
	uint32_t kind = random_below(random, COUNT(modes));
	struct image_header header;
	struct erofs_inode inode;
	uint64_t nid, at;

	if (place + 2 >= survey->places + survey->count || place[2].role != ROLE_TYPE)
		return;
	memcpy(&header, image, sizeof(header));
	memcpy(&nid, image + place->offset, sizeof(nid));
	at = header.index_offset + (nid << EROFS_NID_SHIFT);
	if (nid > size || at > size || size - at < sizeof(inode))
		return;
	memcpy(&inode, image + at, sizeof(inode));
	inode.mode = (uint16_t)((inode.mode & ~S_IFMT) | modes[kind]);
	if (one_in(random, 2))
		inode.format = EROFS_PLAIN << 1 | 1;
	memcpy(image + at, &inode, sizeof(inode));
	image[place[2].offset] = types[kind];
}

static void change_text(uint8_t *image, const struct survey *survey, const struct place *place,
			struct random *random)
{
	uint8_t *at = image + place->offset;
	const char *text = texts[random_below(random, COUNT(texts))];
	const struct place *other;
	size_t length;

	switch (random_below(random, 6)) {
	case 0:
	case 5:
		length = strlen(text) < place->bytes ? strlen(text) : place->bytes;
		memcpy(at, text, length);
		/* Only the last name in a block may be followed by padding. */
		if (place->role == ROLE_TEXT ? one_in(random, 2) : one_in(random, 8))
			memset(at + length, 0, place->bytes - length);
		break;
	case 1:
		at[random_below(random, place->bytes)] = "/\0.\xff"[random_below(random, 4)];
		break;
	case 2:
		other = any_place(survey, place->role, random);
		length = other->bytes < place->bytes ? other->bytes : place->bytes;
		memmove(at, image + other->offset, length);
		break;
	case 3:
		at[random_below(random, place->bytes)]++;
		break;
	default:
		LLVMFuzzerMutate(at, place->bytes, place->bytes);
	}
}

void change_place(uint8_t *image, size_t size, const struct survey *survey, struct random *random)
{
	const struct place *place = NULL, *other;

	if (survey->count == 0)
		return;
	while (!place)
		place = any_place(survey, any_role(random), random);
	switch (place->role) {
	case ROLE_NID:
		if (one_in(random, 3))
			change_nid(image, survey, place, random);
		else if (one_in(random, 2))
			change_kind(image, size, survey, place, random);
		else
			change_number(image, size, survey, place, random);
		break;
	case ROLE_TEXT:
	case ROLE_NAME:
		change_text(image, survey, place, random);
		break;
	case ROLE_BYTES:
		LLVMFuzzerMutate(image + place->offset, place->bytes, place->bytes);
		break;
	case ROLE_INODE:
		other = any_place(survey, ROLE_INODE, random);
		memmove(image + place->offset, image + other->offset,
			other->bytes < place->bytes ? other->bytes : place->bytes);
		break;
	default:
		change_number(image, size, survey, place, random);
	}
}

void change_by_other(uint8_t *image, const struct survey *survey, const uint8_t *other,
		     const struct survey *other_survey, struct random *random)
{
	enum role role = any_role(random);
	const struct place *to = any_place(survey, role, random);
	const struct place *from = any_place(other_survey, role, random);

	if (to && from)
		memcpy(image + to->offset, other + from->offset,
		       to->bytes < from->bytes ? to->bytes : from->bytes);
}
