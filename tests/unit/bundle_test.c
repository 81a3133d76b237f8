#include "mesh_fixture.h"

#include <fcntl.h>
#include <sys/stat.h>


static void export(struct person *p, const char *path, struct vd_bundle_stats *stats)
{
	const struct vd_bundle_choice all = { 0 };

	assert_int_equal(vd_bundle_write(p->store, p->group, VD_SEALED_BUNDLE, &all, path, true, stats), 0);
}

/* A hub and two members with records in every lane, and a bundle of all of it: three chunks. */
struct cast {
	struct mesh mesh;
	struct person hub, ana, luz;
	char bundle[256];
	struct vd_bundle_stats written;
	struct vd_buf file;
};

static void import_ok(struct person *p, const char *path)
{
	struct vd_bundle_stats stats;

	assert_int_equal(vd_bundle_merge(p->store, path, false, NULL, &stats), 0);
}

static int setup(void **state)
{
	struct cast *c = calloc(1, sizeof(*c));

	mesh_of_three(&c->mesh, &c->hub, &c->ana, &c->luz);
	person_write(&c->ana, VD_LANE_NORMAL, 30, 300);
	person_write(&c->ana, VD_LANE_URGENT, 5, 50);
	person_write(&c->ana, VD_LANE_BULK, 1, 60000);
	person_write(&c->hub, VD_LANE_NORMAL, 40, 200);
	person_write(&c->hub, VD_LANE_URGENT, 3, 10);
	person_write(&c->ana, VD_LANE_NORMAL, 10, 9000);
	snprintf(c->bundle, sizeof(c->bundle), "%s/out.vb", c->mesh.top);
	export(&c->ana, c->bundle, &c->written);
	import_ok(&c->hub, c->bundle);
	export(&c->hub, c->bundle, &c->written);
	file_get(c->bundle, &c->file);
	*state = c;
	return 0;
}

static int teardown(void **state)
{
	struct cast *c = *state;

	mesh_end_three(&c->mesh, &c->hub, &c->ana, &c->luz);
	vd_buf_deinit(&c->file);
	free(c);
	return 0;
}

/* A member who has nothing yet but the control records. */
static void fresh(struct cast *c, struct person *p)
{
	mesh_add_person(&c->mesh, &c->hub, p);
	export(&c->hub, c->bundle, &c->written);
	file_get(c->bundle, &c->file);
}

static void test_bundle__everything_arrives_once(void **state)
{
	struct cast *c = *state;
	struct vd_bundle_stats stats;
	struct vd_arrivals arrivals = { 0 };
	struct vd_buf list = { 0 };
	uint64_t before, latest;
	struct person p;

	fresh(c, &p);
	before = person_records(&p);
	assert_int_equal(c->written.records, person_records(&c->hub));
	assert_int_equal(c->written.bytes, c->file.n);
	assert_int_equal(vd_bundle_merge(p.store, c->bundle, false, &arrivals, &stats), 0);
	assert_int_equal(stats.records, c->written.records);
	assert_int_equal(stats.bytes, c->file.n);
	assert_int_equal(stats.chunks_ok, 3);
	assert_int_equal(stats.merge.fresh, c->written.records - before);
	assert_int_equal(stats.merge.known, before);
	assert_int_equal(stats.merge.refused + stats.merge.pooled, 0);
	assert_true(mesh_equal(&c->mesh, &p, &c->hub));
	assert_int_equal(vd_store_latest(p.store, &latest), 0);
	assert_int_equal(vd_arrivals_next_lacking(&arrivals, 0, latest), 0);
	assert_int_equal(vd_arrivals_encode(&arrivals, &list), 0);
	assert_int_equal(list.n, latest);

	assert_int_equal(vd_bundle_merge(p.store, c->bundle, false, NULL, &stats), 0);
	assert_int_equal(stats.merge.fresh, 0);
	assert_int_equal(stats.merge.known, c->written.records);
	vd_arrivals_deinit(&arrivals);
	vd_buf_deinit(&list);
	person_leave(&p);
}

struct watched {
	uint64_t done, all, records, times;
};

static void watch_it(void *ctx, uint64_t done, uint64_t all, uint64_t records)
{
	struct watched *w = ctx;

	assert_true(done >= w->done && done < all && records >= w->records && (!w->all || all == w->all));
	*w = (struct watched){ done, all, records, w->times + 1 };
}

