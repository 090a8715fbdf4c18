// SPDX-License-Identifier: GPL-2.0-or-later
#include "region/dax-device.h"

#include "base/sysfs.h"

#include <stdio.h>

struct dax_path dax_path(const char *device, const char *attribute)
{
	struct dax_path path;

	snprintf(path.text, sizeof(path.text), "/sys/bus/dax/devices/%s/%s", device, attribute);
	return path;
}

struct driver_name dax_driver(const char *device)
{
	struct driver_name driver = {};

	if (sysfs_read_link(-1, dax_path(device, "driver").text, driver.text, sizeof(driver.text)) <
	    0)
		driver.text[0] = '\0';
	return driver;
}
