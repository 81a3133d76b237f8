#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <ctype.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "proto/err.h"
#include "proto/hash.h"
#include "proto/id.h"
#include "proto/sign.h"

static struct vd_identity me;
static struct vd_card card;
static char text[VD_CARD_TEXT + 1];

static int setup(void **state)
{
	static const uint8_t seed[VD_IDENTITY_SEED_BYTES] = { 42, [32] = 43 };

	(void)state;
	vd_identity_from_seed(seed, &me);
	if (vd_sign_selftest() || vd_card_create(&me, &card))
		return 1;
	vd_card_text(&card, text);
	return 0;
}

static void test_id__box_keys_belong_together(void **state)
{
	uint8_t box[VD_KEY_BYTES];

	(void)state;
	crypto_scalarmult_base(box, me.box_secret);
	assert_memory_equal(box, me.box, VD_KEY_BYTES);
	assert_memory_equal(me.author_secret + 32, me.author, VD_KEY_BYTES);
	assert_memory_not_equal(me.author, me.box, VD_KEY_BYTES);
}

static void test_id__wipe_leaves_nothing(void **state)
{
	static const uint8_t seed[VD_IDENTITY_SEED_BYTES] = { 1 };
	struct vd_identity identity;

	(void)state;
	vd_identity_from_seed(seed, &identity);
	vd_identity_wipe(&identity);
	assert_true(sodium_is_zero((const uint8_t *)&identity, sizeof(identity)));
}

static void test_id__text_round_trips(void **state)
{
	struct vd_card out;

	(void)state;
	assert_int_equal(strlen(text), VD_CARD_TEXT);
	assert_int_equal(vd_card_parse(text, &out), 0);
	assert_memory_equal(&out, &card, sizeof(card));
}

static void test_id__text_survives_people_and_mail(void **state)
{
	char mangled[3 * VD_CARD_TEXT] = " \t", *p = mangled + 2;
	struct vd_card out;

	(void)state;
	for (size_t i = 0; i < VD_CARD_TEXT; i++) {
		*p++ = (char)(i % 2 ? toupper((unsigned char)text[i]) : text[i]);
		if (i % 10 == 9)
			*p++ = " -\n\r"[i / 10 % 4];
	}
	*p = '\0';
	assert_int_equal(vd_card_parse(mangled, &out), 0);
	assert_memory_equal(&out, &card, sizeof(card));
}

/* One wrong, missing or doubled character, or two swapped: mistyped, never another identity. */
static void test_id__mistyped_is_noticed(void **state)
{
	char typo[VD_CARD_TEXT + 2];
	struct vd_card out;

	(void)state;
	for (size_t i = 7; i < VD_CARD_TEXT; i++) {
		for (const char *c = "abcdefghijklmnopqrstuvwxyz234567018_"; *c; c++) {
			strcpy(typo, text);
			typo[i] = *c;
			assert_int_equal(vd_card_parse(typo, &out), *c == text[i] ? 0 : VD_EFORMAT);
		}
		strcpy(typo, text);
		memmove(typo + i, text + i + 1, VD_CARD_TEXT - i);
		assert_int_equal(vd_card_parse(typo, &out), VD_EFORMAT);
		strcpy(typo + i, text + i);
		strcpy(typo + i + 1, text + i);
		assert_int_equal(vd_card_parse(typo, &out), VD_EFORMAT);
		strcpy(typo, text);
		typo[i] = text[i - 1];
		typo[i - 1] = text[i];
		assert_true(text[i] == text[i - 1] || vd_card_parse(typo, &out) == VD_EFORMAT);
	}
	for (size_t n = 0; n < VD_CARD_TEXT; n++) {
		strcpy(typo, text);
		typo[n] = '\0';
		assert_int_equal(vd_card_parse(typo, &out), VD_EFORMAT);
	}
	assert_int_equal(vd_card_parse("", &out), VD_EFORMAT);
	snprintf(typo, sizeof(typo), "weredb1%s", text + 7);
	assert_int_equal(vd_card_parse(typo, &out), VD_EFORMAT);
}

