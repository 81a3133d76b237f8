#include "byzantine.h"

#include <stdio.h>
#include <stdlib.h>

#include "hostile.h"

enum {
	STEPS = 240,
	TURNS_AT = 60,        /* until then the hostile coordinator does its work */
	REMOVED_AT = 150,     /* … and then it is removed, if others have it so */
	CALM_ROUNDS = 60,
	CALM_WITH_HOSTILE = 4,/* rounds in which the hostile still call and are called */
	CALM_WITH_STICKS = 10,/* … and from which on whoever can speak to nobody is brought a stick */
	SHELF = 4,
	SHORT_MS = 400, LONG_MS = 8000,
};

struct byzantine {
	struct story s;
	struct hostile h;
	struct vd_batch shelf[SHELF];
	struct vd_id good;    /* the last of the hostile coordinator's acts that shall count */
	bool has_good, parted, second;
	size_t laggard;
	uint64_t sessions, cuts, sticks;
};

static uint64_t chance(struct byzantine *b, uint64_t below)
{
	return story_chance(&b->s, below);
}

static size_t any_host(struct byzantine *b)
{
	return (size_t)chance(b, b->s.n.host_count);
}

static size_t honest_host(struct byzantine *b)
{
	size_t host;

	do
		host = any_host(b);
	while (b->s.ones[host].hostile);
	return host;
}

static size_t hostile_host(struct byzantine *b)
{
	return chance(b, 2) ? b->s.coordinator : 4 + (size_t)chance(b, 2);
}

static bool can_meet(const struct byzantine *b, size_t a, size_t c)
{
	const struct one *x = &b->s.ones[a], *y = &b->s.ones[c];

	/* the hostile are wherever they like */
	return a != c && !x->away && !y->away && (!b->parted || x->side == y->side || x->hostile || y->hostile);
}

static void meet(struct byzantine *b)
{
	size_t a = any_host(b), c = any_host(b);
	struct wire *w;

	if (!can_meet(b, a, c))
		return;
	b->sessions++;
	w = net_call(&b->s.n, a, c, chance(b, 4) ? chance(b, 50) : chance(b, 3000));
	if (w && !chance(b, 5))
		w->bytes_per_s = 1000 + chance(b, 20000);
}

/* A stick: filled by one, read by another, whoever can be met or not. */
static void carry(struct byzantine *b)
{
	struct vd_batch *stick = &b->shelf[chance(b, SHELF)];
	size_t host = any_host(b);

	if (b->s.ones[host].away)
		return;
	if (chance(b, 2)) {
		vd_batch_reset(stick);
		net_export(&b->s.n, &b->s.n.hosts[host], 4, stick);
	} else {
		net_import(&b->s.n, host, stick);
	}
}

static void part(struct byzantine *b)
{
	b->parted = !b->parted && chance(b, 3);
	for (size_t i = 0; i < STORY_ALL; i++)
		b->s.ones[i].side = (uint8_t)chance(b, 2);
	for (size_t i = 0; i < STORY_HOSTS; i++)
		b->s.ones[i].away = i == b->laggard || chance(b, 8) == 0;
}

static void step(struct byzantine *b, int number)
{
	struct wire *w = &b->s.n.wires[chance(b, 24)];
	size_t host = honest_host(b);
	uint64_t what = chance(b, 20);

	if (what < 5) {
		for (uint64_t left = 1 + chance(b, 3); left; left--)
			story_write(&b->s, host);
	} else if (what < 11) {
		meet(b);
	} else if (what < 13) {
		carry(b);
	} else if (what == 13 && w->up) {
		net_cut(&b->s.n, w);
		b->cuts++;
	} else if (what == 14 && w->up) {
		net_bye(&b->s.n, w);
	} else if (what == 15 && !b->s.ones[host].away) {
		story_tend(&b->s, host);
	} else {
		size_t hostile = hostile_host(b);

		if (number < REMOVED_AT)
			hostile_learn(&b->s, hostile);
		for (uint64_t left = 1 + chance(b, 4); left; left--)
			hostile_deed(&b->h, hostile);
		if (number >= TURNS_AT && chance(b, 2))
			hostile_coordinate(&b->h, b->s.coordinator);
	}
	net_run(&b->s.n, chance(b, 2) ? chance(b, SHORT_MS) : chance(b, LONG_MS));
}

/* What happens once. */
static void event(struct byzantine *b, int number, int doubtful_at)
{
	struct story *s = &b->s;
	struct writer *hostile = &s->n.w.writers[s->coordinator];

	if (number == 30)
		story_admit(s, 0, VD_ROLE_MEMBER, 0);
	if (number == doubtful_at && story_admit(s, s->coordinator, VD_ROLE_MEMBER, 0))
		s->ones[s->n.host_count - 1].doubtful = true;
	hostile = &s->n.w.writers[s->coordinator];
	if (number == TURNS_AT) {
		b->has_good = hostile->has_last[VD_LANE_CONTROL];
		b->good = hostile->last[VD_LANE_CONTROL];
		for (size_t i = 0; i < STORY_HOSTS; i++)
			if (s->ones[i].hostile)
				hostile_lie(&b->h, i);
	}
	if (number == 100)
		story_admit(s, s->coordinator == 3 ? 2 : 3, chance(b, 2) ? VD_ROLE_COURIER : VD_ROLE_REPORTER, 0);
	if (number == 120 && chance(b, 8) == 0)
		hostile_open(&b->h, s->coordinator, honest_host(b), 1000);
	/* the founder does not know, perhaps, what another coordinator does at the same time; nor does the hostile one stop */
	if (number == REMOVED_AT) {
		story_revoke(s, 0, s->coordinator, b->has_good ? &b->good : NULL);
		if (b->second)
			story_revoke(s, s->coordinator == 1 ? 2 : 1, 4, NULL);
	}
	if (number % 25 == 15)
		part(b);
}

