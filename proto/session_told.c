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
	HEAD_BYTES = 3,       /* of a message, at most */
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
	vd_buf_deinit(&s->told.brief);
	vd_buf_deinit(&s->told.their_brief);
	vd_words_deinit(&s->told.words);
}

void vd_words_deinit(struct vd_words *words)
{
	vd_buf_deinit(&words->own);
	vd_buf_deinit(&words->others);
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

/* At once, unless that was lately, or the names alone would cost too much: then if the session lasts so long. Not where it was in vain, and nothing has
 * changed. */
static void ask(struct vd_session *s)
{
	struct vd_session_told *t = &s->told;

	if (t->ask || t->asked || memcmp(t->digest, t->their_digest, VD_TOLD_DIGEST) == 0 ||
	    (memcmp(t->vain, t->digest, VD_TOLD_DIGEST) == 0 && memcmp(t->vain + VD_TOLD_DIGEST, t->their_digest, VD_TOLD_DIGEST) == 0))
		return;
	if (!t->later && t->names > VD_RECEIPTS_BYTES && t->ask_ms < s->now_ms + VD_RECEIPTS_LATER_MS)
		t->ask_ms = s->now_ms + VD_RECEIPTS_LATER_MS;
	t->later = true;
	if (t->ask_ms <= s->now_ms)
		vd_session_told_ask(s);
}

/* Of what equal hellos leave, each end's own comes first. Where both do not fit, whose word the other lacks altogether. */
static void share_out(struct vd_session *s, size_t hellos)
{
	struct vd_session_told *t = &s->told;
	uint64_t left = LINK_BYTES + hellos < VD_EQUAL_BYTES ? VD_EQUAL_BYTES - LINK_BYTES - hellos : 0;
	uint32_t initiators = s->initiator ? t->had : t->has, others = s->initiator ? t->has : t->had;

	t->hello = t->say;
	t->spare = VD_WORD_BYTES; /* what is left out must be named, and the hellos of who declines are long */
	if (s->apart.count)
		return;
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

	t->once = t->on && equal;
	if (!t->once)
		return;
	t->say = t->gives && (!t->mine || t->had != t->mine);
	t->awaits = t->they_give && (!t->theirs || t->has != t->theirs);
	share_out(s, hellos);
	ask(s);
}

uint64_t vd_session_told_later(const struct vd_session *s)
{
	return s->told.later && s->equal ? s->told.ask_ms : UINT64_MAX;
}

void vd_session_told_ask(struct vd_session *s)
{
	struct vd_session_told *t = &s->told;

	t->later = false;
	t->ask = !t->asked;
	t->ask_ms = s->now_ms + VD_RECEIPTS_LATER_MS;
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
	struct vd_told_list list = { .count = 0 };
	int rc;

	/* The initiator sees to the pace, and at the other end the clock. */
	if (!t->on || (!s->initiator && s->now_ms < t->say_ms))
		return VD_OK;
	t->say_ms = s->now_ms + VD_RECEIPTS_PACE_MS;
	rc = take_stock(s, &list);
	t->spare = s->apart.count ? VD_WORD_BYTES : spare(s);
	/* Who received nothing has nothing new to say that the other end would wait for; but where somebody is left out no hellos are equal. */
	t->say = t->gives && t->spare > VD_BRIEF_MIN &&
	         (s->stats.received > t->received || (s->apart.count && (!list.mine || t->had != (uint32_t)list.mine)));
	t->hello = false;
	return rc;
}

/* Moves it. */
static void keep_brief(struct vd_session *s, struct vd_buf *brief)
{
	struct vd_session_told *t = &s->told;

	if (s->now_ms >= t->brief_ms) {
		t->brief_ms = s->now_ms + VD_RECEIPTS_PACE_MS;
		vd_buf_deinit(&t->words.own);
		t->words.own = *brief;
		*brief = (struct vd_buf){ 0 };
	}
	vd_buf_reset(brief);
}

void vd_session_told_compared(struct vd_session *s, bool equal)
{
	struct vd_session_told *t = &s->told;

	if (equal && t->their_brief.n)
		keep_brief(s, &t->their_brief);
	t->awaits = false;
	vd_buf_reset(&t->their_brief);
	t->once |= equal;
	if (!equal)
		return;
	t->bytes = s->stats.reconcile_bytes;
	t->records = s->stats.sent + s->stats.received;
	t->trips = s->stats.round_trips;
	if (t->on)
		ask(s);
}

bool vd_session_told_likely(const struct vd_session *s)
{
	return s->stats.rounds > 1 || s->told.once || s->apart.count;
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

/* Of which lanes can the other end not tell? Where somebody is left out; and where bodies are lacking here, unless `both` may lack the same. */
static struct vd_brief untold(const struct vd_session *s, bool both)
{
	struct vd_brief how = { .named = (uint8_t)(VD_WHOLE_ALL & ~s->whole & (both ? s->their_whole | 1u << VD_LANE_BULK : VD_WHOLE_ALL)) };

	for (uint8_t l = 0; l < VD_LANES; l++) {
		const struct vd_declined *first;

		if (vd_declined_of_lane(&s->apart, l, &first))
			how.marked = (uint8_t)(how.marked | 1u << l);
	}
	how.named |= how.marked;
	return how;
}

/* Does it say what we said of our sets? The store may have moved on. */
static bool fits(const struct vd_session *s, const struct vd_receipt *r)
{
	uint8_t marked = untold(s, false).marked;

	for (size_t l = 0; l < VD_LANES; l++) {
		const struct vd_set_mark *mark = &s->lanes[l].ids;
		uint64_t count = s->told.hello ? s->counts[l] : mark->count;

		if (marked >> l & 1)
			continue;
		if (r->lanes[l].count != count || r->lanes[l].whole != (s->whole >> l & 1))
			return false;
		if (!s->told.hello && count && memcmp(r->lanes[l].digest, mark->hash, VD_RECEIPT_DIGEST) != 0)
			return false;
	}
	return true;
}

/* Those of its spans that are of such a lane. */
static int put_spans(struct vd_session *s, struct vd_slice spans, uint8_t lanes, struct vd_buf *out)
{
	struct vd_span span;
	int rc = VD_OK;

	while (lanes && !rc && vd_receipt_next(&spans, &span)) {
		size_t n = 0;

		for (uint8_t l = 0; l < VD_LANES && !rc && !n; l++) {
			struct vd_arrival at;

			if (lanes >> l & 1)
				rc = s->port->find_item(s->port->ctx, vd_group_id(s->group), l, span.item, &at, 1, &n);
		}
		if (n) {
			vd_buf_put(out, span.item, VD_ITEM_BYTES);
			vd_buf_put_varint(out, span.length);
		}
	}
	return rc ? rc : vd_buf_check(out);
}

/* Names what is sure to be understood, if there is room; else what may be. False: it does not fit. */
static bool shorten(struct vd_session *s, struct vd_slice receipt, const struct vd_receipt *r)
{
	struct vd_session_told *t = &s->told;
	struct vd_buf spans = { 0 };
	bool ok = false;

	for (int both = 0; both < 2 && !ok; both++) {
		struct vd_brief how = untold(s, both);
		uint64_t most = both && how.named && t->hello ? VD_WORD_BYTES : t->spare;

		vd_buf_reset(&spans);
		vd_buf_reset(&t->brief);
		ok = !put_spans(s, r->spans, how.named, &spans) && !vd_receipt_shorten(receipt, &how, vd_buf_slice(&spans), &t->brief) &&
		     t->brief.n <= VD_WORD_BYTES && 1 + vd_varint_bytes(t->brief.n + 1) + t->brief.n <= most;
	}
	vd_buf_deinit(&spans);
	return ok;
}

void vd_session_said(struct vd_session *s, struct vd_slice receipt)
{
	struct vd_session_told *t = &s->told;
	struct vd_receipt r;

	if (!t->say)
		return;
	t->say = false;
	if (receipt.n && !vd_receipt_decode(receipt, &r) && (uint32_t)r.count != t->had && fits(s, &r) && shorten(s, receipt, &r)) {
		t->had = (uint32_t)r.count;
		t->received = s->stats.received;
	} else {
		vd_buf_reset(&t->brief);
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
	vd_buf_put_slice(out, vd_buf_slice(&s->told.brief));
	return 1;
}

int vd_session_take_receipt(struct vd_session *s, struct vd_slice payload)
{
	struct vd_session_told *t = &s->told;
	struct vd_brief how;
	struct vd_receipt r;
	int rc = VD_OK;

	if (payload.n > VD_WORD_BYTES || (payload.n && vd_receipt_brief_decode(payload, &r, &how)))
		return VD_EFORMAT;
	if (t->on && payload.n) {
		vd_buf_reset(&t->their_brief);
		vd_buf_put_slice(&t->their_brief, payload);
		rc = vd_buf_check(&t->their_brief);
		if (!rc && t->awaits)
			keep_brief(s, &t->their_brief);
	}
	t->awaits = false;
	return rc;
}

/* --- others' --- */

static int put_names(struct vd_session *s, struct vd_buf *out)
{
	struct vd_told_list list;
	int rc = look(s, &list);

	if (rc)
		return rc;
	vd_buf_put_varint(out, s->told.through);
	vd_buf_put_varint(out, VD_RECEIPTS_BYTES);
	vd_told_encode(list.told, list.count, out);
	free(list.told);
	return VD_OK;
}

static int newest_first(const void *a, const void *b)
{
	const struct vd_told *x = a, *y = b;

	return (x->count < y->count) - (x->count > y->count);
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
	/* Counts are of clocks, as a rule. */
	if (list.count)
		qsort(list.told, list.count, sizeof(*list.told), newest_first);
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
	if (!t->came.n) {
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
	s->told.words = (struct vd_words){ .own = { 0 } };
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
