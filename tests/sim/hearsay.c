#include "hearsay.h"

#include <stdlib.h>
#include <string.h>

static struct memory_receipt *find(const struct memory *m, const uint8_t *author)
{
	for (size_t i = 0; i < m->receipt_count; i++)
		if (memcmp(m->receipts[i].author, author, VD_KEY_BYTES) == 0)
			return &m->receipts[i];
	return NULL;
}

uint64_t hearsay_of(const struct memory *m, const uint8_t device[VD_KEY_BYTES])
{
	const struct memory_receipt *r = find(m, device);

	return r ? r->count : 0;
}

static void lanes_of(const struct memory *m, struct vd_receipt *out)
{
	for (size_t l = 0; l < VD_LANES; l++) {
		uint8_t hash[VD_HASH_BYTES];

		vd_digest_hash(&m->lanes[l].digest, hash);
		out->lanes[l] = (struct vd_receipt_lane){ .count = m->lanes[l].digest.count, .whole = !m->lanes[l].stubs };
		if (out->lanes[l].count)
			memcpy(out->lanes[l].digest, hash, VD_RECEIPT_DIGEST);
	}
}

static void keep(struct memory *m, const struct vd_receipt *r, struct vd_slice bytes)
{
	struct memory_receipt *to = find(m, r->author);
	size_t i = 0;

	if (!to) {
		m->receipts = realloc(m->receipts, (m->receipt_count + 1) * sizeof(*m->receipts));
		if (!m->receipts)
			abort();
		while (i < m->receipt_count && memcmp(m->receipts[i].author, r->author, VD_KEY_BYTES) < 0)
			i++;
		memmove(&m->receipts[i + 1], &m->receipts[i], (m->receipt_count++ - i) * sizeof(*m->receipts));
		to = &m->receipts[i];
		*to = (struct memory_receipt){ .count = 0 };
		memcpy(to->author, r->author, VD_KEY_BYTES);
	}
	to->count = r->count;
	vd_buf_reset(&to->bytes);
	vd_buf_put_slice(&to->bytes, bytes);
}

bool hearsay_keep(struct memory *m, struct vd_slice receipt)
{
	struct vd_receipt r;

	if (vd_receipt_verify(m->group, receipt, &r) || r.count > m->receipts_through || r.count <= hearsay_of(m, r.author))
		return false;
	keep(m, &r, receipt);
	return true;
}

void hearsay_say(struct memory *m, struct vd_buf *out)
{
	const struct vd_identity *us = vd_group_identity(m->group);
	const struct memory_receipt *last = us ? find(m, us->author) : NULL;
	struct vd_receipt r = { .count = m->receipt_ms, .time_ms = m->receipt_ms };
	size_t from = out->n;

	if (!m->gives)
		return;
	lanes_of(m, &r);
	if (last && r.count <= last->count)
		r.count = last->count + 1;
	if (vd_receipt_make(m->group, &r, NULL, 0, out))
		abort();
	if (last && vd_receipt_same(vd_buf_slice(&last->bytes), vd_slice(out->p + from, out->n - from))) {
		out->n = from;
		vd_buf_put_slice(out, vd_buf_slice(&last->bytes));
		return;
	}
	memcpy(r.author, us->author, VD_KEY_BYTES);
	keep(m, &r, vd_slice(out->p + from, out->n - from));
}

size_t hearsay_heed(struct memory *m, const uint8_t device[VD_KEY_BYTES], const struct vd_words *words)
{
	struct vd_slice rest = vd_buf_slice(&words->others), one;
	struct vd_brief how;
	struct vd_buf own = { 0 };
	struct vd_receipt r, here;
	size_t kept = 0;

	if (words->own.n && !vd_receipt_brief_decode(vd_buf_slice(&words->own), &r, &how)) {
		lanes_of(m, &here);
		for (size_t l = 0; l < VD_LANES; l++) {
			bool whole = r.lanes[l].whole;

			if (how.marked >> l & 1)
				continue;
			r.lanes[l] = here.lanes[l];
			r.lanes[l].whole = whole;
		}
		memcpy(r.author, device, VD_KEY_BYTES);
		if (vd_receipt_restore(&r, NULL, 0, how.signature, &own))
			abort();
		kept += hearsay_keep(m, vd_buf_slice(&own));
		vd_buf_deinit(&own);
	}
	while (vd_receipts_next(&rest, &one))
		kept += hearsay_keep(m, one);
	return kept;
}

/* --- port --- */

static int port_told(void *ctx, struct vd_group *group, struct vd_told_list *out)
{
	struct memory *m = ctx;
	const struct vd_identity *us = vd_group_identity(group);
	const struct memory_receipt *last = us ? find(m, us->author) : NULL;
	struct vd_receipt now = { .count = 0 }, then;

	*out = (struct vd_told_list){ .through = m->receipts_through, .gives = m->gives, .told = calloc(m->receipt_count + 1, sizeof(*out->told)) };
	if (!out->told)
		return VD_ENOMEM;
	for (size_t i = 0; i < m->receipt_count; i++) {
		struct vd_told *told = &out->told[out->count++];

		*told = (struct vd_told){ .count = m->receipts[i].count, .bytes = m->receipts[i].bytes.n };
		memcpy(told->author, m->receipts[i].author, VD_KEY_BYTES);
	}
	lanes_of(m, &now);
	if (last && !vd_receipt_decode(vd_buf_slice(&last->bytes), &then) && memcmp(now.lanes, then.lanes, sizeof(now.lanes)) == 0)
		out->mine = last->count;
	return VD_OK;
}

static int port_receipt(void *ctx, const uint8_t *group, const uint8_t device[VD_KEY_BYTES], struct vd_buf *out)
{
	const struct memory_receipt *r = find(ctx, device);

	(void)group;
	if (!r)
		return VD_ENOTFOUND;
	vd_buf_put_slice(out, vd_buf_slice(&r->bytes));
	return VD_OK;
}

void hearsay_begin(struct memory *m, bool gives)
{
	m->gives = gives;
	m->receipt_ms = 1000;
	m->receipts_through = UINT64_MAX;
	m->port.told = port_told;
	m->port.receipt = port_receipt;
}

void hearsay_deinit(struct memory *m)
{
	for (size_t i = 0; i < m->receipt_count; i++)
		vd_buf_deinit(&m->receipts[i].bytes);
	free(m->receipts);
	m->receipts = NULL;
	m->receipt_count = 0;
}
