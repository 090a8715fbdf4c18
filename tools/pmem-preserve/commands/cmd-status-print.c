// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/cmd-status-print.h"

#include "base/cleanup.h"
#include "base/report.h"
#include "base/text.h"
#include "flow/history.h"
#include "flow/incomplete.h"
#include "flow/problems.h"
#include "flow/room.h"
#include "flow/state-size.h"
#include "image/image.h"
#include "reboot/kernel-choice.h"
#include "region/region.h"
#include "settings/config.h"

#include <errno.h>
#include <libsmartcols.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void print_text(const char *format, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list args;
	int r;

	va_start(args, format);
	r = vasprintf(&text, format, args);
	va_end(args);
	if (r < 0) {
		text = NULL;
		return;
	}
	text_print(stdout, text);
	putchar('\n');
}

void print_image(const char *name, const struct image_header *header)
{
	print_text("  %s: checkpoint %s, %s (generation %llu)", name,
		   image_phase_name(header->phase), time_text(header->created_ns).text,
		   (unsigned long long)header->generation);
	if (header->phase == IMAGE_PHASE_WRITING) {
		print_text("    it was never finished and cannot be restored");
		return;
	}
	print_text("    %llu files with %s, image of %s, by %s with kernel %s",
		   (unsigned long long)header->files, size_text(header->file_bytes).text,
		   size_text(header->image_bytes).text, (const char *)header->hostname,
		   (const char *)header->kernel);
	if (header->marked || header->unsaved)
		print_text("    %s: \"pmem-preserve list\" shows them",
			   incomplete_text(header).text);
	if (header->seal == IMAGE_SEAL_KEYED)
		print_text("    it is sealed with a key");
	if (header->phase == IMAGE_PHASE_COMMITTED)
		print_text("    \"pmem-preserve restore\" restores it");
}

static void print_ram(const struct region *region)
{
	const struct memory_failure *failure = &region->last_failure;

	if (region->blocks)
		print_text("  %s: %u of %u blocks of %s are online, %u in ZONE_MOVABLE",
			   region->name, region->blocks_online, region->blocks,
			   size_text(region->block_bytes).text, region->blocks_movable);
	else
		print_text("  %s: kmem is bound but has not added it: \"pmem-preserve hot-add\" does",
			   region->name);
	if (region->blocks_movable < region->blocks_online)
		print_text("    blocks in a kernel zone may be impossible to take back");
	print_text("    it can be taken back %s",
		   region->has_deadline_attribute ? "by the driver, with a deadline"
		   : region->has_state_attribute  ? "by the driver, without a deadline of its own"
						  : "block by block");
	if (failure->error)
		print_text("    the last attempt to %s failed at %s: %s",
			   strcmp(failure->operation, "online") == 0 ? "add it" : "take it back",
			   memory_failure_block(failure).text, memory_failure_reason(failure).text);
}

static void print_region(const struct region *region)
{
	if (region->why[0])
		print_text("  %s: %s", region->name, region->why);
	if (region->state == REGION_RAM)
		print_ram(region);
	else if (region->ram_bytes && region->target_node >= 0 && !region->blocks)
		print_text("  %s: %s of it can be RAM: \"pmem-preserve hot-add\"", region->name,
			   size_text(region->ram_bytes).text);
}

static const struct column {
	const char *name;
	int flags; /* SCOLS_FL_* */
} columns[] = {
	{ "REGION", 0 },
	{ "STATE", 0 },
	{ "SIZE", SCOLS_FL_RIGHT },
	{ "AS RAM", SCOLS_FL_RIGHT },
	{ "START", 0 },
	{ "PROVIDER", 0 },
};
#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

static int add_region(struct libscols_table *table, const struct region *region)
{
	const struct size_text size = size_text(region->raw_bytes);
	const struct size_text ram = size_text(region->ram_bytes);
	char start[24];
	const char *const cells[COLUMNS] = { region->name, region_state_name(region->state),
					     size.text,	   ram.text,
					     start,	   region->provider };
	struct libscols_line *line = scols_table_new_line(table, NULL);
	int r = line ? 0 : -ENOMEM;

	snprintf(start, sizeof(start), "%#llx", (unsigned long long)region->start);
	for (size_t i = 0; i < COLUMNS && r == 0; i++)
		r = scols_line_set_data(line, i, cells[i]);
	return r;
}

