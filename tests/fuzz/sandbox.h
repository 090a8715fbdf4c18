/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the targets may write: a small tmpfs in the process's own mount namespace, in which
 * everything else but the working directory is read-only. So an image that misleads the reader does
 * no harm, and is caught.
 *
 *	/mnt/image	the input
 *	/mnt/target	where it is restored to
 *	/mnt/outside	the first that a name or link with "../" would reach
 */
#ifndef PMEM_PRESERVE_SANDBOX_H
#define PMEM_PRESERVE_SANDBOX_H

#include <stddef.h>
#include <stdint.h>

#define SANDBOX_TARGET	"/mnt/target"
#define SANDBOX_OUTSIDE "/mnt/outside"

/* The exit status if the sandbox is not available; libFuzzer does not use it. */
#define SANDBOX_UNAVAILABLE 75

/* To be called once, before there are threads. Exits if the sandbox is not available. */
void sandbox_enter(void);

/* Writes an input to a file and returns its path. */
const char *sandbox_image(const uint8_t *data, size_t size);

/* Creates the empty target. */
void sandbox_begin(void);

/*
 * Removes the target, which must be empty again, and checks that nothing outside has changed; calls
 * abort() otherwise. @code is the result of the restore; -EROFS is a write outside of the sandbox.
 */
void sandbox_end(int code);

/* Prints what is wrong, and calls abort(). */
__attribute__((noreturn)) void sandbox_finding(const char *what);

#endif
