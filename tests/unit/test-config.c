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
	/* @config keeps a pointer to it. */
	static char path[64];
	int fd, r;

	snprintf(path, sizeof(path), "/tmp/pmem-preserve-config-XXXXXX");
	fd = mkstemp(path);
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
		"stat = /var/state\n",	 "state = relative\n",
		"layout = fast\n",	 "threads = many\n",
		"threads = 65\n",	 "threads = -1\n",
		"deadline = 9999999\n",	 "[section]\nlayout = raw\n",
		"just words\n",		 "fallback = state.img\n",
		"survives = all\n",	 "key-file = key\n",
		"special = maybe\n",	 "wipe = 1\n",
		"counter-file = c\n",	 "state =\n",
		"exclude =\n",		 "fallback = /x # the disk\n",
		"fallback = /x\t; it\n", "fallback = # none\n",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		_cleanup_config_ struct config config = { 0 };

		assert_int_equal(read_text(texts[i], &config), 0);
		assert_int_equal(config.problem_count, 1);
		assert_int_equal(config.problems[0].line, 1);
		assert_int_equal(config_refuse_problems(&config), -E_USAGE);
	}
}

/* A machine that goes down cannot wait for a correction: everything else counts. */
static void test_the_good_lines_count(void **state)
{
	_cleanup_config_ struct config config = { 0 };

	assert_int_equal(read_text("state = /a\nfallbak = /x\ndeadline = soon\n\n# comment\n"
				   "  state = /b  \nfallback=/y\r\nexclude = #*#\nkeyfile = /k\n"
				   "nothing like it = 1\nlast = 1",
				   &config),
			 0);
	assert_int_equal(config.state_count, 2);
	assert_string_equal(config.states[1], "/b");
	assert_string_equal(config.fallback, "/y");
	assert_string_equal(config.excludes[0], "#*#");
	assert_int_equal(config.deadline_seconds, 30);
	assert_int_equal(config.problem_count, 5);
	assert_int_equal(config.problems[0].line, 2);
	assert_string_equal(config.problems[0].key, "fallback");
	assert_non_null(strstr(config.problems[0].text, "is it \"fallback\"?"));
	assert_int_equal(config.problems[1].line, 3);
	assert_int_equal(config.problems[2].line, 9);
	assert_string_equal(config.problems[2].key, "key-file");
	assert_null(config.problems[3].key);
	assert_int_equal(config.problems[4].line, 11);
	assert_true(config_may_lack(&config, "key-file"));
	assert_false(config_may_lack(&config, "special"));
	assert_false(config_may_lack(&config, "fallback"));
}

/* A command line of the kernel is longer than 200 bytes; half of one starts another machine. */
static void test_long_lines(void **state)
{
	_cleanup_config_ struct config config = { 0 };
	char text[9000], value[8000];

	memset(value, 'x', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	snprintf(text, sizeof(text), "cmdline = %s\nstate = /a\n", value);
	assert_int_equal(read_text(text, &config), 0);
	assert_int_equal(config.problem_count, 0);
	assert_string_equal(config.cmdline, value);
	assert_int_equal(config.state_count, 1);
}

static void test_missing_file(void **state)
{
	_cleanup_config_ struct config config = { 0 };

	assert_int_equal(config_read("/nonexistent/pmem-preserve.conf", &config), 0);
	assert_int_equal(config.problem_count, 1);
	assert_true(config_may_lack(&config, "key-file"));
}

static void expect_adopted(const char *earlier_text, const char *text, size_t states,
			   const char *fallback)
{
	_cleanup_config_ struct config earlier = { 0 }, config = { 0 };

	assert_int_equal(read_text(earlier_text, &earlier), 0);
	assert_int_equal(read_text(text, &config), 0);
	assert_int_equal(config_adopt(&config, &earlier), 0);
	assert_int_equal(config.state_count, states);
	if (fallback)
		assert_string_equal(config.fallback, fallback);
	else
		assert_null(config.fallback);
}

/* What was good at boot fills the holes that errors make, and nothing else. */
static void test_adopt(void **state)
{
	static const char before[] = "state = /a\nstate = /b\nfallback = /f\n";

	expect_adopted(before, "state = /c\n", 1, NULL);
	expect_adopted(before, "state = /c\ndeadline = soon\n", 1, "/f");
	expect_adopted(before, "state = /c\nfallbak = /g\n", 1, "/f");
	expect_adopted(before, "state = /b\nstat = /c\n", 2, "/f");
	expect_adopted(before, "state = /c\nfallback = /g\nwhatever = 1\n", 3, "/g");
	expect_adopted(before, "", 0, NULL);
}

/* An empty "initrd =" means none, and an empty path that there is no such file. */
static void test_empty_values(void **state)
{
	_cleanup_config_ struct config config = { 0 };

	assert_int_equal(read_text("fallback = /f\nfallback =\ninitrd =\nkernel =\n", &config), 0);
	assert_int_equal(config.problem_count, 0);
	assert_null(config.fallback);
	assert_null(config.kernel);
	assert_string_equal(config.initrd, "");
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
		cmocka_unit_test(test_options_refused), cmocka_unit_test(test_the_good_lines_count),
		cmocka_unit_test(test_long_lines),	cmocka_unit_test(test_adopt),
		cmocka_unit_test(test_empty_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
