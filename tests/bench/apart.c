/* What finding a difference costs, without disk and network: two real sessions joined back to back, over sets of which only what
 * differs is held as records. Signatures are not checked and records' bytes not counted: those are other rows. */
#include <stdio.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench.h"
#include "proto/err.h"
#include "proto/hash.h"
#include "proto/vereda.h"

enum { POOL = 100000, MESSAGES = 4096, FRAME_BYTES = 2 + 16, FRAME_HOLDS = 16 * 1024, LANE = VD_LANE_NORMAL };

static struct {
	struct vd_identity identity;
	uint8_t id[VD_GROUP_BYTES], salt[VD_SALT_BYTES];
	struct vd_batch control;
} group;

/* What both ends hold, LANE aside from what differs. */
static struct vd_lane_state common[VD_LANES];
static struct vd_symbol common_symbols[VD_LANES][VD_SKETCH_SYMBOLS];

static struct one {
	struct vd_id id;
	struct vd_item item;
	struct vd_slice raw;
} pool[POOL];

/* One end. Arrival numbers from 1 are those of `held`, in the order they came. */
struct end {
	struct vd_port port;
	struct vd_group *group;
	struct vd_session *session;
	struct vd_lane_state lanes[VD_LANES];
	struct vd_symbol symbols[VD_SKETCH_SYMBOLS]; /* of LANE */
	uint32_t *held, *by_item;    /* places in the pool; the latter an open table, place + 1 */
	size_t count;
	double busy_s;
	uint64_t bytes;              /* said, without records */
};

enum { TABLE = 262144 };

/* ---- the port ---- */

static int port_lane(void *ctx, const uint8_t *id, uint8_t lane, struct vd_lane_state *out, struct vd_symbol *symbols, size_t n)
{
	const struct end *e = ctx;

	(void)id;
	*out = e->lanes[lane];
	out->latest = e->count;
	if (symbols)
		memcpy(symbols, lane == LANE ? e->symbols : common_symbols[lane], n * sizeof(*symbols));
	return VD_OK;
}

static int port_without(void *ctx, const uint8_t *id, uint8_t lane, struct vd_leaving *leaving, struct vd_lane_state *out,
                        struct vd_symbol *symbols, size_t n)
{
	leaving->passed = 0;
	return port_lane(ctx, id, lane, out, symbols, n);
}

static int port_declined(void *ctx, const uint8_t *id, struct vd_declined_set *out)
{
	(void)ctx, (void)id;
	memset(out, 0, sizeof(*out));
	return VD_OK;
}

static void arrival_of(const struct end *e, size_t place, struct vd_arrival *out)
{
	*out = (struct vd_arrival){.arrival = place + 1, .id = pool[e->held[place]].id};
	memcpy(out->author, group.identity.author, VD_KEY_BYTES);
}

static int port_find_item(void *ctx, const uint8_t *id, uint8_t lane, const uint8_t *item, struct vd_arrival *out, size_t max, size_t *n)
{
	const struct end *e = ctx;

	(void)id;
	*n = 0;
	for (size_t i = vd_get_u64(item) % TABLE; lane == LANE && *n < max && e->by_item[i]; i = (i + 1) % TABLE)
		if (!memcmp(pool[e->held[e->by_item[i] - 1]].item.b, item, VD_ITEM_BYTES))
			arrival_of(e, e->by_item[i] - 1, &out[(*n)++]);
	return VD_OK;
}

static int port_read(void *ctx, uint64_t arrival, struct vd_buf *out)
{
	const struct end *e = ctx;

	vd_buf_put_slice(out, pool[e->held[arrival - 1]].raw);
	return vd_buf_check(out);
}

static int port_scan(void *ctx, const uint8_t *id, uint8_t lane, uint64_t after, struct vd_arrival *out, size_t max, size_t *n)
{
	const struct end *e = ctx;

	(void)id;
	*n = 0;
	for (size_t i = (size_t)after; lane == LANE && i < e->count && *n < max; i++)
		arrival_of(e, i, &out[(*n)++]);
	return VD_OK;
}

static int port_numbers(void *ctx, const uint8_t *id, uint8_t lane, uint64_t after, uint64_t *out, size_t max, size_t *n)
{
	const struct end *e = ctx;

	(void)id;
	*n = 0;
	for (uint64_t i = after; lane == LANE && i < e->count && *n < max; i++)
		out[(*n)++] = i + 1;
	return VD_OK;
}

static int port_wanted(void *ctx, const uint8_t *id, uint8_t lane, uint64_t after, struct vd_arrival *out, size_t max, size_t *n)
{
	(void)ctx, (void)id, (void)lane, (void)after, (void)out, (void)max;
	*n = 0;
	return VD_OK;
}

