/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The configuration, pmem-preserve.conf(5): what each key means, what was good in the file, and what
 * was not. Reading does not fail because of the latter: it is for the caller to refuse it, or to go
 * on with the rest.
 */
#ifndef PMEM_PRESERVE_CONFIG_H
#define PMEM_PRESERVE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "region/layout.h"

#define CONFIG_PATH	    "/etc/pmem-preserve.conf"
#define CONFIG_THREADS_MAX  64u
#define CONFIG_DEADLINE_MAX 86400u /* seconds */

/* What the region's memory survives; each includes those before it. */
enum survival { SURVIVES_KEXEC, SURVIVES_REBOOT, SURVIVES_POWEROFF };

/* A line that was good. */
struct config_line {
	const char *key; /* one of the known ones */
	char *value;
};

/* A line that was not, or the whole file (line 0). */
struct config_problem {
	unsigned int line;
	const char *key; /* the known one that it seems to mean; NULL: it may be any */
	char *text;
};

struct config {
	const char *path; /* of the file */
	bool is_there;	  /* it exists, or was named */
	char **states;	  /* each "state =" line */
	size_t state_count;
	char **excludes;
	size_t exclude_count;
	char *region; /* NULL: the only one */
	enum layout layout;
	unsigned int threads;	       /* 0: one per processor */
	unsigned int deadline_seconds; /* for the memory to be removed */
	char *kernel, *initrd, *cmdline;
	char *fallback; /* image file for when the region cannot be used; NULL if not set */
	enum survival survives;
	char *key_file;	    /* key to authenticate images with; NULL if not set */
	char *counter_file; /* NULL for the default */
	bool special;	    /* restores bring devices, setuid bits and capabilities back */
	bool wipe;	    /* overwrite a restored image before its memory is given to others */

	struct config_line *lines;
	size_t line_count;
	struct config_problem *problems;
	size_t problem_count;
};

/* The defaults. */
void config_init(const char *path, struct config *ret_config);
void config_clear(struct config *config);

/*
 * Reads the file at @path (NULL: CONFIG_PATH, which need not exist): what is good of it, and in
 * problems what is not. -ENOMEM, reported.
 */
int config_read(const char *path, struct config *ret_config);

/*
 * The same for what must go on with any file: of the keys that are in doubt now, those that were good
 * at boot, which config_keep() has kept in /run. Warns of all problems. -ENOMEM, reported.
 */
int config_read_with_kept(const char *path, struct config *ret_config);
int config_keep(const struct config *config);

/* "FILE:LINE: what is wrong". */
struct config_problem_text {
	char text[512];
};
struct config_problem_text config_problem_text(const struct config *config,
					       const struct config_problem *problem);

/* Reports each problem. -E_USAGE if there is one. */
int config_refuse_problems(const struct config *config);

/*
 * Whether @key has no value, although the file may have meant to give it one: a line that is wrong
 * looks like it, or nothing could be read.
 */
bool config_may_lack(const struct config *config, const char *key);

/*
 * Sets a key, as a line of the file does. -EINVAL: it cannot have this value; -ENOENT: there is no
 * such key. Not reported.
 */
int config_set(struct config *config, const char *key, const char *value);

/*
 * If something is wrong in the file, takes the keys that have no value from an earlier configuration,
 * and all paths that it saves if the wrong line may have been one. -ENOMEM, not reported.
 */
int config_adopt(struct config *config, const struct config *earlier);

/* For config-read.c. The name of the key that is @name but for a typo; NULL if there is none. */
const char *config_nearest_key(const char *name);

/* What the values of @key, which must be a known one, look like. */
const char *config_expectation(const char *key);

/* "kexec", "reboot" or "poweroff"; -EINVAL. */
int survival_parse(const char *text, enum survival *ret_survival);
const char *survival_name(enum survival survival);

/* "yes" or "no"; -EINVAL. */
int boolean_parse(const char *text, bool *ret_value);

/* A whole decimal number up to @max; -EINVAL. */
int number_parse(const char *text, unsigned int max, unsigned int *ret_number);

#define _cleanup_config_ __attribute__((cleanup(config_clear)))

#endif
