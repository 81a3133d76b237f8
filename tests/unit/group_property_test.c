/* Membership is a function of the set of control records: random histories of several coordinators who know different parts
 * of the whole, arriving in any order, twice, early, with questions asked in between, end in one and the same state, and that
 * state is what PROTOCOL.md section 6 says, worked out a second time here, slowly. */
#include "group_fixture.h"

enum { ACTORS = 8, STEPS = 70, HISTORIES = 24, SHUFFLES = 12 };

struct world {
	struct dice dice;
	struct actor actors[ACTORS];
	struct actor backups[ACTORS];       /* a device may be restored from one, and then forks its chain */
	struct vd_group *views[ACTORS];
	struct history history;
	bool broken[4 * STEPS];             /* by history index: a field was left out */
	uint8_t id[VD_GROUP_BYTES];
};

static void learn(struct vd_group *g, struct vd_slice raw)
{
	struct vd_record r = decoded(raw);

	(void)!vd_group_add(g, &r); /* refused or not, the final states tell */
}

/* The content without one of its fields, any but `of`: no longer complete, whatever it was. */
static void break_content(struct world *w, struct vd_buf *content)
{
	struct vd_buf old = *content;
	struct vd_content c;
	uint32_t without, n = 0;

	if (vd_content_decode(vd_buf_slice(&old), &c))
		abort();
	do
		without = (uint32_t)dice_roll(&w->dice, c.count);
	while (vd_slice_eq(c.fields[without].name, vd_slice_str("of")));
	for (uint32_t i = 0; i < c.count; i++)
		if (i != without)
			c.fields[n++] = c.fields[i];
	memset(content, 0, sizeof(*content));
	if (vd_content_encode(c.kind, c.fields, n, content))
		abort();
	vd_buf_deinit(&old);
}

static int make_something(struct world *w, struct vd_group *view, struct vd_buf *content)
{
	static const char *const names[] = {"Ana", "Beto", "Cata", "Río", "Ñusta"};
	uint8_t random[VD_BODY_NONCE_BYTES];
	struct actor *about = &w->actors[dice_roll(&w->dice, ACTORS)];
	const char *name = names[dice_roll(&w->dice, 5)];
	struct vd_epoch_keys keys;
	struct vd_card card;

	dice_fill(&w->dice, random, sizeof(random));
	switch (dice_roll(&w->dice, 8)) {
	case 0:
		return vd_group_make_name(view, name, random, content);
	case 1:
		dice_fill(&w->dice, &keys, sizeof(keys));
		return vd_group_make_epoch(view, &keys, NULL, 0, content);
	case 2:
	case 3:
		if (!vd_group_epoch_count(view))
			return VD_EKEY;
		return vd_group_make_epoch_for(view, vd_group_epoch_id(view, dice_roll(&w->dice, vd_group_epoch_count(view))),
		                               about->identity.author, content);
	default:
		card = card_of(about);
		return vd_group_make_grant(view, &card, about->person, 1 + (enum vd_role)dice_roll(&w->dice, 4),
		                           (uint32_t)dice_roll(&w->dice, 2), name, random, content);
	}
}

static void write_record(struct world *w, size_t by, unsigned version, struct vd_buf *content)
{
	size_t at = w->history.count;

	if (dice_roll(&w->dice, 10) == 0)
		w->actors[by] = w->backups[by];
	if (dice_roll(&w->dice, 5) == 0)
		w->backups[by] = w->actors[by];
	if (dice_roll(&w->dice, 6) == 0) {
		break_content(w, content);
		w->broken[at] = true;
	}
	history_write(&w->history, &w->actors[by], w->id, version, VD_LANE_CONTROL, vd_buf_slice(content));
	vd_buf_deinit(content);
	learn(w->views[by], history_at(&w->history, at));
}

static void step(struct world *w)
{
	size_t by, with = dice_roll(&w->dice, ACTORS);
	struct vd_buf content = {0};

	/* Somebody hears some of what there is. */
	for (size_t i = 0; i < w->history.count; i++)
		if (dice_roll(&w->dice, 3))
			learn(w->views[with], history_at(&w->history, i));
	do
		by = dice_roll(&w->dice, ACTORS);
	while (!vd_group_may_control(w->views[by], w->actors[by].identity.author));
	/* One in six is signed by whoever, entitled or not. */
	if (make_something(w, w->views[by], &content) == 0)
		write_record(w, dice_roll(&w->dice, 6) ? by : with, dice_roll(&w->dice, 12) ? VD_VERSION : 2, &content);
	vd_buf_deinit(&content);
}

