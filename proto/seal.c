#include "seal.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "hash.h"

enum {
	ENTRY_HEADER = 4,     /* u8 type, u24 length */
	MANIFEST_BYTES = 2 + VD_GROUP_BYTES + 2 * VD_HASH_BYTES + 8 + 8,
	PREFIX_BYTES = 15,    /* of a chunk's nonce; then u64 index, u8 last */
	NONCE_BYTES = PREFIX_BYTES + 8 + 1,
	STREAM_BYTES = VD_KEY_BYTES + PREFIX_BYTES,
	FIRST = 0, LAST = 1,  /* the two heads */
};

_Static_assert(NONCE_BYTES == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES, "nonce of a chunk");
_Static_assert(VD_SLOT_BYTES == VD_KEY_BYTES + crypto_box_SEALBYTES, "a slot holds a sealed box of the file key");
_Static_assert(VD_SLOT_BYTES == 2 * VD_KEY_BYTES + crypto_aead_xchacha20poly1305_ietf_ABYTES, "or a link slot");
_Static_assert(2 * ENTRY_HEADER + VD_GROUP_BYTES + VD_COMPACT_MAX <= VD_CHUNK_PLAIN, "a record never spans two chunks");

/* Both ends of the file derive these from the file key. */
struct stream {
	uint8_t key[VD_KEY_BYTES];
	uint8_t prefix[PREFIX_BYTES];
};

struct vd_sealer {
	struct vd_manifest manifest;
	struct stream stream;
	uint8_t heads[2][VD_HEAD_BYTES];
	uint64_t chunk, records;  /* sealed so far; in the file so far */
	bool begun, finished;
	struct vd_compact told;   /* of this chunk */
	struct vd_buf compact;    /* the record at hand */
	size_t used;
	uint8_t plain[VD_CHUNK_PLAIN];
};

struct vd_unsealer {
	struct stream stream;
	bool has_head[2];
	uint8_t head_hash[2][VD_HASH_BYTES];
	size_t link;
};

/* All randomness of a file: the ChaCha20 keystream under the caller's seed, read as this. */
struct draw {
	uint8_t file_key[VD_KEY_BYTES];
	struct draw_head {
		uint8_t salt[VD_SALT_BYTES];
		uint8_t dummy[VD_SLOTS][VD_SLOT_BYTES];
		uint8_t ephemeral[VD_SLOTS][VD_KEY_BYTES];
		uint8_t place[VD_SLOTS][4];
	} heads[2];
};

static const uint8_t zeros[VD_KEY_BYTES];

static size_t manifest_bytes(enum vd_sealed_what what)
{
	return MANIFEST_BYTES + (what == VD_SEALED_WELCOME ? VD_ID_BYTES : 0);
}

static void stream_from(const uint8_t file_key[VD_KEY_BYTES], struct stream *s)
{
	uint8_t out[STREAM_BYTES];

	vd_hash(VD_HASH_STREAM, vd_slice(file_key, VD_KEY_BYTES), out, sizeof(out), NULL, 0);
	memcpy(s->key, out, VD_KEY_BYTES);
	memcpy(s->prefix, out + VD_KEY_BYTES, PREFIX_BYTES);
	sodium_memzero(out, sizeof(out));
}

static void stream_nonce(const struct stream *s, uint64_t chunk, bool last, uint8_t nonce[NONCE_BYTES])
{
	memcpy(nonce, s->prefix, PREFIX_BYTES);
	vd_set_u64(nonce + PREFIX_BYTES, chunk);
	nonce[NONCE_BYTES - 1] = last;
}

/* The key of slot `i` under `key`, for sealing (VD_HASH_SLOT) or masking (VD_HASH_MASK). */
static void slot_key(enum vd_hash_use use, const uint8_t key[VD_KEY_BYTES], const uint8_t salt[VD_SALT_BYTES], uint8_t i,
                     uint8_t out[VD_KEY_BYTES])
{
	const struct vd_slice parts[] = { vd_slice(salt, VD_SALT_BYTES), vd_slice(&i, 1) };

	vd_hash(use, vd_slice(key, VD_KEY_BYTES), out, VD_KEY_BYTES, parts, 2);
}

