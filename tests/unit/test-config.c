// SPDX-License-Identifier: GPL-2.0-or-later
/* The configuration: a typo must be an error that names the line, not a setting that is ignored. */
#include "settings/config.h"
#include "settings/options.h"
#include "base/report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static int read_text(const char *text, struct config *config)
{
	char path[] = "/tmp/pmem-preserve-config-XXXXXX";
	int fd = mkstemp(path), r;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	r = config_read(path, config);
	unlink(path);
	return r;
}

static void test_values(void **state)
{
	struct config config;

	assert_int_equal(read_text("state = /var/state\n; a comment\nstate=/srv/cache\n"
				   "region = region1\nlayout = devdax\nthreads = 3\ndeadline = 7\n"
				   "exclude = *.tmp\nfallback = /srv/state.img\n"
				   "survives = reboot\nkey-file = /etc/key\nspecial = no\n"
				   "wipe = yes\ncounter-file = /srv/counter\n",
				   &config),
			 0);
	assert_int_equal(config.state_count, 2);
	assert_string_equal(config.states[0], "/var/state");
	assert_string_equal(config.states[1], "/srv/cache");
	assert_string_equal(config.region, "region1");
	assert_int_equal(config.layout, LAYOUT_DEVDAX);
	assert_int_equal(config.threads, 3);
	assert_int_equal(config.deadline_seconds, 7);
	assert_int_equal(config.exclude_count, 1);
	assert_string_equal(config.fallback, "/srv/state.img");
	assert_int_equal(config.survives, SURVIVES_REBOOT);
	assert_string_equal(config.key_file, "/etc/key");
	assert_string_equal(config.counter_file, "/srv/counter");
	assert_false(config.special);
	assert_true(config.wipe);
	config_clear(&config);
}

static void test_refused(void **state)
{
	static const char *const texts[] = {
		"stat = /var/state\n",	"state = relative\n",
		"layout = fast\n",	"threads = many\n",
		"threads = 65\n",	"threads = -1\n",
		"deadline = 9999999\n", "[section]\nlayout = raw\n",
		"just words\n",		"fallback = state.img\n",
		"survives = all\n",	"key-file = key\n",
		"special = maybe\n",	"wipe = 1\n",
		"counter-file = c\n",
	};
	struct config config;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(read_text(texts[i], &config), -E_USAGE);
}

static void test_missing_file(void **state)
{
	struct config config;

	assert_true(config_read("/nonexistent/pmem-preserve.conf", &config) < 0);
}

static void test_options_over_config(void **state)
{
	char *argv[] = { "checkpoint", "--layout=raw", "-x", "b", "-j2", "--", "-odd", NULL };
	struct options options;
	struct config config;

	assert_int_equal(read_text("layout = devdax\nexclude = a\nthreads = 9\n", &config), 0);
	assert_int_equal(options_parse(&config, 7, argv,
				       OPTION_LAYOUT | OPTION_EXCLUDE | OPTION_THREADS, "[PATH]...",
				       &options),
			 0);
	assert_int_equal(options.layout, LAYOUT_RAW);
	assert_int_equal(options.threads, 2);
	assert_int_equal(options.exclude_count, 2);
	assert_string_equal(options.excludes[0], "a");
	assert_string_equal(options.excludes[1], "b");
	assert_string_equal(argv[options.first], "-odd");
	options_clear(&options);
	config_clear(&config);
}

static void test_options_refused(void **state)
{
	char *unknown[] = { "verify", "--replace", NULL };
	char *valueless[] = { "verify", "--threads", NULL };
	char *wrong[] = { "verify", "--threads=x", NULL };
	char *extra[] = { "verify", "file", NULL };
	struct config config = { 0 };
	struct options options;

	assert_int_equal(options_parse(&config, 2, unknown, OPTION_THREADS, NULL, &options),
			 -E_USAGE);
	assert_int_equal(options_parse(&config, 2, valueless, OPTION_THREADS, NULL, &options),
			 -E_USAGE);
	assert_int_equal(options_parse(&config, 2, wrong, OPTION_THREADS, NULL, &options),
			 -E_USAGE);
	assert_int_equal(options_parse(&config, 2, extra, OPTION_THREADS, NULL, &options),
			 -E_USAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_missing_file),	cmocka_unit_test(test_options_over_config),
		cmocka_unit_test(test_options_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
