/* What is taken out of pictures: made here byte by byte, so that what stays and what goes is known. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "proto/err.h"
#include "proto/strip.h"

#define SECRET "LAT4.61N" /* stands in whatever must go */

static void segment(struct vd_buf *out, uint8_t marker, const void *payload, size_t n)
{
	vd_buf_put_u8(out, 0xff);
	vd_buf_put_u8(out, marker);
	vd_buf_put_u16(out, (uint16_t)(n + 2));
	vd_buf_put(out, payload, n);
}

#define SEGMENT(out, marker, text) segment(out, marker, text, sizeof(text) - 1)

/* An Exif segment that says which side is up, and where it was. */
static void exif(struct vd_buf *out, uint16_t side, bool little)
{
	static const uint8_t big_ifd[] = { 'M', 'M', 0, '*', 0, 0, 0, 8, 0, 2, 1, 0x0f, 0, 2, 0, 0, 0, 4, 'X', 'y', 'z', 0, 1, 0x12, 0, 3, 0, 0, 0, 1 };
	static const uint8_t little_ifd[] = { 'I', 'I', '*', 0, 8, 0, 0, 0, 2, 0, 0x0f, 1, 2, 0, 4, 0, 0, 0, 'X', 'y', 'z', 0, 0x12, 1, 3, 0, 1, 0, 0, 0 };
	struct vd_buf payload = { 0 };

	vd_buf_put(&payload, "Exif\0", 6);
	vd_buf_put(&payload, little ? little_ifd : big_ifd, little ? sizeof little_ifd : sizeof big_ifd);
	vd_buf_put_u8(&payload, little ? (uint8_t)side : (uint8_t)(side >> 8));
	vd_buf_put_u8(&payload, little ? (uint8_t)(side >> 8) : (uint8_t)side);
	vd_buf_put(&payload, "\0\0\0\0\0\0" SECRET, 6 + sizeof SECRET);
	segment(out, 0xe1, payload.p, payload.n);
	vd_buf_deinit(&payload);
}

static const char jfif_bare[] = "JFIF\0\1\2\1\0\x48\0\x48\0";      /* and one zero more, its end */
static const char scan_bytes[] = "\x12\xff\0\x34\xff\xd0\x56\xff\xff\0\x78"; /* a stuffed byte, a restart, a fill byte before a stuffed one */

/* Behind what each segment says it has, `more` bytes hide. */
static void picture_end(struct vd_buf *out, size_t more)
{
	static const struct {
		uint8_t marker;
		const char *head;
		size_t head_bytes, bytes;
	} parts[] = {
		{ 0xdb, "\0", 1, 65 + 129 }, { 0xc2, "\x08\0\1\0\1\1\1\x11\0", 9, 9 }, { 0xc4, "\0\0\2", 3, 19 }, { 0xdd, "\0\4", 2, 2 }, { 0xdc, "\0\1", 2, 2 },
		{ 0xda, "\1\1\0\0\x3f\0", 6, 6 },
	};

	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		uint8_t payload[256] = { 0 };

		memcpy(payload, parts[i].head, parts[i].head_bytes);
		if (parts[i].marker == 0xdb)
			payload[65] = 0x11; /* a second table, of 16 bits */
		memcpy(payload + parts[i].bytes, SECRET, more);
		segment(out, parts[i].marker, payload, parts[i].bytes + more);
	}
	vd_buf_put(out, scan_bytes, sizeof scan_bytes - 1);
}

static void jpeg_with_all(struct vd_buf *out, uint16_t side, bool little)
{
	vd_buf_put(out, "\xff\xd8", 2);
	SEGMENT(out, 0xe0, "JFIF\0\1\2\1\0\x48\0\x48\1\1rgb" SECRET);
	exif(out, side, little);
	SEGMENT(out, 0xe1, "http://ns.adobe.com/xap/1.0/\0" SECRET);
	SEGMENT(out, 0xe2, "ICC_PROFILE\0" SECRET);
	SEGMENT(out, 0xe2, "MPF\0" SECRET);
	SEGMENT(out, 0xed, "Photoshop 3.0\0" SECRET);
	SEGMENT(out, 0xee, "Adobe\0\x64\0\0\0\0\1" SECRET);
	SEGMENT(out, 0xfe, SECRET);
	vd_buf_put(out, "\xff\xff\xff", 3); /* fill bytes before a marker */
	picture_end(out, sizeof SECRET);
	SEGMENT(out, 0xdb, "\x40" SECRET); /* no whole table */
	SEGMENT(out, 0xfe, SECRET);
	SEGMENT(out, 0xda, "\1\1\0\1\x3f\0"); /* a second scan of a progressive picture */
	vd_buf_put(out, "\x99\xff\xd9", 3);
	vd_buf_put(out, "\xff\xd8\xff" SECRET, 3 + sizeof SECRET); /* a preview behind it */
}

