/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Notes in /run: what this boot's restore and shutdown came to, for services, scripts, and later
 * steps of this program. pmem-preserve(8) has the names of their lines. Nothing relies on a note for the state itself: what counts is
 * always derived from the media.
 */
#ifndef PMEM_PRESERVE_NOTES_H
#define PMEM_PRESERVE_NOTES_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RUN_DIRECTORY "/run/pmem-preserve"

/* What "boot" came to. Texts are "" when there is nothing to say. */
struct boot_note {
	char outcome[16];  /* BOOT_*, below */
	char reason[1024]; /* the error */
	char place[PATH_MAX];
	char uuid[40];
	uint64_t generation; /* 0: not known */
};
#define BOOT_RESTORED "restored"
#define BOOT_NONE     "none"
#define BOOT_DAMAGED  "damaged"
#define BOOT_FAILED   "failed"
/* A checkpoint was expected, and is gone; or may be there still, where it cannot be read. */
#define BOOT_LOST	 "lost"
#define BOOT_UNREACHABLE "unreachable"

/* What "shutdown" came to. */
struct shutdown_note {
	bool saved;
	char next[16];	   /* next_state_name() */
	char reason[1024]; /* what went wrong, although it may have been saved in the end */
	char place[PATH_MAX];
};

/* The kernel that "kexec" has loaded, after the region was taken back. */
struct kernel_note {
	char kernel[PATH_MAX]; /* file */
	uint64_t stop_ns;      /* when the services began to stop, since the epoch */
	char uuid[40];	       /* of the checkpoint that it expects */
};

/* Each replaces an older note of its kind in one step. Errors are reported. */
int note_write_boot(const struct boot_note *note);
int note_write_shutdown(const struct shutdown_note *note);
int note_write_kernel(const struct kernel_note *note);

/* False if there is no such note. */
bool note_read_boot(struct boot_note *ret_note);
bool note_read_shutdown(struct shutdown_note *ret_note);
bool note_read_kernel(struct kernel_note *ret_note);

void note_remove_shutdown(void);
void note_remove_kernel(void);

/*
 * A file beside the notes that root alone may read. Reading returns NULL if there is none; the caller
 * frees the text. Errors of writing are reported.
 */
int notes_write_file(const char *name, const char *text, size_t length);
char *notes_read_file(const char *name);

/*
 * Opens the file @name in the notes' directory, which is created if necessary, to be locked and not
 * read: for its owner alone. An fd, or -errno (not reported).
 */
int notes_open_lock(const char *name);

#endif
