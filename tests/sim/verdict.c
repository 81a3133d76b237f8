/* What must hold when honest devices have met for long enough, whatever the others did. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/err.h"
#include "story.h"

static struct vd_group *group_of(struct story *s, size_t host)
{
	return s->n.hosts[host].group;
}

static const uint8_t *author_of(struct story *s, size_t host)
{
	return s->n.w.writers[s->n.hosts[host].who].identity.author;
}

bool story_has_role(struct story *s, size_t host)
{
	const struct vd_device *d = vd_group_find(group_of(s, 0), author_of(s, host));

	return !s->ones[host].hostile && d && d->role != VD_ROLE_NONE;
}

/* --- sets --- */

/* A lane's digest without what either of the two declines. */
static void digest_without(const struct memory *m, uint8_t lane, const struct vd_declined_set *apart, struct vd_digest *out)
{
	*out = m->lanes[lane].digest;
	for (size_t i = 0; i < m->count; i++)
		if (m->records[i].lane == lane && vd_declined_has(apart, lane, m->records[i].author))
			vd_digest_remove(out, &m->records[i].id);
}

static size_t held_of(const struct memory *m, uint8_t lane, const uint8_t *author)
{
	size_t held = 0;

	for (size_t i = 0; i < m->count; i++)
		held += m->records[i].lane == lane && memcmp(m->records[i].author, author, VD_KEY_BYTES) == 0;
	return held;
}

/* Whose share is used up, whether anybody has come to say so yet or not. */
static void add_declined(struct story *s, const struct memory *m, struct vd_declined_set *apart)
{
	for (size_t i = 0; i < m->declined.count; i++)
		vd_declined_add(apart, m->declined.who[i].lane, m->declined.who[i].author);
	for (size_t who = 0; who < s->n.w.count; who++)
		for (uint8_t lane = 1; lane < VD_LANES; lane++)
			if (held_of(m, lane, s->n.w.writers[who].identity.author) >= STORY_SHARE)
				vd_declined_add(apart, lane, s->n.w.writers[who].identity.author);
}

static bool same_sets(struct story *s, struct memory *a, struct memory *b)
{
	struct vd_declined_set apart = { .count = 0 };

	add_declined(s, a, &apart);
	add_declined(s, b, &apart);
	for (uint8_t lane = 0; lane < VD_LANES; lane++) {
		struct vd_digest of_a, of_b;

		digest_without(a, lane, &apart, &of_a);
		digest_without(b, lane, &apart, &of_b);
		if (!vd_digest_eq(&of_a, &of_b))
			return false;
	}
	return true;
}

/* Every honest record, with its body. */
static bool has_all(struct story *s, size_t host)
{
	for (size_t i = 0; i < s->written_count; i++)
		if (!s->ones[s->written[i].host].doubtful && !memory_has(&s->n.hosts[host].m, &s->written[i].id, true))
			return false;
	return true;
}

bool story_converged(struct story *s)
{
	uint8_t epoch[VD_EPOCH_BYTES], devices[VD_EPOCH_DEVICES][VD_KEY_BYTES];
	struct vd_group *first = group_of(s, 0);

	if (!vd_group_epoch_clean(first) || vd_group_epoch_lacks(first, 0) || vd_group_unsealed(first, epoch, devices))
		return false;
	for (size_t i = 0; i < s->n.host_count; i++)
		if (story_has_role(s, i) && vd_group_orphans(group_of(s, i), &epoch, 1))
			return false;
	for (size_t i = 0; i < s->n.host_count; i++)
		if (story_has_role(s, i) && (!same_sets(s, &s->n.hosts[0].m, &s->n.hosts[i].m) || !has_all(s, i)))
			return false;
	return true;
}

/* --- membership --- */

