// SPDX-License-Identifier: GPL-2.0-or-later
#include "reboot/systemd.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/report.h"
#include "base/sysfs.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#define PRIVATE_ADDRESS	  "unix:path=/run/systemd/private"
#define SERVICE		  "org.freedesktop.systemd1"
#define UNIT_PATH	  "/org/freedesktop/systemd1/unit"
#define MANAGER		  SERVICE, "/org/freedesktop/systemd1", MANAGER_INTERFACE
#define MANAGER_INTERFACE "org.freedesktop.systemd1.Manager"
#define LOGIND		  "org.freedesktop.login1", "/org/freedesktop/login1", LOGIND_INTERFACE
#define LOGIND_INTERFACE  "org.freedesktop.login1.Manager"
#define REBOOT_VIA_KEXEC  UINT64_C(2) /* SD_LOGIND_REBOOT_VIA_KEXEC of org.freedesktop.login1(5) */

#define DEADLINE_MS 120000 /* less than TimeoutStopSec= of our unit, with a quarter more */
#define LOGIND_MS   25000

#define _cleanup_bus_	  _cleanup_(sd_bus_close_unrefp)
#define _cleanup_error_	  _cleanup_(sd_bus_error_free)
#define _cleanup_message_ _cleanup_(sd_bus_message_unrefp)
#define _cleanup_slot_	  _cleanup_(sd_bus_slot_unrefp)

static const char *test_address;
static unsigned int deadline_ms = DEADLINE_MS;

void systemd_set_address(const char *address, unsigned int test_deadline_ms)
{
	test_address = address;
	deadline_ms = address ? test_deadline_ms : DEADLINE_MS;
}

bool systemd_runs(void)
{
	return sysfs_exists(-1, "/run/systemd/system");
}

static uint64_t deadline_after(unsigned int ms)
{
	return now_ns() + ms * NS_PER_MS;
}

/* Handles one message, or waits for one. */
static int step(sd_bus *bus, uint64_t deadline_ns)
{
	uint64_t now;
	int r = sd_bus_process(bus, NULL);

	if (r != 0)
		return r < 0 ? r : 0;
	now = now_ns();
	if (now >= deadline_ns)
		return -ETIMEDOUT;
	r = sd_bus_wait(bus, (deadline_ns - now) / 1000);
	return r < 0 && r != -EINTR ? r : 0;
}

/* sd_bus_call() by itself would wait 90 seconds for the end of authentication. */
static int wait_until_ready(sd_bus *bus, uint64_t deadline_ns)
{
	int r;

	while ((r = sd_bus_is_ready(bus)) == 0) {
		r = step(bus, deadline_ns);
		if (r < 0)
			return r;
	}
	return r < 0 ? r : 0;
}

static int start_connection(const char *address, sd_bus **ret_bus)
{
	_cleanup_bus_ sd_bus *bus = NULL;
	int r = sd_bus_new(&bus);

	if (r >= 0)
		r = sd_bus_set_address(bus, address);
	if (r >= 0)
		r = sd_bus_start(bus);
	if (r < 0)
		return r;
	*ret_bus = take_pointer(bus);
	return 0;
}

/*
 * @address NULL: the system bus. Connecting may take a quarter of @limit_ms, each call on @ret_bus
 * all of it. Not reported.
 */
static int connect_to(const char *address, unsigned int limit_ms, sd_bus **ret_bus)
{
	_cleanup_bus_ sd_bus *bus = NULL;
	int r = address ? start_connection(address, &bus) : sd_bus_open_system(&bus);

	if (r >= 0)
		r = wait_until_ready(bus, deadline_after(limit_ms / 4));
	if (r >= 0)
		r = sd_bus_set_method_call_timeout(bus, limit_ms * UINT64_C(1000));
	if (r < 0)
		return r;
	*ret_bus = take_pointer(bus);
	return 0;
}

/* Not reported. */
static int connect_to_manager(sd_bus **ret_bus)
{
	int r;

	if (test_address)
		return connect_to(test_address, deadline_ms, ret_bus);
	r = geteuid() == 0 ? connect_to(PRIVATE_ADDRESS, deadline_ms, ret_bus) : -EPERM;
	/* A manager that does not answer there is not reached over the system bus either. */
	if (r >= 0 || r == -ETIMEDOUT)
		return r;
	return connect_to(NULL, deadline_ms, ret_bus);
}

static int report_not_reached(int r)
{
	return report_error(-E_FAILED, "systemd cannot be reached: %s; see \"systemctl status\"",
			    strerror(-r));
}

