/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Why a memory block could not go offline or online, in words: from the attribute last_failure of
 * the kmem driver, or guessed from the kernel's error.
 */
#ifndef PMEM_PRESERVE_MEMORY_FAILURE_H
#define PMEM_PRESERVE_MEMORY_FAILURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct memory_block;

enum memory_rollback {
	ROLLBACK_UNKNOWN,
	ROLLBACK_NONE, /* there was nothing to roll back */
	ROLLBACK_COMPLETE,
	ROLLBACK_INCOMPLETE,
};

struct memory_failure {
	char operation[8];    /* "unplug", "online" */
	int error;	      /* -errno; 0 without a failure */
	bool has_block;	      /* the block that failed is @block */
	bool has_pfn;	      /* because of the page @pfn */
	uint64_t block;	      /* N of memoryN */
	uint64_t block_bytes; /* size of a block */
	uint64_t pfn;
	char class[16]; /* "pinned", "kernel-zone"..., or "unknown" */
	enum memory_rollback rollback;
};

/*
 * Parses last_failure of a driver, lines of KEY=VALUE; changes @text. Unknown keys and invalid
 * values are ignored. -ENODATA: there was no failure, or the text does not describe one.
 */
int memory_failure_parse(char *text, uint64_t block_bytes, struct memory_failure *ret_failure);

/* Reads that of a dax device ("dax0.0"); -ENOENT if its driver has none. Not reported. */
int memory_failure_read(const char *device, uint64_t block_bytes,
			struct memory_failure *ret_failure);

/* What the error says by itself. @block: the one that failed, as it was before; may be NULL. */
struct memory_failure memory_failure_guess(int error, const struct memory_block *block,
					   uint64_t block_bytes);

/* The block with its addresses, or "its memory". */
struct failure_text {
	char text[256];
};
struct failure_text memory_failure_block(const struct memory_failure *failure);

/* The reason, to follow a colon; and what to do about it, or "". */
struct failure_text memory_failure_reason(const struct memory_failure *failure);
const char *memory_failure_advice(const struct memory_failure *failure);

/* "none", "complete", "incomplete", or NULL if unknown. */
const char *memory_rollback_name(enum memory_rollback rollback);

#endif
