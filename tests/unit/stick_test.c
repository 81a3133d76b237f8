#include "stick_cast.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "store/inside.h"

static bool lane_equal(const struct cast *c, const struct person *a, const struct person *b, uint8_t lane)
{
	struct vd_lane_state x, y;

	assert_int_equal(vd_store_lane(a->store, c->mesh.group, lane, &x, NULL, 0), 0);
	assert_int_equal(vd_store_lane(b->store, c->mesh.group, lane, &y, NULL, 0), 0);
	return x.digest.count > 0 && vd_digest_eq(&x.digest, &y.digest);
}

static void test_stick__carries_both_ways_and_only_what_differs(void **state)
{
	struct cast *c = *state;
	struct vd_stick_result r;

	person_write(&c->ana, VD_LANE_NORMAL, 50, 200);
	r = visit(c, &c->ana, 0);
	assert_true(r.complete && r.safe_to_remove && !r.read_only);
	assert_int_equal(r.sent, person_records(&c->ana));
	assert_int_equal(r.received, 0);
	assert_int_equal(segments(c, NULL, NULL), 1);

	person_write(&c->hub, VD_LANE_URGENT, 7, 20);
	r = visit(c, &c->hub, 0);
	assert_int_equal(r.received, 50);
	assert_int_equal(r.segments_read, 1);
	assert_true(r.complete && r.safe_to_remove);
	/* Its seven, and the control records that came after Ana's admission. */
	assert_int_equal(r.sent, person_records(&c->hub) - person_records(&c->ana));
	assert_int_equal(segments(c, NULL, NULL), 2);

	r = visit(c, &c->ana, 0);
	assert_int_equal(r.sent, 0);
	assert_int_equal(r.segments_read, 1);
	assert_true(mesh_equal(&c->mesh, &c->ana, &c->hub));
	/* Nothing differs: nothing is read, nothing written. */
	for (int i = 0; i < 2; i++) {
		r = visit(c, i ? &c->hub : &c->ana, 0);
		assert_int_equal(r.received + r.sent + r.segments_read + r.bytes_in + r.bytes_out, 0);
		assert_true(r.complete && r.safe_to_remove);
	}
	assert_int_equal(segments(c, NULL, NULL), 2);
	r = visit(c, &c->luz, 0);
	assert_int_equal(r.segments_read, 2);
	assert_int_equal(r.sent, 0);
	assert_true(mesh_equal(&c->mesh, &c->luz, &c->hub));
}

static void test_stick__other_users_may_read_and_add(void **state)
{
	struct cast *c = *state;
	mode_t before = umask(077);
	char path[256];
	struct stat st;

	visit(c, &c->ana, 0);
	umask(before);
	assert_int_equal(segments(c, path, NULL), 1);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0644);
	assert_int_equal(stat(c->cache, &st), 0);
	assert_int_equal(st.st_mode & 07777, 01777);
}

static void test_stick__wiped_stick_is_filled_again(void **state)
{
	struct cast *c = *state;
	struct vd_stick_result r;
	char path[256];

	person_write(&c->ana, VD_LANE_NORMAL, 5, 100);
	visit(c, &c->ana, 0);
	assert_int_equal(segments(c, path, NULL), 1);
	assert_int_equal(unlink(path), 0);
	r = visit(c, &c->ana, 0);
	assert_int_equal(r.sent, person_records(&c->ana));
	/* The whole folder gone. */
	assert_int_equal(segments(c, path, NULL), 1);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(c->cache), 0);
	r = visit(c, &c->ana, 0);
	assert_int_equal(r.sent, person_records(&c->ana));
}

static void test_stick__damaged_segment_gives_its_whole_chunks(void **state)
{
	struct cast *c = *state;
	struct vd_stick_result r;
	struct vd_buf file = { 0 };
	char path[256];
	uint64_t before;

	person_write(&c->ana, VD_LANE_NORMAL, 60, 3600);
	visit(c, &c->ana, 0);
	assert_int_equal(segments(c, path, NULL), 1);
	file_get(path, &file);
	assert_int_equal(file.n, vd_sealed_bytes(4));
	file.p[VD_HEAD_BYTES + 2 * VD_CHUNK_BYTES + 5] ^= 1;
	file_put(path, vd_buf_slice(&file));
	/* Luz takes three chunks, is told, and looks again at every visit: one day the segment may be whole. */
	before = person_records(&c->luz);
	r = visit(c, &c->luz, VD_EDAMAGED);
	assert_int_equal(r.segments_bad, 1);
	assert_true(r.received > 20 && r.received < 60);
	assert_int_equal(person_records(&c->luz), before + r.received);
	assert_true(r.safe_to_remove && !r.complete);
	file.p[VD_HEAD_BYTES + 2 * VD_CHUNK_BYTES + 5] ^= 1;
	file_put(path, vd_buf_slice(&file));
	r = visit(c, &c->luz, 0);
	assert_int_equal(person_records(&c->luz), before + 60);
	assert_true(r.complete);
	vd_buf_deinit(&file);
}