/* With the error's own words, where systemd sent some. @command shows more. */
static int report_call(int r, const sd_bus_error *error, const char *verb, const char *object,
		       const char *command)
{
	return report_error(-E_FAILED, "systemd could not %s %s: %s; see \"systemctl %s\"", verb,
			    object, error->message ? error->message : strerror(-r), command);
}

/* A connection, and the object path of @unit, which the caller frees. */
static int open_unit(const char *unit, sd_bus **ret_bus, char **ret_path)
{
	int r = systemd_runs() ? connect_to_manager(ret_bus) : -ENOTCONN;

	return r < 0 ? r : sd_bus_path_encode(UNIT_PATH, unit, ret_path);
}

int systemd_unit_text(const char *unit, const char *interface, const char *property, char *text,
		      size_t size)
{
	_cleanup_free_ char *path = NULL, *answer = NULL;
	_cleanup_bus_ sd_bus *bus = NULL;
	int r = open_unit(unit, &bus, &path);

	if (r >= 0)
		r = sd_bus_get_property_string(bus, SERVICE, path, interface, property, NULL,
					       &answer);
	if (r < 0)
		return r;
	return snprintf(text, size, "%s", answer) < (int)size ? 0 : -EOVERFLOW;
}

int systemd_unit_number(const char *unit, const char *interface, const char *property,
			uint64_t *ret_number)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_bus_ sd_bus *bus = NULL;
	int r = open_unit(unit, &bus, &path);

	if (r >= 0)
		r = sd_bus_get_property_trivial(bus, SERVICE, path, interface, property, NULL, 't',
						ret_number);
	return r < 0 ? r : 0;
}

int systemd_unit_strings(const char *unit, const char *interface, const char *property,
			 char ***ret_strings, size_t *ret_count)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_bus_ sd_bus *bus = NULL;
	char **strings = NULL;
	size_t count = 0;
	int r = open_unit(unit, &bus, &path);

	if (r >= 0)
		r = sd_bus_get_property_strv(bus, SERVICE, path, interface, property, NULL,
					     &strings);
	if (r < 0)
		return r;
	while (strings && strings[count])
		count++;
	*ret_strings = strings;
	*ret_count = count;
	return 0;
}

int systemd_default_stop_us(uint64_t *ret_us)
{
	_cleanup_bus_ sd_bus *bus = NULL;
	int r = connect_to_manager(&bus);

	if (r >= 0)
		r = sd_bus_get_property_trivial(bus, MANAGER, "DefaultTimeoutStopUSec", NULL, 't',
						ret_us);
	return r < 0 ? r : 0;
}

void systemd_unit_state(const char *unit, char *state, size_t size)
{
	if (systemd_unit_text(unit, SYSTEMD_UNIT, "ActiveState", state, size) < 0)
		snprintf(state, size, "not known");
}

static int read_jobs(sd_bus_message *reply, systemd_job *job, void *data)
{
	const char *unit, *type;
	int r = sd_bus_message_enter_container(reply, 'a', "(usssoo)");

	if (r < 0)
		return r;
	while ((r = sd_bus_message_read(reply, "(usssoo)", NULL, &unit, &type, NULL, NULL, NULL)) >
	       0)
		job(data, unit, type);
	return r;
}

int systemd_list_jobs(systemd_job *job, void *data)
{
	_cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
	_cleanup_message_ sd_bus_message *reply = NULL;
	_cleanup_bus_ sd_bus *bus = NULL;
	int r = connect_to_manager(&bus);

	if (r < 0)
		return report_not_reached(r);
	r = sd_bus_call_method(bus, MANAGER, "ListJobs", &error, &reply, NULL);
	if (r >= 0)
		r = read_jobs(reply, job, data);
	return r < 0 ? report_call(r, &error, "list", "its jobs", "list-jobs") : 0;
}

/*
 * As "systemctl kexec" does: logind comes first, as it waits for delay inhibitors and tells the
 * users; without it the manager is asked. Its method KExec() would not stop the services.
 */
static int kexec_by_logind(sd_bus_error *error)
{
	_cleanup_bus_ sd_bus *bus = NULL;
	int r = connect_to(NULL, LOGIND_MS, &bus);

	if (r < 0)
		return r;
	return sd_bus_call_method(bus, LOGIND, "RebootWithFlags", error, NULL, "t",
				  REBOOT_VIA_KEXEC);
}

