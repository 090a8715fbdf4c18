/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Why a memory block did not go offline or online, in words: as the kmem driver tells it in its
 * attribute last_failure, or else as far as the kernel's error tells. It must not know what was
 * going to be done with the memory.
 */
#ifndef PMEM_PRESERVE_MEMORY_FAILURE_H
#define PMEM_PRESERVE_MEMORY_FAILURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct memory_block;

enum memory_rollback {
	ROLLBACK_UNKNOWN,
	ROLLBACK_NONE, /* nothing had been done yet */
	ROLLBACK_COMPLETE,
	ROLLBACK_INCOMPLETE,
};

struct memory_failure {
	char operation[8];    /* "unplug", "online" */
	int error;	      /* -errno; 0: there was no failure */
	bool has_block;	      /* a block is to blame: @block */
	bool has_pfn;	      /* and in it a page: @pfn */
	uint64_t block;	      /* memoryN */
	uint64_t block_bytes; /* size of one */
	uint64_t pfn;
	char class[16]; /* "pinned", "kernel-zone"...; "unknown" */
	enum memory_rollback rollback;
};

/*
 * Takes last_failure of a driver apart, which is lines of KEY=VALUE. Keys that are not known are
 * passed over, and values that make no sense are as good as none.
 *
 * -ENODATA: there was no failure, or what is there does not tell one.
 */
int memory_failure_parse(char *text, uint64_t block_bytes, struct memory_failure *ret_failure);

/* The same of a dax device ("dax0.0"); -ENOENT when its driver does not tell. Not reported. */
int memory_failure_read(const char *device, uint64_t block_bytes,
			struct memory_failure *ret_failure);

/* What the error alone tells. @block: the one to blame, as it was before; may be NULL. */
struct memory_failure memory_failure_guess(int error, const struct memory_block *block,
					   uint64_t block_bytes);

/* The block with its addresses, or "its memory". */
struct failure_text {
	char text[256];
};
struct failure_text memory_failure_block(const struct memory_failure *failure);

/* Why, to follow a colon; and what to do about it, "" when there is nothing. */
struct failure_text memory_failure_reason(const struct memory_failure *failure);
const char *memory_failure_advice(const struct memory_failure *failure);

/* "none", "complete", "incomplete"; NULL: unknown. */
const char *memory_rollback_name(enum memory_rollback rollback);

#endif
