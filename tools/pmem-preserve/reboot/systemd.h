/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * systemd over D-Bus: its jobs, the state of a unit, starting units and the way down. Root talks to
 * the manager over its private socket, which works without dbus-daemon, as early in boot and late
 * in shutdown as the manager itself. Every call has a deadline.
 */
#ifndef PMEM_PRESERVE_SYSTEMD_H
#define PMEM_PRESERVE_SYSTEMD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The unit whose start restores the state and whose stop saves it. */
#define PRESERVE_UNIT "pmem-preserve.service"

/* Whether systemd is the init of this machine. */
bool systemd_runs(void);

/* ActiveState of @unit ("active", "inactive", "failed"...), or "not known". Not reported. */
void systemd_unit_state(const char *unit, char *state, size_t size);

/*
 * Properties of a unit, by the interface that has them: 0 or -errno, not reported. Texts that do
 * not fit are -EOVERFLOW.
 */
#define SYSTEMD_UNIT	"org.freedesktop.systemd1.Unit"
#define SYSTEMD_SERVICE "org.freedesktop.systemd1.Service"
int systemd_unit_text(const char *unit, const char *interface, const char *property, char *text,
		      size_t size);
int systemd_unit_number(const char *unit, const char *interface, const char *property,
			uint64_t *ret_number);
int systemd_unit_strings(const char *unit, const char *interface, const char *property,
			 char ***ret_strings, size_t *ret_count);

/* DefaultTimeoutStopSec= of the manager, in us. */
int systemd_default_stop_us(uint64_t *ret_us);

/* Calls @job for each queued job, with its unit and its type ("start", "stop"...). */
typedef void systemd_job(void *data, const char *unit, const char *type);
int systemd_list_jobs(systemd_job *job, void *data);

/* Queues what stops all services and starts the loaded kernel; returns before that happens. */
int systemd_start_kexec(void);

/* Enables and starts the units (ended by NULL), and waits until they have started. */
int systemd_enable_now(const char *const units[]);

/*
 * For tests: the manager's D-Bus address, and the time for each step. @address NULL: the real one.
 */
void systemd_set_address(const char *address, unsigned int test_deadline_ms);

#endif
