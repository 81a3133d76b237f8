/* Devices and the control records they write, for tests and fuzzing of groups. Signatures are left out: vd_group_add trusts
 * its caller with them. */
#ifndef GROUP_ACTORS_H
#define GROUP_ACTORS_H

#include <stdlib.h>
#include <string.h>

#include "proto/err.h"
#include "proto/group.h"
#include "proto/hash.h"

/* A repeatable stream of numbers (xorshift64*). */
struct dice {
	uint64_t state;
};

static inline uint64_t dice_roll(struct dice *d, uint64_t sides)
{
	d->state ^= d->state >> 12;
	d->state ^= d->state << 25;
	d->state ^= d->state >> 27;
	return d->state * 0x2545f4914f6cdd1d % sides;
}

static inline void dice_fill(struct dice *d, void *out, size_t n)
{
	for (size_t i = 0; i < n; i++)
		((uint8_t *)out)[i] = (uint8_t)dice_roll(d, 256);
}

/* A device, with its chain of control records. */
struct actor {
	struct vd_identity identity;
	uint8_t person[VD_PERSON_BYTES];
	uint64_t seq;
	struct vd_id prev;
};

static inline struct actor actor_new(uint64_t seed)
{
	uint8_t bytes[VD_IDENTITY_SEED_BYTES] = {0};
	struct actor a = {0};

	memcpy(bytes, &seed, sizeof(seed));
	memcpy(bytes + 33, &seed, sizeof(seed)); /* a box key of its own, too: X25519 ignores low bits of the first byte */
	vd_identity_from_seed(bytes, &a.identity);
	memcpy(a.person, &seed, sizeof(seed));
	return a;
}

static inline struct vd_card card_of(const struct actor *a)
{
	struct vd_card card;

	if (vd_card_create(&a->identity, &card))
		abort();
	return card;
}

/* Raw records in the order they were made. */
struct history {
	struct vd_buf *records;
	size_t count, capacity;
};

static inline void history_free(struct history *h)
{
	for (size_t i = 0; i < h->count; i++)
		vd_buf_deinit(&h->records[i]);
	free(h->records);
	*h = (struct history){0};
}

static inline struct vd_slice history_at(const struct history *h, size_t i)
{
	return vd_buf_slice(&h->records[i]);
}

static inline struct vd_record decoded(struct vd_slice raw)
{
	struct vd_record r;

	if (vd_record_decode(raw, &r))
		abort();
	return r;
}

/* Appends a record of any version and lane. */
static inline struct vd_record history_write(struct history *h, struct actor *a, const uint8_t group[VD_GROUP_BYTES],
                                             unsigned version, uint8_t lane, struct vd_slice body)
{
	uint8_t hash[VD_HASH_BYTES], signature[VD_SIGNATURE_BYTES] = {1};
	struct vd_buf *out;
	struct vd_record r;

	if (h->count == h->capacity) {
		h->capacity = h->capacity ? 2 * h->capacity : 16;
		h->records = realloc(h->records, h->capacity * sizeof(*h->records));
		if (!h->records)
			abort();
	}
	out = &h->records[h->count++];
	memset(out, 0, sizeof(*out));
	vd_hash1(VD_HASH_BODY, hash, body);
	vd_mp_put_array(out, VD_HEADER_FIELDS);
	vd_mp_put_uint(out, version);
	vd_mp_put_bin(out, vd_slice(group, VD_GROUP_BYTES));
	vd_mp_put_bin(out, vd_slice(a->identity.author, VD_KEY_BYTES));
	vd_mp_put_uint(out, lane);
	vd_mp_put_uint(out, ++a->seq);
	vd_mp_put_bin(out, vd_slice(a->prev.b, a->seq > 1 ? VD_ID_BYTES : 0));
	vd_mp_put_uint(out, 1700000000000 + a->seq);
	vd_mp_put_nil(out);
	vd_mp_put_bin(out, vd_slice(NULL, 0));
	vd_mp_put_uint(out, body.n);
	vd_mp_put_bin(out, vd_slice(hash, sizeof(hash)));
	vd_buf_put(out, signature, sizeof(signature));
	vd_buf_put_slice(out, body);
	if (vd_buf_check(out))
		abort();
	r = decoded(vd_buf_slice(out));
	a->prev = r.id;
	return r;
}

static inline struct vd_record history_control(struct history *h, struct actor *a, const uint8_t group[VD_GROUP_BYTES],
                                               struct vd_buf *content)
{
	struct vd_record r = history_write(h, a, group, VD_VERSION, VD_LANE_CONTROL, vd_buf_slice(content));

	vd_buf_deinit(content);
	return r;
}

/* Adds every record of the history, offering again what was not entitled yet until nothing more gets in. `order` NULL: as
 * written. Returns how many stayed out. */
static inline size_t history_replay(const struct history *h, struct vd_group *g, const size_t *order)
{
	bool *in = calloc(h->count + 1, sizeof(*in));
	size_t out = h->count, before;

	if (!in)
		abort();
	do {
		before = out;
		for (size_t i = 0; i < h->count; i++) {
			size_t at = order ? order[i] : i;
			struct vd_record r = decoded(history_at(h, at));

			if (!in[at] && vd_group_add(g, &r) == 0) {
				in[at] = true;
				out--;
			}
		}
	} while (out < before);
	free(in);
	return out;
}

static inline struct vd_group *view_of(const struct history *h, const uint8_t group[VD_GROUP_BYTES], const struct actor *a)
{
	struct vd_group *g = vd_group_new(group, a ? &a->identity : NULL);

	if (!g)
		abort();
	history_replay(h, g, NULL);
	return g;
}

#endif
