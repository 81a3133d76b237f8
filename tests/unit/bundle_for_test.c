/* Sealed files that are for somebody: a member's devices, paper keys, a newcomer. */
#include "mesh_fixture.h"

#include <fcntl.h>

/* Every byte of the heads, and one in so many of the chunks, each of which is one MAC. A process a file is dear under AddressSanitizer. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
enum { STEP = 211, HEAD_STEP = 5 };
#define SANITIZED
#endif
#endif
#ifndef SANITIZED
enum { STEP = 41, HEAD_STEP = 1 };
#endif


struct cast {
	struct mesh mesh;
	struct person hub, ana, luz;
	char path[128];
};

static int setup(void **state)
{
	struct cast *c = calloc(1, sizeof(*c));

	mesh_of_three(&c->mesh, &c->hub, &c->ana, &c->luz);
	person_write(&c->hub, VD_LANE_NORMAL, 5, 100);
	snprintf(c->path, sizeof(c->path), "%s/file", c->mesh.top);
	*state = c;
	return 0;
}

static int teardown(void **state)
{
	struct cast *c = *state;

	mesh_end_three(&c->mesh, &c->hub, &c->ana, &c->luz);
	free(c);
	return 0;
}

static const uint8_t *author_of(const struct person *p)
{
	return vd_group_identity(p->group)->author;
}

static int write_for(struct cast *c, struct person *by, const uint8_t (*devices)[VD_KEY_BYTES], size_t count)
{
	const struct vd_bundle_choice choice = { .devices = devices, .device_count = count };
	struct vd_bundle_stats stats;

	return vd_bundle_write(by->store, by->group, VD_SEALED_BUNDLE, &choice, c->path, true, &stats);
}

static int merge(struct cast *c, struct person *p, struct vd_bundle_stats *stats)
{
	int rc = vd_bundle_merge(p->store, c->path, false, NULL, stats);

	person_reload(p, &c->mesh);
	return rc;
}

static void rotate(struct person *p)
{
	struct vd_epoch_keys keys;
	struct vd_buf content = { 0 };
	struct vd_write *w;
	struct vd_id id;

	randombytes_buf(&keys, sizeof(keys));
	assert_int_equal(vd_write_begin(p->store, &w), 0);
	assert_int_equal(vd_group_make_epoch(p->group, &keys, NULL, 0, &content), 0);
	mesh_write_control(w, p, &content, &id);
	assert_int_equal(vd_write_commit(w), 0);
	vd_buf_deinit(&content);
}

static void test_bundle_for__opens_for_that_member_and_its_writer_alone(void **state)
{
	struct cast *c = *state;
	struct vd_bundle_stats stats;
	uint8_t luz[1][VD_KEY_BYTES], both[2][VD_KEY_BYTES];
	uint64_t before = person_records(&c->ana);

	memcpy(luz[0], author_of(&c->luz), VD_KEY_BYTES);
	assert_int_equal(write_for(c, &c->hub, (const uint8_t (*)[VD_KEY_BYTES])luz, 1), 0);
	assert_int_equal(merge(c, &c->ana, &stats), VD_EKEY);
	assert_int_equal(person_records(&c->ana), before);
	assert_int_equal(merge(c, &c->luz, &stats), 0);
	assert_int_equal(stats.merge.fresh, 5);
	assert_true(mesh_equal(&c->mesh, &c->hub, &c->luz));
	assert_int_equal(merge(c, &c->hub, &stats), 0);
	assert_int_equal(stats.merge.fresh, 0);

	/* For several, us among them. */
	memcpy(both[0], author_of(&c->hub), VD_KEY_BYTES);
	memcpy(both[1], author_of(&c->ana), VD_KEY_BYTES);
	assert_int_equal(write_for(c, &c->hub, (const uint8_t (*)[VD_KEY_BYTES])both, 2), 0);
	assert_int_equal(merge(c, &c->ana, &stats), 0);
	assert_int_equal(merge(c, &c->hub, &stats), 0);
	assert_int_equal(merge(c, &c->luz, &stats), VD_EKEY);
	randombytes_buf(both[1], VD_KEY_BYTES);
	assert_int_equal(write_for(c, &c->hub, (const uint8_t (*)[VD_KEY_BYTES])both, 2), VD_EINVAL);
}

