// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/json.h"

#include <json.h>

void json_add(struct json_object *object, const char *key, struct json_object *value)
{
	if (!object || json_object_object_add(object, key, value) < 0)
		json_object_put(value);
}

void json_append(struct json_object *array, struct json_object *value)
{
	if (!array || json_object_array_add(array, value) < 0)
		json_object_put(value);
}
