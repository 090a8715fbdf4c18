// SPDX-License-Identifier: GPL-2.0-or-later
/* The "region" member of --json: scripts of users break when a member changes or goes. */
#include "region-json.h"
#include "region.h"

#include <json.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void assert_json(const struct region *region, const char *wanted)
{
	struct json_object *object = region_to_json(region);

	assert_string_equal(json_object_to_json_string_ext(object,
							   JSON_C_TO_STRING_PLAIN |
								   JSON_C_TO_STRING_NOSLASHESCAPE),
			    wanted);
	json_object_put(object);
}

static void test_raw(void **state)
{
	const struct region region = {
		.name = "region0",
		.provider = "e820",
		.namespace = "namespace0.0",
		.block_device = "/dev/pmem0",
		.state = REGION_RAW,
		.start = 0x100000000,
		.raw_bytes = 2147483648,
		.devdax_bytes = 2145386496,
		.ram_bytes = 2013265920,
		.block_bytes = 134217728,
	};

	(void)state;
	assert_json(&region,
		    "{\"name\":\"region0\",\"provider\":\"e820\",\"namespace\":\"namespace0.0\","
		    "\"state\":\"raw\",\"block_device\":\"/dev/pmem0\",\"start\":4294967296,"
		    "\"raw_bytes\":2147483648,\"devdax_bytes\":2145386496,"
		    "\"ram_bytes\":2013265920,\"block_bytes\":134217728,\"target_node\":0}");
}

static void test_ram(void **state)
{
	const struct region region = {
		.name = "region1",
		.provider = "ACPI.NFIT",
		.namespace = "namespace1.0",
		.uuid = "4c12e4ed-5997-4b64-8993-a1ef6aca07e3",
		.dax_device = "dax1.0",
		.state = REGION_RAM,
		.target_node = 1,
		.has_state_attribute = true,
		.blocks = 15,
		.blocks_online = 14,
		.blocks_movable = 13,
	};

	(void)state;
	assert_json(&region,
		    "{\"name\":\"region1\",\"provider\":\"ACPI.NFIT\","
		    "\"namespace\":\"namespace1.0\","
		    "\"uuid\":\"4c12e4ed-5997-4b64-8993-a1ef6aca07e3\",\"state\":\"ram\","
		    "\"dax_device\":\"dax1.0\",\"start\":0,\"raw_bytes\":0,\"devdax_bytes\":0,"
		    "\"ram_bytes\":0,\"block_bytes\":0,\"target_node\":1,"
		    "\"state_attribute\":true,\"blocks\":15,\"blocks_online\":14,"
		    "\"blocks_movable\":13}");
}

static void test_other_says_why(void **state)
{
	const struct region region = {
		.name = "region0",
		.provider = "e820",
		.why = "it is \"divided\"",
		.target_node = -1,
	};

	(void)state;
	assert_json(&region, "{\"name\":\"region0\",\"provider\":\"e820\",\"state\":\"other\","
			     "\"why\":\"it is \\\"divided\\\"\",\"start\":0,\"raw_bytes\":0,"
			     "\"devdax_bytes\":0,\"ram_bytes\":0,\"block_bytes\":0,"
			     "\"target_node\":-1}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_raw),
		cmocka_unit_test(test_ram),
		cmocka_unit_test(test_other_says_why),
	};

	return cmocka_run_group_tests_name("region-json", tests, NULL, NULL);
}
