#include "reconcile.h"

#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "reconcile_priv.h"

enum {
	SYMBOLS_A_MESSAGE = 512,
	ITEMS_A_MESSAGE = 1024,
	LIST_TIMES = 10,          /* listing and comparing passes over all records: in less time than 5 us for each that differs, if at both ends there are
	                           * so many times more at most. A standing sketch that is dearer on the wire is there already */
	PEELER_SYMBOL_BYTES = 80, /* what a symbol takes while it is peeled */
};

size_t vd_reconcile_message_bytes(uint8_t lane)
{
	return lane <= VD_LANE_URGENT ? 48 * 1024 : 12 * 1024;
}

int vd_reconcile_put_record(const struct vd_port *port, uint64_t arrival, const struct vd_declined_set *apart, struct vd_buf *out,
                            struct vd_reconcile_outlet *through)
{
	struct vd_record record;
	int rc;

	vd_buf_reset(&through->raw);
	vd_buf_reset(&through->compact);
	rc = port->read(port->ctx, arrival, &through->raw);
	if (!rc)
		rc = vd_buf_check(&through->raw);
	if (rc)
		return rc == VD_ENOTFOUND ? VD_OK : rc;
	if (vd_record_view(vd_buf_slice(&through->raw), &record) || (apart && vd_declined_has(apart, record.lane, record.author)))
		return VD_OK;
	if (through->bulk_bare && record.lane == VD_LANE_BULK && record.body_bytes && !record.stub &&
	    vd_record_view(vd_slice(record.raw.p, record.header.n + record.signature.n), &record))
		return VD_EFORMAT;
	rc = vd_compact_encode(&through->stream, &record, &through->compact);
	if (rc)
		return rc;
	vd_buf_put_varint(out, through->compact.n);
	vd_buf_put_slice(out, vd_buf_slice(&through->compact));
	++*through->sent;
	*through->sent_bytes += through->compact.n;
	return VD_OK;
}

/* --- lists of numbers --- */

static int append(uint64_t **list, size_t *count, size_t *capacity, uint64_t value)
{
	if (!vd_room(list, *count, capacity, 64, sizeof(**list)))
		return VD_ENOMEM;
	(*list)[(*count)++] = value;
	return VD_OK;
}

int vd_reconcile_send(struct vd_reconcile *r, uint64_t arrival)
{
	return append(&r->arrivals, &r->arrival_count, &r->arrival_capacity, arrival);
}

int vd_reconcile_want(struct vd_reconcile *r, uint64_t item)
{
	if (r->want_count == r->want_capacity && 2 * r->want_sent >= r->want_count && r->want_sent) {
		r->want_count -= r->want_sent;
		memmove(r->wants, r->wants + r->want_sent, r->want_count * sizeof(*r->wants));
		r->want_sent = 0;
	}
	return append(&r->wants, &r->want_count, &r->want_capacity, item);
}

