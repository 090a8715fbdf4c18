// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/file-systems.h"

#include "base/cleanup.h"
#include "settings/config.h"

#include <errno.h>
#include <linux/magic.h>
#include <mntent.h>
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

static void cleanup_mounts(FILE **file)
{
	if (*file)
		endmntent(*file);
}

int file_systems_in_memory(char ***ret_paths, size_t *ret_count)
{
	_cleanup_(cleanup_mounts) FILE *file = setmntent("/proc/self/mounts", "re");
	const struct mntent *mount;
	char **paths = NULL;
	size_t count = 0;

	if (!file)
		return -errno;
	while ((mount = getmntent(file))) {
		if (strcmp(mount->mnt_type, "tmpfs") != 0 || is_the_systems(mount->mnt_dir))
			continue;
		if (strings_add(&paths, &count, mount->mnt_dir) < 0) {
			for (size_t i = 0; i < count; i++)
				free(paths[i]);
			free(paths);
			return -ENOMEM;
		}
	}
	*ret_paths = paths;
	*ret_count = count;
	return 0;
}