/* Every record is as good as verified. */
static bool port_vouched(void *ctx, const struct vd_record *record)
{
	(void)ctx, (void)record;
	return true;
}

/* ---- the sets ---- */

static struct vd_record_fields fields_of(uint8_t lane, uint64_t seq)
{
	struct vd_record_fields f = {.lane = lane, .seq = seq, .time_ms = 1735689600000 + seq};

	memcpy(f.group, group.id, sizeof(f.group));
	memcpy(f.author, group.identity.author, sizeof(f.author));
	return f;
}

static void found_group(void)
{
	struct vd_buf content = {0}, raw = {0};
	uint8_t person[VD_PERSON_BYTES] = {1}, seed[VD_IDENTITY_SEED_BYTES] = {2};
	struct vd_record_fields f;
	struct vd_id id;

	vd_identity_from_seed(seed, &group.identity);
	memset(group.salt, 3, sizeof(group.salt));
	vd_group_make_id(group.identity.author, group.salt, group.id);
	check(vd_group_make_founding(&group.identity, person, group.salt, &content), "founding");
	f = fields_of(VD_LANE_CONTROL, 1);
	check(vd_record_create(&f, vd_buf_slice(&content), group.identity.author_secret, &raw, &id), "founding");
	check(vd_batch_add(&group.control, vd_buf_slice(&raw)), "founding");
	vd_buf_deinit(&content);
	vd_buf_deinit(&raw);
}

static void put(struct vd_lane_state *state, struct vd_symbol *symbols, const struct vd_id *id)
{
	struct vd_item item;

	vd_digest_add(&state->digest, id);
	vd_item_of(group.salt, id, &item);
	vd_sketch_apply(symbols, 0, VD_SKETCH_SYMBOLS, &item, 1);
}

/* Records that stand for any: their signatures are none. */
static void fill_pool(void)
{
	for (size_t i = 0; i < POOL; i++) {
		static const uint8_t text[160] = {7}; /* some 230 bytes as a compact record, as of a sentence */
		struct vd_record_fields f = fields_of(LANE, i + 1);
		struct vd_buf raw = {0};
		struct vd_record record;

		check(vd_record_create(&f, vd_slice(text, sizeof(text)), group.identity.author_secret, &raw, &pool[i].id), "record");
		check(vd_record_decode(vd_buf_slice(&raw), &record), "record");
		vd_item_of(group.salt, &pool[i].id, &pool[i].item);
		pool[i].raw = vd_buf_slice(&raw); /* kept until the end */
	}
}

static void fill_common(size_t n)
{
	vd_batch_seal(&group.control);
	put(&common[VD_LANE_CONTROL], common_symbols[VD_LANE_CONTROL], &group.control.entries[0].record.id);
	for (uint64_t i = common[LANE].digest.count; i < n; i++) {
		struct vd_id id;

		vd_hash1(VD_HASH_RECORD_ID, id.b, vd_slice(&i, sizeof(i)));
		put(&common[LANE], common_symbols[LANE], &id);
	}
}

static void end_take(struct end *e, uint32_t in_pool)
{
	size_t i = vd_get_u64(pool[in_pool].item.b) % TABLE;

	while (e->by_item[i])
		i = (i + 1) % TABLE;
	e->held[e->count] = in_pool;
	e->by_item[i] = (uint32_t)++e->count;
	vd_digest_add(&e->lanes[LANE].digest, &pool[in_pool].id);
	vd_sketch_apply(e->symbols, 0, VD_SKETCH_SYMBOLS, &pool[in_pool].item, 1);
}

static void end_of_common(struct end *e)
{
	memcpy(e->lanes, common, sizeof(common));
	memcpy(e->symbols, common_symbols[LANE], sizeof(e->symbols));
}

/* Nobody heard of any yet: each end has its own to say. */
static int port_told(void *ctx, struct vd_group *asked, struct vd_told_list *out)
{
	(void)ctx, (void)asked;
	*out = (struct vd_told_list){.gives = true};
	return VD_OK;
}

static struct end *end_new(void)
{
	struct end *e = calloc(1, sizeof(*e));

	if (!e)
		die("memory refused");
	e->held = calloc(POOL, sizeof(*e->held));
	e->by_item = calloc(TABLE, sizeof(*e->by_item));
	e->group = vd_group_new(group.id, &group.identity);
	if (!e->held || !e->by_item || !e->group)
		die("memory refused");
	check(vd_chain_verify(&group.control, e->group, NULL, NULL), "control");
	e->port = (struct vd_port){e, port_lane, port_without, port_declined, port_find_item, port_read, port_scan, port_numbers,
	                           port_wanted, port_vouched, NULL, port_told, NULL};
	e->lanes[VD_LANE_CONTROL] = common[VD_LANE_CONTROL];
	return e;
}