static void test_bundle__somebody_looks_on(void **state)
{
	struct cast *c = *state;
	struct watched watched = { 0 };
	const struct vd_bundle_watch watch = { watch_it, &watched };
	struct vd_bundle_groups groups;
	struct vd_bundle_stats stats;
	struct person p;

	fresh(c, &p);
	assert_int_equal(vd_bundle_groups_load(p.store, &groups), 0);
	groups.watch = &watch;
	assert_int_equal(vd_bundle_merge_into(p.store, &groups, c->bundle, false, NULL, NULL, &stats), 0);
	vd_bundle_groups_free(&groups);
	assert_int_equal(watched.times, stats.chunks_ok);
	assert_int_equal(watched.all, c->file.n);
	assert_true(watched.records > 0 && watched.records < stats.records);
	person_leave(&p);
}

static struct vd_unsealer *unseal(struct cast *c)
{
	const struct vd_opener with = {
		.links = vd_group_epoch_keys(c->hub.group, 0)->key[VD_KEY_LINK], .link_count = 1,
	};
	struct vd_unsealer *u;

	assert_int_equal(vd_unsealer_new(vd_slice(c->file.p, VD_HEAD_BYTES), vd_slice(NULL, 0), &with, &u), 0);
	return u;
}

/* Lane after lane; in a lane each author's records together and ascending; authors in the order of their grants. */
static void test_bundle__order(void **state)
{
	struct cast *c = *state;
	struct vd_unsealer *u = unseal(c);
	static uint8_t plain[VD_CHUNK_PLAIN];
	uint8_t seen[VD_LANES][8][VD_KEY_BYTES];
	size_t authors[VD_LANES] = { 0 }, records = 0;
	struct vd_record last = { 0 };
	struct vd_compact stream;
	struct vd_buf raw = { 0 };
	bool is_last = false;

	vd_compact_init(&stream, c->mesh.group);
	for (uint64_t i = 0; !is_last; i++) {
		struct vd_rd r = vd_rd(vd_slice(plain, sizeof(plain)));
		struct vd_slice bytes;
		struct vd_record now;
		uint8_t type;

		assert_int_equal(vd_unsealer_chunk(u, i, c->file.p + VD_HEAD_BYTES + i * VD_CHUNK_BYTES, plain, &is_last), 0);
		while (vd_chunk_entry(&r, &type, &bytes) == 0) {
			/* each chunk says anew whose they are, and starts from nothing */
			assert_true(bytes.p != plain + 4 || type == (i ? VD_ENTRY_GROUP : VD_ENTRY_MANIFEST));
			vd_chunk_stream(&stream, type, bytes);
			if (type != VD_ENTRY_RECORD)
				continue;
			vd_buf_reset(&raw);
			assert_int_equal(vd_compact_decode(&stream, bytes, &raw, &now), 0);
			assert_true(now.lane >= last.lane);
			if (records && now.lane == last.lane && memcmp(now.author, last.author, VD_KEY_BYTES) == 0) {
				assert_int_equal(now.seq, last.seq + 1);
			} else {
				for (size_t k = 0; k < authors[now.lane]; k++)
					assert_memory_not_equal(seen[now.lane][k], now.author, VD_KEY_BYTES);
				memcpy(seen[now.lane][authors[now.lane]++], now.author, VD_KEY_BYTES);
				assert_int_equal(now.seq, 1);
			}
			last = now;
			records++;
		}
	}
	assert_int_equal(records, c->written.records);
	assert_int_equal(authors[VD_LANE_NORMAL], 2);
	assert_memory_equal(seen[VD_LANE_NORMAL][0], vd_group_identity(c->hub.group)->author, VD_KEY_BYTES);
	vd_compact_deinit(&stream);
	vd_buf_deinit(&raw);
	vd_unsealer_free(u);
}

