#include "hostile.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "proto/err.h"
#include "tests/sign_off.h"

enum { GRIND_BITS = 6, FLOOD_AT_ONCE = 25, FLOOD_TOTAL = 150, OPEN_AT_ONCE = 40 };

static uint64_t chance(struct hostile *h, uint64_t below)
{
	return story_chance(h->s, below);
}

/* --- a port that lies --- */

static int lying_lane(void *ctx, const uint8_t *group, uint8_t lane, struct vd_lane_state *out, struct vd_symbol *symbols, size_t n)
{
	struct liar *l = ctx;
	int rc = l->honest.lane(l->honest.ctx, group, lane, out, symbols, n);
	struct vd_id made_up;

	world_bytes(&l->s->n.w, &made_up, sizeof(made_up));
	switch (story_chance(l->s, 12)) {
	case 0:
		vd_digest_add(&out->digest, &made_up);
		break;
	case 1:
		vd_digest_add(&out->wanted, &made_up);
		break;
	case 2:
		out->digest.count = story_chance(l->s, 3) * 1000;
		break;
	case 3:
		for (size_t i = 0; symbols && i < n; i += 1 + (size_t)story_chance(l->s, 5))
			symbols[i].sum[i % VD_ITEM_BYTES] ^= (uint8_t)(1 + i);
		break;
	}
	return rc;
}

static int lying_lane_without(void *ctx, const uint8_t *group, uint8_t lane, struct vd_leaving *leaving, struct vd_lane_state *out,
                              struct vd_symbol *symbols, size_t n)
{
	struct liar *l = ctx;

	return l->honest.lane_without(l->honest.ctx, group, lane, leaving, out, symbols, n);
}

/* Says that it takes no more of somebody who has written little. */
static int lying_declined(void *ctx, const uint8_t *group, struct vd_declined_set *out)
{
	struct liar *l = ctx;
	int rc = l->honest.declined(l->honest.ctx, group, out);

	for (uint64_t i = story_chance(l->s, 3) ? 0 : 1 + story_chance(l->s, 4); i; i--)
		vd_declined_add(out, (uint8_t)(1 + story_chance(l->s, 3)),
		                l->s->n.w.writers[story_chance(l->s, l->s->n.w.count)].identity.author);
	return rc;
}

static int lying_find_item(void *ctx, const uint8_t *group, uint8_t lane, const uint8_t item[VD_ITEM_BYTES],
                           struct vd_arrival *out, size_t max, size_t *n)
{
	struct liar *l = ctx;
	int rc = l->honest.find_item(l->honest.ctx, group, lane, item, out, max, n);

	if (story_chance(l->s, 5) == 0)
		*n = 0;
	return rc;
}

static int lying_read(void *ctx, uint64_t arrival, struct vd_buf *out)
{
	struct liar *l = ctx;
	const struct memory *m = l->honest.ctx;
	int rc = l->honest.read(l->honest.ctx, arrival, out);
	const struct memory_record *r;

	if (rc)
		return rc;
	r = &m->records[arrival - 1];
	if (r->id.b[0] < l->keeps_back && memcmp(r->author, m->own, VD_KEY_BYTES) != 0 && story_chance(l->s, 8)) {
		out->n -= r->raw_bytes;
		return VD_ENOTFOUND;
	}
	if (r->lane != VD_LANE_CONTROL && story_chance(l->s, 10) == 0)
		out->p[out->n - 1 - story_chance(l->s, r->raw_bytes)] ^= 4;
	return rc;
}

/* What is not lied about still wants the honest context. */
static int plain_scan(void *ctx, const uint8_t *group, uint8_t lane, uint64_t after, struct vd_arrival *out, size_t max, size_t *n)
{
	const struct liar *l = ctx;

	return l->honest.scan(l->honest.ctx, group, lane, after, out, max, n);
}

static int plain_numbers(void *ctx, const uint8_t *group, uint8_t lane, uint64_t after, uint64_t *out, size_t max, size_t *n)
{
	const struct liar *l = ctx;

	return l->honest.numbers(l->honest.ctx, group, lane, after, out, max, n);
}

static int plain_wanted(void *ctx, const uint8_t *group, uint8_t lane, uint64_t after, struct vd_arrival *out, size_t max, size_t *n)
{
	const struct liar *l = ctx;

	return l->honest.wanted(l->honest.ctx, group, lane, after, out, max, n);
}

