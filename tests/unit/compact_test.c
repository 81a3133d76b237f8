/* The compact form of records: two contexts in step, and what a hostile stream cannot do. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "proto/compact.h"
#include "proto/chain.h"
#include "proto/err.h"
#include "proto/hash.h"
#include "proto/mp.h"

enum { WHOLE = 0x0c };

static const uint8_t group[VD_GROUP_BYTES] = { 7 };

/* What one record is made of: nobody checks a signature here, so nobody signs. */
struct made {
	unsigned author, version;
	uint8_t lane, group;
	uint64_t seq, time_ms, expires; /* expires 0: none */
	const struct vd_id *prev;
	size_t body, ext;
	bool stub;
};

static struct vd_record make(const struct made *m, struct vd_buf *raw)
{
	static const uint8_t many[VD_BODY_MAX] = { 1, 2, 3 };
	uint8_t key[VD_KEY_BYTES] = { 9 }, hash[VD_HASH_BYTES], in[VD_GROUP_BYTES] = { 7 };
	struct vd_record r;

	vd_set_u32(key + 1, m->author);
	in[1] = m->group;
	vd_hash1(VD_HASH_BODY, hash, vd_slice(many, m->body));
	vd_buf_reset(raw);
	vd_mp_put_array(raw, 11);
	vd_mp_put_uint(raw, m->version ? m->version : 1);
	vd_mp_put_bin(raw, vd_slice(in, sizeof(in)));
	vd_mp_put_bin(raw, vd_slice(key, sizeof(key)));
	vd_mp_put_uint(raw, m->lane);
	vd_mp_put_uint(raw, m->seq);
	vd_mp_put_bin(raw, vd_slice(m->prev, m->prev ? VD_ID_BYTES : 0));
	vd_mp_put_uint(raw, m->time_ms);
	if (m->expires)
		vd_mp_put_uint(raw, m->expires);
	else
		vd_mp_put_nil(raw);
	vd_mp_put_bin(raw, vd_slice(many, m->ext));
	vd_mp_put_uint(raw, m->body);
	vd_mp_put_bin(raw, vd_slice(hash, sizeof(hash)));
	vd_buf_put(raw, many + 50, VD_SIGNATURE_BYTES);
	raw->p[raw->n - VD_SIGNATURE_BYTES] = (uint8_t)m->seq;
	if (!m->stub)
		vd_buf_put(raw, many, m->body);
	assert_int_equal(vd_record_decode(vd_buf_slice(raw), &r), VD_OK);
	return r;
}

static void assert_same(const struct vd_record *a, const struct vd_record *b)
{
	assert_true(vd_slice_eq(a->raw, b->raw));
	assert_true(vd_slice_eq(a->header, b->header));
	assert_true(vd_slice_eq(a->signature, b->signature));
	assert_true(vd_slice_eq(a->body, b->body));
	assert_true(vd_slice_eq(a->ext, b->ext));
	assert_memory_equal(&a->id, &b->id, sizeof(a->id));
	assert_memory_equal(&a->prev, &b->prev, sizeof(a->prev));
	assert_memory_equal(a->author, b->author, VD_KEY_BYTES);
	assert_memory_equal(a->group, b->group, VD_GROUP_BYTES);
	assert_memory_equal(a->body_hash, b->body_hash, VD_HASH_BYTES);
	assert_int_equal(a->version, b->version);
	assert_int_equal(a->lane, b->lane);
	assert_true(a->seq == b->seq && a->time_ms == b->time_ms && a->body_bytes == b->body_bytes);
	assert_true(a->has_prev == b->has_prev && a->has_expires == b->has_expires && a->expires_day == b->expires_day);
	assert_true(a->stub == b->stub);
}

/* A writer and a reader. */
struct stream {
	struct vd_compact writer, reader;
	struct vd_buf raw, compact, read;
	struct vd_record sent;
};

static void stream_init(struct stream *s)
{
	*s = (struct stream){ 0 };
	vd_compact_init(&s->writer, group);
	vd_compact_init(&s->reader, group);
}

static void stream_deinit(struct stream *s)
{
	vd_compact_deinit(&s->writer);
	vd_compact_deinit(&s->reader);
	vd_buf_deinit(&s->raw);
	vd_buf_deinit(&s->compact);
	vd_buf_deinit(&s->read);
}

