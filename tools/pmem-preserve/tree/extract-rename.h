/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Renaming without losing what has the name, also where a file system cannot (NFS, 9p, some of FUSE).
 *
 * There a file is linked to its new name, which fails if that exists, and a directory is renamed,
 * which can replace at most an empty one; something else of which there are no links is renamed
 * after a look. An exchange is three renames, between which the name does not exist.
 */
#ifndef PMEM_PRESERVE_EXTRACT_RENAME_H
#define PMEM_PRESERVE_EXTRACT_RENAME_H

/* The open directories @from and @to are on one mount. 0 or -errno: -EEXIST if there is something. */
int rename_to_free(int from, const char *name, int to);

/*
 * What has @name in the directories @ours and @other changes places. -ENOENT: one of them does not
 * exist. After another error, everything is where it was, unless it is -EUCLEAN: then what was in
 * @other is in @ours under a random name.
 */
int rename_exchange(int ours, const char *name, int other);

#endif
