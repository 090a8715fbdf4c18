/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Other people's programs (kexec, systemctl) called with a deadline. Must not know what they do,
 * and reports nothing but through its result.
 */
#ifndef PMEM_PRESERVE_PROGRAM_H
#define PMEM_PRESERVE_PROGRAM_H

#include <stddef.h>

struct program_result {
	int status;	  /* exit status; -1: ended by a signal */
	char output[512]; /* the start of what it said, both kinds, without white space at its end
			   */
};

/*
 * Runs @argv[0], looked for in PATH and then in sbin, which a user's PATH often lacks. Its input is
 * empty. -ENOENT: not installed; -ETIMEDOUT: it did not end within @deadline_ms, and was killed;
 * else 0 or -errno.
 */
int program_run(char *const argv[], unsigned int deadline_ms, struct program_result *ret_result);

/* Its output as one line, for a message. */
void program_one_line(struct program_result *result);

#endif
