// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Makes the digests of images right again that were changed on purpose, so that what lies behind
 * them is tested. Files that are too short, or whose header makes no sense, get what they can have.
 *
 *	reseal all|table|header FILE...
 *
 * all: digests of the segments, of their table, and of the header; table: the last two; header:
 * only the header's own. Whatever is wrong besides the digests stays wrong.
 */
#include "image-format.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#define FILE_BYTES_MAX (64ul << 20)

static void digest(const void *data, size_t length, struct image_digest *ret_digest)
{
	XXH128_canonical_t canonical;

	XXH128_canonicalFromHash(&canonical, XXH3_128bits(data, length));
	memcpy(ret_digest->bytes, canonical.digest, sizeof(ret_digest->bytes));
}

/* Segments begin anew at the metadata, and the first one leaves the header out. */
static void seal_area(uint8_t *image, size_t size, uint64_t start, uint64_t end, uint64_t place)
{
	for (uint64_t base = start; base < end; base += IMAGE_SEGMENT) {
		uint64_t from = base ? base : IMAGE_HEADER_BYTES;
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

static void seal(const char *level, uint8_t *image, size_t size)
{
	struct image_header header;

	if (size < sizeof(header))
		return;
	memcpy(&header, image, sizeof(header));
	if (strcmp(level, "header") != 0 && header.digests_offset <= size &&
	    header.digests_count <= (size - header.digests_offset) / sizeof(struct image_digest)) {
		if (strcmp(level, "all") == 0)
			seal_segments(&header, image, size);
		digest(image + header.digests_offset,
		       header.digests_count * sizeof(struct image_digest), &header.root_digest);
	}
	digest(header.timeline.at, sizeof(header.timeline.at), &header.timeline.digest);
	memcpy(image, &header, sizeof(header));
	header.phase = 0;
	memset(&header.timeline, 0, sizeof(header.timeline));
	memset(&header.header_digest, 0, sizeof(header.header_digest));
	digest(&header, sizeof(header), &((struct image_header *)image)->header_digest);
}

static int reseal(const char *level, const char *path)
{
	FILE *file = fopen(path, "r+be");
	uint8_t *image = malloc(FILE_BYTES_MAX);
	int r = -1;

	if (file && image) {
		size_t size = fread(image, 1, FILE_BYTES_MAX, file);

		seal(level, image, size);
		rewind(file);
		r = fwrite(image, 1, size, file) == size ? 0 : -1;
	}
	if (file && fclose(file) != 0)
		r = -1;
	free(image);
	if (r < 0)
		fprintf(stderr, "reseal: %s: cannot be read and written\n", path);
	return r;
}

int main(int argc, char **argv)
{
	int status = argc < 3;

	for (int i = 2; i < argc; i++)
		status |= reseal(argv[1], argv[i]) < 0;
	return status;
}
