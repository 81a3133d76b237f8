/* Whatever happened, and in whatever order it became known: all who know the same show the same, hide the same and keep the same bodies. */
#include "tests/unit/view_cast.h"
#include "store/tend_inside.h"

enum { DAY = 86400000, WORLDS = 5, ORDERS = 4, STEPS = 70, ACTORS = 6, COORDINATORS = 3, OBSERVERS = 2 };

static uint32_t dice;

static uint32_t roll(uint32_t sides)
{
	dice = dice * 1664525u + 1013904223u;
	return (dice >> 8) % sides;
}

/* What the actor's own software refuses is not done. */
static void try_act(struct village *v, size_t by, struct vd_buf *content, int made, struct vd_id *id)
{
	if (made)
		vd_buf_deinit(content);
	else
		*id = village_act(v, by, content);
}

static void try_revoke(struct village *v, size_t by, struct vd_id *last)
{
	uint8_t device[1][VD_KEY_BYTES], nonce[VD_BODY_NONCE_BYTES] = { 8 };
	struct vd_removal removal = { .devices = (const uint8_t(*)[VD_KEY_BYTES])device, .device_count = 1, .reason = "lost" };
	struct vd_epoch_keys keys = { .key = { { (uint8_t)roll(256) }, { (uint8_t)roll(256), 2 }, { (uint8_t)roll(256), 3 } } };
	struct vd_id ids[VD_LANES][VD_LIST_MAX];
	struct vd_buf content = { 0 };
	size_t whom = 1 + roll(ACTORS - 1);

	if (whom == by)
		return;
	memcpy(device[0], village_author(v, whom), VD_KEY_BYTES);
	for (size_t i = roll(3); i > 0 && v->named_count; i--) {
		uint8_t lane = roll(4) ? VD_LANE_NORMAL : VD_LANE_URGENT;

		ids[lane][removal.head_count[lane]++] = v->named[roll((uint32_t)v->named_count)].id; /* anybody's, known or not */
	}
	for (size_t lane = 0; lane < VD_LANES; lane++)
		removal.heads[lane] = ids[lane];
	try_act(v, by, &content, vd_group_make_revoke(v->g[by], &removal, &keys, nonce, &content), last);
}

static void step(struct village *v, struct vd_id *last, bool *acted)
{
	size_t by = roll(ACTORS), coordinator = roll(COORDINATORS);
	uint8_t nonce[VD_BODY_NONCE_BYTES] = { 5 };
	struct vd_buf content = { 0 };
	struct vd_id about = { { 0 } };
	char name[16];

	snprintf(name, sizeof(name), "%zu.%zu", by, v->named_count);
	if (v->named_count)
		about = v->named[roll((uint32_t)v->named_count)].id;
	switch (roll(12)) {
	case 0: case 1: case 2:
		village_say(v, by, name);
		break;
	case 3: case 4: case 5:
		if (v->named_count)
			village_write(v, by, VD_LANE_URGENT, "redaction", name, &about, ++v->clock);
		break;
	case 6:
		try_act(v, coordinator, &content, vd_group_make_review(v->g[coordinator], &about, roll(2), &content), last);
		break;
	case 7:
		try_revoke(v, coordinator, last);
		*acted = true;
		break;
	case 8:
		if (*acted)
			try_act(v, coordinator, &content, vd_group_make_approve(v->g[coordinator], last, &content), &about);
		break;
	case 9:
		try_act(v, coordinator, &content,
		        vd_group_make_restore(v->g[coordinator], village_author(v, 1 + roll(ACTORS - 1)), nonce, &content), &about);
		break;
	default: {
		size_t to = roll(ACTORS);
		struct vd_merge merge;

		if (to != by)
			cast_carry(v->s[by], v->s[to], v->g[to], &merge);
	}
	}
}

struct order {
	struct vd_slice *raws;
	size_t count;
	struct vd_batch all;
};

