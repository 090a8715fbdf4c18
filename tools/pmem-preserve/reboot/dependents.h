/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The running services that must have stopped before the state is saved: what requires our unit, or
 * the mounts of the state, directly or through others. One that never stops, or cannot write what
 * it must before it stops, would keep the machine from going down.
 */
#ifndef PMEM_PRESERVE_DEPENDENTS_H
#define PMEM_PRESERVE_DEPENDENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dependent {
	char *unit;
	uint64_t stop_us; /* its stop timeout; DEPENDENT_FOR_EVER */
	bool is_slow;	  /* that is longer than what other units get */
	const char
		*read_only;  /* a path of the state that it may not write, or NULL; the caller's */
	const char *setting; /* what makes it so: "ProtectSystem=strict" */
};
#define DEPENDENT_FOR_EVER UINT64_MAX

struct dependents {
	struct dependent *list;
	size_t count;
};
void dependents_clear(struct dependents *dependents);
#define _cleanup_dependents_ __attribute__((cleanup(dependents_clear)))

/*
 * Those with something to say about. @states: paths, which must outlive the result. Without
 * systemd there are none. 0 or a negative code, not reported.
 */
int dependents_find(char **states, size_t count, struct dependents *ret_dependents);

/* Whether stopping it may go on for ever: it has no limit, and cannot write. */
bool dependent_may_hang(const struct dependent *dependent);

/* What is wrong, naming the unit and the setting; and the drop-in that mends it. */
struct dependent_text {
	char problem[640], fix[640];
};
struct dependent_text dependent_text(const struct dependent *dependent);

#endif
