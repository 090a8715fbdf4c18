// SPDX-License-Identifier: GPL-2.0-or-later
#include "settings/options.h"

#include "auth/counter.h"
#include "base/report.h"
#include "base/strings.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OPTION_HELP (1u << 30)

struct description {
	const char *name;
	char letter;
	const char *argument;
	unsigned int flag;
	const char *help;
};

static const struct description descriptions[] = {
	{ "image", 'i', "FILE", OPTION_IMAGE, "the checkpoint is in FILE (or on that device)" },
	{ "region", 'r', "NAME", OPTION_REGION,
	  "the region of persistent memory, as in \"status\"" },
	{ "layout", 0, "raw|devdax", OPTION_LAYOUT, "how the region holds the checkpoint" },
	{ "replace", 0, NULL, OPTION_REPLACE, "even if an unrestored checkpoint is lost" },
	{ "replace", 0, NULL, OPTION_REPLACE_FILE, "write a new file in place of the old one" },
	{ "in-place", 0, NULL, OPTION_IN_PLACE, "write over FILE, as if it were a device" },
	{ "exclude", 'x', "GLOB", OPTION_EXCLUDE, "leave out this name (or, with a /, this path)" },
	{ "into", 'C', "DIR", OPTION_INTO, "restore /var/state as DIR/var/state" },
	{ "overwrite", 0, NULL, OPTION_OVERWRITE, "replace files that exist" },
	{ "salvage", 0, NULL, OPTION_SALVAGE, "restore the intact files of a damaged checkpoint" },
	{ "keep", 'k', NULL, OPTION_KEEP, "keep the checkpoint: it can be restored again" },
	{ "no-hot-add", 0, NULL, OPTION_NO_HOT_ADD, "do not give the memory back to the system" },
	{ "key-file", 0, "FILE", OPTION_KEY_FILE, "authenticate with this key (empty: do not)" },
	{ "no-special", 0, NULL, OPTION_NO_SPECIAL,
	  "leave out devices, setuid bits and capabilities" },
	{ "wipe", 0, NULL, OPTION_WIPE, "overwrite all of the checkpoint with zeroes" },
	{ "long", 'l', NULL, OPTION_LONG, "mode, owner, size and time of each file" },
	{ "kexec", 0, NULL, OPTION_KEXEC, "then load the next kernel and start it" },
	{ "kernel", 0, "KERNEL", OPTION_KERNEL, "newest (default), running, a release, or a file" },
	{ "initrd", 0, "FILE", OPTION_KERNEL, "which initrd (empty: none)" },
	{ "cmdline", 0, "TEXT", OPTION_KERNEL, "its command line (default: the running one's)" },
	{ "or-fallback", 0, NULL, OPTION_OR_FALLBACK,
	  "if memory cannot be removed, use the fallback" },
	{ "deadline", 0, "SECONDS", OPTION_DEADLINE,
	  "give up if the memory is not removed by then" },
	{ "threads", 'j', "N", OPTION_THREADS, "copy with N threads (default: one per processor)" },
	{ "dry-run", 'n', NULL, OPTION_DRY_RUN, "only check, and say what would be done" },
	{ "yes", 'y', NULL, OPTION_YES, "do not ask" },
	{ "help", 'h', NULL, OPTION_HELP, "show this help" },
};
#define DESCRIPTIONS (sizeof(descriptions) / sizeof(descriptions[0]))

static void print_help(const char *command, unsigned int allowed, const char *arguments)
{
	printf("Usage: pmem-preserve %s [OPTION]...%s%s\n\n", command, arguments ? " " : "",
	       arguments ? arguments : "");
	for (size_t i = 0; i < DESCRIPTIONS; i++) {
		const struct description *option = &descriptions[i];
		char left[40], letter[5] = "    ";

		if (!(option->flag & allowed))
			continue;
		if (option->letter)
			snprintf(letter, sizeof(letter), "-%c, ", option->letter);
		snprintf(left, sizeof(left), "%s--%s%s%s", letter, option->name,
			 option->argument ? "=" : "", option->argument ? option->argument : "");
		printf("  %-27s %s\n", left, option->help);
	}
	printf("\nSee pmem-preserve(8) for details.\n");
}

