/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernels that are installed on this machine, newest first, and which of them is the next one:
 * the newest that is whole, has its initrd, and has the modules that the region needs. Nothing is
 * reported: callers say what is chosen, what is left, and why.
 */
#ifndef PMEM_PRESERVE_KERNELS_H
#define PMEM_PRESERVE_KERNELS_H

#include "reboot/kernel-file.h"

#include <stdbool.h>
#include <stddef.h>

struct kernel {
	char *file;
	char *initrd;		 /* NULL: none was found */
	char release[128];	 /* by its header, or else by its name; "" if neither says */
	bool is_kernel;		 /* the file itself is whole */
	struct file_fault fault; /* why it is left; "" if it can be the next one */
};

struct kernels {
	struct kernel *list;
	size_t count;
};
void kernels_clear(struct kernels *kernels);
#define _cleanup_kernels_ __attribute__((cleanup(kernels_clear)))

/* What is asked for. */
struct kernel_wish {
	const char *kernel;  /* NULL or "newest", "running", a release, or a file */
	const char *initrd;  /* a file, "" for none, or NULL: the one that belongs to the kernel */
	const char *cmdline; /* NULL: the running one's */
	const char *const *modules; /* that the next kernel needs, ended by NULL; NULL: none */
};

/*
 * All that are installed: in /boot, in /usr/lib/modules, and as Boot Loader Specification entries.
 * -ENOMEM. Without any, *ret_kernels is empty.
 */
int kernels_find(const struct kernel_wish *wish, struct kernels *ret_kernels);

/* The newest without a fault, or NULL. */
const struct kernel *kernels_newest(const struct kernels *kernels);

/* That of a release, or NULL. */
const struct kernel *kernels_of_release(const struct kernels *kernels, const char *release);

/* A file that need not be among those that are found. -ENOMEM. The caller clears it. */
int kernel_look_at(const char *file, const struct kernel_wish *wish, struct kernel *ret_kernel);
void kernel_clear(struct kernel *kernel);

/*
 * Compares versions as dpkg does (Debian Policy 5.6.12), but "-rc" counts as "~rc": a release
 * candidate is older than its release. rpm differs only in that it ignores separators.
 */
int version_compare(const char *a, const char *b);

#endif
