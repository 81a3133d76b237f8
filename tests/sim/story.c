#include "story.h"

#include <stdlib.h>
#include <string.h>

#include "proto/err.h"

static const uint64_t TRUE_MS = UINT64_C(1700000000000);

void story_must(int rc)
{
	if (rc)
		abort();
}

uint64_t story_chance(struct story *s, uint64_t below)
{
	return world_random(&s->n.w, below);
}

/* --- the cast --- */

/* Clocks: mostly right, some of 1970, some of 2099, some off by months. */
static uint64_t some_clock(struct story *s)
{
	switch (story_chance(s, 6)) {
	case 0:
		return 0 - TRUE_MS;
	case 1:
		return UINT64_C(4070908800000) - TRUE_MS;
	case 2:
		return story_chance(s, UINT64_C(20000000000)) - UINT64_C(10000000000);
	}
	return 0;
}

static void settle_in(struct story *s, size_t host)
{
	struct host *h = &s->n.hosts[host];

	s->ones[host].clock_ms = some_clock(s);
	h->forger = s->ones[host].hostile;
	h->m.share = STORY_SHARE;
	if (s->narrow)
		memory_narrow(&h->m, 14);
	memcpy(h->m.own, s->n.w.writers[h->who].identity.author, VD_KEY_BYTES);
}

void story_init(struct story *s, uint64_t seed)
{
	size_t hostile;
	bool marked;

	memset(s, 0, sizeof(*s));
	net_init(&s->n, seed, 1);
	s->narrow = story_chance(s, 2);
	s->ones[0].role = VD_ROLE_COORDINATOR;
	hostile = s->coordinator = 1 + (size_t)story_chance(s, 3);
	marked = story_chance(s, 2);
	for (size_t i = 1; i < STORY_HOSTS; i++) {
		struct one *o = &s->ones[i];

		o->role = i <= 3 ? VD_ROLE_COORDINATOR : i <= 10 ? VD_ROLE_MEMBER : i <= 13 ? VD_ROLE_REPORTER : VD_ROLE_COURIER;
		o->hostile = i == hostile || i == 4;
		if (i == 5) {
			o->hostile = true;
			o->role = VD_ROLE_MEMBER + (enum vd_role)story_chance(s, 3);
		}
		world_newcomer(&s->n.w);
		world_admit(&s->n.w, i, o->role, marked && i == 7 ? VD_GRANT_FOCAL : 0, NULL, NULL);
	}
	/* the founder's own store was made before */
	for (size_t i = 3; i <= s->n.w.control.count; i++) {
		const struct vd_batch_entry *e = &s->n.w.control.entries[i - 1];

		story_show(s, 0, vd_slice(s->n.w.control.bytes.p + e->at, e->record.raw.n));
	}
	settle_in(s, 0);
	for (size_t i = 1; i < STORY_HOSTS; i++) {
		net_welcomed(&s->n, i, &s->n.hosts[0]);
		settle_in(s, i);
	}
	memcpy(s->epochs[s->epoch_count++], vd_group_current_epoch(s->n.hosts[0].group), VD_EPOCH_BYTES);
}

void story_deinit(struct story *s)
{
	for (size_t i = 0; i < STORY_ALL; i++)
		vd_group_free(s->ones[i].view);
	for (size_t i = 0; i < s->written_count; i++)
		vd_buf_deinit(&s->written[i].content);
	net_deinit(&s->n);
}

/* --- records --- */

uint64_t story_time(struct story *s, size_t host)
{
	return TRUE_MS + s->n.now_ms + s->ones[host].clock_ms;
}

struct vd_record_fields story_fields(struct story *s, size_t who, uint8_t lane, uint64_t time_ms)
{
	const struct writer *a = &s->n.w.writers[who];
	struct vd_record_fields f = { .lane = lane, .seq = a->seq[lane] + 1, .has_prev = a->has_last[lane], .prev = a->last[lane],
		                      .time_ms = time_ms };

	memcpy(f.group, s->n.w.group, sizeof(f.group));
	memcpy(f.author, a->identity.author, sizeof(f.author));
	return f;
}

struct vd_id story_sign(struct story *s, size_t who, const struct vd_record_fields *f, struct vd_slice body, struct vd_buf *raw)
{
	struct writer *a = &s->n.w.writers[who];
	struct vd_id id;

