#include "strip.h"

#include <string.h>

#include "err.h"

/* --- JPEG --- */

enum {
	M_SOF0 = 0xc0, M_DHT = 0xc4, M_JPG = 0xc8, M_DAC = 0xcc, M_SOF15 = 0xcf, M_RST0 = 0xd0, M_RST7 = 0xd7, M_SOI = 0xd8, M_EOI = 0xd9, M_SOS = 0xda,
	M_DQT = 0xdb, M_DNL = 0xdc, M_DRI = 0xdd, M_DHP = 0xde, M_EXP = 0xdf, M_APP0 = 0xe0, M_APP1 = 0xe1, M_APP14 = 0xee, M_APP15 = 0xef, M_COM = 0xfe,
	JFIF_BYTES = 14, /* of its payload, without a thumbnail */
	ADOBE_BYTES = 12,
	DQT_BYTES = 64, DHT_COUNTS = 16, DAC_BYTES = 16, SOF_HEAD = 6, SOF_PART = 3, SOS_FIXED = 4, SOS_PART = 2,
	EXIF_HEAD = 6, IFD_ENTRY = 12, TAG_ORIENTATION = 0x0112, TYPE_SHORT = 3,
};

static bool starts(struct vd_slice s, const char *with, size_t n)
{
	return s.n >= n && !memcmp(s.p, with, n);
}

static uint32_t number(struct vd_slice tiff, size_t at, size_t bytes, bool little)
{
	uint32_t v = 0;

	for (size_t i = 0; i < bytes; i++)
		v = v << 8 | tiff.p[at + (little ? bytes - 1 - i : i)];
	return v;
}

/* Which side is up, 1 to 8; 1 is also the answer of one that does not say. */
static uint8_t orientation(struct vd_slice tiff)
{
	bool little = starts(tiff, "II*\0", 4);
	uint32_t at, count;

	if (tiff.n < 8 || (!little && !starts(tiff, "MM\0*", 4)))
		return 1;
	at = number(tiff, 4, 4, little);
	if (at > tiff.n - 2)
		return 1;
	count = number(tiff, at, 2, little);
	at += 2;
	for (; count && tiff.n - at >= IFD_ENTRY; count--, at += IFD_ENTRY) {
		uint32_t value = number(tiff, at + 8, 2, little);

		if (number(tiff, at, 2, little) == TAG_ORIENTATION && number(tiff, at + 2, 2, little) == TYPE_SHORT)
			return value >= 1 && value <= 8 ? (uint8_t)value : 1;
	}
	return 1;
}

enum { TIFF_BYTES = 26 };

/* Exif that says this and nothing else. */
static void tiff_of(uint8_t side, uint8_t tiff[TIFF_BYTES])
{
	static const uint8_t start[] = { 'M', 'M', 0, '*', 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0 };

	memset(tiff, 0, TIFF_BYTES);
	memcpy(tiff, start, sizeof(start));
	tiff[sizeof(start)] = side;
}

static void put_segment(uint8_t marker, struct vd_slice payload, struct vd_buf *out)
{
	vd_buf_put_u8(out, 0xff);
	vd_buf_put_u8(out, marker);
	vd_buf_put_u16(out, (uint16_t)(payload.n + 2));
	vd_buf_put_slice(out, payload);
}

static void put_exif(uint8_t side, struct vd_buf *out)
{
	uint8_t payload[EXIF_HEAD + TIFF_BYTES] = "Exif\0";

	tiff_of(side, payload + EXIF_HEAD);
	put_segment(M_APP1, vd_slice(payload, sizeof(payload)), out);
}

/* A JFIF segment without its thumbnail: version, density, and a thumbnail of 0 by 0. */
static void put_jfif(struct vd_slice payload, struct vd_buf *out)
{
	uint8_t bare[JFIF_BYTES];

	memcpy(bare, payload.p, JFIF_BYTES);
	bare[12] = bare[13] = 0;
	put_segment(M_APP0, vd_slice(bare, sizeof(bare)), out);
}

static bool is_frame(uint8_t marker)
{
	return marker >= M_SOF0 && marker <= M_SOF15 && marker != M_DHT && marker != M_JPG && marker != M_DAC;
}

/* Of tables that follow one another, the bytes of those that are whole. */
static size_t whole_tables(uint8_t marker, struct vd_slice payload)
{
	size_t at = 0, n;

	for (; at < payload.n; at += n) {
		n = 1;
		if (marker == M_DQT)
			n += payload.p[at] >> 4 ? 2 * DQT_BYTES : DQT_BYTES;
		else if (payload.n - at > DHT_COUNTS)
			for (size_t i = 0; i < DHT_COUNTS; i++)
				n += 1u + payload.p[at + 1 + i];
		else
			break;
		if (n > payload.n - at)
			break;
	}
	return at;
}

