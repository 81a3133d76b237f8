#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <time.h>

#include "cli/times.h"
#include "proto/err.h"

/* 2026-03-01T12:00:00Z, a Sunday. */
static const uint64_t now = UINT64_C(1772366400000);

static void zone(const char *tz)
{
	setenv("TZ", tz, 1);
	tzset();
}

static void test_time__durations(void **state)
{
	static const char *const bad[] = { "", "d", "7", "7x", "7dd", "-7d", " 7d", "7 d", "1.5h", "99999999999999999999d", "999999999w" };
	uint64_t ms;

	(void)state;
	assert_int_equal(vd_time_duration("7d", &ms), 0);
	assert_int_equal(ms, 7 * VD_DAY_MS);
	assert_int_equal(vd_time_duration("2h", &ms), 0);
	assert_int_equal(ms, 7200000);
	assert_int_equal(vd_time_duration("90s", &ms), 0);
	assert_int_equal(ms, 90000);
	assert_int_equal(vd_time_duration("30m", &ms), 0);
	assert_int_equal(vd_time_duration("2w", &ms), 0);
	assert_int_equal(ms, 14 * VD_DAY_MS);
	assert_int_equal(vd_time_duration("0d", &ms), 0);
	assert_int_equal(ms, 0);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(vd_time_duration(bad[i], &ms), VD_EFORMAT);
}

static void test_time__rfc3339(void **state)
{
	static const struct {
		const char *text;
		uint64_t ms;
	} good[] = {
		{ "2026-03-01T12:00:00Z", UINT64_C(1772366400000) },
		{ "2026-03-01t12:00:00.5z", UINT64_C(1772366400500) },
		{ "2026-03-01 07:00:00-05:00", UINT64_C(1772366400000) },
		{ "2026-03-01T13:30:00.123456+01:30", UINT64_C(1772366400123) },
		{ "2024-02-29T00:00:00Z", UINT64_C(1709164800000) },
		{ "1970-01-01T00:00:00Z", 0 },
		{ "9999-12-31T23:59:59Z", UINT64_C(253402300799000) },
	};
	static const char *const bad[] = { "2026-03-01T12:00:00", "2026-03-01T12:00Z", "2026-3-1T12:00:00Z", "2026-02-29T00:00:00Z",
		"2026-13-01", "2026-00-01", "2026-03-32", "2026-03-01T24:00:00Z", "2026-03-01T12:60:00Z", "2026-03-01T12:00:00.Z",
		"2026-03-01T12:00:00+25:00", "2026-03-01T12:00:00ZZ", "1969-12-31", "1970-01-01T00:00:00+01:00", "", "yesterday",
		"25:00", "18", "18:0", "18:60", "2026", "2026-03" };
	uint64_t ms;

	(void)state;
	zone("America/Bogota");
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		assert_int_equal(vd_time_parse(good[i].text, now, false, &ms), 0);
		assert_int_equal(ms, good[i].ms);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (vd_time_parse(bad[i], now, true, &ms) != VD_EFORMAT)
			fail_msg("accepted: %s", bad[i]);
}

/* Bogotá is five hours behind UTC all year. */
static void test_time__local(void **state)
{
	uint64_t ms;

	(void)state;
	zone("<-05>5");
	assert_int_equal(vd_time_parse("2026-03-01", now, false, &ms), 0);
	assert_int_equal(ms, UINT64_C(1772341200000));
	/* It is 07:00 there. */
	assert_int_equal(vd_time_parse("18:00", now, false, &ms), 0);
	assert_int_equal(ms, now + 11 * 3600000);
	assert_int_equal(vd_time_parse("06:30", now, false, &ms), 0);
	assert_int_equal(ms, now + VD_DAY_MS - 1800000);
	assert_int_equal(vd_time_parse("07:00", now, false, &ms), 0);
	assert_int_equal(ms, now + VD_DAY_MS);
	assert_int_equal(vd_time_parse("18:00", now, true, &ms), 0);
	assert_int_equal(ms, now - 13 * 3600000);
	assert_int_equal(vd_time_parse("07:00", now, true, &ms), 0);
	assert_int_equal(ms, now);
}

static void test_time__ago(void **state)
{
	uint64_t ms;

	(void)state;
	assert_int_equal(vd_time_parse("7d", now, true, &ms), 0);
	assert_int_equal(ms, now - 7 * VD_DAY_MS);
	assert_int_equal(vd_time_parse("9999w", now, true, &ms), 0);
	assert_int_equal(ms, 0);
	assert_int_equal(vd_time_parse("7d", now, false, &ms), VD_EFORMAT);
}

static void test_time__expires(void **state)
{
	uint32_t day;

	(void)state;
	zone("<-05>5");
	/* Never sooner than asked for: rounded up. */
	assert_int_equal(vd_time_expires("7d", now, &day), 0);
	assert_int_equal(day, 20513 + 8);
	assert_int_equal(vd_time_expires("12h", now, &day), 0);
	assert_int_equal(day, 20513 + 1);
	assert_int_equal(vd_time_expires("2026-03-08", now, &day), 0);
	assert_int_equal(day, 20513 + 7);
	assert_int_equal(vd_time_expires("2026-03-08T00:00:01Z", now, &day), 0);
	assert_int_equal(day, 20513 + 8);
	assert_int_equal(vd_time_expires("soon", now, &day), VD_EFORMAT);
}

static void test_time__written(void **state)
{
	char text[VD_TIME_TEXT];
	uint64_t back;

	(void)state;
	zone("<-05>5");
	vd_time_rfc3339(now + 7, text);
	assert_string_equal(text, "2026-03-01T12:00:00.007Z");
	assert_int_equal(vd_time_parse(text, now, false, &back), 0);
	assert_int_equal(back, now + 7);
	vd_time_local(now, text);
	assert_string_equal(text, "2026-03-01 07:00");
	/* A hostile clock must not overrun the text. */
	vd_time_rfc3339(UINT64_MAX, text);
	assert_true(strlen(text) < sizeof text);
	vd_time_local(UINT64_MAX, text);
	assert_true(strlen(text) < sizeof text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_time__durations),
		cmocka_unit_test(test_time__rfc3339),
		cmocka_unit_test(test_time__local),
		cmocka_unit_test(test_time__ago),
		cmocka_unit_test(test_time__expires),
		cmocka_unit_test(test_time__written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
