/* tests/vectors/group.json: a group as another implementation, written from PROTOCOL.md alone, founds and reads it. Our makers
 * write the same bytes, and our reader sees the same group in them. */
#include "group_fixture.h"

#include <jansson.h>

enum { PEOPLE = 3, RECORDS = 9, ANA = 0, BETO = 1, CATA = 2 };

static json_t *root;
static struct actor people[PEOPLE];
static uint8_t group_id[VD_GROUP_BYTES], name_nonce[VD_BODY_NONCE_BYTES];
static struct history written;
static struct {
	uint8_t id[VD_EPOCH_BYTES];
	struct vd_epoch_keys keys;
} epochs[2]; /* newest first */

static void take(const json_t *hex, void *out, size_t n)
{
	size_t got = 0;

	if (vd_unhex(out, n, json_string_value(hex), &got) || got != n)
		abort();
}

static void take_member(const json_t *object, const char *name, void *out, size_t n)
{
	take(json_object_get(object, name), out, n);
}

static void take_record(const json_t *v)
{
	const char *hex = json_string_value(json_object_get(v, "raw"));
	struct vd_buf *raw = &written.records[written.count++];
	size_t n = strlen(hex) / 2;

	take_member(v, "raw", vd_buf_extend(raw, n), n);
}

static int setup(void **state)
{
	uint8_t seed[VD_IDENTITY_SEED_BYTES];
	json_error_t error;

	(void)state;
	root = json_load_file("tests/vectors/group.json", 0, &error);
	if (!root) {
		print_error("%s: %s (run from the top of the sources)\n", error.source, error.text);
		return -1;
	}
	take_member(root, "group", group_id, sizeof(group_id));
	take_member(root, "name_nonce", name_nonce, sizeof(name_nonce));
	for (size_t i = 0; i < PEOPLE; i++) {
		take(json_array_get(json_object_get(root, "seeds"), i), seed, sizeof(seed));
		vd_identity_from_seed(seed, &people[i].identity);
		take(json_array_get(json_object_get(root, "persons"), i), people[i].person, VD_PERSON_BYTES);
	}
	for (size_t i = 0; i < 2; i++) {
		const json_t *v = json_array_get(json_object_get(root, "epochs"), i);

		take_member(v, "id", epochs[i].id, VD_EPOCH_BYTES);
		for (size_t key = 0; key < VD_EPOCH_KEYS; key++)
			take(json_array_get(json_object_get(v, "keys"), key), epochs[i].keys.key[key], VD_KEY_BYTES);
	}
	written.records = calloc(RECORDS, sizeof(*written.records));
	written.capacity = RECORDS;
	for (size_t i = 0; i < RECORDS; i++)
		take_record(json_array_get(json_object_get(root, "records"), i));
	return vd_sign_selftest();
}

static int teardown(void **state)
{
	(void)state;
	json_decref(root);
	history_free(&written);
	return 0;
}

/* What `by` had seen before record i: everything but, where the two acted at once, the other's last. */
static struct vd_group *seen_before(size_t i, const struct actor *by)
{
	struct vd_group *g = vd_group_new(group_id, &by->identity);

	for (size_t j = 0; j < i; j++) {
		struct vd_record r = decoded(history_at(&written, j));

		if (i != 6 || j != 5)
			assert_int_equal(vd_group_add(g, &r), 0);
	}
	return g;
}

static int make(struct vd_group *g, size_t i, struct vd_buf *out)
{
	struct vd_card cards[PEOPLE];
	uint8_t salt_used[VD_SALT_BYTES];

	for (size_t p = 0; p < PEOPLE; p++)
		cards[p] = card_of(&people[p]);
	switch (i) {
	case 0:
		take_member(root, "salt", salt_used, sizeof(salt_used));
		return vd_group_make_founding(&people[ANA].identity, people[ANA].person, salt_used, out);
	case 1: return vd_group_make_epoch(g, &epochs[1].keys, NULL, 0, out);
	case 2:
		return vd_group_make_grant(g, &cards[ANA], people[ANA].person, VD_ROLE_COORDINATOR, VD_GRANT_FOCAL, "Ana", name_nonce, out);
	case 3: return vd_group_make_grant(g, &cards[BETO], people[BETO].person, VD_ROLE_COORDINATOR, 0, "Beto", name_nonce, out);
	case 4: return vd_group_make_epoch_for(g, epochs[1].id, people[BETO].identity.author, out);
	case 5: return vd_group_make_grant(g, &cards[CATA], people[CATA].person, VD_ROLE_REPORTER, 0, "Cata", name_nonce, out);
	case 6: return vd_group_make_name(g, "Río Abajo", name_nonce, out);
	case 7: return vd_group_make_epoch(g, &epochs[0].keys, NULL, 0, out);
	default:
		return vd_group_make_grant(g, &cards[CATA], people[CATA].person, VD_ROLE_COURIER, 0, "Catalina", name_nonce, out);
	}
}

