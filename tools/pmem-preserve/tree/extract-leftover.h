/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Staging directories of restores that were killed. */
#ifndef PMEM_PRESERVE_EXTRACT_LEFTOVER_H
#define PMEM_PRESERVE_EXTRACT_LEFTOVER_H

#define STAGING_PREFIX	 ".pmem-preserve-"
#define STAGING_REPLACED ".pmem-preserve-replaced-"
#define STAGING_LOCK	 ".pmem-preserve-lock"

/*
 * Removes those in the open @directory that no process works with, and warns of those that hold what
 * --overwrite has replaced. Others than ours, and those of other users, are left alone. @path is for
 * messages.
 */
void extract_remove_leftovers(int directory, const char *path);

#endif
