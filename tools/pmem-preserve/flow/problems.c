// SPDX-License-Identifier: GPL-2.0-or-later
#include "flow/problems.h"

#include "auth/key.h"
#include "base/file-systems.h"
#include "base/report.h"
#include "base/sysfs.h"
#include "flow/place.h"
#include "image/image.h"
#include "reboot/expected.h"
#include "reboot/notes.h"
#include "reboot/systemd.h"
#include "region/region.h"
#include "settings/config.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void problems_clear(struct problems *problems)
{
	for (size_t i = 0; i < problems->count; i++) {
		free(problems->list[i].problem);
		free(problems->list[i].fix);
	}
	free(problems->list);
	*problems = (struct problems){ 0 };
}

__attribute__((format(printf, 3, 4))) static int add(struct problems *problems, const char *fix,
						     const char *format, ...)
{
	struct problem *larger =
		reallocarray(problems->list, problems->count + 1, sizeof(*problems->list));
	struct problem problem = { .fix = strdup(fix) };
	va_list args;
	int r;

	if (larger)
		problems->list = larger;
	va_start(args, format);
	r = vasprintf(&problem.problem, format, args);
	va_end(args);
	if (r < 0)
		problem.problem = NULL;
	if (!larger || !problem.fix || !problem.problem) {
		free(problem.fix);
		free(problem.problem);
		return -ENOMEM;
	}
	larger[problems->count++] = problem;
	return 0;
}

static int check_lines(const struct config *config, struct problems *problems)
{
	int r = 0;

	for (size_t i = 0; i < config->problem_count && r == 0; i++)
		r = add(problems, "correct it: until then every command refuses, but for status",
			"%s", config_problem_text(config, &config->problems[i]).text);
	return r;
}

static int check_states(const struct config *config, struct problems *problems)
{
	int r = 0;

	if (config->state_count == 0)
		return add(problems, "add a line \"state = PATH\"",
			   "no \"state =\" in %s: nothing is saved", config->path);
	for (size_t i = 0; i < config->state_count && r == 0; i++) {
		const char *path = config->states[i];
		char fix[PATH_MAX + 40];
		bool memory;

		snprintf(fix, sizeof(fix), "mount a tmpfs there, or: mkdir -p %s", path);
		if (access(path, F_OK) < 0)
			r = add(problems, fix, "%s: %s", path, strerror(errno));
		else if (file_system_is_memory(path, &memory) == 0 && !memory)
			r = add(problems,
				"mount a tmpfs there, or take it out of the configuration",
				"%s is on a disk: a restore does not replace the files there",
				path);
	}
	return r;
}

/* The configured region, or the only one. */
static int check_region(const struct config *config, const struct region *regions, size_t count,
			struct problems *problems)
{
	const struct region *region = NULL;

	if (count == 0)
		return add(problems, "pmem-preserve setup",
			   "this machine has no region of persistent memory");
	for (size_t i = 0; i < count && !region; i++)
		if (config->region ? region_has_name(&regions[i], config->region) : count == 1)
			region = &regions[i];
	if (!region && config->region)
		return add(problems, "correct \"region =\"", "there is no region \"%s\"",
			   config->region);
	if (!region)
		return add(problems, "add \"region = NAME\" to the configuration",
			   "the machine has %zu regions, and the configuration names none", count);
	if (region->state == REGION_OTHER)
		return add(problems, "", "%s cannot be used: %s", region->name, region->why);
	if (region->state == REGION_RAM && region->blocks_movable < region->blocks_online)
		return add(problems, "reboot, and let \"pmem-preserve hot-add\" bring it online",
			   "%u blocks of %s are in a kernel zone, and may not be given back",
			   region->blocks_online - region->blocks_movable, region->name);
	if (region->state == REGION_RAM && !region->has_state_attribute)
		return add(problems, "apt install dax-kmem-dkms",
			   "the running kmem driver can remove %s only block by block, and does not say why that fails",
			   region->name);
	return 0;
}

