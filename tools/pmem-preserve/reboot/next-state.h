/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The state of the machine that systemd's queued jobs lead to. */
#ifndef PMEM_PRESERVE_NEXT_STATE_H
#define PMEM_PRESERVE_NEXT_STATE_H

enum next_state {
	NEXT_STAYS,	  /* no such job is queued */
	NEXT_SOFT_REBOOT, /* of user space only */
	NEXT_KEXEC,
	NEXT_REBOOT,
	NEXT_POWEROFF, /* or halt */
};

/* Asks systemd; errors are reported. */
int next_state_find(enum next_state *ret_next);

/* What one queued job leads to: "kexec.target", "start" is NEXT_KEXEC. */
enum next_state next_state_of_job(const char *unit, const char *type);

/* From the verb of systemctl(1) ("kexec", "reboot", "poweroff", "halt"...); else -EINVAL. */
int next_state_of_verb(const char *verb, enum next_state *ret_next);

/* "soft-reboot", "kexec", "reboot", "poweroff", or "stay". */
const char *next_state_name(enum next_state next);

#endif