/* Who may know no link key: its slot is masked under what its card shows. */
static void card_mask(const uint8_t author[VD_KEY_BYTES], const uint8_t box[VD_KEY_BYTES], uint8_t out[VD_KEY_BYTES])
{
	const struct vd_slice parts[] = { vd_slice(author, VD_KEY_BYTES), vd_slice(box, VD_KEY_BYTES) };

	vd_hash(VD_HASH_MASK, vd_slice(NULL, 0), out, VD_KEY_BYTES, parts, 2);
}

static void mask_slot(const uint8_t mask[VD_KEY_BYTES], const uint8_t salt[VD_SALT_BYTES], uint8_t i, uint8_t out[VD_SLOT_BYTES],
                      const uint8_t in[VD_SLOT_BYTES])
{
	uint8_t key[VD_KEY_BYTES];

	slot_key(VD_HASH_MASK, mask, salt, i, key);
	crypto_stream_chacha20_ietf_xor(out, in, VD_SLOT_BYTES, zeros, key);
	sodium_memzero(key, sizeof(key));
}

/* crypto_box_seal with a given ephemeral key. */
static int box_seal(const uint8_t message[VD_KEY_BYTES], const uint8_t box[VD_KEY_BYTES],
                    const uint8_t ephemeral[VD_KEY_BYTES], uint8_t out[VD_SLOT_BYTES])
{
	uint8_t nonce[crypto_box_NONCEBYTES];
	crypto_generichash_state state;
	int rc;

	rc = crypto_scalarmult_base(out, ephemeral);
	rc |= crypto_generichash_init(&state, NULL, 0, sizeof(nonce));
	rc |= crypto_generichash_update(&state, out, VD_KEY_BYTES);
	rc |= crypto_generichash_update(&state, box, VD_KEY_BYTES);
	rc |= crypto_generichash_final(&state, nonce, sizeof(nonce));
	rc |= crypto_box_easy(out + VD_KEY_BYTES, message, VD_KEY_BYTES, nonce, box, ephemeral);
	return rc ? VD_EINVAL : VD_OK;
}

bool vd_seal_box_ok(const uint8_t box[VD_KEY_BYTES])
{
	static const uint8_t any[VD_KEY_BYTES] = { 1 };
	uint8_t shared[VD_KEY_BYTES];

	/* Of small order: nothing can be sealed to it. */
	return crypto_scalarmult(shared, any, box) == 0;
}

static int make_slot(const struct vd_recipient *to, const uint8_t file_key[VD_KEY_BYTES], const uint8_t salt[VD_SALT_BYTES],
                     uint8_t i, const uint8_t ephemeral[VD_KEY_BYTES], uint8_t out[VD_SLOT_BYTES])
{
	uint8_t key[VD_KEY_BYTES], text[2 * VD_KEY_BYTES] = { 0 };
	int rc = VD_OK;

	switch (to->how) {
	case VD_FOR_LINK:
		slot_key(VD_HASH_SLOT, to->link, salt, i, key);
		memcpy(text, file_key, VD_KEY_BYTES);
		crypto_aead_xchacha20poly1305_ietf_encrypt(out, NULL, text, sizeof(text), NULL, 0, NULL, zeros, key);
		break;
	case VD_FOR_DEVICE:
	case VD_FOR_CARD:
		if (to->how == VD_FOR_DEVICE)
			memcpy(key, to->link, VD_KEY_BYTES);
		else
			card_mask(to->author, to->box, key);
		rc = box_seal(file_key, to->box, ephemeral, out);
		mask_slot(key, salt, i, out, out);
		break;
	default:
		rc = VD_EINVAL;
	}
	sodium_memzero(key, sizeof(key));
	sodium_memzero(text, sizeof(text));
	return rc;
}

