/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether a file is a kernel that kexec_file_load(2) can take, by its header alone, and which one.
 * Formats: Documentation/arch/x86/boot.rst and Documentation/arch/arm64/booting.rst of Linux.
 */
#ifndef PMEM_PRESERVE_KERNEL_FILE_H
#define PMEM_PRESERVE_KERNEL_FILE_H

#include <stddef.h>

/* What is wrong with a file, to follow its name and a colon. "" if nothing is. */
struct file_fault {
	char text[256];
};

/*
 * @release: what the kernel calls itself ("6.1.0-56-amd64"), "" if the format does not say. Written
 * only if the file is a kernel.
 */
struct file_fault kernel_file_fault(const char *path, char *release, size_t size);

/* The same for an initrd: a file that can be read and is not empty. */
struct file_fault initrd_file_fault(const char *path);

#endif
