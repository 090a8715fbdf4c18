// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/fault.h"

#include "base/report.h"

#ifdef FAULT_POINTS_ENABLED

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	enum fault_point point;
	const char *name, *when;
} points[] = {
#define FAULT_POINT_ROW(number, name, when) { FAULT_##name, #name, when },
	FAULT_POINTS(FAULT_POINT_ROW)
};

static atomic_uint reached;

/* Whether NAME[:N]=ACTION means this point, this time. */
static const char *action_now(const char *wanted, const char *name)
{
	size_t length = strlen(name);
	unsigned long count = 1;
	char *end;

	if (strncmp(wanted, name, length) != 0)
		return NULL;
	wanted += length;
	if (*wanted == ':') {
		count = strtoul(wanted + 1, &end, 10);
		wanted = end;
	}
	if (*wanted != '=')
		return NULL;
	return atomic_fetch_add(&reached, 1) + 1 == count ? wanted + 1 : NULL;
}

int fault(enum fault_point point)
{
	const char *wanted = getenv("PMEM_PRESERVE_FAULT"), *action;
	size_t i;

	if (!wanted)
		return 0;
	for (i = 0; points[i].point != point;)
		i++;
	action = action_now(wanted, points[i].name);
	if (!action)
		return 0;
	warn("fault point %d: %s: %s", (int)point, action, points[i].when);
	if (strcmp(action, "kill") == 0)
		raise(SIGKILL);
	if (strcmp(action, "stop") == 0)
		raise(SIGSTOP);
	if (strcmp(action, "error") == 0)
		return report_error(-EIO, "fault point %d: %s", (int)point, points[i].when);
	return 0;
}
#endif
