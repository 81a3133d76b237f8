#include "body.h"

#include <sodium.h>
#include <string.h>

#include "err.h"
#include "hash.h"
#include "pack.h"

enum {
	ENVELOPE_VERSION = 1,
	NONCE_AT = 2 + VD_EPOCH_BYTES,
	LENGTH_MAX = 3, /* bytes of a varint below VD_BODY_MAX */
	SLOT_BYTES = VD_KEY_BYTES + crypto_aead_chacha20poly1305_ietf_ABYTES,
};

_Static_assert(VD_BODY_NAMED_BYTES == VD_KEY_BYTES + VD_NAMED_SLOTS * SLOT_BYTES, "ephemeral key and slots");

static const uint8_t zeros[crypto_aead_chacha20poly1305_ietf_NPUBBYTES];

/* All randomness of a named body but its nonce: the ChaCha20 keystream under the caller's seed, read as this. */
struct draw {
	uint8_t key[VD_KEY_BYTES];
	uint8_t ephemeral[VD_KEY_BYTES];
	uint8_t dummy[VD_NAMED_SLOTS][SLOT_BYTES];
	uint8_t place[VD_NAMED_SLOTS][4];
};

/* What PASETO v4.local derives from key and nonce. */
struct keys {
	uint8_t stream[VD_KEY_BYTES + crypto_stream_xchacha20_NONCEBYTES]; /* key ‖ nonce */
	uint8_t mac[VD_KEY_BYTES];
};

static void derive(const uint8_t key[VD_KEY_BYTES], const uint8_t nonce[VD_BODY_NONCE_BYTES], struct keys *out)
{
	struct vd_slice k = vd_slice(key, VD_KEY_BYTES), n = vd_slice(nonce, VD_BODY_NONCE_BYTES);

	vd_hash(VD_HASH_BODY_KEY, k, out->stream, sizeof(out->stream), &n, 1);
	vd_hash(VD_HASH_BODY_AUTH, k, out->mac, sizeof(out->mac), &n, 1);
}

static void make_mac(const struct keys *keys, struct vd_slice ad, struct vd_slice prefix, struct vd_slice cipher,
                     uint8_t out[VD_BODY_MAC_BYTES])
{
	uint8_t n[3][8] = { { 0 } };
	const struct vd_slice parts[] = { vd_slice(n[0], 8), ad, vd_slice(n[1], 8), prefix, vd_slice(n[2], 8), cipher };

	vd_set_u64(n[0], ad.n);
	vd_set_u64(n[1], prefix.n);
	vd_set_u64(n[2], cipher.n);
	vd_hash(VD_HASH_BODY_MAC, vd_slice(keys->mac, sizeof(keys->mac)), out, VD_BODY_MAC_BYTES, parts, 6);
}

/* In place. */
static void apply_stream(const struct keys *keys, uint8_t *bytes, size_t n)
{
	crypto_stream_xchacha20_xor(bytes, bytes, n, keys->stream + VD_KEY_BYTES, keys->stream);
}

size_t vd_body_bucket(size_t n)
{
	size_t unit = 32;

	if (n > VD_BODY_PLAIN_MAX)
		return 0;
	while (n > 16 * unit)
		unit *= 2;
	n = n ? (n + unit - 1) / unit * unit : unit;
	return n < VD_BODY_PLAIN_MAX ? n : VD_BODY_PLAIN_MAX;
}

int vd_body_peek(struct vd_slice body, struct vd_body_prefix *out)
{
	struct vd_rd r = vd_rd(body);
	uint8_t version = vd_rd_u8(&r), audience = vd_rd_u8(&r);

	if (version > ENVELOPE_VERSION)
		return VD_EVERSION;
	vd_rd_copy(&r, out->epoch, VD_EPOCH_BYTES);
	vd_rd_take(&r, VD_BODY_NONCE_BYTES);
	if (audience == VD_AUDIENCE_NAMED)
		vd_rd_take(&r, VD_BODY_NAMED_BYTES);
	vd_rd_take(&r, VD_BODY_MAC_BYTES);
	if (r.err || version < ENVELOPE_VERSION || audience < VD_AUDIENCE_EVERYONE || audience > VD_AUDIENCE_NAMED)
		return VD_EFORMAT;
	out->audience = (enum vd_audience)audience;
	return VD_OK;
}

