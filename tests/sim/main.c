/* The simulator: twenty people and more, weeks of chance meetings in seconds; one of them forges, one equivocates.
 *
 * usage: sim [-b | -f] [-n COUNT] [-v] [SEED]     runs COUNT seeds (1) from SEED (1) on, prints a TAP line each. A run is its seed: the
 * same one repeats it exactly. Ends with status 1 if any did not converge. With -b: three of twenty are hostile (byzantine.h);
 * with -f: one device under a flood (flood.h). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "byzantine.h"
#include "flood.h"
#include "net.h"

enum {
	HOSTS = 20,
	FORGER = 7,
	EQUIVOCATOR = 13,
	STEPS = 160,        /* of chance, before calm */
	CALM_ROUNDS = 40,   /* everyone meets someone; then all must hold the same */
	SHELF = 6,          /* bundles lying about */
	IDS_MAX = 4096,
};

struct run {
	struct net n;
	struct vd_batch shelf[SHELF];
	struct vd_id good[IDS_MAX], bad[IDS_MAX];
	size_t good_count, bad_count;
	uint64_t sessions, cuts, imports;
};

static uint64_t chance(struct run *r, uint64_t below)
{
	return world_random(&r->n.w, below);
}

static void keep(struct vd_id *list, size_t *count, const struct vd_id *id)
{
	if (*count == IDS_MAX)
		abort();
	list[(*count)++] = *id;
}

static size_t any_host(struct run *r)
{
	return (size_t)chance(r, r->n.host_count);
}

/* Lane 1 to 3, mostly small, sometimes a photo's chunk. */
static void writes(struct run *r, size_t host)
{
	for (uint64_t left = 1 + chance(r, 6); left; left--) {
		uint8_t lane = (uint8_t)(1 + chance(r, 3));
		size_t bytes = (size_t)chance(r, lane == VD_LANE_BULK ? 30000 : 400);
		struct vd_id id = net_write(&r->n, host, lane, bytes);

		/* what the forger writes may stay with it */
		if (host != FORGER)
			keep(r->good, &r->good_count, &id);
	}
}

/* --- the forger: has what nobody may have, and offers it to everyone --- */

static void plant(struct run *r, struct vd_buf *raw)
{
	struct vd_id id = world_store(&r->n.hosts[FORGER].m, vd_buf_slice(raw));

	keep(r->bad, &r->bad_count, &id);
	vd_buf_reset(raw);
}

static void spoil_signature(struct vd_buf *raw)
{
	struct vd_record record;

	if (vd_record_decode(vd_buf_slice(raw), &record))
		abort();
	raw->p[record.header.n + 5] ^= 1;
}

static void forge(struct run *r)
{
	struct world *w = &r->n.w, other;
	struct writer *victim = &w->writers[chance(r, HOSTS)];
	struct writer before = *victim, own = w->writers[FORGER];
	struct vd_buf raw = { 0 }, content = { 0 };
	struct vd_record_fields f = { .lane = VD_LANE_CONTROL, .seq = 1, .time_ms = 1 };
	struct vd_id id;

	/* in somebody else's name, without their key */
	world_write(w, (size_t)(victim - w->writers), VD_LANE_NORMAL, 30, &raw, &id);
	spoil_signature(&raw);
	*victim = before;
	plant(r, &raw);
	/* a control record by one who may not */
	memcpy(f.group, w->group, sizeof(f.group));
	memcpy(f.author, own.identity.author, sizeof(f.author));
	if (vd_group_make_founding(&own.identity, w->salt, w->salt, &content) ||
	    vd_record_create(&f, vd_buf_slice(&content), own.identity.author_secret, &raw, &id))
		abort();
	plant(r, &raw);
	/* of another group */
	world_init(&other, chance(r, UINT64_MAX), 1);
	world_write(&other, 0, VD_LANE_URGENT, 30, &raw, &id);
	plant(r, &raw);
	world_deinit(&other);
	/* by nobody anyone admitted */
	vd_buf_reset(&content);
	{
		uint8_t seed[VD_IDENTITY_SEED_BYTES];
		struct vd_identity stranger;

		world_bytes(w, seed, sizeof(seed));
		vd_identity_from_seed(seed, &stranger);
		f.lane = VD_LANE_URGENT;
		memcpy(f.author, stranger.author, sizeof(f.author));
		vd_buf_put(&content, seed, 40);
		if (vd_record_create(&f, vd_buf_slice(&content), stranger.author_secret, &raw, &id))
			abort();
		plant(r, &raw);
	}
	vd_buf_deinit(&raw);
	vd_buf_deinit(&content);
	if (vd_node_grew(r->n.hosts[FORGER].node, r->n.now_ms))
		abort();
}