static void test_id__newer_card_says_so(void **state)
{
	char newer[VD_CARD_TEXT + 1];
	struct vd_card out;

	(void)state;
	strcpy(newer, text);
	newer[6] = '2';
	assert_int_equal(vd_card_parse(newer, &out), VD_EVERSION);
	newer[6] = '0';
	assert_int_equal(vd_card_parse(newer, &out), VD_EFORMAT);
}

/* Bytes of any content under a right checksum. */
static void write_text(uint8_t raw[135], char *out)
{
	struct vd_slice part = vd_slice(raw, 129);
	char *p = out;

	vd_hash(VD_HASH_CHECKSUM, vd_slice(NULL, 0), raw + 129, 6, &part, 1);
	p += sprintf(p, "vereda1");
	for (size_t bit = 0; bit < 8 * 135; bit += 5) {
		unsigned v = 0;

		for (size_t k = bit; k < bit + 5; k++)
			v = v << 1 | (raw[k / 8] >> (7 - k % 8) & 1);
		*p++ = "abcdefghijklmnopqrstuvwxyz234567"[v];
	}
	*p = '\0';
}

static void test_id__forged_proof_is_refused(void **state)
{
	char forged[VD_CARD_TEXT + 1];
	uint8_t raw[135] = { 1 };
	struct vd_card out;

	(void)state;
	memcpy(raw + 1, card.author, 32);
	memcpy(raw + 33, card.box, 32);
	memcpy(raw + 65, card.proof, 64);
	write_text(raw, forged);
	assert_string_equal(forged, text);
	for (size_t i = 0; i < 129; i++) {
		raw[i] ^= 4;
		write_text(raw, forged);
		assert_int_equal(vd_card_parse(forged, &out), i ? VD_ESIGNATURE : VD_EVERSION);
		raw[i] ^= 4;
	}
	out = card;
	out.box[0] ^= 1;
	assert_int_equal(vd_card_check(&out), VD_ESIGNATURE);
	assert_int_equal(vd_card_check(&card), 0);
	/* A key of order 4 "signs" what it likes under some rules. */
	memset(&out, 0, sizeof(out));
	assert_int_equal(vd_card_check(&out), VD_ESIGNATURE);
}

static void test_id__words_depend_on_all_four(void **state)
{
	uint8_t parts[4][32] = { { 1 }, { 2 }, { 3 }, { 4 } };
	char words[VD_WORDS_TEXT], other[VD_WORDS_TEXT];
	size_t blanks = 0;

	(void)state;
	vd_words(parts[0], parts[1], parts[2], parts[3], words);
	for (const char *p = words; *p; p++) {
		assert_true(*p == ' ' || strchr("abcdefhiklmnoprstu", *p));
		blanks += *p == ' ';
	}
	assert_int_equal(blanks, 5);
	for (size_t i = 0; i < 4; i++) {
		parts[i][31] ^= 1;
		vd_words(parts[0], parts[1], parts[2], parts[3], other);
		assert_string_not_equal(words, other);
		parts[i][31] ^= 1;
	}
	/* Many draws: never longer than its room, which the compiler's bounds checks and the sanitizers watch. */
	for (unsigned i = 0; i < 20000; i++) {
		vd_set_u32(parts[0], i);
		vd_words(parts[0], parts[1], parts[2], parts[3], other);
		assert_true(strlen(other) < VD_WORDS_TEXT);
	}
}

static void test_id__paper_words_survive_people(void **state)
{
	uint8_t paper[VD_PAPER_BYTES] = { 1, 2, 3 };
	struct vd_identity expected, out;
	char words[VD_PAPER_TEXT], typed[400];
	size_t wrong, n = 0;

	(void)state;
	vd_paper_words(paper, words);
	vd_identity_from_paper(paper, &expected);
	assert_int_equal(vd_paper_identity(words, &out, &wrong), 0);
	assert_memory_equal(&out, &expected, sizeof(out));

	/* Numbered, in capitals, in lines, with commas. */
	typed[n++] = '\n';
	for (const char *p = words; *p; p++) {
		if (p == words || p[-1] == ' ')
			n += (size_t)sprintf(typed + n, " %d.\t", (int)(p - words));
		if (*p == ' ')
			n += (size_t)sprintf(typed + n, ",\r\n");
		else
			typed[n++] = (char)(*p - 'a' + 'A');
	}
	strcpy(typed + n, " \n.");
	memset(&out, 0, sizeof(out));
	assert_int_equal(vd_paper_identity(typed, &out, &wrong), 0);
	assert_memory_equal(&out, &expected, sizeof(out));

	/* Many draws: they fit, and come back. */
	for (unsigned i = 0; i < 3000; i++) {
		vd_set_u32(paper + 4 * (i % 4), i * 0x9e3779b9u);
		vd_paper_words(paper, words);
		assert_true(strlen(words) < VD_PAPER_TEXT);
		if (i % 50)
			continue;
		vd_identity_from_paper(paper, &expected);
		assert_int_equal(vd_paper_identity(words, &out, &wrong), 0);
		assert_memory_equal(&out, &expected, sizeof(out));
	}
}

