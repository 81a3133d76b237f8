/* A lane by list: one end tells items under a fresh salt, as gaps of the first bits of each; the other compares with its own. */
#include <math.h>
#include <string.h>

#include "err.h"
#include "reconcile_priv.h"

enum {
	MESSAGE_BYTES = 8 * 1024, /* of a LIST or WANT, about */
	EXTRA_BITS = 7,       /* one of 128 that differ is taken for another, and found in the next round */
	SURE = 20,            /* in one of so many lists any is … */
	SURE_SMALL = 10000,   /* … and of lists shorter than a tenth of this in fewer, as much as they are shorter: another round costs more than bits */
	SURE_COST = 16,       /* bits for each that differs, of some 1,900 that a record takes: so many are spent to be sure, and … */
	SURE_SPARE = 64,      /* … so many bytes, and more … */
	LEAN_COST = 20,       /* … where fewer bits of an item do not cost less than this */
	PROMISED = 12000,     /* records that differ and are settled in two round trips, if they are not most: 10,000, and what an estimate errs by */
};

/* Records of the end that lists, and of the other. */
struct sides {
	double list, other;
};

static struct sides sides_of(const struct vd_reconcile *r, bool ours)
{
	return ours ? (struct sides){ (double)r->ours, (double)r->theirs } : (struct sides){ (double)r->theirs, (double)r->ours };
}

/* Times 2^-bits: how many of those that differ share their first bits with one at the other end, which makes both look common. Who lists
 * has `alone` that the other lacks. */
static double shared(const struct sides *n, double alone)
{
	return alone * n->other + (n->other - n->list + alone) * n->list;
}

/* Of the list and what is said to it. */
static double bytes_of(const struct sides *n, double bits)
{
	/* its gap, and whether it is wanted */
	return (bits - log2(n->list + 1) + 1.6 + 1) * n->list / 8;
}

/* Are two round trips not promised? Most of all records differ, or more than may. */
static bool large(const struct vd_reconcile *r, uint64_t d)
{
	return d > PROMISED || 5 * d > 2 * (r->ours + r->theirs);
}

/* How many pairs are there that the first bits of an item must tell apart? */
static double pairs_of(const struct sides *n, uint64_t d)
{
	return shared(n, ((double)d + n->list - n->other) / 2) + 1;
}

/* So many bits that hardly ever one that differs is missed. */
static double sure_bits(const struct sides *n, uint64_t d)
{
	double rare = SURE_SMALL / (n->list + 1);

	return ceil(log2((rare > SURE ? rare : SURE) * pairs_of(n, d)));
}

/* Is that worth it? Another round takes a while, but where much differs and it keeps the cost below a hundredth of the records it is better. */
static bool sure_is_cheap(const struct sides *n, uint64_t d)
{
	return bytes_of(n, sure_bits(n, d)) <= SURE_COST * (double)d / 8 + SURE_SPARE;
}

bool vd_reconcile_list_ours(const struct vd_reconcile *r, uint64_t d)
{
	const struct sides n = sides_of(r, true);

	/* The other end's comes a round trip later: where much differs that is worth a third of it, and else all of it. */
	return r->ours <= r->theirs || 2 * r->ours < 3 * r->theirs || !large(r, d) || sure_is_cheap(&n, d);
}

uint64_t vd_reconcile_list_cost(const struct vd_reconcile *r, uint64_t d, uint8_t *bits)
{
	const struct sides n = sides_of(r, vd_reconcile_list_ours(r, d));
	double sure = sure_bits(&n, d), lean = ceil(log2(ldexp(pairs_of(&n, d) / (double)d + 1, EXTRA_BITS)));
	double most = 64 - r->arrival_bits < VD_LIST_BITS_MAX ? 64 - r->arrival_bits : VD_LIST_BITS_MAX, chosen = sure;

	/* Of very many that differ some are missed whatever is spent. */
	if (sure > most || d > VD_SKETCH_SYMBOLS || (large(r, d) && !sure_is_cheap(&n, d) && bytes_of(&n, lean) <= LEAN_COST * (double)d / 8))
		chosen = lean;
	if (chosen > most || n.list > VD_LIST_ENTRIES_MAX)
		return UINT64_MAX;
	*bits = (uint8_t)chosen;
	return (uint64_t)bytes_of(&n, chosen) + VD_SALT_BYTES;
}

int vd_reconcile_list_begin(struct vd_reconcile *r, const uint8_t salt[VD_SALT_BYTES], uint8_t bits, bool lists)
{
	int rc = vd_reconcile_salt(r, salt, 0);

	r->method = VD_METHOD_LIST;
	r->list.ours = lists;
	r->list.bits = bits;
	/* What is to be sent takes the place of entries that are done with: of a large lane they are all the memory there is. */
	r->arrivals = r->salted.entries;
	r->arrival_capacity = r->salted.capacity;
	r->salted.entries = NULL;
	if (lists) {
		if (bits > 64 - r->salted.shift)
			r->list.bits = (uint8_t)(64 - r->salted.shift);
		r->list.total = r->salted.count;
	}
	return rc;
}

uint64_t vd_reconcile_list_missed(const struct vd_reconcile *r)
{
	const struct sides n = sides_of(r, r->list.ours);
	double missed = ldexp(shared(&n, (double)r->list.wanted), -r->list.bits);

	return !(missed > 0) ? 0 : missed < 1 << 30 ? (uint64_t)missed : 1 << 30;
}

/* --- who lists --- */

bool vd_reconcile_list_due(const struct vd_reconcile *r)
{
	return r->method == VD_METHOD_LIST && r->list.ours && (!r->list.begun || r->list.at < r->list.total);
}