static void merge_run(struct vd_store *s, struct vd_group *g, const struct vd_slice *raws, size_t count, struct vd_merge *merge)
{
	struct vd_batch batch = { 0 };

	for (size_t i = 0; i < count; i++)
		assert_int_equal(vd_batch_add(&batch, raws[i]), 0);
	assert_int_equal(vd_store_merge(s, g, &batch, merge), 0);
	vd_batch_deinit(&batch);
}

/* All that is shown, all that is not and why, and whose bodies are left in the end. */
struct outcome {
	struct village_view shown, held, bodies;
};

static int see_body(void *ctx, const struct vd_found *found)
{
	return found->record->stub ? 0 : village_see(ctx, found);
}

static void observe(struct village *v, size_t observer, struct order *o, struct outcome *out)
{
	struct vd_tended tended = { 0 };
	struct vd_check check;
	struct vd_merge merge;

	for (size_t i = o->count; i > 1; i--) {
		size_t j = roll((uint32_t)i);
		struct vd_slice kept = o->raws[j];

		o->raws[j] = o->raws[i - 1];
		o->raws[i - 1] = kept;
	}
	for (size_t at = 0, n; at < o->count; at += n) {
		n = 1 + roll(12);
		n = n < o->count - at ? n : o->count - at;
		merge_run(v->s[observer], v->g[observer], o->raws + at, n, &merge);
		if (!roll(3))
			assert_int_equal(vd_index_catch_up(v->s[observer]), 0);
		if (!roll(6))
			assert_int_equal(vd_tend_bodies(v->s[observer], v->id, v->clock, &tended), 0);
	}
	do {
		merge = (struct vd_merge){ 0 };
		merge_run(v->s[observer], v->g[observer], o->raws, o->count, &merge);
	} while (merge.fresh);
	assert_int_equal(tended.redacted, 0);
	village_text(v, observer, &(struct vd_query){ 0 }, &out->shown);
	village_text(v, observer, &(struct vd_query){ .hidden = true }, &out->held);
	for (uint64_t day = 1; day <= 31; day += 5)
		assert_int_equal(vd_tend_bodies(v->s[observer], v->id, vd_now_ms() + day * DAY, &tended), 0);
	out->bodies = (struct village_view){ .v = v };
	assert_int_equal(vd_query(v->s[observer], &(struct vd_query){ .hidden = true }, see_body, &out->bodies), 0);
	assert_int_equal(vd_index_catch_up(v->s[observer]), 0);
	assert_int_equal(vd_check(v->s[observer], false, &check), 0);
	assert_int_equal(check.bad + check.derived_bad, 0);
}

static void copy_home(const char *from, const char *to)
{
	char command[1024];

	snprintf(command, sizeof(command), "rm -rf %s && cp -r %s %s", to, from, to);
	assert_int_equal(system(command), 0);
}

static void reopen(struct village *v, size_t i, const char *home)
{
	vd_group_free(v->g[i]);
	vd_store_close(v->s[i]);
	v->g[i] = NULL;
	v->s[i] = NULL;
	if (!home)
		return;
	assert_int_equal(vd_store_open(home, &v->s[i]), 0);
	assert_int_equal(vd_store_group(v->s[i], v->id, &v->g[i]), 0);
}

/* Every device does what it does unasked, and hears of the others', until nothing is left to do. */
static size_t tend_all(struct village *v)
{
	size_t did, all = 0, rounds = 0;

	do {
		did = 0;
		village_sync(v);
		for (size_t i = 0; i < v->count; i++) {
			struct vd_tended tended = { 0 };

			assert_int_equal(vd_store_tend(v->s[i], v->g[i], ++v->clock, &tended), 0);
			did += tended.epoch_made + tended.sealed_to + tended.handed;
		}
		all += did;
		assert_true(rounds++ < 12);
	} while (did);
	return all;
}

