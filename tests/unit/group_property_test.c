/* Membership is a function of the set of control records: random histories of several coordinators who know different parts
 * of the whole, arriving in any order, twice, early, with questions asked in between, end in one and the same state, and that
 * state is what PROTOCOL.md section 6 says, worked out a second time here, slowly. */
#include "group_cast.h"
#include "group_slow.h"

enum { ACTORS = SLOW_DEVICES, STEPS = 70, HISTORIES = 40, SHUFFLES = 12 };

struct world {
	struct dice dice;
	struct actor actors[ACTORS];
	struct actor backups[ACTORS];       /* a device may be restored from one, and then forks its chain */
	struct vd_group *views[ACTORS];
	struct history history;
	bool broken[4 * STEPS];             /* by history index: a field was left out */
	bool odd[4 * STEPS];                /* … its author knew something else than what the content rests on */
	uint8_t id[VD_GROUP_BYTES];
};

static void learn(struct vd_group *g, struct vd_slice raw)
{
	struct vd_record r = decoded(raw);

	(void)!vd_group_add(g, &r); /* refused or not, the final states tell */
}

/* The content without one of its fields, any that it needs: no longer complete, whatever it was. */
static void break_content(struct world *w, struct vd_buf *content)
{
	struct vd_buf old = *content;
	struct vd_content c;
	uint32_t without, n = 0;

	if (vd_content_decode(vd_buf_slice(&old), &c))
		abort();
	do
		without = (uint32_t)dice_roll(&w->dice, c.count);
	while (vd_slice_eq(c.fields[without].name, vd_slice_str("of")) ||
	       (vd_slice_eq(c.kind, vd_slice_str("revoke")) && vd_slice_eq(c.fields[without].name, vd_slice_str("person"))));
	for (uint32_t i = 0; i < c.count; i++)
		if (i != without)
			c.fields[n++] = c.fields[i];
	memset(content, 0, sizeof(*content));
	if (vd_content_encode(c.kind, c.fields, n, content))
		abort();
	vd_buf_deinit(&old);
}

/* An act, preferably one that others may be glad of. */
static struct vd_id some_act(struct world *w, struct vd_group *view)
{
	struct vd_id id = {{0}};

	for (int i = 0; i < 8 && vd_group_act_count(view); i++) {
		const struct vd_act *a = vd_group_act(view, dice_roll(&w->dice, vd_group_act_count(view)));

		id = a->id;
		if (a->kind == VD_ACT_REVOKE || (a->kind == VD_ACT_GRANT && i > 3))
			break;
	}
	return id;
}

/* The content as by one who pretends to have seen nothing. */
static void forge_seen(struct vd_buf *content)
{
	struct vd_buf old = *content;
	struct vd_content c;

	if (vd_content_decode(vd_buf_slice(&old), &c))
		abort();
	for (uint32_t i = 0; i < c.count; i++)
		if (vd_slice_eq(c.fields[i].name, vd_slice_str("seen")))
			c.fields[i].value = (struct vd_value){VD_MP_ARRAY, vd_slice(NULL, 0), 0};
	memset(content, 0, sizeof(*content));
	if (vd_content_encode(c.kind, c.fields, c.count, content))
		abort();
	vd_buf_deinit(&old);
}

