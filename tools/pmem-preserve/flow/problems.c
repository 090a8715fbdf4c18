// SPDX-License-Identifier: GPL-2.0-or-later
#include "flow/problems.h"

#include "auth/key.h"
#include "base/file-systems.h"
#include "base/report.h"
#include "base/sysfs.h"
#include "base/text.h"
#include "flow/fallback.h"
#include "flow/place.h"
#include "flow/room.h"
#include "flow/state-size.h"
#include "image/image.h"
#include "reboot/dependents.h"
#include "reboot/expected.h"
#include "reboot/kernel-choice.h"
#include "reboot/kexec.h"
#include "reboot/notes.h"
#include "reboot/systemd.h"
#include "region/memmap-proposal.h"
#include "region/region.h"
#include "settings/config.h"

#include <errno.h>
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

static int check_lines(const struct findings *findings, struct problems *problems)
{
	const struct config *config = findings->config;
	int r = 0;

	for (size_t i = 0; i < config->problem_count && r == 0; i++)
		r = add(problems, "correct it: until then every command refuses, but for status",
			"%s", config_problem_text(config, &config->problems[i]).text);
	return r;
}

static int check_states(const struct findings *findings, struct problems *problems)
{
	const struct config *config = findings->config;
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

/* How this machine gets a region: setup would only send back to here, as it has been called. */
static int propose_region(const struct findings *findings, struct problems *problems)
{
	struct memmap_proposal proposal;
	char fix[256];
	int r = memmap_propose_here(findings->size->image_bytes, &proposal);

	if (r == 0)
		snprintf(fix, sizeof(fix),
			 "write memmap=%s on the kernel's command line and reboot: it sets %s of this machine's RAM aside",
			 memmap_text(&proposal).text, size_text(proposal.size).text);
	else if (r == -EACCES)
		snprintf(fix, sizeof(fix),
			 "call \"pmem-preserve status\" as root: it proposes a range");
	else if (r == -ENOSPC)
		snprintf(fix, sizeof(fix),
			 "an NVDIMM; no range of this machine's RAM can be set aside for the state and leave half");
	else
		snprintf(fix, sizeof(fix), "see README.md");
	return add(problems, fix, "this machine has no region of persistent memory%s",
		   findings->config->fallback ? "; the state can only go to the fallback file"
					      : "");
}

static int check_region(const struct findings *findings, struct problems *problems)
{
	const struct config *config = findings->config;
	size_t count = findings->region_count;
	const struct region *region = room_region(config, findings->regions, count);

	if (count == 0)
		return propose_region(findings, problems);
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

static int check_fallback(const struct findings *findings, struct problems *problems)
{
	struct fallback_fault fault;

	return fallback_has_fault(findings->config, &fault)
		       ? add(problems, fault.fix, "%s", fault.problem)
		       : 0;
}

static int check_fallback_image(const struct findings *findings, struct problems *problems)
{
	const struct config *config = findings->config;
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

static int check_key(const struct findings *findings, struct problems *problems)
{
	const struct config *config = findings->config;
	const char *fault = geteuid() == 0 ? key_fault(config->key_file) : NULL;

	return fault ? add(problems, "pmem-preserve.conf(5) says what a key file is",
			   "the key file %s %s: checkpoints are saved without a seal, and none is restored",
			   config->key_file, fault)
		     : 0;
}

static int check_unit(const struct findings *findings, struct problems *problems)
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

static int check_boot(const struct findings *findings, struct problems *problems)
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

static int check_kexec(const struct findings *findings, struct problems *problems)
{
	if (access("/usr/sbin/kexec", X_OK) < 0 && access("/sbin/kexec", X_OK) < 0)
		return add(problems, "apt install kexec-tools", "kexec is not installed");
	if (!sysfs_exists(-1, "/sys/kernel/kexec_loaded"))
		return add(problems, "run a kernel with CONFIG_KEXEC_FILE, as those of Debian are",
			   "the running kernel cannot kexec");
	if (kexec_is_disabled())
		return add(problems,
			   "take kernel.kexec_load_disabled out of /etc/sysctl.d, and reboot",
			   "the running kernel loads no kernel for kexec");
	return 0;
}

static int check_fit(const struct findings *findings, struct problems *problems)
{
	const struct state_size *size = findings->size;
	int r = 0;

	for (size_t i = 0; i < findings->room_count && size->is_measured && r == 0; i++) {
		const struct room *room = &findings->rooms[i];

		if (size->image_bytes > room->bytes)
			r = add(problems, "make room, or leave files out with \"exclude =\"",
				"the state takes %s and does not fit into %s, which has %s",
				size_text(size->image_bytes).text, room->place,
				size_text(room->bytes).text);
	}
	return r;
}

static int check_kernel(const struct findings *findings, struct problems *problems)
{
	const struct kernel_choice *choice = findings->choice;
	int r = 0;

	if (choice->error)
		return add(problems, "", "there is no next kernel: %s", choice->problem);
	for (size_t i = 0; i < choice->left && r == 0; i++)
		r = add(problems, "", "the next kernel is not the newest: %s is left: %s",
			choice->installed.list[i].file, choice->installed.list[i].fault.text);
	return r;
}

static int check_dependents(const struct findings *findings, struct problems *problems)
{
	const struct config *config = findings->config;
	_cleanup_dependents_ struct dependents dependents = { 0 };
	int r = 0;

	if (dependents_find(config->states, config->state_count, &dependents) < 0)
		return 0;
	for (size_t i = 0; i < dependents.count && r == 0; i++) {
		struct dependent_text text = dependent_text(&dependents.list[i]);

		r = add(problems, text.fix, "%s%s", text.problem,
			dependent_may_hang(&dependents.list[i])
				? ": the machine might never go down"
				: "");
	}
	return r;
}

int problems_find(const struct findings *findings, struct problems *ret_problems)
{
	static int (*const checks[])(const struct findings *findings, struct problems *problems) = {
		check_lines,	check_states,	      check_region, check_fit,
		check_fallback, check_fallback_image, check_key,    check_unit,
		check_boot,	check_kexec,	      check_kernel, check_dependents,
	};
	struct problems problems = { 0 };
	int r = 0;

	if (!findings->config->is_there)
		r = add(&problems, "pmem-preserve setup", "%s: no such file",
			findings->config->path);
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]) && r == 0; i++)
		if (findings->config->is_there)
			r = checks[i](findings, &problems);
	if (r < 0) {
		problems_clear(&problems);
		return report_error(r, "%s: cannot be checked", findings->config->path);
	}
	*ret_problems = problems;
	return 0;
}
