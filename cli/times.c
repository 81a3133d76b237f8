#include "times.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "proto/err.h"

/* Everything we write stays below 2^53 ms; years past 9999 have no RFC 3339 form. */
static const uint64_t max_ms = UINT64_C(253402300799999);

int vd_time_duration(const char *text, uint64_t *ms)
{
	static const struct {
		char unit;
		uint64_t ms;
	} units[] = { { 's', 1000 }, { 'm', 60000 }, { 'h', 3600000 }, { 'd', VD_DAY_MS }, { 'w', 7 * VD_DAY_MS } };
	uint64_t n = 0;
	const char *p = text;

	for (; *p >= '0' && *p <= '9'; p++) {
		if (n > max_ms)
			return VD_EFORMAT;
		n = n * 10 + (uint64_t)(*p - '0');
	}
	if (p == text || !p[0] || p[1])
		return VD_EFORMAT;
	for (size_t i = 0; i < sizeof units / sizeof *units; i++)
		if (*p == units[i].unit) {
			if (n > max_ms / units[i].ms)
				return VD_EFORMAT;
			*ms = n * units[i].ms;
			return 0;
		}
	return VD_EFORMAT;
}

/* Exactly `digits` decimal digits; moves *p behind them. */
static int number(const char **p, int digits, int *out)
{
	*out = 0;
	for (int i = 0; i < digits; i++) {
		if (**p < '0' || **p > '9')
			return VD_EFORMAT;
		*out = *out * 10 + (*(*p)++ - '0');
	}
	return 0;
}

static bool take(const char **p, const char *any)
{
	if (!**p || !strchr(any, **p))
		return false;
	(*p)++;
	return true;
}

static int month_days(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return month == 2 && leap ? 29 : days[month - 1];
}

static int date(const char **p, struct tm *tm)
{
	int year, month, day;

	if (number(p, 4, &year) || !take(p, "-") || number(p, 2, &month) || !take(p, "-") || number(p, 2, &day))
		return VD_EFORMAT;
	if (year < 1970 || month < 1 || month > 12 || day < 1 || day > month_days(year, month))
		return VD_EFORMAT;
	tm->tm_year = year - 1900;
	tm->tm_mon = month - 1;
	tm->tm_mday = day;
	return 0;
}

static int clock_time(const char **p, struct tm *tm, bool seconds)
{
	if (number(p, 2, &tm->tm_hour) || !take(p, ":") || number(p, 2, &tm->tm_min))
		return VD_EFORMAT;
	if (seconds && (!take(p, ":") || number(p, 2, &tm->tm_sec)))
		return VD_EFORMAT;
	return tm->tm_hour > 23 || tm->tm_min > 59 || tm->tm_sec > 60 ? VD_EFORMAT : 0;
}

static int from_seconds(time_t s, uint64_t *ms)
{
	if (s < 0 || (uint64_t)s > max_ms / 1000)
		return VD_EFORMAT;
	*ms = (uint64_t)s * 1000;
	return 0;
}

/* RFC 3339 section 5.6, behind the date. */
static int rfc3339(const char *p, struct tm *tm, uint64_t *ms)
{
	int hour = 0, minute = 0, sign = 0;
	uint64_t fraction = 0, scale = 100;
	time_t s;

	if (!take(&p, "Tt ") || clock_time(&p, tm, true))
		return VD_EFORMAT;
	if (take(&p, ".")) {
		if (*p < '0' || *p > '9')
			return VD_EFORMAT;
		for (; *p >= '0' && *p <= '9'; p++, scale /= 10)
			fraction += (uint64_t)(*p - '0') * scale;
	}
	if (*p == '+' || *p == '-') {
		sign = *p++ == '+' ? 1 : -1;
		if (number(&p, 2, &hour) || !take(&p, ":") || number(&p, 2, &minute) || hour > 23 || minute > 59)
			return VD_EFORMAT;
	} else if (!take(&p, "Zz")) {
		return VD_EFORMAT;
	}
	if (*p)
		return VD_EFORMAT;
	s = timegm(tm) - sign * (hour * 3600 + minute * 60);
	if (from_seconds(s, ms))
		return VD_EFORMAT;
	*ms += fraction;
	return 0;
}

static int local(struct tm *tm, uint64_t *ms)
{
	tm->tm_isdst = -1;
	return from_seconds(mktime(tm), ms);
}

/* The occurrence of a time of day that is next after now, or the last one before. */
static int time_of_day(const char *p, uint64_t now_ms, bool past, uint64_t *ms)
{
	time_t now = (time_t)(now_ms / 1000);
	struct tm tm;

	if (!localtime_r(&now, &tm))
		return VD_EFORMAT;
	tm.tm_sec = 0;
	if (clock_time(&p, &tm, false) || *p)
		return VD_EFORMAT;
	int wanted_hour = tm.tm_hour, wanted_min = tm.tm_min;

	if (local(&tm, ms))
		return VD_EFORMAT;
	if (past ? *ms <= now_ms : *ms > now_ms)
		return 0;
	tm.tm_mday += past ? -1 : 1;
	tm.tm_hour = wanted_hour;
	tm.tm_min = wanted_min;
	return local(&tm, ms);
}

int vd_time_parse(const char *text, uint64_t now_ms, bool past, uint64_t *ms)
{
	struct tm tm = { 0 };
	const char *p = text;
	uint64_t ago;

	if (past && vd_time_duration(text, &ago) == 0) {
		*ms = now_ms > ago ? now_ms - ago : 0;
		return 0;
	}
	if (date(&p, &tm) == 0)
		return *p ? rfc3339(p, &tm, ms) : local(&tm, ms);
	return time_of_day(text, now_ms, past, ms);
}

int vd_time_expires(const char *text, uint64_t now_ms, uint32_t *day)
{
	struct tm tm = { 0 };
	const char *p = text;
	uint64_t ms;

	if (vd_time_duration(text, &ms) == 0)
		ms += now_ms;
	else if (date(&p, &tm) == 0 && !*p)
		ms = (uint64_t)timegm(&tm) * 1000; /* day numbers are UTC's */
	else if (vd_time_parse(text, now_ms, false, &ms))
		return VD_EFORMAT;
	if (ms > max_ms)
		return VD_EFORMAT;
	*day = (uint32_t)((ms + VD_DAY_MS - 1) / VD_DAY_MS);
	return 0;
}

void vd_time_rfc3339(uint64_t ms, char out[VD_TIME_TEXT])
{
	time_t s = (time_t)((ms > max_ms ? max_ms : ms) / 1000);
	struct tm tm;

	gmtime_r(&s, &tm);
	size_t n = strftime(out, VD_TIME_TEXT, "%Y-%m-%dT%H:%M:%S", &tm);

	snprintf(out + n, VD_TIME_TEXT - n, ".%03uZ", (unsigned)(ms % 1000));
}

void vd_time_local(uint64_t ms, char out[VD_TIME_TEXT])
{
	time_t s = (time_t)((ms > max_ms ? max_ms : ms) / 1000);
	struct tm tm;

	localtime_r(&s, &tm);
	strftime(out, VD_TIME_TEXT, "%Y-%m-%d %H:%M", &tm);
}

static uint64_t read_clock(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return ts.tv_sec < 0 ? 0 : (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

uint64_t vd_time_now_ms(void)
{
	return read_clock(CLOCK_REALTIME);
}

uint64_t vd_time_steady_ms(void)
{
	return read_clock(CLOCK_MONOTONIC);
}