/* It reaches who was away while the keys changed. */
static void test_bundle_for__brings_the_keys(void **state)
{
	struct cast *c = *state;
	const struct vd_bundle_choice all = { 0 };
	struct vd_bundle_stats stats;
	uint8_t luz[1][VD_KEY_BYTES];

	memcpy(luz[0], author_of(&c->luz), VD_KEY_BYTES);
	rotate(&c->hub);
	person_write(&c->hub, VD_LANE_URGENT, 2, 50);
	assert_int_equal(vd_bundle_write(c->hub.store, c->hub.group, VD_SEALED_BUNDLE, &all, c->path, true, &stats), 0);
	assert_int_equal(merge(c, &c->luz, &stats), VD_EKEY);
	assert_int_equal(write_for(c, &c->hub, (const uint8_t (*)[VD_KEY_BYTES])luz, 1), 0);
	assert_int_equal(merge(c, &c->ana, &stats), VD_EKEY);
	assert_int_equal(merge(c, &c->luz, &stats), 0);
	assert_int_equal(stats.merge.fresh, 5 + 2 + 1);
	assert_memory_equal(vd_group_epoch_id(c->luz.group, 0), vd_group_epoch_id(c->hub.group, 0), VD_EPOCH_BYTES);
	/* From now on what is for all is for her. */
	assert_int_equal(vd_bundle_write(c->hub.store, c->hub.group, VD_SEALED_BUNDLE, &all, c->path, true, &stats), 0);
	assert_int_equal(merge(c, &c->luz, &stats), 0);
}

static void add_paper(struct cast *c, uint8_t number, struct vd_identity *out)
{
	uint8_t seed[VD_IDENTITY_SEED_BYTES] = { number, 77 }, nonce[VD_BODY_NONCE_BYTES], person[VD_PERSON_BYTES];
	struct vd_buf content = { 0 };
	struct vd_card card;
	struct vd_write *w;
	struct vd_id id;

	vd_identity_from_seed(seed, out);
	assert_int_equal(vd_card_create(out, &card), 0);
	memcpy(person, vd_group_find(c->hub.group, author_of(&c->hub))->person, sizeof(person));
	randombytes_buf(nonce, sizeof(nonce));
	assert_int_equal(vd_write_begin(c->hub.store, &w), 0);
	assert_int_equal(vd_group_make_grant(c->hub.group, &card, person, VD_ROLE_COORDINATOR, VD_GRANT_PAPER, "Rosa", nonce, &content), 0);
	mesh_write_control(w, &c->hub, &content, &id);
	assert_int_equal(vd_group_make_epoch_for(c->hub.group, vd_group_epoch_id(c->hub.group, 0), card.author, &content), 0);
	mesh_write_control(w, &c->hub, &content, &id);
	assert_int_equal(vd_write_commit(w), 0);
	vd_buf_deinit(&content);
}

static int control_read(struct cast *c, struct person *p, const struct vd_identity *identity, size_t *count)
{
	struct vd_batch control = { 0 };
	uint8_t group[VD_GROUP_BYTES] = { 0 };
	int rc = vd_bundle_control_read(p->store, c->path, identity, group, &control);

	*count = control.count;
	if (*count)
		assert_memory_equal(group, c->mesh.group, sizeof(group));
	for (size_t i = 0; i < control.count; i++)
		assert_int_equal(control.entries[i].record.lane, VD_LANE_CONTROL);
	vd_batch_deinit(&control);
	return rc;
}

static size_t control_records(struct cast *c)
{
	struct vd_lane_state lane;

	assert_int_equal(vd_store_lane(c->hub.store, c->mesh.group, VD_LANE_CONTROL, &lane, NULL, 0), 0);
	return lane.digest.count;
}

