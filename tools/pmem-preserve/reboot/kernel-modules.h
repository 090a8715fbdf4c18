/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether a kernel has certain modules, as /lib/modules/RELEASE tells: loadable or built in. */
#ifndef PMEM_PRESERVE_KERNEL_MODULES_H
#define PMEM_PRESERVE_KERNEL_MODULES_H

#include "reboot/kernel-file.h"

/*
 * What @release lacks of the modules @names (ended by NULL; NULL: none), and what to do about it.
 * With "kmem" among them, our driver must have been built for it too, if this machine has the
 * package dax-kmem-dkms and that is meant for this release.
 */
struct file_fault kernel_modules_fault(const char *release, const char *const *names);

#endif
