// SPDX-License-Identifier: GPL-2.0-or-later
#include "reboot/kexec-cmdline.h"

#include "base/cleanup.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPECT "pmem_preserve.expect="

/*
 * Moves @text to the next parameter and returns its length, 0 at the end. As in the kernel, white
 * space separates parameters, except within double quotes.
 */
static size_t next_parameter(const char **text)
{
	bool quoted = false;
	size_t length;

	while (isspace((unsigned char)**text))
		(*text)++;
	for (length = 0; (*text)[length]; length++) {
		if ((*text)[length] == '"')
			quoted = !quoted;
		else if (isspace((unsigned char)(*text)[length]) && !quoted)
			break;
	}
	return length;
}

static bool has_prefix(const char *text, size_t length, const char *prefix)
{
	return length >= strlen(prefix) && strncmp(text, prefix, strlen(prefix)) == 0;
}

static bool ends_parameters(const char *parameter, size_t length)
{
	return length == 2 && strncmp(parameter, "--", 2) == 0;
}

/*
 * A copy of @text without the parameters that begin with @prefix, and with @added (if not NULL) behind
 * the others, but before those of init.
 */
static char *exchange(const char *text, const char *prefix, const char *added)
{
	size_t length, used = strlen(text) + (added ? strlen(added) : 0) + 2;
	char *next = malloc(used), *end = next;
	bool for_init = false;

	if (!next)
		return NULL;
	for (; (length = next_parameter(&text)) > 0; text += length) {
		if (!for_init && has_prefix(text, length, prefix))
			continue;
		if (!for_init && ends_parameters(text, length)) {
			for_init = true;
			if (added)
				end += sprintf(end, "%s%s", end == next ? "" : " ", added);
		}
		if (end != next)
			*end++ = ' ';
		memcpy(end, text, length);
		end += length;
	}
	*end = '\0';
	if (added && !for_init)
		sprintf(end, "%s%s", end == next ? "" : " ", added);
	return next;
}

char *cmdline_for_next(const char *running)
{
	_cleanup_free_ char *here = exchange(running, "BOOT_IMAGE=", NULL);

	return here ? exchange(here, EXPECT, NULL) : NULL;
}

char *cmdline_expect(const char *cmdline, const char *value)
{
	_cleanup_free_ char *parameter = NULL;

	if (asprintf(&parameter, EXPECT "%s", value) < 0) {
		parameter = NULL;
		return NULL;
	}
	return exchange(cmdline, EXPECT, parameter);
}

char *cmdline_expected(const char *cmdline)
{
	const char *value = NULL;
	size_t length, bytes = 0;

	for (; (length = next_parameter(&cmdline)) > 0; cmdline += length) {
		if (ends_parameters(cmdline, length))
			break;
		if (!has_prefix(cmdline, length, EXPECT))
			continue;
		value = cmdline + strlen(EXPECT);
		bytes = length - strlen(EXPECT);
	}
	return value ? strndup(value, bytes) : NULL;
}

/* A size as the kernel's memparse() reads it. */
static uint64_t parse_size(const char *text, const char **ret_end)
{
	static const char suffixes[] = "KMGTPE";
	char *end;
	uint64_t size = strtoull(text, &end, 0);
	const char *suffix = *end ? strchr(suffixes, toupper((unsigned char)*end)) : NULL;

	if (suffix && end != text) {
		size <<= 10 * (suffix - suffixes + 1);
		end++;
	}
	*ret_end = end;
	return size;
}

/* One element of a memmap= list: a range with its kind (! @ # $ %), or another word. */
struct memmap {
	char text[64];
	char kind; /* '\0' if it is not a range */
	uint64_t bytes, start;
};

static struct memmap parse_memmap(const char *text, size_t length)
{
	struct memmap memmap = {};
	const char *end;

	if (length >= sizeof(memmap.text))
		length = sizeof(memmap.text) - 1;
	memcpy(memmap.text, text, length);
	memmap.bytes = parse_size(memmap.text, &end);
	if (end == memmap.text || !*end || !strchr("!@#$%", *end))
		return memmap;
	memmap.kind = *end;
	text = end + 1;
	memmap.start = parse_size(text, &end);
	/* The rest of 4G%0x...-type+type is compared as text. */
	if (end == text || *end)
		memmap.kind = '\0';
	return memmap;
}

static bool same_memmap(const struct memmap *a, const struct memmap *b)
{
	if (a->kind && a->kind == b->kind)
		return a->bytes == b->bytes && a->start == b->start;
	return strcmp(a->text, b->text) == 0;
}

/* Iterates over the elements of all memmap= parameters; starts as { cmdline, 0 }. */
struct memmap_position {
	const char *text; /* rest of the command line */
	size_t value;	  /* length of the memmap= list at its start */
};

static bool next_memmap(struct memmap_position *position, struct memmap *ret_memmap)
{
	size_t length;

	while (!position->value) {
		length = next_parameter(&position->text);
		if (!length || ends_parameters(position->text, length))
			return false;
		if (has_prefix(position->text, length, "memmap=")) {
			position->text += strlen("memmap=");
			position->value = length - strlen("memmap=");
		} else {
			position->text += length;
		}
	}
	for (length = 0; length < position->value && position->text[length] != ',';)
		length++;
	*ret_memmap = parse_memmap(position->text, length);
	if (length < position->value)
		length++;
	position->text += length;
	position->value -= length;
	return true;
}

bool cmdline_lacks_memmap(const char *running, const char *next, char *missing, size_t size)
{
	struct memmap_position position = { .text = running };
	struct memmap wanted, offered;

	while (next_memmap(&position, &wanted)) {
		struct memmap_position other = { .text = next };
		bool found = false;

		if (!*wanted.text)
			continue;
		while (!found && next_memmap(&other, &offered))
			found = same_memmap(&wanted, &offered);
		if (!found) {
			snprintf(missing, size, "%s", wanted.text);
			return true;
		}
	}
	return false;
}
