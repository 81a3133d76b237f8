#include "codes.h"

#include <stdlib.h>
#include <string.h>

#include "proto/err.h"

enum {
	CODE_MIN = VD_SLIP_CODE_MIN / 5 * 8, /* characters */
	GROUP_MIN = 3,                       /* of a group: they have four as printed */
	WORD_MIN = 20,                       /* of a word that by its length is no group of a code, nor a word of a language */
};

/* The text without all that is no character of a code. */
struct clean {
	struct vd_slice text;
	uint8_t *characters;
	uint32_t *at;               /* of each, in the text */
	size_t n;
};

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool is_capital(uint8_t c)
{
	return c >= 'A' && c <= 'Z';
}

static bool is_small(uint8_t c)
{
	return c >= 'a' && c <= 'z';
}

static void clean_deinit(struct clean *c)
{
	free(c->characters);
	free(c->at);
}

static int clean_init(struct clean *c, struct vd_slice text)
{
	*c = (struct clean){ .text = text, .characters = malloc(text.n + 1), .at = malloc((text.n + 1) * sizeof(*c->at)) };
	if (!c->characters || !c->at) {
		clean_deinit(c);
		return VD_ENOMEM;
	}
	for (size_t i = 0; i < text.n; i++) {
		if (!is_digit(text.p[i]) && !is_capital(text.p[i]) && !is_small(text.p[i]))
			continue;
		c->characters[c->n] = text.p[i];
		c->at[c->n++] = (uint32_t)i;
	}
	return VD_OK;
}

/* One past the word that character i is in. UTF-16 has a zero byte beside each, which parts nothing. */
static size_t word_end(const struct clean *c, size_t i)
{
	for (i++; i < c->n; i++)
		for (size_t between = c->at[i - 1] + 1; between < c->at[i]; between++)
			if (c->text.p[between])
				return i;
	return i;
}

/* A code that begins with the character at `from`, under this key; *n how many characters it has. VD_EKEY: none. */
static int open_with(struct vd_codes *codes, const struct clean *c, size_t from, const uint8_t *link, const uint8_t *group, size_t *n)
{
	uint8_t bytes[VD_SLIP_CODE_BYTES];
	size_t length, which;

	if (vd_slip_bytes(vd_slice(c->characters + from, CODE_MIN), bytes, &length) || !vd_slip_begins(link, bytes))
		return VD_EKEY;
	for (*n = CODE_MIN; *n <= VD_SLIP_TEXT && *n <= c->n - from; *n += 8) {
		int rc = vd_slip_bytes(vd_slice(c->characters + from, *n), bytes, &length);

		if (!rc)
			rc = vd_slips_add(&codes->slips, link, group, bytes, length, &which);
		if (rc == VD_EKEY)
			continue;
		if (!rc) {
			codes->place = (size_t)__builtin_popcount(codes->slips.slips[which].have);
			codes->count = codes->slips.slips[which].count;
		}
		return rc;
	}
	return VD_EKEY;
}

static int open_code(struct vd_codes *codes, const struct clean *c, size_t from, size_t *n)
{
	for (size_t g = 0; g < codes->groups->count; g++) {
		struct vd_group *group = codes->groups->group[g];

		for (size_t i = 0; i < vd_group_epoch_count(group); i++) {
			int rc = open_with(codes, c, from, vd_group_epoch_keys(group, i)->key[VD_KEY_LINK], vd_group_id(group), n);

			if (rc != VD_EKEY)
				return rc;
		}
	}
	return VD_EKEY;
}

/* --- what did not open --- */

/* Words that follow each other and may be of codes. */
struct suspects {
	size_t n, digits, capitals, small, late; /* characters; late: letters that no hexadecimal number has */
	size_t longest, last;       /* word; character */
	struct vd_code_misread first;
};

/* As many characters as a code of what is here. 0: nothing is. */
static size_t usual_length(const struct vd_codes *codes)
{
	return codes->slips.count ? ((size_t)VD_SLIP_TAG_BYTES + VD_SLIP_HEAD_BYTES + codes->slips.slips[0].piece) / 5 * 8 : 0;
}

static void note_unread(struct vd_codes *codes, const struct vd_code_misread *first, size_t count)
{
	if (codes->misread_count < VD_CODES_MISREAD_MAX)
		codes->misread[codes->misread_count++] = *first;
	codes->unread += count;
}