/* How many bytes of a segment mean something to who shows the picture, from its first on: others may hide behind them. SIZE_MAX: of no such segment. */
static size_t meant(uint8_t marker, struct vd_slice payload)
{
	switch (marker) {
	case M_DQT: case M_DHT: return whole_tables(marker, payload);
	case M_DAC: return payload.n < DAC_BYTES ? payload.n & ~(size_t)1 : DAC_BYTES;
	case M_DNL: case M_DRI: return 2;
	case M_EXP: return 1;
	case M_SOS: return payload.n ? SOS_FIXED + SOS_PART * (size_t)payload.p[0] : 1;
	default:
		if (!is_frame(marker) && marker != M_DHP)
			return SIZE_MAX;
		return payload.n < SOF_HEAD ? SOF_HEAD : SOF_HEAD + SOF_PART * (size_t)payload.p[SOF_HEAD - 1];
	}
}

/* What of a segment stays. `side` is 0 until an Exif segment was met. */
static int keep_segment(uint8_t marker, struct vd_slice payload, uint8_t *side, struct vd_buf *out)
{
	size_t n = meant(marker, payload);

	if (n <= payload.n) {
		if (n)
			put_segment(marker, vd_slice(payload.p, n), out);
	} else if (n != SIZE_MAX) {
		return VD_EFORMAT;
	} else if (marker == M_APP0 && starts(payload, "JFIF\0", 5) && payload.n >= JFIF_BYTES) {
		put_jfif(payload, out);
	} else if (marker == M_APP14 && starts(payload, "Adobe", 5) && payload.n >= ADOBE_BYTES) {
		put_segment(marker, vd_slice(payload.p, ADOBE_BYTES), out);
	} else if (marker == M_APP1 && starts(payload, "Exif\0", 5) && payload.n >= EXIF_HEAD) {
		/* Only the first is looked at, as decoders do. */
		if (!*side && (*side = orientation(vd_slice(payload.p + EXIF_HEAD, payload.n - EXIF_HEAD))) != 1)
			put_exif(*side, out);
	} else if ((marker < M_APP0 || marker > M_APP15) && marker != M_COM) {
		return VD_EFORMAT;
	}
	return VD_OK;
}

/* The bytes of a scan, up to the marker that ends it: behind 0xff a zero is a byte of the picture, and restarts are part of it. */
static int take_scan(struct vd_rd *r, struct vd_buf *out)
{
	const uint8_t *start = r->p;

	for (;;) {
		const uint8_t *ff = r->n ? memchr(r->p, 0xff, r->n) : NULL;

		if (!ff || (size_t)(ff - r->p) + 1 >= r->n)
			return VD_EFORMAT;
		vd_rd_take(r, (size_t)(ff - r->p));
		if (ff[1] && (ff[1] < M_RST0 || ff[1] > M_RST7) && ff[1] != 0xff)
			break;
		vd_rd_take(r, ff[1] == 0xff ? 1 : 2);
	}
	vd_buf_put(out, start, (size_t)(r->p - start));
	return VD_OK;
}

static int strip_jpeg(struct vd_slice file, struct vd_buf *out)
{
	struct vd_rd r = vd_rd(file);
	bool frame = false, scan = false;
	uint8_t side = 0;
	int rc = VD_OK;

	vd_buf_put_slice(out, vd_rd_take(&r, 2));
	while (!rc) {
		uint8_t marker = vd_rd_u8(&r) == 0xff ? vd_rd_u8(&r) : 0;
		struct vd_slice payload;
		uint16_t n;

		while (marker == 0xff && !r.err)
			marker = vd_rd_u8(&r);
		if (marker == M_EOI && scan) {
			vd_buf_put_u8(out, 0xff);
			vd_buf_put_u8(out, marker);
			return VD_OK;
		}
		n = vd_rd_u16(&r);
		if (n < 2)
			vd_rd_fail(&r, VD_EFORMAT);
		payload = vd_rd_take(&r, n < 2 ? 0 : n - 2u);
		if (r.err)
			return VD_EFORMAT;
		frame |= is_frame(marker);
		if (marker == M_SOS && !frame)
			return VD_EFORMAT;
		rc = keep_segment(marker, payload, &side, out);
		if (marker != M_SOS || rc)
			continue;
		rc = take_scan(&r, out);
		scan = true;
	}
	return rc;
}

/* --- PNG --- */

static const char png_magic[] = "\x89PNG\r\n\x1a\n";
enum { PNG_MAGIC = 8, PNG_FRAME = 12, PNG_ANY = 0x7fffffff, PNG_COLOUR_AT = 9, GREY = 0, COLOUR = 2, PALETTE = 3 };

