#include "gaps.h"

#include "err.h"

struct vd_gaps vd_gaps(uint8_t bits, uint64_t total)
{
	uint8_t log = 0;

	while (log < bits && total > UINT64_C(1) << log)
		log++;
	return (struct vd_gaps){ .bits = bits, .low = (uint8_t)(bits - log) };
}

static void put_bit(struct vd_gaps_writer *w, unsigned bit)
{
	w->byte = (uint8_t)((unsigned)w->byte << 1 | bit);
	if (++w->used < 8)
		return;
	vd_buf_put_u8(w->out, w->byte);
	w->byte = w->used = 0;
}

void vd_gaps_put(struct vd_gaps *g, struct vd_gaps_writer *w, uint64_t value)
{
	uint64_t gap = value - g->last;

	for (uint64_t ones = gap >> g->low; ones; ones--)
		put_bit(w, 1);
	put_bit(w, 0);
	for (unsigned i = g->low; i-- > 0;)
		put_bit(w, gap >> i & 1);
	g->last = value;
}

void vd_gaps_put_end(struct vd_gaps_writer *w)
{
	while (w->used)
		put_bit(w, 1);
}

static unsigned next_bit(struct vd_gaps_reader *r)
{
	unsigned bit = r->in.p[r->at / 8] >> (7 - r->at % 8) & 1u;

	r->at++;
	return bit;
}

int vd_gaps_next(struct vd_gaps *g, struct vd_gaps_reader *r, uint64_t *value)
{
	uint64_t most = (UINT64_C(1) << g->bits) - 1 - g->last, ones = 0, low = 0;
	size_t total = 8 * r->in.n, left = total - r->at;

	while (r->at < total && next_bit(r))
		ones++;
	/* No zero came: that was what fills the last byte up. */
	if (ones == left)
		return ones < 8 ? VD_ENOTFOUND : VD_EFORMAT;
	if (total - r->at < g->low || ones > most >> g->low)
		return VD_EFORMAT;
	for (unsigned i = 0; i < g->low; i++)
		low = low << 1 | next_bit(r);
	if (low > most - (ones << g->low))
		return VD_EFORMAT;
	*value = g->last += (ones << g->low) + low;
	return VD_OK;
}