static void world_begin(struct world *w, uint64_t seed)
{
	struct vd_buf content = {0};
	struct vd_epoch_keys keys;

	memset(w, 0, sizeof(*w));
	w->dice.state = 0x9e3779b97f4a7c15 * (seed + 1);
	for (size_t i = 0; i < ACTORS; i++)
		w->actors[i] = w->backups[i] = actor_new(100 * seed + i);
	vd_group_make_id(w->actors[0].identity.author, salt, w->id);
	for (size_t i = 0; i < ACTORS; i++)
		w->views[i] = vd_group_new(w->id, &w->actors[i].identity);
	assert_int_equal(vd_group_make_founding(&w->actors[0].identity, w->actors[0].person, salt, &content), 0);
	history_control(&w->history, &w->actors[0], w->id, &content);
	learn(w->views[0], history_at(&w->history, 0));
	dice_fill(&w->dice, &keys, sizeof(keys));
	assert_int_equal(vd_group_make_epoch(w->views[0], &keys, NULL, 0, &content), 0);
	history_control(&w->history, &w->actors[0], w->id, &content);
	learn(w->views[0], history_at(&w->history, 1));
	w->backups[0] = w->actors[0];
}

static void world_end(struct world *w)
{
	for (size_t i = 0; i < ACTORS; i++)
		vd_group_free(w->views[i]);
	history_free(&w->history);
}

/* ---- the state, as bytes ---- */

static void put_device(struct vd_buf *out, const struct vd_device *d)
{
	vd_buf_put(out, d->author, sizeof(d->author));
	vd_buf_put(out, d->box, sizeof(d->box));
	vd_buf_put(out, d->person, sizeof(d->person));
	vd_buf_put_u8(out, (uint8_t)d->role);
	vd_buf_put_u32(out, d->flags);
	vd_buf_put(out, d->name, strlen(d->name) + 1);
	vd_buf_put_u64(out, d->since_ms);
	vd_buf_put_u8(out, d->coordinator_ever);
	vd_buf_put(out, d->grant.b, sizeof(d->grant.b));
}

static void put_state(struct vd_buf *out, struct vd_group *g)
{
	const uint8_t *salt_known = vd_group_salt(g), *current = vd_group_current_epoch(g);

	vd_buf_put_u64(out, vd_group_generation(g));
	vd_buf_put(out, salt_known, salt_known ? VD_SALT_BYTES : 0);
	vd_buf_put(out, current, current ? VD_EPOCH_BYTES : 0);
	vd_buf_put(out, vd_group_name(g), strlen(vd_group_name(g)) + 1);
	vd_buf_put_u8(out, (uint8_t)vd_group_role(g));
	for (size_t i = 0; i < vd_group_device_count(g); i++) {
		put_device(out, vd_group_device(g, i));
		assert_ptr_equal(vd_group_find(g, vd_group_device(g, i)->author), vd_group_device(g, i));
		assert_true(vd_group_is_author(g, vd_group_device(g, i)->author));
	}
	for (size_t i = 0; i < vd_group_epoch_count(g); i++) {
		const uint8_t *id = vd_group_epoch_id(g, i);

		vd_buf_put(out, id, VD_EPOCH_BYTES);
		vd_buf_put(out, vd_group_epoch_keys(g, i), sizeof(struct vd_epoch_keys));
		for (int key = 0; key < VD_EPOCH_KEYS; key++)
			vd_buf_put_u8(out, vd_group_key(g, id, (enum vd_epoch_key)key) != NULL);
	}
}

static void shuffle(struct dice *d, size_t *order, size_t n)
{
	for (size_t i = 0; i < n; i++)
		order[i] = i;
	for (size_t i = n; i > 1; i--) {
		size_t j = dice_roll(d, i), swap = order[i - 1];

		order[i - 1] = order[j];
		order[j] = swap;
	}
}

static void same_in_every_order(struct world *w, const struct vd_identity *us)
{
	struct vd_buf want = {0}, got = {0};
	size_t order[4 * STEPS];
	struct vd_group *g = vd_group_new(w->id, us);

	history_replay(&w->history, g, NULL);
	put_state(&want, g);
	vd_group_free(g);
	for (int round = 0; round < SHUFFLES; round++) {
		g = vd_group_new(w->id, us);
		shuffle(&w->dice, order, w->history.count);
		/* Some arrive early, with questions between; then all of them, some for the second time. */
		for (size_t i = 0; i < w->history.count; i++) {
			if (dice_roll(&w->dice, 3))
				learn(g, history_at(&w->history, order[i]));
			if (dice_roll(&w->dice, 9) == 0) {
				put_state(&got, g);
				vd_buf_reset(&got);
			}
		}
		shuffle(&w->dice, order, w->history.count);
		history_replay(&w->history, g, order);
		put_state(&got, g);
		assert_int_equal(got.n, want.n);
		assert_memory_equal(got.p, want.p, want.n);
		vd_buf_reset(&got);
		vd_group_free(g);
	}
	vd_buf_deinit(&want);
	vd_buf_deinit(&got);
}

/* ---- the same again, slowly ---- */

struct slow {
	struct vd_record r;
	struct vd_content c;
	bool in, counts;
	uint32_t depth;
};

static bool is_kind(const struct slow *s, const char *kind)
{
	return s->in && s->counts && vd_slice_eq(s->c.kind, vd_slice_str(kind));
}

