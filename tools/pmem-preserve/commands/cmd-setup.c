// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * setup: looks at the machine, proposes what to keep and where, and writes the configuration after
 * asking. Where no memory is set aside yet, it says what to put on the kernel's command line.
 */
#include "base/cleanup.h"
#include "base/file-systems.h"
#include "base/replace-file.h"
#include "base/report.h"
#include "base/strings.h"
#include "base/text.h"
#include "commands/command.h"
#include "reboot/systemd.h"
#include "region/memmap-proposal.h"
#include "region/region.h"
#include "settings/options.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FALLBACK "/var/lib/pmem-preserve/fallback.img"

struct setup {
	const struct options *options;
	const char *config_path;
	char **states;
	size_t state_count;
	uint64_t state_bytes; /* in use on their file systems */
	struct region region;
	bool several_regions;
	bool fallback; /* there is room for one */
};

static void setup_clear(struct setup *setup)
{
	strings_free(&setup->states, &setup->state_count);
}

static int add_state(struct setup *setup, const char *path)
{
	_cleanup_free_ char *real = realpath(path, NULL);
	uint64_t used, available;
	bool memory;
	int r;

	if (!real)
		return report_error(-errno, "%s", path);
	r = file_system_is_memory(real, &memory);
	if (r == 0)
		r = file_system_room(real, &used, &available);
	if (r == 0)
		r = strings_add(&setup->states, &setup->state_count, real);
	if (r < 0)
		return report_error(r, "%s", real);
	if (!memory)
		warn("%s lies on a disk, where it survives a reboot anyway; a restore refuses to replace what it finds there",
		     real);
	else
		setup->state_bytes += used;
	return 0;
}

static int find_states(struct setup *setup, int argc, char **argv)
{
	char **found = NULL;
	size_t count = 0;
	int r = 0;

	for (int i = setup->options->first; i < argc && r == 0; i++)
		r = add_state(setup, argv[i]);
	if (r < 0 || setup->options->first < argc)
		return r;
	r = file_systems_in_memory(&found, &count);
	if (r < 0)
		return report_error(r, "cannot read the mount table");
	for (size_t i = 0; i < count; i++) {
		if (r == 0)
			r = add_state(setup, found[i]);
		free(found[i]);
	}
	free(found);
	if (r == 0 && setup->state_count == 0)
		r = report_error(-E_USAGE,
				 "no state given, and no tmpfs is mounted but the system's own; name it: \"pmem-preserve setup /var/state\"");
	return r;
}

static int propose_memmap(const struct setup *setup)
{
	struct memmap_proposal proposal;
	int r = memmap_propose_here(setup->state_bytes, &proposal);

	if (r == -ENOENT)
		return report_error(-E_FAILED,
				    "this kernel cannot add memory while it runs (no /sys/devices/system/memory), so memory that is set aside could not be used between reboots; --image FILE does without a region");
	if (r == -ENOSPC)
		return report_error(-E_NO_FIT,
				    "the state takes %s, and no range of this machine's RAM can be set aside for it and leave half",
				    size_text(setup->state_bytes).text);
	if (r == -EACCES)
		return report_error(-E_FAILED,
				    "only root is told where this machine has memory: call \"pmem-preserve setup\" as root");
	if (r < 0)
		return report_error(r, "cannot read the machine's memory map");
	printf("This machine has no region of persistent memory yet. For %s of state now in use,\n"
	       "set %s aside by one word on the kernel's command line:\n\n"
	       "    memmap=%s\n\n"
	       "With GRUB, as root:\n\n"
	       "    mkdir -p /etc/default/grub.d\n"
	       "    echo 'GRUB_CMDLINE_LINUX=\"$GRUB_CMDLINE_LINUX memmap=%s\"' \\\n"
	       "        >/etc/default/grub.d/pmem-preserve.cfg\n"
	       "    update-grub\n\n"
	       "Then reboot and call \"pmem-preserve setup\" again.\n",
	       size_text(setup->state_bytes).text, size_text(proposal.size).text,
	       memmap_text(&proposal).text, memmap_text(&proposal).text);
	return report_error(-E_FAILED, "nothing was written: there is no region to configure yet");
}

static int find_region(struct setup *setup)
{
	_cleanup_free_ struct region *regions = NULL;
	size_t count;
	int r = region_list(&regions, &count);

	if (r < 0)
		return r;
	if (count == 0)
		return propose_memmap(setup);
	setup->several_regions = count > 1;
	r = region_find(setup->options->where.region, &setup->region);
	if (r < 0)
		return r;
	if (setup->region.raw_bytes < setup->state_bytes)
		warn("%s has %s, less than the %s that are in use on the file systems of the state",
		     setup->region.name, size_text(setup->region.raw_bytes).text,
		     size_text(setup->state_bytes).text);
	return region_can_be_ram(&setup->region);
}