static int compare_numbers(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

void vd_reconcile_sort(struct vd_reconcile *r)
{
	if (r->arrival_count > r->arrival_sent)
		qsort(r->arrivals + r->arrival_sent, r->arrival_count - r->arrival_sent, sizeof(*r->arrivals), compare_numbers);
}

/* --- the moment --- */

int vd_reconcile_state(const struct vd_port *port, const uint8_t *group, const struct vd_declined_set *apart, uint8_t lane,
                       uint64_t *may_pass, struct vd_lane_state *out, struct vd_symbol *symbols, size_t n)
{
	struct vd_leaving leaving = { .may_pass = *may_pass };
	int rc;

	leaving.count = vd_declined_of_lane(apart, lane, &leaving.who);
	if (!leaving.count)
		return port->lane(port->ctx, group, lane, out, symbols, n);
	rc = port->lane_without(port->ctx, group, lane, &leaving, out, symbols, n);
	*may_pass -= leaving.passed < *may_pass ? leaving.passed : *may_pass;
	return rc;
}

int vd_reconcile_begin(struct vd_reconcile *r, const struct vd_port *port, const uint8_t *group, const uint8_t *salt,
                       const struct vd_declined_set *apart, uint8_t lane, bool initiator, struct vd_lane_state *out)
{
	uint64_t may_pass = UINT64_MAX;
	int rc = vd_reconcile_state(port, group, apart, lane, &may_pass, out, NULL, 0);

	if (rc)
		return rc;
	*r = (struct vd_reconcile){ .port = port, .group = group, .salt = salt, .apart = apart, .lane = lane, .initiator = initiator,
		                    .symbol_max = VD_SKETCH_SYMBOLS };
	r->latest = out->latest;
	r->digest = out->digest;
	r->ours = out->digest.count;
	while (r->arrival_bits < 63 && r->latest >> r->arrival_bits)
		r->arrival_bits++;
	vd_digest_hash(&out->digest, r->our_hash);
	return VD_OK;
}

/* Takes out of symbols as they are now what came since the moment. */
static int back_to_the_moment(const struct vd_reconcile *r, struct vd_symbol *symbols, size_t n, uint64_t latest)
{
	uint64_t after = r->latest;

	while (after < latest) {
		struct vd_arrival found[16];
		size_t count = 0;
		int rc = r->port->scan(r->port->ctx, r->group, r->lane, after, found, 16, &count);

		if (rc)
			return rc;
		for (size_t i = 0; i < count && found[i].arrival <= latest; i++) {
			struct vd_item item;

			if (vd_declined_has(r->apart, r->lane, found[i].author))
				continue;
			vd_item_of(r->salt, &found[i].id, &item);
			vd_sketch_apply(symbols, 0, n, &item, -1);
		}
		after = count ? found[count - 1].arrival : latest;
	}
	return VD_OK;
}

int vd_reconcile_symbols(struct vd_reconcile *r, uint64_t n)
{
	struct vd_lane_state state;
	struct vd_symbol *symbols;
	uint64_t may_pass = UINT64_MAX;
	int rc;

	n = n < r->symbol_max ? n : r->symbol_max;
	if (n <= r->symbol_count)
		return VD_OK;
	n = (n + VD_SKETCH_BLOCK - 1) / VD_SKETCH_BLOCK * VD_SKETCH_BLOCK;
	symbols = calloc(n, sizeof(*symbols));
	if (!symbols)
		return VD_ENOMEM;
	rc = vd_reconcile_state(r->port, r->group, r->apart, r->lane, &may_pass, &state, symbols, n);
	if (!rc)
		rc = back_to_the_moment(r, symbols, n, state.latest);
	if (rc) {
		free(symbols);
		return rc;
	}
	free(r->symbols);
	r->symbols = symbols;
	r->symbol_count = n;
	return VD_OK;
}

void vd_reconcile_end(struct vd_reconcile *r)
{
	if (r->budget)
		r->budget->bytes -= r->taken;
	free(r->symbols);
	vd_peeler_free(r->peeler);
	free(r->wants);
	vd_salted_deinit(&r->salted);
	vd_buf_deinit(&r->list.wants);
	free(r->arrivals);
	*r = (struct vd_reconcile){ 0 };
}

void vd_reconcile_theirs(struct vd_reconcile *r, uint64_t count, const uint8_t hash[VD_HASH_BYTES])
{
	r->theirs = count;
	memcpy(r->their_hash, hash, VD_HASH_BYTES);
}

bool vd_reconcile_differs(const struct vd_reconcile *r)
{
	return r->ours != r->theirs || memcmp(r->our_hash, r->their_hash, VD_HASH_BYTES) != 0;
}

bool vd_reconcile_done(const struct vd_reconcile *r)
{
	return r->settled_in && r->settled_out;
}

/* --- items back to records --- */

int vd_reconcile_salt(struct vd_reconcile *r, const uint8_t salt[VD_SALT_BYTES], size_t symbols)
{
	/* twice: while they are sorted */
	uint64_t bytes = 2 * r->ours * sizeof(*r->salted.entries) + symbols * (sizeof(*r->symbols) + PEELER_SYMBOL_BYTES);

	if (r->budget && r->budget->bytes && (bytes > VD_SALTED_BYTES || r->budget->bytes > VD_SALTED_BYTES - bytes))
		return VD_EBUSY;
	if (r->budget) {
		r->taken += bytes;
		r->budget->bytes += bytes;
	}
	free(r->symbols);
	r->symbols = symbols ? calloc(symbols, sizeof(*r->symbols)) : NULL;
	r->symbol_count = r->symbol_max = symbols;
	if (symbols && !r->symbols)
		return VD_ENOMEM;
	return vd_salted_scan(&r->salted, r->port, r->group, r->lane, r->latest, r->ours, r->apart, salt, r->symbols, symbols);
}

int vd_reconcile_send_salted(struct vd_reconcile *r, uint64_t item, size_t *matches)
{
	int rc = VD_OK;

	*matches = 0;
	for (size_t i = vd_salted_find(&r->salted, item); !rc && i < r->salted.count && vd_salted_is(&r->salted, r->salted.entries[i], item); i++) {
		rc = vd_reconcile_send(r, vd_salted_arrival(&r->salted, r->salted.entries[i]));
		++*matches;
	}
	return rc;
}

int vd_reconcile_send_standing(struct vd_reconcile *r, const uint8_t item[VD_ITEM_BYTES], size_t *matches)
{
	struct vd_arrival found[VD_ITEM_MATCHES];
	size_t n = 0;
	int rc = r->port->find_item(r->port->ctx, r->group, r->lane, item, found, VD_ITEM_MATCHES, &n);

	*matches = 0;
	for (size_t i = 0; !rc && i < n; i++) {
		if (vd_declined_has(r->apart, r->lane, found[i].author))
			continue;
		if (!r->initiator)
			vd_digest_remove(&r->digest, &found[i].id);
		rc = vd_reconcile_send(r, found[i].arrival);
		++*matches;
	}
	return rc;
}

/* --- initiator --- */

static enum vd_method choose(const struct vd_reconcile *r, uint64_t d, uint8_t *bits)
{
	/* Even if half as much again as they settle is expected, it may well be fewer, and a pass costs O(n). */
	bool standing = !r->distrust && d <= VD_SKETCH_SYMBOLS;
	uint64_t symbols, list, all;

	if (r->gives)
		return VD_METHOD_GIVE;
	if (r->ours <= r->theirs / VD_LOPSIDED)
		return VD_METHOD_ALL;
	if (r->theirs <= r->ours / VD_LOPSIDED)
		return VD_METHOD_GIVE;
	symbols = vd_sketch_burst_for(d);
	list = vd_reconcile_list_cost(r, d, bits);
	all = r->ours + r->theirs;
	if (symbols > VD_SALTED_SYMBOLS_MAX && list == UINT64_MAX)
		return r->ours < r->theirs ? VD_METHOD_ALL : VD_METHOD_GIVE;
	if (symbols > VD_SALTED_SYMBOLS_MAX || (list < symbols * VD_SYMBOL_BYTES && (!standing || all / LIST_TIMES <= d)))
		return VD_METHOD_LIST;
	return standing ? VD_METHOD_SYMBOLS : VD_METHOD_SALTED;
}

static uint64_t at_least_apart(const struct vd_reconcile *r, uint64_t expected)
{
	uint64_t apart = r->ours > r->theirs ? r->ours - r->theirs : r->theirs - r->ours;
	uint64_t d = expected > apart ? expected : apart;

	return d ? d : 1;
}

bool vd_reconcile_weighs(const struct vd_reconcile *r, uint64_t expected)
{
	uint8_t bits;
	enum vd_method method = choose(r, at_least_apart(r, expected), &bits);

	return (method == VD_METHOD_SALTED || method == VD_METHOD_LIST) &&
	       (r->ours >= VD_SALTED_ALONE || r->theirs >= VD_SALTED_ALONE);
}

int vd_reconcile_start(struct vd_reconcile *r, uint64_t expected, const uint8_t salted_salt[VD_SALT_BYTES])
{
	uint64_t d = at_least_apart(r, expected), burst;
	uint8_t bits;
	int rc = VD_OK;

	memcpy(r->salted_salt, salted_salt, VD_SALT_BYTES);
	r->method = choose(r, d, &bits);
	r->announce = r->method == VD_METHOD_ALL || r->method == VD_METHOD_SALTED || r->method == VD_METHOD_LIST;
	if (r->method == VD_METHOD_GIVE) {
		r->scan = true;
		r->finished = true;
	}
	if (r->method == VD_METHOD_LIST) {
		rc = vd_reconcile_list_begin(r, salted_salt, bits, vd_reconcile_list_ours(r, d));
		r->mores += !r->list.ours;
	}
	if (r->method == VD_METHOD_SALTED) {
		uint64_t total = vd_sketch_burst_for(d) + vd_sketch_symbols_for(d) / 2 + VD_SALTED_SPARE;

		rc = vd_reconcile_salt(r, salted_salt, total < VD_SALTED_SYMBOLS_MAX ? (size_t)total : VD_SALTED_SYMBOLS_MAX);
	}
	if (rc || (r->method != VD_METHOD_SYMBOLS && r->method != VD_METHOD_SALTED))
		return rc;
	burst = vd_sketch_burst_for(d);
	r->burst = burst < r->symbol_max ? (size_t)burst : r->symbol_max;
	return vd_reconcile_symbols(r, r->burst);
}

static int feed_more(struct vd_reconcile *r, struct vd_rd *rd)
{
	uint64_t n = vd_rd_varint(rd);
	size_t left = r->symbol_max - r->symbols_sent;

	if (vd_rd_end(rd) || !n || r->symbols_sent != r->burst || (r->method != VD_METHOD_SYMBOLS && r->method != VD_METHOD_SALTED))
		return VD_EFORMAT;
	if (r->exhausted)
		return VD_ECAP;
	r->burst += n < left ? (size_t)n : left;
	r->answer_empty = r->exhausted = !left;
	r->mores++;
	return vd_reconcile_symbols(r, r->burst);
}

/* Names are answered at most as often as we gave a chance to learn them. */
static int feed_want(struct vd_reconcile *r, struct vd_rd *rd)
{
	int rc = VD_OK;

	if (rd->n % VD_ITEM_BYTES || r->settled_in)
		return VD_EFORMAT;
	if (rd->n / VD_ITEM_BYTES > r->symbols_sent - r->wanted)
		return VD_ECAP;
	r->wanted += rd->n / VD_ITEM_BYTES;
	while (!rc && rd->n) {
		struct vd_slice item = vd_rd_take(rd, VD_ITEM_BYTES);
		size_t matches;

		if (r->method == VD_METHOD_SYMBOLS)
			rc = vd_reconcile_send_standing(r, item.p, &matches);
		else
			rc = vd_reconcile_send_salted(r, vd_get_u64(item.p), &matches);
	}
	vd_reconcile_sort(r);
	return rc;
}

/* --- messages --- */

static int feed_settled(struct vd_reconcile *r, struct vd_rd *rd)
{
	uint64_t failed = vd_rd_varint(rd);
	uint8_t hash[VD_HASH_BYTES];

	if (vd_rd_end(rd) || r->settled_in || failed > UINT32_MAX || (failed && !r->initiator) || vd_reconcile_wants_torn(r))
		return VD_EFORMAT;
	if (!r->initiator && !r->finished && r->method != VD_METHOD_NONE && !r->list.ours)
		return VD_EFORMAT;
	r->settled_in = true;
	r->finished = true;
	if (r->initiator) {
		r->failed = failed;
		r->burst = r->symbols_sent; /* nobody waits for the rest */
		r->answer_empty = false;
	} else if (r->method == VD_METHOD_SYMBOLS && !r->failed) {
		vd_digest_hash(&r->digest, hash);
		r->mismatch = memcmp(hash, r->their_hash, sizeof(hash)) != 0;
	}
	return VD_OK;
}

int vd_reconcile_feed(struct vd_reconcile *r, uint8_t type, struct vd_slice body)
{
	struct vd_rd rd = vd_rd(body);

	if (type == VD_MSG_SETTLED)
		return feed_settled(r, &rd);
	if (r->method == VD_METHOD_LIST)
		return type == VD_MSG_LIST ? vd_reconcile_take_list(r, &rd) : type == VD_MSG_WANT ? vd_reconcile_feed_wants(r, &rd) : VD_EFORMAT;
	switch (r->initiator ? type : type | 0x80) {
	case VD_MSG_MORE:
		return feed_more(r, &rd);
	case VD_MSG_WANT:
		return feed_want(r, &rd);
	case VD_MSG_SYMBOLS | 0x80:
		return vd_reconcile_take_symbols(r, &rd);
	case VD_MSG_SALTED | 0x80:
		return vd_reconcile_take_salted(r, &rd);
	case VD_MSG_ALL | 0x80:
		return vd_reconcile_take_all(r, &rd);
	}
	return VD_EFORMAT;
}

void vd_reconcile_received(struct vd_reconcile *r, const struct vd_id *id)
{
	if (!r->initiator && r->method == VD_METHOD_SYMBOLS && r->finished && !r->settled_in)
		vd_digest_add(&r->digest, id);
}

static void drain_announce(struct vd_reconcile *r, uint8_t *type, struct vd_buf *out)
{
	r->announce = false;
	*type = r->method == VD_METHOD_ALL ? VD_MSG_ALL : VD_MSG_SALTED;
	if (r->method == VD_METHOD_ALL)
		return;
	vd_buf_put_u8(out, r->method != VD_METHOD_LIST ? VD_SALTED_SYMBOLS : r->list.ours ? VD_SALTED_LIST : VD_SALTED_YOUR_LIST);
	vd_buf_put(out, r->salted_salt, sizeof(r->salted_salt));
	if (r->method != VD_METHOD_LIST)
		vd_buf_put_varint(out, r->symbol_max);
	else if (!r->list.ours)
		vd_buf_put_u8(out, r->list.bits);
}

static void drain_symbols(struct vd_reconcile *r, struct vd_buf *out)
{
	size_t end = r->burst - r->symbols_sent > SYMBOLS_A_MESSAGE ? r->symbols_sent + SYMBOLS_A_MESSAGE : r->burst;

	vd_buf_put_varint(out, r->burst - end);
	for (; r->symbols_sent < end; r->symbols_sent++)
		vd_symbol_encode(&r->symbols[r->symbols_sent], r->symbols_sent, r->ours, out);
	r->answer_empty = false;
}

static void drain_wants(struct vd_reconcile *r, struct vd_buf *out)
{
	for (size_t n = 0; n < ITEMS_A_MESSAGE && r->want_sent < r->want_count; n++)
		vd_buf_put_u64(out, r->wants[r->want_sent++]);
	if (r->want_sent == r->want_count)
		r->want_sent = r->want_count = 0;
}

/* RECORDS carries neither round nor lane, which stand in *out already. */
static int drain_records(struct vd_reconcile *r, struct vd_buf *out, struct vd_reconcile_outlet *through)
{
	size_t most;
	int rc = VD_OK;

	out->n -= 2;
	most = out->n + vd_reconcile_message_bytes(r->lane);
	while (!rc && out->n < most && r->arrival_sent < r->arrival_count)
		rc = vd_reconcile_put_record(r->port, r->arrivals[r->arrival_sent++], NULL, out, through);
	while (!rc && out->n < most && r->scan) {
		uint64_t found[64];
		size_t n = 0;

		rc = r->port->numbers(r->port->ctx, r->group, r->lane, r->scan_after, found, 64, &n);
		r->scan = !rc && n && found[0] <= r->latest;
		for (size_t i = 0; !rc && i < n && out->n < most && found[i] <= r->latest; i++) {
			rc = vd_reconcile_put_record(r->port, found[i], r->apart, out, through);
			r->scan_after = found[i];
		}
	}
	return rc;
}

/* What was to be sent stays here. The initiator is told how many they are, to be ready for them in the next round. */
static void keep_back(struct vd_reconcile *r)
{
	uint64_t most = (1u << 30) - r->withheld, left = r->scan ? r->ours : r->arrival_count - r->arrival_sent;

	r->withheld += left < most ? left : most;
	r->arrival_sent = r->arrival_count;
	r->scan = false;
	if (!r->initiator && !(r->failed & 1))
		r->failed = 2 * r->withheld;
}

int vd_reconcile_drain(struct vd_reconcile *r, uint8_t round, uint8_t *type, struct vd_buf *out, struct vd_reconcile_outlet *through)
{
	size_t start = out->n;
	int rc = VD_OK;

	vd_buf_put_u8(out, round);
	vd_buf_put_u8(out, r->lane);
	if (vd_buf_check(out))
		return VD_ENOMEM;
	if (r->withhold && !r->hold && (r->arrival_sent < r->arrival_count || r->scan))
		keep_back(r);
	if (r->announce) {
		drain_announce(r, type, out);
	} else if (r->symbols_sent < r->burst || r->answer_empty) {
		*type = VD_MSG_SYMBOLS;
		drain_symbols(r, out);
	} else if (vd_reconcile_list_due(r)) {
		*type = VD_MSG_LIST;
		vd_reconcile_drain_list(r, out);
	} else if (r->more) {
		*type = VD_MSG_MORE;
		vd_buf_put_varint(out, r->more);
		r->more = 0;
	} else if (vd_reconcile_wants_due(r)) {
		*type = VD_MSG_WANT;
		vd_reconcile_drain_wants(r, out);
	} else if (r->want_sent < r->want_count) {
		*type = VD_MSG_WANT;
		drain_wants(r, out);
	} else if (!r->hold && (r->arrival_sent < r->arrival_count || r->scan)) {
		*type = VD_MSG_RECORDS;
		rc = drain_records(r, out, through);
	} else if (!r->hold && r->finished && !r->settled_out) {
		*type = VD_MSG_SETTLED;
		r->settled_out = true;
		vd_buf_put_varint(out, r->initiator ? 0 : r->failed);
	} else {
		out->n = start;
		return 0;
	}
	if (!rc)
		rc = vd_buf_check(out);
	return rc ? rc : 1;
}
