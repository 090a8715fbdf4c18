/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where systemd is taking the machine. Must not know what follows from it. */
#ifndef PMEM_PRESERVE_NEXT_STATE_H
#define PMEM_PRESERVE_NEXT_STATE_H

enum next_state {
	NEXT_STAYS,	  /* nothing of the kind is queued */
	NEXT_SOFT_REBOOT, /* user space alone */
	NEXT_KEXEC,
	NEXT_REBOOT,
	NEXT_POWEROFF, /* or halt */
};

/* What systemd's queue of jobs says; reported when it cannot be asked. */
int next_state_find(enum next_state *ret_next);

/* The same from what "systemctl list-jobs" prints. */
enum next_state next_state_parse(const char *jobs);

/* From systemd's own word for it ("kexec", "reboot", "poweroff", "halt"); -EINVAL. */
int next_state_of_verb(const char *verb, enum next_state *ret_next);

/* "soft-reboot", "kexec", "reboot", "poweroff", or "stay". */
const char *next_state_name(enum next_state next);

#endif
