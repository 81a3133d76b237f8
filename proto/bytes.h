/* Bytes: borrowed slices, an owned growing buffer, arrays that grow, a reading cursor with a sticky error, hex. */
#ifndef VD_BYTES_H
#define VD_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Borrowed bytes; the owner must outlive it. */
struct vd_slice {
	const uint8_t *p;
	size_t n;
};

struct vd_slice vd_slice(const void *p, size_t n);
/* Of a C string, without its final NUL. */
struct vd_slice vd_slice_str(const char *s);
bool vd_slice_eq(struct vd_slice, struct vd_slice);
/* memcmp order, a prefix sorts first. */
int vd_slice_cmp(struct vd_slice, struct vd_slice);

/* Owned bytes that grow. All zero is a valid empty buffer. Appending fails sticky: after VD_ENOMEM `failed` stays
 * set, further appends do nothing, and one vd_buf_check() at the end tells. */
struct vd_buf {
	uint8_t *p;
	size_t n, cap;
	bool failed;
};

void vd_buf_deinit(struct vd_buf *);          /* frees; the buffer is empty and usable again */
void vd_buf_wipe(struct vd_buf *);            /* the same, overwriting the bytes first: for secrets */
void vd_buf_reset(struct vd_buf *);           /* n = 0, keeps the memory, clears failed */
int vd_buf_check(const struct vd_buf *);      /* 0 or VD_ENOMEM */
/* Room for `n` more bytes at the end, already counted in; NULL on failure. */
uint8_t *vd_buf_extend(struct vd_buf *, size_t n);
void vd_buf_put(struct vd_buf *, const void *p, size_t n);
void vd_buf_put_slice(struct vd_buf *, struct vd_slice);
void vd_buf_put_u8(struct vd_buf *, uint8_t);
void vd_buf_put_u16(struct vd_buf *, uint16_t); /* big-endian, as everything on the wire */
void vd_buf_put_u32(struct vd_buf *, uint32_t);
void vd_buf_put_u64(struct vd_buf *, uint64_t);
/* LEB128, least significant group first, shortest form: 1 to 10 bytes. */
void vd_buf_put_varint(struct vd_buf *, uint64_t);
/* The same to where there is room; how many bytes. */
enum { VD_VARINT_MAX = 10 };
size_t vd_put_varint(uint8_t to[VD_VARINT_MAX], uint64_t);
/* Forget the first n bytes, moving the rest down. */
void vd_buf_drop(struct vd_buf *, size_t n);
struct vd_slice vd_buf_slice(const struct vd_buf *);

/* How many bytes vd_buf_put_varint takes. */
size_t vd_varint_bytes(uint64_t);
/* A difference of two numbers, wrapped around, as one that is small when they are near each other; and back. */
uint64_t vd_zigzag(uint64_t difference);
uint64_t vd_unzigzag(uint64_t zigzag);

/* Room for one more in an array of which `count` are in use and *capacity fit: if it is full, twice as many, at first `least`. `array` is the
 * address of the pointer to it; `each`: bytes. False: memory is refused, and nothing changed. */
bool vd_room(void *array, size_t count, size_t *capacity, size_t least, size_t each);

/* Cursor. A failed read gives zero and an empty slice, sets err, and every later read fails too. */
struct vd_rd {
	const uint8_t *p;
	size_t n;
	int err;
};

struct vd_rd vd_rd(struct vd_slice);
uint8_t vd_rd_u8(struct vd_rd *);
uint16_t vd_rd_u16(struct vd_rd *);
uint32_t vd_rd_u32(struct vd_rd *);
uint64_t vd_rd_u64(struct vd_rd *);
uint64_t vd_rd_varint(struct vd_rd *); /* refuses anything but the shortest form */
struct vd_slice vd_rd_take(struct vd_rd *, size_t n);
void vd_rd_copy(struct vd_rd *, void *dst, size_t n); /* dst is zeroed on failure */
void vd_rd_fail(struct vd_rd *, int err);             /* first error wins */
/* 0 when every read succeeded and nothing is left; VD_EFORMAT on trailing bytes. */
int vd_rd_end(const struct vd_rd *);

uint16_t vd_get_u16(const uint8_t *);
uint32_t vd_get_u32(const uint8_t *);
uint64_t vd_get_u64(const uint8_t *);
void vd_set_u16(uint8_t *, uint16_t);
void vd_set_u32(uint8_t *, uint32_t);
void vd_set_u64(uint8_t *, uint64_t);

/* Lower-case hex with final NUL: dst holds 2 * n + 1 characters. */
void vd_hex(char *dst, const void *src, size_t n);
/* Hex of either case to at most `cap` bytes; an odd number of digits or any other character is VD_EFORMAT. */
int vd_unhex(uint8_t *dst, size_t cap, const char *src, size_t *n);

/* Strict UTF-8: no overlong forms, surrogates or code points past U+10FFFF. */
bool vd_utf8_ok(struct vd_slice);

#endif