static void test_stick__holder_adds_what_a_damaged_segment_lacks(void **state)
{
	struct cast *c = *state;
	struct vd_stick_result r;
	struct vd_buf file = { 0 };
	char path[256], bundle[256];
	const struct vd_bundle_choice all = { 0 };
	struct vd_bundle_stats stats;

	person_write(&c->ana, VD_LANE_NORMAL, 60, 3600);
	snprintf(bundle, sizeof(bundle), "%s/by_hand.vb", c->mesh.top);
	assert_int_equal(vd_bundle_write(c->ana.store, c->ana.group, VD_SEALED_BUNDLE, &all, bundle, false, &stats), 0);
	assert_int_equal(vd_bundle_merge(c->hub.store, bundle, false, NULL, &stats), 0);
	visit(c, &c->ana, 0);
	assert_int_equal(segments(c, path, NULL), 1);
	file_get(path, &file);
	file.p[VD_HEAD_BYTES + 2 * VD_CHUNK_BYTES + 5] ^= 1;
	file_put(path, vd_buf_slice(&file));
	/* The hub has all of it: it writes one chunk's worth, and Luz then lacks nothing. */
	r = visit(c, &c->hub, VD_EDAMAGED);
	assert_true(r.sent >= 20 && r.sent < 40);
	r = visit(c, &c->luz, VD_EDAMAGED);
	assert_int_equal(r.segments_read, 1);
	assert_true(mesh_equal(&c->mesh, &c->hub, &c->luz));
	/* And again: nothing new, however often the damaged one is read. */
	r = visit(c, &c->hub, VD_EDAMAGED);
	assert_int_equal(r.sent + r.received, 0);
	vd_buf_deinit(&file);
}

static void test_stick__torn_and_foreign_segments(void **state)
{
	struct cast *c = *state;
	static const char foreign[] = "00112233445566778899aabbccddeeff.bin", empty[] = "00112233445566778899aabbccddee00.bin";
	struct vd_stick_result r;
	struct vd_buf file = { 0 }, noise = { 0 }, after = { 0 };
	char path[256], other[256];

	person_write(&c->ana, VD_LANE_NORMAL, 60, 3600);
	visit(c, &c->ana, 0);
	assert_int_equal(segments(c, path, NULL), 1);
	file_get(path, &file);
	/* Torn after it was known by name: the size says so, and what it lacks is added. */
	file_put(path, vd_slice(file.p, VD_HEAD_BYTES + VD_CHUNK_BYTES + 100));
	r = visit(c, &c->ana, VD_ETORN);
	assert_int_equal(r.segments_torn, 1);
	assert_true(r.sent > 0 && r.safe_to_remove);
	r = visit(c, &c->luz, 0);
	assert_true(lane_equal(c, &c->ana, &c->luz, VD_LANE_NORMAL));
	visit(c, &c->ana, 0);
	unlink(path);

	snprintf(other, sizeof(other), "%s/%s", c->cache, foreign);
	randombytes_buf(vd_buf_extend(&noise, vd_sealed_bytes(1)), vd_sealed_bytes(1));
	file_put(other, vd_buf_slice(&noise));
	r = visit(c, &c->ana, 0);
	assert_int_equal(r.segments_foreign, 1);
	assert_int_equal(r.segments_bad + r.segments_torn, 0);
	file_get(other, &after);
	assert_true(vd_slice_eq(vd_buf_slice(&after), vd_buf_slice(&noise)));
	snprintf(other, sizeof(other), "%s/%s", c->cache, empty);
	file_put(other, vd_slice(NULL, 0));
	r = visit(c, &c->ana, VD_ETORN);
	assert_int_equal(r.segments_torn, 1);
	vd_buf_deinit(&file);
	vd_buf_deinit(&noise);
	vd_buf_deinit(&after);
}

static void test_stick__touches_nothing_else(void **state)
{
	struct cast *c = *state;
	char path[256];

	assert_int_equal(mkdir(c->cache, 0700), 0);
	snprintf(path, sizeof(path), "%s/report.pdf", c->cache);
	file_put(path, vd_slice_str("mine"));
	snprintf(path, sizeof(path), "%s/00112233445566778899AABBCCDDEEFF.bin", c->cache);
	file_put(path, vd_slice_str("not our name"));
	snprintf(path, sizeof(path), "%s/00112233445566778899aabbccddeeff.bin", c->cache);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	assert_int_equal(visit(c, &c->ana, 0).segments_foreign, 0);
	assert_int_equal(segments(c, NULL, NULL), 4);
	/* Not led astray by a link either. */
	assert_int_equal(rename(c->cache, mesh_path(&c->mesh, "elsewhere")), 0);
	assert_int_equal(symlink(mesh_path(&c->mesh, "elsewhere"), c->cache), 0);
	visit(c, &c->ana, VD_EINVAL);
}