/* --- the equivocator: two records with one number, shown to different people --- */

static void show(struct run *r, size_t host, struct vd_slice raw)
{
	struct vd_batch batch = { 0 };

	if (vd_batch_add(&batch, raw))
		abort();
	net_import(&r->n, host, &batch);
	vd_batch_deinit(&batch);
}

static void equivocate(struct run *r)
{
	struct world *w = &r->n.w;
	struct writer before = w->writers[EQUIVOCATOR];
	uint8_t lane = (uint8_t)(1 + chance(r, 3));
	struct vd_buf raw = { 0 };
	struct vd_id id;

	for (int fork = 0; fork < 2; fork++) {
		w->writers[EQUIVOCATOR] = before;
		vd_buf_reset(&raw);
		world_write(w, EQUIVOCATOR, lane, 50, &raw, &id);
		show(r, (FORGER + 1 + (size_t)chance(r, HOSTS - 1)) % HOSTS, vd_buf_slice(&raw));
		keep(r->good, &r->good_count, &id);
		if (chance(r, 2))
			show(r, EQUIVOCATOR, vd_buf_slice(&raw));
	}
	vd_buf_deinit(&raw);
}

/* --- chance --- */

static void meet(struct run *r)
{
	size_t a = any_host(r), b = any_host(r);

	struct wire *w;

	if (a == b)
		return;
	r->sessions++;
	w = net_call(&r->n, a, b, chance(r, 4) ? chance(r, 50) : chance(r, 3000));
	if (w && !chance(r, 5))
		w->bytes_per_s = 1000 + chance(r, 20000); /* a radio modem */
}

static void step(struct run *r)
{
	struct wire *w = &r->n.wires[chance(r, 30)];
	size_t shelf = (size_t)chance(r, SHELF);

	switch (chance(r, 12)) {
	case 0: case 1: case 2:
		writes(r, any_host(r));
		break;
	case 3: case 4: case 5: case 6:
		meet(r);
		break;
	case 7:
		if (w->up) {
			net_cut(&r->n, w);
			r->cuts++;
		}
		break;
	case 8:
		if (w->up)
			net_bye(&r->n, w);
		break;
	case 9: /* a stick is filled; some of what it had no room for are bodies */
		vd_batch_reset(&r->shelf[shelf]);
		net_export(&r->n, &r->n.hosts[any_host(r)], 4, &r->shelf[shelf]);
		break;
	case 10: /* and read: late, elsewhere, and sometimes again */
		net_import(&r->n, any_host(r), &r->shelf[shelf]);
		r->imports++;
		break;
	case 11:
		if (chance(r, 2))
			equivocate(r);
		else
			forge(r);
		break;
	}
	net_run(&r->n, chance(r, 2) ? chance(r, 400) : chance(r, 8000));
}

/* --- what must hold in the end --- */

static bool honest(const struct run *r, size_t host)
{
	return !r->n.hosts[host].forger;
}

static bool converged(const struct run *r)
{
	for (size_t i = 0; i < r->n.host_count; i++)
		if (honest(r, i) && !memory_equal(&r->n.hosts[0].m, &r->n.hosts[i].m))
			return false;
	return true;
}

