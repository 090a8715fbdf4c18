/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One pmem-preserve at a time changes a region: two that hot-add and convert it would take each
 * other's steps for the kernel's. A lock in /run that ends with its process.
 */
#ifndef PMEM_PRESERVE_INSTANCE_H
#define PMEM_PRESERVE_INSTANCE_H

/*
 * Takes the lock and waits up to @wait_seconds for its holder. *ret_lock is to be closed when the
 * work is done. -E_FAILED, reported with who holds it, and other errors of the lock's file.
 */
int instance_lock(unsigned int wait_seconds, int *ret_lock);

/* For units: a command that was called by hand may be about to end. */
#define INSTANCE_WAIT_SECONDS 30

#endif