static void test_bundle__flipped_byte_costs_its_chunk_alone(void **state)
{
	struct cast *c = *state;
	char *path = mesh_path(&c->mesh, "flipped.vb");
	struct person p;
	size_t at[9];

	fresh(c, &p);
	at[0] = 3;                                     /* the first salt */
	at[1] = VD_SALT_BYTES + 5 * VD_SLOT_BYTES;     /* a slot */
	at[2] = VD_HEAD_BYTES;                         /* chunk 0 */
	at[3] = VD_HEAD_BYTES + VD_CHUNK_BYTES - 1;
	at[4] = VD_HEAD_BYTES + VD_CHUNK_BYTES;        /* chunk 1 */
	at[5] = VD_HEAD_BYTES + 2 * VD_CHUNK_BYTES + 9;/* chunk 2 */
	at[6] = c->file.n - VD_HEAD_BYTES;             /* the last salt */
	at[7] = c->file.n - 1;
	at[8] = c->file.n / 2;
	for (size_t i = 0; i < sizeof(at) / sizeof(*at); i++) {
		bool in_head = at[i] < VD_HEAD_BYTES || at[i] >= c->file.n - VD_HEAD_BYTES;
		struct vd_bundle_stats stats;

		c->file.p[at[i]] ^= 0x20;
		file_put(path, vd_buf_slice(&c->file));
		c->file.p[at[i]] ^= 0x20;
		assert_int_equal(vd_bundle_merge(p.store, path, false, NULL, &stats), VD_EDAMAGED);
		assert_int_equal(stats.chunks_ok, in_head ? 3 : 2);
		assert_int_equal(stats.chunks_bad, in_head ? 0 : 1);
		assert_int_equal(stats.bytes_bad, in_head ? 0 : VD_CHUNK_BYTES);
		assert_int_equal(stats.head_bad, in_head);
		assert_false(stats.torn);
		/* Everything whole was kept. */
		assert_int_equal(stats.merge.fresh + stats.merge.known, stats.records);
		assert_true(in_head ? stats.records == c->written.records : stats.records < c->written.records && stats.records > 0);
	}
	import_ok(&p, c->bundle);
	assert_true(mesh_equal(&c->mesh, &p, &c->hub));
	person_leave(&p);
}

static void test_bundle__only_the_last_head_is_left(void **state)
{
	struct cast *c = *state;
	char *path = mesh_path(&c->mesh, "headless.vb");
	struct vd_bundle_stats stats;
	struct person p;

	fresh(c, &p);
	memset(c->file.p, 0, VD_HEAD_BYTES);
	file_put(path, vd_buf_slice(&c->file));
	assert_int_equal(vd_bundle_merge(p.store, path, false, NULL, &stats), VD_EDAMAGED);
	assert_true(stats.head_bad && stats.chunks_bad == 0);
	assert_true(mesh_equal(&c->mesh, &p, &c->hub));
	person_leave(&p);
}

static void test_bundle__torn_gives_its_whole_chunks(void **state)
{
	struct cast *c = *state;
	char *path = mesh_path(&c->mesh, "torn.vb");
	const size_t edges[] = { 0, VD_HEAD_BYTES, VD_HEAD_BYTES + VD_CHUNK_BYTES, VD_HEAD_BYTES + 2 * VD_CHUNK_BYTES,
	                         2 * VD_HEAD_BYTES + 1 * VD_CHUNK_BYTES, 2 * VD_HEAD_BYTES + 2 * VD_CHUNK_BYTES };
	struct vd_bundle_stats stats;
	struct person p;
	uint64_t before;

	fresh(c, &p);
	before = person_records(&p);
	for (size_t i = 0; i < 3 * sizeof(edges) / sizeof(*edges); i++) {
		size_t n = edges[i / 3] + i % 3 - (i > 0);
		int rc;

		file_put(path, vd_slice(c->file.p, n));
		rc = vd_bundle_merge(p.store, path, false, NULL, &stats);
		assert_int_equal(rc, n < VD_HEAD_BYTES ? VD_EFORMAT : VD_ETORN);
		assert_int_equal(stats.chunks_ok, n < VD_HEAD_BYTES ? 0 : (n - VD_HEAD_BYTES) / VD_CHUNK_BYTES);
		assert_int_equal(stats.chunks_bad, 0);
		if (stats.chunks_ok == 0)
			assert_int_equal(person_records(&p), before);
	}
	/* All but one byte: every record is there, and still it is torn. */
	file_put(path, vd_slice(c->file.p, c->file.n - 1));
	assert_int_equal(vd_bundle_merge(p.store, path, false, NULL, &stats), VD_ETORN);
	assert_true(stats.torn && stats.records == c->written.records);
	import_ok(&p, c->bundle);
	assert_true(mesh_equal(&c->mesh, &p, &c->hub));
	person_leave(&p);
}

static void test_bundle__torn_then_completed(void **state)
{
	struct cast *c = *state;
	char *path = mesh_path(&c->mesh, "half.vb");
	struct vd_bundle_stats stats;
	struct person p;

	fresh(c, &p);
	file_put(path, vd_slice(c->file.p, VD_HEAD_BYTES + VD_CHUNK_BYTES + 777));
	assert_int_equal(vd_bundle_merge(p.store, path, false, NULL, &stats), VD_ETORN);
	assert_true(stats.merge.fresh > 0);
	assert_false(mesh_equal(&c->mesh, &p, &c->hub));
	import_ok(&p, c->bundle);
	assert_true(mesh_equal(&c->mesh, &p, &c->hub));
	person_leave(&p);
}

