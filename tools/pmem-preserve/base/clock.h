/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The two clocks of the program: one that never jumps, for deadlines, and the time of day. */
#ifndef PMEM_PRESERVE_CLOCK_H
#define PMEM_PRESERVE_CLOCK_H

#include <stdint.h>
#include <time.h>

#define NS_PER_MS     1000000ull
#define NS_PER_SECOND 1000000000ull

static inline uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * NS_PER_SECOND + (uint64_t)now.tv_nsec;
}

/* Monotonic time. */
static inline uint64_t now_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

/* Since the Unix epoch. */
static inline uint64_t unix_ns(void)
{
	return clock_ns(CLOCK_REALTIME);
}

/* When this boot began, by the same clock; of the kernel, which a kexec starts, too. */
static inline uint64_t boot_unix_ns(void)
{
	return unix_ns() - clock_ns(CLOCK_BOOTTIME);
}

static inline double seconds_since(uint64_t start_ns)
{
	return (double)(now_ns() - start_ns) / (double)NS_PER_SECOND;
}

#endif
