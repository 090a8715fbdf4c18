// SPDX-License-Identifier: GPL-2.0-or-later
#include "reboot/kernel-modules.h"

#include "base/cleanup.h"
#include "base/sysfs.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DKMS "/var/lib/dkms/dax-kmem"

/* Of /lib/modules/RELEASE, lines "kernel/drivers/dax/kmem.ko.xz: ..." as modules.dep(5) has them. */
struct modules {
	char *loadable, *built_in;
};

static void modules_clear(struct modules *modules)
{
	free(modules->loadable);
	free(modules->built_in);
}
#define _cleanup_modules_ _cleanup_(modules_clear)

static char *read_list(const char *release, const char *name)
{
	char path[PATH_MAX], *text;

	snprintf(path, sizeof(path), "/lib/modules/%s/%s", release, name);
	return sysfs_read_text(-1, path, &text) < 0 ? NULL : text;
}

/* In names of modules, - and _ are the same. */
static bool is_named(const char *file, size_t length, const char *name)
{
	for (; *name && length; name++, file++, length--)
		if ((*file == '-' ? '_' : *file) != *name)
			return false;
	return !*name && length >= 3 && strncmp(file, ".ko", 3) == 0;
}

/* The line of module @name, or NULL. */
static const char *find_line(const char *list, const char *name)
{
	for (const char *line = list; line && *line;) {
		size_t length = strcspn(line, ":\n"), start = length;

		while (start && line[start - 1] != '/')
			start--;
		if (is_named(line + start, length - start, name))
			return line;
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	return NULL;
}

/* As dkms.conf has it: 6.1 to 6.12. */
static bool is_for_our_driver(const char *release)
{
	char *end;
	unsigned long minor;

	if (strncmp(release, "6.", 2) != 0)
		return false;
	minor = strtoul(release + 2, &end, 10);
	return *end == '.' && minor >= 1 && minor <= 12;
}

static bool is_replaced(const char *line)
{
	static const char *const folders[] = { "updates/", "extra/", "weak-updates/" };

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		if (strncmp(line, folders[i], strlen(folders[i])) == 0)
			return true;
	return false;
}

static void check_our_driver(const char *release, const char *line, struct file_fault *fault)
{
	if (sysfs_exists(-1, DKMS) && is_for_our_driver(release) && !(line && is_replaced(line)))
		snprintf(fault->text, sizeof(fault->text),
			 "the driver of dax-kmem-dkms is not built for it: install its headers and call \"dkms autoinstall -k %s\"",
			 release);
}

struct file_fault kernel_modules_fault(const char *release, const char *const *names)
{
	_cleanup_modules_ struct modules modules = {};
	struct file_fault fault = { "" };

	if (!names || !*names)
		return fault;
	modules.loadable = read_list(release, "modules.dep");
	modules.built_in = read_list(release, "modules.builtin");
	if (!modules.loadable && !modules.built_in) {
		snprintf(fault.text, sizeof(fault.text),
			 "its modules are not installed: /lib/modules/%s has no modules.dep",
			 release);
		return fault;
	}
	for (; *names && !*fault.text; names++) {
		const char *line = find_line(modules.loadable, *names);

		if (!line && !find_line(modules.built_in, *names))
			snprintf(fault.text, sizeof(fault.text),
				 "it has no module %s, which the region needs (/lib/modules/%s)",
				 *names, release);
		else if (strcmp(*names, "kmem") == 0)
			check_our_driver(release, line, &fault);
	}
	return fault;
}
