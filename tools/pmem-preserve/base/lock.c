// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/lock.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/interrupt.h"
#include "base/sysfs.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

int lock_take(int fd, unsigned int wait_ms)
{
	static const struct timespec pause = { .tv_nsec = 20 * NS_PER_MS };
	uint64_t deadline_ns = now_ns() + wait_ms * NS_PER_MS;

	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		int r;

		if (errno != EWOULDBLOCK && errno != EINTR)
			return -errno;
		if (now_ns() >= deadline_ns)
			return -EWOULDBLOCK;
		r = interrupt_check();
		if (r < 0)
			return r;
		nanosleep(&pause, NULL);
	}
	return 0;
}

/* Lines such as "4: FLOCK  ADVISORY  WRITE 4711 00:19:1234 0 EOF". */
static bool find_holder(const struct stat *file, int *ret_pid)
{
	_cleanup_free_ char *text = NULL;

	if (sysfs_read_text(-1, "/proc/locks", &text) < 0)
		return false;
	for (const char *line = text; line; line = strchr(line, '\n')) {
		unsigned int device_major, device_minor;
		unsigned long long inode;
		int pid;

		line += *line == '\n';
		if (sscanf(line, "%*d: FLOCK %*s WRITE %d %x:%x:%llu", &pid, &device_major,
			   &device_minor, &inode) == 4 &&
		    device_major == major(file->st_dev) && device_minor == minor(file->st_dev) &&
		    inode == file->st_ino && pid > 0) {
			*ret_pid = pid;
			return true;
		}
	}
	return false;
}

struct lock_holder_text lock_holder(int fd)
{
	struct lock_holder_text holder = { "another process" };
	char path[40], name[32] = "?";
	struct stat file;
	int pid;

	if (fstat(fd, &file) < 0 || !find_holder(&file, &pid))
		return holder;
	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	sysfs_read(-1, path, name, sizeof(name));
	snprintf(holder.text, sizeof(holder.text), "process %d (%s)", pid, name);
	return holder;
}