/* Everyone calls somebody, all at once, and hangs up when done. */
static void calm_round(struct run *r)
{
	struct wire *w[NET_HOSTS_MAX];

	for (size_t i = 0; i < r->n.host_count; i++) {
		size_t to = any_host(r);

		w[i] = to == i ? NULL : net_call(&r->n, i, to, 5 + chance(r, 40));
	}
	for (size_t i = 0; i < r->n.host_count; i++) {
		if (w[i] && w[i]->up)
			net_run_session(&r->n, w[i], 30000);
	}
	for (size_t i = 0; i < NET_WIRES_MAX; i++)
		if (r->n.wires[i].up)
			net_bye(&r->n, &r->n.wires[i]);
}

static const char *judge(const struct run *r)
{
	if (!converged(r))
		return "did not converge";
	if (r->n.violations)
		return "an honest end was accused of breaking a rule";
	for (size_t i = 0; i < r->n.host_count; i++) {
		const struct memory *m = &r->n.hosts[i].m;

		if (!honest(r, i))
			continue;
		for (size_t k = 0; k < r->good_count; k++)
			if (!memory_has(m, &r->good[k], true))
				return "a record or its body was lost";
		for (size_t k = 0; k < r->bad_count; k++)
			if (memory_has(m, &r->bad[k], false))
				return "a forged record was taken";
	}
	return NULL;
}

static bool run(uint64_t seed, bool verbose)
{
	struct run *r = calloc(1, sizeof(*r));
	const char *wrong;
	size_t rounds = 0;

	if (!r)
		abort();
	net_init(&r->n, seed, HOSTS);
	r->n.hosts[FORGER].forger = r->n.hosts[FORGER].m.flips = true;
	for (int i = 0; i < STEPS; i++) {
		step(r);
		if (i % 40 == 20)
			net_newcomer(&r->n);
		if (i % 50 == 30)
			net_epoch(&r->n); /* which those away hear of late */
	}
	for (size_t i = 0; i < NET_WIRES_MAX; i++)
		if (r->n.wires[i].up)
			net_cut(&r->n, &r->n.wires[i]);
	while (!converged(r) && rounds < CALM_ROUNDS) {
		calm_round(r);
		rounds++;
	}
	wrong = judge(r);
	printf("%sok - sim %llu%s%s\n", wrong ? "not " : "", (unsigned long long)seed, wrong ? ": " : "", wrong ? wrong : "");
	if (verbose || wrong)
		printf("# %zu hosts, %zu records, %zu forged, %llu sessions, %llu cuts, %llu imports, %zu calm rounds, %llu virtual s\n",
		       r->n.host_count, r->good_count, r->bad_count, (unsigned long long)r->sessions, (unsigned long long)r->cuts,
		       (unsigned long long)r->imports, rounds, (unsigned long long)r->n.now_ms / 1000);
	fflush(stdout);
	for (size_t i = 0; i < SHELF; i++)
		vd_batch_deinit(&r->shelf[i]);
	net_deinit(&r->n);
	free(r);
	return !wrong;
}

int main(int argc, char **argv)
{
	uint64_t seed = 1, count = 1;
	bool verbose = false, byzantine = false, flood = false, ok = true;
	int option;

	while ((option = getopt(argc, argv, "bfn:v")) != -1) {
		if (option == 'n')
			count = strtoull(optarg, NULL, 10);
		else if (option == 'v')
			verbose = true;
		else if (option == 'b')
			byzantine = true;
		else if (option == 'f')
			flood = true;
		else
			return 2;
	}
	if (optind < argc)
		seed = strtoull(argv[optind], NULL, 10);
	if (vd_sign_selftest())
		return 2;
	for (uint64_t i = 0; i < count; i++)
		ok &= flood ? flood_run(seed + i, verbose) : byzantine ? byzantine_run(seed + i, verbose) : run(seed + i, verbose);
	return !ok;
}
