/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules for the command line of the next kernel, as pure functions. */
#ifndef PMEM_PRESERVE_KEXEC_CMDLINE_H
#define PMEM_PRESERVE_KEXEC_CMDLINE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The running command line for the next kernel: without BOOT_IMAGE=, which names the file that the
 * boot loader read, and without what this kernel was told to expect. The caller frees it; NULL if there is no memory.
 */
char *cmdline_for_next(const char *running);

/*
 * Whether @running has a memory range in memmap= that @next has not; @missing is set to the first
 * one, as written ("2G!4G"). Ranges are compared by value: 2G!4G is 2048M!0x100000000.
 */
bool cmdline_lacks_memmap(const char *running, const char *next, char *missing, size_t size);

/*
 * The command line with pmem_preserve.expect=@value (reboot/expected.h), and no other one. The kernel
 * takes it for a parameter of a module that it does not have, and does not pass it to init. The caller
 * frees it; NULL if there is no memory.
 */
char *cmdline_expect(const char *cmdline, const char *value);

/* The value of the last such parameter, to be freed; NULL if there is none, or no memory. */
char *cmdline_expected(const char *cmdline);

#endif
