// SPDX-License-Identifier: GPL-2.0-or-later
#include "tree/extract-rename.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

/* What file systems answer that do not know the flag. */
static int is_unknown(void)
{
	return errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP;
}

static int rename_without_flag(int from, const char *from_name, int to, const char *to_name)
{
	struct stat stat;
	int error;

	if (fstatat(from, from_name, &stat, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (!S_ISDIR(stat.st_mode) && linkat(from, from_name, to, to_name, 0) == 0) {
		if (unlinkat(from, from_name, 0) == 0)
			return 0;
		error = -errno;
		unlinkat(to, to_name, 0);
		return error;
	}
	if (!S_ISDIR(stat.st_mode) && errno != EPERM && errno != EOPNOTSUPP && errno != EMLINK)
		return -errno;
	if (fstatat(to, to_name, &stat, AT_SYMLINK_NOFOLLOW) == 0)
		return -EEXIST;
	return renameat(from, from_name, to, to_name) < 0 ? -errno : 0;
}

static int rename_free(int from, const char *from_name, int to, const char *to_name)
{
	if (renameat2(from, from_name, to, to_name, RENAME_NOREPLACE) == 0)
		return 0;
	return is_unknown() ? rename_without_flag(from, from_name, to, to_name) : -errno;
}

int rename_to_free(int from, const char *name, int to)
{
	return rename_free(from, name, to, name);
}

int rename_exchange(int ours, const char *name, int other)
{
	char aside[40];
	uint64_t random;
	int r;

	if (renameat2(ours, name, other, name, RENAME_EXCHANGE) == 0)
		return 0;
	if (!is_unknown())
		return -errno;
	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		return -EIO;
	snprintf(aside, sizeof(aside), ".pmem-preserve-old-%016llx", (unsigned long long)random);
	r = rename_free(other, name, ours, aside);
	if (r < 0)
		return r;
	r = rename_free(ours, name, other, name);
	if (r == 0) {
		/* An undo looks for it under its name. */
		r = rename_free(ours, aside, ours, name);
		if (r == 0 || rename_free(other, name, ours, name) < 0)
			return r < 0 ? -EUCLEAN : 0;
	}
	return rename_free(ours, aside, other, name) < 0 ? -EUCLEAN : r;
}
