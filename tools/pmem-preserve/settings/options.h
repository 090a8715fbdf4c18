/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The options of all commands. Each command takes some of them; they mean the same in all. */
#ifndef PMEM_PRESERVE_OPTIONS_H
#define PMEM_PRESERVE_OPTIONS_H

#include "auth/trust.h"
#include "settings/config.h"
#include "settings/where.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum option_flag {
	OPTION_IMAGE = 1 << 0,
	OPTION_REGION = 1 << 1,
	OPTION_REPLACE = 1 << 2,
	OPTION_DRY_RUN = 1 << 3,
	OPTION_EXCLUDE = 1 << 4,
	OPTION_KEXEC = 1 << 5,
	OPTION_INTO = 1 << 6,
	OPTION_KEEP = 1 << 7,
	OPTION_NO_HOT_ADD = 1 << 8,
	OPTION_OVERWRITE = 1 << 9,
	OPTION_LAYOUT = 1 << 10,
	OPTION_THREADS = 1 << 11,
	OPTION_DEADLINE = 1 << 12,
	OPTION_LONG = 1 << 13,
	OPTION_IN_PLACE = 1 << 14,
	OPTION_KERNEL = 1 << 15, /* which one, its initrd and command line */
	OPTION_OR_FALLBACK = 1 << 16,
	OPTION_YES = 1 << 17,
	OPTION_REPLACE_FILE = 1 << 18, /* --replace that loses nothing else */
	OPTION_SALVAGE = 1 << 19,
	OPTION_KEY_FILE = 1 << 20,
	OPTION_NO_SPECIAL = 1 << 21,
	OPTION_WIPE = 1 << 22,
};

/* Strings are argv's or the configuration's. */
struct options {
	struct where where;
	struct trust trust;
	const char *into, *kernel, *initrd, *cmdline;
	char **excludes; /* of the command line and the configuration; owned */
	size_t exclude_count;
	enum layout layout;
	unsigned int threads, deadline_seconds;
	bool replace, dry_run, kexec, keep, no_hot_add, overwrite, long_list, in_place, or_fallback,
		yes, salvage, no_special, wipe;
	bool help; /* the help was asked for and has been printed: nothing is left to do */
	int first; /* index of the first argument that is no option */
};

/*
 * Parses @argv with the options in @allowed (enum option_flag) over @config's values.
 * @arguments: what the help calls the rest ("[PATH]..."), NULL if there must be none.
 * The key file is not read. -E_USAGE, reported.
 */
int options_parse(const struct config *config, int argc, char **argv, unsigned int allowed,
		  const char *arguments, struct options *ret_options);
void options_clear(struct options *options);

#define _cleanup_options_ __attribute__((cleanup(options_clear)))

#endif
