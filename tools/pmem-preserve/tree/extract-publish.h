/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Moving what was made in the staging directories to its place, and back. */
#ifndef PMEM_PRESERVE_EXTRACT_PUBLISH_H
#define PMEM_PRESERVE_EXTRACT_PUBLISH_H

#include "tree/extract.h"

/*
 * Moves each entry whose directory exists already there, with all that is beneath it. What it
 * replaces is then in the staging directory. The directories that exist get their attributes.
 * -E_REFUSED, reported: something has come to be there meanwhile. After an error, extract_undo() is
 * to be called.
 */
int extract_publish(struct extraction *extraction);

/*
 * Takes back what was published, puts back what it had replaced, and removes the staging
 * directories. A message says if something could not be undone.
 */
void extract_undo(struct extraction *extraction);

/* When all is published and flushed: removes what was replaced, and the staging directories. */
void extract_conclude(struct extraction *extraction);

#endif