/* Of a code a third are digits and half such letters as no number has, and it is in one case: unlike prose, ids, telephone numbers and base64. */
static void judge(struct vd_codes *codes, struct suspects *s)
{
	const size_t usual = usual_length(codes), one = usual ? usual : s->longest >= CODE_MIN ? s->longest : s->n;
	const size_t fewer = s->small < s->capitals ? s->small : s->capitals;

	if (s->n >= CODE_MIN && s->digits * 8 >= s->n && s->late * 8 >= s->n && fewer * 8 <= s->n) {
		const size_t count = (s->n + one / 2) / one;

		note_unread(codes, &s->first, count ? count : 1);
	}
	*s = (struct suspects){ 0 };
}

static size_t line_ends(const struct clean *c, size_t from, size_t to)
{
	size_t ends = 0;

	for (size_t i = from; i < to; i++)
		ends += c->text.p[i] == '\n';
	return ends;
}

static struct vd_code_misread begin_of(const struct clean *c, size_t from, size_t to, size_t line)
{
	struct vd_code_misread out = { .line = line };

	memcpy(out.begin, c->characters + from, to - from < VD_CODES_BEGIN ? to - from : VD_CODES_BEGIN);
	return out;
}

/* Short words that are in capitals, or letters and digits. */
static bool like_a_group(const struct clean *c, size_t from, size_t to)
{
	bool digit = false, capital = false, small = false;

	for (size_t i = from; i < to; i++) {
		digit |= is_digit(c->characters[i]);
		capital |= is_capital(c->characters[i]);
		small |= is_small(c->characters[i]);
	}
	return to - from >= GROUP_MIN && (digit ? capital || small : !small);
}

/* A word that no code had a part in; `line` is its number. */
static void suspect(struct vd_codes *codes, const struct clean *c, size_t from, size_t to, size_t line, struct suspects *s)
{
	if (to - from < WORD_MIN && !like_a_group(c, from, to))
		return;
	/* An empty line parts codes. */
	if (s->n && line_ends(c, c->at[s->last], c->at[from]) > 1)
		judge(codes, s);
	if (!s->n || (!s->longest && to - from >= WORD_MIN))
		s->first = begin_of(c, from, to, line);
	for (size_t i = from; i < to; i++) {
		const uint8_t ch = c->characters[i];

		s->digits += is_digit(ch);
		s->capitals += is_capital(ch);
		s->small += is_small(ch);
		s->late += (ch > 'F' && ch <= 'Z') || ch > 'f';
	}
	s->n += to - from;
	if (to - from >= WORD_MIN && to - from > s->longest)
		s->longest = to - from;
	s->last = to - 1;
}

/* --- both --- */

static int take(struct vd_codes *codes, const struct clean *c)
{
	struct suspects s = { 0 };
	size_t line = 1, counted = 0, word = 0, n;

	for (size_t begin = 0, next; begin < c->n; begin = next) {
		int rc = VD_EKEY;

		if (begin >= word)
			word = word_end(c, begin);
		line += line_ends(c, counted, c->at[begin]);
		counted = c->at[begin];
		next = word;
		for (size_t i = begin; i < word && c->n - i >= CODE_MIN && (i == begin || word - begin >= CODE_MIN) && rc == VD_EKEY; i++) {
			rc = open_code(codes, c, i, &n);
			if (rc == VD_ENOMEM || rc == VD_ECAP)
				return rc;
			if (rc != VD_EKEY)
				next = i;
		}
		if (next > begin)
			suspect(codes, c, begin, next, line, &s);
		if (rc == VD_EKEY)
			continue;
		judge(codes, &s);
		codes->read += !rc;
		/* What opened and yet belongs to nothing here no member's vereda made. */
		if (rc) {
			s.first = begin_of(c, next, next + n, line);
			note_unread(codes, &s.first, 1);
			s = (struct suspects){ 0 };
		}
		next += n;
	}
	judge(codes, &s);
	return VD_OK;
}

int vd_codes_take(struct vd_codes *codes, struct vd_slice text)
{
	struct clean c;
	int rc = text.n > VD_CODES_TEXT_MAX ? VD_ECAP : clean_init(&c, text);

	if (rc)
		return rc;
	rc = take(codes, &c);
	clean_deinit(&c);
	return rc;
}

void vd_codes_deinit(struct vd_codes *codes)
{
	vd_slips_deinit(&codes->slips);
}
