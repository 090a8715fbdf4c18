// SPDX-License-Identifier: GPL-2.0-or-later
/* The keys of the configuration, and what becomes of their values. */
#include "settings/config.h"

#include "base/cleanup.h"
#include "base/strings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array)	 (sizeof(array) / sizeof((array)[0]))
#define DEADLINE_DEFAULT 30
#define KEY_BYTES	 24

static const char *const survivals[] = { "kexec", "reboot", "poweroff" };

enum kind { PATHS, STRINGS, STRING, FILE_PATH, NUMBER, LAYOUT, SURVIVAL, BOOLEAN };

static const char *const expectations[] = {
	[PATHS] = "an absolute path",
	[STRINGS] = "a pattern",
	[STRING] = "a text",
	[FILE_PATH] = "an absolute path",
	[NUMBER] = "a whole number, not too large",
	[LAYOUT] = "raw or devdax",
	[SURVIVAL] = "kexec, reboot or poweroff",
	[BOOLEAN] = "yes or no",
};

#define PLACE(member)	 offsetof(struct config, member)
#define NO_COUNT	 0
#define LIST(list, size) PLACE(list), PLACE(size)

static const struct setting {
	const char *key;
	enum kind kind;
	size_t place, count; /* in struct config; of a list: that of its size */
	unsigned int max;
} settings[] = {
	{ "state", PATHS, LIST(states, state_count), 0 },
	{ "exclude", STRINGS, LIST(excludes, exclude_count), 0 },
	{ "region", STRING, PLACE(region), NO_COUNT, 0 },
	{ "layout", LAYOUT, PLACE(layout), NO_COUNT, 0 },
	{ "threads", NUMBER, PLACE(threads), NO_COUNT, CONFIG_THREADS_MAX },
	{ "deadline", NUMBER, PLACE(deadline_seconds), NO_COUNT, CONFIG_DEADLINE_MAX },
	{ "kernel", STRING, PLACE(kernel), NO_COUNT, 0 },
	{ "initrd", STRING, PLACE(initrd), NO_COUNT, 0 },
	{ "cmdline", STRING, PLACE(cmdline), NO_COUNT, 0 },
	{ "fallback", FILE_PATH, PLACE(fallback), NO_COUNT, 0 },
	{ "survives", SURVIVAL, PLACE(survives), NO_COUNT, 0 },
	{ "key-file", FILE_PATH, PLACE(key_file), NO_COUNT, 0 },
	{ "counter-file", FILE_PATH, PLACE(counter_file), NO_COUNT, 0 },
	{ "special", BOOLEAN, PLACE(special), NO_COUNT, 0 },
	{ "wipe", BOOLEAN, PLACE(wipe), NO_COUNT, 0 },
};

