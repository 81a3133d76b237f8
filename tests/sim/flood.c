#include "flood.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hostile.h"

enum {
	TARGET = 0,
	FIRST_HONEST = 6, LAST_HONEST = 10,
	HOSTILE = 100,        /* sessions that come at first; as many as are needed for that come later */
	AGAIN = 24,           /* … at most, each round */
	DEVICES = 3,          /* that they are of */
	ROUNDS = 30, ROUND_MS = 50,
	CALL_AT = 5,          /* the honest call when the flood is under way */
	RECORDS = 40,
};

struct flood {
	struct story s;
	struct hostile h;
	size_t devices[DEVICES];
	struct wire *wires[STORY_ALL];
	bool hostile, complete[STORY_ALL];
	uint64_t honest_turns, hostile_turns, honest_bytes;
	size_t most_places;
	size_t rounds;        /* until the last honest one was served */
	bool refused;         /* somebody honest had no place */
};

/* What the target's link does: whoever has not proved itself for longest makes room. */
static void make_room(struct flood *f)
{
	if (strangers_live(&f->h.strangers, false) - strangers_live(&f->h.strangers, true) >= VD_HALF_OPEN_MAX - 8)
		stranger_displace(&f->h.strangers);
}

static void come(struct flood *f, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		size_t device = f->devices[i % DEVICES];

		if (strangers_live(&f->h.strangers, false) >= HOSTILE)
			break;
		make_room(f);
		stranger_come(&f->h.strangers, TARGET, i % 4 == 3 ? STRANGER_SILENT : STRANGER_FLOODS, f->s.ones[device].view,
		              &f->s.n.hosts[device].m);
		if (i % 16 == 15)
			net_run(&f->s.n, 1);
	}
}

static void call(struct flood *f)
{
	for (size_t i = FIRST_HONEST; i <= LAST_HONEST; i++) {
		make_room(f);
		f->wires[i] = net_connect(&f->s.n, i, TARGET, 1);
		f->refused |= !f->wires[i];
	}
}

/* Are all of them through? Remembers what each took. */
static bool served(struct flood *f)
{
	bool all = true;

	for (size_t i = FIRST_HONEST; i <= LAST_HONEST; i++) {
		struct wire *w = f->wires[i];

		if (f->complete[i] || !w || !w->up)
			continue;
		f->complete[i] = w->settled[0] && w->settled[1] && w->complete[0] && w->complete[1];
		if (f->complete[i]) {
			f->honest_turns += w->turns[1];
			f->honest_bytes += w->bytes;
		}
	}
	for (size_t i = FIRST_HONEST; i <= LAST_HONEST; i++)
		all &= f->complete[i];
	return all;
}

static void play(struct flood *f)
{
	for (size_t round = 0; round < ROUNDS; round++) {
		size_t places;

		if (f->hostile)
			come(f, round ? AGAIN : HOSTILE);
		if (round == CALL_AT)
			call(f);
		net_run(&f->s.n, ROUND_MS);
		places = strangers_live(&f->h.strangers, false);
		f->most_places = places > f->most_places ? places : f->most_places;
		if (round >= CALL_AT && !f->rounds && served(f)) {
			f->rounds = round - CALL_AT + 1;
			f->hostile_turns = f->h.strangers.turns;
		}
	}
}

static void begin(struct flood *f, uint64_t seed, bool hostile)
{
	size_t n = 0;

	story_init(&f->s, seed);
	hostile_init(&f->h, &f->s);
	f->hostile = hostile;
	f->s.n.hosts[TARGET].m.share = 0;
	for (size_t i = 0; i < STORY_HOSTS; i++)
		if (f->s.ones[i].hostile) {
			hostile_learn(&f->s, i);
			f->devices[n++] = i;
		}
	for (size_t i = FIRST_HONEST; i <= LAST_HONEST; i++)
		for (int k = 0; k < RECORDS; k++)
			story_write(&f->s, i);
}

static void end(struct flood *f)
{
	hostile_deinit(&f->h);
	story_deinit(&f->s);
	free(f);
}

/* Records that hostile devices may have verified in vain by now. */
static uint64_t allowance(void)
{
	return DEVICES * ((VD_REFUSED_AHEAD_MS + ROUNDS * 2 * ROUND_MS) / VD_REFUSED_COST_MS + 2 * VD_BATCH_RECORDS);
}

bool flood_run(uint64_t seed, bool verbose)
{
	struct flood *peace = calloc(1, sizeof(*peace)), *war = calloc(1, sizeof(*war));
	const char *wrong = NULL;
	uint64_t vain;

	if (!peace || !war)
		abort();
	begin(peace, seed, false);
	play(peace);
	begin(war, seed, true);
	play(war);
	vain = war->s.n.hosts[TARGET].m.refused;
	if (!peace->rounds)
		wrong = "the honest are not served in peace";
	else if (war->refused)
		wrong = "an honest device had no place";
	else if (war->h.strangers.most_proved > 2 * DEVICES)
		wrong = "a device holds more than two places";
	else if (war->most_places > VD_HALF_OPEN_MAX + 2 * DEVICES)
		wrong = "more connections than there are places";
	else if (!war->rounds || war->rounds > 2 * peace->rounds)
		wrong = "the honest are not served at half their speed";
	else if (2 * war->honest_turns < peace->honest_turns || war->honest_bytes > 2 * peace->honest_bytes)
		wrong = "an honest session costs more under a flood";
	else if (vain > allowance())
		wrong = "more was verified in vain than is allowed";
	printf("%sok - sim -f %llu%s%s\n", wrong ? "not " : "", (unsigned long long)seed, wrong ? ": " : "", wrong ? wrong : "");
	if (verbose || wrong)
		printf("# honest: %zu rounds, %llu turns, %llu bytes; in peace %zu, %llu, %llu. Hostile: %llu came, %llu had no place, %llu proved, at"
		       " once %zu, with others %zu; %llu turns, %llu records verified in vain of %llu\n",
		       war->rounds, (unsigned long long)war->honest_turns, (unsigned long long)war->honest_bytes, peace->rounds,
		       (unsigned long long)peace->honest_turns, (unsigned long long)peace->honest_bytes,
		       (unsigned long long)war->h.strangers.opened, (unsigned long long)war->h.strangers.refused,
		       (unsigned long long)war->h.strangers.proved, war->h.strangers.most_proved, war->most_places,
		       (unsigned long long)war->hostile_turns, (unsigned long long)vain, (unsigned long long)allowance());
	fflush(stdout);
	end(peace);
	end(war);
	return !wrong;
}
