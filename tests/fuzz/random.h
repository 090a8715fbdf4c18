/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pseudo-random numbers (SplitMix64), reproducible by their seed. */
#ifndef PMEM_PRESERVE_RANDOM_H
#define PMEM_PRESERVE_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

struct random {
	uint64_t state;
};

static inline uint64_t random_bits(struct random *random)
{
	uint64_t z = random->state += 0x9e3779b97f4a7c15ull;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

/* Less than @limit, which is not 0. */
static inline uint32_t random_below(struct random *random, uint64_t limit)
{
	return (uint32_t)(random_bits(random) % limit);
}

static inline bool one_in(struct random *random, uint32_t count)
{
	return random_below(random, count) == 0;
}

#endif
