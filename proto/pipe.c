#include "pipe.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "node_priv.h"

enum {
	FIRST_BYTES = 48,  /* of the handshake's messages */
	SECOND_BYTES = 96,
	THIRD_BYTES = 64,
	HEAD_BYTES = 2,    /* of a frame; 0 for the end of a session */
};

enum step {
	READ_PROLOGUE,
	READ_FIRST,  /* the other end begins */
	READ_SECOND, /* we have begun, or passed: its answer, or a first message of its own */
	READ_FRAMES,
};

struct vd_pipe {
	const struct vd_port *port;
	bool yields;
	uint8_t ratchet[VD_NODE_SEED_BYTES];
	struct vd_pipe_met *met;
	size_t count;
	uint64_t now_ms;

	/* this turn */
	unsigned turn;
	enum step step;
	struct vd_node *node;     /* of the groups that are not done */
	uint32_t conn;
	bool in_node;
	uint8_t ours[VD_CHANNEL_PROLOGUE_BYTES], theirs[VD_CHANNEL_PROLOGUE_BYTES];
	struct vd_pipe_met *with; /* whom the session is for, once that is known */
	size_t unit;              /* bytes still to come of a message or frame that has begun */
	uint64_t since_ms;        /* of the step; of the session's end */
	bool closed, marked, their_mark; /* the session is; and both ends have said so */

	bool committing;
	struct vd_group *commit_group;
	struct vd_batch *commit;
	struct vd_group *say;     /* our receipt of it is wanted */
	struct vd_group *words_group; /* words are of a session of it */
	uint8_t words_peer[VD_KEY_BYTES];
	struct vd_words words;
	struct vd_buf held;       /* came, and was not taken yet */
	struct vd_buf out;        /* leaves before what the node has */
	bool heard, leaving, over; /* leaving: over once the node's last words are out */
	int err;
};

/* --- turns --- */

/* Groups that a turn may still be for; `out` (may be NULL) has room for all. */
static size_t undone(const struct vd_pipe *p, struct vd_group **out)
{
	size_t n = 0;

	for (size_t i = 0; i < p->count; i++) {
		if (p->met[i].done)
			continue;
		if (out)
			out[n] = p->met[i].group;
		n++;
	}
	return n;
}

static void finish(struct vd_pipe *p, int err)
{
	if (p->over)
		return;
	p->over = true;
	p->err = err;
	vd_buf_deinit(&p->held);
}

static void leave_node(struct vd_pipe *p)
{
	if (p->in_node)
		vd_node_closed(p->node, p->conn);
	p->in_node = false;
	p->say = NULL;
}

/* Says our prologue and waits for theirs; nothing left to be done is the end. */
static void begin_turn(struct vd_pipe *p)
{
	struct vd_group **groups = calloc(p->count, sizeof(struct vd_group *));
	uint8_t seed[VD_CHANNEL_SEED_BYTES];
	size_t n = groups ? undone(p, groups) : 0;
	int rc = groups ? VD_OK : VD_ENOMEM;

	leave_node(p);
	vd_node_free(p->node);
	p->node = NULL;
	if (!rc && n) {
		vd_node_draw(p->ratchet, seed, VD_NODE_SEED_BYTES);
		p->node = vd_node_new(p->port, seed);
		rc = p->node ? VD_OK : VD_ENOMEM;
		for (size_t i = 0; !rc && i < n; i++)
			rc = vd_node_add_group(p->node, groups[i]);
		vd_node_draw(p->ratchet, seed, sizeof(seed));
		vd_channel_prologue(groups, n, p->yields, seed, p->ours);
		vd_buf_put(&p->out, p->ours, sizeof(p->ours));
		sodium_memzero(seed, sizeof(seed));
		if (!rc)
			rc = vd_buf_check(&p->out);
	}
	free(groups);
	p->turn++;
	p->step = READ_PROLOGUE;
	p->with = NULL;
	p->unit = 0;
	p->since_ms = p->now_ms;
	p->closed = p->marked = p->their_mark = false;
	if (rc || !n || p->turn > p->count * VD_PIPE_TURNS_MAX)
		finish(p, rc);
}