static void test_stick__no_such_folder(void **state)
{
	struct cast *c = *state;
	struct vd_stick_result r;

	assert_int_equal(vd_stick_sync(c->ana.store, mesh_path(&c->mesh, "none"), &r), VD_ENOTFOUND);
	file_put(mesh_path(&c->mesh, "file"), vd_slice_str("x"));
	assert_int_equal(vd_stick_sync(c->ana.store, mesh_path(&c->mesh, "file"), &r), VD_ENOTFOUND);
	assert_false(r.safe_to_remove || r.complete);
}

/* The grant that the records in one segment wait for stands in another one. */
static void test_stick__order_of_segments_does_not_matter(void **state)
{
	struct cast *c = *state;
	struct vd_stick_result r;
	char a[256], b[256];

	for (int round = 0; round < 6; round++) {
		struct person late;

		mesh_add_person(&c->mesh, &c->hub, &late);
		person_write(&late, VD_LANE_NORMAL, 9, 100);
		/* One segment with the newcomer's records alone, one with the control records. */
		if (round == 0)
			assert_int_equal(mkdir(c->cache, 0700), 0);
		{
			uint64_t numbers[9], latest;
			struct vd_bundle_choice choice = { .arrivals = numbers, .count = 9 };
			struct vd_bundle_stats stats;

			assert_int_equal(vd_store_latest(late.store, &latest), 0);
			for (uint64_t i = 0; i < 9; i++)
				numbers[i] = latest - i;
			snprintf(a, sizeof(a), "%s/%032x.bin", c->cache, round % 2 ? 1 : 0xffff);
			assert_int_equal(vd_bundle_write(late.store, late.group, VD_SEALED_SEGMENT, &choice, a, false, &stats), 0);
		}
		visit(c, &c->hub, 0);
		r = visit(c, &c->luz, 0);
		assert_true(r.complete);
		assert_true(mesh_equal(&c->mesh, &c->hub, &c->luz));
		while (segments(c, b, NULL))
			assert_int_equal(unlink(b), 0);
		person_leave(&late);
	}
}

enum { IN_CHUNK_0 = VD_HEAD_BYTES + 9, IN_CHUNK_2 = VD_HEAD_BYTES + 2 * VD_CHUNK_BYTES + 5 };

/* Each of three finds what it must at a visit that changes nothing any more. */
static void assert_healed(struct cast *c)
{
	struct person *all[] = { &c->hub, &c->ana, &c->luz };
	int files = 0;

	for (int i = 0; i < 6; i++) {
		struct vd_stick_result r = visit(c, all[i % 3], 0);

		assert_true(r.complete && r.safe_to_remove);
		assert_int_equal(r.sent + (i < 3 ? 0 : r.received + r.segments_read), 0);
		assert_true(mesh_equal(&c->mesh, &c->hub, all[i % 3]));
		/* What nobody opens any more its writer has removed. */
		files = i < 3 ? segments(c, NULL, NULL) : files;
	}
	assert_int_equal(segments(c, NULL, NULL), files);
}

/* The hub wrote a segment and knows it by name; a chunk of it goes bad. Two others read it. */
static void test_stick__writer_replaces_what_readers_find_damaged(void **state)
{
	struct cast *c = *state;
	struct vd_stick_result r;
	struct person late;
	char path[256];

	person_write(&c->hub, VD_LANE_NORMAL, 60, 3000);
	visit(c, &c->hub, 0);
	assert_int_equal(segments(c, path, NULL), 1);
	flip(path, IN_CHUNK_2);
	/* Neither has what is lost. The first says so, the second need not, nor does the first again. */
	r = visit(c, &c->ana, VD_EDAMAGED);
	assert_true(r.bytes_out == vd_sealed_bytes(1) && r.sent == 0 && r.received > 20 && r.received < 60);
	for (int i = 0; i < 3; i++) {
		r = visit(c, i % 2 ? &c->ana : &c->luz, VD_EDAMAGED);
		assert_int_equal(r.bytes_out, 0);
		assert_int_equal(r.segments_bad, 1);
	}
	assert_int_equal(segments(c, NULL, NULL), 2);
	r = visit(c, &c->hub, VD_EDAMAGED);
	assert_int_equal(r.segments_bad, 1);
	assert_int_equal(r.sent, person_records(&c->hub));
	assert_int_equal(segments(c, NULL, NULL), 3);
	assert_healed(c);
	/* Who comes first now does not even read it. */
	mesh_add_person(&c->mesh, &c->hub, &late);
	visit(c, &c->hub, 0);
	r = visit(c, &late, 0);
	assert_true(r.complete && r.segments_read >= 3 && mesh_equal(&c->mesh, &c->hub, &late));
	person_leave(&late);
}

