// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/file-systems.h"

#include "base/cleanup.h"
#include "base/strings.h"

#include <errno.h>
#include <libmount.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>

int file_system_is_memory(const char *path, bool *ret_memory)
{
	struct statfs status;

	if (statfs(path, &status) < 0)
		return -errno;
	*ret_memory = status.f_type == TMPFS_MAGIC || status.f_type == RAMFS_MAGIC ||
		      status.f_type == HUGETLBFS_MAGIC;
	return 0;
}

int file_system_room(const char *path, uint64_t *ret_used, uint64_t *ret_available)
{
	struct statfs status;

	if (statfs(path, &status) < 0)
		return -errno;
	*ret_used = (uint64_t)(status.f_blocks - status.f_bfree) * (uint64_t)status.f_bsize;
	*ret_available = (uint64_t)status.f_bavail * (uint64_t)status.f_bsize;
	return 0;
}

static bool is_the_systems(const char *path)
{
	static const char *const own[] = { "/run", "/dev", "/sys", "/proc", "/tmp", "/var/tmp" };

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		size_t length = strlen(own[i]);

		if (strncmp(path, own[i], length) == 0 &&
		    (path[length] == '/' || path[length] == '\0'))
			return true;
	}
	return false;
}

int file_systems_in_memory(char ***ret_paths, size_t *ret_count)
{
	struct libmnt_table *mounts = mnt_new_table_from_file("/proc/self/mountinfo");
	struct libmnt_iter *iterator = mnt_new_iter(MNT_ITER_FORWARD);
	struct libmnt_fs *mount;
	char **paths = NULL;
	size_t count = 0;
	int r = mounts ? 0 : -errno;

	if (!iterator)
		r = -ENOMEM;
	while (r == 0 && mnt_table_next_fs(mounts, iterator, &mount) == 0) {
		const char *target = mnt_fs_get_target(mount);

		if (mnt_fs_match_fstype(mount, "tmpfs") && !is_the_systems(target))
			r = strings_add(&paths, &count, target);
	}
	mnt_free_iter(iterator);
	mnt_unref_table(mounts);
	if (r < 0) {
		strings_free(&paths, &count);
		return r;
	}
	*ret_paths = paths;
	*ret_count = count;
	return 0;
}
