/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What every command is given and how it is called, and what several of them begin with. */
#ifndef PMEM_PRESERVE_COMMAND_H
#define PMEM_PRESERVE_COMMAND_H

#include "reboot/kernels.h"
#include "store/store.h"

#include <stdbool.h>

struct json_object;
struct checkpoint_request;
struct config;
struct options;
struct place;
struct region;

struct context {
	const struct config *config;
	bool json;		    /* print @result on standard output at the end */
	struct json_object *result; /* an object; commands add their members as the last thing */
};

/*
 * @argv[0] is the command's name. Returns 0 or a negative code (report.h), already reported.
 * Messages go to standard error. The answers of list, status and verify go to standard output unless
 * @context->json.
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

/*
 * Takes the lock of instance_lock() unless the command works on a file that was named, or changes
 * nothing; *ret_lock is unchanged then.
 */
int command_lock(const struct options *options, unsigned int wait_seconds, int *ret_lock);

/*
 * What the options say of a checkpoint of @paths, or of the configured states if @count is 0. It
 * refers to both parameters.
 */
struct checkpoint_request command_checkpoint_request(const struct context *context,
						     const struct options *options, char **paths,
						     size_t count);

/* What the options ask of the next kernel; @region: what it must be able to use, NULL: nothing. */
struct kernel_wish command_kernel_wish(const struct options *options, const struct region *region);

/*
 * Whether the services that must stop before the state is saved will do so. -E_REFUSED (reported) if
 * one may never stop; others that are doubtful are warned of.
 */
int command_check_dependents(const struct config *config);

/* Warns of a fallback file that could not keep the state: on the way down it would be too late. */
void command_check_fallback(const struct config *config);

/* Reads the key and finds the checkpoint that the options mean; and opens it. Errors are reported. */
int command_find_checkpoint(struct options *options, struct place *ret_place);
int command_open_checkpoint(struct options *options, enum store_mode mode, struct place *ret_place,
			    struct store **ret_store);

#endif
