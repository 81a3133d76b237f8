/* The table. */
#include <stdio.h>

#include "bench.h"

static int missed;

/* Three or so digits that count, thousands apart. */
static const char *readable(double v, char out[32])
{
	char digits[32];
	size_t n, j = 0;

	if (v < 100) {
		snprintf(out, 32, v < 10 ? "%.2f" : "%.1f", v);
		return out;
	}
	n = (size_t)snprintf(digits, sizeof(digits), "%.0f", v);
	for (size_t i = 0; i < n; i++) {
		if (i && (n - i) % 3 == 0)
			out[j++] = ',';
		out[j++] = digits[i];
	}
	out[j] = 0;
	return out;
}

static void row(const char *task, const char *figure, const char *limit, const char *ratio, const char *target, const char *note)
{
	printf("%-50s %18s %22s %7s %10s%s\n", task, figure, limit, ratio, target, note);
	fflush(stdout);
}

void table_begin(void)
{
	row("task", "figure", "this machine", "ratio", "target", "");
	row("----", "------", "------------", "-----", "------", "");
}

void table_figure(const char *task, double figure, const char *unit)
{
	char digits[32], with_unit[64];

	snprintf(with_unit, sizeof(with_unit), "%s %s", readable(figure, digits), unit);
	row(task, with_unit, "", "", "", "");
}

void table_at_most(const char *task, double figure, const char *unit, double most)
{
	char digits[32], with_unit[64], target[64];

	snprintf(with_unit, sizeof(with_unit), "%s %s", readable(figure, digits), unit);
	snprintf(target, sizeof(target), "<= %s", readable(most, digits));
	row(task, with_unit, "", "", target, figure <= most ? "" : "  MISSED");
	missed += figure > most;
}

void table_at_least(const char *task, double figure, const char *unit, double least)
{
	char digits[32], with_unit[64], target[64];

	snprintf(with_unit, sizeof(with_unit), "%s %s", readable(figure, digits), unit);
	snprintf(target, sizeof(target), ">= %s", readable(least, digits));
	row(task, with_unit, "", "", target, figure >= least ? "" : "  MISSED");
	missed += figure < least;
}

void table_ratio(const char *task, double figure, const char *unit, const struct limit *limit, const char *limit_unit, double at_least)
{
	char digits[32], with_unit[64], machine[64], ratio[32], target[64] = "", note[64];
	bool ok = figure / limit_mean(limit) >= at_least;

	snprintf(with_unit, sizeof(with_unit), "%s %s", readable(figure, digits), unit);
	snprintf(machine, sizeof(machine), "%s %s", readable(limit_mean(limit), digits), limit_unit);
	snprintf(ratio, sizeof(ratio), "%.2f", figure / limit_mean(limit));
	if (at_least > 0)
		snprintf(target, sizeof(target), ">= %s", readable(at_least, digits));
	snprintf(note, sizeof(note), "%s%s", ok ? "" : "  MISSED", limit_unsteady(limit) ? "  (busy machine: measure again)" : "");
	row(task, with_unit, machine, ratio, target, note);
	missed += !ok;
}

int table_missed(void)
{
	return missed;
}