/* Who has the same role opens the same. */
static void same_bodies(struct village *v)
{
	int opens[CAST_STORES][CAST_NAMES] = { { 0 } };

	for (size_t i = 0; i < v->count; i++) {
		for (size_t at = 0; at < v->named_count; at++) {
			struct vd_buf raw = { 0 }, body = { 0 };
			struct vd_record record;
			uint64_t arrival;

			assert_int_equal(vd_store_find(v->s[i], &v->named[at].id, &arrival), 0);
			assert_int_equal(vd_store_read(v->s[i], arrival, &raw, &record, NULL), 0);
			opens[i][at] = vd_group_open_body(v->g[i], &record, &body);
			vd_buf_deinit(&raw);
			vd_buf_deinit(&body);
		}
	}
	for (size_t i = 0; i < v->count; i++)
		for (size_t j = 0; j < i; j++) {
			enum vd_role role = vd_group_role(v->g[i]), other = vd_group_role(v->g[j]);

			if (role == VD_ROLE_NONE || other == VD_ROLE_NONE || (role == VD_ROLE_COURIER) != (other == VD_ROLE_COURIER))
				continue;
			for (size_t at = 0; at < v->named_count; at++) /* but what was redacted went from some */
				assert_true(opens[i][at] == opens[j][at] || opens[i][at] == VD_ENOTFOUND || opens[j][at] == VD_ENOTFOUND);
		}
}

static void live(const struct cast_place *p, uint32_t seed, size_t *hidden, size_t *tended)
{
	static struct outcome first, other;
	struct order order = { 0 };
	struct vd_id last = { { 0 } };
	bool acted = false, have = false;
	struct village v;
	char home[256], top[64];
	struct cast_place place = *p;

	dice = seed;
	snprintf(top, sizeof(top), "%.40s/w%u", p->top, seed);
	snprintf(place.top, sizeof(place.top), "%s", top);
	village_start(&v, &place);
	for (uint8_t i = 1; i < ACTORS; i++)
		village_join(&v, i < COORDINATORS ? VD_ROLE_COORDINATOR : VD_ROLE_MEMBER, i == 4 ? 3 : i);
	village_join(&v, VD_ROLE_MEMBER, 10);
	village_join(&v, VD_ROLE_COURIER, 11);
	village_sync(&v);
	for (int i = 0; i < STEPS; i++)
		step(&v, &last, &acted);
	for (size_t i = 0; i < ACTORS; i++)
		cast_gather(v.s[i], 255, &order.all);
	vd_batch_seal(&order.all);
	order.count = order.all.count;
	order.raws = calloc(order.count, sizeof(*order.raws));
	for (size_t i = 0; i < order.count; i++)
		order.raws[i] = order.all.entries[i].record.raw;
	for (size_t observer = ACTORS; observer < ACTORS + OBSERVERS; observer++) {
		reopen(&v, observer, NULL);
		for (int i = 0; i < ORDERS; i++) {
			snprintf(home, sizeof(home), "%s/copy%zu.%d", top, observer, i);
			copy_home(v.home[observer], home);
			reopen(&v, observer, home);
			observe(&v, observer, &order, have ? &other : &first);
			if (have) {
				assert_string_equal(other.shown.text, first.shown.text);
				assert_string_equal(other.held.text, first.held.text);
				assert_string_equal(other.bodies.text, first.bodies.text);
			}
			have = true;
		}
	}
	*tended += tend_all(&v);
	same_bodies(&v);
	*hidden += strlen(first.held.text) > strlen(first.shown.text);
	for (size_t i = 0; i < v.count; i++)
		reopen(&v, i, NULL);
	free(order.raws);
	vd_batch_deinit(&order.all);
}

static void test_view__the_same_in_every_order(void **state)
{
	size_t hidden = 0, tended = 0;

	for (uint32_t seed = 1; seed <= WORLDS; seed++)
		live(*state, seed, &hidden, &tended);
	assert_true(hidden > WORLDS / 2); /* or it would prove nothing */
	assert_true(tended > WORLDS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_view__the_same_in_every_order, cast_setup, cast_teardown),
	};

	if (vd_sign_selftest())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
