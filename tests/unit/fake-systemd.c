// SPDX-License-Identifier: GPL-2.0-or-later
#include "fake-systemd.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#define MANAGER_PATH	  "/org/freedesktop/systemd1"
#define MANAGER_INTERFACE "org.freedesktop.systemd1.Manager"
#define JOB_PATH	  "/org/freedesktop/systemd1/job/7"

static void must(int r, const char *what)
{
	if (r >= 0)
		return;
	fprintf(stderr, "fake-systemd: %s\n", what);
	exit(99);
}

int fake_systemd_listen(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	must(fd, "socket");
	must(bind(fd, (struct sockaddr *)&address, sizeof(address)), path);
	must(listen(fd, 4), "listen");
	return fd;
}

static void log_call(sd_bus_message *call, const struct fake_systemd *systemd)
{
	const char *text;
	char type;

	dprintf(systemd->log, "%s", sd_bus_message_get_member(call));
	if (sd_bus_message_peek_type(call, &type, NULL) > 0 && type == 'a')
		sd_bus_message_enter_container(call, 'a', "s");
	while (sd_bus_message_peek_type(call, &type, NULL) > 0 && type == 's' &&
	       sd_bus_message_read(call, "s", &text) > 0)
		dprintf(systemd->log, " %s", text);
	dprintf(systemd->log, "\n");
	sd_bus_message_rewind(call, true);
}

static int reply_jobs(sd_bus_message *call, const struct fake_systemd *systemd)
{
	if (!systemd->job_unit)
		return sd_bus_reply_method_return(call, "a(usssoo)", 0);
	return sd_bus_reply_method_return(call, "a(usssoo)", 2, 6, "a.service", "stop", "running",
					  JOB_PATH, MANAGER_PATH, 7, systemd->job_unit,
					  systemd->job_type, "waiting", JOB_PATH, MANAGER_PATH);
}

static int reply_start(sd_bus_message *call, const struct fake_systemd *systemd)
{
	sd_bus *bus = sd_bus_message_get_bus(call);
	int r = sd_bus_reply_method_return(call, "o", JOB_PATH);

	/* Somebody else's job first. */
	if (r >= 0)
		r = sd_bus_emit_signal(bus, MANAGER_PATH, MANAGER_INTERFACE, "JobRemoved", "uoss",
				       6, JOB_PATH "1", "a.service", "canceled");
	if (r >= 0 && systemd->start_result)
		r = sd_bus_emit_signal(bus, MANAGER_PATH, MANAGER_INTERFACE, "JobRemoved", "uoss",
				       7, JOB_PATH, "b.service", systemd->start_result);
	return r;
}

static int append_words(sd_bus_message *reply, const char *words)
{
	char text[512], *word, *next;
	int r = sd_bus_message_open_container(reply, 'a', "s");

	snprintf(text, sizeof(text), "%s", words);
	for (word = strtok_r(text, " ", &next); word && r >= 0; word = strtok_r(NULL, " ", &next))
		r = sd_bus_message_append(reply, "s", word);
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int reply_value(sd_bus_message *call, const char *type, const char *value)
{
	sd_bus_message *reply;
	int r = sd_bus_message_new_method_return(call, &reply);

	must(r, "reply");
	r = sd_bus_message_open_container(reply, 'v', type);
	if (r >= 0 && strcmp(type, "as") == 0)
		r = append_words(reply, value);
	else if (r >= 0 && *type == 't')
		r = sd_bus_message_append(reply, "t", strtoull(value, NULL, 10));
	else if (r >= 0)
		r = sd_bus_message_append(reply, "s", value);
	if (r >= 0)
		r = sd_bus_message_close_container(reply);
	if (r >= 0)
		r = sd_bus_send(NULL, reply, NULL);
	sd_bus_message_unref(reply);
	return r;
}

static int reply_property(sd_bus_message *call, const struct fake_systemd *systemd)
{
	const struct fake_property *property = systemd->properties;
	const char *name = "";
	char *unit = NULL;
	int r = sd_bus_message_read(call, "ss", NULL, &name);

	must(r, "Get");
	if (strcmp(name, "ActiveState") == 0)
		return reply_value(call, "s", systemd->active_state);
	if (strcmp(name, "DefaultTimeoutStopUSec") == 0)
		return reply_value(call, "t", "90000000");
	sd_bus_path_decode(sd_bus_message_get_path(call), MANAGER_PATH "/unit", &unit);
	while (property && property->unit &&
	       !(unit && strcmp(property->unit, unit) == 0 && strcmp(property->name, name) == 0))
		property++;
	free(unit);
	if (property && property->unit)
		return reply_value(call, property->type, property->value);
	/* As for a unit in which nothing was set. */
	if (strcmp(name, "TimeoutStopUSec") == 0)
		return reply_value(call, "t", "90000000");
	return reply_value(call, strcmp(name, "ProtectSystem") == 0 ? "s" : "as", "");
}

static int on_message(sd_bus_message *call, void *data, sd_bus_error *error)
{
	const struct fake_systemd *systemd = data;
	int r;

	if (!sd_bus_message_is_method_call(call, NULL, NULL))
		return 0;
	log_call(call, systemd);
	if (systemd->error)
		r = sd_bus_reply_method_errorf(call, SD_BUS_ERROR_FAILED, "%s", systemd->error);
	else if (sd_bus_message_is_method_call(call, MANAGER_INTERFACE, "ListJobs"))
		r = reply_jobs(call, systemd);
	else if (sd_bus_message_is_method_call(call, MANAGER_INTERFACE, "StartUnit"))
		r = reply_start(call, systemd);
	else if (sd_bus_message_is_method_call(call, MANAGER_INTERFACE, "EnableUnitFiles"))
		r = sd_bus_reply_method_return(call, "ba(sss)", false, 0);
	else if (sd_bus_message_is_method_call(call, NULL, "Get"))
		r = reply_property(call, systemd);
	else
		r = sd_bus_reply_method_return(call, NULL);
	must(r, sd_bus_message_get_member(call));
	return 1;
}

static void serve_client(int fd, const struct fake_systemd *systemd)
{
	sd_id128_t id;
	sd_bus *bus;
	int r;

	must(sd_id128_randomize(&id), "id");
	must(sd_bus_new(&bus), "sd_bus_new");
	must(sd_bus_set_fd(bus, fd, fd), "sd_bus_set_fd");
	must(sd_bus_set_server(bus, true, id), "sd_bus_set_server");
	must(sd_bus_set_anonymous(bus, true), "sd_bus_set_anonymous");
	must(sd_bus_set_sender(bus, "org.freedesktop.systemd1"), "sd_bus_set_sender");
	must(sd_bus_add_filter(bus, NULL, on_message, (void *)systemd), "sd_bus_add_filter");
	must(sd_bus_start(bus), "sd_bus_start");
	/* An error is the end of the connection. */
	while ((r = sd_bus_process(bus, NULL)) >= 0)
		if (r == 0 && sd_bus_wait(bus, UINT64_MAX) < 0)
			break;
	sd_bus_close_unref(bus);
}

void fake_systemd_serve(int socket, const struct fake_systemd *systemd)
{
	for (;;) {
		int fd = accept4(socket, NULL, NULL, SOCK_CLOEXEC);

		must(fd, "accept");
		serve_client(fd, systemd);
	}
}