static bool plain_vouched(void *ctx, const struct vd_record *r)
{
	const struct liar *l = ctx;

	return l->honest.vouched(l->honest.ctx, r);
}

void hostile_lie(struct hostile *h, size_t host)
{
	struct liar *l = &h->liars[h->liar_count++];
	struct vd_port *port = &h->s->n.hosts[host].m.port;

	*l = (struct liar){ h->s, *port, (uint8_t)chance(h, 200) };
	port->ctx = l;
	port->lane = lying_lane;
	port->lane_without = lying_lane_without;
	port->declined = lying_declined;
	port->find_item = lying_find_item;
	port->read = lying_read;
	port->scan = plain_scan;
	port->numbers = plain_numbers;
	port->wanted = plain_wanted;
	port->vouched = plain_vouched;
}

/* --- strictly no signature --- */

/* Its signature is spoilt: by a bit, or so that other implementations would take it. The writer's chain goes on from there. */
static void spoil(struct hostile *h, size_t who, uint8_t lane, struct vd_buf *raw)
{
	struct writer *a = &h->s->n.w.writers[who];
	struct vd_buf message = { 0 };
	struct vd_record r;

	story_must(vd_record_decode(vd_buf_slice(raw), &r));
	vd_buf_put(&message, "vereda record", 14);
	vd_buf_put_slice(&message, r.header);
	if (chance(h, 2))
		sign_off(vd_buf_slice(&message), a->identity.author_secret, raw->p + r.header.n);
	else
		raw->p[r.header.n + 5] ^= 1;
	story_must(vd_record_decode(vd_buf_slice(raw), &r));
	if (vd_record_verify(&r) != VD_ESIGNATURE)
		abort();
	a->last[lane] = r.id;
	vd_buf_deinit(&message);
}

/* --- showing --- */

/* An honest host, or any. */
static size_t some_host(struct hostile *h)
{
	return (size_t)chance(h, h->s->n.host_count);
}

/* Its own store has it, or some see it on a stick. */
static void spread(struct hostile *h, size_t host, const struct vd_buf *raw)
{
	if (chance(h, 3))
		story_keep(h->s, host, vd_buf_slice(raw));
	else
		story_show(h->s, some_host(h), vd_buf_slice(raw));
	if (chance(h, 3) == 0)
		story_show(h->s, some_host(h), vd_buf_slice(raw));
}

static void later(struct hostile *h, const struct vd_buf *raw)
{
	struct vd_buf *place = &h->later[h->later_count < HOSTILE_LATER ? h->later_count++ : (size_t)chance(h, HOSTILE_LATER)];

	vd_buf_reset(place);
	vd_buf_put_slice(place, vd_buf_slice(raw));
}

void hostile_show_later(struct hostile *h)
{
	if (h->later_count)
		story_show(h->s, some_host(h), vd_buf_slice(&h->later[chance(h, h->later_count)]));
}

/* To hosts of either half a record of its own: who compares finds two of one number. */
static void show_halves(struct hostile *h, const struct vd_buf *raw, int half)
{
	for (int i = 0; i < 2; i++)
		story_show(h->s, 2 * (size_t)chance(h, h->s->n.host_count / 2) + (size_t)half, vd_buf_slice(raw));
}

/* --- what they write --- */

static uint64_t some_time(struct hostile *h, size_t host)
{
	static const uint64_t times[] = { 0, 1, UINT64_C(4070908800000), UINT64_C(4102444799000), (UINT64_C(1) << 53) - 1 };

	return chance(h, 2) ? story_time(h->s, host) : times[chance(h, 5)];
}

/* A body under whatever key its view has, whether its role allows it or not; or none at all. */
static void hostile_body(struct hostile *h, struct vd_group *view, const struct vd_record_fields *f, struct vd_buf *body)
{
	uint8_t text[64], nonce[VD_BODY_NONCE_BYTES];
	struct vd_field field = { .name = vd_slice_str("data"), .value = { .type = VD_MP_BIN, .bytes = { text, sizeof(text) } } };
	enum vd_audience audience = chance(h, 2) ? VD_AUDIENCE_EVERYONE : VD_AUDIENCE_MEMBERS;
	struct vd_buf content = { 0 }, ad = { 0 };
	size_t epochs = vd_group_epoch_count(view), e = epochs ? (size_t)chance(h, epochs) : 0;
	const uint8_t *epoch = vd_group_epoch_id(view, e);
	const uint8_t *key = epoch ? vd_group_key(view, epoch, audience == VD_AUDIENCE_EVERYONE ? VD_KEY_EVERYONE : VD_KEY_MEMBERS) : NULL;

	world_bytes(&h->s->n.w, text, sizeof(text));
	world_bytes(&h->s->n.w, nonce, sizeof(nonce));
	story_must(vd_content_encode(vd_slice_str("message"), &field, 1, &content));
	vd_record_ad(f, &ad);
	if (key && chance(h, 8))
		story_must(vd_body_seal(audience, epoch, key, nonce, vd_buf_slice(&ad), vd_buf_slice(&content), body));
	else
		vd_buf_put(body, text, sizeof(text));
	vd_buf_deinit(&content);
	vd_buf_deinit(&ad);
}

