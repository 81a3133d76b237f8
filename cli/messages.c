#include "messages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "proto/err.h"

const char *vd_text(enum vd_lang lang, enum vd_msg msg)
{
	const struct vd_message *m = &vd_messages[msg];

	if (!m->same && m->text[lang])
		return m->text[lang];
	return m->text[VD_LANG_EN] ? m->text[VD_LANG_EN] : "";
}

void vd_text_format(enum vd_lang lang, enum vd_msg msg, const char *const *args, bool safe, struct vd_buf *out)
{
	size_t count = 0;

	while (args && args[count])
		count++;
	for (const char *p = vd_text(lang, msg); *p; p++) {
		if (p[0] != '{' || p[1] < '0' || p[1] > '9' || p[2] != '}') {
			vd_buf_put_u8(out, (uint8_t)*p);
			continue;
		}
		size_t i = (size_t)(p[1] - '0');

		if (i < count && safe)
			vd_text_escape(vd_slice_str(args[i]), false, out);
		else if (i < count)
			vd_buf_put_slice(out, vd_slice_str(args[i]));
		p += 2;
	}
}

int vd_text_lang(const char *tag, enum vd_lang *out)
{
	static const struct {
		const char *prefix;
		enum vd_lang lang;
	} known[] = {
		{ "en", VD_LANG_EN }, { "es", VD_LANG_ES }, { "pt", VD_LANG_ES }, { "fr", VD_LANG_EN },
	};

	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (strncasecmp(tag, known[i].prefix, 2) == 0 && (!tag[2] || strchr("_-.@", tag[2]))) {
			*out = known[i].lang;
			return 0;
		}
	return VD_ENOTFOUND;
}

enum vd_lang vd_text_lang_env(void)
{
	static const char *const names[] = { "LC_ALL", "LC_MESSAGES", "LANG" };
	enum vd_lang lang = VD_LANG_EN;

	/* As setlocale(3): the first one set to anything decides. */
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		const char *value = getenv(names[i]);

		if (!value || !*value)
			continue;
		if (vd_text_lang(value, &lang))
			lang = VD_LANG_EN;
		break;
	}
	return lang;
}

/* Length of the UTF-8 sequence at p and its code point; 0 when it is none. */
static size_t code_point(struct vd_slice text, uint32_t *out)
{
	size_t n = text.p[0] < 0x80 ? 1 : text.p[0] >= 0xf0 ? 4 : text.p[0] >= 0xe0 ? 3 : 2;

	if (n > text.n || !vd_utf8_ok(vd_slice(text.p, n)))
		return 0;
	*out = n == 1 ? text.p[0] : text.p[0] & (0xffu >> (n + 1));
	for (size_t i = 1; i < n; i++)
		*out = *out << 6 | (text.p[i] & 0x3f);
	return n;
}

/* Could move the cursor, reorder what stands beside it, or speak to the terminal. */
static bool dangerous(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x061c || (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || (c >= 0xfff9 && c <= 0xfffb) || (c >= 0xe0000 && c <= 0xe007f);
}

void vd_text_escape(struct vd_slice text, bool newlines, struct vd_buf *out)
{
	while (text.n) {
		uint32_t c = 0;
		size_t n = code_point(text, &c);
		char escape[16];

		if (n && (!dangerous(c) || (newlines && c == '\n'))) {
			vd_buf_put(out, text.p, n);
		} else {
			if (c == '\n' && n)
				snprintf(escape, sizeof escape, "\\n");
			else if (c == '\t' && n)
				snprintf(escape, sizeof escape, " ");
			else if (n <= 1)
				snprintf(escape, sizeof escape, "\\x%02x", text.p[0]);
			else
				snprintf(escape, sizeof escape, "\\u{%x}", (unsigned)c);
			vd_buf_put_slice(out, vd_slice_str(escape));
			n = n ? n : 1;
		}
		text = vd_slice(text.p + n, text.n - n);
	}
}

bool vd_text_is_plain(struct vd_slice text)
{
	while (text.n) {
		uint32_t c;
		size_t n = code_point(text, &c);

		if (!n || dangerous(c))
			return false;
		text = vd_slice(text.p + n, text.n - n);
	}
	return true;
}
