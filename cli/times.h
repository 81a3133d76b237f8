/* Times and durations as people write and read them. */
#ifndef VD_TIMES_H
#define VD_TIMES_H

#include <stdbool.h>
#include <stdint.h>

enum { VD_TIME_TEXT = 32 };
#define VD_DAY_MS UINT64_C(86400000)

/* "90s", "30m", "2h", "7d", "2w". VD_EFORMAT. */
int vd_time_duration(const char *text, uint64_t *ms);
/* RFC 3339, YYYY-MM-DD (local midnight), or HH:MM (local: the next one; with `past` the last one). With `past` a duration is
 * allowed too and means that long ago. VD_EFORMAT. */
int vd_time_parse(const char *text, uint64_t now_ms, bool past, uint64_t *ms);
/* Day number from which a body may go: a duration from now, a date, or a time; rounded up to whole days. VD_EFORMAT. */
int vd_time_expires(const char *text, uint64_t now_ms, uint32_t *day);

/* RFC 3339 in UTC with milliseconds. */
void vd_time_rfc3339(uint64_t ms, char out[VD_TIME_TEXT]);
/* "2026-03-01 18:05" in the local time zone. */
void vd_time_local(uint64_t ms, char out[VD_TIME_TEXT]);

/* 0: the clock stands before 1970, which no record can say. */
uint64_t vd_time_now_ms(void);
/* For measuring: never goes back. */
uint64_t vd_time_steady_ms(void);

#endif
