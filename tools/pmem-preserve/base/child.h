/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Work in a child process, with a deadline after which the child is killed: work in the kernel that
 * may never return, and other programs such as kexec(8). Nothing is reported; the callers know what
 * the work is for.
 */
#ifndef PMEM_PRESERVE_CHILD_H
#define PMEM_PRESERVE_CHILD_H

#include <stddef.h>
#include <stdint.h>

struct child_limit {
	uint64_t deadline_ns;  /* on now_ns()'s clock */
	unsigned int grace_ms; /* for what the kernel undoes after SIGKILL; 0: five seconds */
	/*
	 * Called about ten times a second in the parent, unless it is NULL. A result other than 0
	 * ends the wait as the deadline would, and is returned.
	 */
	int (*tick)(void *data);
	void *data; /* for @tick */
};

/*
 * Calls work(data) in a child and returns its result, which must be 0 or -errno. The work must not
 * print or take locks. Memory that is being taken offline is released by a fatal signal on every
 * kernel, and by no other signal on the newer ones; a single thread cannot be sent one.
 *
 * -ETIMEDOUT: the child was killed. What it was doing may still have taken effect at the last
 * moment, or (when it did not even react to SIGKILL within @limit->grace_ms) take effect later: look
 * at the object. -ECANCELED: somebody else killed it.
 */
int child_work(int (*work)(void *data), void *data, const struct child_limit *limit);

struct program_result {
	int status;	  /* exit status; -1 after a signal */
	char output[512]; /* the start of stdout and stderr, without white space at its end */
};

/*
 * Runs the program @argv[0], which is searched in PATH and then in sbin, which a user's PATH often
 * lacks. Its standard input is empty. -ENOENT: not installed; -ETIMEDOUT: it did not end within
 * @deadline_ms and was killed; otherwise 0 or -errno.
 */
int child_program(char *const argv[], unsigned int deadline_ms, struct program_result *ret_result);

/* Makes one line of the output, for a message. */
void program_one_line(struct program_result *result);

#endif