/* The complaint goes bad, then what replaced the first. */
static void test_stick__damage_of_what_tells_of_damage(void **state)
{
	struct cast *c = *state;
	struct vd_stick_result r;
	char first[256], complaint[256], replacement[256];
	struct person late;

	person_write(&c->hub, VD_LANE_NORMAL, 60, 3000);
	visit(c, &c->hub, 0);
	assert_int_equal(segments(c, first, NULL), 1);
	flip(first, IN_CHUNK_2);
	visit(c, &c->ana, VD_EDAMAGED);
	assert_int_equal(segments(c, complaint, first), 2);
	flip(complaint, IN_CHUNK_0);
	/* The hub cannot read what Ana says and says that; Ana says it again; the hub replaces both. */
	visit(c, &c->hub, VD_EDAMAGED);
	visit(c, &c->ana, VD_EDAMAGED);
	visit(c, &c->hub, VD_EDAMAGED);
	assert_healed(c);

	while (segments(c, first, NULL))
		assert_int_equal(unlink(first), 0);
	visit(c, &c->hub, 0);
	assert_int_equal(segments(c, first, NULL), 1);
	flip(first, IN_CHUNK_2);
	mesh_add_person(&c->mesh, &c->hub, &late);
	visit(c, &late, VD_EDAMAGED);
	assert_int_equal(segments(c, complaint, first), 2);
	visit(c, &c->hub, VD_EDAMAGED);
	assert_int_equal(segments(c, NULL, NULL), 3);
	{
		DIR *dir = opendir(c->cache);
		struct dirent *entry;

		while ((entry = readdir(dir)))
			if (entry->d_name[0] != '.' && !strstr(first, entry->d_name) && !strstr(complaint, entry->d_name))
				snprintf(replacement, sizeof(replacement), "%s/%.40s", c->cache, entry->d_name);
		closedir(dir);
	}
	flip(replacement, IN_CHUNK_2);
	person_leave(&late);
	mesh_add_person(&c->mesh, &c->hub, &late);
	/* What a damaged one says does not count: two are bad. */
	r = visit(c, &late, VD_EDAMAGED);
	assert_int_equal(r.segments_bad, 2);
	visit(c, &c->hub, VD_EDAMAGED);
	r = visit(c, &late, 0);
	assert_true(r.complete && mesh_equal(&c->mesh, &c->hub, &late));
	person_leave(&late);
	assert_healed(c);
}

/* Wiped, emptied, cut or overwritten: who knew it notices without being told, even where no one else could tell whose it was. */
static void test_stick__known_segment_that_is_gone_bad_at_its_heads(void **state)
{
	struct cast *c = *state;
	struct vd_stick_result r;

	person_write(&c->hub, VD_LANE_NORMAL, 60, 3000);
	for (int how = 0; how < 4; how++) {
		struct vd_buf file = { 0 };
		char path[256];

		while (segments(c, path, NULL))
			assert_int_equal(unlink(path), 0);
		visit(c, &c->hub, 0);
		assert_int_equal(segments(c, path, NULL), 1);
		file_get(path, &file);
		if (how == 0)
			memset(file.p, 0, file.n);
		else if (how == 1)
			randombytes_buf(file.p, file.n);
		else
			file.n = how == 2 ? 0 : 700;
		file_put(path, vd_buf_slice(&file));
		r = visit(c, &c->hub, how < 2 ? VD_EDAMAGED : VD_ETORN);
		assert_int_equal(r.sent, person_records(&c->hub));
		if (how < 2)
			assert_healed(c);
		else
			visit(c, &c->hub, 0);
		vd_buf_deinit(&file);
	}
}

/* More of them than are looked at on one visit. */
static void test_stick__one_of_many_known_segments_is_found_bad_in_the_end(void **state)
{
	enum { FILES = 40, VISITS_MAX = 200 };
	struct cast *c = *state;
	struct vd_buf file = { 0 };
	struct vd_stick_result r;
	char path[256];
	int visits = 0, rc;

	for (int i = 0; i < FILES; i++) {
		/* Over half a chunk. */
		person_write(&c->hub, VD_LANE_NORMAL, 12, 3600);
		visit(c, &c->hub, 0);
	}
	assert_int_equal(segments(c, path, NULL), FILES);
	file_get(path, &file);
	/* Of another size: at once. */
	file_put(path, vd_slice(file.p, file.n - 1));
	r = visit(c, &c->hub, VD_ETORN);
	assert_true(r.sent >= 12 && r.segments_torn == 1);
	assert_int_equal(unlink(path), 0);
	visit(c, &c->hub, 0);

	assert_int_equal(segments(c, path, NULL), FILES);
	file_get(path, &file);
	memset(file.p, 0, VD_HEAD_BYTES);
	memset(file.p + file.n - VD_HEAD_BYTES, 0, VD_HEAD_BYTES);
	file_put(path, vd_buf_slice(&file));
	do {
		rc = vd_stick_sync(c->hub.store, c->stick, &r);
		person_reload(&c->hub, &c->mesh);
		assert_int_equal(rc, r.segments_bad ? VD_EDAMAGED : 0);
	} while (!r.segments_bad && ++visits < VISITS_MAX);
	assert_true(visits < VISITS_MAX && r.sent >= 12);
	visit(c, &c->luz, 0);
	assert_true(mesh_equal(&c->mesh, &c->hub, &c->luz));
	vd_buf_deinit(&file);
}

