/* Receipts in a session: each end's own word when the sets are equal, and others' that the other end lacks. PROTOCOL.md section 9. */
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "session_priv.h"

enum {
	MESSAGE_BYTES = 4096, /* of others' receipts, or one: what is more urgent waits for no more */
	LANES_BYTES = 52,     /* that LANES of one lane that differed take, not counted yet, and the other end's in return, which say the same */
	FRAME_BYTES = 2 + 16, /* around what leaves at once, on a link as section 8 has it */
	LINK_BYTES = 564,     /* of a link or a pipe but for hellos: handshake, PROOF, BYE, frames */
	WORD_BYTES = 100,     /* of an end's own, framed, but where a clock went back */
	HEAD_BYTES = 3,       /* of a message as long as RECEIPTS */
};

void vd_session_meets(struct vd_session *s, const uint8_t peer[VD_KEY_BYTES])
{
	s->told.known = true;
	memcpy(s->told.peer, peer, VD_KEY_BYTES);
}

void vd_session_told_deinit(struct vd_session *s)
{
	vd_buf_deinit(&s->told.answer);
	vd_buf_deinit(&s->told.came);
	vd_buf_deinit(&s->told.words.others);
}

/* --- what is kept here --- */

/* Of others: the two ends' own go another way. */
static int look(struct vd_session *s, struct vd_told_list *list)
{
	const struct vd_identity *us = vd_group_identity(s->group);
	size_t n = 0;
	int rc = s->port->told(s->port->ctx, s->group, list);

	if (rc)
		return rc;
	s->told.kept = s->told.has = 0;
	s->told.through = list->through;
	for (size_t i = 0; i < list->count; i++) {
		const struct vd_told *told = &list->told[i];

		if (memcmp(told->author, s->told.peer, VD_KEY_BYTES) == 0)
			s->told.has = (uint32_t)(s->told.kept = told->count);
		else if (!us || memcmp(told->author, us->author, VD_KEY_BYTES) != 0)
			list->told[n++] = *told;
	}
	list->count = n;
	return VD_OK;
}

static int take_stock(struct vd_session *s, struct vd_told_list *list)
{
	struct vd_buf names = { 0 };
	int rc = look(s, list);

	if (rc)
		return rc;
	vd_told_encode(list->told, list->count, &names);
	rc = vd_buf_check(&names);
	s->told.names = names.n;
	if (!rc)
		vd_told_digest(vd_buf_slice(&names), s->told.digest);
	vd_buf_deinit(&names);
	free(list->told);
	return rc;
}

/* --- hello --- */

int vd_session_told_begin(struct vd_session *s)
{
	struct vd_session_told *t = &s->told;
	struct vd_told_list list;
	int rc;

	/* Who is behind in keys, or has no role, hears of it another time. */
	t->keeps = t->known && s->port->told && !s->control_first && !vd_session_takes_only(s);
	if (!t->keeps)
		return VD_OK;
	rc = take_stock(s, &list);
	t->gives = !rc && list.gives;
	t->mine = t->gives ? (uint32_t)list.mine : 0;
	return rc;
}

void vd_session_told_put_hello(struct vd_session *s, struct vd_buf *out)
{
	vd_buf_put(out, s->told.digest, VD_TOLD_DIGEST);
	memcpy(s->told.said, s->told.digest, VD_TOLD_DIGEST);
	vd_buf_put_u32(out, s->told.mine);
	vd_buf_put_u32(out, s->told.has);
}

void vd_session_told_take_hello(struct vd_session *s, struct vd_rd *r)
{
	vd_rd_copy(r, s->told.their_digest, VD_TOLD_DIGEST);
	s->told.theirs = s->stats.held.last = vd_rd_u32(r);
	s->told.had = vd_rd_u32(r);
	s->told.on = s->told.keeps;
}

/* Where bodies are lacking, or somebody is left out, neither end can tell what the other holds. */
static bool comparable(const struct vd_session *s)
{
	return s->whole == s->their_whole && !s->apart.count;
}

static size_t told_bytes(const struct vd_session *s, uint64_t most)
{
	return FRAME_BYTES + HEAD_BYTES + vd_varint_bytes(s->told.through) + vd_varint_bytes(most) + s->told.names;
}

static bool differs(const struct vd_session *s)
{
	return !s->told.asked && !s->told.ask && memcmp(s->told.digest, s->told.their_digest, VD_TOLD_DIGEST) != 0;
}

