// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/child.h"

#include "base/cleanup.h"
#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define TICK_MS	      100
#define KILL_GRACE_MS 5000
#define PIPE_BYTES    65536
#define PART_BYTES    512

extern char **environ;

/* What a program prints: the start is kept, the rest is read so that it does not block. */
struct capture {
	int fd; /* non-blocking; -1 after its end */
	char *text;
	size_t used, size;
};

/* Reads no more than a pipe holds: a program may write for ever, and its deadline is checked after. */
static void capture_read(struct capture *capture)
{
	char part[PART_BYTES];
	ssize_t got = 1;

	for (unsigned int i = 0; got > 0 && i < PIPE_BYTES / PART_BYTES; i++) {
		got = read(capture->fd, part, sizeof(part));
		for (ssize_t j = 0; j < got && capture->used + 1 < capture->size; j++)
			capture->text[capture->used++] = part[j];
	}
	if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
		capture->fd = -1;
}

static void capture_end(struct capture *capture)
{
	while (capture->used && strchr(" \n", capture->text[capture->used - 1]))
		capture->used--;
	capture->text[capture->used] = '\0';
}

/* Waits until the child has ended: 0. -ETIMEDOUT after the deadline, or what the tick returned. */
static int wait_for(int pidfd, struct capture *capture, const struct child_limit *limit)
{
	for (;;) {
		struct pollfd fds[] = {
			{ .fd = pidfd, .events = POLLIN },
			{ .fd = capture ? capture->fd : -1, .events = POLLIN },
		};
		uint64_t now = now_ns(), left;
		int r;

		left = now < limit->deadline_ns
			       ? (limit->deadline_ns - now + NS_PER_MS - 1) / NS_PER_MS
			       : 0;
		r = poll(fds, 2, left < TICK_MS ? (int)left : TICK_MS);
		if (r < 0 && errno != EINTR)
			return -errno;
		if (r > 0 && fds[1].revents)
			capture_read(capture);
		if (r > 0 && fds[0].revents)
			return 0;
		if (!left)
			return -ETIMEDOUT;
		r = limit->tick ? limit->tick(limit->data) : 0;
		if (r)
			return r;
	}
}

/*
 * Waits for child @pid and kills it at the deadline. 0, with its wait status (it may have ended
 * before the signal came: @ret_killed says whether there was one); or why it is still there.
 */
static int finish(pid_t pid, struct capture *capture, const struct child_limit *limit,
		  int *ret_killed, int *ret_status)
{
	const unsigned int grace_ms = limit->grace_ms ? limit->grace_ms : KILL_GRACE_MS;
	_cleanup_close_ int pidfd = pidfd_open(pid, 0);
	struct child_limit grace = {};
	int ended, r;

	if (pidfd < 0) {
		r = -errno;
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		return r;
	}
	ended = wait_for(pidfd, capture, limit);
	if (ended) {
		kill(pid, SIGKILL);
		grace.deadline_ns = now_ns() + grace_ms * NS_PER_MS;
		if (wait_for(pidfd, capture, &grace))
			return ended;
	}
	while (waitpid(pid, ret_status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	*ret_killed = ended;
	return 0;
}

int child_work(int (*work)(void *data), void *data, const struct child_limit *limit)
{
	pid_t parent = getpid(), child = fork();
	int killed, status, r;

	if (child < 0)
		return -errno;
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(ECANCELED);
		_exit(-work(data));
	}
	r = finish(child, NULL, limit, &killed, &status);
	if (r < 0)
		return r;
	if (WIFEXITED(status))
		return -WEXITSTATUS(status);
	return killed ? killed : -ECANCELED;
}

/* Starts the program with both kinds of output going to @output. */
static int spawn(char *const argv[], int output, pid_t *ret_pid)
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

int child_program(char *const argv[], unsigned int deadline_ms, struct program_result *ret_result)
{
	const struct child_limit limit = { .deadline_ns = now_ns() + deadline_ms * NS_PER_MS };
	_cleanup_close_ int read_end = -1, write_end = -1;
	struct program_result result;
	struct capture capture = { .text = result.output, .size = sizeof(result.output) };
	int ends[2], killed, status, r;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	read_end = ends[0];
	write_end = ends[1];
	/* Only our end: a program is not prepared for output that does not block. */
	if (fcntl(read_end, F_SETFL, O_NONBLOCK) < 0)
		return -errno;
	r = spawn(argv, write_end, &pid);
	if (r < 0)
		return r;
	close(take_fd(write_end));
	capture.fd = read_end;
	r = finish(pid, &capture, &limit, &killed, &status);
	if (r < 0 || killed)
		return r < 0 ? r : killed;
	if (capture.fd >= 0)
		capture_read(&capture);
	capture_end(&capture);
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