static int make_head(const struct vd_recipient *to, size_t count, const struct draw *draw, const struct draw_head *own,
                     uint8_t out[VD_HEAD_BYTES])
{
	uint8_t place[VD_SLOTS];
	int rc = VD_OK;

	/* Who stands where tells nothing: Fisher and Yates' shuffle. */
	for (uint8_t i = 0; i < VD_SLOTS; i++)
		place[i] = i;
	for (uint8_t i = VD_SLOTS - 1; i > 0; i--) {
		uint32_t j = vd_get_u32(own->place[i]) % (i + 1U);
		uint8_t held = place[i];

		place[i] = place[j];
		place[j] = held;
	}
	memcpy(out, own->salt, VD_SALT_BYTES);
	memcpy(out + VD_SALT_BYTES, own->dummy, sizeof(own->dummy));
	for (size_t i = 0; i < count && !rc; i++)
		rc = make_slot(&to[i], draw->file_key, own->salt, place[i], own->ephemeral[i],
		               out + VD_SALT_BYTES + (size_t)place[i] * VD_SLOT_BYTES);
	return rc;
}

static void put_entry(struct vd_sealer *s, enum vd_entry_type type, struct vd_slice bytes)
{
	uint8_t *p = s->plain + s->used;

	p[0] = (uint8_t)type;
	p[1] = (uint8_t)(bytes.n >> 16);
	vd_set_u16(p + 2, (uint16_t)bytes.n);
	if (bytes.n)
		memcpy(p + ENTRY_HEADER, bytes.p, bytes.n);
	s->used += ENTRY_HEADER + bytes.n;
}

static void put_manifest(struct vd_sealer *s)
{
	const struct vd_manifest *m = &s->manifest;
	uint8_t bytes[MANIFEST_BYTES + VD_ID_BYTES], *p = bytes;

	*p++ = VD_VERSION;
	*p++ = (uint8_t)m->what;
	memcpy(p, m->group, VD_GROUP_BYTES);
	p += VD_GROUP_BYTES;
	for (int i = FIRST; i <= LAST; i++, p += VD_HASH_BYTES)
		vd_hash1(VD_HASH_HEAD, p, vd_slice(s->heads[i], VD_HEAD_BYTES));
	vd_set_u64(p, m->chunks);
	vd_set_u64(p + 8, m->records);
	p += 16;
	if (m->what == VD_SEALED_WELCOME)
		memcpy(p, m->grant, VD_ID_BYTES);
	put_entry(s, VD_ENTRY_MANIFEST, vd_slice(bytes, manifest_bytes(m->what)));
}

int vd_sealer_new(const struct vd_manifest *manifest, const struct vd_recipient *to, size_t count,
                  const uint8_t seed[VD_SEAL_SEED_BYTES], struct vd_sealer **out)
{
	struct draw draw;
	struct vd_sealer *s;
	int rc;

	if (count > VD_SLOTS)
		return VD_ECAP;
	if (manifest->what < VD_SEALED_BUNDLE || manifest->what > VD_SEALED_WELCOME || manifest->chunks == 0 ||
	    manifest->chunks > VD_SEALED_CHUNKS_MAX || manifest->has_grant != (manifest->what == VD_SEALED_WELCOME))
		return VD_EINVAL;
	s = calloc(1, sizeof(*s));
	if (!s)
		return VD_ENOMEM;
	crypto_stream_chacha20_ietf((unsigned char *)&draw, sizeof(draw), zeros, seed);
	s->manifest = *manifest;
	vd_compact_init(&s->told, manifest->group);
	rc = make_head(to, count, &draw, &draw.heads[FIRST], s->heads[FIRST]);
	if (!rc)
		rc = make_head(to, count, &draw, &draw.heads[LAST], s->heads[LAST]);
	stream_from(draw.file_key, &s->stream);
	sodium_memzero(&draw, sizeof(draw));
	if (rc) {
		vd_sealer_free(s);
		return rc;
	}
	put_manifest(s);
	*out = s;
	return VD_OK;
}

void vd_sealer_free(struct vd_sealer *s)
{
	if (!s)
		return;
	vd_compact_deinit(&s->told);
	vd_buf_deinit(&s->compact);
	sodium_memzero(s, sizeof(*s));
	free(s);
}

void vd_seal_plan_start(struct vd_seal_plan *plan, enum vd_sealed_what what)
{
	*plan = (struct vd_seal_plan){ .used = ENTRY_HEADER + manifest_bytes(what) };
}

static bool fits(size_t used, size_t bytes)
{
	return ENTRY_HEADER + bytes <= VD_CHUNK_PLAIN - used;
}