/* What every role can read of the state. */
static void put_state(struct vd_group *g, struct vd_buf *out)
{
	vd_buf_reset(out);
	vd_buf_put(out, vd_group_current_epoch(g), VD_EPOCH_BYTES);
	vd_buf_put_u8(out, vd_group_epoch_clean(g));
	for (size_t i = 0; i < vd_group_device_count(g); i++) {
		const struct vd_device *d = vd_group_device(g, i);
		uint8_t about[] = { (uint8_t)d->role, (uint8_t)d->most, d->focal, d->removed, d->forked, d->coordinator_ever };

		vd_buf_put(out, d->author, sizeof(d->author));
		vd_buf_put(out, d->box, sizeof(d->box));
		vd_buf_put(out, d->person, sizeof(d->person));
		vd_buf_put(out, about, sizeof(about));
		vd_buf_put_u32(out, d->flags);
		vd_buf_put_u64(out, d->since_ms);
		vd_buf_put(out, &d->grant, sizeof(d->grant));
		vd_buf_put(out, &d->revoke, sizeof(d->revoke));
	}
	for (size_t i = 0; i < vd_group_act_count(g); i++) {
		const struct vd_act *a = vd_group_act(g, i);

		vd_buf_put(out, &a->id, sizeof(a->id));
		vd_buf_put_u8(out, a->counts);
		vd_buf_put_u8(out, a->backed);
	}
}

static const char *judge_membership(struct story *s)
{
	struct vd_buf first = { 0 }, own = { 0 };
	const char *wrong = NULL;

	put_state(group_of(s, 0), &first);
	for (size_t i = 0; i < s->n.host_count && !wrong; i++) {
		const struct vd_device *d = vd_group_find(group_of(s, 0), author_of(s, i));

		if (!s->ones[i].hostile && !s->ones[i].doubtful && (!d || d->role != s->ones[i].role))
			wrong = "an honest device has another role than the honest gave it";
		if (!story_has_role(s, i))
			continue;
		put_state(group_of(s, i), &own);
		if (!vd_slice_eq(vd_buf_slice(&first), vd_buf_slice(&own)))
			wrong = "one set, two opinions about the members";
	}
	vd_buf_deinit(&first);
	vd_buf_deinit(&own);
	return wrong;
}

/* --- stores --- */

static bool same_store(const struct memory *a, const struct memory *b)
{
	for (uint8_t lane = 0; lane < VD_LANES; lane++)
		if (!vd_digest_eq(&a->lanes[lane].digest, &b->lanes[lane].digest))
			return false;
	return true;
}

/* All of a store again, from nothing; once for those that hold the same. */
static const char *judge_store(struct story *s, size_t host)
{
	struct vd_group *fresh = vd_group_new(s->n.w.group, &s->n.w.writers[s->n.hosts[host].who].identity);
	const struct memory *m = &s->n.hosts[host].m;
	const char *wrong = NULL;
	struct vd_batch all = { 0 };

	if (!fresh)
		abort();
	for (size_t i = 0; i < m->count && !(host && same_store(m, &s->n.hosts[0].m)); i++)
		story_must(vd_batch_add(&all, vd_slice(m->records[i].raw, m->records[i].raw_bytes)));
	story_must(vd_chain_verify(&all, fresh, NULL, NULL));
	for (size_t i = 0; i < all.count; i++)
		if (all.entries[i].verdict)
			wrong = "what is stored does not hold";
	vd_batch_deinit(&all);
	vd_group_free(fresh);
	for (size_t i = 0; i < s->bad_count; i++)
		if (memory_has(m, &s->bad[i], false))
			wrong = "a forged record was taken";
	if (m->pool.count > VD_POOL_RECORDS)
		wrong = "the pool has grown beyond its bound";
	return wrong;
}

/* Of nobody else more than a share, and nobody honest declined. */
static const char *judge_shares(struct story *s, size_t host)
{
	const struct memory *m = &s->n.hosts[host].m;

	for (size_t who = 0; who < s->n.w.count; who++)
		for (uint8_t lane = 1; lane < VD_LANES; lane++) {
			const uint8_t *author = s->n.w.writers[who].identity.author;

			if (held_of(m, lane, author) > STORY_SHARE && memcmp(m->own, author, VD_KEY_BYTES) != 0)
				return "more than an author's share was taken";
		}
	for (size_t i = 0; i < s->n.host_count; i++)
		for (uint8_t lane = 1; lane < VD_LANES; lane++)
			if (!s->ones[i].hostile && vd_declined_has(&m->declined, lane, author_of(s, i)))
				return "an honest author is declined";
	return NULL;
}

/* --- what opens for whom --- */

