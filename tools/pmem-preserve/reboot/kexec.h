/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loading the next kernel, by kexec_file_load(2) only (kexec -s): the older kexec_load plans from
 * the firmware's map, where a memmap= range is still RAM, and would put the new kernel into it.
 * Must not know of regions; it is called after the memory has been removed, since an image loaded
 * earlier may lie on memory that is then gone.
 */
#ifndef PMEM_PRESERVE_KEXEC_H
#define PMEM_PRESERVE_KEXEC_H

#include <stdbool.h>

struct kexec_plan {
	char *kernel;  /* file */
	char *initrd;  /* file, NULL: none */
	char *cmdline; /* what the new kernel gets; always keeps every memmap= of the running one */
};
void kexec_plan_clear(struct kexec_plan *plan);
#define _cleanup_kexec_plan_ __attribute__((cleanup(kexec_plan_clear)))

/*
 * Fills the plan and checks that its files can be read. @kernel, @initrd, @cmdline may be NULL: the
 * running kernel's /boot/vmlinuz-RELEASE, or where that is gone (or @kernel is "newest") the
 * newest; the initrd that goes with the kernel's file, by the release in its name (both also where
 * other distributions keep them); /proc/cmdline less BOOT_IMAGE=. An empty @initrd: none. A given
 * cmdline that lacks a memmap= of the running one is refused with -E_REFUSED: the region would be
 * lost. Errors are reported.
 */
int kexec_plan(const char *kernel, const char *initrd, const char *cmdline,
	       struct kexec_plan *ret_plan);

/* Whether a kernel is loaded now (/sys/kernel/kexec_loaded). */
int kexec_is_loaded(bool *ret_loaded);

/* Loads the plan's kernel, in place of one that was loaded before (which it mentions). */
int kexec_load(const struct kexec_plan *plan);

/* Takes the loaded kernel out again. */
int kexec_unload(void);

/* sync(2), then reboot(2) into the loaded kernel. Returns only on error. */
int kexec_execute(void);

#endif
