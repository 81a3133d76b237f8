/* The other end of a lane: finds what differs, by the symbols that the initiator sends. */
#include <math.h>
#include <string.h>

#include "err.h"
#include "reconcile_priv.h"

/* Gives this round's decode up. The estimate tells the initiator what to try next. */
static void fail(struct vd_reconcile *r, bool salt)
{
	uint64_t d = r->peeler ? vd_peeler_found(r->peeler) + vd_peeler_rest(r->peeler) : 1;

	d = d < 1 ? 1 : d > 1u << 30 ? 1u << 30 : d;
	r->failed = 2 * d + salt;
	r->finished = true;
	r->arrival_count = r->want_count = r->want_sent = 0;
	vd_peeler_free(r->peeler);
	r->peeler = NULL;
}

/* Everything was found: what only we have goes out, what only they have is asked for. */
static int resolve(struct vd_reconcile *r)
{
	for (size_t i = 0; i < vd_peeler_found(r->peeler); i++) {
		int sign, rc;
		const struct vd_item *item = vd_peeler_item(r->peeler, i, &sign);
		size_t matches = 1;

		if (sign > 0)
			rc = vd_reconcile_want(r, vd_get_u64(item->b));
		else if (r->method == VD_METHOD_SYMBOLS)
			rc = vd_reconcile_send_standing(r, item->b, &matches);
		else
			rc = vd_reconcile_send_salted(r, vd_get_u64(item->b), &matches);
		if (rc)
			return rc;
		if (!matches) {
			fail(r, true);
			return VD_OK;
		}
	}
	vd_peeler_free(r->peeler);
	r->peeler = NULL;
	vd_reconcile_sort(r);
	r->finished = true;
	return VD_OK;
}

/* The burst is over and more is needed: how much, what is left in the symbols tells by now. Generous, as every MORE is a round trip;
 * measured over 1,500 syncs of 50 and 50 apart, one needed a second. */
static void ask_for_more(struct vd_reconcile *r)
{
	size_t have = vd_peeler_symbols(r->peeler);
	double d = (double)vd_peeler_found(r->peeler) + (double)vd_peeler_rest(r->peeler) * (1 + 2 / sqrt((double)have + 1));
	uint64_t sure = 12 + (uint64_t)sqrt(d < 1e9 ? d : 1e9); /* beyond those that most likely do: a second MORE must not be */
	uint64_t target = vd_sketch_symbols_for(d < 1e9 ? (uint64_t)d : 1000000000) + sure;

	/* Twice what would do has come: these are no honest symbols, or items that cancel out. */
	if (have > 2 * target || target > r->symbol_max || have >= r->symbol_max) {
		fail(r, have > 2 * target);
		return;
	}
	if (target < have + have / 3 + sure)
		target = have + have / 3 + sure;
	if (target > r->symbol_max)
		target = r->symbol_max;
	r->more = target - have;
	r->mores++;
}

int vd_reconcile_take_symbols(struct vd_reconcile *r, struct vd_rd *rd)
{
	struct vd_symbol theirs[64];
	uint64_t left = vd_rd_varint(rd), have;
	bool none = !rd->n;
	int rc;

	if (rd->err || r->more)
		return VD_EFORMAT;
	if (r->method == VD_METHOD_NONE)
		r->method = VD_METHOD_SYMBOLS;
	if (r->method != VD_METHOD_SYMBOLS && r->method != VD_METHOD_SALTED)
		return VD_EFORMAT;
	if (r->finished)
		return VD_OK;
	if (r->method == VD_METHOD_SYMBOLS && r->distrust) {
		fail(r, true);
		return VD_OK;
	}
	if (!r->peeler)
		r->peeler = vd_peeler_new(VD_SALTED_SYMBOLS_MAX);
	if (!r->peeler)
		return VD_ENOMEM;
	/* All of the burst's at once, and no more of them than can come. */
	have = vd_peeler_symbols(r->peeler) + rd->n / VD_SYMBOL_BYTES + 1;
	rc = vd_reconcile_symbols(r, left < UINT64_MAX - have ? have + left : left);
	if (rc)
		return rc;
	while (rd->n && !vd_peeler_done(r->peeler)) {
		size_t first = vd_peeler_symbols(r->peeler), n = 0;

		for (; rd->n && n < 64 && n < r->symbol_count - first; n++)
			vd_symbol_decode(rd, first + n, r->theirs, &theirs[n]);
		if (rd->err)
			return rd->err;
		rc = n ? vd_peeler_add(r->peeler, theirs, r->symbols + first, n) : VD_ECAP;
		if (rc == VD_ENOMEM)
			return rc;
		if (rc) { /* jammed, or more than we have ourselves */
			fail(r, rc == VD_EFORMAT);
			return VD_OK;
		}
	}
	if (vd_peeler_done(r->peeler))
		return resolve(r);
	if (none)
		fail(r, false);
	else if (!left)
		ask_for_more(r);
	return VD_OK;
}

/* More symbols than records that could differ nobody needs; and who has so few is given all. */
static uint64_t most_salted(const struct vd_reconcile *r)
{
	uint64_t most = r->theirs / VD_SALTED_TIMES < r->ours ? r->theirs : VD_SALTED_TIMES * r->ours;

	return most < VD_SALTED_SYMBOLS_MAX - VD_SALTED_SPARE ? most + VD_SALTED_SPARE : VD_SALTED_SYMBOLS_MAX;
}

int vd_reconcile_take_salted(struct vd_reconcile *r, struct vd_rd *rd)
{
	uint8_t how = vd_rd_u8(rd), salt[VD_SALT_BYTES];
	uint64_t total = 0;
	uint8_t bits = 0;

	vd_rd_copy(rd, salt, sizeof(salt));
	if (how == VD_SALTED_SYMBOLS)
		total = vd_rd_varint(rd);
	if (how == VD_SALTED_YOUR_LIST)
		bits = vd_rd_u8(rd);
	if (vd_rd_end(rd) || r->method != VD_METHOD_NONE)
		return VD_EFORMAT;
	if (how == VD_SALTED_SYMBOLS && total && total <= most_salted(r)) {
		r->method = VD_METHOD_SALTED;
		return vd_reconcile_salt(r, salt, (size_t)total);
	}
	if (how == VD_SALTED_LIST)
		return vd_reconcile_list_begin(r, salt, 0, false);
	if (how == VD_SALTED_YOUR_LIST && bits && bits <= VD_LIST_BITS_MAX)
		return r->ours <= VD_LIST_ENTRIES_MAX ? vd_reconcile_list_begin(r, salt, bits, true) : VD_ECAP;
	return VD_EFORMAT;
}

int vd_reconcile_take_all(struct vd_reconcile *r, struct vd_rd *rd)
{
	if (rd->n || r->method != VD_METHOD_NONE)
		return VD_EFORMAT;
	r->method = VD_METHOD_ALL;
	r->scan = true;
	r->finished = true;
	return VD_OK;
}