static void test_bundle__something_behind_the_end(void **state)
{
	struct cast *c = *state;
	char *path = mesh_path(&c->mesh, "longer.vb");
	struct vd_bundle_stats stats;
	struct person p;

	fresh(c, &p);
	for (size_t more = 1; more <= 2 * VD_CHUNK_BYTES; more += VD_CHUNK_BYTES - 1) {
		struct vd_buf longer = { 0 };

		vd_buf_put_slice(&longer, vd_buf_slice(&c->file));
		memset(vd_buf_extend(&longer, more), 'z', more);
		file_put(path, vd_buf_slice(&longer));
		vd_buf_deinit(&longer);
		assert_int_equal(vd_bundle_merge(p.store, path, false, NULL, &stats), VD_EDAMAGED);
		assert_int_equal(stats.chunks_ok, 3);
		assert_int_equal(stats.records, c->written.records);
		assert_true(stats.head_bad && !stats.torn);
	}
	person_leave(&p);
}

static void test_bundle__not_ours_changes_nothing(void **state)
{
	struct cast *c = *state;
	char *path = mesh_path(&c->mesh, "not_ours.vb");
	struct vd_bundle_stats stats;
	struct vd_buf noise = { 0 };
	struct mesh other;
	struct person stranger;
	uint64_t before;

	mesh_start(&other, &stranger);
	before = person_records(&stranger);
	assert_int_equal(vd_bundle_merge(stranger.store, c->bundle, false, NULL, &stats), VD_EKEY);
	randombytes_buf(vd_buf_extend(&noise, 200000), 200000);
	file_put(path, vd_buf_slice(&noise));
	assert_int_equal(vd_bundle_merge(stranger.store, path, false, NULL, &stats), VD_EKEY);
	file_put(path, vd_slice(NULL, 0));
	assert_int_equal(vd_bundle_merge(stranger.store, path, false, NULL, &stats), VD_EFORMAT);
	file_put(path, vd_slice_str("text"));
	assert_int_equal(vd_bundle_merge(stranger.store, path, false, NULL, &stats), VD_EFORMAT);
	assert_int_equal(vd_bundle_merge(stranger.store, mesh_path(&c->mesh, "none"), false, NULL, &stats), VD_ENOTFOUND);
	assert_int_equal(vd_bundle_merge(stranger.store, c->mesh.top, false, NULL, &stats), VD_EINVAL);
	assert_int_equal(person_records(&stranger), before);
	vd_buf_deinit(&noise);
	person_leave(&stranger);
	mesh_end(&other);
}

static void test_bundle__dry_run_stores_nothing(void **state)
{
	struct cast *c = *state;
	struct vd_bundle_stats dry, real;
	struct person p;
	uint64_t before;

	fresh(c, &p);
	before = person_records(&p);
	assert_int_equal(vd_bundle_merge(p.store, c->bundle, true, NULL, &dry), 0);
	assert_int_equal(person_records(&p), before);
	assert_int_equal(vd_bundle_merge(p.store, c->bundle, false, NULL, &real), 0);
	assert_int_equal(dry.merge.fresh, real.merge.fresh);
	assert_int_equal(dry.merge.known, real.merge.known);
	assert_int_equal(vd_bundle_merge(p.store, c->bundle, true, NULL, &dry), 0);
	assert_int_equal(dry.merge.fresh, 0);
	person_leave(&p);
}

static void test_bundle__from_standard_input(void **state)
{
	struct cast *c = *state;
	struct vd_bundle_stats stats;
	int saved = dup(STDIN_FILENO), fd = open(c->bundle, O_RDONLY);
	struct person p;

	fresh(c, &p);
	close(fd);
	fd = open(c->bundle, O_RDONLY);
	dup2(fd, STDIN_FILENO);
	assert_int_equal(vd_bundle_merge(p.store, "-", false, NULL, &stats), 0);
	dup2(saved, STDIN_FILENO);
	close(saved);
	close(fd);
	assert_true(mesh_equal(&c->mesh, &p, &c->hub));
	person_leave(&p);
}

