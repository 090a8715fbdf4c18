// SPDX-License-Identifier: GPL-2.0-or-later
#include "tree/extract-publish.h"

#include "base/cleanup.h"
#include "base/fault.h"
#include "base/report.h"
#include "tree/beneath.h"
#include "tree/extract-inode.h"
#include "tree/extract-merged.h"
#include "tree/extract-rename.h"
#include "tree/extract-staging.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define PATH(tree, index) (tree_path_text(tree, index).text)

static bool is_ancestor(const struct extraction *extraction, const struct merged *merged)
{
	return extraction->tree->entries[merged->entry].flags & ENTRY_ANCESTOR;
}

static int swapped(const struct tree *tree, uint32_t index)
{
	return report_error(-E_FAILED,
			    "%s: was exchanged while it was being restored; nothing else may write there during a restore",
			    PATH(tree, index));
}

/* Holds on to what is published where others may write, so that it can be recognised. */
static int hold(struct extraction *extraction, uint32_t index, int made_in)
{
	const struct tree *tree = extraction->tree;
	int fd = openat(made_in, tree_name(tree, index), O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct top *tops = extraction->tops;

	if (fd >= 0 && extraction->top_count == extraction->top_capacity) {
		uint32_t capacity = extraction->top_capacity * 2 + 4;

		tops = reallocarray(tops, capacity, sizeof(*tops));
		if (!tops) {
			close(fd);
			errno = ENOMEM;
			fd = -1;
		} else {
			extraction->tops = tops;
			extraction->top_capacity = capacity;
		}
	}
	if (fd < 0)
		return report_error(-errno, "%s: cannot open", PATH(tree, index));
	tops[extraction->top_count++] = (struct top){ index, fd };
	return 0;
}

/* Only a directory that its owner may write to can be moved by others than root. */
static int move_to(int from, const char *name, int to)
{
	int r = rename_to_free(from, name, to);
	_cleanup_close_ int fd = -1;
	char path[PROC_PATH_BYTES];
	struct stat stat;

	if (r != -EACCES)
		return r;
	fd = openat(from, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &stat) < 0)
		return r;
	snprintf(path, sizeof(path), "/proc/thread-self/fd/%d", fd);
	if (chmod(path, 0700) < 0)
		return r;
	r = rename_to_free(from, name, to);
	if (chmod(path, stat.st_mode & 07777) < 0 && r == 0)
		r = -errno;
	return r;
}