/* Sends one record across, which must arrive as it is; returns its length there. */
static size_t pass(struct stream *s, const struct made *m, struct vd_id *id)
{
	struct vd_record got;

	s->sent = make(m, &s->raw);
	vd_buf_reset(&s->compact);
	vd_buf_reset(&s->read);
	vd_buf_put_u8(&s->compact, 0xaa);
	vd_buf_put_u8(&s->read, 0xbb);
	assert_int_equal(vd_compact_encode(&s->writer, &s->sent, &s->compact), VD_OK);
	assert_true(s->compact.n - 1 <= s->sent.raw.n + 1);
	assert_int_equal(vd_compact_decode(&s->reader, vd_slice(s->compact.p + 1, s->compact.n - 1), &s->read, &got), VD_OK);
	assert_int_equal(s->read.n, 1 + s->sent.raw.n);
	assert_ptr_equal(got.raw.p, s->read.p + 1);
	assert_same(&s->sent, &got);
	if (id)
		*id = got.id;
	return s->compact.n - 1;
}

static void test_compact__an_authors_run_costs_signature_and_body(void **state)
{
	struct made m = { .author = 1, .lane = VD_LANE_NORMAL, .seq = 1, .time_ms = 1700000000000, .body = 200 };
	struct stream s;
	struct vd_id id;

	(void)state;
	stream_init(&s);
	/* flags, key, seq, time (6), signature, body */
	assert_int_equal(pass(&s, &m, &id), 1 + 32 + 1 + 6 + 64 + 200);
	for (m.seq = 2; m.seq < 100; m.seq++) {
		struct vd_id prev = id;

		m.prev = &prev;
		m.time_ms += 60000;
		/* flags, number, time (3), signature, body */
		assert_int_equal(pass(&s, &m, &id), 1 + 1 + 3 + 64 + 200);
	}
	stream_deinit(&s);
}

static void test_compact__gaps_forks_lanes_and_clocks(void **state)
{
	struct made m = { .author = 1, .lane = VD_LANE_NORMAL, .seq = 5, .time_ms = 1700000000000, .body = 10 };
	struct vd_id first, fork, other = { { 5 } };
	struct stream s;

	(void)state;
	stream_init(&s);
	pass(&s, &m, &first);
	/* a gap */
	m.seq = 9;
	m.prev = &other;
	assert_int_equal(pass(&s, &m, &fork), 1 + 1 + 32 + 1 + 1 + 64 + 10);
	/* back to one that stood before: prev names what is not the last */
	m.seq = 6;
	m.prev = &first;
	assert_int_equal(pass(&s, &m, NULL), 1 + 1 + 32 + 1 + 1 + 64 + 10);
	/* the same seq again, no prev */
	m.prev = NULL;
	m.body = 11;
	assert_int_equal(pass(&s, &m, &first), 1 + 1 + 1 + 1 + 64 + 11);
	/* names the last, and yet is not one higher */
	m.prev = &first;
	m.seq = 8;
	pass(&s, &m, &first);
	/* each lane has its own last */
	m.lane = VD_LANE_URGENT;
	m.seq = 9;
	assert_int_equal(pass(&s, &m, NULL), 1 + 1 + 32 + 1 + 6 + 64 + 11);
	m.lane = VD_LANE_NORMAL;
	assert_int_equal(pass(&s, &m, NULL), 1 + 1 + 1 + 64 + 11);
	/* clocks that are wrong, numbers at their ends, days of every kind */
	for (size_t i = 0; i < 6; i++) {
		static const uint64_t times[] = { 0, (UINT64_C(1) << 53) - 1, 1, 86400000, 1700000000000, 0 };
		static const uint64_t days[] = { UINT32_MAX, 1, 0, 2, 19676, 19677 };

		m.time_ms = times[i];
		m.expires = days[i];
		m.seq = i % 2 ? 1 : (UINT64_C(1) << 53) - 1;
		m.prev = i % 2 ? NULL : &other;
		pass(&s, &m, NULL);
	}
	stream_deinit(&s);
}