/* What stands before n bytes: packing ‖ length. */
static size_t put_head(uint8_t head[1 + LENGTH_MAX], enum vd_packing packing, size_t n)
{
	size_t head_n = 1;

	head[0] = (uint8_t)packing;
	for (size_t left = n; head_n == 1 || left; left >>= 7)
		head[head_n++] = (uint8_t)((left & 0x7f) | (left > 0x7f ? 0x80 : 0));
	return head_n;
}

/* Of n bytes with what stands before them; 0: over the last. */
static size_t bucket_of(size_t n)
{
	uint8_t head[1 + LENGTH_MAX];

	return n > VD_BODY_PLAIN_MAX ? 0 : vd_body_bucket(put_head(head, VD_PACKING_PLAIN, n) + n);
}

/* packing ‖ length ‖ content ‖ zeros, exactly `bucket` bytes, written to `dst`. */
static void put_plain(uint8_t *dst, size_t bucket, enum vd_packing packing, struct vd_slice content)
{
	uint8_t head[1 + LENGTH_MAX];
	size_t head_n = put_head(head, packing, content.n);

	memcpy(dst, head, head_n);
	if (content.n)
		memcpy(dst + head_n, content.p, content.n);
	memset(dst + head_n + content.n, 0, bucket - head_n - content.n);
}

/* `named`: ephemeral key and slots, empty for the other audiences. */
static int seal_as(enum vd_audience audience, const uint8_t epoch[VD_EPOCH_BYTES], const uint8_t key[VD_KEY_BYTES],
                   const uint8_t nonce[VD_BODY_NONCE_BYTES], struct vd_slice named, struct vd_slice ad, enum vd_packing packing,
                   struct vd_slice content, struct vd_buf *out)
{
	size_t prefix_n = VD_BODY_PREFIX_BYTES + named.n, bucket = bucket_of(content.n);
	struct keys keys;
	uint8_t *p;

	if (!bucket)
		return VD_ECAP;
	p = vd_buf_extend(out, prefix_n + bucket + VD_BODY_MAC_BYTES);
	if (!p)
		return VD_ENOMEM;

	p[0] = ENVELOPE_VERSION;
	p[1] = (uint8_t)audience;
	memcpy(p + 2, epoch, VD_EPOCH_BYTES);
	memcpy(p + NONCE_AT, nonce, VD_BODY_NONCE_BYTES);
	if (named.n)
		memcpy(p + VD_BODY_PREFIX_BYTES, named.p, named.n);
	put_plain(p + prefix_n, bucket, packing, content);
	derive(key, nonce, &keys);
	apply_stream(&keys, p + prefix_n, bucket);
	make_mac(&keys, ad, vd_slice(p, prefix_n), vd_slice(p + prefix_n, bucket), p + prefix_n + bucket);
	sodium_memzero(&keys, sizeof(keys));
	return VD_OK;
}

/* Packed only when that takes a smaller bucket: nothing shorter is worth the work, and one content has one length on the outside. */
static int seal(enum vd_audience audience, const uint8_t epoch[VD_EPOCH_BYTES], const uint8_t key[VD_KEY_BYTES],
                const uint8_t nonce[VD_BODY_NONCE_BYTES], struct vd_slice named, struct vd_slice ad, struct vd_slice content,
                struct vd_buf *out)
{
	size_t bucket = bucket_of(content.n);
	struct vd_buf packed = { 0 };
	int rc = VD_OK;

	if (bucket > vd_body_bucket(0))
		rc = vd_pack(content, &packed);
	if (!rc && packed.n && bucket_of(packed.n) < bucket)
		rc = seal_as(audience, epoch, key, nonce, named, ad, VD_PACKING_ZSTD, vd_buf_slice(&packed), out);
	else if (!rc)
		rc = seal_as(audience, epoch, key, nonce, named, ad, VD_PACKING_PLAIN, content, out);
	vd_buf_wipe(&packed);
	return rc;
}

int vd_body_seal(enum vd_audience audience, const uint8_t epoch[VD_EPOCH_BYTES], const uint8_t key[VD_KEY_BYTES],
                 const uint8_t nonce[VD_BODY_NONCE_BYTES], struct vd_slice ad, struct vd_slice content,
                 struct vd_buf *out)
{
	if (audience != VD_AUDIENCE_EVERYONE && audience != VD_AUDIENCE_MEMBERS)
		return VD_EINVAL;
	return seal(audience, epoch, key, nonce, vd_slice(NULL, 0), ad, content, out);
}