/* A segment of p's that holds entries of this kind alone. */
static void write_names(struct cast *c, struct person *p, const uint8_t *group, unsigned number, enum vd_entry_type type,
                        struct vd_slice names, size_t each)
{
	struct vd_manifest manifest = { .what = VD_SEALED_SEGMENT };
	uint8_t seed[VD_SEAL_SEED_BYTES] = { (uint8_t)number };
	struct vd_recipient to = { .how = VD_FOR_LINK };
	struct vd_seal_plan plan;
	struct vd_buf file = { 0 };
	struct vd_sealer *s;
	char path[256];

	vd_seal_plan_start(&plan, VD_SEALED_SEGMENT);
	for (size_t at = 0; at < names.n; at += each)
		vd_seal_plan_entry(&plan, each);
	manifest.chunks = vd_seal_plan_chunks(&plan);
	memcpy(manifest.group, group, VD_GROUP_BYTES);
	memcpy(to.link, vd_group_epoch_keys(p->group, 0)->key[VD_KEY_LINK], VD_KEY_BYTES);
	assert_int_equal(vd_sealer_new(&manifest, &to, 1, seed, &s), 0);
	for (size_t at = 0; at < names.n; at += each)
		assert_int_equal(vd_sealer_entry(s, type, vd_slice(names.p + at, each), &file), 0);
	assert_int_equal(vd_sealer_finish(s, &file), 0);
	snprintf(path, sizeof(path), "%s/%032x.bin", c->cache, number);
	file_put(path, vd_buf_slice(&file));
	vd_sealer_free(s);
	vd_buf_deinit(&file);
}

static void id_of(const char *path, uint8_t id[VD_SEGMENT_ID_BYTES])
{
	char hex[2 * VD_SEGMENT_ID_BYTES + 1];
	size_t n;

	snprintf(hex, sizeof(hex), "%s", strrchr(path, '/') + 1);
	assert_int_equal(vd_unhex(id, VD_SEGMENT_ID_BYTES, hex, &n), 0);
}

static void test_stick__hostile_complaints(void **state)
{
	struct cast *c = *state;
	struct vd_stick_result r;
	struct vd_buf names = { 0 };
	uint8_t id[VD_SEGMENT_ID_BYTES];
	char path[256];

	person_write(&c->hub, VD_LANE_NORMAL, 60, 3000);
	visit(c, &c->hub, 0);
	assert_int_equal(segments(c, path, NULL), 1);
	id_of(path, id);
	/* Of what is not here, and of no name's length; both know nothing to do. */
	randombytes_buf(vd_buf_extend(&names, 80000), 80000);
	write_names(c, &c->hub, c->mesh.group, 1, VD_ENTRY_DAMAGED, vd_buf_slice(&names), VD_SEGMENT_ID_BYTES);
	write_names(c, &c->hub, c->mesh.group, 2, VD_ENTRY_REPLACED, vd_buf_slice(&names), VD_SEGMENT_ID_BYTES);
	vd_buf_reset(&names);
	vd_buf_put(&names, id, sizeof(id));
	vd_buf_put_u8(&names, 0);
	write_names(c, &c->hub, c->mesh.group, 3, VD_ENTRY_REPLACED, vd_buf_slice(&names), names.n);
	write_names(c, &c->hub, c->mesh.group, 4, VD_ENTRY_REPLACED, vd_slice(id, 15), 15);
	assert_healed(c);
	/* Said thousands of times over, of a segment that is well: written anew once, and that is all. */
	vd_buf_reset(&names);
	for (int i = 0; i < 10000; i++)
		vd_buf_put(&names, id, sizeof(id));
	write_names(c, &c->hub, c->mesh.group, 5, VD_ENTRY_DAMAGED, vd_buf_slice(&names), VD_SEGMENT_ID_BYTES);
	r = visit(c, &c->hub, VD_EDAMAGED);
	assert_int_equal(r.sent, person_records(&c->hub));
	assert_healed(c);
	/* Falsely called replaced: those who hold the records write them again. In a circle: still. */
	while (segments(c, path, NULL) > 0)
		assert_int_equal(unlink(path), 0);
	visit(c, &c->hub, 0);
	assert_int_equal(segments(c, path, NULL), 1);
	id_of(path, id);
	vd_buf_reset(&names);
	vd_buf_put(&names, id, sizeof(id));
	memset(vd_buf_extend(&names, 16), 0, 16);
	names.p[31] = 7;
	write_names(c, &c->hub, c->mesh.group, 6, VD_ENTRY_REPLACED, vd_buf_slice(&names), VD_SEGMENT_ID_BYTES);
	names.p[31] = 6;
	write_names(c, &c->hub, c->mesh.group, 7, VD_ENTRY_REPLACED, vd_buf_slice(&names), VD_SEGMENT_ID_BYTES);
	r = visit(c, &c->hub, 0);
	assert_int_equal(r.sent, person_records(&c->hub));
	assert_healed(c);
	assert_int_equal(segments(c, NULL, NULL), 4);
	vd_buf_deinit(&names);
}

