#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "daemon/log.h"

static char seen[4 * VD_LOG_LINE];

/* stderr into a pipe for as long as one line takes */
#define LOG(...)                                                     \
	do {                                                         \
		int ends[2], kept = dup(STDERR_FILENO);              \
		assert_int_equal(pipe(ends), 0);                     \
		dup2(ends[1], STDERR_FILENO);                        \
		vd_log(__VA_ARGS__);                                 \
		dup2(kept, STDERR_FILENO);                           \
		close(kept);                                         \
		close(ends[1]);                                      \
		ssize_t got = read(ends[0], seen, sizeof seen - 1);  \
		assert_true(got >= 0);                               \
		seen[got] = '\0';                                    \
		close(ends[0]);                                      \
	} while (0)

static void test_log__one_line_with_its_priority(void **state)
{
	(void)state;
	LOG(VD_LOG_INFO, "listening addr=%s", "127.0.0.1:40123");
	assert_string_equal(seen, "<6>listening addr=127.0.0.1:40123\n");
	LOG(VD_LOG_ERROR, "failed");
	assert_string_equal(seen, "<3>failed\n");
}

static void test_log__nothing_starts_a_line_of_its_own(void **state)
{
	(void)state;
	LOG(VD_LOG_WARNING, "heard on=%s", "lo\n<0>panic\r\x1b[2J\x7f");
	assert_string_equal(seen, "<4>heard on=lo?<0>panic??[2J?\n");
}

static void test_log__a_long_line_is_cut(void **state)
{
	char text[VD_LOG_LINE + 10];

	(void)state;
	for (size_t n = VD_LOG_LINE - 10; n < VD_LOG_LINE + 5; n++) {
		memset(text, 'x', n);
		text[n] = '\0';
		LOG(VD_LOG_INFO, "%s", text);
		size_t length = strlen(seen);
		assert_int_equal(length, n + 4 < VD_LOG_LINE ? n + 4 : VD_LOG_LINE - 1);
		assert_int_equal(seen[length - 1], '\n');
		assert_null(memchr(seen, '\n', length - 1));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_log__one_line_with_its_priority),
		cmocka_unit_test(test_log__nothing_starts_a_line_of_its_own),
		cmocka_unit_test(test_log__a_long_line_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
