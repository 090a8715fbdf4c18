// SPDX-License-Identifier: GPL-2.0-or-later
#include "region/layout.h"

#include <errno.h>
#include <string.h>

int layout_parse(const char *text, enum layout *ret_layout)
{
	if (strcmp(text, "raw") == 0)
		*ret_layout = LAYOUT_RAW;
	else if (strcmp(text, "devdax") == 0)
		*ret_layout = LAYOUT_DEVDAX;
	else
		return -EINVAL;
	return 0;
}

const char *layout_name(enum layout layout)
{
	return layout == LAYOUT_RAW ? "raw" : "devdax";
}