/* 2,049 records: the last of the first batch has a bad signature, the first of the second vouches for it. */
static void test_bundle__successor_in_a_later_batch_vouches(void **state)
{
	struct cast *c = *state;
	struct person p;
	const struct vd_identity *ana = vd_group_identity(c->ana.group);
	char *path = mesh_path(&c->mesh, "vouched.vb");
	struct vd_manifest manifest = { .what = VD_SEALED_BUNDLE, .records = VD_BATCH_RECORDS + 1 };
	struct vd_recipient to = { .how = VD_FOR_LINK };
	uint8_t seed[VD_SEAL_SEED_BYTES] = { 1 };
	struct vd_record_fields fields = { .lane = VD_LANE_BULK, .time_ms = MESH_NOW };
	struct vd_buf raw = { 0 }, file = { 0 };
	struct vd_bundle_stats stats;
	struct vd_seal_plan plan;
	struct vd_compact stream;
	struct vd_sealer *s = NULL;
	struct vd_record record;

	fresh(c, &p);
	memcpy(fields.group, c->mesh.group, VD_GROUP_BYTES);
	memcpy(fields.author, ana->author, VD_KEY_BYTES);
	memcpy(to.link, vd_group_epoch_keys(c->hub.group, 0)->key[VD_KEY_LINK], VD_KEY_BYTES);
	memcpy(manifest.group, c->mesh.group, VD_GROUP_BYTES);
	for (int pass = 0; pass < 2; pass++) {
		if (pass == 0) {
			vd_seal_plan_start(&plan, manifest.what);
		} else {
			manifest.chunks = vd_seal_plan_chunks(&plan);
			assert_int_equal(vd_sealer_new(&manifest, &to, 1, seed, &s), 0);
		}
		fields.has_prev = false;
		vd_compact_init(&stream, c->mesh.group);
		for (uint64_t i = 1; i <= VD_BATCH_RECORDS + 1; i++) {
			fields.seq = i;
			vd_buf_reset(&raw);
			assert_int_equal(vd_record_create(&fields, vd_slice_str("sealed elsewhere"), ana->author_secret, &raw, &fields.prev), 0);
			assert_int_equal(vd_record_decode(vd_buf_slice(&raw), &record), 0);
			if (i == VD_BATCH_RECORDS) {
				raw.p[record.header.n + 40] ^= 1;
				assert_int_equal(vd_record_decode(vd_buf_slice(&raw), &record), 0);
				fields.prev = record.id;
			}
			fields.has_prev = true;
			if (pass == 0)
				assert_int_equal(vd_seal_plan_record(&plan, &stream, &record), 0);
			else
				assert_int_equal(vd_sealer_record(s, &record, &file), 0);
		}
		vd_compact_deinit(&stream);
	}
	assert_int_equal(vd_sealer_finish(s, &file), 0);
	file_put(path, vd_buf_slice(&file));
	assert_int_equal(vd_bundle_merge(p.store, path, false, NULL, &stats), 0);
	assert_int_equal(stats.merge.fresh, VD_BATCH_RECORDS + 1);
	assert_int_equal(stats.merge.refused, 0);
	assert_int_equal(vd_bundle_merge(p.store, path, false, NULL, &stats), 0);
	assert_int_equal(stats.merge.known, VD_BATCH_RECORDS + 1);
	vd_sealer_free(s);
	vd_buf_deinit(&raw);
	vd_buf_deinit(&file);
	person_leave(&p);
}