static struct vd_pipe_met *met_of(struct vd_pipe *p, const struct vd_group *group)
{
	for (size_t i = 0; i < p->count; i++)
		if (p->met[i].group == group)
			return &p->met[i];
	return NULL;
}

/* The first group that is to be done and that they show to be in. */
static struct vd_pipe_met *choose(struct vd_pipe *p)
{
	for (size_t i = 0; i < p->count; i++)
		if (!p->met[i].done && vd_channel_prologue_shows(p->theirs, p->met[i].group))
			return &p->met[i];
	return NULL;
}

static void put_random(struct vd_pipe *p, size_t n)
{
	uint8_t bytes[FIRST_BYTES];

	vd_node_draw(p->ratchet, bytes, n);
	vd_buf_put(&p->out, bytes, n);
}

/* Calls for p->with, on top of what they said first. */
static void call(struct vd_pipe *p)
{
	int rc = vd_node_connect(p->node, p->now_ms, vd_group_id(p->with->group), &p->conn);

	p->in_node = !rc;
	if (!rc)
		rc = vd_node_feed(p->node, p->now_ms, p->conn, vd_slice(p->theirs, sizeof(p->theirs)));
	p->with->turns++;
	if (rc)
		finish(p, rc);
}

/* They begin, with that first message: false when it is for nobody here. */
static bool answer(struct vd_pipe *p, const uint8_t *first)
{
	int rc = vd_node_answer(p->node, p->now_ms, p->ours, &p->conn);

	p->in_node = !rc;
	if (!rc)
		rc = vd_node_feed(p->node, p->now_ms, p->conn, vd_slice(first, FIRST_BYTES));
	if (rc) {
		finish(p, rc);
		return true;
	}
	if (!vd_node_wants_output(p->node, p->conn)) {
		leave_node(p);
		return false;
	}
	p->step = READ_FRAMES;
	p->unit = THIRD_BYTES;
	return true;
}

/* Neither end knows what the other would begin: that is all there is in common. */
static void nothing_more(struct vd_pipe *p)
{
	finish(p, p->turn > 1 ? VD_OK : VD_EGROUP);
}

static void take_prologue(struct vd_pipe *p, const uint8_t *bytes)
{
	int order = memcmp(p->ours, bytes, sizeof(p->ours));

	memcpy(p->theirs, bytes, sizeof(p->theirs));
	p->heard = true;
	p->since_ms = p->now_ms;
	if (order == 0) {
		finish(p, VD_EEXISTS);
		return;
	}
	p->step = order < 0 ? READ_SECOND : READ_FIRST;
	if (order > 0)
		return;
	p->with = choose(p);
	/* A stranger gets no message of the handshake, which would show a point of the curve. */
	if (p->with)
		call(p);
	else
		put_random(p, FIRST_BYTES);
}

static void take_first(struct vd_pipe *p, const uint8_t *bytes)
{
	if (answer(p, bytes))
		return;
	/* They may not know the newest epoch of a group of which they showed an older one: so we begin, in a message as long as the answer
	 * they wait for. */
	p->with = choose(p);
	if (!p->with) {
		nothing_more(p);
		return;
	}
	call(p);
	if (p->over || vd_node_drain(p->node, p->now_ms, p->conn, FIRST_BYTES, &p->out)) {
		finish(p, VD_ENOMEM);
		return;
	}
	put_random(p, SECOND_BYTES - FIRST_BYTES);
	p->step = READ_FRAMES;
	p->unit = SECOND_BYTES;
}

static void take_second(struct vd_pipe *p, const uint8_t *bytes)
{
	if (p->with && vd_node_feed(p->node, p->now_ms, p->conn, vd_slice(bytes, SECOND_BYTES)) == VD_OK) {
		p->step = READ_FRAMES;
		return;
	}
	if (p->with) {
		leave_node(p);
		p->with->done = true;
		p->with->err = VD_ESIGNATURE;
		p->with = NULL;
	}
	if (!answer(p, bytes))
		nothing_more(p);
}

/* --- a session --- */

