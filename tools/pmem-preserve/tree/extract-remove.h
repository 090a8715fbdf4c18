/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Removing all that is in a directory, however deep. */
#ifndef PMEM_PRESERVE_EXTRACT_REMOVE_H
#define PMEM_PRESERVE_EXTRACT_REMOVE_H

/*
 * Removes everything beneath the open @directory, which nobody else may be able to enter, except what
 * has the name @except in it (NULL: nothing). No link is followed. 0 or -errno.
 */
int remove_all_in(int directory, const char *except);

#endif
