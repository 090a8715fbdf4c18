/* SPDX-License-Identifier: GPL-2.0-or-later */
/* systemctl(1), with a deadline. It must not know why. */
#ifndef PMEM_PRESERVE_SYSTEMCTL_H
#define PMEM_PRESERVE_SYSTEMCTL_H

#include <stdbool.h>
#include <stddef.h>

struct program_result;

/* Whether systemd is the init of this machine. */
bool systemd_runs(void);

/* @words: what follows "systemctl", ended by NULL. It must succeed; else it is reported. */
int systemctl(const char *const words[]);

/* The same for the sake of its output, whatever its status. Not reported. */
int systemctl_ask(const char *const words[], struct program_result *ret_result);

/* "active", "inactive", "failed"... of our unit; "not known" when that cannot be found out. */
#define SYSTEMCTL_OUR_UNIT "pmem-preserve.service"
void systemctl_unit_state(char *state, size_t size);

#endif
