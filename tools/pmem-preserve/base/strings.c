// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/strings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int strings_add(char ***strings, size_t *count, const char *text)
{
	char **larger = reallocarray(*strings, *count + 1, sizeof(**strings));

	if (!larger)
		return -ENOMEM;
	*strings = larger;
	larger[*count] = strdup(text);
	if (!larger[*count])
		return -ENOMEM;
	(*count)++;
	return 0;
}

void strings_free(char ***strings, size_t *count)
{
	for (size_t i = 0; i < *count; i++)
		free((*strings)[i]);
	free(*strings);
	*strings = NULL;
	*count = 0;
}