static void jpeg_bare(struct vd_buf *out, uint8_t side)
{
	uint8_t up[] = "Exif\0\0MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0S\0\0\0\0\0";

	up[6 + 8 + 2 + 9] = side;
	vd_buf_put(out, "\xff\xd8", 2);
	segment(out, 0xe0, jfif_bare, sizeof jfif_bare);
	if (side > 1)
		segment(out, 0xe1, up, sizeof up);
	SEGMENT(out, 0xee, "Adobe\0\x64\0\0\0\0\1");
	picture_end(out, 0);
	SEGMENT(out, 0xda, "\1\1\0\1\x3f\0");
	vd_buf_put(out, "\x99\xff\xd9", 3);
}

static void check_same(const struct vd_buf *got, const struct vd_buf *want)
{
	assert_int_equal(got->n, want->n);
	assert_memory_equal(got->p, want->p, want->n);
}

static void test_strip__jpeg(void **state)
{
	(void)state;
	for (uint16_t side = 0; side <= 9; side++)
		for (int little = 0; little < 2; little++) {
			struct vd_buf full = { 0 }, want = { 0 }, got = { 0 }, again = { 0 };

			jpeg_with_all(&full, side, little);
			jpeg_bare(&want, side <= 8 ? (uint8_t)side : 1);
			assert_int_equal(vd_strip(vd_buf_slice(&full), &got), 0);
			check_same(&got, &want);
			assert_null(memmem(got.p, got.n, SECRET, strlen(SECRET)));
			/* of what is bare nothing is taken */
			assert_int_equal(vd_strip(vd_buf_slice(&got), &again), 0);
			check_same(&again, &want);
			vd_buf_deinit(&full);
			vd_buf_deinit(&want);
			vd_buf_deinit(&got);
			vd_buf_deinit(&again);
		}
}

/* An orientation that lies elsewhere, is longer than its segment, or is no number, is none. */
static void test_strip__exif_that_lies(void **state)
{
	static const struct {
		const char *tiff;
		size_t n;
	} bad[] = {
#define BAD(text) { text, sizeof(text) - 1 }
		BAD("MM"), BAD("XX\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\6\0\0"), BAD("MM\0*\xff\xff\xff\xff"), BAD("MM\0*\0\0\0\x08\xff\xff\1\x12\0\3\0\0\0\1"),
		BAD("MM\0*\0\0\0\x08\0\1\1\x12\0\4\0\0\0\1\0\6\0\0"), BAD("MM\0*\0\0\0\x07\0"), BAD("MM\0*\0\0\0\x08\0\0\1\x12\0\3\0\0\0\1\0\6\0\0"), BAD(""),
#undef BAD
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct vd_buf payload = { 0 }, full = { 0 }, want = { 0 }, got = { 0 };

		vd_buf_put(&payload, "Exif\0", 6);
		vd_buf_put(&payload, bad[i].tiff, bad[i].n);
		vd_buf_put(&full, "\xff\xd8", 2);
		segment(&full, 0xe1, payload.p, payload.n);
		picture_end(&full, 0);
		vd_buf_put(&full, "\xff\xd9", 2);
		vd_buf_put(&want, "\xff\xd8", 2);
		picture_end(&want, 0);
		vd_buf_put(&want, "\xff\xd9", 2);
		assert_int_equal(vd_strip(vd_buf_slice(&full), &got), 0);
		check_same(&got, &want);
		vd_buf_deinit(&payload);
		vd_buf_deinit(&full);
		vd_buf_deinit(&want);
		vd_buf_deinit(&got);
	}
}

static void chunk(struct vd_buf *out, const char *type, const void *data, size_t n)
{
	vd_buf_put_u32(out, (uint32_t)n);
	vd_buf_put(out, type, 4);
	vd_buf_put(out, data, n);
	vd_buf_put(out, "crc!", 4);
}

enum { GREY, COLOUR = 2, PALETTE, GREY_ALPHA, COLOUR_ALPHA = 6 };

static void ihdr(struct vd_buf *out, uint8_t colour)
{
	uint8_t data[13] = { 0 };

	data[9] = colour;
	chunk(out, "IHDR", data, sizeof data);
}