static int print_table(const struct region *regions, size_t count)
{
	struct libscols_table *table = scols_new_table();
	int r = table ? 0 : -ENOMEM;

	for (size_t i = 0; i < COLUMNS && r == 0; i++)
		if (!scols_table_new_column(table, columns[i].name, 0, columns[i].flags))
			r = -ENOMEM;
	for (size_t i = 0; i < count && r == 0; i++)
		r = add_region(table, &regions[i]);
	if (r == 0)
		r = scols_print_table(table);
	scols_unref_table(table);
	return r < 0 ? report_error(r, "failed to print the regions") : 0;
}

int print_regions(const struct region *regions, size_t count)
{
	int r = count ? print_table(regions, count) : 0;

	if (!count)
		puts("This machine has no region of persistent memory. An NVDIMM is one; so is a\n"
		     "range of RAM set aside with memmap=SIZE!START on the kernel command line.");
	for (size_t i = 0; i < count; i++)
		print_region(&regions[i]);
	return r;
}

void print_state(const struct config *config, const struct state_size *size,
		 const struct room *rooms, size_t count)
{
	for (size_t i = 0; i < config->state_count; i++)
		print_text("  %s", config->states[i]);
	if (!size->is_measured) {
		print_text("  its size was not measured: %s", size->why);
		return;
	}
	print_text("  %llu files with %s; a checkpoint of them takes %s",
		   (unsigned long long)size->files, size_text(size->file_bytes).text,
		   size_text(size->image_bytes).text);
	for (size_t i = 0; i < count; i++)
		print_text("  it %s %s, which has %s",
			   size->image_bytes <= rooms[i].bytes ? "fits into" : "DOES NOT FIT into",
			   rooms[i].place, size_text(rooms[i].bytes).text);
}

static void print_event(const char *what, const struct event *event)
{
	if (event->at_ns)
		print_text("  last %s %s, %s %s (generation %llu)", what,
			   time_text(event->at_ns).text, *what == 's' ? "to" : "from", event->place,
			   (unsigned long long)event->generation);
}

void print_history(const struct history *history)
{
	print_event("saved", &history->saved);
	print_event("restored", &history->restored);
	if (!history->saved.at_ns && !history->restored.at_ns)
		print_text("  no checkpoint and no restore is known of");
	if (*history->outcome && !history->restored.at_ns)
		print_text("  this boot restored nothing (%s)%s%s", history->outcome,
			   *history->reason ? ": " : "", history->reason);
}

void print_kernel(const struct kernel_choice *choice)
{
	const struct kernel *kernel = &choice->kernel;

	if (choice->error) {
		print_text("  none: %s", choice->problem);
	} else {
		print_text("  %s (%s)", kernel->file, choice->why);
		print_text("    initrd: %s", kernel->initrd ? kernel->initrd : "none");
	}
	if (*kernel->fault.text)
		print_text("    %s", kernel->fault.text);
	for (size_t i = 0; i < choice->left; i++)
		print_text("  left: %s: %s", choice->installed.list[i].file,
			   choice->installed.list[i].fault.text);
}

void print_config(const struct config *config)
{
	print_text("  the memory survives %s", survival_name(config->survives));
	if (config->fallback)
		print_text("  fallback: %s", config->fallback);
	else
		print_text(
			"  fallback: none; where the memory cannot be used or does not survive, the state is lost (\"fallback = FILE\")");
	if (config->key_file)
		print_text("  checkpoints are authenticated with %s", config->key_file);
}

void print_problems(const struct problems *problems)
{
	for (size_t i = 0; i < problems->count; i++) {
		const struct problem *problem = &problems->list[i];

		print_text("  ! %s", problem->problem);
		if (*problem->fix)
			print_text("    -> %s", problem->fix);
	}
	if (!problems->count)
		print_text("  none");
}