static int make_revoke(struct world *w, struct vd_group *view, struct actor *about, const uint8_t *random, struct vd_buf *content)
{
	struct vd_removal removal = {.devices = (const uint8_t (*)[VD_KEY_BYTES])about->identity.author, .device_count = 1,
	                             .person = dice_roll(&w->dice, 2) ? about->person : NULL, .reason = "why"};
	struct vd_id heads[2], anything = {{1}};
	struct vd_epoch_keys keys;

	dice_fill(&w->dice, &keys, sizeof(keys));
	for (size_t i = 0; i < vd_group_act_count(view); i++)
		if (memcmp(vd_group_act(view, i)->author, about->identity.author, VD_KEY_BYTES) == 0) {
			heads[0] = vd_group_act(view, i)->id;
			removal.head_count[0] = 1;
		}
	/* Or one half of what it did, or nothing, or another's acts. */
	if (dice_roll(&w->dice, 4) == 0)
		removal.head_count[0] = 0;
	heads[removal.head_count[0]] = some_act(w, view);
	removal.head_count[0] += dice_roll(&w->dice, 3) == 0;
	removal.heads[0] = heads;
	anything.b[1] = (uint8_t)dice_roll(&w->dice, 4);
	removal.heads[2] = &anything;
	removal.head_count[2] = dice_roll(&w->dice, 2);
	return vd_group_make_revoke(view, &removal, &keys, random, content);
}

static int make_grant(struct world *w, struct vd_group *view, struct actor *about, const uint8_t *random, struct vd_buf *content)
{
	static const char *const names[] = {"Ana", "Beto", "Cata", "Río", "Ñusta"};
	const struct actor *person = dice_roll(&w->dice, 6) ? about : &w->actors[dice_roll(&w->dice, ACTORS)];
	enum vd_role role = dice_roll(&w->dice, 2) ? VD_ROLE_COORDINATOR : 1 + (enum vd_role)dice_roll(&w->dice, 4);
	struct vd_card card = card_of(about);

	return vd_group_make_grant(view, &card, person->person, role, (uint32_t)dice_roll(&w->dice, 2), names[dice_roll(&w->dice, 5)],
	                           random, content);
}

static int make_something(struct world *w, struct vd_group *view, struct vd_buf *content)
{
	uint8_t random[VD_BODY_NONCE_BYTES];
	struct actor *about = &w->actors[dice_roll(&w->dice, ACTORS)];
	struct vd_epoch_keys keys;
	struct vd_id id;

	dice_fill(&w->dice, random, sizeof(random));
	switch (dice_roll(&w->dice, 16)) {
	case 0:
		return vd_group_make_name(view, "Ours", random, content);
	case 1:
		dice_fill(&w->dice, &keys, sizeof(keys));
		return vd_group_make_epoch(view, &keys, NULL, 0, content);
	case 2:
	case 3:
		if (!vd_group_epoch_count(view))
			return VD_EKEY;
		return vd_group_make_epoch_for(view, vd_group_epoch_id(view, dice_roll(&w->dice, vd_group_epoch_count(view))),
		                               about->identity.author, content);
	case 4:
	case 5:
	case 6:
		return make_revoke(w, view, about, random, content);
	case 7:
	case 8:
	case 9:
		id = some_act(w, view);
		return vd_group_make_approve(view, &id, content);
	case 10:
		return vd_group_make_restore(view, about->identity.author, random, content);
	case 11:
		id = (struct vd_id){{(uint8_t)dice_roll(&w->dice, 3)}};
		return vd_group_make_review(view, &id, dice_roll(&w->dice, 2), content);
	default:
		return make_grant(w, view, about, random, content);
	}
}

