// SPDX-License-Identifier: GPL-2.0-or-later
/* The command table, and the options that come before (or after) every command. */
#include "base/interrupt.h"
#include "base/journal.h"
#include "base/json.h"
#include "base/report.h"
#include "commands/command.h"
#include "settings/config.h"

#include <errno.h>
#include <json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is wrong in the configuration... */
enum reading {
	REFUSED, /* is reported, and the command does nothing */
	SHOWN,	 /* is a part of what the command shows */
	MENDED,	 /* is replaced by what was good at boot: nobody can correct it any more */
	IGNORED, /* does not matter: the command does not use it */
};

static const struct {
	const char *name;
	command_function *run;
	const char *summary;
	enum reading reading;
} commands[] = {
	{ "checkpoint", cmd_checkpoint, "save the state into persistent memory or a file",
	  REFUSED },
	{ "restore", cmd_restore, "restore the state, and give the memory back to the system",
	  REFUSED },
	{ "prepare", cmd_prepare, "take the memory back before a checkpoint", REFUSED },
	{ "abort", cmd_hot_add, "undo prepare: the same as hot-add", REFUSED },
	{ "status", cmd_status, "show the memory, the checkpoints and what is wrong", SHOWN },
	{ "list", cmd_list, "list the files in a checkpoint", REFUSED },
	{ "verify", cmd_verify, "check every byte of a checkpoint", REFUSED },
	{ "discard", cmd_discard, "give a checkpoint up", REFUSED },
	{ "hot-add", cmd_hot_add, "give a region to the system as RAM", REFUSED },
	{ "hot-remove", cmd_hot_remove, "take a region back from the system", REFUSED },
	{ "kexec", cmd_kexec, "stop the services, save the state and start the next kernel",
	  REFUSED },
	{ "setup", cmd_setup, "propose and write the configuration", IGNORED },
	{ "boot", cmd_boot, "for pmem-preserve.service: restore at boot", MENDED },
	{ "shutdown", cmd_shutdown, "for pmem-preserve.service: save when the machine goes down",
	  MENDED },
	{ "last-look", cmd_last_look, "for systemd-shutdown: report what becomes of the state",
	  IGNORED },
};
#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

struct globals {
	const char *config;
	bool json;
	enum verbosity verbosity;
};

static void print_help(void)
{
	printf("Usage: pmem-preserve [--config FILE] [--json] [-v | -q] COMMAND [OPTION]...\n\n"
	       "Keeps user-land state over a kexec, in memory that is ordinary RAM in between.\n\n"
	       "Commands:\n");
	for (size_t i = 0; i < COMMANDS; i++)
		printf("  %-12s %s\n", commands[i].name, commands[i].summary);
	printf("\nOptions:\n"
	       "      --config FILE  instead of " CONFIG_PATH "\n"
	       "      --json         the result as a JSON object on standard output\n"
	       "  -v, --verbose      more steps\n"
	       "  -q, --quiet        errors only\n"
	       "  -V, --version\n"
	       "  -h, --help         show this help; COMMAND --help: the options of a command\n\n"
	       "Exit status: 0 done; 1 failed, nothing was lost; 2 usage; 3 no checkpoint;\n"
	       "4 damaged, not authentic, or lost; 5 refused, as state would be lost;\n"
	       "6 memory could not be removed; 7 does not fit.\n");
}

/* Takes the options that all commands share out of argv, wherever they stand. */
static int take_globals(int *argc, char **argv, struct globals *globals)
{
	int kept = 1, i;

	for (i = 1; i < *argc && strcmp(argv[i], "--") != 0; i++) {
		if (strcmp(argv[i], "--json") == 0) {
			globals->json = true;
		} else if (strcmp(argv[i], "-v") == 0 || strcmp(argv[i], "--verbose") == 0) {
			globals->verbosity = VERBOSE;
		} else if (strcmp(argv[i], "-q") == 0 || strcmp(argv[i], "--quiet") == 0) {
			globals->verbosity = QUIET;
		} else if (strncmp(argv[i], "--config=", 9) == 0) {
			globals->config = argv[i] + 9;
		} else if (strcmp(argv[i], "--config") == 0) {
			if (i + 1 >= *argc)
				return report_error(-E_USAGE, "--config needs a value");
			globals->config = argv[++i];
		} else {
			argv[kept++] = argv[i];
		}
	}
	for (; i < *argc; i++)
		argv[kept++] = argv[i];
	argv[kept] = NULL;
	*argc = kept;
	return 0;
}

static int print_json(struct json_object *result, int r)
{
	int printed;

	json_add(result, "exit_status", json_object_new_int(exit_status(r)));
	if (r < 0)
		json_add(result, "error", json_text(report_last_error()));
	printed = json_print(result);
	if (printed < 0)
		return r < 0 ? r : report_error(printed, "failed to print the result");
	return r;
}

static int read_config(const char *path, enum reading reading, struct config *ret_config)
{
	int r;

	config_init(path, ret_config);
	if (reading == IGNORED)
		return 0;
	if (reading == MENDED)
		return config_read_with_kept(path, ret_config);
	r = config_read(path, ret_config);
	return r < 0 || reading == SHOWN ? r : config_refuse_problems(ret_config);
}

static int run(const struct globals *globals, int argc, char **argv)
{
	struct config config = { 0 };
	struct context context = { .config = &config, .json = globals->json };
	size_t i;
	int r = 0;

	for (i = 0; i < COMMANDS && strcmp(argv[0], commands[i].name) != 0;)
		i++;
	if (i == COMMANDS)
		return report_error(-E_USAGE,
				    "unknown command \"%s\"; see \"pmem-preserve --help\"",
				    argv[0]);
	context.result = json_object_new_object();
	if (!context.result)
		return report_error(-ENOMEM, "%s", argv[0]);
	r = read_config(globals->config, commands[i].reading, &config);
	if (r == 0)
		r = commands[i].run(&context, argc, argv);
	if (journal_is_stderr())
		journal_result(argv[0], exit_status(r), r < 0 ? report_last_error() : "",
			       context.result);
	if (globals->json)
		r = print_json(context.result, r);
	json_object_put(context.result);
	config_clear(&config);
	return r;
}

int main(int argc, char **argv)
{
	struct globals globals = { 0 };
	int r = take_globals(&argc, argv, &globals);

	report_init(globals.verbosity);
	interrupt_init();
	if (r == 0 && argc >= 2 &&
	    (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
	     strcmp(argv[1], "help") == 0)) {
		print_help();
	} else if (r == 0 && argc >= 2 &&
		   (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0)) {
		printf("pmem-preserve %s\n", PACKAGE_VERSION);
	} else if (r == 0 && argc < 2) {
		r = report_error(-E_USAGE, "no command given; see \"pmem-preserve --help\"");
	} else if (r == 0) {
		r = run(&globals, argc - 1, argv + 1);
	}
	if (fflush(stdout) != 0 && r == 0)
		r = report_error(-errno, "standard output");
	return exit_status(r);
}