	story_must(vd_record_create(f, body, a->identity.author_secret, raw, &id));
	story_must(vd_buf_check(raw));
	a->seq[f->lane] = f->seq;
	a->last[f->lane] = id;
	a->has_last[f->lane] = true;
	return id;
}

void story_keep(struct story *s, size_t host, struct vd_slice raw)
{
	world_store(&s->n.hosts[host].m, raw);
	story_must(vd_node_grew(s->n.hosts[host].node, s->n.now_ms));
}

void story_show(struct story *s, size_t host, struct vd_slice raw)
{
	struct vd_batch batch = { 0 };

	story_must(vd_batch_add(&batch, raw));
	net_import(&s->n, host, &batch);
	vd_batch_deinit(&batch);
}

struct vd_id story_act(struct story *s, size_t host, struct vd_buf *content)
{
	size_t who = s->n.hosts[host].who;
	struct vd_record_fields f = story_fields(s, who, VD_LANE_CONTROL, story_time(s, host));
	struct vd_buf raw = { 0 };
	struct vd_id id = story_sign(s, who, &f, vd_buf_slice(content), &raw);

	story_keep(s, host, vd_buf_slice(&raw));
	vd_buf_deinit(&raw);
	vd_buf_deinit(content);
	return id;
}

/* --- what honest devices write --- */

static size_t host_of(const struct story *s, const uint8_t *author)
{
	for (size_t i = 0; i < s->n.host_count; i++)
		if (memcmp(s->n.w.writers[s->n.hosts[i].who].identity.author, author, VD_KEY_BYTES) == 0)
			return i;
	return SIZE_MAX;
}

/* One to three whom the writer may address. */
static size_t choose_named(struct story *s, size_t host, uint8_t (*devices)[VD_KEY_BYTES], uint32_t *hosts)
{
	struct vd_group *g = s->n.hosts[host].group;
	size_t n = 0, count = vd_group_device_count(g), from = (size_t)story_chance(s, count);
	bool reports = vd_group_role(g) == VD_ROLE_REPORTER;

	for (size_t i = 0; i < count && n < 3; i++) {
		const struct vd_device *d = vd_group_device(g, (from + i) % count);
		size_t to = host_of(s, d->author);

		if (d->role == VD_ROLE_NONE || d->role == VD_ROLE_COURIER || (reports && !d->focal) || story_chance(s, 3) == 0)
			continue;
		memcpy(devices[n++], d->author, VD_KEY_BYTES);
		if (to != SIZE_MAX)
			*hosts |= UINT32_C(1) << to;
	}
	return n;
}

static int seal(struct story *s, size_t host, struct vd_record_fields *f, struct written *w, struct vd_buf *body)
{
	uint8_t devices[3][VD_KEY_BYTES], nonce[VD_BODY_NONCE_BYTES], seed[VD_BODY_SEED_BYTES];
	struct vd_group *g = s->n.hosts[host].group;
	struct vd_slice content = vd_buf_slice(&w->content);
	size_t named;

	world_bytes(&s->n.w, nonce, sizeof(nonce));
	w->audience = (uint8_t)(1 + story_chance(s, 3));
	if (s->ones[host].role == VD_ROLE_REPORTER)
		w->audience = VD_AUDIENCE_NAMED;
	if (w->audience != VD_AUDIENCE_NAMED)
		return vd_group_seal_body(g, f, (enum vd_audience)w->audience, nonce, content, body);
	world_bytes(&s->n.w, seed, sizeof(seed));
	named = choose_named(s, host, devices, &w->named);
	return named ? vd_group_seal_named(g, f, (const uint8_t (*)[VD_KEY_BYTES])devices, named, nonce, seed, content, body) : VD_ENOTFOUND;
}

static bool has_role(struct vd_group *g, const uint8_t *author)
{
	const struct vd_device *d = vd_group_find(g, author);

	return d && d->role != VD_ROLE_NONE;
}

/* Whom its author means to shut out: as long as a hostile coordinator has a role, it shares the keys with whom it likes; and a writer who
 * has not got the epoch to write with uses an older one, and is told so. */