/* Whatever is written after it was made, of any kind but a catch-up segment, opens to paper: the last eight granted. */
static void test_bundle_for__paper_keys(void **state)
{
	struct cast *c = *state;
	const struct vd_bundle_choice all = { 0 };
	struct vd_identity paper[VD_PAPER_SLOTS + 2];
	uint8_t luz[1][VD_KEY_BYTES];
	struct vd_bundle_choice catch_up = {
		.control = true, .devices = (const uint8_t (*)[VD_KEY_BYTES])luz, .device_count = 1, .for_link = true, .name_them = true,
	};
	struct vd_bundle_stats stats;
	struct person stranger;
	size_t count;

	memcpy(luz[0], author_of(&c->luz), VD_KEY_BYTES);
	person_make(&c->mesh, &stranger);
	for (uint8_t i = 0; i < VD_PAPER_SLOTS + 2; i++) {
		add_paper(c, i, &paper[i]);
		for (enum vd_sealed_what what = VD_SEALED_BUNDLE; what <= VD_SEALED_SEGMENT; what++) {
			assert_int_equal(vd_bundle_write(c->hub.store, c->hub.group, what, &all, c->path, false, &stats), 0);
			for (uint8_t k = 0; k <= i; k++) {
				bool out = k + VD_PAPER_SLOTS <= i;

				assert_int_equal(control_read(c, &stranger, &paper[k], &count), out ? VD_EKEY : VD_OK);
				assert_int_equal(count, out ? 0 : control_records(c));
			}
		}
	}
	assert_int_equal(write_for(c, &c->hub, catch_up.devices, 1), 0);
	assert_int_equal(control_read(c, &stranger, &paper[9], &count), 0);
	assert_int_equal(vd_bundle_write(c->hub.store, c->hub.group, VD_SEALED_SEGMENT, &catch_up, c->path, false, &stats), 0);
	assert_int_equal(control_read(c, &stranger, &paper[9], &count), VD_EKEY);
	assert_int_equal(stats.records, control_records(c));
	person_leave(&stranger);
}

/* A newcomer's welcome, a bundle torn and damaged: what is whole of lane 0, and nothing of the others. */
static void test_bundle_for__control_records_of_what_is_left(void **state)
{
	struct cast *c = *state;
	const struct vd_bundle_choice all = { 0 };
	struct vd_identity paper;
	struct vd_bundle_stats stats;
	struct vd_buf file = { 0 };
	size_t count, whole;

	add_paper(c, 1, &paper);
	person_write(&c->hub, VD_LANE_BULK, 4, 60000);
	assert_int_equal(vd_bundle_write(c->hub.store, c->hub.group, VD_SEALED_BUNDLE, &all, c->path, false, &stats), 0);
	whole = control_records(c);
	file_get(c->path, &file);
	assert_true(file.n > vd_sealed_bytes(3));
	/* Lane 0 stands in the first chunk: nothing behind it is looked at. */
	for (size_t at = VD_HEAD_BYTES + VD_CHUNK_BYTES; at < file.n; at += 30011) {
		file.p[at] ^= 1;
		file_put(c->path, vd_buf_slice(&file));
		file.p[at] ^= 1;
		assert_int_equal(control_read(c, &c->luz, &paper, &count), 0);
		assert_int_equal(count, whole);
	}
	file_put(c->path, vd_slice(file.p, VD_HEAD_BYTES + VD_CHUNK_BYTES));
	assert_int_equal(control_read(c, &c->luz, &paper, &count), 0);
	file_put(c->path, vd_slice(file.p, VD_HEAD_BYTES + VD_CHUNK_BYTES - 1));
	assert_int_equal(control_read(c, &c->luz, &paper, &count), VD_ETORN);
	assert_int_equal(count, 0);
	file_put(c->path, vd_slice(file.p, VD_HEAD_BYTES - 1));
	assert_int_equal(control_read(c, &c->luz, &paper, &count), VD_EFORMAT);
	file.p[VD_HEAD_BYTES] ^= 1;
	file_put(c->path, vd_buf_slice(&file));
	assert_int_equal(control_read(c, &c->luz, &paper, &count), VD_EDAMAGED);
	assert_int_equal(count, 0);
	vd_buf_deinit(&file);
}

static void put_byte(const char *path, size_t at, uint8_t byte)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, &byte, 1, (off_t)at), 1);
	assert_int_equal(close(fd), 0);
}

/* Every byte of both heads, and many of the chunk: who opens it by a slot of her own loses the chunk that was hit and nothing else, and
 * takes in nothing that was not there. */
