#include "attachment.h"

#include <string.h>

#include "err.h"

enum { FIELDS = 5 };
static const uint64_t SIZE_MOST = (UINT64_C(1) << 53) - 1;

void vd_attachment_encode(const struct vd_attachment *a, struct vd_buf *out)
{
	struct vd_buf one = { 0 };

	vd_mp_put_array(&one, FIELDS);
	vd_mp_put_str(&one, a->name);
	vd_mp_put_str(&one, a->type);
	vd_mp_put_uint(&one, a->size);
	vd_mp_put_bin(&one, vd_slice(a->hash, VD_HASH_BYTES));
	vd_mp_put_uint(&one, a->chunks);
	if (one.failed)
		out->failed = true;
	vd_mp_put_bin(out, vd_buf_slice(&one));
	vd_buf_deinit(&one);
}

static int decode(struct vd_slice bytes, struct vd_attachment *out)
{
	struct vd_rd r = vd_rd(bytes);
	struct vd_slice hash;

	if (vd_mp_array(&r, FIELDS) != FIELDS)
		vd_rd_fail(&r, VD_EFORMAT);
	out->name = vd_mp_str(&r, VD_ATTACHMENT_NAME_MAX);
	out->type = vd_mp_str(&r, VD_ATTACHMENT_TYPE_MAX);
	out->size = vd_mp_uint(&r, SIZE_MOST);
	hash = vd_mp_bin_exact(&r, VD_HASH_BYTES);
	if (hash.n)
		memcpy(out->hash, hash.p, VD_HASH_BYTES);
	out->chunks = (uint32_t)vd_mp_uint(&r, UINT32_MAX);
	/* No chunk is empty: so nobody can make us look for more of them than a file has bytes. */
	if (!out->name.n || out->chunks > out->size || (out->size && !out->chunks))
		vd_rd_fail(&r, VD_EFORMAT);
	return vd_rd_end(&r);
}

size_t vd_attachments_of(const struct vd_content *content, struct vd_attachment out[VD_ATTACHMENTS_MAX])
{
	const struct vd_value *list = vd_content_get(content, "attachments", VD_MP_ARRAY, 0);
	struct vd_value item;
	struct vd_rd items;
	size_t n = 0;

	if (!list)
		return 0;
	for (items = vd_value_items(list); n < VD_ATTACHMENTS_MAX && vd_value_next(&items, &item); n++)
		if (item.type != VD_MP_BIN || decode(item.bytes, &out[n]))
			out[n] = (struct vd_attachment){ 0 };
	return n;
}

int vd_chunk_encode(struct vd_slice data, struct vd_buf *out)
{
	struct vd_field field = { .name = vd_slice_str("data"), .value = { .type = VD_MP_BIN, .bytes = data } };

	return vd_content_encode(vd_slice_str("chunk"), &field, 1, out);
}

int vd_chunk_decode(struct vd_slice bytes, struct vd_slice *data)
{
	struct vd_content content;
	const struct vd_value *value;
	int rc = vd_content_decode(bytes, &content);

	if (rc)
		return rc;
	value = vd_content_get(&content, "data", VD_MP_BIN, 0);
	if (!vd_slice_eq(content.kind, vd_slice_str("chunk")) || !value || !value->bytes.n)
		return VD_EFORMAT;
	*data = value->bytes;
	return VD_OK;
}

/* --- names --- */

/* Bytes of the UTF-8 sequence that begins with that byte. */
static size_t sequence(uint8_t first)
{
	return first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

/* What neither a file system nor a terminal should be given: C0, C1, DEL, what FAT forbids, marks of direction, line and paragraph ends, byte order marks. */
static bool is_unsafe(const uint8_t *c, size_t n)
{
	if (n == 1)
		return *c < 0x20 || *c == 0x7f || strchr("\"*:<>?|\\/", *c);
	if (n == 2)
		return c[0] == 0xc2 && c[1] < 0xa0;
	if (n != 3 || c[0] != 0xe2)
		return n == 3 && !memcmp(c, "\xef\xbb\xbf", 3);
	return (c[1] == 0x80 && (c[2] >= 0xa8 ? c[2] <= 0xae : c[2] >= 0x8b && c[2] <= 0x8f)) || (c[1] == 0x81 && c[2] >= 0xa0 && c[2] <= 0xaf);
}

static struct vd_slice last_part(struct vd_slice path)
{
	for (size_t i = path.n; i-- > 0;)
		if (path.p[i] == '/' || path.p[i] == '\\')
			return vd_slice(path.p + i + 1, path.n - i - 1);
	return path;
}

/* Whole characters of it, at most so many bytes. */
static size_t cut(const char *text, size_t n, size_t most)
{
	while (n > most || (n && ((uint8_t)text[n] & 0xc0) == 0x80))
		n--;
	return n;
}

/* Too long: its middle goes, the ending stays if it is one. */
static void shorten(char *text, size_t n, char out[VD_ATTACHMENT_NAME_MAX + 1])
{
	const char *dot = strrchr(text, '.');
	size_t ending = dot && dot > text ? n - (size_t)(dot - text) : 0, stem;

	if (ending > VD_ATTACHMENT_NAME_MAX / 4)
		ending = 0;
	stem = cut(text, n - ending, VD_ATTACHMENT_NAME_MAX - ending);
	while (!ending && stem && (text[stem - 1] == '.' || text[stem - 1] == ' '))
		stem--;
	memcpy(out, text, stem);
	memcpy(out + stem, text + n - ending, ending);
	out[stem + ending] = '\0';
}

void vd_attachment_name(struct vd_slice from, char out[VD_ATTACHMENT_NAME_MAX + 1])
{
	char text[VD_ATTACHMENT_NAME_RAW_MAX + 1];
	struct vd_slice name = last_part(from);
	size_t n = 0;

	for (size_t i = 0; i < name.n && n < VD_ATTACHMENT_NAME_RAW_MAX;) {
		size_t bytes = sequence(name.p[i]);

		/* What is no UTF-8, or would not fit, is one mark a byte. */
		if (bytes > name.n - i || n + bytes > VD_ATTACHMENT_NAME_RAW_MAX || !vd_utf8_ok(vd_slice(name.p + i, bytes)))
			bytes = 1;
		if ((bytes == 1 && name.p[i] >= 0x80) || is_unsafe(name.p + i, bytes)) {
			text[n++] = '_';
		} else {
			memcpy(text + n, name.p + i, bytes);
			n += bytes;
		}
		i += bytes;
	}
	while (n && (text[n - 1] == '.' || text[n - 1] == ' '))
		n--;
	text[n] = '\0';
	for (size_t i = 0; i < n && (text[i] == '.' || text[i] == '-' || text[i] == ' '); i++)
		text[i] = '_';
	shorten(n ? text : strcpy(text, "attachment"), n ? n : strlen("attachment"), out);
}