static uint64_t shut_out(struct story *s, size_t host, const uint8_t *epoch)
{
	struct vd_group *g = s->n.hosts[host].group;
	uint64_t closed = 0;

	if (!vd_group_epoch_clean(g) || vd_group_role(g) == VD_ROLE_NONE || memcmp(epoch, vd_group_current_epoch(g), VD_EPOCH_BYTES) != 0 ||
	    has_role(g, s->n.w.writers[s->coordinator].identity.author))
		return 0;
	for (size_t who = 0; who < s->n.w.count && who < 64; who++) {
		const struct vd_device *d = vd_group_find(g, s->n.w.writers[who].identity.author);

		if (d && d->role == VD_ROLE_NONE)
			closed |= UINT64_C(1) << who;
	}
	return closed;
}

void story_write(struct story *s, size_t host)
{
	uint8_t lane = (uint8_t)(1 + story_chance(s, 3)), text[256];
	struct written *w = &s->written[s->written_count];
	size_t who = s->n.hosts[host].who, bytes = (size_t)story_chance(s, sizeof(text));
	struct vd_field field = { .name = vd_slice_str("data"), .value = { .type = VD_MP_BIN, .bytes = { text, bytes } } };
	struct vd_record_fields f = story_fields(s, who, lane, story_time(s, host));
	struct vd_buf body = { 0 }, raw = { 0 };
	struct vd_body_prefix prefix;

	/* honest ones stay within their share */
	if (s->ones[host].role == VD_ROLE_COURIER || s->ones[host].wrote[lane] == STORY_SHARE - 2 || s->written_count == STORY_WRITTEN_MAX)
		return;
	memset(w, 0, sizeof(*w));
	world_bytes(&s->n.w, text, bytes);
	story_must(vd_content_encode(vd_slice_str("message"), &field, 1, &w->content));
	if (seal(s, host, &f, w, &body)) {
		vd_buf_deinit(&w->content); /* no role, or no key as yet */
	} else {
		story_must(vd_body_peek(vd_buf_slice(&body), &prefix));
		memcpy(w->epoch, prefix.epoch, sizeof(w->epoch));
		w->closed = w->audience == VD_AUDIENCE_NAMED ? 0 : shut_out(s, host, w->epoch);
		w->host = host;
		w->id = story_sign(s, who, &f, vd_buf_slice(&body), &raw);
		story_keep(s, host, vd_buf_slice(&raw));
		s->ones[host].wrote[lane]++;
		s->written_count++;
	}
	vd_buf_deinit(&raw);
	vd_buf_deinit(&body);
}

/* --- what honest coordinators do --- */

static void remember_epoch(struct story *s, const struct vd_id *id)
{
	if (s->epoch_count == STORY_EPOCHS_MAX)
		abort();
	memcpy(s->epochs[s->epoch_count++], id->b, VD_EPOCH_BYTES);
}

/* The parts of an epoch behind its first. */
static void other_parts(struct story *s, size_t host, const struct vd_epoch_keys *keys, const struct vd_id *first)
{
	struct vd_buf content = { 0 };

	for (size_t part = 1; !vd_group_make_epoch(s->n.hosts[host].group, keys, first->b, part, &content); part++)
		story_act(s, host, &content);
	vd_buf_deinit(&content);
	remember_epoch(s, first);
}

static void rotate(struct story *s, size_t host)
{
	struct vd_buf content = { 0 };
	struct vd_epoch_keys keys;
	struct vd_id first;

	world_bytes(&s->n.w, &keys, sizeof(keys));
	story_must(vd_group_make_epoch(s->n.hosts[host].group, &keys, NULL, 0, &content));
	first = story_act(s, host, &content);
	other_parts(s, host, &keys, &first);
}

/* A record for members in the real world, which this one spares: the coordinators' devices learn what is in it. */
static bool hand_over(struct story *s, size_t host)
{
	uint8_t epochs[VD_LIST_MAX][VD_EPOCH_BYTES];
	struct vd_group *g = s->n.hosts[host].group;
	size_t count = vd_group_orphans(g, epochs, VD_LIST_MAX);
	bool did = false;

	for (size_t i = 0; i < count; i++) {
		size_t at = 0;

		while (memcmp(vd_group_epoch_id(g, at), epochs[i], VD_EPOCH_BYTES) != 0)
			at++;
		for (size_t to = 0; to < s->n.host_count; to++)
			if (!s->ones[to].hostile && vd_group_wants_keys(s->n.hosts[to].group))
				did |= vd_group_learn_keys(s->n.hosts[to].group, epochs[i], vd_group_epoch_keys(g, at));
	}
	return did;
}

