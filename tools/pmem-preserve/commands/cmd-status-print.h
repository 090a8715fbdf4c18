/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The text of status: its groups, from the memory to what is wrong. */
#ifndef PMEM_PRESERVE_STATUS_PRINT_H
#define PMEM_PRESERVE_STATUS_PRINT_H

#include <stddef.h>

struct config;
struct history;
struct image_header;
struct kernel_choice;
struct problems;
struct region;
struct room;
struct state_size;

/* One line of text that may hold names of anybody: what a terminal would act upon is escaped. */
__attribute__((format(printf, 1, 2))) void print_text(const char *format, ...);

/* The regions as a table; what there is to say of each of them follows it. Errors are reported. */
int print_regions(const struct region *regions, size_t count);

void print_image(const char *name, const struct image_header *header);
void print_state(const struct config *config, const struct state_size *size,
		 const struct room *rooms, size_t count);
void print_history(const struct history *history);
void print_kernel(const struct kernel_choice *choice);
void print_config(const struct config *config);
void print_problems(const struct problems *problems);

#endif
