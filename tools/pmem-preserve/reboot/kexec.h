/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loads the next kernel with kexec_file_load(2) (kexec -s): the older kexec_load(2) uses the memory
 * map of the firmware, where a memmap= range is RAM, and would put the new kernel there. Load it
 * after the memory was removed, which may contain parts of an image that was loaded before.
 */
#ifndef PMEM_PRESERVE_KEXEC_H
#define PMEM_PRESERVE_KEXEC_H

#include "reboot/kernels.h"

#include <stdbool.h>

struct kexec_plan {
	char *kernel;  /* file */
	char *initrd;  /* file, or NULL */
	char *cmdline; /* of the new kernel, with each memmap= of the running one */
};
void kexec_plan_clear(struct kexec_plan *plan);
#define _cleanup_kexec_plan_ __attribute__((cleanup(kexec_plan_clear)))

/*
 * Chooses the kernel, its initrd and its command line as @wish says, checks all of it, and tells
 * which is taken, which newer ones are left, and why. Errors are reported. A command line without a
 * memmap= of the running kernel would lose the region: -E_REFUSED, as when no kernel is fit. -E_FAILED
 * if kexec_is_disabled().
 */
int kexec_plan(const struct kernel_wish *wish, struct kexec_plan *ret_plan);

/* Whether the running kernel loads no other one until it has been rebooted (a sysctl). */
bool kexec_is_disabled(void);

/* Whether a kernel is loaded (/sys/kernel/kexec_loaded). */
int kexec_is_loaded(bool *ret_loaded);

/* Loads the kernel of the plan; one that was loaded before is replaced, with a message. */
int kexec_load(const struct kexec_plan *plan);

/* Unloads the loaded kernel. */
int kexec_unload(void);

/* sync(2) and reboot(2) into the loaded kernel. Returns only after an error. */
int kexec_execute(void);

#endif