static void session_over(struct vd_pipe *p, const struct vd_wish *w)
{
	struct vd_pipe_met *met = w->group ? met_of(p, w->group) : p->with;
	uint64_t moved = w->stats.sent + w->stats.received;

	p->closed = true;
	p->since_ms = p->now_ms;
	if (met) {
		struct vd_session_stats before = met->stats;

		met->stats = w->stats;
		met->stats.sent += before.sent;
		met->stats.received += before.received;
		met->stats.refused += before.refused;
		met->stats.round_trips += before.round_trips;
		met->err = w->err;
		met->refused = w->err == VD_EAUTHOR && w->group;
		met->complete = !w->err && w->stats.complete;
		met->done = w->err != VD_EBUSY || met->turns >= VD_PIPE_TURNS_MAX || !(moved || w->stats.declines_more);
		if (met->refused)
			memcpy(met->peer, w->peer, sizeof(met->peer));
	}
	/* What cannot be read, or stored, goes for all groups. */
	if (w->err && w->err != VD_EBUSY && w->err != VD_EAUTHOR && w->err != VD_ECLOSED) {
		p->leaving = true;
		p->err = w->err;
	}
}

/* Of a session that may be over when our host looks. */
static void take_words(struct vd_pipe *p, const struct vd_wish *w)
{
	struct vd_words words;

	if (!vd_node_words(p->node, p->conn, &words))
		return;
	if (words.own.n || p->words_group != w->group) {
		vd_buf_deinit(&p->words.own);
		p->words.own = words.own;
	}
	if (words.others.n || p->words_group != w->group) {
		vd_buf_deinit(&p->words.others);
		p->words.others = words.others;
	}
	p->words_group = w->group;
	memcpy(p->words_peer, w->peer, sizeof(w->peer));
}

static void heed(struct vd_pipe *p)
{
	struct vd_wish w;

	while (p->node && vd_node_wish(p->node, &w)) {
		struct vd_pipe_met *met = w.group ? met_of(p, w.group) : p->with;
		const struct vd_declined_set *apart;

		switch (w.what) {
		case VD_WISH_COMMIT:
			p->committing = true;
			p->commit = w.batch;
			p->commit_group = w.group;
			break;
		case VD_WISH_OPENED:
			if (!p->with)
				met->turns++;
			p->with = met;
			met->opened = true;
			memcpy(met->peer, w.peer, sizeof(met->peer));
			break;
		case VD_WISH_SETTLED:
			apart = vd_node_apart(p->node, p->conn);
			if (apart)
				met->apart = *apart;
			vd_node_bye(p->node, p->now_ms, p->conn);
			break;
		case VD_WISH_SAY:
			p->say = w.group;
			break;
		case VD_WISH_WORDS:
			take_words(p, &w);
			break;
		case VD_WISH_CLOSED:
			session_over(p, &w);
			break;
		}
	}
}

/* Their side of the session is over, and perhaps ours is not. */
static void take_mark(struct vd_pipe *p)
{
	p->their_mark = true;
	if (p->closed)
		return;
	vd_node_bye(p->node, p->now_ms, p->conn);
	heed(p);
	if (!p->closed) /* the node had no memory to say so */
		finish(p, VD_ENOMEM);
	else if (p->with && !p->with->complete && !p->with->err)
		p->with->err = VD_ECLOSED;
}

/* One unit, or a part of it; returns how many bytes were taken. */
static size_t take_frames(struct vd_pipe *p, struct vd_slice in)
{
	size_t n;

	if (p->their_mark)
		return 0; /* of the next turn */
	if (!p->unit) {
		if (in.n < HEAD_BYTES)
			return 0;
		n = vd_get_u16(in.p);
		if (!n) {
			take_mark(p);
			return HEAD_BYTES;
		}
		p->unit = HEAD_BYTES + n;
	}
	n = in.n < p->unit ? in.n : p->unit;
	if (!p->closed && n && vd_node_feed(p->node, p->now_ms, p->conn, vd_slice(in.p, n)) == VD_EAGAIN && !p->closed)
		return 0;
	p->unit -= n;
	return n;
}

/* --- all that has come, as far as it goes --- */