static void hostile_record(struct hostile *h, size_t host, size_t who, uint8_t lane, struct vd_buf *raw)
{
	struct vd_record_fields f = story_fields(h->s, who, lane, some_time(h, host));
	struct vd_buf body = { 0 };

	hostile_body(h, h->s->ones[host].view, &f, &body);
	vd_buf_reset(raw);
	story_sign(h->s, who, &f, vd_buf_slice(&body), raw);
	vd_buf_deinit(&body);
}

static void fork_lane(struct hostile *h, size_t host, size_t who, uint8_t lane, struct vd_buf *raw)
{
	struct writer before = h->s->n.w.writers[who];

	for (int half = 0; half < 2; half++) {
		h->s->n.w.writers[who] = before;
		hostile_record(h, host, who, lane, raw);
		show_halves(h, raw, half);
	}
	/* its next goes on from either */
	if (chance(h, 2))
		story_keep(h->s, host, vd_buf_slice(raw));
}

/* Bad ones first or last, alone or with those that vouch for them. */
static void vouch_late(struct hostile *h, size_t host, size_t who, uint8_t lane, struct vd_buf *raw)
{
	for (uint64_t i = 1 + chance(h, 2); i; i--) {
		hostile_record(h, host, who, lane, raw);
		spoil(h, who, lane, raw);
		later(h, raw);
		if (chance(h, 2))
			story_show(h->s, some_host(h), vd_buf_slice(raw));
	}
	hostile_record(h, host, who, lane, raw);
	later(h, raw);
	if (chance(h, 2))
		story_show(h->s, some_host(h), vd_buf_slice(raw));
}

static void flood(struct hostile *h, size_t host, size_t who, uint8_t lane, struct vd_buf *raw)
{
	if (h->flooded >= FLOOD_TOTAL)
		return;
	h->flooded += FLOOD_AT_ONCE;
	for (int i = 0; i < FLOOD_AT_ONCE; i++) {
		hostile_record(h, host, who, lane, raw);
		spread(h, host, raw);
	}
}

/* Records until the item begins like that of somebody else's record. */
static void grind(struct hostile *h, size_t host, size_t who, uint8_t lane, struct vd_buf *raw)
{
	const struct memory *m = &h->s->n.hosts[host].m;
	const struct vd_item *like = &m->records[chance(h, m->count)].item;
	struct writer before = h->s->n.w.writers[who];
	struct vd_item item;

	for (int tries = 0; tries < 4 << GRIND_BITS; tries++) {
		h->s->n.w.writers[who] = before;
		hostile_record(h, host, who, lane, raw);
		vd_item_of(m->salt, &h->s->n.w.writers[who].last[lane], &item);
		if ((item.b[0] ^ like->b[0]) >> (8 - GRIND_BITS) == 0)
			break;
	}
	spread(h, host, raw);
}

static void may_be_nowhere(struct hostile *h, const struct vd_buf *raw)
{
	struct vd_record r;

	if (h->s->bad_count == STORY_BAD_MAX)
		abort();
	story_must(vd_record_decode(vd_buf_slice(raw), &r));
	h->s->bad[h->s->bad_count++] = r.id;
}

