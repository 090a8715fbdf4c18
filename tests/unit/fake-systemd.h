/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A D-Bus server that answers what the program asks systemd's manager. */
#ifndef PMEM_PRESERVE_TEST_FAKE_SYSTEMD_H
#define PMEM_PRESERVE_TEST_FAKE_SYSTEMD_H

#include <stddef.h>

/* A property of a unit: an array of texts if @type is "as", parted by spaces; 't' a number. */
struct fake_property {
	const char *unit, *name, *type, *value;
};

struct fake_systemd {
	const char *job_unit, *job_type;	/* the only queued job; NULL: no job */
	const char *start_result;		/* of the job of each started unit */
	const char *active_state;		/* of every unit */
	const struct fake_property *properties; /* ended by a NULL unit; NULL: none */
	const char *error;			/* the answer to every call, if not NULL */
	int log; /* gets a line for each call: its name and its strings */
};

/* Creates a listening socket at @path; ends the program when that is not possible. */
int fake_systemd_listen(const char *path);

/* Answers the clients of @socket, one after the other, until it is killed. */
_Noreturn void fake_systemd_serve(int socket, const struct fake_systemd *systemd);

#endif
