/* What records take on the disk, at once and after a year of days. */
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench.h"
#include "proto/compact.h"
#include "store/inside.h"

static double file_bytes(const char *home)
{
	char path[512];
	struct stat st;

	snprintf(path, sizeof(path), "%s/data.mdb", home);
	if (stat(path, &st))
		die("%s is not there", path);
	return (double)st.st_size;
}

/* ---- beside the compact form ---- */

struct summing {
	struct vd_compact stream;
	bool begun;
	struct vd_buf out;
	double records, bytes;
};

static int sum_one(void *ctx, uint64_t arrival, uint64_t received_ms, struct vd_slice raw)
{
	struct summing *s = ctx;
	struct vd_record r;

	(void)arrival;
	(void)received_ms;
	check(vd_record_view(raw, &r), "record");
	if (!s->begun)
		vd_compact_init(&s->stream, r.group);
	s->begun = true;
	vd_buf_reset(&s->out);
	check(vd_compact_encode(&s->stream, &r, &s->out), "compact form");
	s->records++;
	s->bytes += (double)s->out.n;
	return 0;
}

/* Microseconds for one, anywhere among them. Its run is opened for it. */
static double read_one_us(struct vd_store *store)
{
	enum { TIMES = 20000 };
	struct vd_buf raw = {0};
	struct vd_record r;
	uint64_t latest, x = 1;
	double start = now_s();

	check(vd_store_latest(store, &latest), "arrival");
	for (int i = 0; i < TIMES; i++) {
		x = x * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		check(vd_store_read(store, 1 + (x >> 16) % latest, &raw, &r, NULL), "record");
	}
	vd_buf_deinit(&raw);
	return (now_s() - start) / TIMES * 1e6;
}

/* Indexed, as it is once somebody looked at it. */
static struct vd_store *open_and_sum(const char *home, struct summing *s)
{
	struct vd_store *store;

	*s = (struct summing){.begun = false};
	check(vd_store_open(home, &store), home);
	check(vd_index_catch_up(store), "index");
	check(vd_store_walk(store, NULL, VD_ANY_LANE, 0, sum_one, s), "records");
	vd_compact_deinit(&s->stream);
	vd_buf_deinit(&s->out);
	return store;
}

void disk(const char *home, double written_bytes)
{
	struct summing s;
	struct vd_store *store = open_and_sum(home, &s);
	double one_us = read_one_us(store);

	vd_store_close(store);
	table_figure("a record of such a text: its compact form", s.bytes / s.records, "bytes");
	table_at_most("  on the disk, indexes and all: times its compact form", file_bytes(home) / s.bytes, "", 1.35);
	table_figure("  read one by one, anywhere among them", one_us, "us each");
	table_figure("  written to the disk by the import", written_bytes / s.records, "bytes");
}

void disk_own(const char *home)
{
	struct summing s;

	vd_store_close(open_and_sum(home, &s));
	table_at_most("  and on the disk: times their compact form", file_bytes(home) / s.bytes, "", 1.35);
}

/* ---- a year ---- */

enum { DAYS = 365, BROUGHT = 60, LASTS = 30 };

static size_t today;

static bool brought_today(size_t i)
{
	return i / BROUGHT == today;
}

/* The bodies that came LASTS days ago go, as those do that expire or are redacted. */
static void let_go(struct vd_store *store, const struct world *w, size_t day)
{
	struct vd_membership in[VD_STORE_GROUPS_MAX];
	struct vd_buf raw = {0};
	struct vd_write *write;
	size_t count;
	MDB_txn *txn;

	check(vd_db_read(store->db, &txn), "snapshot");
	check(vd_memberships(store, txn, in, &count), "groups");
	vd_db_done(store->db, txn);
	check(vd_write_begin(store, &write), "transaction");
	for (size_t i = day * BROUGHT; i < (day + 1) * BROUGHT; i++) {
		struct vd_record record, stub;
		struct vd_stored stored;
		struct vd_place place;
		uint64_t arrival;

		check(vd_record_decode(world_record(w, i), &record), "record");
		check(vd_store_find(store, &record.id, &arrival), "arrival");
		check(vd_stored_read(store, arrival, &raw, &stored), "stored record");
		check(vd_record_decode(vd_slice(record.raw.p, record.raw.n - record.body.n), &stub), "stub");
		place = vd_place_of(&stored);
		check(vd_write_again(write, &in[0], &place, &stub, VD_STORED_UNWANTED), "stub");
	}
	check(vd_write_commit(write), "commit");
	vd_buf_deinit(&raw);
}

static double pages_in_use(struct vd_store *store)
{
	double bytes = 0;
	MDB_txn *txn;

	check(vd_db_read(store->db, &txn), "snapshot");
	for (enum vd_table table = 0; table < VD_TABLES; table++) {
		MDB_stat stat;

		check(vd_db_err(mdb_stat(txn, vd_db_table(store->db, table), &stat)), "pages");
		bytes += (double)(stat.ms_branch_pages + stat.ms_leaf_pages + stat.ms_overflow_pages) * stat.ms_psize;
	}
	vd_db_done(store->db, txn);
	return bytes;
}

void disk_year(const char *home)
{
	struct vd_store *store;
	double used = 0;
	struct world w;

	world_found(home, NULL, 0);
	world_write(&w, home, (size_t)DAYS * BROUGHT, AUTHORS);
	for (today = 0; today < DAYS; today++) {
		world_merge(&w, home, brought_today);
		check(vd_store_open(home, &store), home);
		check(vd_index_catch_up(store), "index");
		if (today >= LASTS)
			let_go(store, &w, today - LASTS);
		used = pages_in_use(store);
		vd_store_close(store);
	}
	table_at_most("a year of days, bodies come and go: the file beside its pages in use", file_bytes(home) / used, "", 1.35);
	world_free(&w);
}