/* What is no compact record costs itself; and a chunk of the shortest there are comes back, though as records they are three times as long. */
static void test_bundle__malformed_records_cost_themselves(void **state)
{
	enum { SHORT = 900 };
	struct cast *c = *state;
	const struct vd_identity *ana = vd_group_identity(c->ana.group);
	struct vd_record_fields fields = { .lane = VD_LANE_NORMAL, .seq = 9000, .time_ms = 1700000000000 };
	struct vd_manifest manifest = { .what = VD_SEALED_BUNDLE, .chunks = 1, .records = SHORT + 5 };
	const uint8_t seed[VD_SEAL_SEED_BYTES] = { 19 };
	uint8_t form[1 + VD_KEY_BYTES + 2 + VD_SIGNATURE_BYTES] = { 0x10 | VD_LANE_NORMAL };
	struct vd_recipient to = { .how = VD_FOR_LINK };
	struct vd_buf raw = { 0 }, whole = { 0 }, file = { 0 };
	struct vd_bundle_stats stats;
	struct vd_sealer *s;
	struct vd_id id;
	uint64_t before;
	struct person p;
	char *path = mesh_path(&c->mesh, "short.vb");

	fresh(c, &p);
	memcpy(fields.group, c->mesh.group, VD_GROUP_BYTES);
	memcpy(fields.author, ana->author, VD_KEY_BYTES);
	memcpy(to.link, vd_group_epoch_keys(c->hub.group, 0)->key[VD_KEY_LINK], VD_KEY_BYTES);
	memcpy(manifest.group, c->mesh.group, VD_GROUP_BYTES);
	memcpy(form + 1, ana->author, VD_KEY_BYTES);
	form[1 + VD_KEY_BYTES] = 100;
	assert_int_equal(vd_sealer_new(&manifest, &to, 1, seed, &s), 0);
	assert_int_equal(vd_sealer_entry(s, VD_ENTRY_RECORD, vd_slice("\xff", 1), &file), 0);
	assert_int_equal(vd_sealer_entry(s, VD_ENTRY_RECORD, vd_slice(NULL, 0), &file), 0);
	assert_int_equal(vd_sealer_entry(s, VD_ENTRY_RECORD, vd_slice("\x0c\x9b", 2), &file), 0);
	assert_int_equal(vd_sealer_entry(s, VD_ENTRY_RECORD, vd_slice(form, sizeof(form)), &file), 0);
	for (int i = 0; i < SHORT; i++) {
		/* the author's first, the last one's successor, the same time */
		uint8_t next[3 + VD_SIGNATURE_BYTES] = { 0x08 | VD_LANE_NORMAL, 0, 0, 7 };

		assert_int_equal(vd_sealer_entry(s, VD_ENTRY_RECORD, vd_slice(next, sizeof(next)), &file), 0);
	}
	assert_int_equal(vd_record_create(&fields, vd_slice_str("sound"), ana->author_secret, &raw, &id), 0);
	vd_compact_put_whole(vd_buf_slice(&raw), &whole);
	assert_int_equal(vd_sealer_entry(s, VD_ENTRY_RECORD, vd_buf_slice(&whole), &file), 0);
	assert_int_equal(vd_sealer_finish(s, &file), 0);
	file_put(path, vd_buf_slice(&file));
	/* However many there are that a successor might vouch for: who only asks stores none. */
	before = person_records(&p);
	assert_int_equal(vd_bundle_merge(p.store, path, true, NULL, &stats), 0);
	assert_int_equal(person_records(&p), before);
	assert_int_equal(vd_bundle_merge(p.store, path, false, NULL, &stats), 0);
	assert_int_equal(stats.records, SHORT + 5);
	assert_int_equal(stats.merge.fresh, 1);
	assert_int_equal(stats.merge.refused, SHORT + 4);
	assert_int_equal(stats.merge.refused_why[-VD_EFORMAT], 3);
	assert_int_equal(stats.merge.refused_why[-VD_ESIGNATURE], SHORT + 1);
	vd_sealer_free(s);
	vd_buf_deinit(&whole);
	vd_buf_deinit(&raw);
	vd_buf_deinit(&file);
	person_leave(&p);
}

static bool urgent(void *ctx, uint64_t arrival, const struct vd_record *record)
{
	(void)ctx, (void)arrival;
	return record->lane == VD_LANE_URGENT;
}

static void test_bundle__choice(void **state)
{
	struct cast *c = *state;
	char *path = mesh_path(&c->mesh, "some.vb");
	struct vd_arrivals written = { 0 };
	const uint64_t numbers[] = { 1, 2, 100000 };
	struct vd_bundle_choice choice = { .want = urgent, .written = &written };
	struct vd_bundle_stats stats;
	size_t count = 0;

	assert_int_equal(vd_bundle_write(c->hub.store, c->hub.group, VD_SEALED_BUNDLE, &choice, path, false, &stats), 0);
	assert_int_equal(stats.records, 8);
	for (uint64_t i = 1; i < 1000; i++)
		count += vd_arrivals_whole(&written, i);
	assert_int_equal(count, 8);
	vd_arrivals_deinit(&written);

	/* A number without a record is passed over. */
	choice = (struct vd_bundle_choice){ .arrivals = numbers, .count = 3 };
	assert_int_equal(vd_bundle_write(c->hub.store, c->hub.group, VD_SEALED_SEGMENT, &choice, path, false, &stats), 0);
	assert_int_equal(stats.records, 2);
	choice.count = 0;
	unlink(path);
	assert_int_equal(vd_bundle_write(c->hub.store, c->hub.group, VD_SEALED_SEGMENT, &choice, path, false, &stats), VD_ENOTFOUND);
	assert_int_equal(access(path, F_OK), -1);
}

