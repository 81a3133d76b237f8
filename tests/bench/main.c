/* One table: what vereda does in a second or a byte, beside what this machine could do at most. README says what each row
 * means to a user. Run from the top of the tree, after a build. */
#include <ftw.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "proto/err.h"
#include "proto/sign.h"

enum { BIG = 1000000, LARGE = 100000, SMALL = 1000, APART = 100 };

static char folder[] = "build/bench.XXXXXX";
static bool folder_made;

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

static void clean(void)
{
	daemons_end();
	if (folder_made)
		nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void interrupted(int signal)
{
	exit(128 + signal);
}

void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("bench: ", stderr);
	vfprintf(stderr, format, args);
	fputs("\n", stderr);
	va_end(args);
	exit(2);
}

void check(int rc, const char *what)
{
	if (rc)
		die("%s: %s", what, vd_err_name(rc));
}

static const char *path_of(const char *name)
{
	static char paths[8][256];
	static int next;
	char *p = paths[next++ % 8];

	snprintf(p, sizeof(paths[0]), "%s/%s", folder, name);
	return p;
}

/* ---- rows ---- */

static void machine(void)
{
	table_figure("Ed25519 signing, one core", sign_rate(), "/s");
	table_figure("Ed25519 verifying, one core", verify_rate(), "/s");
	table_figure("Ed25519 verifying, two cores", verify_rate_two(), "/s");
	table_figure("fsync", sync_rate(folder), "/s");
	table_figure("memory bandwidth", memory_rate() / 1e6, "MB/s");
}

/* Into a new store each time. Sets the limit and returns rows a second. */
static double load_once(const char *csv, const char *home, struct limit *sign)
{
	double start, elapsed;
	json_t *answer;

	*sign = (struct limit){.measure = sign_rate};
	world_found(home, NULL, 0);
	limit_take(sign);
	start = now_s();
	answer = VEREDA(home, "load", "message", csv, "--map", "text=text");
	elapsed = now_s() - start;
	limit_take(sign);
	if (number(answer, "new") != LARGE)
		die("load stored %.0f rows", number(answer, "new"));
	json_decref(answer);
	return LARGE / elapsed;
}

/* The one figure near its limit: where other work disturbed it, the best of three tells. */
static void load(void)
{
	const char *const homes[] = {path_of("load-1"), path_of("load-2"), path_of("load-3")};
	const char *csv = path_of("rows.csv");
	struct limit limit = {0}, sign;
	double best = 0, rate;

	world_csv(csv, LARGE);
	for (int i = 0; i < 3 && (i == 0 || limit_unsteady(&sign)); i++) {
		rate = load_once(csv, homes[i], &sign);
		if (i == 0 || rate / limit_mean(&sign) > best / limit_mean(&limit)) {
			best = rate;
			limit = sign;
		}
	}
	table_ratio("load 100,000 rows", best, "rows/s", &limit, "signatures/s", 0.6);
	disk_own(homes[0]);
}

/* The field gets what the hub has; by fewer authors than in bulk.c, so in longer chains. */
static void import(const char *hub, const char *field)
{
	struct limit verify = {.measure = verify_rate};
	const char *bundle = path_of("bundle");
	double rate;

	json_decref(VEREDA(hub, "export", bundle));
	rate = VEREDA_RATE(&verify, "new", LARGE, field, "import", bundle);
	table_ratio("import 100,000 records by 20 authors", rate, "records/s", &verify, "verifies/s", 2);
	unlink(bundle);
}

/* One sync with the daemon; the caller frees the answer. */
static json_t *sync_with(const struct daemon *d, const char *home)
{
	json_t *answer = VEREDA(home, "sync", d->address);

	if (!json_is_true(json_object_get(answer, "complete")))
		die("sync did not complete");
	return answer;
}

static double both_ways(const json_t *answer)
{
	return number(answer, "bytes_in") + number(answer, "bytes_out");
}

static void sync_equal(const struct daemon *d, const char *home, const char *task)
{
	json_t *answer = sync_with(d, home);

	if (number(answer, "sent") != 0 || number(answer, "received") != 0)
		die("sets that should be equal were not");
	table_at_most(task, both_ways(answer), "bytes", 1000);
	table_at_most("  round trips", number(answer, "round_trips"), "", 1);
	json_decref(answer);
}

/* ---- the large group: 100,000 in common, and TIMES times 100 scattered over time that only one of two has ---- */

/* Every so many records one is held back, in turns for each of the times; half of those end here, half there. */
enum { TIMES = 10, TOTAL = LARGE + TIMES * APART, STRIDE = TOTAL / (TIMES * APART) };

static size_t this_time;

static bool held_back(size_t i)
{
	return i % STRIDE == 0 && i / STRIDE < TIMES * APART;
}

static bool common(size_t i)
{
	return !held_back(i);
}

