// SPDX-License-Identifier: GPL-2.0-or-later
#include "reboot/dependents.h"

#include "base/cleanup.h"
#include "base/strings.h"
#include "reboot/systemd.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UNITS_MAX	500 /* that are looked at */
#define DEFAULT_STOP_US UINT64_C(90000000)

void dependents_clear(struct dependents *dependents)
{
	for (size_t i = 0; i < dependents->count; i++)
		free(dependents->list[i].unit);
	free(dependents->list);
	*dependents = (struct dependents){};
}

/* Units, each once. */
struct units {
	char **names;
	size_t count;
};

static void units_clear(struct units *units)
{
	strings_free(&units->names, &units->count);
}
#define _cleanup_units_ _cleanup_(units_clear)

static bool has_suffix(const char *name, const char *suffix)
{
	size_t length = strlen(name);

	return length > strlen(suffix) && strcmp(name + length - strlen(suffix), suffix) == 0;
}

static int add_unit(struct units *units, const char *name)
{
	for (size_t i = 0; i < units->count; i++)
		if (strcmp(units->names[i], name) == 0)
			return 0;
	return units->count < UNITS_MAX ? strings_add(&units->names, &units->count, name) : 0;
}

/* Adds the units in a property of @unit, all or those of one type. */
static int add_property(struct units *units, const char *unit, const char *property,
			const char *suffix)
{
	_cleanup_units_ struct units found = {};
	int r = systemd_unit_strings(unit, SYSTEMD_UNIT, property, &found.names, &found.count);

	for (size_t i = 0; i < found.count && r == 0; i++)
		if (!suffix || has_suffix(found.names[i], suffix))
			r = add_unit(units, found.names[i]);
	return r;
}

/* What is stopped with @unit, and before it. */
static int add_requiring(struct units *units, const char *unit)
{
	int r = add_property(units, unit, "RequiredBy", NULL);

	if (r == 0)
		r = add_property(units, unit, "RequisiteOf", NULL);
	return r < 0 ? r : add_property(units, unit, "BoundBy", NULL);
}

/* What requires these need not have anything to do with the state. */
static bool is_general(const char *unit)
{
	static const char *const names[] = { "-.mount", "local-fs.target", "sysinit.target",
					     "basic.target" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(unit, names[i]) == 0)
			return true;
	return false;
}

/* Ours, the mounts of the state, which our unit requires by RequiresMountsFor=, and their users. */
static int find_units(struct units *units)
{
	int r = add_unit(units, PRESERVE_UNIT);

	if (r == 0)
		r = add_property(units, PRESERVE_UNIT, "Requires", ".mount");
	for (size_t i = 0; i < units->count && r == 0; i++)
		if (!is_general(units->names[i]))
			r = add_requiring(units, units->names[i]);
	return r;
}

/* The length of @prefix if @path is it or lies beneath it, else 0. Marks such as "-" do not count. */
static size_t beneath(const char *path, const char *prefix)
{
	size_t length;

	prefix += strspn(prefix, "-+");
	length = strlen(prefix);
	while (length > 1 && prefix[length - 1] == '/')
		length--;
	if (length == 1 && *prefix == '/')
		return 1;
	return length && strncmp(path, prefix, length) == 0 &&
			       (path[length] == '/' || !path[length])
		       ? length
		       : 0;
}

static size_t longest(const struct units *paths, const char *path)
{
	size_t best = 0;

	for (size_t i = 0; i < paths->count; i++) {
		size_t length = beneath(path, paths->names[i]);

		best = length > best ? length : best;
	}
	return best;
}

/* A unit that may write something in the state has been thought of. */
static bool has_path_inside(const struct units *paths, const char *state)
{
	for (size_t i = 0; i < paths->count; i++)
		if (beneath(paths->names[i] + strspn(paths->names[i], "-+"), state))
			return true;
	return false;
}

static int read_paths(const char *unit, const char *property, const char *before,
		      struct units *paths)
{
	_cleanup_units_ struct units found = {};
	int r = systemd_unit_strings(unit, SYSTEMD_SERVICE, property, &found.names, &found.count);

	for (size_t i = 0; i < found.count && r == 0; i++) {
		_cleanup_free_ char *path = NULL;

		r = asprintf(&path, "%s%s", before, found.names[i]) < 0 ? -ENOMEM
									: add_unit(paths, path);
	}
	return r;
}

