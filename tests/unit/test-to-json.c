// SPDX-License-Identifier: GPL-2.0-or-later
/* The "region" member of --json: scripts of users break when a member changes or goes. */
#include "flow/to-json.h"
#include "region/region.h"

#include <errno.h>
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
		    "\"state_attribute\":true,\"deadline_attribute\":false,\"blocks\":15,"
		    "\"blocks_online\":14,\"blocks_movable\":13}");
}

static void test_ram_that_could_not_be_taken_back(void **state)
{
	const struct region region = {
		.name = "region0",
		.state = REGION_RAM,
		.block_bytes = 134217728,
		.has_state_attribute = true,
		.has_deadline_attribute = true,
		.last_failure = {
			.operation = "unplug",
			.error = -EBUSY,
			.has_block = true,
			.block = 34,
			.block_bytes = 134217728,
			.has_pfn = true,
			.pfn = 0x110000,
			.class = "pinned",
			.rollback = ROLLBACK_COMPLETE,
		},
	};

	(void)state;
	assert_json(&region,
		    "{\"name\":\"region0\",\"state\":\"ram\",\"start\":0,\"raw_bytes\":0,"
		    "\"devdax_bytes\":0,\"ram_bytes\":0,\"block_bytes\":134217728,"
		    "\"target_node\":0,\"state_attribute\":true,\"deadline_attribute\":true,"
		    "\"last_failure\":{\"operation\":\"unplug\",\"block\":\"memory34\","
		    "\"start\":4563402752,\"bytes\":134217728,\"pfn\":1114112,"
		    "\"class\":\"pinned\",\"errno\":16,\"rollback\":\"complete\"},\"blocks\":0,"
		    "\"blocks_online\":0,\"blocks_movable\":0}");
}

static void test_failure_without_a_block(void **state)
{
	const struct memory_failure failure = {
		.operation = "unplug",
		.error = -EINTR,
		.class = "interrupted",
	};
	struct json_object *object = memory_failure_to_json(&failure);

	(void)state;
	assert_string_equal(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN),
			    "{\"operation\":\"unplug\",\"class\":\"interrupted\",\"errno\":4}");
	json_object_put(object);
}

static void test_memory_without_a_driver(void **state)
{
	const struct region region = {
		.name = "region0",
		.dax_device = "dax0.0",
		.blocks = 3,
		.blocks_online = 3,
		.blocks_movable = 2,
	};

	(void)state;
	assert_json(&region, "{\"name\":\"region0\",\"state\":\"other\",\"dax_device\":\"dax0.0\","
			     "\"start\":0,\"raw_bytes\":0,\"devdax_bytes\":0,\"ram_bytes\":0,"
			     "\"block_bytes\":0,\"target_node\":0,\"blocks\":3,"
			     "\"blocks_online\":3,\"blocks_movable\":2}");
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
		cmocka_unit_test(test_ram_that_could_not_be_taken_back),
		cmocka_unit_test(test_failure_without_a_block),
		cmocka_unit_test(test_memory_without_a_driver),
		cmocka_unit_test(test_other_says_why),
	};

	return cmocka_run_group_tests_name("to-json", tests, NULL, NULL);
}