/* Reads the plaintext's frame; *content borrows from it. */
static int unframe(struct vd_slice plain, uint8_t *packing, struct vd_slice *content)
{
	struct vd_rd r = vd_rd(plain);
	uint64_t n;

	*packing = vd_rd_u8(&r);
	if (!r.err && *packing != VD_PACKING_PLAIN && *packing != VD_PACKING_ZSTD)
		return VD_EVERSION;
	n = vd_rd_varint(&r);
	if (n > r.n)
		return VD_EFORMAT;
	*content = vd_rd_take(&r, (size_t)n);
	if (r.err || plain.n != vd_body_bucket(plain.n - r.n) || !sodium_is_zero(r.p, r.n))
		return VD_EFORMAT;
	return VD_OK;
}

/* The content of what was opened, in its place at the end of *out, which holds nothing else of it then. */
static int settle(struct vd_buf *out, size_t start)
{
	struct vd_slice plain = vd_slice(out->p + start, out->n - start), content;
	struct vd_buf unpacked = { 0 };
	uint8_t packing;
	int rc = unframe(plain, &packing, &content);

	if (!rc && packing != VD_PACKING_PLAIN) {
		rc = vd_unpack(packing, content, VD_BODY_PLAIN_MAX, &unpacked);
		/* Whoever packs what needs no packing would have two bodies for one content. */
		if (!rc && bucket_of(unpacked.n) <= plain.n)
			rc = VD_EFORMAT;
		content = vd_buf_slice(&unpacked);
	}
	if (!rc && content.n > plain.n && !vd_buf_extend(out, content.n - plain.n))
		rc = VD_ENOMEM;
	if (rc) {
		sodium_memzero(out->p + start, out->n - start);
		out->n = start;
	} else {
		memmove(out->p + start, content.p, content.n);
		out->n = start + content.n;
	}
	vd_buf_wipe(&unpacked);
	return rc;
}

int vd_body_open(struct vd_slice body, const uint8_t key[VD_KEY_BYTES], struct vd_slice ad, struct vd_buf *out)
{
	struct vd_slice prefix, cipher;
	struct vd_body_prefix peeked;
	uint8_t mac[VD_BODY_MAC_BYTES], *p;
	size_t start = out->n;
	struct keys keys;
	int rc = vd_body_peek(body, &peeked);

	if (rc)
		return rc;
	prefix = vd_slice(body.p, VD_BODY_PREFIX_BYTES + (peeked.audience == VD_AUDIENCE_NAMED ? VD_BODY_NAMED_BYTES : 0));
	cipher = vd_slice(body.p + prefix.n, body.n - prefix.n - VD_BODY_MAC_BYTES);
	derive(key, body.p + NONCE_AT, &keys);
	make_mac(&keys, ad, prefix, cipher, mac);
	if (sodium_memcmp(mac, cipher.p + cipher.n, sizeof(mac))) {
		rc = VD_ESIGNATURE;
		goto done;
	}
	p = vd_buf_extend(out, cipher.n);
	if (!p) {
		rc = VD_ENOMEM;
		goto done;
	}
	if (cipher.n)
		memcpy(p, cipher.p, cipher.n);
	apply_stream(&keys, p, cipher.n);
	rc = settle(out, start);
done:
	sodium_memzero(&keys, sizeof(keys));
	return rc;
}

/* ---- named ---- */

/* What both ends of the ephemeral key pair compute. False: the other's is no key, the result would say nothing of either secret. */
static bool agree(const uint8_t secret[VD_KEY_BYTES], const uint8_t theirs[VD_KEY_BYTES], uint8_t shared[VD_KEY_BYTES])
{
	return crypto_scalarmult(shared, secret, theirs) == 0 && !sodium_is_zero(shared, VD_KEY_BYTES);
}

static void slot_key(const uint8_t shared[VD_KEY_BYTES], const uint8_t ephemeral[VD_KEY_BYTES], const uint8_t box[VD_KEY_BYTES],
                     uint8_t i, uint8_t out[VD_KEY_BYTES])
{
	const struct vd_slice parts[] = { vd_slice(ephemeral, VD_KEY_BYTES), vd_slice(box, VD_KEY_BYTES), vd_slice(&i, 1) };

	vd_hash(VD_HASH_SLOT, vd_slice(shared, VD_KEY_BYTES), out, VD_KEY_BYTES, parts, 3);
}