/* Makes sure that it was not a directory that was replaced, as it would be removed. */
static int exchange(const struct tree *tree, uint32_t index, int made_in, int place)
{
	const char *name = tree_name(tree, index);
	int r = rename_exchange(made_in, name, place);
	struct stat stat;

	if (r < 0)
		return r;
	if (fstatat(made_in, name, &stat, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISDIR(stat.st_mode))
		return 0;
	return rename_exchange(made_in, name, place) < 0 ? -EUCLEAN : -EEXIST;
}

static int publish_entry(struct extraction *extraction, const struct merged *merged, uint32_t index,
			 int made_in)
{
	const struct tree *tree = extraction->tree;
	uint8_t *flags = &extraction->flags[index];
	int r;

	if (is_ancestor(extraction, merged)) {
		r = hold(extraction, index, made_in);
		if (r < 0)
			return r;
	}
	r = *flags & EXTRACT_REPLACES ? exchange(tree, index, made_in, merged->fd) : -ENOENT;
	/* What it was to replace may be gone by now. */
	if (r == -ENOENT) {
		*flags &= (uint8_t)~EXTRACT_REPLACES;
		r = move_to(made_in, tree_name(tree, index), merged->fd);
	}
	if (r == -EUCLEAN)
		extraction->stagings[merged->staging].keep = true;
	if (r == -EEXIST || r == -ENOTEMPTY)
		return report_error(-E_REFUSED,
				    "%s: something has come to be there during the restore; it is left as it is",
				    PATH(tree, index));
	if (r < 0)
		return extract_failed(tree, index, r, "cannot be moved to its place");
	*flags |= EXTRACT_PUBLISHED;
	return fault(FAULT_PUBLISH_ENTRY);
}

static int publish_in(struct extraction *extraction, const struct merged *merged,
		      struct tree_cursor *cursor)
{
	const struct entry *entry = &extraction->tree->entries[merged->entry];
	int made_in = extract_open_directory(extraction, cursor, merged->entry), r = 0;

	if (made_in < 0)
		return made_in;
	for (uint32_t i = entry->first; i < entry->first + entry->count && r == 0; i++)
		if ((extraction->flags[i] & EXTRACT_CREATED))
			r = publish_entry(extraction, merged, i, made_in);
	return r;
}

static bool replaces_any(const struct extraction *extraction)
{
	for (uint32_t i = 0; i < extraction->tree->count; i++)
		if ((extraction->flags[i] & EXTRACT_REPLACES) &&
		    (extraction->flags[i] & EXTRACT_CREATED))
			return true;
	return false;
}

int extract_publish(struct extraction *extraction)
{
	struct tree_cursor cursor;
	int r = 0;

	for (uint32_t i = 0; i < extraction->merged_count && r == 0; i++)
		if (!is_ancestor(extraction, &extraction->merged[i]))
			r = extract_merged_close(extraction, &extraction->merged[i]);
	if (r == 0 && replaces_any(extraction))
		r = extract_stagings_keep(extraction);
	if (r == 0)
		r = fault(FAULT_PUBLISH_BEGIN);
	tree_cursor_init(&cursor, extraction->tree, -1);
	for (uint32_t i = 0; i < extraction->merged_count && r == 0; i++)
		if (extraction->merged[i].gets_entries)
			r = publish_in(extraction, &extraction->merged[i], &cursor);
	tree_cursor_close(&cursor);
	for (uint32_t i = extraction->merged_count; i-- > 0 && r == 0;)
		if (!is_ancestor(extraction, &extraction->merged[i]))
			r = extract_merged_finish(extraction, &extraction->merged[i]);
	return r;
}

/* Whether what was taken back is what was published; if others can write there, it need not be. */
static bool is_same(const struct extraction *extraction, uint32_t index, int made_in)
{
	struct stat held, found;

	for (uint32_t i = 0; i < extraction->top_count; i++)
		if (extraction->tops[i].entry == index)
			return fstat(extraction->tops[i].fd, &held) == 0 &&
			       fstatat(made_in, tree_name(extraction->tree, index), &found,
				       AT_SYMLINK_NOFOLLOW) == 0 &&
			       held.st_dev == found.st_dev && held.st_ino == found.st_ino;
	return true;
}

static int take_back(const struct extraction *extraction, const struct merged *merged,
		     uint32_t index, int made_in)
{
	const struct tree *tree = extraction->tree;
	const char *name = tree_name(tree, index);
	bool replaces = extraction->flags[index] & EXTRACT_REPLACES;
	int r = replaces ? rename_exchange(made_in, name, merged->fd)
			 : move_to(merged->fd, name, made_in);

	if (r == 0 && !is_same(extraction, index, made_in)) {
		/* Another one's: it goes back, and what was replaced stays here. */
		if (replaces)
			rename_exchange(made_in, name, merged->fd);
		else
			move_to(made_in, name, merged->fd);
		return swapped(tree, index);
	}
	/* Somebody has moved it away. */
	if (r == -ENOENT && replaces)
		r = rename_to_free(made_in, name, merged->fd);
	return r < 0 ? report_error(r, "%s: cannot be undone", PATH(tree, index)) : 0;
}

/* Newest first. Returns how many could not be taken back. */
static unsigned long take_back_from(struct extraction *extraction, const struct merged *merged,
				    struct tree_cursor *cursor)
{
	const struct entry *entry = &extraction->tree->entries[merged->entry];
	unsigned long left = 0;

	for (uint32_t i = entry->first + entry->count; i-- > entry->first;) {
		int made_in;

		if (!(extraction->flags[i] & EXTRACT_PUBLISHED))
			continue;
		made_in = extract_open_directory(extraction, cursor, merged->entry);
		if (made_in >= 0 && take_back(extraction, merged, i, made_in) == 0) {
			extraction->flags[i] &= (uint8_t)~EXTRACT_PUBLISHED;
			continue;
		}
		left++;
		if (extraction->flags[i] & EXTRACT_REPLACES)
			extraction->stagings[merged->staging].keep = true;
	}
	return left;
}

void extract_undo(struct extraction *extraction)
{
	unsigned long left = 0;
	struct tree_cursor cursor;
	bool had = extraction->staging_count;

	tree_cursor_init(&cursor, extraction->tree, -1);
	for (uint32_t i = extraction->merged_count; i-- > 0;)
		if (extraction->merged[i].gets_entries && had)
			left += take_back_from(extraction, &extraction->merged[i], &cursor);
	tree_cursor_close(&cursor);
	for (uint32_t i = extraction->merged_count; i-- > 0;) {
		struct merged *merged = &extraction->merged[i];
		int r = extract_merged_put_back(extraction, merged);

		if (r < 0)
			warn("%s: its owner, mode or other attributes could not be put back",
			     PATH(extraction->tree, merged->entry));
	}
	if (extract_stagings_remove(extraction, true) < 0)
		left++;
	if (left == 0 && had)
		inform("What the failed restore had created was removed");
}

void extract_conclude(struct extraction *extraction)
{
	extract_stagings_remove(extraction, false);
}