static int check_sandbox(struct dependent *dependent, char **states, size_t count)
{
	_cleanup_units_ struct units writable = {}, read_only = {};
	char protect[16] = "";
	int r = systemd_unit_text(dependent->unit, SYSTEMD_SERVICE, "ProtectSystem", protect,
				  sizeof(protect));
	bool strict = strcmp(protect, "strict") == 0;

	if (r == 0)
		r = read_paths(dependent->unit, "ReadOnlyPaths", "", &read_only);
	if (r == 0)
		r = read_paths(dependent->unit, "ReadWritePaths", "", &writable);
	if (r == 0)
		r = read_paths(dependent->unit, "StateDirectory", "/var/lib/", &writable);
	for (size_t i = 0; i < count && r == 0 && !dependent->read_only; i++) {
		size_t forbidden = longest(&read_only, states[i]);

		if (has_path_inside(&writable, states[i]))
			continue;
		if ((forbidden > 0 || strict) &&
		    longest(&writable, states[i]) < (forbidden ? forbidden : 1)) {
			dependent->read_only = states[i];
			dependent->setting = forbidden ? "ReadOnlyPaths=" : "ProtectSystem=strict";
		}
	}
	return r;
}

static int look_at(const char *unit, char **states, size_t count, uint64_t default_us,
		   struct dependents *dependents)
{
	struct dependent dependent = {}, *larger;
	char state[32];
	int r;

	systemd_unit_state(unit, state, sizeof(state));
	if (strcmp(state, "active") != 0)
		return 0;
	r = systemd_unit_number(unit, SYSTEMD_SERVICE, "TimeoutStopUSec", &dependent.stop_us);
	if (r < 0)
		return r;
	dependent.unit = strdup(unit);
	if (!dependent.unit)
		return -ENOMEM;
	dependent.is_slow = dependent.stop_us > default_us;
	r = check_sandbox(&dependent, states, count);
	if (r < 0 || (!dependent.is_slow && !dependent.read_only)) {
		free(dependent.unit);
		return r;
	}
	larger = reallocarray(dependents->list, dependents->count + 1, sizeof(*larger));
	if (!larger) {
		free(dependent.unit);
		return -ENOMEM;
	}
	dependents->list = larger;
	larger[dependents->count++] = dependent;
	return 0;
}

int dependents_find(char **states, size_t count, struct dependents *ret_dependents)
{
	_cleanup_units_ struct units units = {};
	struct dependents dependents = {};
	uint64_t default_us = DEFAULT_STOP_US;
	int r = 0;

	if (systemd_runs())
		r = find_units(&units);
	if (r == 0 && units.count)
		systemd_default_stop_us(&default_us);
	for (size_t i = 0; i < units.count && r == 0; i++)
		if (has_suffix(units.names[i], ".service") &&
		    strcmp(units.names[i], PRESERVE_UNIT) != 0)
			r = look_at(units.names[i], states, count, default_us, &dependents);
	if (r < 0) {
		dependents_clear(&dependents);
		return r;
	}
	*ret_dependents = dependents;
	return 0;
}

bool dependent_may_hang(const struct dependent *dependent)
{
	return dependent->read_only && dependent->stop_us == DEPENDENT_FOR_EVER;
}

struct dependent_text dependent_text(const struct dependent *dependent)
{
	struct dependent_text text;
	char slow[160] = "", sandbox[300] = "";

	if (dependent->stop_us == DEPENDENT_FOR_EVER)
		snprintf(slow, sizeof(slow),
			 "systemd waits for it without limit (TimeoutStopSec=)");
	else if (dependent->is_slow)
		snprintf(slow, sizeof(slow), "systemd waits %llu s for it (TimeoutStopSec=)",
			 (unsigned long long)(dependent->stop_us / 1000000));
	if (dependent->read_only)
		snprintf(sandbox, sizeof(sandbox), "it cannot write to %.200s (%s)",
			 dependent->read_only, dependent->setting);
	snprintf(text.problem, sizeof(text.problem),
		 "%.100s must have stopped before the state is saved, and %s%s%s", dependent->unit,
		 slow, *slow && *sandbox ? ", and " : "", sandbox);
	snprintf(text.fix, sizeof(text.fix),
		 "write %s%s%s%.200s under [Service] into /etc/systemd/system/%.100s.d/pmem-preserve.conf, then \"systemctl daemon-reload\" and restart it",
		 dependent->is_slow ? "TimeoutStopSec=90" : "",
		 dependent->is_slow && dependent->read_only ? " and " : "",
		 dependent->read_only ? "ReadWritePaths=" : "",
		 dependent->read_only ? dependent->read_only : "", dependent->unit);
	return text;
}
