/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A lease on a file that is read: nobody else has the file open for writing, or mapped shared and
 * writable, when it is taken, and whoever opens or truncates the file afterwards waits until it is
 * given back, or for the seconds in /proc/sys/fs/lease-break-time.
 */
#ifndef PMEM_PRESERVE_LEASE_H
#define PMEM_PRESERVE_LEASE_H

#include <signal.h>

/*
 * Takes one for the open file @fd. -EAGAIN: the file is open for writing; another error: the file system
 * has no leases, or we are neither the owner of the file nor have CAP_LEASE.
 */
int lease_take(int fd);

/* Gives it back; closing @fd does, too. -EAGAIN: it was lost before, to a writer that waited too long. */
int lease_give_back(int fd);

/* The kernel reports somebody who waits by SIGIO, which would end the program. */
void lease_ignore_signal(struct sigaction *ret_before);
void lease_restore_signal(const struct sigaction *before);

#endif
