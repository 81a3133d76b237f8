#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <stdio.h>

#include "cli/options.h"
#include "proto/err.h"

static const struct vd_syntax add = { "add", { VD_OPT_MESSAGE, VD_OPT_ABOUT, VD_OPT_REPLACES } };
static const struct vd_syntax list = { "list", { VD_OPT_NEW, VD_OPT_LIMIT } };
static const struct vd_syntax admit = { "admit", { VD_OPT_NAME, VD_OPT_OUT } };
static const struct vd_syntax *const commands[] = { &add, &list, &admit, NULL };

static struct vd_options options;
static struct vd_usage usage;
static char *words[32];

/* Parses a line of words separated by blanks. */
static int parse(const char *line)
{
	static char copy[1024];
	int n = 1;

	snprintf(copy, sizeof copy, "%s", line);
	words[0] = strcpy(copy + 512, "vereda");
	for (char *w = strtok(copy, " "); w; w = strtok(NULL, " "))
		words[n++] = w;
	words[n] = NULL;
	return vd_options_parse(n, words, commands, &options, &usage);
}

static void test_options__before_and_after_the_command(void **state)
{
	(void)state;
	assert_int_equal(parse("--home /a --json list alert --new --lang es --limit 5 -v"), 0);
	assert_string_equal(options.home, "/a");
	assert_string_equal(options.lang, "es");
	assert_true(options.json && options.verbose && !options.quiet);
	assert_ptr_equal(options.syntax, &list);
	assert_int_equal(options.arg_count, 1);
	assert_string_equal(options.args[0], "alert");
	assert_non_null(vd_options_get(&options, VD_OPT_NEW));
	assert_string_equal(vd_options_get(&options, VD_OPT_LIMIT), "5");
	assert_null(vd_options_get(&options, VD_OPT_ABOUT));
}

static void test_options__arguments_between_options(void **state)
{
	(void)state;
	assert_int_equal(parse("add message -m hello title=x --home=/b -- -m --json"), 0);
	assert_int_equal(options.arg_count, 4);
	assert_string_equal(options.args[0], "message");
	assert_string_equal(options.args[1], "title=x");
	assert_string_equal(options.args[2], "-m");
	assert_string_equal(options.args[3], "--json");
	assert_string_equal(options.home, "/b");
	assert_string_equal(vd_options_get(&options, VD_OPT_MESSAGE), "hello");
	assert_false(options.json);
}

static void test_options__values_that_look_like_options(void **state)
{
	(void)state;
	assert_int_equal(parse("add message -m --json -mx -m -"), 0);
	assert_string_equal(vd_options_get(&options, VD_OPT_MESSAGE), "-");
	assert_int_equal(parse("add - -m x"), 0);
	assert_int_equal(options.arg_count, 1);
	assert_string_equal(options.args[0], "-");
}

static void test_options__repeated(void **state)
{
	size_t at = 0;

	(void)state;
	assert_int_equal(parse("add message --replaces a --about b --replaces c"), 0);
	assert_string_equal(vd_options_each(&options, VD_OPT_REPLACES, &at), "a");
	assert_string_equal(vd_options_each(&options, VD_OPT_REPLACES, &at), "c");
	assert_null(vd_options_each(&options, VD_OPT_REPLACES, &at));
	assert_string_equal(vd_options_get(&options, VD_OPT_REPLACES), "c");
}

static void test_options__long_forms(void **state)
{
	(void)state;
	assert_int_equal(parse("admit x --output f --name n"), 0);
	assert_string_equal(vd_options_get(&options, VD_OPT_OUT), "f");
	assert_int_equal(parse("admit x -of --name=n"), 0);
	assert_string_equal(vd_options_get(&options, VD_OPT_OUT), "f");
	assert_string_equal(vd_options_get(&options, VD_OPT_NAME), "n");
}

static void test_options__what_is_wrong(void **state)
{
	static const struct {
		const char *line;
		enum vd_msg msg;
		const char *detail;
	} cases[] = {
		{ "--nope", VD_MSG_UNKNOWN_OPTION, "--nope" },
		{ "list --nope", VD_MSG_UNKNOWN_OPTION, "--nope" },
		{ "list -z", VD_MSG_UNKNOWN_OPTION, "-z" },
		{ "list -m x", VD_MSG_UNKNOWN_OPTION, "-m" },
		{ "list --about x", VD_MSG_OPTION_NOT_HERE, "--about" },
		{ "--new list", VD_MSG_OPTION_NOT_HERE, "--new" },
		{ "list --json=yes", VD_MSG_OPTION_TAKES_NO_VALUE, "--json=yes" },
		{ "list --limit", VD_MSG_OPTION_NEEDS_VALUE, "--limit" },
		{ "add message -m", VD_MSG_OPTION_NEEDS_VALUE, "-m" },
		{ "--home", VD_MSG_OPTION_NEEDS_VALUE, "--home" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(parse(cases[i].line), VD_EINVAL);
		assert_int_equal(usage.msg, cases[i].msg);
		assert_string_equal(usage.detail, cases[i].detail);
	}
	/* Even then the complaint comes in the form and language asked for. */
	assert_int_equal(parse("--nope list --json --lang=es"), VD_EINVAL);
	assert_true(options.json);
	assert_string_equal(options.lang, "es");
}

static void test_options__no_or_unknown_command(void **state)
{
	(void)state;
	assert_int_equal(parse(""), 0);
	assert_null(options.command);
	assert_int_equal(parse("--json"), 0);
	assert_null(options.command);
	assert_int_equal(parse("lst --whatever"), 0);
	assert_string_equal(options.command, "lst");
	assert_null(options.syntax);
	assert_int_equal(parse("list --help"), 0);
	assert_true(options.help);
}

static void test_options__more_than_are_kept(void **state)
{
	static char option[] = "-mx", name[] = "add", program[] = "vereda";
	static char *argv[VD_GIVEN_MAX + 4];
	int n = 0;

	(void)state;
	argv[n++] = program;
	argv[n++] = name;
	while (n < VD_GIVEN_MAX + 2)
		argv[n++] = option;
	assert_int_equal(vd_options_parse(n, argv, commands, &options, &usage), 0);
	assert_int_equal(options.given_count, VD_GIVEN_MAX);
	argv[n++] = option;
	assert_int_equal(vd_options_parse(n, argv, commands, &options, &usage), VD_EINVAL);
}

static void test_options__nearest(void **state)
{
	static const char *const names[] = { "list", "load", "alert", "admit", "status", "ack", "add", NULL };
	static const struct {
		const char *typed, *near;
	} cases[] = { { "lsit", "list" }, { "lst", "list" }, { "staus", "status" }, { "stat", "status" }, { "alerta", "alert" },
		      { "admti", "admit" }, { "lod", "load" }, { "revoke", NULL }, { "frobnicate", NULL }, { "", NULL }, { "x", NULL } };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *got = vd_options_nearest(cases[i].typed, names);

		if (!cases[i].near)
			assert_null(got);
		else
			assert_string_equal(got, cases[i].near);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options__before_and_after_the_command),
		cmocka_unit_test(test_options__arguments_between_options),
		cmocka_unit_test(test_options__values_that_look_like_options),
		cmocka_unit_test(test_options__repeated),
		cmocka_unit_test(test_options__long_forms),
		cmocka_unit_test(test_options__what_is_wrong),
		cmocka_unit_test(test_options__no_or_unknown_command),
		cmocka_unit_test(test_options__more_than_are_kept),
		cmocka_unit_test(test_options__nearest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
