/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Staging directories: in a directory that exists already, one of a random name that is ours, has
 * mode 0700, and inherits nothing to what is made in it. In it there are
 *
 *	root			what is restored, under its whole path
 *	.pmem-preserve-lock	a file that is locked while the restore is running
 *
 * The name is .pmem-preserve-XXXXXXXX and, once something that --overwrite replaces may be in it,
 * .pmem-preserve-replaced-XXXXXXXX. What an interrupted restore has left under the first name is
 * removed by the next one; what has the second is kept, and named in a warning.
 */
#ifndef PMEM_PRESERVE_EXTRACT_STAGING_H
#define PMEM_PRESERVE_EXTRACT_STAGING_H

#include "tree/extract.h"

/*
 * Makes the staging directories that are needed, one for each merged directory that gets entries
 * unless one above it, on the same mount, has one; and in them the merged directories' paths.
 */
int extract_stagings_make(struct extraction *extraction);

/* Renames them, before something is replaced. */
int extract_stagings_keep(struct extraction *extraction);

/*
 * Removes them, with all that is in them, unless staging->keep. 0, or -E_FAILED if something is
 * left, of which a message says where it is. The directories that they lie in get the times back that
 * they had before or, if the restore is not @undone, that they have in the tree.
 */
int extract_stagings_remove(struct extraction *extraction, bool undone);

#endif