static void plan_chunk(struct vd_seal_plan *plan)
{
	plan->chunks++;
	plan->used = ENTRY_HEADER + VD_GROUP_BYTES;
}

void vd_seal_plan_entry(struct vd_seal_plan *plan, size_t bytes)
{
	if (!fits(plan->used, bytes))
		plan_chunk(plan);
	plan->used += ENTRY_HEADER + bytes;
}

int vd_seal_plan_record(struct vd_seal_plan *plan, struct vd_compact *stream, const struct vd_record *record)
{
	size_t bytes;

	if (vd_compact_measure(stream, record, &bytes))
		return VD_ENOMEM;
	if (!fits(plan->used, bytes)) {
		plan_chunk(plan);
		vd_compact_reset(stream, stream->group);
		if (vd_compact_measure(stream, record, &bytes))
			return VD_ENOMEM;
	}
	plan->used += ENTRY_HEADER + bytes;
	return VD_OK;
}

uint64_t vd_seal_plan_chunks(const struct vd_seal_plan *plan)
{
	return plan->chunks + 1;
}

static int seal_chunk(struct vd_sealer *s, bool last, struct vd_buf *out)
{
	uint8_t nonce[NONCE_BYTES], *p;

	if (!s->begun)
		vd_buf_put(out, s->heads[FIRST], VD_HEAD_BYTES);
	s->begun = true;
	p = vd_buf_extend(out, VD_CHUNK_BYTES);
	if (!p)
		return VD_ENOMEM;
	memset(s->plain + s->used, 0, sizeof(s->plain) - s->used);
	stream_nonce(&s->stream, s->chunk, last, nonce);
	crypto_aead_xchacha20poly1305_ietf_encrypt(p, NULL, s->plain, sizeof(s->plain), NULL, 0, NULL, nonce, s->stream.key);
	s->chunk++;
	s->used = 0;
	return VD_OK;
}

/* The chunk is full: on to the next. */
static int turn(struct vd_sealer *s, struct vd_buf *out)
{
	int rc = s->chunk + 1 < s->manifest.chunks ? seal_chunk(s, false, out) : VD_EINVAL;

	if (!rc) {
		put_entry(s, VD_ENTRY_GROUP, vd_slice(s->manifest.group, VD_GROUP_BYTES));
		vd_compact_reset(&s->told, s->manifest.group);
	}
	return rc;
}

int vd_sealer_entry(struct vd_sealer *s, enum vd_entry_type type, struct vd_slice bytes, struct vd_buf *out)
{
	int rc;

	if (s->finished || type == VD_ENTRY_END || type == VD_ENTRY_MANIFEST || type == VD_ENTRY_GROUP)
		return VD_EINVAL;
	if (bytes.n > VD_COMPACT_MAX)
		return VD_ECAP;
	if (!fits(s->used, bytes.n)) {
		rc = turn(s, out);
		if (rc)
			return rc;
	}
	put_entry(s, type, bytes);
	s->records += type == VD_ENTRY_RECORD;
	return VD_OK;
}

int vd_sealer_record(struct vd_sealer *s, const struct vd_record *record, struct vd_buf *out)
{
	int rc = s->finished ? VD_EINVAL : VD_OK;

	vd_buf_reset(&s->compact);
	if (!rc)
		rc = vd_compact_encode(&s->told, record, &s->compact);
	if (!rc && !fits(s->used, s->compact.n)) {
		rc = turn(s, out);
		vd_buf_reset(&s->compact);
		if (!rc)
			rc = vd_compact_encode(&s->told, record, &s->compact);
	}
	return rc ? rc : vd_sealer_entry(s, VD_ENTRY_RECORD, vd_buf_slice(&s->compact), out);
}

int vd_sealer_finish(struct vd_sealer *s, struct vd_buf *out)
{
	int rc;

	if (s->finished || s->chunk + 1 != s->manifest.chunks || s->records != s->manifest.records)
		return VD_EINVAL;
	rc = seal_chunk(s, true, out);
	if (rc)
		return rc;
	s->finished = true;
	vd_buf_put(out, s->heads[LAST], VD_HEAD_BYTES);
	return vd_buf_check(out);
}