/* What is needed to show it, and how many bytes of data they have. */
static const struct {
	char type[5];
	uint32_t least, most;
} png_kept[] = {
	{ "IHDR", 13, 13 }, { "PLTE", 3, 768 }, { "IDAT", 0, PNG_ANY }, { "IEND", 0, 0 }, { "tRNS", 1, 256 }, { "gAMA", 4, 4 }, { "cHRM", 32, 32 },
	{ "sRGB", 1, 1 }, { "cICP", 4, 4 }, { "acTL", 8, 8 }, { "fcTL", 26, 26 }, { "fdAT", 4, PNG_ANY },
};

struct png {
	uint8_t colour;
	bool animated, data;
	uint8_t side;       /* 0 until an Exif chunk was met */
};

static bool is(struct vd_slice type, const char *name)
{
	return !memcmp(type.p, name, 4);
}

/* Palettes, transparency and frames where nothing is shown by them: they hold whatever somebody put there. */
static bool png_idle(const struct png *png, struct vd_slice type, uint32_t n)
{
	if (is(type, "PLTE"))
		return png->colour != PALETTE;
	if (is(type, "tRNS"))
		return png->colour != PALETTE && n != (png->colour == GREY ? 2u : png->colour == COLOUR ? 6u : 0u);
	return !png->animated && (is(type, "fcTL") || is(type, "fdAT"));
}

static bool png_keeps(struct vd_slice type, uint32_t n)
{
	for (size_t i = 0; i < sizeof(png_kept) / sizeof(png_kept[0]); i++)
		if (is(type, png_kept[i].type))
			return n >= png_kept[i].least && n <= png_kept[i].most;
	return false;
}

