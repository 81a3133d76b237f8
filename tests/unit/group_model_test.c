/* tests/vectors/membership.json: groups that quarrel, as a second implementation written from PROTOCOL.md judges them the slow and
 * literal way. Ours comes to the same, in whatever order the records come. `group_model_test FILE` reads another file of that form. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "proto/err.h"
#include "proto/group.h"
#include "proto/sign.h"

enum { PEOPLE = 5, RECORDS_MAX = 64, ORDERS = 12 };

static const char *path = "tests/vectors/membership.json";
static json_t *root;
static struct vd_identity people[PEOPLE];

static void unhex(const json_t *hex, void *out, size_t n)
{
	size_t got = 0;

	if (vd_unhex(out, n, json_string_value(hex), &got) || got != n)
		abort();
}

static int setup(void **state)
{
	uint8_t seed[VD_IDENTITY_SEED_BYTES];
	json_error_t error;

	(void)state;
	root = json_load_file(path, 0, &error);
	if (!root) {
		print_error("%s: %s (run from the top of the sources)\n", error.source, error.text);
		return -1;
	}
	for (size_t i = 0; i < PEOPLE; i++) {
		unhex(json_array_get(json_object_get(root, "seeds"), i), seed, sizeof(seed));
		vd_identity_from_seed(seed, &people[i]);
	}
	return vd_sign_selftest();
}

static int teardown(void **state)
{
	(void)state;
	json_decref(root);
	return 0;
}

struct history {
	const json_t *expected;
	uint8_t *raw[RECORDS_MAX];
	struct vd_record records[RECORDS_MAX];
	size_t count;
};

static void history_load(struct history *h, const json_t *c)
{
	const json_t *records = json_object_get(c, "records");

	*h = (struct history){ .expected = c, .count = json_array_size(records) };
	assert_true(h->count <= RECORDS_MAX);
	for (size_t i = 0; i < h->count; i++) {
		const json_t *hex = json_array_get(records, i);
		size_t n = json_string_length(hex) / 2;

		h->raw[i] = malloc(n);
		assert_non_null(h->raw[i]);
		unhex(hex, h->raw[i], n);
		assert_int_equal(vd_record_decode(vd_slice(h->raw[i], n), &h->records[i]), 0);
	}
}

static void history_free(struct history *h)
{
	for (size_t i = 0; i < h->count; i++)
		free(h->raw[i]);
}

static uint32_t chance(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

/* All records in a random order, offering again what had to wait. `ask`: questions in between must not matter. */
static struct vd_group *gather(const struct history *h, uint32_t *random, bool ask)
{
	uint8_t group[VD_GROUP_BYTES];
	size_t order[RECORDS_MAX], left = h->count;
	struct vd_group *g;

	unhex(json_object_get(h->expected, "group"), group, sizeof(group));
	g = vd_group_new(group, &people[0]);
	assert_non_null(g);
	for (size_t i = 0; i < h->count; i++)
		order[i] = i;
	for (size_t i = h->count; i > 1; i--) {
		size_t j = chance(random) % i, swap = order[i - 1];

		order[i - 1] = order[j];
		order[j] = swap;
	}
	for (size_t turn = 0; left && turn <= h->count; turn++) {
		size_t kept = 0;

		for (size_t i = 0; i < left; i++) {
			int rc = vd_group_add(g, &h->records[order[i]]);

			assert_true(rc == 0 || rc == VD_EAUTHOR);
			if (rc)
				order[kept++] = order[i];
			if (ask)
				(void)vd_group_role(g);
		}
		left = kept;
	}
	assert_int_equal(left, 0);
	return g;
}

static uint64_t number(const json_t *object, const char *name)
{
	return (uint64_t)json_integer_value(json_object_get(object, name));
}