/* Who stands where tells nothing: Fisher and Yates' shuffle. */
static void shuffle(const struct draw *draw, uint8_t place[VD_NAMED_SLOTS])
{
	for (uint8_t i = 0; i < VD_NAMED_SLOTS; i++)
		place[i] = i;
	for (uint8_t i = VD_NAMED_SLOTS - 1; i > 0; i--) {
		uint32_t j = vd_get_u32(draw->place[i]) % (i + 1U);
		uint8_t held = place[i];

		place[i] = place[j];
		place[j] = held;
	}
}

static int make_slots(const struct draw *draw, const uint8_t (*boxes)[VD_KEY_BYTES], size_t count,
                      uint8_t out[VD_BODY_NAMED_BYTES])
{
	uint8_t place[VD_NAMED_SLOTS], shared[VD_KEY_BYTES], key[VD_KEY_BYTES];
	int rc = VD_OK;

	shuffle(draw, place);
	if (crypto_scalarmult_base(out, draw->ephemeral))
		return VD_EINVAL;
	memcpy(out + VD_KEY_BYTES, draw->dummy, sizeof(draw->dummy));
	for (size_t r = 0; r < count; r++) {
		uint8_t *slot = out + VD_KEY_BYTES + (size_t)place[r] * SLOT_BYTES;

		if (!agree(draw->ephemeral, boxes[r], shared)) {
			rc = VD_EINVAL;
			break;
		}
		slot_key(shared, out, boxes[r], place[r], key);
		crypto_aead_chacha20poly1305_ietf_encrypt(slot, NULL, draw->key, VD_KEY_BYTES, NULL, 0, NULL, zeros, key);
	}
	sodium_memzero(shared, sizeof(shared));
	sodium_memzero(key, sizeof(key));
	sodium_memzero(place, sizeof(place));
	return rc;
}

int vd_body_seal_named(const uint8_t epoch[VD_EPOCH_BYTES], const uint8_t (*boxes)[VD_KEY_BYTES], size_t count,
                       const uint8_t nonce[VD_BODY_NONCE_BYTES], const uint8_t seed[VD_BODY_SEED_BYTES], struct vd_slice ad,
                       struct vd_slice content, struct vd_buf *out)
{
	uint8_t named[VD_BODY_NAMED_BYTES];
	struct draw draw;
	int rc;

	if (count == 0 || count > VD_NAMED_SLOTS)
		return VD_EINVAL;
	crypto_stream_chacha20_ietf((unsigned char *)&draw, sizeof(draw), zeros, seed);
	rc = make_slots(&draw, boxes, count, named);
	if (!rc)
		rc = seal(VD_AUDIENCE_NAMED, epoch, draw.key, nonce, vd_slice(named, sizeof(named)), ad, content, out);
	sodium_memzero(&draw, sizeof(draw));
	return rc;
}

int vd_body_open_named(struct vd_slice body, const uint8_t box[VD_KEY_BYTES], const uint8_t box_secret[VD_KEY_BYTES],
                       struct vd_slice ad, struct vd_buf *out)
{
	uint8_t shared[VD_KEY_BYTES], key[VD_KEY_BYTES], opened[VD_KEY_BYTES];
	const uint8_t *ephemeral;
	struct vd_body_prefix prefix;
	int rc = vd_body_peek(body, &prefix);

	if (rc)
		return rc;
	if (prefix.audience != VD_AUDIENCE_NAMED)
		return VD_ESEALED;
	ephemeral = body.p + VD_BODY_PREFIX_BYTES;
	if (!agree(box_secret, ephemeral, shared))
		return VD_ESEALED;
	rc = VD_ESEALED;
	/* Whoever wrote it may have filled several slots for us: the MAC says which key is the body's, and holds under one alone. */
	for (uint8_t i = 0; i < VD_NAMED_SLOTS && (rc == VD_ESEALED || rc == VD_ESIGNATURE); i++) {
		const uint8_t *slot = ephemeral + VD_KEY_BYTES + (size_t)i * SLOT_BYTES;

		slot_key(shared, ephemeral, box, i, key);
		if (!crypto_aead_chacha20poly1305_ietf_decrypt(opened, NULL, NULL, slot, SLOT_BYTES, NULL, 0, zeros, key))
			rc = vd_body_open(body, opened, ad, out);
	}
	sodium_memzero(shared, sizeof(shared));
	sodium_memzero(key, sizeof(key));
	sodium_memzero(opened, sizeof(opened));
	return rc;
}
