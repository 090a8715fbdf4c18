/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The functions that libFuzzer calls. An input is an image, packed (pack.h). */
#ifndef PMEM_PRESERVE_FUZZ_H
#define PMEM_PRESERVE_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *first, size_t first_size, const uint8_t *second,
				 size_t second_size, uint8_t *out, size_t max_size,
				 unsigned int seed);

/* The mutations of libFuzzer, which know the values that the program has compared its input with. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

/*
 * The options of a target are taken from this byte of the image, which the reader ignores: the last
 * byte of the header's uuid. So an input alone determines what happens with it.
 */
#define CHOICE_OFFSET 63u

static inline uint8_t choice_of(const uint8_t *data, size_t size)
{
	return size > CHOICE_OFFSET ? data[CHOICE_OFFSET] : 0;
}

#endif
