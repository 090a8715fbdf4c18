// SPDX-License-Identifier: GPL-2.0-or-later
#include "tree/extract-merged.h"

#include "base/cleanup.h"
#include "base/report.h"
#include "tree/beneath.h"
#include "tree/extract-inode.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define PATH(tree, index) (tree_path_text(tree, index).text)

static const char *const acls[] = { "system.posix_acl_access", "system.posix_acl_default" };
#define ACLS (sizeof(acls) / sizeof(acls[0]))

/* The inode itself, for calls that refuse O_PATH. */
struct proc_path {
	char text[PROC_PATH_BYTES];
};

static struct proc_path path_of(const struct merged *merged)
{
	struct proc_path path;

	snprintf(path.text, sizeof(path.text), "/proc/thread-self/fd/%d", merged->fd);
	return path;
}

static int save_xattr(struct tree *saved, uint32_t set, const char *path, const char *name)
{
	char value[XATTR_SIZE_MAX];
	ssize_t length = getxattr(path, name, value, sizeof(value));

	if (length < 0)
		return errno == ENODATA || errno == EOPNOTSUPP ? 0 : -errno;
	return tree_xattrs_add(saved, set, name, strlen(name), value, (size_t)length);
}

/* Those that the restore may change; others stay. */
static int save_xattrs(struct extraction *extraction, struct merged *merged)
{
	const struct entry *entry = &extraction->tree->entries[merged->entry];
	const struct proc_path path = path_of(merged);
	const uint8_t *cursor = NULL;
	struct xattr xattr;
	uint32_t set;
	int r = tree_xattrs_begin(extraction->saved, &set);

	for (size_t i = 0; i < ACLS && r == 0; i++)
		r = save_xattr(extraction->saved, set, path.text, acls[i]);
	while (r == 0 && tree_next_xattr(extraction->tree, entry->xattrs, &cursor, &xattr))
		if (strcmp(xattr.name, acls[0]) != 0 && strcmp(xattr.name, acls[1]) != 0)
			r = save_xattr(extraction->saved, set, path.text, xattr.name);
	if (r < 0)
		return r;
	tree_xattrs_end(extraction->saved, &set, 0);
	merged->before_xattrs = set;
	return 0;
}

static bool has_acl(const struct tree *tree, uint32_t set)
{
	const uint8_t *cursor = NULL;
	struct xattr xattr;

	while (tree_next_xattr(tree, set, &cursor, &xattr))
		if (strcmp(xattr.name, acls[0]) == 0 || strcmp(xattr.name, acls[1]) == 0)
			return true;
	return false;
}

static bool is_final(const struct extraction *extraction, const struct merged *merged)
{
	const struct entry *entry = &extraction->tree->entries[merged->entry];
	const struct stat *stat = &merged->before;

	return stat->st_uid == getauxval(AT_EUID) && !(stat->st_mode & 022) &&
	       stat->st_uid == entry->uid && stat->st_gid == entry->gid &&
	       (stat->st_mode & 07777) == (entry->mode & 07777) &&
	       !has_acl(extraction->tree, entry->xattrs) &&
	       !has_acl(extraction->saved, merged->before_xattrs);
}

int extract_merged_close(struct extraction *extraction, struct merged *merged)
{
	const struct tree *tree = extraction->tree;
	const struct proc_path path = path_of(merged);
	int r;

	if (fstat(merged->fd, &merged->before) < 0)
		return report_error(-errno, "%s: cannot open", PATH(tree, merged->entry));
	r = save_xattrs(extraction, merged);
	if (r < 0)
		return report_error(r, "%s: cannot read its attributes", PATH(tree, merged->entry));
	merged->is_changed = true;
	if (is_final(extraction, merged))
		return 0;
	if (merged->before.st_uid != getauxval(AT_EUID) &&
	    fchownat(merged->fd, "", (uid_t)getauxval(AT_EUID), (gid_t)-1, AT_EMPTY_PATH) < 0)
		return report_error(-errno, "%s: cannot change the owner",
				    PATH(tree, merged->entry));
	removexattr(path.text, acls[0]);
	if (chmod(path.text, 0700) < 0)
		return report_error(-errno, "%s: cannot set the mode", PATH(tree, merged->entry));
	return 0;
}

int extract_merged_finish(const struct extraction *extraction, const struct merged *merged)
{
	return extract_attributes(extraction, merged->entry, merged->fd);
}

static void remove_xattrs(const struct extraction *extraction, const struct merged *merged)
{
	const struct entry *entry = &extraction->tree->entries[merged->entry];
	const struct proc_path path = path_of(merged);
	const uint8_t *cursor = NULL;
	struct xattr xattr;

	for (size_t i = 0; i < ACLS; i++)
		removexattr(path.text, acls[i]);
	while (tree_next_xattr(extraction->tree, entry->xattrs, &cursor, &xattr))
		removexattr(path.text, xattr.name);
}

int extract_merged_put_back(const struct extraction *extraction, struct merged *merged)
{
	const struct stat *before = &merged->before;
	const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, before->st_mtim };
	const struct proc_path path = path_of(merged);
	const uint8_t *cursor = NULL;
	struct xattr xattr;
	int r = 0;

	if (!merged->is_changed)
		return 0;
	merged->is_changed = false;
	remove_xattrs(extraction, merged);
	if (fchownat(merged->fd, "", before->st_uid, before->st_gid, AT_EMPTY_PATH) < 0)
		r = -errno;
	while (tree_next_xattr(extraction->saved, merged->before_xattrs, &cursor, &xattr))
		if (setxattr(path.text, xattr.name, xattr.value, xattr.value_length, 0) < 0)
			r = -errno;
	if (chmod(path.text, before->st_mode & 07777) < 0 ||
	    utimensat(merged->fd, "", times, AT_EMPTY_PATH) < 0)
		r = -errno;
	return r;
}
