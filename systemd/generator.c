// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A systemd generator: pmem-preserve.service needs the file systems of the configured paths, which
 * are not known before boot. Writes a drop-in with RequiresMountsFor= and nothing else.
 */
#include "settings/config.h"
#include "auth/counter.h"
#include "base/report.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define DROP_IN "pmem-preserve.service.d"

/* Quoted for a unit file, and % (a specifier) doubled. */
static void print_path(FILE *file, const char *path)
{
	fprintf(file, "RequiresMountsFor=\"");
	for (const char *p = path; *p; p++) {
		if (strchr("\"\\", *p))
			fputc('\\', file);
		if (*p == '%')
			fputc('%', file);
		fputc(*p, file);
	}
	fprintf(file, "\"\n");
}

static int write_drop_in(const struct config *config, const char *directory)
{
	char path[PATH_MAX];
	FILE *file;

	if (snprintf(path, sizeof(path), "%s/" DROP_IN, directory) >= (int)sizeof(path))
		return report_error(-ENAMETOOLONG, "%s", directory);
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		return report_error(-errno, "%s", path);
	strncat(path, "/50-mounts.conf", sizeof(path) - strlen(path) - 1);
	file = fopen(path, "we");
	if (!file)
		return report_error(-errno, "%s", path);
	fprintf(file, "# Written by pmem-preserve-generator from " CONFIG_PATH "\n[Unit]\n");
	for (size_t i = 0; i < config->state_count; i++)
		print_path(file, config->states[i]);
	if (config->fallback)
		print_path(file, config->fallback);
	if (config->key_file) {
		print_path(file, config->key_file);
		print_path(file, config->counter_file ? config->counter_file : COUNTER_PATH);
	}
	if (fclose(file) != 0)
		return report_error(-errno, "%s", path);
	return 0;
}

int main(int argc, char **argv)
{
	struct config config;
	int r;

	report_init(NORMAL);
	if (argc != 4)
		return exit_status(report_error(-E_USAGE, "to be called by systemd only"));
	r = config_read(NULL, &config);
	if (r < 0)
		return exit_status(r);
	for (size_t i = 0; i < config.problem_count; i++)
		warn("%s", config_problem_text(&config, &config.problems[i]).text);
	if (config.state_count || config.fallback || config.key_file)
		r = write_drop_in(&config, argv[1]);
	config_clear(&config);
	return exit_status(r);
}
