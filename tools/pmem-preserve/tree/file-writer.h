/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who writes to a file, for messages. */
#ifndef PMEM_PRESERVE_FILE_WRITER_H
#define PMEM_PRESERVE_FILE_WRITER_H

#include <sys/types.h>

struct file_writer {
	pid_t pid; /* 0: nobody was found */
	char name[64];
};

/*
 * A process that has the file of @fd open for writing, or mapped shared and writable. Looks through
 * /proc, and without privileges sees only our own processes.
 */
struct file_writer file_writer_find(int fd);

#endif
