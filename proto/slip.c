#include "slip.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "hash.h"

enum { LENGTH_BYTES = 2, TAGGED = 0, KEYED = 1 };

/* Douglas Crockford's: no letter that is taken for another or for a digit. */
static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/* Of a record of that length: how many codes, and how many bytes of it each. */
static void shape(size_t record_bytes, size_t *count, size_t *piece)
{
	const size_t all = LENGTH_BYTES + record_bytes, before = VD_SLIP_TAG_BYTES + VD_SLIP_HEAD_BYTES;

	*count = (all + VD_SLIP_PIECE_BYTES - 1) / VD_SLIP_PIECE_BYTES;
	/* Five bytes are eight characters: no bit is left over. */
	*piece = ((all + *count - 1) / *count + before + 4) / 5 * 5 - before;
}

static void hash(uint8_t use, const uint8_t link[VD_KEY_BYTES], struct vd_slice bytes, uint8_t *out, size_t n)
{
	const struct vd_slice parts[] = { { &use, 1 }, bytes };

	vd_hash(VD_HASH_SLIP, vd_slice(link, VD_KEY_BYTES), out, n, parts, 2);
}

/* Either way: the tag says the key. */
static void mask(const uint8_t link[VD_KEY_BYTES], const uint8_t tag[VD_SLIP_TAG_BYTES], uint8_t *bytes, size_t n)
{
	static const uint8_t zero_nonce[crypto_stream_xchacha20_NONCEBYTES];
	uint8_t key[VD_KEY_BYTES];

	hash(KEYED, link, vd_slice(tag, VD_SLIP_TAG_BYTES), key, sizeof(key));
	crypto_stream_xchacha20_xor(bytes, bytes, n, zero_nonce, key);
	sodium_memzero(key, sizeof(key));
}

static void spell(const uint8_t *bytes, size_t n, char *text)
{
	for (; n; n -= 5, bytes += 5) {
		uint64_t forty = (uint64_t)bytes[0] << 32 | vd_get_u32(bytes + 1);

		for (int shift = 35; shift >= 0; shift -= 5)
			*text++ = alphabet[forty >> shift & 31];
	}
	*text = '\0';
}

/* -1: no character of a code. */
static int value_of(uint8_t c)
{
	const char *found;

	if (c >= 'a' && c <= 'z')
		c = (uint8_t)(c - 'a' + 'A');
	switch (c) {
	case '\0': return -1;
	case 'O': return 0;
	case 'I':
	case 'L': return 1;
	case 'U': c = 'V'; break;
	default: break;
	}
	found = strchr(alphabet, c);
	return found ? (int)(found - alphabet) : -1;
}

int vd_slip_bytes(struct vd_slice text, uint8_t bytes[VD_SLIP_CODE_BYTES], size_t *n)
{
	size_t characters = 0;
	uint64_t forty = 0;

	for (size_t i = 0; i < text.n; i++) {
		int value;

		if (memchr(" \t\r\n-", text.p[i], 5))
			continue;
		value = value_of(text.p[i]);
		if (value < 0 || characters == VD_SLIP_TEXT)
			return VD_EFORMAT;
		forty = forty << 5 | (uint64_t)value;
		if (++characters % 8)
			continue;
		bytes[characters / 8 * 5 - 5] = (uint8_t)(forty >> 32);
		vd_set_u32(bytes + characters / 8 * 5 - 4, (uint32_t)forty);
		forty = 0;
	}
	if (characters % 8 || characters / 8 * 5 < VD_SLIP_CODE_MIN)
		return VD_EFORMAT;
	*n = characters / 8 * 5;
	return VD_OK;
}

int vd_slip_make(const uint8_t link[VD_KEY_BYTES], const struct vd_record *record, char (*codes)[VD_SLIP_TEXT + 1], size_t *count)
{
	uint8_t code[VD_SLIP_CODE_BYTES];
	struct vd_buf all = { 0 };
	struct vd_compact stream;
	size_t bytes, piece;
	int rc;

	vd_compact_init(&stream, record->group);
	vd_buf_put_u16(&all, 0);
	rc = vd_buf_check(&all);
	if (!rc)
		rc = vd_compact_encode(&stream, record, &all);
	vd_compact_deinit(&stream);
	bytes = all.n - LENGTH_BYTES;
	if (!rc && bytes > VD_SLIP_RECORD_MAX)
		rc = VD_ECAP;
	if (rc)
		goto done;
	vd_set_u16(all.p, (uint16_t)bytes);
	shape(bytes, count, &piece);
	while (all.n < *count * piece && !all.failed)
		vd_buf_put_u8(&all, 0);
	rc = vd_buf_check(&all);
	for (size_t i = 0; i < *count && !rc; i++) {
		uint8_t *head = code + VD_SLIP_TAG_BYTES;

		memcpy(head, record->id.b, VD_SLIP_MARK_BYTES);
		head[VD_SLIP_MARK_BYTES] = (uint8_t)(i + 1);
		head[VD_SLIP_MARK_BYTES + 1] = (uint8_t)*count;
		memcpy(head + VD_SLIP_HEAD_BYTES, all.p + i * piece, piece);
		hash(TAGGED, link, vd_slice(head, VD_SLIP_HEAD_BYTES + piece), code, VD_SLIP_TAG_BYTES);
		mask(link, code, head, VD_SLIP_HEAD_BYTES + piece);
		spell(code, VD_SLIP_TAG_BYTES + VD_SLIP_HEAD_BYTES + piece, codes[i]);
	}
done:
	vd_buf_deinit(&all);
	return rc;
}

