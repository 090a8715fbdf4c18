/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What every command is given and how it is called. Commands (cmd-*.c) are the only place where the
 * parts of the program are put together.
 */
#ifndef PMEM_PRESERVE_COMMAND_H
#define PMEM_PRESERVE_COMMAND_H

#include <stdbool.h>

struct json_object;
struct config;

struct context {
	const struct config *config;
	bool json;		    /* print *result on standard output at the end */
	struct json_object *result; /* an object; commands add their members */
};

/*
 * @argv[0] is the command's name. Returns 0 or a negative code (report.h), already reported.
 * Anything for people goes to standard error but the answer of list, status and verify, which goes
 * to standard output unless @context->json.
 */
typedef int command_function(struct context *context, int argc, char **argv);

command_function cmd_checkpoint;
command_function cmd_restore;
command_function cmd_prepare;
command_function cmd_status;
command_function cmd_list;
command_function cmd_verify;
command_function cmd_discard;
command_function cmd_hot_add;
command_function cmd_hot_remove;
command_function cmd_kexec;
command_function cmd_setup;
command_function cmd_boot;
command_function cmd_shutdown;
command_function cmd_last_look;

#endif