/* A segment of the stubs of p's newest `count` records, as someone makes it who has not their bodies. */
static void write_stubs(struct cast *c, struct person *p, uint64_t count)
{
	struct vd_manifest manifest = { .what = VD_SEALED_SEGMENT, .chunks = 1, .records = count };
	const uint8_t seed[VD_SEAL_SEED_BYTES] = { 3 };
	struct vd_recipient to = { .how = VD_FOR_LINK };
	struct vd_buf raw = { 0 }, file = { 0 };
	struct vd_record record;
	struct vd_sealer *s;
	uint64_t latest, received;
	char path[256];

	memcpy(manifest.group, c->mesh.group, VD_GROUP_BYTES);
	memcpy(to.link, vd_group_epoch_keys(p->group, 0)->key[VD_KEY_LINK], VD_KEY_BYTES);
	assert_int_equal(vd_sealer_new(&manifest, &to, 1, seed, &s), 0);
	assert_int_equal(vd_store_latest(p->store, &latest), 0);
	for (uint64_t i = latest - count + 1; i <= latest; i++) {
		assert_int_equal(vd_store_read(p->store, i, &raw, &record, &received), 0);
		assert_int_equal(vd_record_decode(vd_slice(raw.p, record.header.n + record.signature.n), &record), 0);
		assert_int_equal(vd_sealer_record(s, &record, &file), 0);
	}
	assert_int_equal(vd_sealer_finish(s, &file), 0);
	snprintf(path, sizeof(path), "%s/%032x.bin", c->cache, 5);
	assert_true(mkdir(c->cache, 0700) == 0 || access(c->cache, W_OK) == 0);
	file_put(path, vd_buf_slice(&file));
	vd_sealer_free(s);
	vd_buf_deinit(&raw);
	vd_buf_deinit(&file);
}

static void test_stick__a_stub_does_not_stand_for_its_body(void **state)
{
	struct cast *c = *state;
	struct vd_stick_result r;
	uint64_t records;

	person_write(&c->ana, VD_LANE_BULK, 4, 1000);
	write_stubs(c, &c->ana, 4);
	records = person_records(&c->luz);
	r = visit(c, &c->luz, 0);
	assert_int_equal(r.received, 4);
	assert_int_equal(person_records(&c->luz), records + 4);
	/* She has no more than the stubs, and does not write them a second time. */
	assert_int_equal(r.sent, records);
	r = visit(c, &c->luz, 0);
	assert_int_equal(r.sent + r.received, 0);
	assert_true(r.complete);
	r = visit(c, &c->ana, 0);
	assert_int_equal(r.sent, 4);
	r = visit(c, &c->luz, 0);
	assert_int_equal(r.received, 4);
	assert_int_equal(person_records(&c->luz), records + 4);
	assert_int_equal(visit(c, &c->ana, 0).sent, 0);
	assert_true(mesh_equal(&c->mesh, &c->ana, &c->luz));
}

/* A store in two groups writes one segment for each; who is in one of them takes that and leaves the other alone, until let in. */
/* A body that went, because it was redacted or had to wait, and is wanted again: the segment was read long ago. */
static void test_stick__a_known_segment_gives_back_what_is_wanted_again(void **state)
{
	struct cast *c = *state;
	struct vd_membership in;
	struct vd_place place = { 0 };
	struct vd_stick_result r;
	struct vd_record record, stub;
	struct vd_write *w;
	uint64_t latest;
	struct vd_buf raw = { 0 };

	person_write(&c->ana, VD_LANE_NORMAL, 50, 200);
	visit(c, &c->ana, 0);
	visit(c, &c->hub, 0);
	visit(c, &c->hub, 0);
	assert_int_equal(vd_store_latest(c->hub.store, &latest), 0);
	assert_int_equal(vd_store_read(c->hub.store, latest, &raw, &record, &place.received_ms), 0);
	assert_int_equal(record.lane, VD_LANE_NORMAL);
	assert_int_equal(vd_record_decode(vd_slice(raw.p, record.header.n + record.signature.n), &stub), 0);
	place.arrival = latest;
	memcpy(in.group, c->mesh.group, VD_GROUP_BYTES);
	memcpy(in.salt, vd_group_salt(c->hub.group), VD_SALT_BYTES);
	for (int wanted = 0; wanted < 2; wanted++) {
		assert_int_equal(vd_write_begin(c->hub.store, &w), 0);
		assert_int_equal(vd_write_again(w, &in, &place, &stub, wanted ? 0 : VD_STORED_UNWANTED), 0);
		assert_int_equal(vd_write_commit(w), 0);
		place.flags = VD_STORED_STUB | VD_STORED_UNWANTED;
		r = visit(c, &c->hub, 0);
		assert_int_equal(r.received, wanted);
		assert_int_equal(r.segments_read, wanted);
		assert_true(r.complete);
	}
	assert_int_equal(vd_store_read(c->hub.store, latest, &raw, &record, NULL), 0);
	assert_false(record.stub);
	r = visit(c, &c->hub, 0);
	assert_int_equal(r.segments_read, 0);
	vd_buf_deinit(&raw);
}