/* CRC-32 of ISO 3309, as a chunk has it: few are ours. */
static uint32_t crc_of(struct vd_slice s)
{
	uint32_t crc = 0xffffffff;

	for (size_t i = 0; i < s.n; i++) {
		crc ^= s.p[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ 0xedb88320 : crc >> 1;
	}
	return ~crc;
}

static void put_png_exif(uint8_t side, struct vd_buf *out)
{
	uint8_t chunk[4 + TIFF_BYTES] = "eXIf";

	tiff_of(side, chunk + 4);
	vd_buf_put_u32(out, TIFF_BYTES);
	vd_buf_put(out, chunk, sizeof(chunk));
	vd_buf_put_u32(out, crc_of(vd_slice(chunk, sizeof(chunk))));
}

static bool png_type_ok(struct vd_slice type)
{
	for (size_t i = 0; i < 4; i++)
		if ((type.p[i] | 0x20) < 'a' || (type.p[i] | 0x20) > 'z')
			return false;
	return true;
}

/* What of a chunk stays; `raw` is all of it. */
static int keep_chunk(struct png *png, struct vd_slice type, struct vd_slice data, struct vd_slice raw, struct vd_buf *out)
{
	if (is(type, "IHDR") && data.n > PNG_COLOUR_AT)
		png->colour = data.p[PNG_COLOUR_AT];
	png->animated |= is(type, "acTL");
	png->data |= is(type, "IDAT");
	if (png_idle(png, type, (uint32_t)data.n))
		return VD_OK;
	if (png_keeps(type, (uint32_t)data.n))
		vd_buf_put_slice(out, raw);
	else if (is(type, "eXIf") && !png->side && (png->side = orientation(data)) != 1)
		put_png_exif(png->side, out);
	else if (!(type.p[0] & 0x20))
		return VD_EFORMAT; /* without a critical one it cannot be shown */
	return VD_OK;
}

static int strip_png(struct vd_slice file, struct vd_buf *out)
{
	struct vd_rd r = vd_rd(file);
	struct png png = { 0 };
	bool first = true;
	int rc;

	vd_buf_put_slice(out, vd_rd_take(&r, PNG_MAGIC));
	for (;; first = false) {
		const uint8_t *start = r.p;
		uint32_t n = vd_rd_u32(&r);
		struct vd_slice type = vd_rd_take(&r, 4), data;

		if (r.err || n > PNG_ANY || !png_type_ok(type))
			return VD_EFORMAT;
		data = vd_rd_take(&r, n);
		vd_rd_take(&r, 4); /* the check of a chunk that stays is its decoder's to look at */
		if (r.err || first != is(type, "IHDR"))
			return VD_EFORMAT;
		rc = keep_chunk(&png, type, data, vd_slice(start, PNG_FRAME + (size_t)n), out);
		if (rc)
			return rc;
		if (is(type, "IEND"))
			return png.data ? VD_OK : VD_EFORMAT;
	}
}

/* --- either --- */

static bool is_jpeg(struct vd_slice file)
{
	return starts(file, "\xff\xd8\xff", 3);
}

int vd_strip(struct vd_slice file, struct vd_buf *out)
{
	size_t start = out->n;
	int rc = is_jpeg(file) ? strip_jpeg(file, out) : starts(file, png_magic, PNG_MAGIC) ? strip_png(file, out) : VD_ENOTFOUND;

	if (!rc)
		rc = vd_buf_check(out);
	if (rc)
		out->n = start;
	return rc;
}

/* --- media types --- */

static const struct {
	size_t at;
	const char *bytes;
	size_t n;
	const char *type;
	enum vd_media_tells tells;
} magics[] = {
	{ 0, "\xff\xd8\xff", 3, "image/jpeg", VD_MEDIA_STRIPS },
	{ 0, png_magic, PNG_MAGIC, "image/png", VD_MEDIA_STRIPS },
	{ 4, "ftypheic", 8, "image/heic", VD_MEDIA_TELLS },
	{ 4, "ftypheix", 8, "image/heic", VD_MEDIA_TELLS },
	{ 4, "ftypmif1", 8, "image/heif", VD_MEDIA_TELLS },
	{ 4, "ftypavif", 8, "image/avif", VD_MEDIA_TELLS },
	{ 4, "ftypqt  ", 8, "video/quicktime", VD_MEDIA_TELLS },
	{ 4, "ftypM4A ", 8, "audio/mp4", VD_MEDIA_TELLS },
	{ 4, "ftyp3gp", 7, "video/3gpp", VD_MEDIA_TELLS },
	{ 4, "ftyp", 4, "video/mp4", VD_MEDIA_TELLS },
	{ 8, "WEBP", 4, "image/webp", VD_MEDIA_TELLS },
	{ 8, "WAVE", 4, "audio/wav", VD_MEDIA_TELLS },
	{ 0, "GIF8", 4, "image/gif", VD_MEDIA_TELLS },
	{ 0, "II*\0", 4, "image/tiff", VD_MEDIA_TELLS },
	{ 0, "MM\0*", 4, "image/tiff", VD_MEDIA_TELLS },
	{ 0, "%PDF-", 5, "application/pdf", VD_MEDIA_TELLS },
	{ 0, "OggS", 4, "audio/ogg", VD_MEDIA_TELLS },
	{ 0, "#!AMR", 5, "audio/amr", VD_MEDIA_TELLS },
	{ 0, "ID3", 3, "audio/mpeg", VD_MEDIA_TELLS },
	{ 0, "\x1a\x45\xdf\xa3", 4, "video/webm", VD_MEDIA_TELLS },
};

/* Where the first bytes say nothing, or only that it is a ZIP archive or text. */
static const struct {
	const char *ending, *type;
	enum vd_media_tells tells;
} endings[] = {
	{ ".docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", VD_MEDIA_TELLS },
	{ ".xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", VD_MEDIA_TELLS },
	{ ".odt", "application/vnd.oasis.opendocument.text", VD_MEDIA_TELLS },
	{ ".ods", "application/vnd.oasis.opendocument.spreadsheet", VD_MEDIA_TELLS },
	{ ".zip", "application/zip", VD_MEDIA_TELLS },
	{ ".mp3", "audio/mpeg", VD_MEDIA_TELLS },
	{ ".gpx", "application/gpx+xml", VD_MEDIA_TELLS },
	{ ".txt", "text/plain", VD_MEDIA_SAYS },
	{ ".csv", "text/csv", VD_MEDIA_SAYS },
};

static bool ends(struct vd_slice name, const char *with)
{
	size_t n = strlen(with);

	if (name.n < n)
		return false;
	for (size_t i = 0; i < n; i++) {
		uint8_t c = name.p[name.n - n + i];

		if ((c >= 'A' && c <= 'Z' ? c | 0x20 : c) != (uint8_t)with[i])
			return false;
	}
	return true;
}

const char *vd_media_type(struct vd_slice file, struct vd_slice name, enum vd_media_tells *tells)
{
	for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++) {
		if (file.n < magics[i].at + magics[i].n || memcmp(file.p + magics[i].at, magics[i].bytes, magics[i].n))
			continue;
		*tells = magics[i].tells;
		return magics[i].type;
	}
	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		/* What calls itself text must be text. */
		if (!ends(name, endings[i].ending) || (endings[i].tells == VD_MEDIA_SAYS && file.n && (memchr(file.p, 0, file.n) || !vd_utf8_ok(file))))
			continue;
		*tells = endings[i].tells;
		return endings[i].type;
	}
	*tells = file.n ? VD_MEDIA_TELLS : VD_MEDIA_SAYS;
	return "application/octet-stream";
}