static void same_heads(struct vd_group *g, const uint8_t *author, uint8_t lane, const json_t *expected)
{
	const struct vd_id *ids;
	size_t n = vd_group_accepted(g, author, lane, &ids);

	assert_int_equal(n, json_array_size(expected));
	for (size_t i = 0; i < n; i++) {
		struct vd_id id;
		bool found = false;

		unhex(json_array_get(expected, i), id.b, sizeof(id.b));
		for (size_t j = 0; j < n; j++)
			found |= memcmp(ids[j].b, id.b, sizeof(id.b)) == 0;
		assert_true(found);
	}
}

static bool lacks(struct vd_group *g, const uint8_t *author)
{
	const struct vd_device *d;

	for (size_t i = 0; (d = vd_group_epoch_lacks(g, i)); i++)
		if (memcmp(d->author, author, VD_KEY_BYTES) == 0)
			return true;
	return false;
}

static void same_devices(struct vd_group *g, const json_t *expected)
{
	assert_int_equal(vd_group_device_count(g), json_array_size(expected));
	for (size_t i = 0; i < json_array_size(expected); i++) {
		const json_t *e = json_array_get(expected, i);
		const uint8_t *author = people[number(e, "device")].author;
		const struct vd_device *d = vd_group_device(g, i); /* by first grant in control order */
		uint8_t person[VD_PERSON_BYTES];

		assert_memory_equal(d->author, author, VD_KEY_BYTES);
		assert_int_equal(d->role, number(e, "role"));
		assert_int_equal(d->most, number(e, "most"));
		unhex(json_object_get(e, "person"), person, sizeof(person));
		assert_memory_equal(d->person, person, sizeof(person));
		assert_int_equal(d->focal, json_is_true(json_object_get(e, "focal")));
		assert_int_equal(lacks(g, author), json_is_true(json_object_get(e, "lacks")));
		assert_int_equal(vd_group_may_connect(g, author), d->role != VD_ROLE_NONE);
		assert_true(vd_group_is_author(g, author));
		same_heads(g, author, 0, json_object_get(e, "accepted0"));
		same_heads(g, author, 1, json_object_get(e, "accepted1"));
	}
}

static void same_acts(struct vd_group *g, const json_t *expected)
{
	assert_int_equal(vd_group_act_count(g), json_array_size(expected));
	for (size_t i = 0; i < json_array_size(expected); i++) {
		const json_t *e = json_array_get(expected, i);
		const struct vd_act *act = vd_group_act(g, i);
		uint8_t id[8];

		unhex(json_object_get(e, "id"), id, sizeof(id));
		assert_memory_equal(act->id.b, id, sizeof(id));
		assert_int_equal(act->counts, json_is_true(json_object_get(e, "counts")));
	}
}

static void same_epoch(struct vd_group *g, const json_t *expected)
{
	uint8_t epoch[VD_EPOCH_BYTES];

	if (!json_string_length(json_object_get(expected, "epoch"))) {
		assert_null(vd_group_current_epoch(g));
		return;
	}
	unhex(json_object_get(expected, "epoch"), epoch, sizeof(epoch));
	assert_memory_equal(vd_group_current_epoch(g), epoch, sizeof(epoch));
	assert_int_equal(vd_group_epoch_clean(g), json_is_true(json_object_get(expected, "clean")));
}

static void test_model__every_order_comes_to_the_same(void **state)
{
	const json_t *cases = json_object_get(root, "cases");
	uint32_t random = 2463534242;

	(void)state;
	assert_true(json_array_size(cases) > 0);
	for (size_t i = 0; i < json_array_size(cases); i++) {
		const json_t *c = json_array_get(cases, i);
		struct history h;

		print_message("# %s\n", json_string_value(json_object_get(c, "name")));
		history_load(&h, c);
		for (int turn = 0; turn < ORDERS; turn++) {
			struct vd_group *g = gather(&h, &random, turn % 2);

			same_devices(g, json_object_get(c, "devices"));
			same_acts(g, json_object_get(c, "acts"));
			same_epoch(g, c);
			vd_group_free(g);
		}
		history_free(&h);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_model__every_order_comes_to_the_same) };

	if (argc > 1)
		path = argv[1];
	return cmocka_run_group_tests(tests, setup, teardown);
}
