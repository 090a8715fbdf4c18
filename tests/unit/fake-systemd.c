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
		r = sd_bus_reply_method_return(call, "v", "s", systemd->active_state);
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
