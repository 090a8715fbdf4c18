/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files in the fake tree that look like kernels, and what belongs to them. */
#ifndef PMEM_PRESERVE_TEST_FAKE_KERNEL_H
#define PMEM_PRESERVE_TEST_FAKE_KERNEL_H

/* A whole bzImage that calls itself @release, with no code in it. */
void fake_kernel(const char *path, const char *release);

/* /lib/modules/@release with the modules that a region of memmap= needs; kmem lies in @folder. */
void fake_modules(const char *release, const char *folder);

/* Kernel, initrd and modules as Debian has them. */
void fake_installed(const char *release);

#endif