static void test_group_vectors__makers_write_these_bytes(void **state)
{
	static const size_t by[RECORDS] = {ANA, ANA, ANA, ANA, ANA, BETO, ANA, BETO, ANA};

	(void)state;
	for (size_t i = 0; i < RECORDS; i++) {
		const struct actor *author = &people[by[i]];
		struct vd_record r = decoded(history_at(&written, i));
		struct vd_group *g = seen_before(i, author);
		struct vd_buf content = {0};

		assert_int_equal(vd_record_verify(&r), 0);
		assert_memory_equal(r.author, author->identity.author, VD_KEY_BYTES);
		assert_int_equal(make(g, i, &content), 0);
		assert_int_equal(content.n, r.body.n);
		assert_memory_equal(content.p, r.body.p, content.n);
		vd_buf_deinit(&content);
		vd_group_free(g);
	}
}

static void check_devices(struct vd_group *g, bool names)
{
	const json_t *devices = json_object_get(root, "devices");

	assert_int_equal(vd_group_device_count(g), json_array_size(devices));
	for (size_t i = 0; i < PEOPLE; i++) {
		const struct vd_device *d = vd_group_device(g, i);
		const json_t *v = json_array_get(devices, i);
		uint8_t expected[32];

		take_member(v, "author", expected, VD_KEY_BYTES);
		assert_memory_equal(d->author, expected, VD_KEY_BYTES);
		take_member(v, "grant", expected, VD_ID_BYTES);
		assert_memory_equal(d->grant.b, expected, VD_ID_BYTES);
		take_member(v, "person", expected, VD_PERSON_BYTES);
		assert_memory_equal(d->person, expected, VD_PERSON_BYTES);
		assert_int_equal(d->role, json_integer_value(json_object_get(v, "role")));
		assert_int_equal(d->flags, json_integer_value(json_object_get(v, "flags")));
		assert_int_equal(d->since_ms, json_integer_value(json_object_get(v, "since_ms")));
		assert_string_equal(d->name, names ? json_string_value(json_object_get(v, "name")) : "");
	}
}

static void test_group_vectors__reader_sees_this_group(void **state)
{
	(void)state;
	for (size_t p = 0; p < PEOPLE; p++) {
		struct vd_group *g = view_of(&written, group_id, &people[p]);
		bool member = p != CATA;

		assert_int_equal(vd_group_generation(g), RECORDS);
		assert_memory_equal(vd_group_current_epoch(g), epochs[0].id, VD_EPOCH_BYTES);
		assert_int_equal(vd_group_epoch_count(g), member ? 2 : 1);
		for (size_t e = 0; e < vd_group_epoch_count(g); e++) {
			assert_memory_equal(vd_group_epoch_id(g, e), epochs[e].id, VD_EPOCH_BYTES);
			for (int key = 0; key < VD_EPOCH_KEYS; key++) {
				const uint8_t *got = vd_group_key(g, epochs[e].id, (enum vd_epoch_key)key);

				assert_int_equal(got != NULL, member || key != VD_KEY_MEMBERS);
				assert_true(!got || !memcmp(got, epochs[e].keys.key[key], VD_KEY_BYTES));
			}
		}
		assert_string_equal(vd_group_name(g), member ? json_string_value(json_object_get(root, "name")) : "");
		check_devices(g, member);
		vd_group_free(g);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_group_vectors__makers_write_these_bytes),
		cmocka_unit_test(test_group_vectors__reader_sees_this_group),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