static void test_bundle__bound_keeps_the_most_urgent(void **state)
{
	struct cast *c = *state;
	char *path = mesh_path(&c->mesh, "small.vb");
	struct vd_arrivals written = { 0 };
	struct vd_bundle_choice choice = { .written = &written };
	struct vd_bundle_stats stats;
	struct vd_buf raw = { 0 };
	struct vd_record record;
	uint64_t latest, received;
	uint8_t lowest_left = VD_LANES, highest_in = 0;

	choice.max_bytes = vd_sealed_bytes(1) - 1;
	assert_int_equal(vd_bundle_write(c->hub.store, c->hub.group, VD_SEALED_SEGMENT, &choice, path, false, &stats), VD_ENOSPACE);
	choice.max_bytes = vd_sealed_bytes(2) - 1;
	assert_int_equal(vd_bundle_write(c->hub.store, c->hub.group, VD_SEALED_SEGMENT, &choice, path, false, &stats), 0);
	assert_int_equal(stats.bytes, vd_sealed_bytes(1));
	assert_true(stats.records > 0 && stats.left > 0);
	assert_int_equal(stats.records + stats.left, person_records(&c->hub));
	assert_int_equal(vd_store_latest(c->hub.store, &latest), 0);
	for (uint64_t i = 1; i <= latest; i++) {
		assert_int_equal(vd_store_read(c->hub.store, i, &raw, &record, &received), 0);
		if (vd_arrivals_held(&written, i))
			highest_in = record.lane > highest_in ? record.lane : highest_in;
		else
			lowest_left = record.lane < lowest_left ? record.lane : lowest_left;
	}
	assert_true(highest_in <= lowest_left);
	vd_arrivals_deinit(&written);
	vd_buf_deinit(&raw);
}

struct heard {
	uint8_t damaged[VD_SEGMENT_ID_BYTES], replaced[VD_SEGMENT_ID_BYTES];
	int count[2];
};

static void hear(void *ctx, enum vd_entry_type type, const uint8_t id[VD_SEGMENT_ID_BYTES])
{
	struct heard *h = ctx;

	memcpy(type == VD_ENTRY_DAMAGED ? h->damaged : h->replaced, id, VD_SEGMENT_ID_BYTES);
	h->count[type == VD_ENTRY_REPLACED]++;
}

static struct heard names_in(struct cast *c, const char *path)
{
	struct heard heard = { .count = { 0 } };
	const struct vd_bundle_notices notices = { .take = hear, .ctx = &heard };
	struct vd_bundle_groups groups;
	struct vd_bundle_stats stats;
	struct vd_bundle_key key = { .place = 9 };

	assert_int_equal(vd_bundle_groups_load(c->hub.store, &groups), 0);
	assert_int_equal(vd_bundle_merge_into(c->hub.store, &groups, path, true, NULL, &notices, &stats), 0);
	assert_int_equal(vd_bundle_whose(c->hub.store, &groups, path, &key), 0);
	assert_true(key.place == 0 && key.by_link);
	assert_memory_equal(key.epoch, vd_group_epoch_id(groups.group[0], 0), VD_EPOCH_BYTES);
	assert_memory_equal(&stats.key, &key, sizeof(key));
	assert_ptr_equal(stats.group, groups.group[0]);
	vd_bundle_groups_free(&groups);
	return heard;
}

