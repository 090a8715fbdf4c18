/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What libFuzzer calls. An input is an image, as it would lie in a file. */
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

/* libFuzzer's own mutations, which know what the program has compared its input with. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

/*
 * What a target does besides the usual is drawn from this byte of the image, which means nothing to
 * the reader: the last one of the header's uuid. So an input alone says what happens with it.
 */
#define CHOICE_OFFSET 47u

static inline uint8_t choice_of(const uint8_t *data, size_t size)
{
	return size > CHOICE_OFFSET ? data[CHOICE_OFFSET] : 0;
}

#endif
