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

void table_begin(void)
{
	printf("%-50s %20s %22s %8s %10s\n", "task", "figure", "this machine", "ratio", "target");
	printf("%-50s %20s %22s %8s %10s\n", "----", "------", "------------", "-----", "------");
}

void table_row(const struct row *r)
{
	char digits[32], figure[64], limit[64] = "", ratio[32] = "", target[64] = "";
	double judged = r->limit > 0 ? r->figure / r->limit : r->figure;
	bool ok = r->goal == NO_GOAL || (r->goal == AT_LEAST ? judged >= r->target : judged <= r->target);

	snprintf(figure, sizeof(figure), "%s %s", readable(r->figure, digits), r->unit);
	if (r->limit > 0) {
		snprintf(limit, sizeof(limit), "%s %s", readable(r->limit, digits), r->limit_unit);
		snprintf(ratio, sizeof(ratio), "%.2f", judged);
	}
	if (r->goal != NO_GOAL)
		snprintf(target, sizeof(target), "%s %s", r->goal == AT_LEAST ? ">=" : "<=", readable(r->target, digits));
	printf("%-50s %20s %22s %8s %10s%s\n", r->task, figure, limit, ratio, target, ok ? "" : "  MISSED");
	fflush(stdout);
	missed += !ok;
}

int table_missed(void)
{
	return missed;
}