static void test_compact__stubs_keep_what_they_prove(void **state)
{
	struct made m = { .author = 1, .lane = VD_LANE_BULK, .seq = 1, .time_ms = 5, .body = VD_BODY_MAX, .stub = true };
	struct stream s;
	struct vd_id id;

	(void)state;
	stream_init(&s);
	assert_int_equal(pass(&s, &m, &id), 1 + 32 + 1 + 1 + 64 + 3 + 32);
	/* a whole one follows a stub as well, and the largest there is */
	m = (struct made){ .author = 1, .lane = VD_LANE_BULK, .seq = 2, .time_ms = 5, .body = VD_BODY_MAX, .prev = &id };
	assert_int_equal(pass(&s, &m, NULL), 1 + 1 + 1 + 64 + VD_BODY_MAX);
	/* no body at all is no stub */
	m = (struct made){ .author = 1, .lane = VD_LANE_BULK, .seq = 3, .time_ms = 5 };
	assert_int_equal(pass(&s, &m, NULL), 1 + 1 + 1 + 1 + 64);
	stream_deinit(&s);
}

/* What has no compact form stands whole, and moves nothing. */
static void test_compact__whole_records_pass_by(void **state)
{
	const struct made whole[] = {
		{ .author = 1, .lane = 1, .seq = 2, .version = 2 },
		{ .author = 1, .lane = 1, .seq = 2, .version = 15, .body = 4 },
		{ .author = 1, .lane = 1, .seq = 2, .ext = 33 },
		{ .author = 1, .lane = 1, .seq = 2, .ext = VD_EXT_MAX, .body = 9, .stub = true },
		{ .author = 1, .lane = 1, .seq = 2, .group = 1 },
		{ .author = 2, .lane = 1, .seq = 2, .ext = 1 },
	};
	struct made m = { .author = 1, .lane = 1, .seq = 1, .time_ms = 100 };
	struct stream s;
	struct vd_id id;

	(void)state;
	stream_init(&s);
	pass(&s, &m, &id);
	for (size_t i = 0; i < sizeof(whole) / sizeof(*whole); i++) {
		size_t n = pass(&s, &whole[i], NULL);

		assert_int_equal(n, 1 + s.raw.n);
		assert_int_equal(s.compact.p[1], WHOLE);
		assert_true(vd_compact_is_whole(vd_slice(s.compact.p + 1, n)));
	}
	assert_int_equal(s.writer.seen, 1);
	assert_int_equal(s.reader.seen, 1);
	m.seq = 2;
	m.prev = &id;
	assert_int_equal(pass(&s, &m, NULL), 1 + 1 + 1 + 64);
	stream_deinit(&s);
}

/* The 257th author takes the place of the first; and both ends know that. */
static void test_compact__authors_come_and_go(void **state)
{
	struct made m = { .lane = VD_LANE_NORMAL, .seq = 1, .time_ms = 50 };
	struct stream s;

	(void)state;
	stream_init(&s);
	assert_null(s.reader.authors);
	for (m.author = 0; m.author < VD_COMPACT_AUTHORS; m.author++)
		assert_int_equal(pass(&s, &m, NULL), 1 + 32 + 1 + 1 + 64);
	assert_int_equal(s.writer.capacity, VD_COMPACT_AUTHORS);
	for (m.author = 0; m.author < VD_COMPACT_AUTHORS; m.author++)
		assert_int_equal(pass(&s, &m, NULL), 1 + 1 + 1 + 1 + 64);
	m.author = 1000;
	assert_int_equal(pass(&s, &m, NULL), 1 + 32 + 1 + 1 + 64);
	m.author = 1;
	assert_int_equal(pass(&s, &m, NULL), 1 + 1 + 1 + 1 + 64);
	m.author = 0;
	assert_int_equal(pass(&s, &m, NULL), 1 + 32 + 1 + 1 + 64);
	m.author = 1;
	assert_int_equal(pass(&s, &m, NULL), 1 + 32 + 1 + 1 + 64);
	assert_int_equal(s.reader.capacity, VD_COMPACT_AUTHORS);
	vd_compact_reset(&s.writer, group);
	vd_compact_reset(&s.reader, group);
	assert_int_equal(pass(&s, &m, NULL), 1 + 32 + 1 + 1 + 64);
	stream_deinit(&s);
}

static bool chance(unsigned *seed, unsigned of)
{
	*seed = *seed * 1103515245 + 12345;
	return (*seed >> 16) % of == 0;
}

