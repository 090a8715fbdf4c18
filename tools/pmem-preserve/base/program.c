// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/program.h"

#include "base/cleanup.h"
#include "base/report.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* Starts it with its output, of both kinds, going to @output. */
static int start(char *const argv[], int output, pid_t *ret_pid)
{
	static const char *const places[] = { "", "/usr/sbin/", "/sbin/" };
	posix_spawn_file_actions_t actions;
	int r = posix_spawn_file_actions_init(&actions);

	if (r)
		return -r;
	r = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	if (!r)
		r = posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
	if (!r)
		r = posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
	if (!r)
		r = ENOENT;
	for (size_t i = 0; r == ENOENT && i < sizeof(places) / sizeof(places[0]); i++) {
		char path[256];

		snprintf(path, sizeof(path), "%s%s", places[i], argv[0]);
		r = posix_spawnp(ret_pid, path, &actions, NULL, argv, environ);
	}
	posix_spawn_file_actions_destroy(&actions);
	return -r;
}

/* Keeps the start of what it says, until it ends; -ETIMEDOUT: it was killed. */
static int read_output(int fd, pid_t pid, unsigned int deadline_ms, char *text, size_t size)
{
	uint64_t deadline_ns = now_ns() + deadline_ms * NS_PER_MS;
	size_t used = 0;
	int r = 0;

	for (;;) {
		struct pollfd poll_output = { .fd = fd, .events = POLLIN };
		uint64_t now = now_ns();
		char part[512];
		ssize_t got;

		if (now >= deadline_ns) {
			kill(pid, SIGKILL);
			r = -ETIMEDOUT;
			break;
		}
		if (poll(&poll_output, 1, (int)((deadline_ns - now) / NS_PER_MS) + 1) <= 0)
			continue;
		got = read(fd, part, sizeof(part));
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		for (ssize_t i = 0; i < got && used + 1 < size; i++)
			text[used++] = part[i];
	}
	while (used && (text[used - 1] == ' ' || text[used - 1] == '\n'))
		used--;
	text[used] = '\0';
	return r;
}

int program_run(char *const argv[], unsigned int deadline_ms, struct program_result *ret_result)
{
	_cleanup_close_ int read_end = -1, write_end = -1;
	struct program_result result;
	int pipe_fds[2], status, r;
	pid_t pid;

	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return -errno;
	read_end = pipe_fds[0];
	write_end = pipe_fds[1];
	r = start(argv, write_end, &pid);
	if (r < 0)
		return r;
	close(take_fd(write_end));
	r = read_output(read_end, pid, deadline_ms, result.output, sizeof(result.output));
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	if (r < 0)
		return r;
	result.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	*ret_result = result;
	return 0;
}

void program_one_line(struct program_result *result)
{
	for (char *p = result->output; *p; p++)
		if (*p == '\n')
			*p = ' ';
}