static void test_stick__two_groups(void **state)
{
	struct cast *c = *state;
	struct cast other = *c;
	struct person hub = { .store = c->hub.store, .now_ms = MESH_NOW }, luz = { .store = c->luz.store };
	char *welcome = mesh_path(&c->mesh, "second");
	struct vd_stick_result r;
	uint8_t id[VD_SEGMENT_ID_BYTES];
	struct vd_id grant;
	char path[256];

	assert_int_equal(vd_store_found(hub.store, "Otro", "Rosa", MESH_NOW, other.mesh.group), 0);
	person_reload(&hub, &other.mesh);
	person_write(&hub, VD_LANE_URGENT, 5, 50);
	person_write(&c->hub, VD_LANE_URGENT, 5, 50);
	r = visit(c, &c->hub, 0);
	assert_int_equal(r.sent, person_records(&c->hub));
	assert_int_equal(segments(c, NULL, NULL), 2);
	r = visit(c, &c->luz, 0);
	assert_int_equal(r.segments_read, 1);
	assert_int_equal(r.segments_foreign, 1);
	assert_true(r.complete && mesh_equal(&c->mesh, &c->hub, &c->luz));

	mesh_admit(&hub, &luz, welcome, &grant);
	mesh_join(&other.mesh, &luz, welcome);
	r = visit(&other, &luz, 0);
	assert_int_equal(r.segments_read, 1);
	assert_int_equal(r.segments_foreign, 0);
	visit(c, &c->hub, 0);
	assert_true(mesh_equal(&other.mesh, &hub, &luz));
	assert_true(mesh_equal(&c->mesh, &c->hub, &c->luz));

	/* One group's segment says nothing about another's; each heals its own. */
	while (segments(c, path, NULL))
		assert_int_equal(unlink(path), 0);
	visit(c, &c->ana, 0);
	assert_int_equal(segments(c, path, NULL), 1);
	id_of(path, id);
	write_names(c, &hub, other.mesh.group, 1, VD_ENTRY_DAMAGED, vd_slice(id, sizeof(id)), sizeof(id));
	write_names(c, &hub, other.mesh.group, 2, VD_ENTRY_REPLACED, vd_slice(id, sizeof(id)), sizeof(id));
	for (int i = 0; i < 2; i++) {
		r = visit(c, &c->hub, 0);
		assert_int_equal(r.segments_read, i ? 0 : 3);
	}
	assert_int_equal(visit(c, &c->luz, 0).sent, 0);
	assert_int_equal(visit(c, &c->luz, 0).segments_read, 0);
	vd_group_free(hub.group);
	vd_group_free(luz.group);
}

/* A file system of one megabyte, where we may mount one. */
static bool small_disk(struct cast *c, const char *size)
{
	char options[64];

	snprintf(options, sizeof(options), "size=%s", size);
	return mount("none", c->stick, "tmpfs", 0, options) == 0;
}

static void test_stick__full_stick_gets_the_most_urgent(void **state)
{
	struct cast *c = *state;
	struct vd_stick_result r;

	if (!small_disk(c, "1m"))
		skip();
	person_write(&c->ana, VD_LANE_BULK, 30, 60000);
	person_write(&c->ana, VD_LANE_URGENT, 3, 100);
	r = visit(c, &c->ana, VD_ENOSPACE);
	assert_true(r.safe_to_remove && !r.complete);
	assert_true(r.sent > 3 && r.sent < 30);
	/* Nothing half stands there, and Luz gets every alert. */
	assert_int_equal(segments(c, NULL, NULL), 1);
	/* What she has to say has room in what photos leave. */
	r = visit(c, &c->luz, VD_OK);
	assert_int_equal(r.segments_bad + r.segments_torn, 0);
	assert_true(lane_equal(c, &c->ana, &c->luz, VD_LANE_URGENT));
	assert_int_equal(umount(c->stick), 0);
}

static void test_stick__write_protected_is_read(void **state)
{
	struct cast *c = *state;
	struct vd_stick_result r;

	if (!small_disk(c, "4m"))
		skip();
	person_write(&c->ana, VD_LANE_NORMAL, 5, 100);
	visit(c, &c->ana, 0);
	assert_int_equal(mount("none", c->stick, "tmpfs", MS_REMOUNT | MS_RDONLY, NULL), 0);
	person_write(&c->hub, VD_LANE_NORMAL, 5, 100);
	r = visit(c, &c->hub, 0);
	assert_true(r.read_only && r.safe_to_remove && !r.complete);
	assert_int_equal(r.received, 5);
	assert_int_equal(r.sent, 0);
	assert_int_equal(segments(c, NULL, NULL), 1);
	r = visit(c, &c->ana, 0);
	assert_true(r.read_only && r.complete);
	assert_int_equal(umount(c->stick), 0);
}

struct pulling {
	const char *stick, *pocket;
	int pulled;
};

static void pull(void *ctx, uint64_t done, uint64_t all, uint64_t records)
{
	struct pulling *p = ctx;

	(void)done, (void)all, (void)records;
	if (!p->pulled++) {
		assert_int_equal(rename(p->stick, p->pocket), 0);
		assert_int_equal(mkdir(p->stick, 0700), 0);
	}
}

