/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a person sees: messages on standard error (in the journal with their priorities, where that
 * is the journal), progress on a terminal, and the errors of this program.
 *
 * Error contract of the whole program: a function returns 0 or a negative code, which is -errno or
 * one of -E_* below. Results go to ret_* parameters, written only on success. An error is
 * reported once, with report_error(), where the name of the object is known; callers just pass it on.
 */
#ifndef PMEM_PRESERVE_REPORT_H
#define PMEM_PRESERVE_REPORT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Errors with an exit status of their own: the status is the code less E_STATUS_BASE. */
enum {
	E_STATUS_BASE = 10000,
	E_FAILED = E_STATUS_BASE + 1,	     /* failed, and no errno says why */
	E_USAGE = E_STATUS_BASE + 2,	     /* the command line makes no sense */
	E_NO_CHECKPOINT = E_STATUS_BASE + 3, /* there is nothing to restore */
	E_DAMAGED = E_STATUS_BASE + 4,	     /* the checkpoint is not what was written */
	E_REFUSED = E_STATUS_BASE + 5,	     /* going on would lose state */
	E_MEMORY = E_STATUS_BASE + 6,	     /* memory could not be removed in time */
	E_NO_FIT = E_STATUS_BASE + 7,	     /* the state is larger than the place for it */

	/* Exit status 1, like E_FAILED; callers can tell it apart. */
	E_CHANGED = E_STATUS_BASE + 101,     /* the state changed while it was read: try again */
	E_NOT_DURABLE = E_STATUS_BASE + 102, /* it is done, but a power cut may undo it */
	E_NO_REGION = E_STATUS_BASE + 103,   /* no region, or none of that name */
	E_UNREADABLE = E_STATUS_BASE + 104,  /* a part of the state cannot be read */
	E_NOT_MARKED = E_STATUS_BASE + 105,  /* restored, but the checkpoint does not say so */
};

enum verbosity { QUIET = -1, NORMAL = 0, VERBOSE = 1 };

void report_init(enum verbosity verbosity);

/*
 * Prints "pmem-preserve: MESSAGE[: ERRNO TEXT]" and returns @code, so that a caller can say
 * "return report_error(-errno, "%s: cannot open", path)". @code: -errno (its text is appended) or -E_*.
 */
__attribute__((format(printf, 2, 3))) int report_error(int code, const char *format, ...);

/* What is happening to the memory and the state (not when quiet), and the finer steps (-v). */
__attribute__((format(printf, 1, 2))) void inform(const char *format, ...);
__attribute__((format(printf, 1, 2))) void detail(const char *format, ...);

/* Something for the operator to fix, although the command goes on. */
__attribute__((format(printf, 1, 2))) void warn(const char *format, ...);

/* The text of the last report_error(), or "" (for --json); valid until the next one. */
const char *report_last_error(void);

/* Exit status of the program for a code, as in pmem-preserve(8). */
int exit_status(int code);

/*
 * Progress of work that may last longer than a second: one line on a terminal, the unit's status
 * where systemd has started us, nothing elsewhere.
 * progress_add() may be called from any thread.
 */
struct progress {
	const char *what;
	uint64_t total;
	_Atomic uint64_t done;
	_Atomic uint64_t next_ns;
	uint64_t start_ns;
	bool on_terminal, shown;
};
void progress_begin(struct progress *progress, const char *what, uint64_t total);
void progress_add(struct progress *progress, uint64_t amount);
void progress_end(struct progress *progress);

/* Extends the unit's timeout by @seconds, for work that shows no progress (EXTEND_TIMEOUT_USEC=). */
void progress_allow(unsigned int seconds);

#endif
