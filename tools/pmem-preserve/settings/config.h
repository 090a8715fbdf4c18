/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The configuration file (INI, pmem-preserve.conf(5)). */
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

struct config {
	const char *path; /* of the file */
	bool is_there;	  /* it was read */
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
};

/* The defaults. */
void config_init(const char *path, struct config *ret_config);

/* @path: NULL for CONFIG_PATH, which need not exist. Errors name the file. */
int config_read(const char *path, struct config *ret_config);
void config_clear(struct config *config);

/* "kexec", "reboot" or "poweroff"; -EINVAL. */
int survival_parse(const char *text, enum survival *ret_survival);
const char *survival_name(enum survival survival);

/* "yes" or "no"; -EINVAL. */
int boolean_parse(const char *text, bool *ret_value);

/* A whole decimal number up to @max; -EINVAL. */
int number_parse(const char *text, unsigned int max, unsigned int *ret_number);

#endif
