/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which of the installed kernels is the next one, which newer ones are left, and why. */
#ifndef PMEM_PRESERVE_KERNEL_CHOICE_H
#define PMEM_PRESERVE_KERNEL_CHOICE_H

#include "reboot/kernels.h"

struct kernel_choice {
	struct kernels installed; /* that were looked at; empty if a file was named */
	struct kernel kernel;	  /* the one that is chosen; kernel.file is NULL if there is none */
	size_t left;		  /* the first so many of @installed are newer (or all unfit) */
	const char *why;	  /* "the newest that is installed"... */
	char problem[512];	  /* why there is none, and what to do */
	int error;		  /* its code; 0 if one is chosen */
};
void kernel_choice_clear(struct kernel_choice *choice);
#define _cleanup_kernel_choice_ __attribute__((cleanup(kernel_choice_clear)))

/*
 * Chooses as @wish says. A kernel that is named is taken although it has a fault, as long as the
 * file is a kernel; of those that are not named only one without. Not reported. -ENOMEM only: a
 * choice that finds nothing is a result.
 */
int kernel_choose(const struct kernel_wish *wish, struct kernel_choice *ret_choice);

#endif