/* What nobody may have: in others' names, by nobody, of another group, control by those who may not. */
static void forge(struct hostile *h, size_t host, struct vd_buf *raw)
{
	struct world *w = &h->s->n.w;
	size_t victim = (size_t)chance(h, w->count), who = h->s->n.hosts[host].who;
	struct writer victims = w->writers[victim], own = w->writers[who];
	uint8_t lane = (uint8_t)chance(h, VD_LANES);
	uint64_t what = chance(h, 3);
	struct vd_buf content = { 0 };
	struct vd_record_fields f;

	while (victim == who)
		victims = w->writers[victim = (size_t)chance(h, w->count)];
	f = story_fields(h->s, victim, lane, some_time(h, host));
	if (lane == VD_LANE_CONTROL)
		story_must(vd_group_make_founding(&own.identity, w->salt, w->salt, &content));
	else
		hostile_body(h, h->s->ones[host].view, &f, &content);
	vd_buf_reset(raw);
	if (what == 0) { /* by nobody anyone admitted */
		uint8_t seed[VD_IDENTITY_SEED_BYTES];

		world_bytes(w, seed, sizeof(seed));
		vd_identity_from_seed(seed, &w->writers[victim].identity);
	} else {
		w->writers[victim].identity = own.identity;
	}
	memcpy(f.author, w->writers[victim].identity.author, VD_KEY_BYTES);
	f.group[0] ^= what == 1; /* of another group */
	story_sign(h->s, victim, &f, vd_buf_slice(&content), raw);
	if (what == 2) /* in another's name */
		memcpy(memmem(raw->p, raw->n, f.author, VD_KEY_BYTES), victims.identity.author, VD_KEY_BYTES);
	w->writers[victim] = victims;
	may_be_nowhere(h, raw);
	story_keep(h->s, host, vd_buf_slice(raw));
	story_show(h->s, some_host(h), vd_buf_slice(raw));
	vd_buf_deinit(&content);
}

void hostile_open(struct hostile *h, size_t host, size_t at, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		enum stranger_manner manner = (enum stranger_manner)chance(h, STRANGER_MANGLES);

		/* most never say a word that costs anything */
		if (manner >= STRANGER_LEAVES && chance(h, 4))
			manner = STRANGER_SILENT;
		stranger_come(&h->strangers, at, manner, h->s->ones[host].view, &h->s->n.hosts[host].m);
		if (i % OPEN_AT_ONCE == OPEN_AT_ONCE - 1 || i == count - 1) {
			net_run(&h->s->n, 20);
			strangers_leave(&h->strangers);
		}
	}
}

void hostile_learn(struct story *s, size_t host)
{
	const struct memory *m = &s->n.hosts[host].m;
	struct one *o = &s->ones[host];
	struct vd_batch fresh = { 0 };

	if (!o->view)
		o->view = vd_group_new(s->n.w.group, &s->n.w.writers[s->n.hosts[host].who].identity);
	if (!o->view)
		abort();
	while (o->learnt < m->count) {
		const struct memory_record *r = &m->records[o->learnt++];

		if (r->lane == VD_LANE_CONTROL)
			story_must(vd_batch_add(&fresh, vd_slice(r->raw, r->raw_bytes)));
	}
	/* what hangs on something that it has not got is no loss to it */
	story_must(vd_chain_verify(&fresh, o->view, NULL, NULL));
	vd_batch_deinit(&fresh);
}

void hostile_deed(struct hostile *h, size_t host)
{
	uint8_t lane = (uint8_t)(1 + chance(h, 3));
	size_t who = h->s->n.hosts[host].who;
	struct vd_buf raw = { 0 };

	if (h->s->puppet_count && chance(h, 4) == 0)
		who = h->s->puppets[chance(h, h->s->puppet_count)];
	switch (chance(h, 10)) {
	case 0:
	case 1:
		hostile_record(h, host, who, lane, &raw);
		spread(h, host, &raw);
		break;
	case 2:
		fork_lane(h, host, who, lane, &raw);
		break;
	case 3:
		vouch_late(h, host, who, lane, &raw);
		break;
	case 4:
		flood(h, host, who, lane, &raw);
		break;
	case 5:
		grind(h, host, who, lane, &raw);
		break;
	case 6:
		forge(h, host, &raw);
		break;
	case 7:
		hostile_show_later(h);
		break;
	default:
		stranger_come(&h->strangers, some_host(h), (enum stranger_manner)chance(h, STRANGER_MANNERS), h->s->ones[host].view,
		              &h->s->n.hosts[host].m);
	}
	vd_buf_deinit(&raw);
}

void hostile_init(struct hostile *h, struct story *s)
{
	memset(h, 0, sizeof(*h));
	h->s = s;
	strangers_init(&h->strangers, &s->n);
}

void hostile_deinit(struct hostile *h)
{
	strangers_deinit(&h->strangers);
	for (size_t i = 0; i < HOSTILE_LATER; i++)
		vd_buf_deinit(&h->later[i]);
}
