// SPDX-License-Identifier: GPL-2.0-or-later
#include "reboot/next-state.h"

#include "base/child.h"
#include "base/report.h"
#include "reboot/systemctl.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *verb;
	enum next_state next;
} verbs[] = {
	{ "soft-reboot", NEXT_SOFT_REBOOT }, { "kexec", NEXT_KEXEC },	{ "reboot", NEXT_REBOOT },
	{ "poweroff", NEXT_POWEROFF },	     { "halt", NEXT_POWEROFF },
};
#define VERBS (sizeof(verbs) / sizeof(verbs[0]))

int next_state_of_verb(const char *verb, enum next_state *ret_next)
{
	for (size_t i = 0; i < VERBS; i++) {
		if (strcmp(verb, verbs[i].verb) == 0) {
			*ret_next = verbs[i].next;
			return 0;
		}
	}
	return -EINVAL;
}

const char *next_state_name(enum next_state next)
{
	for (size_t i = 0; i < VERBS; i++)
		if (verbs[i].next == next)
			return verbs[i].verb;
	return "stay";
}

/* Lines of JOB UNIT TYPE STATE. */
enum next_state next_state_parse(const char *jobs)
{
	while (*jobs) {
		char line[128], unit[64], type[32];
		size_t length = strcspn(jobs, "\n");

		snprintf(line, sizeof(line), "%.*s", (int)(length < 127 ? length : 127), jobs);
		jobs += length + (jobs[length] == '\n');
		if (sscanf(line, "%*u %63s %31s", unit, type) != 2 || strcmp(type, "start") != 0)
			continue;
		for (size_t i = 0; i < VERBS; i++) {
			size_t verb = strlen(verbs[i].verb);

			if (strncmp(unit, verbs[i].verb, verb) == 0 &&
			    strcmp(unit + verb, ".target") == 0)
				return verbs[i].next;
		}
	}
	return NEXT_STAYS;
}

int next_state_find(enum next_state *ret_next)
{
	static const char *const words[] = {
		"--no-legend",	      "--plain",
		"--no-pager",	      "list-jobs",
		"kexec.target",	      "reboot.target",
		"poweroff.target",    "halt.target",
		"soft-reboot.target", NULL,
	};
	struct program_result result;
	int r = systemctl_ask(words, &result);

	if (r < 0)
		return report_error(r, "systemctl cannot be asked what the machine is about to do");
	if (result.status != 0) {
		program_one_line(&result);
		return report_error(-E_FAILED, "systemctl list-jobs: %s", result.output);
	}
	*ret_next = next_state_parse(result.output);
	return 0;
}