/* Long streams of everything, and the length is known beforehand. */
static void test_compact__lengths_are_as_told(void **state)
{
	struct vd_id last[300] = { { { 0 } } };
	uint64_t seq[300] = { 0 };
	struct vd_compact measure;
	struct stream s;
	unsigned seed = 4;

	(void)state;
	stream_init(&s);
	vd_compact_init(&measure, group);
	for (size_t i = 0; i < 4000; i++) {
		struct made m = { .author = (unsigned)(i * i % 300), .lane = i % 5 ? 2 : 1, .time_ms = 1700000000000 + i * 1000 * (i % 7),
			          .body = i % 50, .stub = i % 50 && chance(&seed, 4), .expires = chance(&seed, 3) ? 19700 + i % 9 : 0,
			          .ext = chance(&seed, 30) ? 3 : 0 };
		struct vd_id prev = last[m.author];
		struct vd_record r, alike;
		size_t bytes;

		m.seq = seq[m.author] += 1 + chance(&seed, 5);
		m.prev = m.seq > 1 && !chance(&seed, 6) ? &prev : NULL;
		r = make(&m, &s.raw);
		/* who is who does not matter, so long as all differ */
		alike = r;
		for (size_t k = 0; k < VD_KEY_BYTES; k++)
			alike.author[k] = r.author[VD_KEY_BYTES - 1 - k];
		memset(alike.id.b + 12, 0, 20);
		memset(alike.prev.b + 12, 0, 20);
		alike.raw.p = alike.body.p = alike.ext.p = alike.signature.p = alike.header.p = NULL;
		assert_int_equal(vd_compact_measure(&measure, &alike, &bytes), VD_OK);
		assert_int_equal(pass(&s, &m, &last[m.author]), bytes);
	}
	vd_compact_deinit(&measure);
	stream_deinit(&s);
}

/* ---- hostile ---- */

static int decode(struct vd_compact *c, const void *p, size_t n)
{
	struct vd_buf out = { 0 };
	struct vd_record r;
	int rc = vd_compact_decode(c, vd_slice(p, n), &out, &r);

	if (rc)
		assert_int_equal(out.n, 0);
	else
		assert_int_equal(vd_record_decode(vd_buf_slice(&out), &r), VD_OK);
	vd_buf_deinit(&out);
	return rc;
}

static struct vd_compact copy_of(const struct vd_compact *c)
{
	struct vd_compact copy = *c;

	copy.authors = NULL;
	if (c->capacity) {
		copy.authors = calloc(c->capacity, sizeof(*c->authors));
		assert_non_null(copy.authors);
		memcpy(copy.authors, c->authors, (c->seen < c->capacity ? c->seen : c->capacity) * sizeof(*c->authors));
	}
	return copy;
}

/* Cut anywhere it is no record; where a cut falls into the body it is another one. */
static void test_compact__truncated_at_every_byte(void **state)
{
	struct vd_id other = { { 5 } };
	const struct made forms[] = {
		{ .author = 1, .lane = 2, .seq = 9, .time_ms = 1700000000000, .expires = 20000, .prev = &other, .body = 3 },
		{ .author = 2, .lane = 2, .seq = 9, .time_ms = 1700000000000, .expires = 20000, .prev = &other, .body = 300, .stub = true },
		{ .author = 3, .lane = 2, .seq = 9, .time_ms = 1700000000000, .body = 0 },
		{ .author = 1, .lane = 2, .seq = 9, .version = 3, .body = 5 },
	};
	struct stream s;

	(void)state;
	stream_init(&s);
	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		size_t n, body = forms[i].stub ? 0 : forms[i].body;

		/* before it is known, and after */
		for (int again = 0; again < 2; again++) {
			struct vd_compact before;
			struct made m = forms[i];

			before = copy_of(&s.reader);
			m.seq += (unsigned)again;
			n = pass(&s, &m, NULL);
			for (size_t cut = 0; cut < n; cut++) {
				struct vd_compact c = copy_of(&before);
				uint64_t seen = c.seen;
				uint8_t *exact = malloc(cut + 1);
				int rc;

				memcpy(exact, s.compact.p + 1, cut);
				rc = decode(&c, exact, cut);
				/* a whole one without its body is a stub */
				if (m.version)
					assert_int_equal(rc, cut == n - body ? VD_OK : VD_EFORMAT);
				else
					assert_int_equal(rc, cut < n - body ? VD_EFORMAT : VD_OK);
				if (rc)
					assert_int_equal(c.seen, seen);
				free(exact);
				vd_compact_deinit(&c);
			}
			vd_compact_deinit(&before);
		}
	}
	stream_deinit(&s);
}

