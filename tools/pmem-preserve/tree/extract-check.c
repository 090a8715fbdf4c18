// SPDX-License-Identifier: GPL-2.0-or-later
#include "tree/extract-check.h"

#include "base/cleanup.h"
#include "base/report.h"
#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

/* From so many entries on, a directory is listed rather than asked for each of them. */
#define LIST_FROM 64u

#define PATH(tree, index) (tree_path_text(tree, index).text)

/* Each merged directory stays open, so that with --overwrite the usual limit may be too low. */
static bool raise_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur == limit.rlim_max)
		return false;
	limit.rlim_cur = limit.rlim_max;
	return setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

static int open_merged(int directory, const char *name)
{
	const int flags = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	int fd = openat(directory, name, flags);

	if (fd < 0 && errno == EMFILE && raise_limit())
		fd = openat(directory, name, flags);
	return fd;
}

static int add_merged(struct extraction *extraction, uint32_t index, uint32_t parent, int directory,
		      const char *name)
{
	const struct tree *tree = extraction->tree;
	_cleanup_close_ int fd = open_merged(directory, name);
	struct merged *merged;
	struct statx status;

	if (fd < 0 || statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &status) < 0)
		return report_error(-errno, "%s: cannot open", PATH(tree, index));
	if (extraction->merged_count == extraction->merged_capacity) {
		uint32_t capacity = extraction->merged_capacity * 2 + 16;

		merged = reallocarray(extraction->merged, capacity, sizeof(*merged));
		if (!merged)
			return report_error(-ENOMEM, "%s: cannot restore", PATH(tree, index));
		extraction->merged = merged;
		extraction->merged_capacity = capacity;
	}
	extraction->merged[extraction->merged_count++] = (struct merged){
		.entry = index,
		.parent = parent,
		.staging = NO_STAGING,
		.fd = take_fd(fd),
		.mount = status.stx_mnt_id,
	};
	extraction->flags[index] |= EXTRACT_MERGED;
	return 0;
}

static int check_ancestor(const struct tree *tree, uint32_t index, bool is_directory)
{
	if (is_directory)
		return 0;
	/* Ancestors are not part of the state: they are never replaced, and links not followed. */
	return report_error(-E_REFUSED, "%s: is now a symbolic link or a file, but was a directory",
			    PATH(tree, index));
}

/* Entry @index exists in the open @directory, which is that of extraction->merged[parent]. */
static int meet(struct extraction *extraction, uint32_t parent, uint32_t index, int directory,
		const struct stat *stat)
{
	const struct tree *tree = extraction->tree;
	const struct entry *entry = &tree->entries[index];
	bool is_directory = S_ISDIR(stat->st_mode);
	int r = 0;

	if (entry->flags & ENTRY_ANCESTOR)
		r = check_ancestor(tree, index, is_directory);
	else if (!extraction->overwrite &&
		 !((entry->flags & ENTRY_ROOT) && S_ISDIR(entry->mode) && is_directory))
		return report_error(-E_REFUSED,
				    "%s: already exists; --overwrite replaces it with what is in the checkpoint",
				    PATH(tree, index));
	if (r < 0)
		return r;
	if (S_ISDIR(entry->mode) && is_directory)
		return add_merged(extraction, index, parent, directory, tree_name(tree, index));
	if (is_directory)
		return report_error(-EISDIR,
				    "%s: cannot replace a directory by something else; move it away",
				    PATH(tree, index));
	extraction->flags[index] |= EXTRACT_REPLACES;
	return 0;
}

static int meet_if_there(struct extraction *extraction, uint32_t parent, uint32_t index,
			 int directory)
{
	const struct tree *tree = extraction->tree;
	struct stat stat;

	if (fstatat(directory, tree_name(tree, index), &stat, AT_SYMLINK_NOFOLLOW) == 0)
		return meet(extraction, parent, index, directory, &stat);
	return errno == ENOENT ? 0 : report_error(-errno, "%s: cannot look", PATH(tree, index));
}

static int meet_each(struct extraction *extraction, uint32_t parent, int directory)
{
	const struct entry *entry = &extraction->tree->entries[extraction->merged[parent].entry];
	int r = 0;

	for (uint32_t i = 0; i < entry->count && r == 0; i++)
		r = meet_if_there(extraction, parent, entry->first + i, directory);
	return r;
}

static int meet_listed(struct extraction *extraction, uint32_t parent, int directory, DIR *list)
{
	uint32_t index = extraction->merged[parent].entry;
	const struct dirent *name;
	int r = 0;

	for (errno = 0; r == 0 && (name = readdir(list)); errno = 0) {
		uint32_t child = tree_find_child(extraction->tree, index, name->d_name,
						 strlen(name->d_name));

		if (child)
			r = meet_if_there(extraction, parent, child, directory);
	}
	if (r == 0 && errno)
		r = report_error(-errno, "%s: cannot be listed", PATH(extraction->tree, index));
	return r;
}

/* Compares what is in a merged directory with what the tree has there. */
static int compare(struct extraction *extraction, uint32_t number)
{
	const struct entry *entries = extraction->tree->entries;
	const struct entry *entry = &entries[extraction->merged[number].entry];
	int directory = extraction->merged[number].fd, list = -1, r;
	DIR *stream = NULL;

	if (entry->count >= LIST_FROM)
		list = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (list >= 0 && !(stream = fdopendir(list)))
		close(list);
	r = stream ? meet_listed(extraction, number, directory, stream)
		   : meet_each(extraction, number, directory);
	if (stream)
		closedir(stream);
	for (uint32_t i = 0; i < entry->count; i++)
		if (!(extraction->flags[entry->first + i] & EXTRACT_MERGED))
			extraction->merged[number].gets_entries = true;
	return r;
}

/* Only if all of it goes to one file system; otherwise a file for which there is no space fails. */
static int check_space(const struct extraction *extraction, uint64_t bytes)
{
	uint64_t free_bytes = UINT64_MAX;
	dev_t device = 0;

	for (uint32_t i = 0; i < extraction->merged_count; i++) {
		const struct merged *merged = &extraction->merged[i];
		struct statvfs space;
		struct stat stat;

		if (!merged->gets_entries)
			continue;
		if (fstat(merged->fd, &stat) < 0 ||
		    (free_bytes != UINT64_MAX && stat.st_dev != device))
			return 0;
		if (free_bytes != UINT64_MAX)
			continue;
		if (fstatvfs(merged->fd, &space) < 0 || space.f_blocks == 0)
			return 0;
		device = stat.st_dev;
		free_bytes = (uint64_t)space.f_bavail * space.f_frsize;
	}
	if (bytes <= free_bytes)
		return 0;
	return report_error(-E_NO_FIT,
			    "the state takes %s, but only %s are free where it is restored to: %s are missing%s",
			    size_exact(bytes).text, size_exact(free_bytes).text,
			    size_exact(bytes - free_bytes).text,
			    extraction->overwrite
				    ? "; what --overwrite replaces is kept until all is in place, so remove it before, or make room"
				    : "");
}

int extract_check(struct extraction *extraction, uint64_t bytes)
{
	int r = add_merged(extraction, 0, 0, extraction->root, ".");

	for (uint32_t i = 0; i < extraction->merged_count && r == 0; i++)
		r = compare(extraction, i);
	return r < 0 ? r : check_space(extraction, bytes);
}
