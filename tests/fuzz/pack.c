// SPDX-License-Identifier: GPL-2.0-or-later
#include "pack.h"

#include "image/erofs.h"
#include "image/image-format.h"

#include <string.h>

/* Where the gaps are, as the header says, or its copy if there is no header. */
struct gaps {
	uint64_t copies_end;
	uint64_t data;
};

static struct gaps gaps_of(const uint8_t *first, const uint8_t *copy)
{
	struct image_header header;
	struct gaps gaps;

	memcpy(&header, first, sizeof(header));
	if (header.index_bytes == 0)
		memcpy(&header, copy, sizeof(header));
	gaps.copies_end = IMAGE_INDEX_COPY;
	if (header.index_bytes % IMAGE_BLOCK == 0 &&
	    header.index_bytes < UNPACKED_MAX - IMAGE_INDEX_COPY)
		gaps.copies_end += header.index_bytes;
	gaps.data = align_up(gaps.copies_end, IMAGE_SPAN);
	return gaps;
}

/* Copies what is there of the @length bytes at @from to @to. Returns how much that is. */
static size_t take(const uint8_t *from, size_t size, size_t at, uint8_t *to, size_t max,
		   size_t place, size_t length)
{
	if (at >= size || place >= max)
		return 0;
	if (length > size - at)
		length = size - at;
	if (length > max - place)
		length = max - place;
	memcpy(to + place, from + at, length);
	return length;
}

size_t unpack_image(const uint8_t *input, size_t size, uint8_t *image)
{
	struct gaps gaps;
	size_t copies, done;

	if (size < 2 * IMAGE_FIRST_BLOCK)
		return take(input, size, 0, image, UNPACKED_MAX, 0, size);
	gaps = gaps_of(input, input + IMAGE_FIRST_BLOCK);
	copies = gaps.copies_end - IMAGE_COPY_OFFSET;
	memset(image, 0, gaps.data < UNPACKED_MAX ? gaps.data : UNPACKED_MAX);
	memcpy(image, input, IMAGE_FIRST_BLOCK);
	done = take(input, size, IMAGE_FIRST_BLOCK, image, UNPACKED_MAX, IMAGE_COPY_OFFSET, copies);
	if (done < copies)
		return IMAGE_COPY_OFFSET + done;
	return gaps.data +
	       take(input, size, IMAGE_FIRST_BLOCK + copies, image, UNPACKED_MAX, gaps.data, size);
}

size_t pack_image(const uint8_t *image, size_t size, uint8_t *input, size_t max)
{
	struct gaps gaps;
	size_t copies, done;

	if (size < IMAGE_INDEX_COPY)
		return take(image, size < 2 * IMAGE_FIRST_BLOCK ? size : IMAGE_FIRST_BLOCK, 0,
			    input, max, 0, size);
	gaps = gaps_of(image, image + IMAGE_COPY_OFFSET);
	copies = gaps.copies_end - IMAGE_COPY_OFFSET;
	done = take(image, size, 0, input, max, 0, IMAGE_FIRST_BLOCK);
	done += take(image, size, IMAGE_COPY_OFFSET, input, max, done, copies);
	if (done < IMAGE_FIRST_BLOCK + copies)
		return done;
	return done + take(image, size, gaps.data, input, max, done, size);
}