static void test_compact__what_is_no_record_is_refused(void **state)
{
	enum { KEY = 0x10, EXPIRES = 0x20, STUB = 0x40, PREV = 0x04, LAST = 0x08 };
	uint8_t in[1 + 32 + 32 + 10 + 10 + 10 + 64 + 10 + 32 + 10], *p;
	struct vd_compact c;

	(void)state;
	/* flags ‖ key ‖ … and what fills the rest is zero, which is as good as anything */
#define REFUSED(flags, ...) \
	do { \
		const uint8_t rest[] = { __VA_ARGS__ }; \
		memset(in, 0, sizeof(in)); \
		in[0] = (flags); \
		p = in + 1 + ((flags) & KEY ? 32 : 0); \
		memcpy(p, rest, sizeof(rest)); \
		vd_compact_init(&c, group); \
		assert_int_equal(decode(&c, in, (size_t)(p - in) + sizeof(rest) + 64), VD_EFORMAT); \
		assert_int_equal(c.seen, 0); \
		vd_compact_deinit(&c); \
	} while (0)
#define TAKEN(flags, ...) \
	do { \
		const uint8_t rest[] = { __VA_ARGS__ }; \
		memset(in, 0, sizeof(in)); \
		in[0] = (flags); \
		memcpy(in + 33, rest, sizeof(rest)); \
		vd_compact_init(&c, group); \
		assert_int_equal(decode(&c, in, 33 + sizeof(rest) + 64), VD_OK); \
		assert_int_equal(c.seen, 1); \
		vd_compact_deinit(&c); \
	} while (0)
	TAKEN(KEY, 2, 2);
	REFUSED(0x80 | KEY, 2, 2);           /* a flag that means nothing */
	REFUSED(WHOLE | KEY, 2, 2);          /* whole, and something else */
	REFUSED(WHOLE | 1, 2, 2);
	REFUSED(0, 0, 2, 2);                 /* an author's number, when there is none */
	REFUSED(KEY | LAST, 2);              /* the last one, when there is none */
	REFUSED(KEY, 0, 2);                  /* seq 0 */
	REFUSED(KEY, 3, 2);                  /* seq below 0 */
	TAKEN(KEY, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x1f, 2); /* 2^53 - 1 */
	REFUSED(KEY, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20, 2);
	TAKEN(KEY, 2, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x1f);
	REFUSED(KEY, 2, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20);
	REFUSED(KEY, 2, 3);                  /* before 1970 */
	REFUSED(KEY, 0x82, 0x00, 2);         /* a longer form than need be */
	REFUSED(KEY, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02, 2); /* over 64 bits */
	TAKEN(KEY | EXPIRES, 2, 0, 0xfe, 0xff, 0xff, 0xff, 0x1f);
	REFUSED(KEY | EXPIRES, 2, 0, 0x80, 0x80, 0x80, 0x80, 0x20); /* the day 2^32 */
	REFUSED(KEY | EXPIRES, 2, 0, 1);     /* the day before the first */
#undef TAKEN
#undef REFUSED
	/* seq 1 after something */
	memset(in, 0, sizeof(in));
	in[0] = KEY | PREV;
	in[65] = 2;
	vd_compact_init(&c, group);
	assert_int_equal(decode(&c, in, 1 + 32 + 32 + 1 + 1 + 64), VD_EFORMAT);
	in[65] = 4;
	assert_int_equal(decode(&c, in, 1 + 32 + 32 + 1 + 1 + 64), VD_OK);
	vd_compact_deinit(&c);
	/* stubs of no body, of too much, and with one all the same */
	for (int i = 0; i < 4; i++) {
		static const uint32_t bytes[] = { 0, VD_BODY_MAX + 1, 1, VD_BODY_MAX };
		struct vd_buf b = { 0 };

		memset(in, 0, sizeof(in));
		in[0] = KEY | STUB;
		in[33] = 2;
		vd_buf_put(&b, in, 1 + 32 + 2 + 64);
		vd_buf_put_varint(&b, bytes[i]);
		vd_buf_put(&b, in + 33, 32);
		vd_compact_init(&c, group);
		assert_int_equal(decode(&c, b.p, b.n), i < 2 ? VD_EFORMAT : VD_OK);
		vd_buf_put_u8(&b, 1);
		assert_int_equal(decode(&c, b.p, b.n), VD_EFORMAT);
		vd_compact_deinit(&c);
		vd_buf_deinit(&b);
	}
}

