/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the targets may write: a small tmpfs in a mount namespace of the process's own, in which
 * all else but the working directory is read-only. So a reader that is led astray by an image does
 * no harm, and is caught. Must not know what an image is.
 *
 *	/mnt/image	the input
 *	/mnt/target	where it is restored to
 *	/mnt/outside	what a name or a link with "../" in it would reach first
 */
#ifndef PMEM_PRESERVE_SANDBOX_H
#define PMEM_PRESERVE_SANDBOX_H

#include <stddef.h>
#include <stdint.h>

#define SANDBOX_TARGET	"/mnt/target"
#define SANDBOX_OUTSIDE "/mnt/outside"

/* The exit status of a target that cannot have its sandbox here; libFuzzer's own are others. */
#define SANDBOX_UNAVAILABLE 75

/* Once, before there are threads. Ends the process when it cannot be had. */
void sandbox_enter(void);

/* Puts an input where store_open() finds it; its path. */
const char *sandbox_image(const uint8_t *data, size_t size);

/* An empty target. */
void sandbox_begin(void);

/*
 * Removes the target, which must be empty again, and looks whether anything outside has changed;
 * abort() if so. @code: what restoring came to; -EROFS means that it tried to write elsewhere.
 */
void sandbox_end(int code);

/* abort(), after it said what is wrong. */
__attribute__((noreturn)) void sandbox_finding(const char *what);

#endif