static void find_fallback(struct setup *setup)
{
	uint64_t used, available;
	bool memory;

	setup->fallback = file_system_is_memory("/var/lib", &memory) == 0 && !memory &&
			  file_system_room("/var/lib", &used, &available) == 0 &&
			  available > 2 * setup->region.raw_bytes;
}

static void print_config(const struct setup *setup, FILE *file)
{
	const struct region *region = &setup->region;

	fprintf(file, "# See pmem-preserve.conf(5). Written by \"pmem-preserve setup\".\n");
	for (size_t i = 0; i < setup->state_count; i++)
		fprintf(file, "state = %s\n", setup->states[i]);
	fprintf(file, "\n# %s, %s at %#llx\n%sregion = %s\n", region->provider,
		size_text(region->raw_bytes).text, (unsigned long long)region->start,
		setup->several_regions ? "" : "#",
		*region->uuid && setup->several_regions ? region->uuid : region->name);
	fprintf(file, "# What its contents live through; an NVDIMM: poweroff.\nsurvives = kexec\n");
	fprintf(file,
		"\n# Where the state goes when the memory cannot be used, or would not survive.\n"
		"%sfallback = %s\n",
		setup->fallback ? "" : "#", FALLBACK);
}

/* Whether the answer is yes. */
static bool ask(const struct setup *setup)
{
	char answer[16];

	if (setup->options->yes)
		return true;
	printf("\nWrite this to %s and start pmem-preserve.service? [y/N] ", setup->config_path);
	fflush(stdout);
	return fgets(answer, sizeof(answer), stdin) && (answer[0] == 'y' || answer[0] == 'Y');
}

static int write_config(const struct setup *setup)
{
	_cleanup_free_ char *text = NULL;
	size_t length = 0;
	FILE *file;
	int r;

	if (setup->fallback && mkdir("/var/lib/pmem-preserve", 0700) < 0 && errno != EEXIST)
		return report_error(-errno, "/var/lib/pmem-preserve");
	file = open_memstream(&text, &length);
	if (!file)
		return report_error(-errno, "%s", setup->config_path);
	print_config(setup, file);
	r = fclose(file) == 0 ? replace_file(setup->config_path, 0644, text, length) : -errno;
	return r < 0 ? report_error(r, "%s", setup->config_path) : 0;
}

static int start_units(void)
{
	static const char *const units[] = { PRESERVE_UNIT, "pmem-preserve-hot-add.service", NULL };

	if (!systemd_runs()) {
		inform("systemd does not run here: call \"pmem-preserve boot\" at boot and \"pmem-preserve shutdown\" on the way down");
		return 0;
	}
	return systemd_enable_now(units);
}

static int setup(struct setup *setup, int argc, char **argv)
{
	int r;

	if (access(setup->config_path, F_OK) == 0 && !setup->options->replace)
		return report_error(-E_REFUSED,
				    "%s is there already: edit it (\"status\" says what is wrong and how to fix it), or say --replace",
				    setup->config_path);
	r = find_states(setup, argc, argv);
	if (r == 0)
		r = find_region(setup);
	if (r < 0)
		return r;
	find_fallback(setup);
	print_config(setup, stdout);
	if (setup->options->dry_run) {
		inform("Nothing was written");
		return 0;
	}
	if (!ask(setup))
		return report_error(-E_FAILED, "nothing was written");
	r = write_config(setup);
	if (r < 0)
		return r;
	r = start_units();
	if (r < 0)
		warn("%s is written, but not in use; \"pmem-preserve status\" says what is wrong",
		     setup->config_path);
	if (r == 0)
		inform("Done: \"pmem-preserve kexec\" goes into the next kernel with the state, \"pmem-preserve status\" tells how things are");
	return r;
}

int cmd_setup(struct context *context, int argc, char **argv)
{
	_cleanup_options_ struct options options = { 0 };
	_cleanup_(setup_clear) struct setup job = { .options = &options };
	int r;

	r = options_parse(context->config, argc, argv,
			  OPTION_REGION | OPTION_REPLACE_FILE | OPTION_YES | OPTION_DRY_RUN,
			  "[PATH]...", &options);
	if (r < 0 || options.help)
		return r;
	job.config_path = context->config->path;
	return setup(&job, argc, argv);
}