/* For what fits: nobody who waits for a sync pays for more. */
static void ask_at_once(struct vd_session *s)
{
	struct vd_session_told *t = &s->told;
	size_t around = told_bytes(s, VD_RECEIPTS_BYTES) + FRAME_BYTES + 2 * HEAD_BYTES;

	if (!differs(s) || t->left < around + VD_RECEIPT_HEAD_MIN + VD_SIGNATURE_BYTES)
		return;
	t->most = t->left - around < VD_RECEIPTS_BYTES - 1 ? t->left - around : VD_RECEIPTS_BYTES - 1;
	t->left = 0;
	t->ask = true;
}

/* For all, if the session lasts so long. Not where it was in vain, and nothing has changed. */
static void ask_later(struct vd_session *s)
{
	struct vd_session_told *t = &s->told;

	if (!differs(s) || t->later ||
	    (memcmp(t->vain, t->digest, VD_TOLD_DIGEST) == 0 && memcmp(t->vain + VD_TOLD_DIGEST, t->their_digest, VD_TOLD_DIGEST) == 0))
		return;
	t->later = true;
	t->ask_ms = s->now_ms + VD_RECEIPTS_LATER_MS;
}

/* Of what equal hellos leave, each end's own comes first. Where both do not fit, whose word the other lacks altogether. */
static void share_out(struct vd_session *s, size_t hellos)
{
	struct vd_session_told *t = &s->told;
	uint64_t left = LINK_BYTES + hellos < VD_EQUAL_BYTES ? VD_EQUAL_BYTES - LINK_BYTES - hellos : 0;
	uint32_t initiators = s->initiator ? t->had : t->has, others = s->initiator ? t->has : t->had;

	if (t->say && t->awaits && left < 2 * WORD_BYTES) {
		bool initiator = !(initiators && !others);

		t->say = s->initiator == initiator;
		t->awaits = !t->say;
	}
	if (left < FRAME_BYTES + HEAD_BYTES + VD_BRIEF_MIN)
		t->say = t->awaits = false;
	t->hello = t->say;
	t->spare = (t->say && t->awaits ? left / 2 : left) - (t->say ? FRAME_BYTES : 0);
}

void vd_session_told_met(struct vd_session *s, bool equal, size_t hellos)
{
	struct vd_session_told *t = &s->told;

	if (!t->on)
		return;
	if (equal && comparable(s)) {
		t->say = t->gives && (!t->mine || t->had != t->mine);
		t->awaits = t->they_give && (!t->theirs || t->has != t->theirs);
	}
	t->once = equal;
	if (!equal)
		return;
	share_out(s, hellos);
	ask_later(s);
}

uint64_t vd_session_told_later(const struct vd_session *s)
{
	return s->told.later && s->equal ? s->told.ask_ms : UINT64_MAX;
}

void vd_session_told_ask(struct vd_session *s)
{
	struct vd_session_told *t = &s->told;

	t->later = false;
	t->most = VD_RECEIPTS_BYTES;
	t->ask = !t->asked;
}

/* --- with LANES --- */

/* What a sync may cost beyond its records holds for our own word too: where finding the records took it all, that waits for the next comparison. */
static uint64_t spare(const struct vd_session *s)
{
	uint64_t records = s->stats.sent + s->stats.received - s->told.records, bytes = s->stats.reconcile_bytes - s->told.bytes;
	uint64_t most = VD_SYNC_BYTES + VD_SYNC_RECORD_BYTES * records;
	uint64_t frames = 2 * (s->stats.round_trips - s->told.trips + s->initiator) + 1, due = frames * FRAME_BYTES + LANES_BYTES;

	return most > bytes + due ? most - bytes - due : 0;
}

int vd_session_told_moment(struct vd_session *s)
{
	struct vd_session_told *t = &s->told;
	struct vd_told_list list;
	int rc;

	/* The initiator sees to the pace, and at the other end the clock. */
	if (!t->on || (!s->initiator && s->now_ms < t->say_ms))
		return VD_OK;
	t->say_ms = s->now_ms + VD_RECEIPTS_PACE_MS;
	rc = take_stock(s, &list);
	/* Who received nothing has nothing new to say that the other end would wait for. */
	t->spare = spare(s);
	t->say = t->gives && comparable(s) && s->stats.received > t->received && t->spare > VD_BRIEF_MIN;
	t->hello = false;
	return rc;
}

static void keep_brief(struct vd_session *s, const struct vd_brief *brief)
{
	struct vd_session_told *t = &s->told;

	if (s->now_ms < t->brief_ms)
		return;
	t->brief_ms = s->now_ms + VD_RECEIPTS_PACE_MS;
	t->words.own = *brief;
}