/* What it was mounted on is a folder too, and takes writes. */
static void test_stick__pulled_while_it_is_read(void **state)
{
	struct cast *c = *state;
	char pocket[256];
	struct pulling pulling = { c->stick, pocket, 0 };
	const struct vd_bundle_watch watch = { pull, &pulling };
	const struct vd_stick_wish wish = { .watch = &watch };
	struct vd_stick_result r;

	snprintf(pocket, sizeof(pocket), "%s-in-a-pocket", c->stick);
	person_write(&c->ana, VD_LANE_NORMAL, 50, 200);
	visit(c, &c->ana, 0);
	person_write(&c->hub, VD_LANE_NORMAL, 7, 20);
	assert_int_equal(vd_stick_sync_as(c->hub.store, c->stick, &wish, &r), VD_EIO);
	assert_true(pulling.pulled && !r.safe_to_remove && !r.complete);
	assert_int_equal(r.sent, 0);
	/* Nothing was written there. */
	assert_int_equal(rmdir(c->stick), 0);
	assert_int_equal(rename(pocket, c->stick), 0);
	person_reload(&c->hub, &c->mesh);
	r = visit(c, &c->hub, 0);
	assert_true(r.complete && r.safe_to_remove && r.sent >= 7);
	visit(c, &c->ana, 0);
	assert_true(mesh_equal(&c->mesh, &c->ana, &c->hub));
}

struct folding {
	char first[256], second[256];
	bool folded;
};

static void fold_meanwhile(void *ctx, uint64_t done, uint64_t all, uint64_t records)
{
	struct folding *f = ctx;

	(void)done, (void)all, (void)records;
	/* That one is open already, the other is not. */
	if (!f->folded) {
		(void)unlink(f->first);
		(void)unlink(f->second);
	}
	f->folded = true;
}

/* What another machine folds into a new file while we are about to read it. */
static void test_stick__somebody_else_writes_there(void **state)
{
	struct cast *c = *state;
	struct folding folding = { .folded = false };
	const struct vd_bundle_watch watch = { fold_meanwhile, &folding };
	const struct vd_stick_wish wish = { .watch = &watch };
	struct vd_stick_result r;

	person_write(&c->ana, VD_LANE_NORMAL, 5, 200);
	visit(c, &c->ana, 0);
	assert_int_equal(segments(c, folding.first, NULL), 1);
	person_write(&c->luz, VD_LANE_NORMAL, 5, 200);
	assert_false(visit(c, &c->luz, 0).others);
	assert_int_equal(segments(c, folding.second, folding.first), 2);
	assert_int_equal(vd_stick_sync_as(c->hub.store, c->stick, &wish, &r), VD_OK);
	assert_true(folding.folded && r.others && !r.complete && r.safe_to_remove);
	person_reload(&c->hub, &c->mesh);
	assert_false(visit(c, &c->hub, 0).others);
}

/* kill -9 in the middle of a visit, again and again: nothing half on the stick, and a visit that is let be completes. */
static void test_stick__killed_at_any_moment(void **state)
{
	struct cast *c = *state;
	struct vd_stick_result r;

	person_write(&c->ana, VD_LANE_NORMAL, 400, 3000);
	for (unsigned us = 300; us < 60000; us += us / 2) {
		pid_t child = fork();
		int status;

		assert_true(child >= 0);
		if (child == 0) {
			struct vd_store *own;

			if (vd_store_open(c->ana.home, &own) == 0)
				(void)vd_stick_sync(own, c->stick, &r);
			_exit(0);
		}
		usleep(us);
		kill(child, SIGKILL);
		assert_int_equal(waitpid(child, &status, 0), child);
		r = visit(c, &c->luz, 0);
		assert_int_equal(r.segments_bad + r.segments_torn + r.segments_foreign, 0);
	}
	visit(c, &c->ana, 0);
	visit(c, &c->luz, 0);
	assert_true(lane_equal(c, &c->ana, &c->luz, VD_LANE_NORMAL));
	assert_int_equal(visit(c, &c->ana, 0).sent, 0);
	assert_true(mesh_equal(&c->mesh, &c->ana, &c->luz));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_stick__carries_both_ways_and_only_what_differs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stick__other_users_may_read_and_add, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stick__wiped_stick_is_filled_again, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stick__damaged_segment_gives_its_whole_chunks, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stick__holder_adds_what_a_damaged_segment_lacks, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stick__torn_and_foreign_segments, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stick__touches_nothing_else, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stick__no_such_folder, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stick__order_of_segments_does_not_matter, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stick__writer_replaces_what_readers_find_damaged, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stick__damage_of_what_tells_of_damage, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stick__known_segment_that_is_gone_bad_at_its_heads, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stick__one_of_many_known_segments_is_found_bad_in_the_end, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stick__hostile_complaints, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stick__a_stub_does_not_stand_for_its_body, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stick__a_known_segment_gives_back_what_is_wanted_again, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stick__two_groups, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stick__full_stick_gets_the_most_urgent, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stick__write_protected_is_read, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stick__somebody_else_writes_there, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stick__pulled_while_it_is_read, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stick__killed_at_any_moment, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