static void png(struct vd_buf *out, bool bare)
{
	static const uint8_t zeros[32];

	vd_buf_put(out, "\x89PNG\r\n\x1a\n", 8);
	ihdr(out, PALETTE);
	if (!bare) {
		chunk(out, "iCCP", SECRET, 8);
		chunk(out, "eXIf", SECRET, 8);
		chunk(out, "tIME", SECRET, 7);
		chunk(out, "pHYs", SECRET, 9);
		chunk(out, "gAMA", SECRET, 8); /* longer than such a chunk is: whatever it is for, it is not for showing */
		chunk(out, "fdAT", SECRET, 8); /* of no animation so far */
	}
	chunk(out, "gAMA", zeros, 4);
	chunk(out, "cHRM", zeros, 32);
	chunk(out, "PLTE", zeros, 3);
	chunk(out, "tRNS", zeros, 1);
	if (!bare)
		chunk(out, "tEXt", SECRET, 8);
	chunk(out, "acTL", zeros, 8);
	chunk(out, "fcTL", zeros, 26);
	chunk(out, "IDAT", "pixels", 6);
	if (!bare) {
		chunk(out, "zTXt", SECRET, 8);
		chunk(out, "iTXt", SECRET, 8);
		chunk(out, "caBX", SECRET, 8);
	}
	chunk(out, "IDAT", "more", 4);
	chunk(out, "fdAT", zeros, 8);
	chunk(out, "IEND", "", 0);
	if (!bare)
		vd_buf_put(out, SECRET, 8);
}

static void test_strip__png(void **state)
{
	struct vd_buf full = { 0 }, want = { 0 }, got = { 0 };

	(void)state;
	png(&full, false);
	png(&want, true);
	assert_int_equal(vd_strip(vd_buf_slice(&full), &got), 0);
	check_same(&got, &want);
	vd_buf_deinit(&full);
	vd_buf_deinit(&want);
	vd_buf_deinit(&got);
}

/* Of a picture without a palette one says nothing; nor does transparency of another size than its colours have. */
static void test_strip__png_palette_of_nothing(void **state)
{
	static const struct {
		uint8_t colour;
		size_t clear; /* bytes of tRNS that stay */
	} kinds[] = { { GREY, 2 }, { COLOUR, 6 }, { GREY_ALPHA, 0 }, { COLOUR_ALPHA, 0 } };

	(void)state;
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		struct vd_buf full = { 0 }, want = { 0 }, got = { 0 };

		for (int bare = 0; bare < 2; bare++) {
			struct vd_buf *out = bare ? &want : &full;

			vd_buf_put(out, "\x89PNG\r\n\x1a\n", 8);
			ihdr(out, kinds[i].colour);
			if (!bare) {
				chunk(out, "PLTE", SECRET SECRET SECRET, 24);
				chunk(out, "tRNS", SECRET, 8);
			}
			if (kinds[i].clear)
				chunk(out, "tRNS", "clear!", kinds[i].clear);
			chunk(out, "IDAT", "pixels", 6);
			chunk(out, "IEND", "", 0);
		}
		assert_int_equal(vd_strip(vd_buf_slice(&full), &got), 0);
		check_same(&got, &want);
		vd_buf_deinit(&full);
		vd_buf_deinit(&want);
		vd_buf_deinit(&got);
	}
}

/* Which side is up stays, in a chunk whose check is right (the eight are of zlib's crc32), and of Exif nothing else. */
static void test_strip__png_side(void **state)
{
	static const uint32_t crcs[] = { 0x13c075e7, 0x22286f7a, 0x845f64ce, 0x41f85a40, 0xe78f51f4, 0xd6674b69, 0x701040dd, 0x86583034 };

	(void)state;
	for (uint8_t side = 1; side <= 8; side++) {
		uint8_t tiff[] = "II*\0\x08\0\0\0\1\0\x12\1\3\0\1\0\0\0S\0\0\0" SECRET, up[] = "MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0S\0\0\0\0\0";
		struct vd_buf full = { 0 }, want = { 0 }, got = { 0 };

		tiff[18] = up[19] = side;
		for (int bare = 0; bare < 2; bare++) {
			struct vd_buf *out = bare ? &want : &full;

			vd_buf_put(out, "\x89PNG\r\n\x1a\n", 8);
			ihdr(out, COLOUR);
			chunk(out, "IDAT", "pixels", 6);
			if (!bare)
				chunk(out, "eXIf", tiff, sizeof tiff);
			else if (side > 1) {
				chunk(out, "eXIf", up, sizeof up);
				out->n -= 4;
				vd_buf_put_u32(out, crcs[side - 1]);
			}
			chunk(out, "IEND", "", 0);
		}
		assert_int_equal(vd_strip(vd_buf_slice(&full), &got), 0);
		check_same(&got, &want);
		vd_buf_deinit(&full);
		vd_buf_deinit(&want);
		vd_buf_deinit(&got);
	}
}