/* That another segment is damaged can be said at once; that it was replaced only with the last record. */
static void test_bundle__names_of_other_segments(void **state)
{
	struct cast *c = *state;
	char *path = mesh_path(&c->mesh, "names.bin");
	static const uint8_t damaged[VD_SEGMENT_ID_BYTES] = { 1 }, replaced[VD_SEGMENT_ID_BYTES] = { 2 };
	const uint64_t none[1] = { 0 };
	struct vd_bundle_choice choice = {
		.arrivals = none, .damaged = vd_slice(damaged, sizeof(damaged)), .replaced = vd_slice(replaced, sizeof(replaced)),
	};
	struct vd_bundle_stats stats;
	struct heard heard;

	assert_int_equal(vd_bundle_write(c->hub.store, c->hub.group, VD_SEALED_SEGMENT, &choice, path, true, &stats), 0);
	assert_int_equal(stats.records + stats.left, 0);
	heard = names_in(c, path);
	assert_true(heard.count[0] == 1 && heard.count[1] == 1);
	assert_memory_equal(heard.damaged, damaged, sizeof(damaged));
	assert_memory_equal(heard.replaced, replaced, sizeof(replaced));

	choice.arrivals = NULL;
	choice.max_bytes = vd_sealed_bytes(1);
	assert_int_equal(vd_bundle_write(c->hub.store, c->hub.group, VD_SEALED_SEGMENT, &choice, path, true, &stats), 0);
	assert_int_equal(stats.records + stats.left, person_records(&c->hub) + 1);
	heard = names_in(c, path);
	assert_true(heard.count[0] == 1 && heard.count[1] == 0);
	choice.max_bytes = 0;
	assert_int_equal(vd_bundle_write(c->hub.store, c->hub.group, VD_SEALED_SEGMENT, &choice, path, true, &stats), 0);
	assert_int_equal(stats.left, 0);
	heard = names_in(c, path);
	assert_true(heard.count[0] == 1 && heard.count[1] == 1);
}

static void test_welcome__is_for_one_device_alone(void **state)
{
	struct cast *c = *state;
	char *path = mesh_path(&c->mesh, "w"), *other = mesh_path(&c->mesh, "w2");
	uint8_t group[VD_GROUP_BYTES], grant[VD_ID_BYTES];
	struct vd_batch control = { 0 };
	struct vd_buf file = { 0 };
	struct person p;
	struct vd_id id;

	person_make(&c->mesh, &p);
	mesh_admit(&c->hub, &p, path, &id);
	/* Neither another newcomer nor the members open it. */
	assert_int_equal(vd_welcome_read(c->luz.store, path, group, grant, &control), VD_EKEY);
	assert_int_equal(vd_welcome_read(c->hub.store, path, group, grant, &control), VD_EKEY);
	/* A bundle is no welcome. */
	assert_int_equal(vd_welcome_read(p.store, c->bundle, group, grant, &control), VD_EKEY);

	file_get(path, &file);
	for (size_t at = 0; at < file.n; at += 1201) {
		file.p[at] ^= 4;
		file_put(other, vd_buf_slice(&file));
		file.p[at] ^= 4;
		assert_int_equal(vd_welcome_read(p.store, other, group, grant, &control), VD_EDAMAGED);
		assert_int_equal(control.count, 0);
	}
	for (size_t n = 0; n < file.n; n += 9973) {
		file_put(other, vd_slice(file.p, n));
		assert_int_equal(vd_welcome_read(p.store, other, group, grant, &control), n < VD_HEAD_BYTES ? VD_EFORMAT : VD_ETORN);
	}
	assert_int_equal(vd_welcome_read(p.store, path, group, grant, &control), 0);
	assert_memory_equal(group, c->mesh.group, sizeof(group));
	assert_memory_equal(grant, id.b, sizeof(grant));
	vd_batch_reset(&control);
	mesh_join(&c->mesh, &p, path);
	/* A second time: still ours, and joining says that we are in. */
	assert_int_equal(vd_welcome_read(p.store, path, group, grant, &control), 0);
	assert_int_equal(vd_store_join(p.store, group, &control, grant), VD_EEXISTS);
	vd_batch_deinit(&control);
	vd_buf_deinit(&file);
	person_leave(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bundle__everything_arrives_once),
		cmocka_unit_test(test_bundle__somebody_looks_on),
		cmocka_unit_test(test_bundle__order),
		cmocka_unit_test(test_bundle__flipped_byte_costs_its_chunk_alone),
		cmocka_unit_test(test_bundle__only_the_last_head_is_left),
		cmocka_unit_test(test_bundle__torn_gives_its_whole_chunks),
		cmocka_unit_test(test_bundle__torn_then_completed),
		cmocka_unit_test(test_bundle__something_behind_the_end),
		cmocka_unit_test(test_bundle__not_ours_changes_nothing),
		cmocka_unit_test(test_bundle__dry_run_stores_nothing),
		cmocka_unit_test(test_bundle__from_standard_input),
		cmocka_unit_test(test_bundle__successor_in_a_later_batch_vouches),
		cmocka_unit_test(test_bundle__malformed_records_cost_themselves),
		cmocka_unit_test(test_bundle__choice),
		cmocka_unit_test(test_bundle__bound_keeps_the_most_urgent),
		cmocka_unit_test(test_bundle__names_of_other_segments),
		cmocka_unit_test(test_welcome__is_for_one_device_alone),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
