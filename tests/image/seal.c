// SPDX-License-Identifier: GPL-2.0-or-later
#include "seal.h"

#include "image/image-format.h"

#include <string.h>
#include <xxhash.h>

static void digest(const void *data, size_t length, struct image_digest *ret_digest)
{
	XXH128_canonical_t canonical;

	XXH128_canonicalFromHash(&canonical, XXH3_128bits(data, length));
	memcpy(ret_digest->bytes, canonical.digest, sizeof(ret_digest->bytes));
}

/* The metadata begins with a new segment. */
static void seal_area(uint8_t *image, size_t size, uint64_t start, uint64_t end, uint64_t place)
{
	for (uint64_t base = start; base < end; base += IMAGE_SEGMENT) {
		uint64_t from = base ? base : IMAGE_DATA_OFFSET;
		uint64_t to = end - base < IMAGE_SEGMENT ? end : base + IMAGE_SEGMENT;
		struct image_digest sum;

		if (from > to || to > size || place > size - sizeof(sum))
			return;
		digest(image + from, to - from, &sum);
		memcpy(image + place, &sum, sizeof(sum));
		place += sizeof(sum);
	}
}

static void seal_segments(const struct image_header *header, uint8_t *image, size_t size)
{
	uint64_t data =
		header->meta_offset / IMAGE_SEGMENT + !!(header->meta_offset % IMAGE_SEGMENT);

	if (header->meta_offset > size || header->digests_offset > size)
		return;
	seal_area(image, size, 0, header->meta_offset, header->digests_offset);
	seal_area(image, size, header->meta_offset, header->digests_offset,
		  header->digests_offset + data * sizeof(struct image_digest));
}

void seal_image(uint8_t *image, size_t size, enum seal_level level)
{
	struct image_header header, zeroed;

	if (size < sizeof(header) || level == SEAL_NONE)
		return;
	memcpy(&header, image, sizeof(header));
	if (level != SEAL_HEADER && header.digests_offset <= size &&
	    header.digests_count <= (size - header.digests_offset) / sizeof(struct image_digest)) {
		if (level == SEAL_ALL) {
			seal_segments(&header, image, size);
			digest(image + IMAGE_HEADER_BYTES, IMAGE_FIRST_BLOCK - IMAGE_HEADER_BYTES,
			       &header.super_digest);
		}
		digest(image + header.digests_offset,
		       header.digests_count * sizeof(struct image_digest), &header.root_digest);
	}
	digest(header.timeline.at, sizeof(header.timeline.at), &header.timeline.digest);
	zeroed = header;
	zeroed.phase = 0;
	memset(&zeroed.timeline, 0, sizeof(zeroed.timeline));
	memset(&zeroed.header_digest, 0, sizeof(zeroed.header_digest));
	digest(&zeroed, sizeof(zeroed), &header.header_digest);
	memcpy(image, &header, sizeof(header));
	if (size < IMAGE_DATA_OFFSET)
		return;
	memcpy(image + IMAGE_FIRST_BLOCK, image, IMAGE_FIRST_BLOCK);
	memcpy(image + IMAGE_FIRST_BLOCK, IMAGE_COPY_MAGIC, sizeof(header.magic));
}