static bool open_link_slot(const uint8_t link[VD_KEY_BYTES], const uint8_t *head, uint8_t i, uint8_t file_key[VD_KEY_BYTES])
{
	uint8_t key[VD_KEY_BYTES], text[2 * VD_KEY_BYTES];
	bool ok;

	slot_key(VD_HASH_SLOT, link, head, i, key);
	ok = crypto_aead_xchacha20poly1305_ietf_decrypt(text, NULL, NULL, head + VD_SALT_BYTES + (size_t)i * VD_SLOT_BYTES,
	                                                VD_SLOT_BYTES, NULL, 0, zeros, key) == 0 &&
	     sodium_is_zero(text + VD_KEY_BYTES, VD_KEY_BYTES);
	if (ok)
		memcpy(file_key, text, VD_KEY_BYTES);
	sodium_memzero(key, sizeof(key));
	sodium_memzero(text, sizeof(text));
	return ok;
}

static bool open_device_slot(const struct vd_identity *us, const uint8_t mask[VD_KEY_BYTES], const uint8_t *head, uint8_t i,
                             uint8_t file_key[VD_KEY_BYTES])
{
	uint8_t sealed[VD_SLOT_BYTES];

	mask_slot(mask, head, i, sealed, head + VD_SALT_BYTES + (size_t)i * VD_SLOT_BYTES);
	return crypto_box_seal_open(file_key, sealed, sizeof(sealed), us->box, us->box_secret) == 0;
}

/* Of a group with a long history a device tries some masks only: writers take the oldest link key that it is sure to have. */
static bool is_mask(const struct vd_opener *with, size_t k)
{
	return k < VD_MASKS_NEWEST || with->link_count - k <= VD_MASKS_OLDEST;
}

static bool open_head(struct vd_slice head, const struct vd_opener *with, uint8_t file_key[VD_KEY_BYTES], size_t *link)
{
	uint8_t mask[VD_KEY_BYTES];
	bool found = false;

	if (head.n != VD_HEAD_BYTES)
		return false;
	/* Link slots first: they are what most files have, and ten times cheaper to try. */
	for (size_t k = 0; k < with->link_count && !found; k++)
		for (uint8_t i = 0; i < VD_SLOTS && !found; i++)
			if ((found = open_link_slot(with->links + k * VD_KEY_BYTES, head.p, i, file_key)))
				*link = k;
	if (!with->identity)
		return found;
	card_mask(with->identity->author, with->identity->box, mask);
	for (uint8_t i = 0; i < VD_SLOTS && !found; i++)
		found = open_device_slot(with->identity, mask, head.p, i, file_key);
	for (size_t k = with->link_count; k > 0 && !found; k--)
		for (uint8_t i = 0; i < VD_SLOTS && is_mask(with, k - 1) && !found; i++)
			found = open_device_slot(with->identity, with->links + (k - 1) * VD_KEY_BYTES, head.p, i, file_key);
	sodium_memzero(mask, sizeof(mask));
	return found;
}

int vd_unsealer_new(struct vd_slice first, struct vd_slice last, const struct vd_opener *with, struct vd_unsealer **out)
{
	const struct vd_slice heads[2] = { first, last };
	uint8_t file_key[VD_KEY_BYTES];
	size_t link = VD_NO_LINK;
	struct vd_unsealer *u;

	if (!open_head(first, with, file_key, &link) && !open_head(last, with, file_key, &link))
		return VD_EKEY;
	u = calloc(1, sizeof(*u));
	if (u) {
		u->link = link;
		stream_from(file_key, &u->stream);
		for (int i = FIRST; i <= LAST; i++) {
			u->has_head[i] = heads[i].n == VD_HEAD_BYTES;
			if (u->has_head[i])
				vd_hash1(VD_HASH_HEAD, u->head_hash[i], heads[i]);
		}
		*out = u;
	}
	sodium_memzero(file_key, sizeof(file_key));
	return u ? VD_OK : VD_ENOMEM;
}

size_t vd_unsealer_link(const struct vd_unsealer *u)
{
	return u->link;
}

void vd_unsealer_free(struct vd_unsealer *u)
{
	if (!u)
		return;
	sodium_memzero(u, sizeof(*u));
	free(u);
}

