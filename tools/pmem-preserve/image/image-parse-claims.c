// SPDX-License-Identifier: GPL-2.0-or-later
/* Which byte of an untrusted index belongs to what: to one thing, or to nothing and then it is zero. */
#include "image/image-parse.h"

#include <errno.h>
#include <stdlib.h>

struct claim {
	uint64_t start;
	uint64_t end;
	uint32_t entry;
};

bool parse_is_zero(const uint8_t *bytes, uint64_t length)
{
	return length == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, (size_t)length - 1) == 0);
}

int parse_claim(struct parse *parse, uint32_t index, uint64_t start, uint64_t length)
{
	/* This bounds what a hostile image can cost before its claims are compared. */
	if (length > parse->left)
		return parse_bad(parse, index, "bytes shared with another inode");
	parse->left -= length;
	if (parse->claim_count == parse->claim_capacity) {
		size_t capacity = parse->claim_capacity ? 2 * parse->claim_capacity : 256;
		struct claim *larger = reallocarray(parse->claims, capacity, sizeof(*larger));

		if (!larger)
			return parse_no_memory(parse, -ENOMEM);
		parse->claims = larger;
		parse->claim_capacity = capacity;
	}
	parse->claims[parse->claim_count++] = (struct claim){ start, start + length, index };
	return 0;
}

static int compare_claims(const void *a, const void *b)
{
	const struct claim *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

int parse_check_claims(struct parse *parse)
{
	const uint8_t *area = parse->image->index;
	uint64_t at = 0;

	qsort(parse->claims, parse->claim_count, sizeof(*parse->claims), compare_claims);
	for (size_t i = 0; i < parse->claim_count; i++) {
		const struct claim *claim = &parse->claims[i];

		if (claim->start < at)
			return parse_bad(parse, claim->entry, "bytes shared with another inode");
		if (claim->start - at >= IMAGE_BLOCK)
			return parse_bad(parse, claim->entry,
					 "a gap of more than 4095 bytes precedes its inode");
		if (!parse_is_zero(area + at, claim->start - at))
			return parse_bad(parse, claim->entry,
					 "what precedes its inode is not zero");
		at = claim->end;
	}
	if (parse->area - at >= IMAGE_BLOCK || !parse_is_zero(area + at, parse->area - at))
		return parse_bad(parse, 0, "what follows the inodes is not zero");
	return 0;
}