void vd_reconcile_drain_list(struct vd_reconcile *r, struct vd_buf *out)
{
	struct vd_gaps_writer w = { .out = out };
	size_t most = out->n + MESSAGE_BYTES;

	if (!r->list.begun) {
		vd_buf_put_u8(out, r->list.bits);
		vd_buf_put_varint(out, r->list.total);
		r->list.gaps = vd_gaps(r->list.bits, r->list.total);
		r->list.begun = true;
	}
	for (; out->n < most && r->list.at < r->list.total; r->list.at++)
		vd_gaps_put(&r->list.gaps, &w, r->arrivals[r->list.at] >> (64 - r->list.bits));
	vd_gaps_put_end(&w);
}

/* One of the lane's entries is to be sent: never more of them than were passed. */
static void keep(struct vd_reconcile *r, uint64_t entry)
{
	r->arrivals[r->list.kept++] = vd_salted_arrival(&r->salted, entry);
}

static void send_kept(struct vd_reconcile *r)
{
	r->arrival_count = (size_t)r->list.kept;
	vd_reconcile_sort(r);
}

static size_t wants_bytes(const struct vd_reconcile *r)
{
	return (size_t)((r->list.total + 7) / 8);
}

int vd_reconcile_feed_wants(struct vd_reconcile *r, struct vd_rd *rd)
{
	if (!r->list.ours || vd_reconcile_list_due(r) || r->settled_in || !rd->n)
		return VD_EFORMAT;
	if (rd->n > wants_bytes(r) - r->list.wants_at)
		return VD_ECAP;
	while (rd->n) {
		uint8_t byte = vd_rd_u8(rd);
		uint64_t place = 8 * (uint64_t)r->list.wants_at++;

		for (; byte; byte = (uint8_t)(byte << 1), place++) {
			if (!(byte & 0x80))
				continue;
			if (place >= r->list.total)
				return VD_EFORMAT;
			keep(r, r->arrivals[place]);
			r->list.wanted++;
		}
	}
	if (r->list.wants_at == wants_bytes(r))
		send_kept(r);
	return VD_OK;
}

bool vd_reconcile_wants_torn(const struct vd_reconcile *r)
{
	return r->method == VD_METHOD_LIST && r->list.ours && (vd_reconcile_list_due(r) || (r->list.wants_at && r->list.wants_at < wants_bytes(r)));
}

/* --- who compares --- */

static void note(struct vd_reconcile *r, bool wanted)
{
	uint64_t place = r->list.seen++;

	if (place % 8 == 0)
		vd_buf_put_u8(&r->list.wants, 0);
	if (wanted && r->list.wants.n)
		r->list.wants.p[r->list.wants.n - 1] |= (uint8_t)(0x80 >> place % 8);
	r->list.wanted += wanted;
}

/* When all of their list is here, what is left of ours is what they lack. */
static int end_list(struct vd_reconcile *r)
{
	if (r->list.seen < r->list.total)
		return VD_OK;
	if (vd_buf_check(&r->list.wants))
		return VD_ENOMEM;
	while (r->list.at < r->salted.count)
		keep(r, r->arrivals[r->list.at++]);
	send_kept(r);
	if (!r->list.wanted)
		vd_buf_deinit(&r->list.wants);
	r->finished = true;
	return VD_OK;
}

static int begin_theirs(struct vd_reconcile *r, struct vd_rd *rd)
{
	r->list.bits = vd_rd_u8(rd);
	r->list.total = vd_rd_varint(rd);
	if (rd->err || !r->list.bits || r->list.bits > VD_LIST_BITS_MAX || r->list.total > r->theirs || r->list.total > VD_LIST_ENTRIES_MAX)
		return VD_EFORMAT;
	r->list.gaps = vd_gaps(r->list.bits, r->list.total);
	r->list.begun = true;
	return VD_OK;
}

/* Merge of two ascending lists, theirs as it comes. */
int vd_reconcile_take_list(struct vd_reconcile *r, struct vd_rd *rd)
{
	unsigned room = 64u - r->salted.shift, bits;
	struct vd_gaps_reader reader = { 0 };
	uint64_t value;
	bool first = !r->list.begun;
	int rc = VD_OK;

	if (r->list.ours || r->finished)
		return VD_EFORMAT;
	if (first)
		rc = begin_theirs(r, rd);
	if (rc || (!rd->n && !first))
		return VD_EFORMAT;
	/* As much of an item as we have of ours. */
	bits = r->list.bits < room ? r->list.bits : room;
	reader.in = vd_slice(rd->p, rd->n);
	while (!(rc = vd_gaps_next(&r->list.gaps, &reader, &value))) {
		if (r->list.seen == r->list.total)
			return VD_EFORMAT;
		value >>= r->list.bits - bits;
		while (r->list.at < r->salted.count && r->arrivals[r->list.at] >> (64 - bits) < value) {
			keep(r, r->arrivals[r->list.at]);
			r->list.at++;
		}
		if (r->list.at < r->salted.count && r->arrivals[r->list.at] >> (64 - bits) == value) {
			r->list.at++;
			note(r, false);
		} else {
			note(r, true);
		}
	}
	if (rc != VD_ENOTFOUND)
		return rc;
	return end_list(r);
}

bool vd_reconcile_wants_due(const struct vd_reconcile *r)
{
	return r->method == VD_METHOD_LIST && !r->list.ours && r->finished && r->list.wants_at < r->list.wants.n;
}

void vd_reconcile_drain_wants(struct vd_reconcile *r, struct vd_buf *out)
{
	size_t left = r->list.wants.n - r->list.wants_at, n = left < MESSAGE_BYTES ? left : MESSAGE_BYTES;

	vd_buf_put(out, r->list.wants.p + r->list.wants_at, n);
	r->list.wants_at += n;
}
