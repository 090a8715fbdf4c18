/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flock(2) with a deadline, and who holds the lock. */
#ifndef PMEM_PRESERVE_LOCK_H
#define PMEM_PRESERVE_LOCK_H

/*
 * Takes the exclusive lock of the open file @fd, which ends with the last descriptor of it. Waits
 * up to @wait_ms for its holder: -EWOULDBLOCK after that. A signal that ends the program
 * (base/interrupt.h) ends the wait: -EINTR, the only error that is reported.
 */
int lock_take(int fd, unsigned int wait_ms);

/* "process 123 (pmem-preserve)" according to /proc/locks, or "another process". */
struct lock_holder_text {
	char text[64];
};
struct lock_holder_text lock_holder(int fd);

#endif