void vd_session_told_compared(struct vd_session *s, bool equal)
{
	struct vd_session_told *t = &s->told;

	if (equal && t->their_brief.n)
		keep_brief(s, &t->their_brief);
	t->awaits = false;
	t->their_brief.n = 0;
	t->once |= equal;
	if (!equal)
		return;
	t->left = spare(s);
	t->left = t->left < WORD_BYTES ? 0 : (t->left - WORD_BYTES) / 2;
	t->bytes = s->stats.reconcile_bytes;
	t->records = s->stats.sent + s->stats.received;
	t->trips = s->stats.round_trips;
	if (!t->on)
		return;
	ask_later(s);
	ask_at_once(s);
}

bool vd_session_told_likely(const struct vd_session *s)
{
	return s->stats.rounds > 1 || s->told.once;
}

bool vd_session_told_differs(const struct vd_session *s)
{
	return s->told.on && memcmp(s->told.digest, s->told.said, VD_TOLD_DIGEST) != 0;
}

bool vd_session_told_holds(const struct vd_session *s)
{
	return s->told.say && !s->told.hello;
}

/* --- our own --- */

bool vd_session_asks_word(const struct vd_session *s)
{
	return s->told.say;
}

/* Does it say what we said of our sets? The store may have moved on. */
static bool fits(const struct vd_session *s, const struct vd_receipt *r)
{
	for (size_t l = 0; l < VD_LANES; l++) {
		const struct vd_set_mark *mark = &s->lanes[l].ids;
		uint64_t count = s->told.hello ? s->counts[l] : mark->count;

		if (r->lanes[l].count != count || r->lanes[l].whole != (s->whole >> l & 1))
			return false;
		if (!s->told.hello && count && memcmp(r->lanes[l].digest, mark->hash, VD_RECEIPT_DIGEST) != 0)
			return false;
	}
	return true;
}

void vd_session_said(struct vd_session *s, struct vd_slice receipt)
{
	struct vd_session_told *t = &s->told;
	struct vd_receipt r;

	if (!t->say)
		return;
	t->say = false;
	t->brief.n = 0;
	if (receipt.n && !vd_receipt_decode(receipt, &r) && (uint32_t)r.count != t->had && fits(s, &r) && vd_receipt_shorten(receipt, &t->brief))
		t->brief.n = 0;
	if (t->brief.n + 2u > t->spare)
		t->brief.n = 0;
	if (t->brief.n) {
		t->had = (uint32_t)r.count;
		t->received = s->stats.received;
	}
	/* After equal hellos the other end waits for it, or for word that there is none. */
	t->brief_due = t->hello || t->brief.n;
}

int vd_session_drain_receipt(struct vd_session *s, uint8_t *type, struct vd_buf *out)
{
	if (!s->told.brief_due)
		return 0;
	s->told.brief_due = false;
	*type = VD_MSG_RECEIPT;
	vd_buf_put(out, s->told.brief.bytes, s->told.brief.n);
	return 1;
}

int vd_session_take_receipt(struct vd_session *s, struct vd_slice payload)
{
	struct vd_session_told *t = &s->told;
	struct vd_brief brief = { .n = 0 };
	const uint8_t *signature;
	struct vd_receipt r;

	if (payload.n && vd_receipt_brief_decode(payload, &r, &signature))
		return VD_EFORMAT;
	if (t->on && payload.n) {
		brief.n = (uint8_t)payload.n;
		memcpy(brief.bytes, payload.p, payload.n);
		if (t->awaits)
			keep_brief(s, &brief);
		else
			t->their_brief = brief;
	}
	t->awaits = false;
	return VD_OK;
}

/* --- others' --- */

static int put_names(struct vd_session *s, struct vd_buf *out)
{
	struct vd_told_list list;
	int rc = look(s, &list);

	if (rc)
		return rc;
	vd_buf_put_varint(out, s->told.through);
	vd_buf_put_varint(out, s->told.most);
	vd_told_encode(list.told, list.count, out);
	free(list.told);
	return VD_OK;
}