/* The control records of one for another, who takes nobody's word any more: on a stick, as those who were away are caught up with. */
static void catch_up(struct byzantine *b, size_t from, size_t to)
{
	const struct memory *m = &b->s.n.hosts[from].m;
	struct vd_batch stick = { 0 };

	for (size_t i = 0; i < m->count; i++)
		if (m->records[i].lane == VD_LANE_CONTROL)
			story_must(vd_batch_add(&stick, vd_slice(m->records[i].raw, m->records[i].raw_bytes)));
	net_import(&b->s.n, to, &stick);
	vd_batch_deinit(&stick);
	b->sticks++;
}

/* Each calls somebody; coordinators do what they do unasked. */
static void calm_round(struct byzantine *b, bool with_hostile, bool with_sticks)
{
	struct wire *w[STORY_ALL] = { NULL };
	uint64_t settled[STORY_ALL];
	struct story *s = &b->s;

	for (size_t i = 0; i < s->n.host_count; i++)
		settled[i] = s->n.hosts[i].settled;
	for (size_t i = 0; i < s->n.host_count; i++) {
		size_t to = any_host(b);

		if (to != i && (with_hostile || (!s->ones[i].hostile && !s->ones[to].hostile)))
			w[i] = net_call(&s->n, i, to, 5 + chance(b, 40));
		if (w[i] && w[i]->up)
			net_run_session(&s->n, w[i], 5000);
	}
	for (size_t i = 0; i < NET_WIRES_MAX; i++)
		if (s->n.wires[i].up)
			net_bye(&s->n, &s->n.wires[i]);
	for (size_t i = 0; i < s->n.host_count; i++) {
		size_t from = honest_host(b);

		if (!s->ones[i].hostile && chance(b, 2))
			story_tend(s, i);
		if (with_sticks && !s->ones[i].hostile && s->n.hosts[i].settled == settled[i] && story_has_role(s, from))
			catch_up(b, from, i);
	}
}

/* Whom the hostile coordinator admitted too late, or nobody heard of: their role is nobody's promise. */
static void accept_newcomers(struct story *s)
{
	for (size_t i = 0; i < s->n.host_count; i++)
		s->ones[i].doubtful &= !story_has_role(s, i);
}

static size_t settle(struct byzantine *b)
{
	size_t rounds = 0;

	strangers_leave(&b->h.strangers);
	for (size_t i = 0; i < NET_WIRES_MAX; i++)
		if (b->s.n.wires[i].up)
			net_cut(&b->s.n, &b->s.n.wires[i]);
	while (b->h.later_count && rounds++ < 12)
		hostile_show_later(&b->h);
	for (rounds = 0; rounds < CALM_ROUNDS && (rounds <= CALM_WITH_HOSTILE || !story_converged(&b->s)); rounds++)
		calm_round(b, rounds < CALM_WITH_HOSTILE, rounds >= CALM_WITH_STICKS);
	accept_newcomers(&b->s);
	return rounds;
}

static void report(struct byzantine *b, uint64_t seed, const char *wrong, size_t rounds, bool verbose)
{
	const struct story *s = &b->s;
	size_t control = 0;

	printf("%sok - sim -b %llu%s%s\n", wrong ? "not " : "", (unsigned long long)seed, wrong ? ": " : "", wrong ? wrong : "");
	for (size_t i = 0; i < s->n.hosts[0].m.count; i++)
		control += s->n.hosts[0].m.records[i].lane == VD_LANE_CONTROL;
	if (verbose || wrong)
		printf("# %zu hosts, %zu records at the founder (%zu control), %zu honest ones, %zu forged, %zu puppets, %zu epochs, %llu sessions,"
		       " %llu cuts, %llu declined; strangers: %llu came, %llu had no place, %llu proved, %llu ended; %zu calm rounds, %llu sticks\n",
		       s->n.host_count, s->n.hosts[0].m.count, control, s->written_count, s->bad_count, s->puppet_count, s->epoch_count,
		       (unsigned long long)b->sessions, (unsigned long long)b->cuts, (unsigned long long)s->n.hosts[0].m.declines,
		       (unsigned long long)b->h.strangers.opened, (unsigned long long)b->h.strangers.refused,
		       (unsigned long long)b->h.strangers.proved, (unsigned long long)b->h.strangers.ended, rounds, (unsigned long long)b->sticks);
	if (wrong)
		story_tell(&b->s);
	fflush(stdout);
}

bool byzantine_run(uint64_t seed, bool verbose)
{
	struct byzantine *b = calloc(1, sizeof(*b));
	const char *wrong;
	size_t rounds;
	int doubtful_at;

	if (!b)
		abort();
	story_init(&b->s, seed);
	hostile_init(&b->h, &b->s);
	for (size_t i = 0; i < STORY_HOSTS; i++)
		if (b->s.ones[i].hostile)
			hostile_learn(&b->s, i);
	b->second = chance(b, 2);
	b->laggard = 6 + (size_t)chance(b, 11);
	doubtful_at = 40 + (int)chance(b, 50);
	for (int i = 0; i < STEPS; i++) {
		event(b, i, doubtful_at);
		step(b, i);
	}
	rounds = settle(b);
	wrong = story_judge(&b->s);
	report(b, seed, wrong, rounds, verbose);
	for (size_t i = 0; i < SHELF; i++)
		vd_batch_deinit(&b->shelf[i]);
	hostile_deinit(&b->h);
	story_deinit(&b->s);
	free(b);
	return !wrong;
}