static bool held_now(size_t i)
{
	return held_back(i) && i / STRIDE % TIMES == this_time;
}

static bool only_hub(size_t i)
{
	return held_now(i) && i / STRIDE / TIMES % 2 == 0;
}

static bool only_field(size_t i)
{
	return held_now(i) && !only_hub(i);
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void sync_apart(const struct world *w, const char *hub, const char *field)
{
	double sum = 0, worst = 0, round_trips[TIMES];
	struct daemon d;
	json_t *answer;

	for (this_time = 0; this_time < TIMES; this_time++) {
		double beyond;

		world_merge(w, hub, only_hub);
		world_merge(w, field, only_field);
		daemon_start(&d, hub);
		answer = sync_with(&d, field);
		if (number(answer, "sent") != APART / 2 || number(answer, "received") != APART / 2)
			die("the sync moved %.0f and %.0f records", number(answer, "sent"), number(answer, "received"));
		beyond = both_ways(answer) - world_compact(w, only_hub) - world_compact(w, only_field);
		sum += beyond;
		worst = beyond > worst ? beyond : worst;
		round_trips[this_time] = number(answer, "round_trips");
		json_decref(answer);
		daemon_stop(&d);
	}
	table_at_most("sync, 100,000 common + 100 apart: beyond records", sum / TIMES, "bytes", 700 + 42 * APART);
	table_figure("  the most of ten times", worst, "bytes");
	qsort(round_trips, TIMES, sizeof(*round_trips), by_size);
	table_at_most("  round trips, nine of ten times", round_trips[TIMES - 2], "", 2);
}

/* A daemon with nothing takes in everything. */
static void sync_all(const struct world *w, const char *field, const char *late)
{
	struct limit verify = {.measure = verify_rate};
	double start, elapsed, sent, bytes;
	struct daemon d;
	json_t *answer;

	daemon_start(&d, late);
	limit_take(&verify);
	start = now_s();
	answer = sync_with(&d, field);
	elapsed = now_s() - start;
	limit_take(&verify);
	sent = number(answer, "sent");
	if (sent < LARGE)
		die("the sync moved %.0f records", sent);
	bytes = both_ways(answer);
	json_decref(answer);
	table_ratio("sync, 100,000 into an empty store", sent / elapsed, "records/s", &verify, "verifies/s", 0);
	table_at_most("  bytes beside those of the compact records", bytes / world_compact(w, common), "of that", 1.05);
	table_at_most("veredad after taking in 100,000: RssAnon", daemon_rss_anon(&d) / 1e6, "MB", 48);
	sync_equal(&d, field, "sync, equal sets of 100,000");
	daemon_stop(&d);
}

static void large(void)
{
	const char *hub = path_of("hub"), *field = path_of("field"), *late = path_of("late");
	const char *others[] = {field, late};
	struct world w;

	world_found(hub, others, 2);
	world_write(&w, hub, TOTAL, AUTHORS);
	world_merge(&w, hub, common);
	import(hub, field);
	sync_all(&w, field, late);
	sync_apart(&w, hub, field);
	world_free(&w);
}

static bool all(size_t i)
{
	(void)i;
	return true;
}

static void small(void)
{
	const char *hub = path_of("small-hub"), *field = path_of("small-field");
	struct daemon d;
	struct world w;

	world_found(hub, &field, 1);
	world_write(&w, hub, SMALL, AUTHORS);
	world_merge(&w, hub, all);
	daemon_start(&d, hub);
	json_decref(sync_with(&d, field));
	sync_equal(&d, field, "sync, equal sets of 1,000");
	daemon_stop(&d);
	world_free(&w);
}

/* ---- a sync of some thousands while a hundred connections flood ---- */

enum { COMMON = 30000, HONEST = 4000, TAKES = 5 };

/* Records a second that one device brings, the best of three: the machine may be busy with something else. */
static double sync_honest(const struct daemon *d, const char *csv, const char *field)
{
	double best = 0;

	for (int i = 0; i < TAKES; i++) {
		double start, rate;
		json_t *answer;

		json_decref(VEREDA(field, "load", "message", csv, "--map", "text=text", "--again"));
		start = now_s();
		answer = sync_with(d, field);
		rate = HONEST / (now_s() - start);
		if (number(answer, "sent") < HONEST)
			die("the sync moved %.0f records", number(answer, "sent"));
		json_decref(answer);
		best = rate > best ? rate : best;
	}
	return best;
}

static double alert_ms(const struct daemon *d, const char *field)
{
	double best = 0;

	for (int i = 0; i < TAKES; i++) {
		double start, ms;

		json_decref(VEREDA(field, "alert", "Trucks at the bridge", "--severity", "severe"));
		start = now_s();
		json_decref(sync_with(d, field));
		ms = (now_s() - start) * 1000;
		best = !i || ms < best ? ms : best;
	}
	return best;
}

/* The same syncs before the flood, under it and after it: the set grows with each, and the machine may be busy with something else. */
static void flooded(void)
{
	const char *hub = path_of("flooded-hub"), *field = path_of("flooded-field"), *csv = path_of("honest.csv");
	double alone, under, start, seconds;
	struct flood_count before;
	struct flood flood;
	struct daemon d;

	world_found(hub, &field, 1);
	flood_admit(hub);
	daemon_start(&d, hub);
	world_csv(csv, COMMON);
	json_decref(VEREDA(field, "load", "message", csv, "--map", "text=text"));
	json_decref(sync_with(&d, field));
	world_csv(csv, HONEST);
	alone = sync_honest(&d, csv, field);
	flood_start(&flood, d.address);
	start = now_s();
	while (flood.count->sessions < 10 || now_s() - start < 5) {
		if (now_s() - start > 60)
			die("the flood does not come up: %.0f sessions", flood.count->sessions);
		usleep(100000);
	}
	/* what the flooders wrote comes along once: each a signature to be checked, and no concern of the row */
	json_decref(sync_with(&d, field));
	before = *flood.count;
	start = now_s();
	under = sync_honest(&d, csv, field);
	seconds = now_s() - start;
	table_figure("a flood of 100 connections: knocks", (flood.count->calls - before.calls) / seconds, "/s");
	table_figure("  … and records pushed", (flood.count->records - before.records) / seconds, "/s");
	table_at_most("  an alert by sync meanwhile", alert_ms(&d, field), "ms", 1000);
	flood_stop(&flood);
	json_decref(sync_with(&d, field));
	alone = (alone + sync_honest(&d, csv, field)) / 2;
	daemon_stop(&d);
	table_figure("sync, 4,000 new records, no flood", alone, "records/s");
	table_at_least("  honest sync under a flood of 100 sessions", under / alone, "of that", 0.5);
}

/* `bench flood HOME ADDRESS`: a flood of the daemon there, until it is stopped. */
_Noreturn static void flood_until_stopped(const char *home, const char *address)
{
	struct flood flood;

	flood_admit(home);
	flood_start(&flood, address);
	for (;;) {
		sleep(1);
		printf("calls=%.0f sessions=%.0f records=%.0f questions=%.0f\n", flood.count->calls, flood.count->sessions,
		       flood.count->records, flood.count->questions);
		fflush(stdout);
	}
}

/* `bench flood`, `bench rest`, `bench sealed`, `bench thin` and `bench year` measure that alone; `bench apart N` what differs in sets of N; `bench bulk N` N records at once; `bench big` both of a
 * million. */
int main(int argc, char **argv)
{
	double start = now_s();
	bool only_flood = argc > 1 && !strcmp(argv[1], "flood");

	check(vd_sign_selftest(), "self-test");
	signal(SIGINT, interrupted);
	signal(SIGTERM, interrupted);
	signal(SIGPIPE, SIG_IGN);
	if (argc == 4 && only_flood)
		flood_until_stopped(argv[2], argv[3]);
	if (!mkdtemp(folder))
		die("%s: cannot be made", folder);
	folder_made = true;
	atexit(clean);
	table_begin();
	if (argc == 3 && !strcmp(argv[1], "apart")) {
		apart(strtoul(argv[2], NULL, 10));
		return table_missed() != 0;
	}
	if (argc == 2 && !strcmp(argv[1], "rest")) {
		at_rest(folder);
		return table_missed() != 0;
	}
	if (argc == 2 && !strcmp(argv[1], "load")) {
		load();
		return table_missed() != 0;
	}
	if (argc == 2 && !strcmp(argv[1], "thin")) {
		thin(folder);
		return table_missed() != 0;
	}
	if (argc == 2 && !strcmp(argv[1], "sealed")) {
		world_csv(path_of("rows.csv"), LARGE);
		sealed(folder, path_of("rows.csv"));
		return table_missed() != 0;
	}
	if (argc == 2 && !strcmp(argv[1], "year")) {
		disk_year(path_of("year"));
		return table_missed() != 0;
	}
	if (argc == 3 && !strcmp(argv[1], "bulk")) {
		machine();
		bulk(folder, strtoul(argv[2], NULL, 10));
		return table_missed() != 0;
	}
	if (argc == 2 && !strcmp(argv[1], "big")) {
		machine();
		bulk(folder, BIG);
		apart(BIG);
		printf("\n%d missed, %.0f s\n", table_missed(), now_s() - start);
		return table_missed() != 0;
	}
	if (!only_flood) {
		machine();
		micro();
		apart(LARGE);
		bulk(folder, LARGE);
		load();
		sealed(folder, path_of("rows.csv"));
		at_rest(folder);
		disk_year(path_of("year"));
		small();
		thin(folder);
	}
	flooded();
	if (!only_flood)
		large();
	printf("\n%d missed, %.0f s\n", table_missed(), now_s() - start);
	return table_missed() != 0;
}