static int check_fallback(const struct config *config, struct problems *problems)
{
	char directory[PATH_MAX], fix[PATH_MAX + 16];
	bool memory;

	if (!config->fallback)
		return 0;
	if (snprintf(directory, sizeof(directory), "%s", config->fallback) >=
	    (int)sizeof(directory))
		return add(problems, "choose a shorter path", "the path of the fallback file: %s",
			   strerror(ENAMETOOLONG));
	dirname(directory);
	snprintf(fix, sizeof(fix), "mkdir -p %s", directory);
	if (access(directory, F_OK) < 0)
		return add(problems, fix, "the directory of the fallback file %s: %s",
			   config->fallback, strerror(errno));
	if (file_system_is_memory(directory, &memory) == 0 && memory)
		return add(problems, "choose a place on a disk",
			   "the fallback file %s is in memory, and is lost with it",
			   config->fallback);
	return 0;
}

static int check_fallback_image(const struct config *config, struct problems *problems)
{
	struct place place = { .is_region = false };
	struct image_header header;

	if (!config->fallback)
		return 0;
	snprintf(place.path, sizeof(place.path), "%s", config->fallback);
	if (place_read_header(&place, &header) < 0 || header.phase != IMAGE_PHASE_COMMITTED)
		return 0;
	return add(problems, "\"pmem-preserve restore\" or \"discard\", with --image and that file",
		   "the fallback file %s holds a checkpoint that was not restored: nothing else is saved there",
		   config->fallback);
}

static int check_key(const struct config *config, struct problems *problems)
{
	const char *fault = geteuid() == 0 ? key_fault(config->key_file) : NULL;

	return fault ? add(problems, "pmem-preserve.conf(5) says what a key file is",
			   "the key file %s %s: checkpoints are saved without a seal, and none is restored",
			   config->key_file, fault)
		     : 0;
}

static int check_unit(struct problems *problems)
{
	char state[32];

	if (!systemd_runs())
		return 0;
	systemd_unit_state(PRESERVE_UNIT, state, sizeof(state));
	if (strcmp(state, "active") == 0)
		return 0;
	return add(problems, "systemctl enable --now " PRESERVE_UNIT,
		   "%s is %s: nothing is saved when the machine goes down", PRESERVE_UNIT, state);
}

static int check_boot(struct problems *problems)
{
	struct expected expected;
	struct boot_note note;

	if (!note_read_boot(&note))
		return 0;
	/* Until it is given up; nobody but root can see whether it was. */
	if ((strcmp(note.outcome, BOOT_LOST) == 0 || strcmp(note.outcome, BOOT_UNREACHABLE) == 0) &&
	    (expected_read(&expected) || geteuid() != 0))
		return add(problems,
			   "\"systemctl restart " PRESERVE_UNIT
			   "\" when it can be reached again, or \"pmem-preserve discard\"",
			   "%s", note.reason);
	if (strcmp(note.outcome, BOOT_DAMAGED) != 0 && strcmp(note.outcome, BOOT_FAILED) != 0)
		return 0;
	return add(problems,
		   "\"pmem-preserve verify\" lists the damaged files; \"restore\" tries again, \"discard\" gives the checkpoint up",
		   "this boot could not restore the state: %s", note.reason);
}

static int check_kexec(struct problems *problems)
{
	if (access("/usr/sbin/kexec", X_OK) < 0 && access("/sbin/kexec", X_OK) < 0)
		return add(problems, "apt install kexec-tools", "kexec is not installed");
	if (!sysfs_exists(-1, "/sys/kernel/kexec_loaded"))
		return add(problems, "", "the running kernel cannot kexec");
	return 0;
}

int problems_find(const struct config *config, const struct region *regions, size_t region_count,
		  struct problems *ret_problems)
{
	struct problems problems = { 0 };
	int r;

	if (!config->is_there) {
		r = add(&problems, "pmem-preserve setup", "%s: no such file", config->path);
	} else {
		r = check_lines(config, &problems);
		if (r == 0)
			r = check_states(config, &problems);
		if (r == 0)
			r = check_region(config, regions, region_count, &problems);
		if (r == 0)
			r = check_fallback(config, &problems);
		if (r == 0)
			r = check_fallback_image(config, &problems);
		if (r == 0)
			r = check_key(config, &problems);
		if (r == 0)
			r = check_unit(&problems);
		if (r == 0)
			r = check_boot(&problems);
		if (r == 0)
			r = check_kexec(&problems);
	}
	if (r < 0) {
		problems_clear(&problems);
		return report_error(r, "%s: cannot be checked", config->path);
	}
	*ret_problems = problems;
	return 0;
}
