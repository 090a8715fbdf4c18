/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rules for the command line of the next kernel. Pure functions: they must not know where a command
 * line comes from or goes to.
 */
#ifndef PMEM_PRESERVE_KEXEC_CMDLINE_H
#define PMEM_PRESERVE_KEXEC_CMDLINE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The running command line as the next kernel should get it: without BOOT_IMAGE=, which names the
 * file that the boot loader had read. The caller frees it; NULL: no memory.
 */
char *cmdline_for_next(const char *running);

/*
 * The first memory range that @running sets aside by memmap= and @next does not, as it was written
 * ("2G!4G"), in @missing. Ranges are compared by value: 2G!4G is 2048M!0x100000000. True when there
 * is one.
 */
bool cmdline_lacks_memmap(const char *running, const char *next, char *missing, size_t size);

#endif