static bool grants_to(const struct slow *s, const uint8_t *device)
{
	const struct vd_value *to;

	if (is_kind(s, "group") && vd_content_find(&s->c, "salt"))
		return memcmp(s->r.author, device, VD_KEY_BYTES) == 0;
	if (!is_kind(s, "grant"))
		return false;
	to = vd_content_get(&s->c, "device", VD_MP_BIN, VD_KEY_BYTES);
	return memcmp(to->bytes.p, device, VD_KEY_BYTES) == 0;
}

static bool makes_coordinator(const struct slow *s, const uint8_t *device)
{
	if (!grants_to(s, device))
		return false;
	return is_kind(s, "group") || vd_content_get(&s->c, "role", VD_MP_UINT, 0)->number == VD_ROLE_COORDINATOR;
}

static bool names(const struct slow *a, const struct slow *b)
{
	const struct vd_value *seen = vd_content_get(&a->c, "seen", VD_MP_ARRAY, 0);
	struct vd_value item;
	struct vd_rd r;

	if (a->r.has_prev && memcmp(a->r.prev.b, b->r.id.b, VD_ID_BYTES) == 0)
		return true;
	if (!seen || a->r.version != VD_VERSION)
		return false;
	r = vd_value_items(seen);
	while (vd_value_next(&r, &item))
		if (memcmp(item.bytes.p, b->r.id.b, VD_ID_BYTES) == 0)
			return true;
	return false;
}

/* Who is in, then how deep: each until nothing changes any more. */
static void work_out(const struct world *w, struct slow *s, size_t n)
{
	bool moved;

	for (size_t i = 0; i < n; i++) {
		s[i].r = decoded(history_at(&w->history, i));
		assert_int_equal(vd_content_decode(s[i].r.body, &s[i].c), 0);
		s[i].counts = !w->broken[i] && s[i].r.version == VD_VERSION;
		s[i].in = i == 0;
	}
	do {
		moved = false;
		for (size_t i = 0; i < n; i++)
			for (size_t j = 0; j < n && !s[i].in; j++)
				if (makes_coordinator(&s[j], s[i].r.author))
					moved = s[i].in = true;
	} while (moved);
	do {
		moved = false;
		for (size_t i = 0; i < n; i++) {
			uint32_t depth = s[i].in;

			for (size_t j = 0; j < n && s[i].in; j++)
				if (s[j].in && names(&s[i], &s[j]) && s[j].depth >= depth)
					depth = s[j].depth + 1;
			moved |= depth != s[i].depth;
			s[i].depth = depth;
		}
	} while (moved);
}

static bool beats(const struct slow *a, const struct slow *b)
{
	return !b || a->depth > b->depth || (a->depth == b->depth && memcmp(a->r.id.b, b->r.id.b, VD_ID_BYTES) > 0);
}

static void as_the_specification_says(struct world *w)
{
	size_t n = w->history.count, in = 0;
	struct slow *s = calloc(n, sizeof(*s));
	const struct slow *epoch = NULL;
	struct vd_group *g = view_of(&w->history, w->id, NULL);

	assert_non_null(s);
	work_out(w, s, n);
	for (size_t i = 0; i < n; i++) {
		in += s[i].in;
		if (is_kind(&s[i], "epoch") && !vd_content_find(&s[i].c, "of") && beats(&s[i], epoch))
			epoch = &s[i];
	}
	assert_int_equal(vd_group_generation(g), in);
	assert_memory_equal(vd_group_current_epoch(g), epoch->r.id.b, VD_EPOCH_BYTES);
	for (size_t a = 0; a < ACTORS; a++) {
		const uint8_t *key = w->actors[a].identity.author;
		const struct slow *holds = NULL;
		bool coordinates = false;

		for (size_t i = 0; i < n; i++) {
			coordinates |= makes_coordinator(&s[i], key);
			if (grants_to(&s[i], key) && beats(&s[i], holds))
				holds = &s[i];
		}
		assert_int_equal(vd_group_is_author(g, key), holds != NULL);
		assert_int_equal(vd_group_may_control(g, key), coordinates);
		if (holds)
			assert_memory_equal(vd_group_find(g, key)->grant.b, holds->r.id.b, VD_ID_BYTES);
	}
	vd_group_free(g);
	free(s);
}

static void test_group_property__order_does_not_matter(void **state)
{
	size_t records = 0, epochs = 0, devices = 0;

	(void)state;
	for (uint64_t seed = 0; seed < HISTORIES; seed++) {
		struct world w;

		world_begin(&w, seed);
		for (int i = 0; i < STEPS; i++)
			step(&w);
		for (size_t a = 0; a < ACTORS; a += 3)
			same_in_every_order(&w, &w.actors[a].identity);
		same_in_every_order(&w, NULL);
		as_the_specification_says(&w);
		records += w.history.count;
		devices += vd_group_device_count(w.views[0]);
		epochs += vd_group_epoch_count(w.views[0]);
		world_end(&w);
	}
	/* The histories are worth the trouble. */
	assert_in_range(records, HISTORIES * 25, HISTORIES * STEPS);
	assert_in_range(devices, HISTORIES * 5, HISTORIES * ACTORS);
	assert_in_range(epochs, HISTORIES * 2, HISTORIES * STEPS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_group_property__order_does_not_matter),
	};

	if (vd_sign_selftest())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