/* Of what we have, they do not, and they can take, as much as may be. */
static int find_answer(struct vd_session *s, uint64_t through, uint64_t most, struct vd_slice names)
{
	struct vd_buf *out = &s->told.answer;
	struct vd_buf one = { 0 };
	struct vd_told_list list;
	int rc = look(s, &list);

	if (rc)
		return rc;
	for (size_t i = 0; i < list.count && !rc; i++) {
		if (list.told[i].count > through || !vd_told_lacks(names, &list.told[i]) ||
		    list.told[i].bytes + vd_varint_bytes(list.told[i].bytes) > most - out->n)
			continue;
		vd_buf_reset(&one);
		rc = s->port->receipt(s->port->ctx, vd_group_id(s->group), list.told[i].author, &one);
		/* Another process may have taken in a longer one since. */
		if (!rc && one.n == list.told[i].bytes)
			vd_receipts_put(vd_buf_slice(&one), out);
		if (rc == VD_ENOTFOUND || rc == VD_EDAMAGED)
			rc = VD_OK;
	}
	free(list.told);
	vd_buf_deinit(&one);
	return rc ? rc : vd_buf_check(out);
}

int vd_session_take_told(struct vd_session *s, struct vd_slice payload)
{
	struct vd_session_told *t = &s->told;
	struct vd_rd r = vd_rd(payload);
	uint64_t through = vd_rd_varint(&r), most = vd_rd_varint(&r);
	int rc = r.err || most > VD_RECEIPTS_BYTES ? VD_EFORMAT : vd_told_check(vd_slice(r.p, r.n));

	if (rc || !t->on || t->answering)
		return rc;
	t->answering = true;
	if (s->now_ms < t->answer_ms)
		return VD_OK;
	t->answer_ms = s->now_ms + VD_RECEIPTS_PACE_MS;
	return find_answer(s, through, most, vd_slice(r.p, r.n));
}

int vd_session_take_receipts(struct vd_session *s, struct vd_slice payload)
{
	struct vd_session_told *t = &s->told;
	int rc = vd_receipts_check(payload);

	if (rc || !t->asked)
		return rc;
	if (payload.n > VD_RECEIPTS_BYTES - t->came.n)
		return VD_ECAP;
	vd_buf_put_slice(&t->came, payload);
	if (payload.n)
		return vd_buf_check(&t->came);
	t->asked = false;
	if (!t->came.n && t->most == VD_RECEIPTS_BYTES) {
		memcpy(t->vain, t->digest, VD_TOLD_DIGEST);
		memcpy(t->vain + VD_TOLD_DIGEST, t->their_digest, VD_TOLD_DIGEST);
	}
	vd_buf_deinit(&t->words.others);
	t->words.others = t->came;
	t->came = (struct vd_buf){ 0 };
	return VD_OK;
}

static void put_some(struct vd_buf *answer, struct vd_buf *out)
{
	struct vd_slice rest = vd_buf_slice(answer), one;
	size_t n = 0;

	while (vd_receipts_next(&rest, &one)) {
		if (n && answer->n - rest.n > MESSAGE_BYTES)
			break;
		n = answer->n - rest.n;
	}
	vd_buf_put(out, answer->p, n);
	vd_buf_drop(answer, n);
}

int vd_session_drain_told(struct vd_session *s, uint8_t *type, struct vd_buf *out)
{
	struct vd_session_told *t = &s->told;
	int rc;

	if (t->ask) {
		t->ask = false;
		t->asked = true;
		*type = VD_MSG_TOLD;
		rc = put_names(s, out);
		return rc ? rc : 1;
	}
	for (size_t l = 0; l < VD_LANES; l++)
		if (s->lanes[l].active)
			return 0;
	if (!t->answering)
		return 0;
	*type = VD_MSG_RECEIPTS;
	t->answering = t->answer.n > 0;
	put_some(&t->answer, out);
	return 1;
}

/* --- for the host --- */

bool vd_session_has_words(const struct vd_session *s)
{
	return s->told.words.own.n || s->told.words.others.n;
}

bool vd_session_words(struct vd_session *s, struct vd_words *out)
{
	bool any = vd_session_has_words(s);

	*out = s->told.words;
	s->told.words = (struct vd_words){ .own.n = 0 };
	return any;
}

bool vd_session_told_waits(const struct vd_session *s)
{
	const struct vd_session_told *t = &s->told;

	return (t->awaits || t->asked) && !t->say && !t->brief_due && !t->ask && !t->answering;
}

bool vd_session_told_busy(const struct vd_session *s)
{
	const struct vd_session_told *t = &s->told;

	return t->say || t->brief_due || t->awaits || t->ask || t->asked || t->answering;
}

void vd_session_told_give_up(struct vd_session *s)
{
	s->told.awaits = s->told.asked = false;
	vd_buf_deinit(&s->told.came);
}