int survival_parse(const char *text, enum survival *ret_survival)
{
	for (unsigned int i = 0; i < COUNT(survivals); i++) {
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

/* An empty text is no text, except for an initrd, where it means that there is to be none. */
static int set_string(char **string, const char *text, bool keep_empty)
{
	char *copy = *text || keep_empty ? strdup(text) : NULL;

	if (!copy && (*text || keep_empty))
		return -ENOMEM;
	free(*string);
	*string = copy;
	return 0;
}

static const struct setting *find_setting(const char *key)
{
	for (size_t i = 0; i < COUNT(settings); i++)
		if (strcmp(key, settings[i].key) == 0)
			return &settings[i];
	return NULL;
}

/* Paths are used at boot, where there is no working directory: absolute ones only. */
static int apply(struct config *config, const struct setting *setting, const char *value)
{
	void *place = (char *)config + setting->place;
	size_t *count = (void *)((char *)config + setting->count);

	switch (setting->kind) {
	case PATHS:
		return *value == '/' ? strings_add(place, count, value) : -EINVAL;
	case STRINGS:
		return *value ? strings_add(place, count, value) : -EINVAL;
	case STRING:
		return set_string(place, value, setting->place == PLACE(initrd));
	case FILE_PATH:
		return *value == '/' || !*value ? set_string(place, value, false) : -EINVAL;
	case NUMBER:
		return number_parse(value, setting->max, place);
	case LAYOUT:
		return layout_parse(value, place);
	case SURVIVAL:
		return survival_parse(value, place);
	case BOOLEAN:
		return boolean_parse(value, place);
	}
	return -EINVAL;
}

static int remember(struct config *config, const struct setting *setting, const char *value)
{
	struct config_line *larger =
		reallocarray(config->lines, config->line_count + 1, sizeof(*config->lines));
	char *copy = strdup(value);

	if (larger)
		config->lines = larger;
	if (!larger || !copy) {
		free(copy);
		return -ENOMEM;
	}
	larger[config->line_count++] = (struct config_line){ setting->key, copy };
	return 0;
}

int config_set(struct config *config, const char *key, const char *value)
{
	const struct setting *setting = find_setting(key);
	int r = setting ? apply(config, setting, value) : -ENOENT;

	return r < 0 ? r : remember(config, setting, value);
}

static bool has_line(const struct config *config, const struct config_line *line)
{
	for (size_t i = 0; i < config->line_count; i++)
		if (strcmp(config->lines[i].key, line->key) == 0 &&
		    strcmp(config->lines[i].value, line->value) == 0)
			return true;
	return false;
}

static bool has_key(const struct config *config, const char *key)
{
	for (size_t i = 0; i < config->line_count; i++)
		if (strcmp(config->lines[i].key, key) == 0)
			return true;
	return false;
}

bool config_may_lack(const struct config *config, const char *key)
{
	bool doubted = false;

	for (size_t i = 0; i < config->problem_count; i++) {
		const struct config_problem *problem = &config->problems[i];

		doubted |= problem->key ? strcmp(problem->key, key) == 0 : problem->line == 0;
	}
	return doubted && !has_key(config, key);
}

/* Whether a line that is wrong may have named one more path to save. */
static bool may_lack_state(const struct config *config)
{
	for (size_t i = 0; i < config->problem_count; i++)
		if (!config->problems[i].key || strcmp(config->problems[i].key, "state") == 0)
			return true;
	return false;
}

static bool is_wanted(const struct config *config, const struct config_line *line)
{
	if (strcmp(line->key, "state") == 0 && may_lack_state(config))
		return !has_line(config, line);
	return !has_key(config, line->key);
}

/* In two steps, as an "exclude" that was taken must not keep the next one out. */
int config_adopt(struct config *config, const struct config *earlier)
{
	_cleanup_free_ bool *wanted = calloc(earlier->line_count + 1, sizeof(*wanted));
	int r = wanted ? 0 : -ENOMEM;

	if (!config->problem_count)
		return 0;
	for (size_t i = 0; i < earlier->line_count && r == 0; i++)
		wanted[i] = is_wanted(config, &earlier->lines[i]);
	for (size_t i = 0; i < earlier->line_count && r == 0; i++)
		if (wanted[i])
			r = config_set(config, earlier->lines[i].key, earlier->lines[i].value);
	return r;
}

/* The number of letters to change, insert or leave out to get from @a to @b; both are short. */
static size_t distance(const char *a, const char *b)
{
	size_t row[KEY_BYTES + 1], length = strlen(b);

	for (size_t j = 0; j <= length; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1]; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= length; j++) {
			size_t change = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			row[j] = row[j] < row[j - 1] ? row[j] + 1 : row[j - 1] + 1;
			if (change < row[j])
				row[j] = change;
		}
	}
	return row[length];
}

const char *config_nearest_key(const char *name)
{
	const char *nearest = NULL;
	size_t best = 3;

	if (strlen(name) >= KEY_BYTES)
		return NULL;
	for (size_t i = 0; i < COUNT(settings); i++) {
		size_t typos = distance(name, settings[i].key);

		/* A short word is made of any other one with a few changes. */
		if (typos < best && typos < strlen(settings[i].key) / 2) {
			best = typos;
			nearest = settings[i].key;
		}
	}
	return nearest;
}

const char *config_expectation(const char *key)
{
	return expectations[find_setting(key)->kind];
}

void config_init(const char *path, struct config *ret_config)
{
	*ret_config = (struct config){
		.path = path ? path : CONFIG_PATH,
		.deadline_seconds = DEADLINE_DEFAULT,
		.special = true,
	};
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
	for (size_t i = 0; i < config->line_count; i++)
		free(config->lines[i].value);
	free(config->lines);
	for (size_t i = 0; i < config->problem_count; i++)
		free(config->problems[i].text);
	free(config->problems);
	*config = (struct config){ 0 };
}