static void test_bundle_for__flipped_bytes(void **state)
{
	struct cast *c = *state;
	struct vd_bundle_stats stats;
	uint8_t luz[1][VD_KEY_BYTES];
	struct vd_buf file = { 0 };
	uint64_t before = person_records(&c->luz);

	memcpy(luz[0], author_of(&c->luz), VD_KEY_BYTES);
	assert_int_equal(write_for(c, &c->hub, (const uint8_t (*)[VD_KEY_BYTES])luz, 1), 0);
	file_get(c->path, &file);
	assert_int_equal(file.n, vd_sealed_bytes(1));
	for (size_t at = VD_HEAD_BYTES; at < file.n - VD_HEAD_BYTES; at += STEP) {
		put_byte(c->path, at, file.p[at] ^ (uint8_t)(1U << at % 8));
		assert_int_equal(vd_bundle_merge(c->luz.store, c->path, false, NULL, &stats), VD_EDAMAGED);
		put_byte(c->path, at, file.p[at]);
		assert_true(stats.chunks_bad == 1 && stats.records == 0);
	}
	assert_int_equal(person_records(&c->luz), before);
	for (size_t at = 0; at < VD_HEAD_BYTES; at += HEAD_STEP)
		for (size_t end = 0; end < 2; end++) {
			size_t i = end ? file.n - 1 - at : at;

			put_byte(c->path, i, file.p[i] ^ (uint8_t)(1U << i % 8));
			assert_int_equal(vd_bundle_merge(c->luz.store, c->path, true, NULL, &stats), VD_EDAMAGED);
			put_byte(c->path, i, file.p[i]);
			assert_true(stats.head_bad && stats.chunks_bad == 0 && stats.merge.fresh == 5 && stats.merge.refused == 0);
		}
	assert_int_equal(person_records(&c->luz), before);
	assert_int_equal(merge(c, &c->luz, &stats), 0);
	assert_true(mesh_equal(&c->mesh, &c->hub, &c->luz));
	vd_buf_deinit(&file);
}

static void test_bundle_for__flipped_bytes_of_a_welcome(void **state)
{
	struct cast *c = *state;
	uint8_t group[VD_GROUP_BYTES], grant[VD_ID_BYTES];
	struct vd_batch control = { 0 };
	struct vd_buf file = { 0 };
	struct person p;
	struct vd_id id;

	person_make(&c->mesh, &p);
	mesh_admit(&c->hub, &p, c->path, &id);
	file_get(c->path, &file);
	assert_int_equal(file.n, vd_sealed_bytes(1));
	for (size_t at = 0; at < file.n; at += at < VD_HEAD_BYTES || at >= file.n - VD_HEAD_BYTES ? HEAD_STEP : STEP) {
		put_byte(c->path, at, file.p[at] ^ (uint8_t)(1U << at % 8));
		assert_int_equal(vd_welcome_read(p.store, c->path, group, grant, &control), VD_EDAMAGED);
		put_byte(c->path, at, file.p[at]);
		assert_int_equal(control.count, 0);
	}
	assert_int_equal(person_records(&p), 0);
	mesh_join(&c->mesh, &p, c->path);
	person_leave(&p);
	vd_batch_deinit(&control);
	vd_buf_deinit(&file);
}

/* Fifteen and their writer; one more has no slot left. */
static void test_bundle_for__at_most_fifteen_devices(void **state)
{
	struct cast *c = *state;
	uint8_t devices[VD_SLOTS][VD_KEY_BYTES];
	struct person p;

	for (int i = 0; i < VD_SLOTS; i++) {
		mesh_add_person(&c->mesh, &c->hub, &p);
		memcpy(devices[i], author_of(&p), VD_KEY_BYTES);
		if (i < VD_SLOTS - 1)
			person_leave(&p);
	}
	assert_int_equal(write_for(c, &c->hub, (const uint8_t (*)[VD_KEY_BYTES])devices, VD_SLOTS - 1), 0);
	assert_int_equal(write_for(c, &c->hub, (const uint8_t (*)[VD_KEY_BYTES])devices, VD_SLOTS), VD_ECAP);
	/* Who is one of them needs no slot more. */
	assert_int_equal(write_for(c, &p, (const uint8_t (*)[VD_KEY_BYTES])devices, VD_SLOTS), 0);
	person_leave(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_bundle_for__opens_for_that_member_and_its_writer_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bundle_for__brings_the_keys, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bundle_for__paper_keys, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bundle_for__control_records_of_what_is_left, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bundle_for__flipped_bytes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bundle_for__flipped_bytes_of_a_welcome, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bundle_for__at_most_fifteen_devices, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
