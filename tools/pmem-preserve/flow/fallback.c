// SPDX-License-Identifier: GPL-2.0-or-later
#include "flow/fallback.h"

#include "base/file-systems.h"
#include "flow/inside.h"
#include "settings/config.h"

#include <errno.h>
#include <libgen.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

__attribute__((format(printf, 3, 4))) static bool fault(struct fallback_fault *fault,
							const char *fix, const char *format, ...)
{
	va_list args;

	snprintf(fault->fix, sizeof(fault->fix), "%s", fix);
	va_start(args, format);
	vsnprintf(fault->problem, sizeof(fault->problem), format, args);
	va_end(args);
	return true;
}

bool fallback_has_fault(const struct config *config, struct fallback_fault *ret_fault)
{
	char directory[PATH_MAX], fix[sizeof(ret_fault->fix)];
	bool memory, inside;

	if (!config->fallback)
		return false;
	if (snprintf(directory, sizeof(directory), "%s", config->fallback) >=
	    (int)sizeof(directory))
		return fault(ret_fault, "choose a shorter path",
			     "the path of the fallback file: %s", strerror(ENAMETOOLONG));
	dirname(directory);
	snprintf(fix, sizeof(fix), "mkdir -p %s", directory);
	if (access(directory, F_OK) < 0)
		return fault(ret_fault, fix, "the directory of the fallback file %s: %s",
			     config->fallback, strerror(errno));
	for (size_t i = 0; i < config->state_count; i++)
		if (image_is_inside(config->fallback, config->states[i], &inside) == 0 && inside)
			return fault(ret_fault, "choose a place outside of the state, on a disk",
				     "the fallback file %s lies in the state %s, which cannot be saved there",
				     config->fallback, config->states[i]);
	if (file_system_is_memory(directory, &memory) == 0 && memory)
		return fault(ret_fault, "choose a place on a disk",
			     "the fallback file %s is in memory, and is lost with it",
			     config->fallback);
	return false;
}
