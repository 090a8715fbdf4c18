// SPDX-License-Identifier: GPL-2.0-or-later
#include "reboot/next-state.h"

#include "reboot/systemd.h"

#include <errno.h>
#include <stddef.h>
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

enum next_state next_state_of_job(const char *unit, const char *type)
{
	if (strcmp(type, "start") != 0)
		return NEXT_STAYS;
	for (size_t i = 0; i < VERBS; i++) {
		size_t verb = strlen(verbs[i].verb);

		if (strncmp(unit, verbs[i].verb, verb) == 0 && strcmp(unit + verb, ".target") == 0)
			return verbs[i].next;
	}
	return NEXT_STAYS;
}

static void look_at_job(void *data, const char *unit, const char *type)
{
	enum next_state *next = data;

	if (*next == NEXT_STAYS)
		*next = next_state_of_job(unit, type);
}

int next_state_find(enum next_state *ret_next)
{
	enum next_state next = NEXT_STAYS;
	int r = systemd_list_jobs(look_at_job, &next);

	if (r < 0)
		return r;
	*ret_next = next;
	return 0;
}
