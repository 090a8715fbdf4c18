// SPDX-License-Identifier: GPL-2.0-or-later
#include "settings/config.h"

#include "base/report.h"
#include "base/strings.h"

#include <errno.h>
#include <ini.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEADLINE_DEFAULT 30

struct reading {
	struct config *config;
	const char *path;
	int error; /* reported already */
};

static const char *const survivals[] = { "kexec", "reboot", "poweroff" };

int survival_parse(const char *text, enum survival *ret_survival)
{
	for (unsigned int i = 0; i < sizeof(survivals) / sizeof(survivals[0]); i++) {
		if (strcmp(text, survivals[i]) == 0) {
			*ret_survival = i;
			return 0;
		}
	}
	return -EINVAL;
}

const char *survival_name(enum survival survival)
{
	return survivals[survival];
}

int boolean_parse(const char *text, bool *ret_value)
{
	if (strcmp(text, "yes") != 0 && strcmp(text, "no") != 0)
		return -EINVAL;
	*ret_value = *text == 'y';
	return 0;
}

int number_parse(const char *text, unsigned int max, unsigned int *ret_number)
{
	unsigned long value;
	char *end;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno || *end || value > max)
		return -EINVAL;
	*ret_number = (unsigned int)value;
	return 0;
}

static int set_string(char **string, const char *text)
{
	free(*string);
	*string = *text ? strdup(text) : NULL;
	return *text && !*string ? -ENOMEM : 0;
}

/* Used at boot, where there is no working directory: absolute paths only. */
static int set_path(char **string, const char *text)
{
	return *text == '/' || !*text ? set_string(string, text) : -EINVAL;
}

static int set(struct config *config, const char *key, const char *value)
{
	if (strcmp(key, "state") == 0)
		return *value == '/' ? strings_add(&config->states, &config->state_count, value)
				     : -EINVAL;
	if (strcmp(key, "exclude") == 0)
		return strings_add(&config->excludes, &config->exclude_count, value);
	if (strcmp(key, "region") == 0)
		return set_string(&config->region, value);
	if (strcmp(key, "layout") == 0)
		return layout_parse(value, &config->layout);
	if (strcmp(key, "threads") == 0)
		return number_parse(value, CONFIG_THREADS_MAX, &config->threads);
	if (strcmp(key, "deadline") == 0)
		return number_parse(value, CONFIG_DEADLINE_MAX, &config->deadline_seconds);
	if (strcmp(key, "kernel") == 0)
		return set_string(&config->kernel, value);
	if (strcmp(key, "initrd") == 0)
		return set_string(&config->initrd, value);
	if (strcmp(key, "cmdline") == 0)
		return set_string(&config->cmdline, value);
	if (strcmp(key, "fallback") == 0)
		return set_path(&config->fallback, value);
	if (strcmp(key, "survives") == 0)
		return survival_parse(value, &config->survives);
	if (strcmp(key, "key-file") == 0)
		return set_path(&config->key_file, value);
	if (strcmp(key, "counter-file") == 0)
		return set_path(&config->counter_file, value);
	if (strcmp(key, "special") == 0)
		return boolean_parse(value, &config->special);
	if (strcmp(key, "wipe") == 0)
		return boolean_parse(value, &config->wipe);
	return -ENOENT;
}

/* inih wants 1 for "fine" and 0 for "no". */
static int on_line(void *data, const char *section, const char *key, const char *value)
{
	struct reading *reading = data;
	int r;

	if (*section)
		r = -ENOENT;
	else
		r = set(reading->config, key, value ? value : "");
	if (r == 0)
		return 1;
	if (reading->error)
		return 0;
	if (r == -ENOENT)
		reading->error = report_error(-E_USAGE, "%s: unknown key \"%s\"%s%s", reading->path,
					      key, *section ? " in a section " : "", section);
	else if (r == -EINVAL)
		reading->error = report_error(-E_USAGE, "%s: invalid value for %s: \"%s\"",
					      reading->path, key, value);
	else
		reading->error = report_error(r, "%s: cannot read", reading->path);
	return 0;
}

void config_init(const char *path, struct config *ret_config)
{
	*ret_config = (struct config){
		.path = path ? path : CONFIG_PATH,
		.deadline_seconds = DEADLINE_DEFAULT,
		.special = true,
	};
}

int config_read(const char *path, struct config *ret_config)
{
	struct config config;
	struct reading reading = { .config = &config };
	int r = 0;

	config_init(path, &config);
	reading.path = config.path;
	config.is_there = path || access(CONFIG_PATH, F_OK) == 0;
	if (config.is_there) {
		errno = 0;
		r = ini_parse(reading.path, on_line, &reading);
		if (reading.error)
			r = reading.error;
		else if (r == -1)
			r = report_error(errno ? -errno : -EIO, "%s: cannot read", reading.path);
		else if (r > 0)
			r = report_error(-E_USAGE, "%s:%d: syntax error", reading.path, r);
		else if (r < 0)
			r = report_error(-ENOMEM, "%s: cannot read", reading.path);
	}
	if (r < 0) {
		config_clear(&config);
		return r;
	}
	*ret_config = config;
	return 0;
}

void config_clear(struct config *config)
{
	strings_free(&config->states, &config->state_count);
	strings_free(&config->excludes, &config->exclude_count);
	free(config->region);
	free(config->kernel);
	free(config->initrd);
	free(config->cmdline);
	free(config->fallback);
	free(config->key_file);
	free(config->counter_file);
	*config = (struct config){ 0 };
}