static int open_at(struct story *s, size_t host, const struct vd_id *id, struct vd_buf *out)
{
	const struct memory *m = &s->n.hosts[host].m;
	struct vd_record r;

	vd_buf_reset(out);
	for (size_t i = 0; i < m->count; i++)
		if (memcmp(&m->records[i].id, id, sizeof(*id)) == 0) {
			story_must(vd_record_decode(vd_slice(m->records[i].raw, m->records[i].raw_bytes), &r));
			return vd_group_open_body(group_of(s, host), &r, out);
		}
	return VD_ENOTFOUND;
}

static bool by_the_honest(const struct story *s, const uint8_t *epoch)
{
	for (size_t i = 0; i < s->epoch_count; i++)
		if (memcmp(s->epochs[i], epoch, VD_EPOCH_BYTES) == 0)
			return true;
	return false;
}

static bool should_open(struct story *s, size_t host, const struct written *w)
{
	const struct vd_device *d = vd_group_find(group_of(s, host), author_of(s, host));

	if (d->role == VD_ROLE_COURIER)
		return false;
	if (w->audience == VD_AUDIENCE_NAMED)
		/* a coordinator may have been a focal point then, when nobody was marked as one */
		return w->named >> host & 1 &&
		       (s->ones[w->host].role != VD_ROLE_REPORTER || d->focal || d->role == VD_ROLE_COORDINATOR || host == w->host);
	return w->audience == VD_AUDIENCE_EVERYONE || d->role != VD_ROLE_REPORTER;
}

/* The record of somebody honest: just those open it who should, and read what was written. */
static const char *judge_reading(struct story *s, const struct written *w)
{
	struct vd_buf content = { 0 };
	const char *wrong = NULL;

	for (size_t i = 0; i < s->n.host_count && !s->ones[w->host].doubtful; i++) {
		int rc;

		/* a hostile coordinator's epoch may be one that some cannot open */
		if (!story_has_role(s, i) || (w->audience != VD_AUDIENCE_NAMED && !by_the_honest(s, w->epoch)))
			continue;
		rc = open_at(s, i, &w->id, &content);
		if (should_open(s, i, w) != (rc == VD_OK) && !s->ones[i].favoured)
			wrong = rc ? "a body does not open for one who is to read it" : "a body opens for one who is not to read it";
		if (!rc && !vd_slice_eq(vd_buf_slice(&content), vd_buf_slice(&w->content)))
			wrong = "a body reads otherwise than it was written";
	}
	vd_buf_deinit(&content);
	return wrong;
}

/* Devices in all respects alike open the same, of whoever wrote it. */
static bool alike(struct story *s, size_t a, size_t b, const uint8_t *epoch)
{
	const struct vd_device *of_a = vd_group_find(group_of(s, 0), author_of(s, a)), *of_b = vd_group_find(group_of(s, 0), author_of(s, b));

	for (int key = 0; key < VD_EPOCH_KEYS; key++)
		if (!vd_group_key(group_of(s, a), epoch, (enum vd_epoch_key)key) != !vd_group_key(group_of(s, b), epoch, (enum vd_epoch_key)key))
			return false;
	return of_a->role == of_b->role && of_a->focal == of_b->focal;
}

static const char *judge_same_reading(struct story *s, size_t host, const struct memory_record *mr)
{
	struct vd_buf first = { 0 }, own = { 0 };
	struct vd_body_prefix prefix;
	const char *wrong = NULL;
	struct vd_record r;
	size_t like = 0;
	int rc;

	story_must(vd_record_decode(vd_slice(mr->raw, mr->raw_bytes), &r));
	if (r.stub || vd_body_peek(r.body, &prefix) || prefix.audience == VD_AUDIENCE_NAMED)
		return NULL;
	while (like < host && !(story_has_role(s, like) && alike(s, like, host, prefix.epoch) && memory_has(&s->n.hosts[like].m, &mr->id, true)))
		like++;
	if (like == host)
		return NULL;
	rc = open_at(s, host, &mr->id, &own);
	if (open_at(s, like, &mr->id, &first) != rc || !vd_slice_eq(vd_buf_slice(&first), vd_buf_slice(&own)))
		wrong = "two devices alike read a body differently";
	if (!rc && vd_group_find(group_of(s, 0), author_of(s, host))->role == VD_ROLE_COURIER)
		wrong = "a courier reads";
	vd_buf_deinit(&first);
	vd_buf_deinit(&own);
	return wrong;
}

