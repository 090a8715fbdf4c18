/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ownership by scope: a variable marked _cleanup_*_ releases what it holds when it goes. */
#ifndef PMEM_PRESERVE_CLEANUP_H
#define PMEM_PRESERVE_CLEANUP_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(function) __attribute__((cleanup(function)))

static inline void cleanup_free(void *pointer)
{
	free(*(void **)pointer);
}

static inline void cleanup_close(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	errno = saved;
}

static inline void cleanup_fclose(FILE **file)
{
	if (*file)
		fclose(*file);
}

#define _cleanup_free_	 _cleanup_(cleanup_free)
#define _cleanup_close_	 _cleanup_(cleanup_close)
#define _cleanup_fclose_ _cleanup_(cleanup_fclose)

/* Takes the descriptor or pointer out of a variable that would release it. */
#define take_fd(fd)                   \
	({                            \
		int fd_taken_ = (fd); \
		(fd) = -1;            \
		fd_taken_;            \
	})
#define take_pointer(pointer)                           \
	({                                              \
		__typeof__(pointer) taken_ = (pointer); \
		(pointer) = NULL;                       \
		taken_;                                 \
	})

#endif
