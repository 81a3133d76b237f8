#include "pack.h"

#include <sodium.h>
#include <stdatomic.h>
#include <stdlib.h>
#define ZSTD_STATIC_LINKING_ONLY /* for a dictionary in memory of ours */
#include <zstd.h>

#include "err.h"
#include "pack_table.h"

enum {
	/* Measured with 2,337 messages from the field, 177 bytes padded: level 1 makes them 118 in 1.4 us, 4 makes 116 in 3.2, 6 makes 115 in
	 * 7.5, 19 no less. Unpacking takes 0.7 us. */
	LEVEL = 4,
	SHORT = 513,          /* bytes of a text: what zstd takes it for where it makes a dictionary by itself */
	MAGIC_BYTES = 4,      /* of a frame, the same for all: left out */
	/* The frame's first byte: one segment, so no window beyond the content; no checksum, no dictionary number; and how long the
	 * content's length is that follows. */
	ONE_SEGMENT = 0x20, LENGTH_BITS = 0xc0, LENGTH_1 = 0x00, LENGTH_2 = 0x40,
	LENGTH_2_LEAST = 256,
};

static const uint8_t magic[MAGIC_BYTES] = { 0x28, 0xb5, 0x2f, 0xfd };

/* ---- made once ---- */

static _Atomic(const ZSTD_CDict *) to_pack;
static _Atomic(ZSTD_DDict *) to_unpack;
/* At rest here is what one call at a time works with; who comes meanwhile makes another. */
static _Atomic(ZSTD_CCtx *) packer;
static _Atomic(ZSTD_DCtx *) unpacker;

/* In memory of ours: where it gets none itself, zstd before 1.5.5 ends the program. */
static const ZSTD_CDict *packing_dictionary(void)
{
	const ZSTD_CDict *have = atomic_load(&to_pack), *made;
	size_t bytes = ZSTD_estimateCDictSize(vd_pack_dictionary_1_bytes, LEVEL);
	void *room;

	if (have)
		return have;
	room = malloc(bytes);
	made = room ? ZSTD_initStaticCDict(room, bytes, vd_pack_dictionary_1, vd_pack_dictionary_1_bytes, ZSTD_dlm_byCopy, ZSTD_dct_auto,
	                                   ZSTD_getCParams(LEVEL, SHORT, vd_pack_dictionary_1_bytes)) : NULL;
	if (made && atomic_compare_exchange_strong(&to_pack, &have, made))
		return made;
	free(room); /* another thread was faster, or it could not be made */
	return have;
}

static const ZSTD_DDict *unpacking_dictionary(void)
{
	ZSTD_DDict *have = atomic_load(&to_unpack), *made;

	if (have)
		return have;
	made = ZSTD_createDDict(vd_pack_dictionary_1, vd_pack_dictionary_1_bytes);
	if (!made || atomic_compare_exchange_strong(&to_unpack, &have, made))
		return made;
	ZSTD_freeDDict(made);
	return have;
}

static ZSTD_CCtx *new_packer(void)
{
	const ZSTD_CDict *dictionary = packing_dictionary();
	ZSTD_CCtx *c = dictionary ? ZSTD_createCCtx() : NULL;

	if (c && (ZSTD_isError(ZSTD_CCtx_refCDict(c, dictionary)) || ZSTD_isError(ZSTD_CCtx_setParameter(c, ZSTD_c_dictIDFlag, 0)))) {
		ZSTD_freeCCtx(c);
		c = NULL;
	}
	return c;
}

/* ---- */

/* The content's length, and how many bytes before the blocks say it. 0: not a frame as ours. */
static size_t frame_header(struct vd_slice frame, size_t *content)
{
	*content = 0;
	if (frame.n < 3 || (frame.p[0] & ~LENGTH_BITS) != ONE_SEGMENT)
		return 0;
	if ((frame.p[0] & LENGTH_BITS) == LENGTH_1) {
		*content = frame.p[1];
		return 2;
	}
	if ((frame.p[0] & LENGTH_BITS) != LENGTH_2)
		return 0;
	*content = LENGTH_2_LEAST + (size_t)frame.p[1] + ((size_t)frame.p[2] << 8);
	return 3;
}

int vd_pack(struct vd_slice content, struct vd_buf *out)
{
	ZSTD_CCtx *c = atomic_exchange(&packer, NULL);
	size_t start = out->n, n, said;
	uint8_t *room;

	if (!c)
		c = new_packer();
	if (!c)
		return VD_OK;
	/* Room for the magic number, and for less than there is. */
	room = vd_buf_extend(out, MAGIC_BYTES + content.n);
	if (!room) {
		ZSTD_freeCCtx(c);
		return VD_ENOMEM;
	}
	n = content.n ? ZSTD_compress2(c, room, MAGIC_BYTES + content.n - 1, content.p, content.n) : 0;
	out->n = start;
	if (!ZSTD_isError(n) && n > MAGIC_BYTES && frame_header(vd_slice(room + MAGIC_BYTES, n - MAGIC_BYTES), &said) && said == content.n) {
		for (size_t i = 0; i < n - MAGIC_BYTES; i++)
			room[i] = room[i + MAGIC_BYTES];
		out->n = start + n - MAGIC_BYTES;
	}
	ZSTD_freeCCtx(atomic_exchange(&packer, c));
	return VD_OK;
}

static int unpack(struct vd_slice frame, size_t size, uint8_t *to)
{
	const ZSTD_DDict *dictionary = unpacking_dictionary();
	ZSTD_DCtx *d = atomic_exchange(&unpacker, NULL);
	size_t n;

	if (!d)
		d = ZSTD_createDCtx();
	if (!d || !dictionary) {
		ZSTD_freeDCtx(d);
		return VD_ENOMEM;
	}
	n = ZSTD_decompress_usingDDict(d, to, size, frame.p, frame.n, dictionary);
	ZSTD_freeDCtx(atomic_exchange(&unpacker, d));
	return n == size ? VD_OK : VD_EFORMAT;
}

int vd_unpack(uint8_t packing, struct vd_slice packed, size_t max, struct vd_buf *out)
{
	size_t start = out->n, size;
	struct vd_buf frame = { 0 };
	uint8_t *to;
	int rc;

	if (packing != VD_PACKING_ZSTD)
		return VD_EVERSION;
	if (!frame_header(packed, &size) || size > max)
		return VD_EFORMAT;
	vd_buf_put(&frame, magic, sizeof(magic));
	vd_buf_put_slice(&frame, packed);
	rc = vd_buf_check(&frame);
	/* One frame, and nothing behind it. */
	if (!rc && ZSTD_findFrameCompressedSize(frame.p, frame.n) != frame.n)
		rc = VD_EFORMAT;
	to = rc ? NULL : vd_buf_extend(out, size);
	if (!rc && size && !to)
		rc = VD_ENOMEM;
	if (!rc)
		rc = unpack(vd_buf_slice(&frame), size, to);
	if (rc && to)
		sodium_memzero(to, size);
	if (rc)
		out->n = start;
	vd_buf_wipe(&frame);
	return rc;
}