static void all_control(const struct memory *m, struct vd_batch *out)
{
	for (size_t i = 0; i < m->count; i++)
		if (m->records[i].lane == VD_LANE_CONTROL)
			story_must(vd_batch_add(out, vd_slice(m->records[i].raw, m->records[i].raw_bytes)));
}

/* Whoever had no role when something was written, and has none now, has no key of it: not with all control records there are. */
static const char *judge_removed(struct story *s, size_t who)
{
	const struct vd_device *d = vd_group_find(group_of(s, 0), s->n.w.writers[who].identity.author);
	const char *wrong = NULL;
	struct vd_batch control = { 0 };
	struct vd_group *all;

	if (!d || d->role != VD_ROLE_NONE)
		return NULL;
	all = vd_group_new(s->n.w.group, &s->n.w.writers[who].identity);
	if (!all)
		abort();
	all_control(&s->n.hosts[0].m, &control);
	story_must(vd_chain_verify(&control, all, NULL, NULL));
	for (size_t i = 0; i < s->written_count; i++)
		for (int key = 0; key < VD_EPOCH_KEYS; key++)
			if (s->written[i].closed >> who & 1 && vd_group_key(all, s->written[i].epoch, (enum vd_epoch_key)key))
				wrong = "a device without a role has the key of what was written meanwhile";
	vd_batch_deinit(&control);
	vd_group_free(all);
	return wrong;
}

/* --- all of it --- */

const char *story_judge(struct story *s)
{
	const char *wrong = story_converged(s) ? judge_membership(s) : "did not converge";

	if (!wrong && s->n.violations)
		wrong = "an honest end was accused of breaking a rule";
	for (size_t i = 0; i < s->n.host_count && !wrong; i++) {
		if (s->ones[i].hostile)
			continue;
		wrong = judge_store(s, i);
		if (!wrong && story_has_role(s, i))
			wrong = judge_shares(s, i);
	}
	for (size_t i = 0; i < s->written_count && !wrong; i++)
		wrong = judge_reading(s, &s->written[i]);
	for (size_t i = 1; i < s->n.host_count && !wrong; i++)
		for (size_t k = 0; k < s->n.hosts[i].m.count && !wrong && story_has_role(s, i); k++)
			if (s->n.hosts[i].m.records[k].lane != VD_LANE_CONTROL)
				wrong = judge_same_reading(s, i, &s->n.hosts[i].m.records[k]);
	for (size_t who = 0; who < s->n.w.count && who < 64 && !wrong; who++)
		wrong = judge_removed(s, who);
	return wrong;
}

void story_tell(struct story *s)
{
	struct vd_group *first = group_of(s, 0);
	const struct memory *a = &s->n.hosts[0].m;

	printf("# coordinator %zu; epoch clean %d, lacked by somebody %d\n", s->coordinator, vd_group_epoch_clean(first),
	       vd_group_epoch_lacks(first, 0) != NULL);
	for (size_t i = 1; i < s->n.host_count; i++) {
		const struct memory *m = &s->n.hosts[i].m;

		if (!story_has_role(s, i) || (same_sets(s, &s->n.hosts[0].m, &s->n.hosts[i].m) && has_all(s, i)))
			continue;
		printf("# host %zu, role %d, its declined %zu, founder's %zu, all honest %d:", i, s->ones[i].role, m->declined.count,
		       a->declined.count, has_all(s, i));
		for (int way = 0; way < 2; way++) {
			const struct memory *from = way ? m : a, *to = way ? a : m;

			printf(way ? "; the founder lacks" : " lacks");
			for (size_t k = 0; k < from->count; k++) {
				const struct memory_record *r = &from->records[k];
				size_t who = 0;

				while (who < s->n.w.count && memcmp(s->n.w.writers[who].identity.author, r->author, VD_KEY_BYTES) != 0)
					who++;
				if (!memory_has(to, &r->id, false) && !vd_declined_has(&a->declined, r->lane, r->author) &&
				    !vd_declined_has(&m->declined, r->lane, r->author))
					printf(" %d/%zu/%llu", r->lane, who, (unsigned long long)r->seq);
			}
		}
		printf("\n");
	}
}
