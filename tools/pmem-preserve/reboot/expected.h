/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The checkpoint that the next boot is to find: a boot that does not find it can tell that the state
 * was lost, where otherwise it would take the machine for one that never had any.
 *
 * It is on the command line of a kernel that this program loads, and in a file on disk, for where
 * another kernel starts: the latter also says which one of the command line is settled, that is, was
 * restored, given up or followed by another. A command line may be used again.
 */
#ifndef PMEM_PRESERVE_EXPECTED_H
#define PMEM_PRESERVE_EXPECTED_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#define EXPECTED_DIRECTORY "/var/lib/pmem-preserve"

struct expected {
	char uuid[40];	      /* of the image; "" if there is none */
	uint64_t generation;  /* of that image at least */
	char place[PATH_MAX]; /* "region0", or a file */
	char reason[1024];    /* why it could not be saved; "" if it was, or is yet to be */
	bool by_kexec;	      /* it is on the command line of the next kernel, too */
	bool is_cmdline;      /* read: it is on that of the running kernel */
};

/* False if no checkpoint is expected. */
bool expected_read(struct expected *ret_expected);

/* Replaces what was expected before, durably. Reported as a warning: the state itself is not at risk. */
void expected_write(const struct expected *expected);

/* Nothing is expected any more. The same. */
void expected_settle(void);

/*
 * Puts it on the command line of the next kernel instead of one that is there. False if there is not
 * enough room (which is no error) or memory: the command line is as it was.
 */
bool expected_on_cmdline(const struct expected *expected, char **cmdline);

/*
 * Whether it is the image with that uuid. The last four bytes do not count: a kernel is loaded before
 * the image is written, perhaps in more than one attempt, each with a uuid of its own.
 */
#define EXPECTED_UUID_BYTES 12
bool expected_is(const struct expected *expected, const uint8_t uuid[16]);
bool expected_same(const struct expected *a, const struct expected *b);

/* A uuid for the image that is to be written later. */
void expected_choose_uuid(struct expected *expected);

#endif
