#include "sizes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint64_t most = (uint64_t)1 << 50;

static bool number(const char *text, uint64_t *out, char **end)
{
	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*out = strtoull(text, end, 10);
	return !errno && *out <= most;
}

bool vd_count_parse(const char *text, uint64_t *out)
{
	char *end;

	return number(text, out, &end) && !*end;
}

bool vd_size_parse(const char *text, uint64_t *bytes)
{
	static const char units[] = "KMG";
	const char *unit = NULL;
	int shift = 0;
	char *end;

	if (!number(text, bytes, &end))
		return false;
	if (*end)
		unit = strchr(units, *end >= 'a' ? *end - 'a' + 'A' : *end);
	if (unit)
		shift = 10 * (int)(unit - units + 1);
	if (end[unit ? 1 : 0] || *bytes > most >> shift)
		return false;
	*bytes <<= shift;
	return true;
}

void vd_size_text(uint64_t bytes, char out[VD_SIZE_TEXT])
{
	static const char units[] = "\0KMG";
	size_t unit = 0;

	for (; bytes && bytes % 1024 == 0 && unit < 3; unit++)
		bytes /= 1024;
	snprintf(out, VD_SIZE_TEXT, "%llu%.1s", (unsigned long long)bytes, &units[unit]);
}