int vd_unsealer_chunk(struct vd_unsealer *u, uint64_t i, const uint8_t chunk[VD_CHUNK_BYTES], uint8_t *plain, bool *is_last)
{
	uint8_t nonce[NONCE_BYTES];

	for (int last = 0; last <= 1; last++) {
		stream_nonce(&u->stream, i, last, nonce);
		if (crypto_aead_xchacha20poly1305_ietf_decrypt(plain, NULL, NULL, chunk, VD_CHUNK_BYTES, NULL, 0, nonce,
		                                               u->stream.key) == 0) {
			*is_last = last;
			return VD_OK;
		}
	}
	return VD_ESIGNATURE;
}

int vd_chunk_entry(struct vd_rd *r, uint8_t *type, struct vd_slice *bytes)
{
	uint32_t high;

	if (r->err)
		return r->err;
	/* The padding may be too short for a length. */
	if (r->n == 0 || r->p[0] == VD_ENTRY_END)
		return VD_ENOTFOUND;
	*type = vd_rd_u8(r);
	high = vd_rd_u8(r);
	*bytes = vd_rd_take(r, (size_t)high << 16 | vd_rd_u16(r));
	return r->err;
}

int vd_volume_decode(struct vd_slice bytes, struct vd_volume *out)
{
	struct vd_rd r = vd_rd(bytes);

	vd_rd_copy(&r, out->set, sizeof(out->set));
	out->number = vd_rd_u16(&r);
	out->count = vd_rd_u16(&r);
	if (vd_rd_end(&r) == VD_OK && out->number >= 1 && out->number <= out->count && out->count <= VD_VOLUMES_MAX)
		return VD_OK;
	*out = (struct vd_volume){ 0 };
	return VD_EFORMAT;
}

void vd_chunk_stream(struct vd_compact *stream, uint8_t type, struct vd_slice bytes)
{
	if (type == VD_ENTRY_GROUP && bytes.n == VD_GROUP_BYTES)
		vd_compact_reset(stream, bytes.p);
	if (type == VD_ENTRY_MANIFEST && bytes.n >= 2 + VD_GROUP_BYTES)
		vd_compact_reset(stream, bytes.p + 2);
}

int vd_unsealer_manifest(const struct vd_unsealer *u, struct vd_slice entry, struct vd_manifest *out)
{
	struct vd_rd r = vd_rd(entry);
	struct vd_slice hash[2];
	uint8_t version = vd_rd_u8(&r), what = vd_rd_u8(&r);

	*out = (struct vd_manifest){ 0 };
	if (!r.err && version != VD_VERSION)
		return VD_EVERSION;
	if (what < VD_SEALED_BUNDLE || what > VD_SEALED_WELCOME)
		return VD_EFORMAT;
	out->what = what;
	vd_rd_copy(&r, out->group, VD_GROUP_BYTES);
	hash[FIRST] = vd_rd_take(&r, VD_HASH_BYTES);
	hash[LAST] = vd_rd_take(&r, VD_HASH_BYTES);
	out->chunks = vd_rd_u64(&r);
	out->records = vd_rd_u64(&r);
	out->has_grant = what == VD_SEALED_WELCOME;
	if (out->has_grant)
		vd_rd_copy(&r, out->grant, VD_ID_BYTES);
	if (vd_rd_end(&r) || out->chunks == 0 || out->chunks > VD_SEALED_CHUNKS_MAX)
		return VD_EFORMAT;
	out->first_head_ok = u->has_head[FIRST] && vd_slice_eq(hash[FIRST], vd_slice(u->head_hash[FIRST], VD_HASH_BYTES));
	out->last_head_ok = u->has_head[LAST] && vd_slice_eq(hash[LAST], vd_slice(u->head_hash[LAST], VD_HASH_BYTES));
	return VD_OK;
}

bool vd_sealed_layout(uint64_t size, uint64_t *chunks)
{
	uint64_t body = size < VD_HEAD_BYTES ? 0 : size - VD_HEAD_BYTES;

	*chunks = body / VD_CHUNK_BYTES;
	return *chunks > 0 && body % VD_CHUNK_BYTES == VD_HEAD_BYTES;
}

uint64_t vd_sealed_bytes(uint64_t chunks)
{
	return 2 * VD_HEAD_BYTES + chunks * VD_CHUNK_BYTES;
}
