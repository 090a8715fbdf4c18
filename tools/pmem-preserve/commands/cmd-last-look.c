// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * last-look: called by systemd-shutdown right before the machine goes down, when nothing else runs
 * any more. Says on the console and in the kernel's log what becomes of the state. It changes
 * nothing, and ends after a few seconds whatever happens.
 */
#include "base/report.h"
#include "base/text.h"
#include "commands/command.h"
#include "flow/place.h"
#include "image/image.h"
#include "reboot/kexec.h"
#include "reboot/next-state.h"
#include "reboot/notes.h"
#include "settings/options.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#define TIME_LIMIT_SECONDS 5

static void write_to(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);

	/* There may be no console, and nobody to report that to. */
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		detail("%s cannot be written", path);
	if (fd >= 0)
		close(fd);
}

__attribute__((format(printf, 2, 3))) static void print_last(int priority, const char *format, ...)
{
	char text[900], line[960]; /* the kernel refuses longer ones */
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	snprintf(line, sizeof(line), "<%d>pmem-preserve: %s\n", priority, text);
	write_to("/dev/kmsg", line);
	snprintf(line, sizeof(line), "pmem-preserve: %s\r\n", text);
	write_to("/dev/console", line);
}

static void look_at(const struct place *place, const char *verb)
{
	_cleanup_store_ struct store *store = NULL;
	struct image_header header;
	bool loaded;

	/* Where the fallback file lies may be unmounted by now; it was flushed when it was written.
	 */
	if (!place->is_region && access(place->path, F_OK) < 0) {
		print_last(LOG_NOTICE, "the state was saved to %s; the next boot restores it",
			   place->path);
		return;
	}
	if (!place->path[0] || store_open(place->path, STORE_READ, &store) < 0 ||
	    image_read_header(store, &header) < 0 || header.phase != IMAGE_PHASE_COMMITTED) {
		print_last(LOG_CRIT,
			   "%s should hold the state, and does not: the next boot starts cold",
			   place_name(place));
		return;
	}
	print_last(LOG_NOTICE,
		   "%s holds the state (generation %llu, %s); the next boot restores it",
		   place_name(place), (unsigned long long)header.generation,
		   size_text(header.image_bytes).text);
	if (place->is_region && strcmp(verb, "kexec") == 0 && kexec_is_loaded(&loaded) == 0 &&
	    !loaded)
		print_last(LOG_CRIT,
			   "no kernel is loaded for kexec: the memory has to survive the firmware");
}

/* As the note says, since the configuration may have been broken meanwhile. */
static int find_place(const struct shutdown_note *note, struct place *ret_place)
{
	const struct where where = {
		.image = note->place[0] == '/' ? note->place : NULL,
		.region = note->place[0] == '/' ? NULL : note->place,
	};

	return note->place[0] ? place_find(&where, ret_place) : -ENOENT;
}

int cmd_last_look(struct context *context, int argc, char **argv)
{
	_cleanup_options_ struct options options = { 0 };
	struct shutdown_note note;
	struct place place;
	int r;

	alarm(TIME_LIMIT_SECONDS);
	r = options_parse(context->config, argc, argv, 0, "VERB", &options);
	if (r < 0 || options.help)
		return r;
	if (options.first + 1 != argc)
		return report_error(-E_USAGE,
				    "last-look: needs one argument, the way down (kexec, reboot, poweroff or halt)");
	if (!note_read_shutdown(&note)) {
		if (access(CONFIG_PATH, F_OK) == 0)
			print_last(LOG_CRIT,
				   "pmem-preserve.service saved no state: it was not active, or has failed");
		return 0;
	}
	if (note.saved && *note.reason)
		print_last(LOG_WARNING, "what went wrong on the way down: %s", note.reason);
	if (!note.saved) {
		print_last(LOG_CRIT, "the state was not saved: %s", note.reason);
		return 0;
	}
	r = find_place(&note, &place);
	if (r < 0)
		print_last(LOG_CRIT, "%s, where the state was saved, cannot be found any more",
			   *note.place ? note.place : "the place");
	else
		look_at(&place, argv[options.first]);
	return r;
}