static void end_free(struct end *e)
{
	vd_session_free(e->session);
	vd_group_free(e->group);
	free(e->held);
	free(e->by_item);
	free(e);
}

/* ---- one sync ---- */

static double cpu_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static uint32_t place_of(const struct vd_record *record)
{
	return (uint32_t)record->seq - 1;
}

/* Storing is not what this measures. */
static void end_commit(struct end *e)
{
	struct vd_batch *batch;

	check(vd_session_flush(e->session), "flush");
	while ((batch = vd_session_batch(e->session))) {
		for (size_t i = 0; i < batch->count; i++) {
			check(batch->entries[i].verdict, "verdict");
			end_take(e, place_of(&batch->entries[i].record));
		}
		check(vd_session_committed(e->session, 0, VD_OK), "commit");
		vd_session_grew(e->session, 0);
	}
}

static void end_say(struct end *e)
{
	struct vd_receipt r = {.count = UINT64_C(1700000000000), .time_ms = UINT64_C(1700000000000), .keep_until = 20000};
	struct vd_buf said = {0};
	double start = cpu_s();

	if (!vd_session_asks_word(e->session))
		return;
	for (uint8_t l = 0; l < VD_LANES; l++) {
		struct vd_lane_state state;
		uint8_t hash[VD_HASH_BYTES];

		check(port_lane(e, NULL, l, &state, NULL, 0), "lane");
		vd_digest_hash(&state.digest, hash);
		r.lanes[l] = (struct vd_receipt_lane){.count = state.digest.count, .whole = !state.stubs};
		memcpy(r.lanes[l].digest, hash, VD_RECEIPT_DIGEST);
	}
	check(vd_receipt_make(e->group, &r, NULL, 0, &said), "receipt");
	vd_session_said(e->session, vd_buf_slice(&said));
	vd_buf_deinit(&said);
	e->busy_s += cpu_s() - start;

}

/* All that `from` has to say. */
static bool turn(struct end *from, struct end *to)
{
	static struct {
		uint8_t type;
		struct vd_buf payload;
	} messages[MESSAGES];
	uint64_t said = 0;
	size_t n = 0;

	for (;; n++) {
		double start = cpu_s();
		int rc;

		if (n == MESSAGES)
			die("too many messages");
		vd_buf_reset(&messages[n].payload);
		end_say(from);
		rc = vd_session_drain(from->session, 0, &messages[n].type, &messages[n].payload);
		from->busy_s += cpu_s() - start;
		if (rc < 0)
			die("drain: %d", rc);
		if (!rc)
			break;
		if (messages[n].type != VD_MSG_RECORDS)
			said += messages[n].payload.n + (messages[n].payload.n < 127 ? 2 : messages[n].payload.n < 16383 ? 3 : 4);
	}
	from->bytes += said + (said + FRAME_HOLDS - 1) / FRAME_HOLDS * FRAME_BYTES;
	for (size_t i = 0; i < n; i++) {
		double start = cpu_s();
		int rc = vd_session_feed(to->session, 0, messages[i].type, vd_buf_slice(&messages[i].payload));

		to->busy_s += cpu_s() - start;
		if (rc)
			die("feed: %d", rc);
		if (messages[i].type == VD_MSG_RECORDS)
			end_commit(to);
	}
	end_commit(to);
	return n;
}

struct cost {
	double bytes, trips, busy_us;
};

static void reconcile(struct end *a, struct end *b, uint64_t random)
{
	uint8_t seed[VD_SALT_BYTES] = {0};

	vd_set_u64(seed, random);
	a->session = vd_session_new(true, a->group, &a->port, 0, seed);
	b->session = vd_session_new(false, b->group, &b->port, 0, seed);
	if (!a->session || !b->session)
		die("memory refused");
	vd_session_meets(a->session, vd_group_identity(b->group)->author);
	vd_session_meets(b->session, vd_group_identity(a->group)->author);
	turn(b, a); /* the hellos cross */
	for (bool moved = true; moved;) {
		moved = turn(a, b);
		moved = turn(b, a) || moved;
	}
	if (!vd_session_settled(a->session) || !vd_session_stats(a->session)->complete || a->count != b->count)
		die("the ends do not agree: %zu and %zu", a->count, b->count);
}

/* `d` apart, of which only_a at the end that calls and the rest at the other. */
static struct cost sync_once(size_t only_a, size_t d, uint64_t *random)
{
	struct end *a = end_new(), *b = end_new();
	static bool picked[POOL];
	struct cost cost;