static int take(struct options *options, const struct description *option, const char *value)
{
	switch (option->flag) {
	case OPTION_IMAGE:
		options->where.image = value;
		return 0;
	case OPTION_REGION:
		options->where.region = value;
		options->where.region_named = true;
		return 0;
	case OPTION_LAYOUT:
		return layout_parse(value, &options->layout);
	case OPTION_REPLACE:
	case OPTION_REPLACE_FILE:
		options->replace = true;
		return 0;
	case OPTION_IN_PLACE:
		options->in_place = true;
		return 0;
	case OPTION_EXCLUDE:
		return strings_add(&options->excludes, &options->exclude_count, value);
	case OPTION_INTO:
		options->into = value;
		return 0;
	case OPTION_OVERWRITE:
		options->overwrite = true;
		return 0;
	case OPTION_SALVAGE:
		options->salvage = true;
		return 0;
	case OPTION_KEEP:
		options->keep = true;
		return 0;
	case OPTION_NO_HOT_ADD:
		options->no_hot_add = true;
		return 0;
	case OPTION_LONG:
		options->long_list = true;
		return 0;
	case OPTION_DEADLINE:
		return number_parse(value, CONFIG_DEADLINE_MAX, &options->deadline_seconds);
	case OPTION_THREADS:
		return number_parse(value, CONFIG_THREADS_MAX, &options->threads);
	case OPTION_KEXEC:
		options->kexec = true;
		return 0;
	case OPTION_YES:
		options->yes = true;
		return 0;
	case OPTION_OR_FALLBACK:
		options->or_fallback = true;
		return 0;
	case OPTION_DRY_RUN:
		options->dry_run = true;
		return 0;
	case OPTION_KEY_FILE:
		options->trust.key_file = *value ? value : NULL;
		return 0;
	case OPTION_NO_SPECIAL:
		options->no_special = true;
		return 0;
	case OPTION_WIPE:
		options->wipe = true;
		return 0;
	default:
		break;
	}
	if (strcmp(option->name, "kernel") == 0)
		options->kernel = value;
	else if (strcmp(option->name, "initrd") == 0)
		options->initrd = value;
	else
		options->cmdline = value;
	return 0;
}

/* The checkpoint is what such an argument usually means. */
static int refuse_argument(const char *command, const char *argument, unsigned int allowed)
{
	if (allowed & OPTION_IMAGE)
		return report_error(-E_USAGE,
				    "%s: unexpected argument \"%s\"; to %s the checkpoint in that file: pmem-preserve %s --image %s",
				    command, argument, command, command, argument);
	return report_error(-E_USAGE,
			    "%s: unexpected argument \"%s\"; see \"pmem-preserve %s --help\"",
			    command, argument, command);
}

/* A checkpoint is not a stream: it is written and read in any order. */
static int check_image(const char *command, const char *path)
{
	if (strcmp(path, "-") == 0)
		return report_error(-E_USAGE,
				    "%s: --image needs a file or a device, as a checkpoint is written and read in any order: standard input and output cannot be one (a file of that name is ./-)",
				    command);
	return *path ? 0 : report_error(-E_USAGE, "%s: --image needs the name of a file", command);
}

int options_parse(const struct config *config, int argc, char **argv, unsigned int allowed,
		  const char *arguments, struct options *ret_options)
{
	struct option longs[DESCRIPTIONS + 1] = { 0 };
	char shorts[2 * DESCRIPTIONS + 2] = ":", *at = shorts + 1;
	struct options options = {
		.where = { .region = config->region, .fallback = config->fallback },
		.trust.key_file = config->key_file,
		.layout = config->layout,
		.threads = config->threads,
		.deadline_seconds = config->deadline_seconds,
		.kernel = config->kernel,
		.initrd = config->initrd,
		.cmdline = config->cmdline,
		.no_special = !config->special,
		.wipe = config->wipe,
	};
	size_t count = 0;
	int c, r = 0;

	allowed |= OPTION_HELP;
	for (size_t i = 0; i < DESCRIPTIONS; i++) {
		const struct description *option = &descriptions[i];

		if (!(option->flag & allowed))
			continue;
		longs[count++] = (struct option){ option->name, option->argument != NULL, NULL,
						  (int)(0x100 + i) };
		if (option->letter) {
			*at++ = option->letter;
			if (option->argument)
				*at++ = ':';
		}
	}
	*at = '\0';
	for (size_t i = 0; i < config->exclude_count && r == 0; i++)
		r = strings_add(&options.excludes, &options.exclude_count, config->excludes[i]);
	optind = 0;
	opterr = 0;
	while (r == 0 && (c = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		const struct description *option = NULL;

		if (c == '?' || c == ':') {
			r = report_error(-E_USAGE, "%s: %s %s; see \"pmem-preserve %s --help\"",
					 argv[0], argv[optind - 1],
					 c == ':' ? "needs a value" : "is not a known option",
					 argv[0]);
			break;
		}
		for (size_t i = 0; i < DESCRIPTIONS && !option; i++)
			if (c == (int)(0x100 + i) || (c < 0x100 && c == descriptions[i].letter))
				option = &descriptions[i];
		if (option->flag == OPTION_HELP) {
			print_help(argv[0], allowed, arguments);
			options.help = true;
			break;
		}
		if (option->flag == OPTION_IMAGE)
			r = check_image(argv[0], optarg);
		if (r == 0 && take(&options, option, optarg) < 0)
			r = report_error(-E_USAGE, "%s: invalid value for --%s: \"%s\"", argv[0],
					 option->name, optarg);
	}
	if (r == 0 && !options.help && !arguments && optind < argc)
		r = refuse_argument(argv[0], argv[optind], allowed);
	if (r < 0) {
		options_clear(&options);
		return r;
	}
	if (options.trust.key_file)
		options.trust.counter_file =
			config->counter_file ? config->counter_file : COUNTER_PATH;
	options.first = optind;
	*ret_options = options;
	return 0;
}

void options_clear(struct options *options)
{
	strings_free(&options->excludes, &options->exclude_count);
	trust_give_up(&options->trust);
	*options = (struct options){ 0 };
}