/* Word `at` (from 1) of the words becomes `by`. */
static void replace_word(const char *words, size_t at, const char *by, char out[200])
{
	const char *from = words, *to;

	while (--at)
		from = strchr(from, ' ') + 1;
	to = from + strcspn(from, " ");
	sprintf(out, "%.*s%s%s", (int)(from - words), words, by, to);
}

static void test_id__paper_tells_the_wrong_word(void **state)
{
	static const char *const none_of_ours[] = { "casa", "bab", "babab", "babaa", "b", "ba", "chachach", "hola", "xaxa", "bába", "ba ba",
		                                    "babababababababababababababababababa" };
	const uint8_t paper[VD_PAPER_BYTES] = { 7, 7, 7 };
	struct vd_identity out, before;
	char words[VD_PAPER_TEXT], typed[200];
	size_t wrong, refused = 0, tried = 0;

	(void)state;
	memset(&before, 9, sizeof(before));
	out = before;
	vd_paper_words(paper, words);
	for (size_t at = 1; at <= VD_PAPER_WORDS; at++) {
		for (size_t i = 0; i < sizeof(none_of_ours) / sizeof(none_of_ours[0]); i++) {
			replace_word(words, at, none_of_ours[i], typed);
			assert_int_equal(vd_paper_identity(typed, &out, &wrong), VD_EFORMAT);
			assert_int_equal(wrong, at);
		}
		/* One that could be: only the sum tells, seldom not. */
		for (size_t i = 0; i < 60; i++) {
			char other[8] = "bibi";

			other[0] = "bdfklmnprst"[i % 11];
			other[3] = "aeiou"[i % 5];
			replace_word(words, at, other, typed);
			if (!strcmp(typed, words))
				continue;
			tried++;
			refused += vd_paper_identity(typed, &out, &wrong) == VD_EFORMAT && wrong == 0;
		}
	}
	assert_true(tried > 600 && tried - refused <= 2);
	memset(&out, 9, sizeof(out));
	assert_int_equal(vd_paper_identity("", &out, &wrong), VD_EFORMAT);
	assert_int_equal(wrong, 1);
	sprintf(typed, "%s", words);
	*strrchr(typed, ' ') = '\0';
	assert_int_equal(vd_paper_identity(typed, &out, &wrong), VD_EFORMAT);
	assert_int_equal(wrong, VD_PAPER_WORDS);
	sprintf(typed, "%s baba", words);
	assert_int_equal(vd_paper_identity(typed, &out, &wrong), VD_EFORMAT);
	assert_int_equal(wrong, VD_PAPER_WORDS + 1);
	/* More than 141 bits. */
	assert_int_equal(vd_paper_identity("tutu tutu tutu tutu tutu tutu tutu tutu tutu tutu tutu tutu", &out, &wrong), VD_EFORMAT);
	assert_int_equal(wrong, 0);
	assert_memory_equal(&out, &before, sizeof(out));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_id__box_keys_belong_together),
		cmocka_unit_test(test_id__wipe_leaves_nothing),
		cmocka_unit_test(test_id__text_round_trips),
		cmocka_unit_test(test_id__text_survives_people_and_mail),
		cmocka_unit_test(test_id__mistyped_is_noticed),
		cmocka_unit_test(test_id__newer_card_says_so),
		cmocka_unit_test(test_id__forged_proof_is_refused),
		cmocka_unit_test(test_id__words_depend_on_all_four),
		cmocka_unit_test(test_id__paper_words_survive_people),
		cmocka_unit_test(test_id__paper_tells_the_wrong_word),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
