/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fixing the digests of an image that was changed on purpose, so that the code after their checks is
 * tested. Written independently of the program's own reader and writer.
 */
#ifndef PMEM_PRESERVE_SEAL_H
#define PMEM_PRESERVE_SEAL_H

#include <stddef.h>
#include <stdint.h>

enum seal_level {
	SEAL_NONE,
	SEAL_HEADER, /* only the header's own digest, and its timeline's */
	SEAL_TABLE,  /* also those of the blocks of digests; the copy of the index is made again */
	SEAL_ALL,    /* also those of all other blocks: the leaves */
};

/*
 * In an image that is too short, or whose header is not valid, what can be found is fixed. Nothing
 * but digests is changed.
 */
void seal_image(uint8_t *image, size_t size, enum seal_level level);

#endif