int systemd_start_kexec(void)
{
	_cleanup_error_ sd_bus_error logind_error = SD_BUS_ERROR_NULL, error = SD_BUS_ERROR_NULL;
	_cleanup_bus_ sd_bus *bus = NULL;
	int r = test_address ? -ENOTCONN : kexec_by_logind(&logind_error);

	if (r >= 0)
		return 0;
	if (r == -EACCES || r == -EINPROGRESS)
		return report_call(r, &logind_error, "start", "kexec.target", "list-jobs");
	r = connect_to_manager(&bus);
	if (r < 0)
		return report_not_reached(r);
	r = sd_bus_call_method(bus, MANAGER, "StartUnit", &error, NULL, "ss", "kexec.target",
			       "replace-irreversibly");
	return r < 0 ? report_call(r, &error, "start", "kexec.target", "list-jobs") : 0;
}

static int enable(sd_bus *bus, const char *const units[])
{
	_cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
	_cleanup_message_ sd_bus_message *call = NULL;
	int r = sd_bus_message_new_method_call(bus, &call, MANAGER, "EnableUnitFiles");

	if (r >= 0)
		r = sd_bus_message_append_strv(call, (char **)units);
	/* Not only until the next boot; not in place of links that are there. */
	if (r >= 0)
		r = sd_bus_message_append(call, "bb", false, false);
	if (r >= 0)
		r = sd_bus_call(bus, call, 0, &error, NULL);
	return r < 0 ? report_call(r, &error, "enable", units[0], "list-unit-files") : 0;
}

static int reload(sd_bus *bus)
{
	_cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
	int r = sd_bus_call_method(bus, MANAGER, "Reload", &error, NULL, NULL);

	return r < 0 ? report_call(r, &error, "reload", "its units", "status") : 0;
}

struct start {
	char *job;	 /* object path */
	char result[32]; /* "done", "failed"...; "" until it has ended */
};

static int on_job_removed(sd_bus_message *signal, void *data, sd_bus_error *error)
{
	struct start *start = data;
	const char *job, *result;

	if (sd_bus_message_read(signal, "uoss", NULL, &job, NULL, &result) >= 0 && start->job &&
	    strcmp(job, start->job) == 0)
		snprintf(start->result, sizeof(start->result), "%s", result);
	return 0;
}

static int start_job(sd_bus *bus, const char *unit, sd_bus_error *error, struct start *start)
{
	_cleanup_message_ sd_bus_message *reply = NULL;
	const char *job;
	int r = sd_bus_call_method(bus, MANAGER, "StartUnit", error, &reply, "ss", unit, "replace");

	if (r >= 0)
		r = sd_bus_message_read(reply, "o", &job);
	if (r < 0)
		return r;
	start->job = strdup(job);
	return start->job ? 0 : -ENOMEM;
}

static int start_and_wait(sd_bus *bus, const char *unit, sd_bus_error *error, struct start *start)
{
	const uint64_t deadline_ns = deadline_after(deadline_ms);
	_cleanup_slot_ sd_bus_slot *slot = NULL;
	int r = sd_bus_match_signal(bus, &slot, MANAGER, "JobRemoved", on_job_removed, start);

	if (r >= 0)
		r = start_job(bus, unit, error, start);
	while (r >= 0 && !*start->result)
		r = step(bus, deadline_ns);
	return r < 0 ? r : 0;
}

static int start_unit(sd_bus *bus, const char *unit)
{
	_cleanup_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
	struct start start = {};
	int r = start_and_wait(bus, unit, &error, &start);

	free(start.job);
	if (r < 0)
		return report_call(r, &error, "start", unit, "list-jobs");
	/* "skipped": the job did not apply to the state of the unit, as if it runs already. */
	if (strcmp(start.result, "done") == 0 || strcmp(start.result, "skipped") == 0)
		return 0;
	return report_error(-E_FAILED,
			    "systemd could not start %s (%s); see \"systemctl status %s\"", unit,
			    start.result, unit);
}

int systemd_enable_now(const char *const units[])
{
	_cleanup_bus_ sd_bus *bus = NULL;
	int result, r = connect_to_manager(&bus);

	if (r < 0)
		return report_not_reached(r);
	result = enable(bus, units);
	if (result == 0)
		result = reload(bus);
	if (result < 0)
		return result;
	/* One that fails does not keep the others from starting. */
	for (size_t i = 0; units[i]; i++) {
		r = start_unit(bus, units[i]);
		if (r < 0 && result == 0)
			result = r;
	}
	return result;
}