static size_t take(struct vd_pipe *p, struct vd_slice in)
{
	size_t whole = p->step == READ_PROLOGUE ? sizeof(p->theirs) : p->step == READ_FIRST ? FIRST_BYTES : SECOND_BYTES;

	if (p->step == READ_FRAMES)
		return take_frames(p, in);
	if (in.n < whole)
		return 0;
	if (p->step == READ_PROLOGUE)
		take_prologue(p, in.p);
	else if (p->step == READ_FIRST)
		take_first(p, in.p);
	else
		take_second(p, in.p);
	return whole;
}

static void move_on(struct vd_pipe *p)
{
	size_t at = 0, n = 1;

	while (!p->over && (n || (p->closed && p->marked && p->their_mark && !p->committing))) {
		if (p->closed && p->marked && p->their_mark && !p->committing) {
			begin_turn(p);
			n = 1;
			continue;
		}
		n = take(p, vd_slice(p->held.n ? p->held.p + at : NULL, p->held.n - at));
		at += n;
		heed(p);
	}
	if (!p->over)
		vd_buf_drop(&p->held, at);
}

/* --- its host --- */

struct vd_pipe *vd_pipe_new(const struct vd_port *port, struct vd_group *const *groups, size_t count, bool yields,
                            const uint8_t seed[VD_NODE_SEED_BYTES])
{
	struct vd_pipe *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->met = calloc(count, sizeof(*p->met));
	if (!p->met) {
		free(p);
		return NULL;
	}
	p->port = port;
	p->yields = yields;
	p->count = count;
	memcpy(p->ratchet, seed, sizeof(p->ratchet));
	for (size_t i = 0; i < count; i++)
		p->met[i].group = groups[i];
	begin_turn(p);
	return p;
}

void vd_pipe_free(struct vd_pipe *p)
{
	if (!p)
		return;
	leave_node(p);
	vd_node_free(p->node);
	vd_buf_deinit(&p->held);
	vd_buf_deinit(&p->out);
	vd_words_deinit(&p->words);
	free(p->met);
	sodium_memzero(p, sizeof(*p));
	free(p);
}

void vd_pipe_feed(struct vd_pipe *p, uint64_t now_ms, struct vd_slice raw)
{
	p->now_ms = now_ms;
	if (p->over)
		return;
	vd_buf_put_slice(&p->held, raw);
	if (vd_buf_check(&p->held))
		finish(p, VD_ENOMEM);
	move_on(p);
}

bool vd_pipe_wants_input(const struct vd_pipe *p)
{
	/* After their last word of a turn what comes waits for ours. */
	return !p->over && !p->their_mark &&
	       (p->step != READ_FRAMES || p->closed || (!p->committing && vd_node_wants_input(p->node, p->conn)));
}

void vd_pipe_ended(struct vd_pipe *p, uint64_t now_ms)
{
	p->now_ms = now_ms;
	if (p->over)
		return;
	if (p->step == READ_PROLOGUE) {
		finish(p, p->turn > 1 && !p->held.n ? VD_OK : VD_ECLOSED);
	} else if (p->step == READ_SECOND && !p->with) {
		nothing_more(p);
	} else if (p->step != READ_FRAMES) {
		finish(p, VD_ECLOSED);
	} else if (p->their_mark) {
		p->leaving = true;
	} else {
		bool before = p->closed;

		take_mark(p);
		p->leaving = true;
		if (!before && !p->err)
			p->err = p->with && p->with->complete ? VD_OK : VD_ECLOSED;
	}
}

bool vd_pipe_wants_output(const struct vd_pipe *p)
{
	if (p->out.n)
		return true;
	if (p->over || !p->node)
		return false;
	return (p->in_node && vd_node_wants_output(p->node, p->conn)) || (p->closed && !p->marked && !p->committing);
}