/* Cut off at every byte it is refused, and nothing behind the bytes is read; behind its end nothing is missed. */
static void check_cut(const struct vd_buf *full, size_t whole)
{
	for (size_t n = 0; n <= full->n; n++) {
		uint8_t *exact = malloc(n + !n);
		struct vd_buf got = { 0 };
		int rc;

		memcpy(exact, full->p, n);
		vd_buf_put_u8(&got, 'x');
		rc = vd_strip(vd_slice(exact, n), &got);
		if (n >= whole)
			assert_int_equal(rc, 0);
		else
			assert_true(rc == VD_EFORMAT || (n < 8 && rc == VD_ENOTFOUND));
		assert_true(rc == 0 || got.n == 1);
		free(exact);
		vd_buf_deinit(&got);
	}
}

static void test_strip__cut_at_every_byte(void **state)
{
	struct vd_buf full = { 0 };

	(void)state;
	jpeg_with_all(&full, 6, true);
	check_cut(&full, full.n - 3 - sizeof SECRET);
	vd_buf_reset(&full);
	png(&full, false);
	check_cut(&full, full.n - 8);
	vd_buf_deinit(&full);
}

/* Any byte turned: no crash, no more than it was, and what comes out is itself a picture that nothing can be taken from. */
static void test_strip__any_byte_turned(void **state)
{
	(void)state;
	for (int kind = 0; kind < 2; kind++) {
		struct vd_buf full = { 0 };

		if (kind)
			png(&full, false);
		else
			jpeg_with_all(&full, 6, false);
		for (size_t i = 0; i < full.n * 8; i++) {
			struct vd_buf got = { 0 }, again = { 0 };

			full.p[i / 8] ^= (uint8_t)(1u << i % 8);
			if (!vd_strip(vd_buf_slice(&full), &got)) {
				assert_true(got.n <= full.n + 64);
				assert_int_equal(vd_strip(vd_buf_slice(&got), &again), 0);
				check_same(&again, &got);
			}
			full.p[i / 8] ^= (uint8_t)(1u << i % 8);
			vd_buf_deinit(&got);
			vd_buf_deinit(&again);
		}
		vd_buf_deinit(&full);
	}
}

static void test_strip__not_a_picture(void **state)
{
	static const char *const others[] = { "", "%PDF-1.7", "GIF89a", "\xff\xd8", "plain text" };
	struct vd_buf got = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		assert_int_equal(vd_strip(vd_slice_str(others[i]), &got), VD_ENOTFOUND);
	assert_int_equal(got.n, 0);
}

static void test_strip__media_types(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
		const char *name, *type;
		enum vd_media_tells tells;
	} files[] = {
		{ "\xff\xd8\xff\xe0", 4, "x", "image/jpeg", VD_MEDIA_STRIPS },
		{ "\x89PNG\r\n\x1a\n", 8, "x.jpg", "image/png", VD_MEDIA_STRIPS },
		{ "\0\0\0\x18" "ftypheic", 12, "IMG_1.HEIC", "image/heic", VD_MEDIA_TELLS },
		{ "\0\0\0\x18" "ftypisom", 12, "v.mp4", "video/mp4", VD_MEDIA_TELLS },
		{ "%PDF-1.4", 8, "a.txt", "application/pdf", VD_MEDIA_TELLS },
		{ "PK\3\4", 4, "acta.DOCX", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", VD_MEDIA_TELLS },
		{ "hola\n", 5, "notas.TXT", "text/plain", VD_MEDIA_SAYS },
		{ "\0\1\2", 3, "notas.txt", "application/octet-stream", VD_MEDIA_TELLS },
		{ "", 0, "", "application/octet-stream", VD_MEDIA_SAYS },
	};

	(void)state;
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		enum vd_media_tells tells;

		assert_string_equal(vd_media_type(vd_slice(files[i].bytes, files[i].n), vd_slice_str(files[i].name), &tells), files[i].type);
		assert_int_equal(tells, files[i].tells);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_strip__jpeg),
		cmocka_unit_test(test_strip__exif_that_lies),
		cmocka_unit_test(test_strip__png),
		cmocka_unit_test(test_strip__png_palette_of_nothing),
		cmocka_unit_test(test_strip__png_side),
		cmocka_unit_test(test_strip__cut_at_every_byte),
		cmocka_unit_test(test_strip__any_byte_turned),
		cmocka_unit_test(test_strip__not_a_picture),
		cmocka_unit_test(test_strip__media_types),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