bool story_tend(struct story *s, size_t host)
{
	uint8_t epoch[VD_EPOCH_BYTES], devices[VD_EPOCH_DEVICES][VD_KEY_BYTES];
	struct vd_group *g = s->n.hosts[host].group;
	struct vd_buf content = { 0 };
	bool did = false;
	size_t count;

	if (s->ones[host].hostile)
		return false;
	if (vd_group_role(g) != VD_ROLE_COORDINATOR)
		return hand_over(s, host);
	if (!vd_group_current_epoch(g) || !vd_group_epoch_clean(g) || !vd_group_epoch_kept(g)) {
		rotate(s, host);
		did = true;
	}
	while ((count = vd_group_unsealed(g, epoch, devices))) {
		story_must(vd_group_make_epoch_part(g, epoch, (const uint8_t (*)[VD_KEY_BYTES])devices, count, &content));
		story_act(s, host, &content);
		did = true;
	}
	return did;
}

bool story_admit(struct story *s, size_t by, enum vd_role role, uint32_t flags)
{
	struct vd_group *g = s->n.hosts[by].group;
	uint8_t person[VD_PERSON_BYTES], nonce[VD_BODY_NONCE_BYTES];
	struct vd_buf content = { 0 };
	struct vd_card card;
	size_t who, host;

	if (vd_group_role(g) != VD_ROLE_COORDINATOR || !vd_group_epoch_count(g))
		return false;
	who = world_newcomer(&s->n.w);
	world_bytes(&s->n.w, person, sizeof(person));
	world_bytes(&s->n.w, nonce, sizeof(nonce));
	story_must(vd_card_create(&s->n.w.writers[who].identity, &card));
	if (vd_group_make_grant(g, &card, person, role, flags, "newcomer", nonce, &content)) {
		s->n.w.count--;
		return false;
	}
	story_act(s, by, &content);
	if (!vd_group_make_epoch_for(g, vd_group_epoch_id(g, 0), card.author, &content))
		story_act(s, by, &content);
	host = net_welcomed(&s->n, who, &s->n.hosts[by]);
	s->ones[host].role = role;
	settle_in(s, host);
	return true;
}

/* What of that author's a host has, and no record of the author's that it has names: at most VD_LIST_MAX. */
static size_t heads_of(const struct memory *m, const uint8_t *author, uint8_t lane, struct vd_id *ids)
{
	size_t n = 0;

	for (size_t i = m->count; i-- > 0 && n < VD_LIST_MAX;) {
		const struct memory_record *r = &m->records[i];
		bool named = r->lane != lane || memcmp(r->author, author, VD_KEY_BYTES) != 0;

		for (size_t k = 0; k < m->count && !named; k++)
			named = m->records[k].has_prev && memcmp(&m->records[k].prev, &r->id, sizeof(r->id)) == 0;
		if (!named)
			ids[n++] = r->id;
	}
	return n;
}

bool story_revoke(struct story *s, size_t by, size_t who, const struct vd_id *accepted)
{
	const uint8_t (*device)[VD_KEY_BYTES] = (const uint8_t (*)[VD_KEY_BYTES])&s->n.w.writers[who].identity.author;
	struct vd_removal removal = { .devices = device, .device_count = 1, .reason = "hostile" };
	struct host *h = &s->n.hosts[by];
	struct vd_id heads[VD_LANES][VD_LIST_MAX], first;
	uint8_t nonce[VD_BODY_NONCE_BYTES];
	struct vd_buf content = { 0 };
	struct vd_epoch_keys keys;

	world_bytes(&s->n.w, &keys, sizeof(keys));
	world_bytes(&s->n.w, nonce, sizeof(nonce));
	for (uint8_t lane = 1; lane < VD_LANES; lane++) {
		removal.heads[lane] = heads[lane];
		removal.head_count[lane] = heads_of(&h->m, *device, lane, heads[lane]);
	}
	if (accepted && memory_has(&h->m, accepted, false)) {
		removal.heads[VD_LANE_CONTROL] = accepted;
		removal.head_count[VD_LANE_CONTROL] = 1;
	}
	if (vd_group_make_revoke(h->group, &removal, &keys, nonce, &content))
		return false;
	first = story_act(s, by, &content);
	other_parts(s, by, &keys, &first);
	return true;
}
