/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Making the digests of an image right again that was changed on purpose, so that what lies behind
 * them is tested. Written independently of the program's own reader and writer.
 */
#ifndef PMEM_PRESERVE_SEAL_H
#define PMEM_PRESERVE_SEAL_H

#include <stddef.h>
#include <stdint.h>

enum seal_level {
	SEAL_NONE,
	SEAL_HEADER, /* only the header's own digest, and its timeline's */
	SEAL_TABLE,  /* and that of the table of digests */
	SEAL_ALL,    /* and those of the segments */
};

/*
 * An image that is too short, or whose header makes no sense, gets what it can have. Whatever is
 * wrong besides the digests stays wrong.
 */
void seal_image(uint8_t *image, size_t size, enum seal_level level);

#endif
