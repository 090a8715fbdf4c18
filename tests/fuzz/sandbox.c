// SPDX-License-Identifier: GPL-2.0-or-later
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define PLACE	   "/mnt"
#define IMAGE	   PLACE "/image"
#define FILE_BYTES "Nobody writes here.\n"

static const char *const watched[] = { PLACE, SANDBOX_OUTSIDE, SANDBOX_OUTSIDE "/file" };
#define WATCHED (sizeof(watched) / sizeof(watched[0]))

static struct stat before[WATCHED];
static int image_fd = -1;

void sandbox_finding(const char *what)
{
	fprintf(stderr, "finding: %s\n", what);
	abort();
}

static void must(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "the sandbox is not available here: %s: %s\n", what, strerror(errno));
	exit(SANDBOX_UNAVAILABLE);
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	must(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text), path);
	close(fd);
}

/* Without root, in a user namespace with just one user and one group. */
static void unshare_mounts(void)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();
	char map[64];

	if (unshare(CLONE_NEWNS) == 0)
		return;
	must(unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0, "no mount namespace");
	write_file("/proc/self/setgroups", "deny");
	snprintf(map, sizeof(map), "%u %u 1", uid, uid);
	write_file("/proc/self/uid_map", map);
	snprintf(map, sizeof(map), "%u %u 1", gid, gid);
	write_file("/proc/self/gid_map", map);
}

void sandbox_enter(void)
{
	struct mount_attr read_only = { .attr_set = MOUNT_ATTR_RDONLY };
	struct mount_attr writable = { .attr_clr = MOUNT_ATTR_RDONLY };
	char *directory = getcwd(NULL, 0);

	must(directory != NULL, "working directory");
	unshare_mounts();
	must(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0, "private mounts");
	must(mount(directory, directory, NULL, MS_BIND, NULL) == 0, directory);
	must(mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &read_only, sizeof(read_only)) == 0,
	     "read-only mounts");
	must(chdir(directory) == 0, directory);
	must(mount_setattr(AT_FDCWD, directory, 0, &writable, sizeof(writable)) == 0, directory);
	must(mount("none", PLACE, "tmpfs", MS_NODEV | MS_NOSUID | MS_NOEXEC, "size=64m,mode=755") ==
		     0,
	     PLACE);
	free(directory);
	must(mkdir(SANDBOX_OUTSIDE, 0755) == 0, SANDBOX_OUTSIDE);
	write_file(SANDBOX_OUTSIDE "/file", FILE_BYTES);
	image_fd = open(IMAGE, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	must(image_fd >= 0, IMAGE);
}

const char *sandbox_image(const uint8_t *data, size_t size)
{
	if (ftruncate(image_fd, 0) < 0 || pwrite(image_fd, data, size, 0) != (ssize_t)size)
		sandbox_finding("the image cannot be written into the sandbox");
	return IMAGE;
}

/* The clock is coarse: only with an old time does every change show. */
void sandbox_begin(void)
{
	const struct timespec old[2] = { { .tv_sec = 1 }, { .tv_sec = 1 } };

	if (mkdir(SANDBOX_TARGET, 0755) < 0)
		sandbox_finding("the target cannot be created");
	for (size_t i = 0; i < WATCHED; i++)
		if (utimensat(AT_FDCWD, watched[i], old, 0) < 0 || stat(watched[i], &before[i]) < 0)
			sandbox_finding("the files outside of the target cannot be watched");
}

static bool same(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_mode == b->st_mode && a->st_uid == b->st_uid &&
	       a->st_gid == b->st_gid && a->st_nlink == b->st_nlink && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
	       a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

void sandbox_end(int code)
{
	struct stat after;

	if (code == -EROFS)
		sandbox_finding("a write outside of the sandbox was attempted");
	for (size_t i = 0; i < WATCHED; i++)
		if (stat(watched[i], &after) < 0 || !same(&after, &before[i]))
			sandbox_finding("something outside of the target has changed");
	if (rmdir(SANDBOX_TARGET) < 0)
		sandbox_finding("something was left in the target");
}
