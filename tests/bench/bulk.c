/* Many records at once: a full stick into an empty hub, with chains and without, out of it again, over a cable, and the hub's next start. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench.h"
#include "store/bundle.h"
#include "tests/faults/fail.h"

enum { BULK_AUTHORS = 100, SYNCED_MAX = 100000 };

static size_t synced;

static bool all(size_t i)
{
	(void)i;
	return true;
}

/* Every second record of each author is missing, so that no chain holds. */
static bool every_second(void *ctx, uint64_t arrival, const struct vd_record *record)
{
	(void)ctx;
	(void)arrival;
	return record->lane == VD_LANE_CONTROL || record->seq % 2;
}

static bool to_be_synced(void *ctx, uint64_t arrival, const struct vd_record *record)
{
	(void)ctx;
	(void)arrival;
	return record->lane == VD_LANE_CONTROL || record->seq <= synced / BULK_AUTHORS;
}

static void export_some(const char *home, const uint8_t id[VD_GROUP_BYTES],
                        bool (*want)(void *ctx, uint64_t arrival, const struct vd_record *), const char *path)
{
	const struct vd_bundle_choice choice = {.want = want};
	struct vd_bundle_stats stats;
	struct vd_store *store;
	struct vd_group *group;

	check(vd_store_open(home, &store), home);
	check(vd_store_group(store, id, &group), "group");
	check(vd_bundle_write(store, group, VD_SEALED_BUNDLE, &choice, path, false, &stats), path);
	vd_group_free(group);
	vd_store_close(store);
}

static void import_row(const char *what, const char *home, const char *bundle, size_t count, double at_least)
{
	struct limit verify = {.measure = verify_rate_two};
	double rate = VEREDA_RATE(&verify, "new", (double)count, home, "import", bundle);

	table_ratio(what, rate, "records/s", &verify, "verifies/s, 2 cores", at_least);
}

/* The hub has all of it, and got it in another order. Compared is what either costs a processor: who brings nothing new waits for no disk. */
static void again_row(const char *what, const char *hub, const char *bundle, double once)
{
	json_t *answer = VEREDA(hub, "import", bundle);

	if (number(answer, "new") > 0)
		die("the hub did not have all records");
	json_decref(answer);
	table_at_least(what, once / vereda_cpu(), "of its speed", 1);
}

static void export_row(const char *what, const char *home, const char *bundle, size_t count)
{
	struct limit verify = {.measure = verify_rate_two};
	double rate = VEREDA_RATE(&verify, "records", (double)count, home, "export", bundle);

	table_ratio(what, rate, "records/s", &verify, "verifies/s, 2 cores", 9);
}

/* A daemon with nothing takes in everything. */
static void first_sync_row(const char *what, const char *field, const char *late)
{
	struct limit verify = {.measure = verify_rate_two};
	double start, elapsed, sent;
	struct daemon d;
	json_t *answer;

	daemon_start(&d, late);
	limit_take(&verify);
	start = now_s();
	answer = VEREDA(field, "sync", d.address);
	elapsed = now_s() - start;
	limit_take(&verify);
	sent = number(answer, "sent");
	if (!json_is_true(json_object_get(answer, "complete")) || sent < (double)synced)
		die("the first sync moved %.0f records", sent);
	json_decref(answer);
	table_ratio(what, sent / elapsed, "records/s", &verify, "verifies/s, 2 cores", 1.8);
	daemon_stop(&d);
}

static void start_row(const char *what, const char *home)
{
	double start = now_s();
	struct daemon d;

	daemon_start(&d, home);
	table_at_most(what, now_s() - start, "s", 1);
	table_at_most("  its RssAnon", daemon_rss_anon(&d) / 1e6, "MB", 48);
	daemon_stop(&d);
}

/* One record added by the command line; LMDB writes its last page through a descriptor that needs no call to be durable. */
static void durable_row(const char *home, const char *area)
{
	struct fault *fault;
	int fd = open(area, O_CREAT | O_RDWR | O_TRUNC, 0600);

	if (fd < 0 || ftruncate(fd, sizeof(*fault)))
		die("%s: cannot be made", area);
	fault = mmap(NULL, sizeof(*fault), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (fault == MAP_FAILED)
		die("memory refused");
	setenv(FAULT_AREA, area, 1);
	preload("build/tests/faults/fail.so");
	json_decref(VEREDA(home, "add", "message", "text=The guard changed at dusk"));
	preload(NULL);
	unsetenv(FAULT_AREA);
	table_at_most("one record added: fsyncs", (double)fault->seen[FAULT_SYNC] + 1, "", 3);
	munmap(fault, sizeof(*fault));
	unlink(area);
}

/* What indexes readable content follows the records when somebody looks, or veredad has time; whoever else looks first waits for it. */
static void index_row(const char *what, const char *home, size_t count)
{
	double start = now_s();

	json_decref(VEREDA(home, "list", "--limit", "1"));
	table_figure(what, (double)count / (now_s() - start), "records/s");
}

static const char *named(const char *format, size_t n, char out[96])
{
	char digits[32];

	if (n >= 1000000)
		snprintf(digits, sizeof(digits), "%zu,%03zu,%03zu", n / 1000000, n / 1000 % 1000, n % 1000);
	else
		snprintf(digits, sizeof(digits), "%zu,%03zu", n / 1000, n % 1000);
	snprintf(out, 96, format, digits);
	return out;
}

void bulk(const char *folder, size_t count)
{
	double once;
	char hub[256], chained[256], alone[256], field[256], late[256], guest[256], bundle[256], half[256], area[256], what[96];
	const char *const others[] = {chained, alone, field, late, guest};
	uint8_t id[VD_GROUP_BYTES];
	struct world w;

	snprintf(hub, sizeof(hub), "%s/bulk-hub", folder);
	snprintf(chained, sizeof(chained), "%s/bulk-chained", folder);
	snprintf(alone, sizeof(alone), "%s/bulk-alone", folder);
	snprintf(field, sizeof(field), "%s/bulk-field", folder);
	snprintf(late, sizeof(late), "%s/bulk-late", folder);
	snprintf(guest, sizeof(guest), "%s/bulk-guest", folder);
	snprintf(bundle, sizeof(bundle), "%s/bulk.bundle", folder);
	snprintf(half, sizeof(half), "%s/bulk-half.bundle", folder);
	snprintf(area, sizeof(area), "%s/faults", folder);
	world_found(hub, others, 5);
	world_write(&w, hub, count, BULK_AUTHORS);
	world_merge(&w, hub, all);
	synced = count < SYNCED_MAX ? count : SYNCED_MAX;
	memcpy(id, w.group, sizeof(id));
	world_free(&w);
	export_some(hub, id, to_be_synced, bundle);
	json_decref(VEREDA(field, "import", bundle));
	unlink(bundle);
	export_some(hub, id, every_second, half);

	index_row(named("  indexing %s that came, once", count, what), hub, count);
	export_row(named("export %s records", count, what), hub, bundle, count);
	import_row(named("import %s records by 100 authors", count, what), chained, bundle, count, 3.5);
	once = vereda_cpu();
	disk(chained, vereda_wrote());
	again_row("  the same again, where nothing of it is new: CPU", hub, bundle, once);
	unlink(bundle);
	import_row(named("  of them each second: no chain holds", count, what), alone, half, count / 2, 0.85);
	unlink(half);
	first_sync_row(named("first sync, %s into an empty store", synced, what), field, late);
	sticks(folder, hub, guest, count);
	start_row(named("veredad's start with %s records", count, what), chained);
	durable_row(chained, area);
}
