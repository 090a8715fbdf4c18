/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An input of the fuzzer is an image without the zeroes between its parts, which are 2 MiB in the
 * smallest one: the first block; its copy and that of the index; data and index. Inputs of less than
 * two blocks are images as they are.
 */
#ifndef PMEM_PRESERVE_PACK_H
#define PMEM_PRESERVE_PACK_H

#include <stddef.h>
#include <stdint.h>

/* The largest image that is unpacked; an input that would be more is cut off. */
#define UNPACKED_MAX (8u << 20)

/* Both return the size of what they have written: to @image, of UNPACKED_MAX; at most @max. */
size_t unpack_image(const uint8_t *input, size_t size, uint8_t *image);
size_t pack_image(const uint8_t *image, size_t size, uint8_t *input, size_t max);

#endif
