// SPDX-License-Identifier: GPL-2.0-or-later
/* The lines of the configuration file: those that are good are set, what is wrong is collected. */
#include "settings/config.h"

#include "base/cleanup.h"
#include "base/report.h"
#include "reboot/notes.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEPT_NAME "config"

__attribute__((format(printf, 4, 5))) static int
add_problem(struct config *config, unsigned int line, const char *key, const char *format, ...)
{
	struct config_problem *larger =
		reallocarray(config->problems, config->problem_count + 1, sizeof(*larger));
	struct config_problem problem = { .line = line, .key = key };
	va_list args;

	if (!larger)
		return -ENOMEM;
	config->problems = larger;
	va_start(args, format);
	if (vasprintf(&problem.text, format, args) < 0)
		problem.text = NULL;
	va_end(args);
	if (!problem.text)
		return -ENOMEM;
	larger[config->problem_count++] = problem;
	return 0;
}

/* Without the white space at both ends. */
static char *trim(char *text)
{
	char *end;

	while (isspace((unsigned char)*text))
		text++;
	end = text + strlen(text);
	while (end > text && isspace((unsigned char)end[-1]))
		end--;
	*end = '\0';
	return text;
}

/*
 * A comment needs a line of its own: it would become a part of the path before it. A value may begin
 * with such a character, as the pattern of an editor's backup files does.
 */
static bool has_comment(const char *value)
{
	for (const char *p = value; *p; p++) {
		bool begins = p == value || isspace((unsigned char)p[-1]);

		if (begins && strchr("#;", *p) && (p > value || isspace((unsigned char)p[1])))
			return true;
	}
	return false;
}

static int read_value(struct config *config, unsigned int number, const char *key,
		      const char *value)
{
	const char *nearest;
	int r;

	if (has_comment(value))
		return add_problem(config, number, config_nearest_key(key),
				   "a comment behind a value would be part of it: give it a line of its own");
	r = config_set(config, key, value);
	if (r == -EINVAL)
		return add_problem(config, number, config_nearest_key(key),
				   "\"%s\" cannot be the value of %s, which is %s", value, key,
				   config_expectation(key));
	if (r != -ENOENT)
		return r;
	nearest = config_nearest_key(key);
	return add_problem(config, number, nearest, "unknown key \"%s\"%s%s%s", key,
			   nearest ? " (is it \"" : "", nearest ? nearest : "",
			   nearest ? "\"?)" : "");
}

static int read_line(struct config *config, unsigned int number, char *line, size_t length)
{
	char *text, *equals;

	if (memchr(line, '\0', length))
		return add_problem(config, number, NULL, "has a NUL byte in it");
	text = trim(line);
	if (!*text || strchr("#;", *text))
		return 0;
	if (*text == '[')
		return add_problem(config, number, NULL, "there are no sections: leave \"%s\" out",
				   text);
	equals = strchr(text, '=');
	if (!equals) {
		text[strcspn(text, " \t:")] = '\0';
		return add_problem(config, number, config_nearest_key(text),
				   "is not of the form KEY = VALUE");
	}
	*equals = '\0';
	return read_value(config, number, trim(text), trim(equals + 1));
}

static int read_lines(struct config *config, FILE *file)
{
	_cleanup_free_ char *line = NULL;
	unsigned int number = 0;
	size_t capacity = 0;
	ssize_t length;
	int r = 0;

	for (errno = 0; r == 0 && (length = getline(&line, &capacity, file)) >= 0; errno = 0)
		r = read_line(config, ++number, line, (size_t)length);
	if (r == 0 && errno == ENOMEM)
		r = -ENOMEM;
	if (r == 0 && ferror(file))
		r = add_problem(config, 0, NULL, "cannot be read: %s", strerror(errno));
	return r;
}

static int read_file(struct config *config)
{
	_cleanup_fclose_ FILE *file = fopen(config->path, "re");

	config->is_there = file || errno != ENOENT;
	if (file)
		return read_lines(config, file);
	if (errno == ENOMEM)
		return -ENOMEM;
	return config->is_there
		       ? add_problem(config, 0, NULL, "cannot be read: %s", strerror(errno))
		       : 0;
}

int config_read(const char *path, struct config *ret_config)
{
	struct config config;
	int r;

	config_init(path, &config);
	r = read_file(&config);
	if (r == 0 && path && !config.is_there)
		r = add_problem(&config, 0, NULL, "cannot be read: %s", strerror(ENOENT));
	config.is_there |= path != NULL;
	if (r < 0) {
		r = report_error(r, "%s: cannot be read", config.path);
		config_clear(&config);
		return r;
	}
	*ret_config = config;
	return 0;
}

int config_keep(const struct config *config)
{
	_cleanup_free_ char *text = NULL;
	size_t length = 0;
	FILE *file = open_memstream(&text, &length);

	if (!file)
		return report_error(-errno, "%s: cannot keep a copy", config->path);
	for (size_t i = 0; i < config->line_count; i++)
		fprintf(file, "%s = %s\n", config->lines[i].key, config->lines[i].value);
	if (fclose(file) != 0)
		return report_error(-errno, "%s: cannot keep a copy", config->path);
	return notes_write_file(KEPT_NAME, text, length);
}

/* Nothing is set if there is no copy. */
static int read_kept(struct config *config)
{
	_cleanup_free_ char *text = notes_read_file(KEPT_NAME);
	_cleanup_fclose_ FILE *file = text && *text ? fmemopen(text, strlen(text), "r") : NULL;

	return file ? read_lines(config, file) : 0;
}

int config_read_with_kept(const char *path, struct config *ret_config)
{
	_cleanup_config_ struct config kept;
	struct config config;
	size_t own;
	int r = config_read(path, &config);

	if (r < 0)
		return r;
	own = config.line_count;
	config_init(path, &kept);
	r = read_kept(&kept);
	if (r == 0 && !config.is_there && !path && kept.line_count)
		r = add_problem(&config, 0, NULL, "is not there any more");
	if (r == 0)
		r = config_adopt(&config, &kept);
	if (r < 0) {
		config_clear(&config);
		return report_error(r, "%s: cannot be read", kept.path);
	}
	for (size_t i = 0; i < config.problem_count; i++)
		warn("%s", config_problem_text(&config, &config.problems[i]).text);
	for (size_t i = own; i < config.line_count; i++)
		warn("%s: what was good at boot is used: %s = %s", config.path, config.lines[i].key,
		     config.lines[i].value);
	*ret_config = config;
	return 0;
}

struct config_problem_text config_problem_text(const struct config *config,
					       const struct config_problem *problem)
{
	struct config_problem_text text;

	if (problem->line)
		snprintf(text.text, sizeof(text.text), "%s:%u: %s", config->path, problem->line,
			 problem->text);
	else
		snprintf(text.text, sizeof(text.text), "%s: %s", config->path, problem->text);
	return text;
}

int config_refuse_problems(const struct config *config)
{
	int r = 0;

	for (size_t i = 0; i < config->problem_count; i++)
		r = report_error(-E_USAGE, "%s",
				 config_problem_text(config, &config->problems[i]).text);
	return r;
}