static void write_record(struct world *w, size_t by, unsigned version, struct vd_buf *content)
{
	size_t at = w->history.count;

	if (dice_roll(&w->dice, 10) == 0)
		w->actors[by] = w->backups[by];
	if (dice_roll(&w->dice, 5) == 0)
		w->backups[by] = w->actors[by];
	if (dice_roll(&w->dice, 12) == 0) {
		break_content(w, content);
		w->broken[at] = true;
	}
	/* One in eight pretends to stand early, or to follow another's. */
	if (dice_roll(&w->dice, 8) == 0) {
		w->actors[by].seq = dice_roll(&w->dice, 2) ? 0 : w->actors[by].seq;
		w->actors[by].prev = some_act(w, w->views[by]);
		forge_seen(content);
		w->odd[at] = true;
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
	if (make_something(w, w->views[by], &content) == 0) {
		size_t signer = dice_roll(&w->dice, 6) ? by : with;

		w->odd[w->history.count] |= signer != by;
		write_record(w, signer, dice_roll(&w->dice, 12) ? VD_VERSION : 2, &content);
	}
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
	for (size_t i = 1; i <= 3 + seed % 2; i++) {
		struct vd_card card = card_of(&w->actors[i]);

		assert_int_equal(vd_group_make_grant(w->views[0], &card, w->actors[i].person, VD_ROLE_COORDINATOR, 0, "one", nonce, &content), 0);
		history_control(&w->history, &w->actors[0], w->id, &content);
		learn(w->views[0], history_at(&w->history, w->history.count - 1));
		assert_int_equal(vd_group_make_epoch_for(w->views[0], vd_group_epoch_id(w->views[0], 0), card.author, &content), 0);
		history_control(&w->history, &w->actors[0], w->id, &content);
		learn(w->views[0], history_at(&w->history, w->history.count - 1));
	}
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
	vd_buf_put_u8(out, (uint8_t)d->most);
	vd_buf_put_u8(out, d->focal);
	vd_buf_put_u8(out, d->removed);
	vd_buf_put_u8(out, d->forked);
	vd_buf_put(out, d->grant.b, sizeof(d->grant.b));
	vd_buf_put(out, d->revoke.b, sizeof(d->revoke.b));
}

static void put_acts(struct vd_buf *out, struct vd_group *g)
{
	for (size_t i = 0; i < vd_group_act_count(g); i++) {
		const struct vd_act *a = vd_group_act(g, i);

		vd_buf_put_u8(out, (uint8_t)a->kind);
		vd_buf_put(out, a->id.b, sizeof(a->id.b));
		vd_buf_put(out, a->author, sizeof(a->author));
		vd_buf_put_u64(out, a->time_ms);
		vd_buf_put_u8(out, (uint8_t)(a->counts | a->continues << 1 | a->backed << 2 | a->accept << 3));
		vd_buf_put_u32(out, a->approvals);
		vd_buf_put_u8(out, (uint8_t)a->role);
		vd_buf_put(out, a->device, a->device ? VD_KEY_BYTES : 0);
		vd_buf_put(out, a->person, a->person ? VD_PERSON_BYTES : 0);
		vd_buf_put(out, a->about.b, sizeof(a->about.b));
	}
}

/* Accepted heads, links to mask with, whom the epoch lacks, reviews. */
static void put_answers(struct vd_buf *out, struct vd_group *g)
{
	for (size_t i = 0; i < vd_group_device_count(g); i++) {
		const uint8_t *author = vd_group_device(g, i)->author, *mask = vd_group_mask_link(g, author);

		vd_buf_put(out, mask, mask ? VD_KEY_BYTES : 0);
		for (uint8_t lane = 0; lane < VD_LANES; lane++) {
			const struct vd_id *ids;
			size_t n = vd_group_accepted(g, author, lane, &ids);

			vd_buf_put(out, ids, n * sizeof(*ids));
		}
	}
	for (size_t i = 0; vd_group_epoch_lacks(g, i); i++)
		vd_buf_put(out, vd_group_epoch_lacks(g, i)->author, VD_KEY_BYTES);
	for (uint8_t i = 0; i < 3; i++) {
		struct vd_id id = {{i}};

		vd_buf_put_u8(out, (uint8_t)vd_group_reviewed(g, &id));
	}
}

static void put_state(struct vd_buf *out, struct vd_group *g)
{
	const uint8_t *salt_known = vd_group_salt(g), *current = vd_group_current_epoch(g);

	vd_buf_put_u64(out, vd_group_generation(g));
	vd_buf_put(out, salt_known, salt_known ? VD_SALT_BYTES : 0);
	vd_buf_put(out, current, current ? VD_EPOCH_BYTES : 0);
	vd_buf_put_u8(out, vd_group_epoch_clean(g));
	put_acts(out, g);
	put_answers(out, g);
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

static void same_device(struct slow_set *w, struct vd_group *g, int who)
{
	const struct vd_device *d = vd_group_find(g, w->keys[who]);
	int held = slow_said(w, who, false), named = slow_said(w, who, true), revoke = -1;
	bool forked = false;

	assert_int_equal(d != NULL, held >= 0);
	if (!d)
		return;
	assert_int_equal(d->role, slow_role(w, who, false));
	assert_int_equal(d->most, slow_role(w, who, true));
	assert_memory_equal(d->grant.b, w->s[held].r.id.b, VD_ID_BYTES);
	assert_memory_equal(d->person, w->s[named].person, VD_PERSON_BYTES);
	assert_int_equal(d->coordinator_ever, slow_rank(w, who) < 1000);
	for (int i = 0; i < (int)w->n; i++) {
		if (w->s[i].held && slow_removes(w, &w->s[i], who) && (revoke < 0 || slow_before(w, revoke, i)))
			revoke = i;
		for (int j = 0; j < i; j++)
			forked |= w->s[i].in && w->s[j].in && w->s[i].by == who && w->s[j].by == who && w->s[i].r.seq == w->s[j].r.seq;
	}
	assert_int_equal(d->forked, forked);
	assert_int_equal(d->removed, revoke >= 0 && d->role == VD_ROLE_NONE);
	if (d->removed)
		assert_memory_equal(d->revoke.b, w->s[revoke].r.id.b, VD_ID_BYTES);
}

static void same_accepted(struct slow_set *w, struct vd_group *g, int who)
{
	const struct vd_device *d = vd_group_find(g, w->keys[who]);

	for (uint8_t lane = 0; d && lane < VD_LANES; lane++) {
		char list[] = {'h', 'e', 'a', 'd', 's', (char)('0' + lane), 0};
		const struct vd_id *ids;
		size_t count = vd_group_accepted(g, d->author, lane, &ids), all = 0;

		for (size_t i = 0; i < count; i++) {
			bool there = false;

			for (size_t j = 0; j < w->n; j++)
				there |= w->s[j].held && slow_removes(w, &w->s[j], who) && slow_has(&w->s[j], list, ids[i].b);
			assert_true(there);
			assert_true(i == 0 || memcmp(ids[i - 1].b, ids[i].b, VD_ID_BYTES) < 0);
		}
		for (size_t j = 0; j < w->n && d->removed; j++) {
			struct vd_value item;
			struct vd_rd r;

			if (!w->s[j].held || !slow_removes(w, &w->s[j], who))
				continue;
			r = vd_value_items(vd_content_get(&w->s[j].c, list, VD_MP_ARRAY, 0));
			while (vd_value_next(&r, &item)) {
				bool there = false;

				for (size_t i = 0; i < count; i++)
					there |= memcmp(ids[i].b, item.bytes.p, VD_ID_BYTES) == 0;
				assert_true(there);
				all++;
			}
		}
		assert_true(all >= count);
	}
}

/* How many acts did not count, for want of which the test would say little. */
static size_t as_the_specification_says(struct world *world, size_t *duels)
{
	struct slow_set *w = calloc(1, sizeof(*w));
	struct vd_group *g = view_of(&world->history, world->id, NULL);
	size_t in = 0, vain = 0;
	bool clean;
	int epoch;

	assert_non_null(w);
	w->n = world->history.count;
	assert_in_range(w->n, 1, SLOW_MAX);
	for (int i = 0; i < ACTORS; i++)
		w->keys[i] = world->actors[i].identity.author;
	for (size_t i = 0; i < w->n; i++) {
		w->s[i].r = decoded(history_at(&world->history, i));
		assert_int_equal(vd_content_decode(w->s[i].r.body, &w->s[i].c), 0);
		w->s[i].effect = !world->broken[i] && w->s[i].r.version == VD_VERSION;
	}
	slow_fill(w);
	slow_order(w);
	slow_judge(w);
	for (size_t i = 0; i < w->n; i++)
		in += w->s[i].in;
	assert_int_equal(vd_group_generation(g), in);
	assert_int_equal(vd_group_act_count(g), in);
	for (size_t i = 0; i < in; i++) {
		const struct vd_act *a = vd_group_act(g, i);

		for (size_t j = 0; j < w->n; j++)
			if (w->s[j].in && memcmp(w->s[j].r.id.b, a->id.b, VD_ID_BYTES) == 0) {
				assert_int_equal(a->counts, w->s[j].counts);
				assert_int_equal(a->backed, w->s[j].backed || w->s[j].strong);
				vain += w->s[j].effect && !a->counts;
				*duels += w->s[j].strong;
			}
	}
	for (int i = 0; i < ACTORS; i++) {
		same_device(w, g, i);
		same_accepted(w, g, i);
	}
	epoch = slow_epoch(w, &clean);
	assert_memory_equal(vd_group_current_epoch(g), w->s[epoch].r.id.b, VD_EPOCH_BYTES);
	assert_int_equal(vd_group_epoch_clean(g), clean);
	vd_group_free(g);
	free(w);
	return vain;
}

/* ---- what everybody reads, once each device has done what it does unasked ---- */

/* What store/tend.c makes of it, with everybody hearing at once. */
static void publish(struct world *w, size_t by, struct vd_buf *content)
{
	struct vd_record r = history_control(&w->history, &w->actors[by], w->id, content);

	for (size_t i = 0; i < ACTORS; i++)
		assert_int_equal(vd_group_add(w->views[i], &r), 0);
}

static size_t tend_coordinator(struct world *w, size_t by)
{
	uint8_t epoch[VD_EPOCH_BYTES], devices[VD_EPOCH_DEVICES][VD_KEY_BYTES];
	struct vd_group *g = w->views[by];
	struct vd_buf content = {0};
	struct vd_epoch_keys keys;
	size_t count, did = 0;

	if (!vd_group_current_epoch(g) || !vd_group_epoch_clean(g) || !vd_group_epoch_kept(g)) {
		dice_fill(&w->dice, &keys, sizeof(keys));
		assert_int_equal(vd_group_make_epoch(g, &keys, NULL, 0, &content), 0);
		publish(w, by, &content);
		did++;
	}
	while ((count = vd_group_unsealed(g, epoch, devices))) {
		assert_int_equal(vd_group_make_epoch_part(g, epoch, (const uint8_t (*)[VD_KEY_BYTES])devices, count, &content), 0);
		publish(w, by, &content);
		did++;
	}
	return did;
}

static const struct vd_epoch_keys *keys_of(struct vd_group *g, const uint8_t epoch[VD_EPOCH_BYTES])
{
	for (size_t i = 0; i < vd_group_epoch_count(g); i++)
		if (memcmp(vd_group_epoch_id(g, i), epoch, VD_EPOCH_BYTES) == 0)
			return vd_group_epoch_keys(g, i);
	return NULL;
}

static size_t tend_member(struct world *w, size_t by)
{
	uint8_t epochs[VD_LIST_MAX][VD_EPOCH_BYTES];
	size_t count = vd_group_orphans(w->views[by], epochs, VD_LIST_MAX), did = 0;

	for (size_t i = 0; i < count; i++)
		for (size_t to = 0; to < ACTORS; to++)
			if (vd_group_wants_keys(w->views[to]))
				did += vd_group_learn_keys(w->views[to], epochs[i], keys_of(w->views[by], epochs[i]));
	return did;
}

static bool has_key(struct world *w, size_t who, const uint8_t *epoch, int key)
{
	return vd_group_key(w->views[who], epoch, (enum vd_epoch_key)key) != NULL;
}

/* A part that is sealed to fewer keys than its author seems to have known of: nobody can see that. */
static bool oddly_sealed(struct world *w, const uint8_t *epoch)
{
	for (size_t i = 0; i < 4 * STEPS; i++) {
		const struct vd_value *of;
		struct vd_content c;
		struct vd_record r;

		if (!w->odd[i])
			continue;
		r = decoded(history_at(&w->history, i));
		if (vd_content_decode(r.body, &c))
			abort();
		of = vd_content_get(&c, "of", VD_MP_BIN, VD_EPOCH_BYTES);
		if (memcmp(of ? of->bytes.p : r.id.b, epoch, VD_EPOCH_BYTES) == 0)
			return true;
	}
	return false;
}

/* Of an epoch that somebody could hand on nobody lacks what their role gets. */
static size_t same_keys(struct world *w, const uint8_t *epoch)
{
	static const int gets[] = {0, 3, 3, 2, 1};
	size_t whole = 0;

	if (oddly_sealed(w, epoch))
		return 0;
	for (size_t i = 0; i < ACTORS; i++) {
		enum vd_role role = vd_group_role(w->views[i]);

		whole += (role == VD_ROLE_COORDINATOR || role == VD_ROLE_MEMBER) && has_key(w, i, epoch, 0) && has_key(w, i, epoch, 1) &&
		         has_key(w, i, epoch, 2);
	}
	for (size_t i = 0; i < ACTORS && whole; i++)
		for (int key = 0; key < gets[vd_group_role(w->views[i])]; key++)
			assert_true(has_key(w, i, epoch, key));
	return whole != 0;
}

/* How many epochs there are that were handed on, sealed on and compared. */
static size_t everybody_reads_the_same(struct world *w, size_t *handed, size_t *sealed)
{
	size_t did, one, rounds = 0, compared = 0;

	for (size_t i = 0; i < ACTORS; i++)
		history_replay(&w->history, w->views[i], NULL);
	do {
		did = 0;
		for (size_t i = 0; i < ACTORS; i++) {
			enum vd_role role = vd_group_role(w->views[i]);

			one = role == VD_ROLE_COORDINATOR ? tend_coordinator(w, i) : 0;
			*sealed += one;
			did += one;
			one = role == VD_ROLE_MEMBER ? tend_member(w, i) : 0;
			*handed += one;
			did += one;
		}
		assert_true(rounds++ < 20);
	} while (did);
	for (size_t i = 0; i < vd_group_act_count(w->views[0]); i++) {
		const struct vd_act *a = vd_group_act(w->views[0], i);

		if ((a->kind == VD_ACT_EPOCH && !a->continues) || a->kind == VD_ACT_REVOKE)
			compared += same_keys(w, a->id.b);
	}
	return compared;
}

static void test_group_property__order_does_not_matter(void **state)
{
	size_t records = 0, epochs = 0, devices = 0, vain = 0, strong = 0, handed = 0, sealed = 0, compared = 0;

	(void)state;
	for (uint64_t seed = 0; seed < HISTORIES; seed++) {
		struct world w;

		world_begin(&w, seed);
		for (int i = 0; i < STEPS; i++)
			step(&w);
		for (size_t a = 0; a < ACTORS; a += 3)
			same_in_every_order(&w, &w.actors[a].identity);
		same_in_every_order(&w, NULL);
		vain += as_the_specification_says(&w, &strong);
		records += w.history.count;
		devices += vd_group_device_count(w.views[0]);
		epochs += vd_group_epoch_count(w.views[0]);
		compared += everybody_reads_the_same(&w, &handed, &sealed);
		world_end(&w);
	}
	/* The histories are worth the trouble. */
	assert_in_range(vain, HISTORIES * 5, HISTORIES * STEPS);
	assert_in_range(strong, HISTORIES / 4, HISTORIES * STEPS);
	assert_in_range(records, HISTORIES * 25, HISTORIES * STEPS);
	assert_in_range(devices, HISTORIES * 5, HISTORIES * ACTORS);
	assert_in_range(epochs, HISTORIES * 2, HISTORIES * STEPS);
	assert_in_range(compared, HISTORIES * 2, HISTORIES * STEPS);
	assert_in_range(sealed, HISTORIES * 2, HISTORIES * STEPS * 4);
}

/* Coordinators who are apart remove each other and make new epochs, and members hear now one side and now the other. */
static void duel_step(struct world *w)
{
	size_t by = dice_roll(&w->dice, 4), with = dice_roll(&w->dice, ACTORS), whom = dice_roll(&w->dice, 6);
	uint8_t random[VD_BODY_NONCE_BYTES];
	struct vd_buf content = {0};
	struct vd_epoch_keys keys;
	int rc;

	for (size_t i = 0; i < w->history.count && dice_roll(&w->dice, 2); i++)
		learn(w->views[with], history_at(&w->history, i));
	if (vd_group_role(w->views[by]) != VD_ROLE_COORDINATOR || by == whom)
		return;
	dice_fill(&w->dice, random, sizeof(random));
	dice_fill(&w->dice, &keys, sizeof(keys));
	if (dice_roll(&w->dice, 2))
		rc = vd_group_make_epoch(w->views[by], &keys, NULL, 0, &content);
	else
		rc = make_revoke(w, w->views[by], &w->actors[whom], random, &content);
	if (rc)
		return;
	history_control(&w->history, &w->actors[by], w->id, &content);
	learn(w->views[by], history_at(&w->history, w->history.count - 1));
	/* Somebody is there when it happens. */
	for (size_t i = 0; i < w->history.count; i++)
		learn(w->views[4 + dice_roll(&w->dice, ACTORS - 4)], history_at(&w->history, i));
}

static void admit_others(struct world *w)
{
	for (size_t i = 1; i < ACTORS; i++) {
		struct vd_card card = card_of(&w->actors[i]);
		struct vd_buf content = {0};

		if (vd_group_is_author(w->views[0], card.author))
			continue;
		assert_int_equal(vd_group_make_grant(w->views[0], &card, w->actors[i].person, i + 1 == ACTORS ? VD_ROLE_REPORTER : VD_ROLE_MEMBER, 0,
		                                     "one", nonce, &content), 0);
		history_control(&w->history, &w->actors[0], w->id, &content);
		learn(w->views[0], history_at(&w->history, w->history.count - 1));
		assert_int_equal(vd_group_make_epoch_for(w->views[0], vd_group_epoch_id(w->views[0], 0), card.author, &content), 0);
		history_control(&w->history, &w->actors[0], w->id, &content);
		learn(w->views[0], history_at(&w->history, w->history.count - 1));
	}
}

static void test_group_property__apart_and_together_again(void **state)
{
	size_t handed = 0, sealed = 0, compared = 0;

	(void)state;
	for (uint64_t seed = 0; seed < 3 * HISTORIES; seed++) {
		struct world w;

		world_begin(&w, 2 * seed);
		admit_others(&w);
		for (size_t i = 0; i < ACTORS; i++)
			history_replay(&w.history, w.views[i], NULL);
		for (int i = 0; i < 12; i++)
			duel_step(&w);
		compared += everybody_reads_the_same(&w, &handed, &sealed);
		world_end(&w);
	}
	assert_in_range(compared, 3 * HISTORIES, 3 * HISTORIES * STEPS);
	assert_in_range(sealed, 3 * HISTORIES, 3 * HISTORIES * STEPS);
	assert_in_range(handed, HISTORIES / 4, 3 * HISTORIES * STEPS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_group_property__apart_and_together_again),
		cmocka_unit_test(test_group_property__order_does_not_matter),
	};

	if (vd_sign_selftest())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