/* No body over the cap, whole or not. */
static void test_compact__cap_plus_one(void **state)
{
	uint8_t *in = calloc(1, 99 + VD_BODY_MAX + 1);
	struct vd_compact c;

	(void)state;
	assert_non_null(in);
	in[0] = 0x10;
	in[33] = 2;
	vd_compact_init(&c, group);
	assert_int_equal(decode(&c, in, 99 + VD_BODY_MAX + 1), VD_EFORMAT);
	assert_int_equal(c.seen, 0);
	assert_int_equal(decode(&c, in, 99 + VD_BODY_MAX), VD_OK);
	/* a number one beyond */
	in[0] = 0;
	in[1] = 1;
	assert_int_equal(decode(&c, in, 200), VD_EFORMAT);
	in[1] = 0;
	in[2] = 2;
	assert_int_equal(decode(&c, in, 200), VD_OK);
	free(in);
	vd_compact_deinit(&c);
}

/* Every bit of every byte turned: what is read is a record by every rule, or nothing, and the stream stays as it was. */
static void test_compact__corrupted_everywhere(void **state)
{
	struct made m = { .author = 1, .lane = 2, .seq = 1, .time_ms = 1700000000000, .expires = 20000, .body = 20 };
	struct stream s;
	struct vd_id id;

	(void)state;
	stream_init(&s);
	pass(&s, &m, &id);
	m.seq = 2;
	m.prev = &id;
	pass(&s, &m, NULL);
	for (size_t at = 1; at < s.compact.n; at++)
		for (unsigned bit = 0; bit < 8; bit++) {
			struct vd_compact c = copy_of(&s.reader);

			s.compact.p[at] ^= (uint8_t)(1u << bit);
			if (decode(&c, s.compact.p + 1, s.compact.n - 1)) {
				assert_int_equal(c.seen, s.reader.seen);
				assert_memory_equal(c.authors, s.reader.authors, sizeof(*c.authors));
			}
			s.compact.p[at] ^= (uint8_t)(1u << bit);
			vd_compact_deinit(&c);
		}
	stream_deinit(&s);
}

static void test_compact__a_batch_takes_it_as_the_record(void **state)
{
	struct made m = { .author = 1, .lane = 2, .seq = 1, .time_ms = 5, .body = 20 };
	struct vd_batch plain = { 0 }, batch = { 0 };
	struct vd_compact reader;
	struct stream s;
	struct vd_id id;

	(void)state;
	stream_init(&s);
	vd_compact_init(&reader, group);
	for (; m.seq <= 100; m.seq++) {
		struct vd_id prev = id;

		m.prev = m.seq > 1 ? &prev : NULL;
		m.ext = m.seq % 10 ? 0 : 5;
		pass(&s, &m, &id);
		assert_int_equal(vd_batch_add(&plain, vd_buf_slice(&s.raw)), VD_OK);
		assert_int_equal(vd_batch_add_compact(&batch, &reader, vd_slice(s.compact.p + 1, s.compact.n - 1)), VD_OK);
		/* what is no record leaves no trace */
		assert_int_equal(vd_batch_add_compact(&batch, &reader, vd_slice("\xff", 1)), VD_EFORMAT);
		assert_int_equal(vd_batch_add_compact(&batch, &reader, vd_slice("\x0c", 1)), VD_EFORMAT);
	}
	vd_batch_seal(&plain);
	vd_batch_seal(&batch);
	assert_int_equal(batch.count, plain.count);
	assert_true(vd_slice_eq(vd_buf_slice(&batch.bytes), vd_buf_slice(&plain.bytes)));
	for (size_t i = 0; i < batch.count; i++)
		assert_same(&batch.entries[i].record, &plain.entries[i].record);
	vd_compact_deinit(&reader);
	vd_batch_deinit(&plain);
	vd_batch_deinit(&batch);
	stream_deinit(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_compact__an_authors_run_costs_signature_and_body),
		cmocka_unit_test(test_compact__gaps_forks_lanes_and_clocks),
		cmocka_unit_test(test_compact__stubs_keep_what_they_prove),
		cmocka_unit_test(test_compact__whole_records_pass_by),
		cmocka_unit_test(test_compact__authors_come_and_go),
		cmocka_unit_test(test_compact__lengths_are_as_told),
		cmocka_unit_test(test_compact__truncated_at_every_byte),
		cmocka_unit_test(test_compact__what_is_no_record_is_refused),
		cmocka_unit_test(test_compact__cap_plus_one),
		cmocka_unit_test(test_compact__corrupted_everywhere),
		cmocka_unit_test(test_compact__a_batch_takes_it_as_the_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