static bool numbers_ok(const uint8_t head[VD_SLIP_HEAD_BYTES])
{
	const uint8_t number = head[VD_SLIP_MARK_BYTES], count = head[VD_SLIP_MARK_BYTES + 1];

	return number && number <= count && count <= VD_SLIP_CODES_MAX;
}

bool vd_slip_begins(const uint8_t link[VD_KEY_BYTES], const uint8_t first[VD_SLIP_TAG_BYTES + VD_SLIP_HEAD_BYTES])
{
	uint8_t head[VD_SLIP_HEAD_BYTES];

	memcpy(head, first + VD_SLIP_TAG_BYTES, sizeof(head));
	mask(link, first, head, sizeof(head));
	return numbers_ok(head);
}

void vd_slips_deinit(struct vd_slips *s)
{
	for (size_t i = 0; i < s->count; i++)
		free(s->slips[i].bytes);
	free(s->slips);
	*s = (struct vd_slips){ 0 };
}

static bool same_slip(const struct vd_slip *a, const struct vd_slip *b)
{
	return a->count == b->count && a->piece == b->piece && memcmp(a->mark, b->mark, VD_SLIP_MARK_BYTES) == 0 &&
	       memcmp(a->group, b->group, VD_GROUP_BYTES) == 0;
}

/* Its place among those that are put together, where it gets one if it has none. */
static int find_slip(struct vd_slips *s, const struct vd_slip *like, size_t *which)
{
	struct vd_slip *added;

	for (*which = 0; *which < s->count; ++*which)
		if (same_slip(&s->slips[*which], like))
			return VD_OK;
	if (s->count == VD_SLIPS_MAX)
		return VD_ECAP;
	if (!vd_room(&s->slips, s->count, &s->capacity, 4, sizeof(*s->slips)))
		return VD_ENOMEM;
	added = &s->slips[s->count];
	*added = *like;
	added->bytes = calloc(like->count, like->piece);
	if (!added->bytes)
		return VD_ENOMEM;
	s->count++;
	return VD_OK;
}

int vd_slips_add(struct vd_slips *s, const uint8_t link[VD_KEY_BYTES], const uint8_t group[VD_GROUP_BYTES], const uint8_t *code, size_t n,
                 size_t *which)
{
	uint8_t plain[VD_SLIP_CODE_BYTES], tag[VD_SLIP_TAG_BYTES], number, *at;
	const uint8_t *piece = plain + VD_SLIP_HEAD_BYTES;
	struct vd_slip like = { 0 }, *slip;
	int rc;

	if (n < VD_SLIP_CODE_MIN || n > VD_SLIP_CODE_BYTES || n % 5)
		return VD_EFORMAT;
	n -= VD_SLIP_TAG_BYTES;
	memcpy(plain, code + VD_SLIP_TAG_BYTES, n);
	mask(link, code, plain, n);
	hash(TAGGED, link, vd_slice(plain, n), tag, sizeof(tag));
	if (sodium_memcmp(tag, code, sizeof(tag)) != 0)
		return VD_EKEY;
	memcpy(like.group, group, VD_GROUP_BYTES);
	memcpy(like.mark, plain, VD_SLIP_MARK_BYTES);
	number = plain[VD_SLIP_MARK_BYTES];
	like.count = plain[VD_SLIP_MARK_BYTES + 1];
	like.piece = (uint8_t)(n - VD_SLIP_HEAD_BYTES);
	if (!numbers_ok(plain))
		return VD_EFORMAT;
	rc = find_slip(s, &like, which);
	if (rc)
		return rc;
	slip = &s->slips[*which];
	at = slip->bytes + (size_t)(number - 1) * slip->piece;
	if (slip->have >> (number - 1) & 1)
		return memcmp(at, piece, slip->piece) == 0 ? VD_OK : VD_EEXISTS;
	memcpy(at, piece, slip->piece);
	slip->have |= UINT32_C(1) << (number - 1);
	return VD_OK;
}

bool vd_slip_whole(const struct vd_slip *slip)
{
	return slip->have == (UINT32_C(1) << slip->count) - 1;
}

int vd_slip_record(const struct vd_slip *slip, struct vd_batch *batch)
{
	const size_t all = (size_t)slip->count * slip->piece;
	size_t bytes = vd_get_u16(slip->bytes), count, piece;
	struct vd_compact stream;
	int rc;

	shape(bytes, &count, &piece);
	if (!vd_slip_whole(slip) || bytes > VD_SLIP_RECORD_MAX || count != slip->count || piece != slip->piece ||
	    !sodium_is_zero(slip->bytes + LENGTH_BYTES + bytes, all - LENGTH_BYTES - bytes))
		return VD_EFORMAT;
	vd_compact_init(&stream, slip->group);
	rc = vd_batch_add_compact(batch, &stream, vd_slice(slip->bytes + LENGTH_BYTES, bytes));
	vd_compact_deinit(&stream);
	return rc;
}