	end_of_common(a);
	end_of_common(b);
	memset(picked, 0, sizeof(picked));
	for (size_t i = 0; i < d; i++) {
		size_t k;

		do {
			*random = *random * UINT64_C(6364136223846793005) + 1442695040888963407;
			k = (size_t)(*random >> 33) % POOL;
		} while (picked[k]);
		picked[k] = true;
		end_take(i < only_a ? a : b, (uint32_t)k);
	}
	reconcile(a, b, *random);
	if (a->count != d)
		die("the ends agree on %zu of %zu", a->count, d);
	cost = (struct cost){(double)(a->bytes + b->bytes), vd_session_stats(a->session)->round_trips, (a->busy_s + b->busy_s) * 1e6};
	end_free(a);
	end_free(b);
	return cost;
}

static int ascending(const void *x, const void *y)
{
	double a = *(const double *)x, b = *(const double *)y;

	return a < b ? -1 : a > b;
}

struct spread {
	double median, p90, worst;
};

static struct spread spread_of(double *v, size_t n)
{
	qsort(v, n, sizeof(*v), ascending);
	return (struct spread){v[n / 2], v[(n * 9 + 9) / 10 - 1], v[n - 1]};
}

static void row(size_t d, const char *who, size_t only_a, size_t trials, uint64_t *random)
{
	double *v = calloc(3 * trials, sizeof(*v));
	struct spread bytes, trips, busy;
	char task[96];

	if (!v)
		die("memory refused");
	for (size_t t = 0; t < trials; t++) {
		struct cost c = sync_once(only_a, d, random);

		v[t] = c.bytes;
		v[trials + t] = c.trips;
		v[2 * trials + t] = c.busy_us;
	}
	bytes = spread_of(v, trials);
	trips = spread_of(v + trials, trials);
	busy = spread_of(v + 2 * trials, trials);
	free(v);
	snprintf(task, sizeof(task), "%zu apart, %s: bytes, 90th percentile", d, who);
	table_at_most(task, bytes.p90, "bytes", 700 + 42 * (double)d);
	table_figure("  worst", bytes.worst, "bytes");
	table_at_most("  round trips, 90th percentile", trips.p90, "", 2);
	table_at_most("  CPU of both ends, median", busy.median, "us", 300 + 5 * (double)d);
}

/* So much of what there is in all has the end that calls, and the other, in hundredths: from the first on, and up to the last. */
struct large {
	const char *what;
	size_t first, last;
};

/* Most of it differs, or more than two round trips are promised for: no worse than sending the records and a hundredth. */
static bool is_large(const struct large *l, size_t n)
{
	size_t both = l->first + l->last, d = both > 100 ? 200 - both : both;

	return 5 * d > 2 * both || d * (n / 100) > 10000;
}

static double beyond_records(size_t n, const struct large *l, bool turned, double *trips)
{
	struct end *x = end_new(), *y = end_new();
	const struct vd_session_stats *s;
	double percent;

	for (uint32_t i = 0; i < n; i++) {
		if (i < n / 100 * l->first)
			end_take(x, i);
		if (i >= n - n / 100 * l->last)
			end_take(y, i);
	}
	reconcile(turned ? y : x, turned ? x : y, n);
	s = vd_session_stats(x->session);
	*trips = fmax(*trips, (turned ? vd_session_stats(y->session) : s)->round_trips);
	percent = 100 * (double)(x->bytes + y->bytes) / (double)(s->sent_bytes + vd_session_stats(y->session)->sent_bytes);
	end_free(x);
	end_free(y);
	return percent;
}

static void large_rows(size_t n)
{
	static const struct large kinds[] = {
		{"one end has none", 0, 100},
		{"one end has 1 %", 1, 100},
		{"one end has 10 %", 10, 100},
		{"one end has half", 50, 100},
		{"each has another half", 50, 50},
		{"each has three quarters", 75, 75},
		{"one end has 90 %", 90, 100},
	};

	printf("%zu in all, and large differences; what a sync costs beyond the records, whoever calls\n", n);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		double trips = 0, one = beyond_records(n, &kinds[i], false, &trips), other = beyond_records(n, &kinds[i], true, &trips);

		if (is_large(&kinds[i], n))
			table_at_most(kinds[i].what, fmax(one, other), "%", 1);
		else
			table_figure(kinds[i].what, fmax(one, other), "%");
		table_figure("  round trips", trips, "");
	}
}

void apart(size_t n)
{
	static const size_t sizes[] = {1, 10, 100, 1000, 10000};
	uint64_t random = n;

	if (!pool[0].raw.p) {
		found_group();
		fill_pool();
	}
	fill_common(n);
	large_rows(10000);
	large_rows(POOL);
	printf("%zu at both ends and d apart; what a sync costs beyond the records\n", n);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		size_t d = sizes[i], trials = d < 1000 ? 60 : d < 10000 ? 20 : 10;

		row(d, "all here", d, trials, &random);
		row(d, "all there", 0, trials, &random);
		if (d > 1)
			row(d, "half here", d / 2, trials, &random);
	}
}