int vd_pipe_drain(struct vd_pipe *p, uint64_t now_ms, size_t max, struct vd_buf *out)
{
	size_t n = p->out.n < max ? p->out.n : max;
	int rc = VD_OK;

	p->now_ms = now_ms;
	vd_buf_put(out, p->out.p, n);
	vd_buf_drop(&p->out, n);
	max -= n;
	if (p->in_node && !p->over && max) {
		rc = vd_node_drain(p->node, now_ms, p->conn, max, out);
		heed(p);
	}
	if (rc)
		finish(p, rc);
	else
		move_on(p); /* what the node could not take it may take now */
	if (p->closed && !p->marked && !p->committing && !p->over && !p->out.n && !vd_node_wants_output(p->node, p->conn)) {
		p->marked = true;
		vd_buf_put_u16(&p->out, 0);
		/* Their mark would tell nothing that we still need to know. */
		if (p->leaving || !undone(p, NULL))
			finish(p, p->err);
		move_on(p);
	}
	return vd_buf_check(out) ? VD_ENOMEM : vd_buf_check(&p->out);
}

struct vd_batch *vd_pipe_batch(const struct vd_pipe *p, struct vd_group **group)
{
	*group = p->commit_group;
	return p->committing ? p->commit : NULL;
}

void vd_pipe_committed(struct vd_pipe *p, uint64_t now_ms, int rc)
{
	p->now_ms = now_ms;
	p->committing = false;
	vd_node_committed(p->node, now_ms, p->conn, rc);
	if (rc && !p->err)
		p->err = rc;
	heed(p);
	move_on(p);
}

bool vd_pipe_asks_word(const struct vd_pipe *p, struct vd_group **group)
{
	*group = p->say;
	return p->say != NULL;
}

void vd_pipe_said(struct vd_pipe *p, uint64_t now_ms, struct vd_slice receipt)
{
	p->now_ms = now_ms;
	p->say = NULL;
	if (p->node)
		vd_node_said(p->node, now_ms, p->conn, receipt);
	heed(p);
	move_on(p);
}

bool vd_pipe_words(struct vd_pipe *p, struct vd_group **group, uint8_t peer[VD_KEY_BYTES], struct vd_words *out)
{
	bool any = p->words.own.n || p->words.others.n;

	*out = p->words;
	p->words = (struct vd_words){ .own = { 0 } };
	*group = p->words_group;
	memcpy(peer, p->words_peer, VD_KEY_BYTES);
	return any;
}

uint64_t vd_pipe_deadline(const struct vd_pipe *p)
{
	if (p->over || p->committing || !p->heard)
		return UINT64_MAX;
	if (p->closed)
		return p->since_ms + VD_STALL_MS;
	return p->step == READ_FRAMES ? vd_node_deadline(p->node) : p->since_ms + VD_PROVE_MS;
}

void vd_pipe_tick(struct vd_pipe *p, uint64_t now_ms)
{
	p->now_ms = now_ms;
	if (now_ms < vd_pipe_deadline(p))
		return;
	if (p->closed) {
		finish(p, p->err); /* it does not part, but the session has its result */
	} else if (p->step != READ_FRAMES) {
		finish(p, VD_ECLOSED);
	} else {
		vd_node_tick(p->node, now_ms);
		heed(p);
		if (p->closed && p->with && p->with->err == VD_ECLOSED && !p->their_mark) {
			p->leaving = true; /* silent: there is no use in another turn */
			p->err = VD_ECLOSED;
		}
		move_on(p);
	}
}

void vd_pipe_stop(struct vd_pipe *p, uint64_t now_ms)
{
	p->now_ms = now_ms;
	if (p->over)
		return;
	if (p->step != READ_FRAMES || !p->in_node) {
		finish(p, VD_ECLOSED);
		return;
	}
	p->leaving = true;
	if (!p->err)
		p->err = VD_ECLOSED;
	vd_node_bye(p->node, now_ms, p->conn);
	heed(p);
}

bool vd_pipe_heard(const struct vd_pipe *p)
{
	return p->heard;
}

bool vd_pipe_over(const struct vd_pipe *p)
{
	return p->over;
}

int vd_pipe_err(const struct vd_pipe *p)
{
	return p->err;
}

const struct vd_pipe_met *vd_pipe_groups(const struct vd_pipe *p, size_t *count)
{
	*count = p->count;
	return p->met;
}
