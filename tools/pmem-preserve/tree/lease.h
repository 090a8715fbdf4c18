/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A lease on a file that is read: nobody else has the file open for writing, or mapped shared and
 * writable, when it is taken, and whoever opens or truncates the file afterwards waits until it is
 * given back, or for the seconds in /proc/sys/fs/lease-break-time.
 */
#ifndef PMEM_PRESERVE_LEASE_H
#define PMEM_PRESERVE_LEASE_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

struct leases {
	struct sigaction signal_before;
	uint64_t break_ns; /* how long others wait before they get their way */
};

/* Ignores SIGIO, by which the kernel reports somebody who waits, and which would end the program. */
void leases_begin(struct leases *leases);
void leases_end(const struct leases *leases);

/*
 * Takes one for the open file @fd, which gives it back when it is closed. -EAGAIN: the file is open for
 * writing; another error: the file system has no leases, or we are neither the owner of the file nor
 * have CAP_LEASE.
 */
int lease_take(int fd, uint64_t *ret_taken_ns);

/* Whether we still have it. If not, somebody has waited too long, and may have written. */
bool lease_is_held(const struct leases *leases, int fd, uint64_t taken_ns);

#endif
