// SPDX-License-Identifier: GPL-2.0-or-later
#include "reboot/systemctl.h"

#include "base/child.h"
#include "base/report.h"
#include "base/sysfs.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define DEADLINE_MS 120000
#define WORDS_MAX   16

bool systemd_runs(void)
{
	return sysfs_exists(-1, "/run/systemd/system");
}

int systemctl_ask(const char *const words[], struct program_result *ret_result)
{
	const char *argv[WORDS_MAX + 2] = { "systemctl" };

	for (size_t i = 0; words[i]; i++) {
		if (i >= WORDS_MAX)
			return -E2BIG;
		argv[i + 1] = words[i];
	}
	return child_program((char *const *)argv, DEADLINE_MS, ret_result);
}

int systemctl(const char *const words[])
{
	struct program_result result;
	int r = systemctl_ask(words, &result);

	if (r < 0)
		return report_error(r, "systemctl %s cannot be run", words[0]);
	program_one_line(&result);
	if (result.status != 0)
		return report_error(-E_FAILED, "systemctl %s: %s", words[0], result.output);
	return 0;
}

void systemctl_unit_state(char *state, size_t size)
{
	static const char *const words[] = { "is-active", SYSTEMCTL_OUR_UNIT, NULL };
	struct program_result result;

	if (!systemd_runs() || systemctl_ask(words, &result) < 0 || !*result.output)
		snprintf(state, size, "not known");
	else
		snprintf(state, size, "%.*s", (int)strcspn(result.output, "\n"), result.output);
}
