#include "id.h"

#include <sodium.h>
#include <string.h>

#include "err.h"
#include "hash.h"
#include "sign.h"

#define DOMAIN "vereda identity"
#define PREFIX "vereda1"

enum {
	CARD_VERSION = 1,
	CLAIM_BYTES = 1 + 2 * VD_KEY_BYTES,           /* version ‖ author key ‖ box key: what is signed */
	RAW_BYTES = CLAIM_BYTES + VD_SIGNATURE_BYTES,
	CHECKSUM_BYTES = 6,
	CODED_BYTES = RAW_BYTES + CHECKSUM_BYTES,     /* a multiple of 5: base32 without padding */
	PREFIX_CHARS = sizeof(PREFIX) - 1,
	WORDS = 6,
	SYLLABLES = 60,
	VOCABULARY = SYLLABLES * SYLLABLES,
	/* 12 words hold 141 bits: the paper's 128, and 13 that tell when a word is another. */
	PAPER_SUM_BYTES = 2,
	PAPER_SPARE_BITS = 3,
	PAPER_CODED_BYTES = VD_PAPER_BYTES + PAPER_SUM_BYTES,
};

static const char base32[] = "abcdefghijklmnopqrstuvwxyz234567";

void vd_identity_from_seed(const uint8_t seed[VD_IDENTITY_SEED_BYTES], struct vd_identity *out)
{
	crypto_sign_seed_keypair(out->author, out->author_secret, seed);
	memcpy(out->box_secret, seed + crypto_sign_SEEDBYTES, VD_KEY_BYTES);
	crypto_scalarmult_curve25519_base(out->box, out->box_secret);
}

void vd_identity_wipe(struct vd_identity *identity)
{
	sodium_memzero(identity, sizeof(*identity));
}

static void make_claim(const uint8_t author[VD_KEY_BYTES], const uint8_t box[VD_KEY_BYTES], uint8_t out[CLAIM_BYTES])
{
	out[0] = CARD_VERSION;
	memcpy(out + 1, author, VD_KEY_BYTES);
	memcpy(out + 1 + VD_KEY_BYTES, box, VD_KEY_BYTES);
}

int vd_card_create(const struct vd_identity *identity, struct vd_card *out)
{
	uint8_t claim[CLAIM_BYTES];

	memcpy(out->author, identity->author, VD_KEY_BYTES);
	memcpy(out->box, identity->box, VD_KEY_BYTES);
	make_claim(out->author, out->box, claim);
	return vd_sign(DOMAIN, vd_slice(claim, sizeof(claim)), identity->author_secret, out->proof);
}

int vd_card_check(const struct vd_card *card)
{
	uint8_t claim[CLAIM_BYTES];

	if (!vd_sign_key_ok(card->author))
		return VD_ESIGNATURE;
	make_claim(card->author, card->box, claim);
	return vd_sign_verify(DOMAIN, vd_slice(claim, sizeof(claim)), card->author, card->proof);
}

static void make_checksum(const uint8_t raw[RAW_BYTES], uint8_t out[CHECKSUM_BYTES])
{
	struct vd_slice part = vd_slice(raw, RAW_BYTES);

	vd_hash(VD_HASH_CHECKSUM, vd_slice(NULL, 0), out, CHECKSUM_BYTES, &part, 1);
}

void vd_card_text(const struct vd_card *card, char out[VD_CARD_TEXT + 1])
{
	uint8_t coded[CODED_BYTES];
	char *p = out + PREFIX_CHARS;

	make_claim(card->author, card->box, coded);
	memcpy(coded + CLAIM_BYTES, card->proof, VD_SIGNATURE_BYTES);
	make_checksum(coded, coded + RAW_BYTES);

	memcpy(out, PREFIX, PREFIX_CHARS);
	for (size_t i = 0; i < CODED_BYTES; i += 5) {
		uint64_t bits = (uint64_t)coded[i] << 32 | vd_get_u32(coded + i + 1);

		for (int shift = 35; shift >= 0; shift -= 5)
			*p++ = base32[bits >> shift & 31];
	}
	*p = '\0';
}

/* Copies what people's fingers and mail programs leave of the text: lower case, without blanks and hyphens. */
static int normalise(const char *text, char out[VD_CARD_TEXT + 1])
{
	size_t n = 0;

	/* By ASCII alone: what a card says cannot depend on a locale. */
	for (; *text; text++) {
		if (strchr(" \t\r\n-", *text))
			continue;
		if (n == VD_CARD_TEXT)
			return VD_EFORMAT;
		out[n++] = (char)(*text >= 'A' && *text <= 'Z' ? *text - 'A' + 'a' : *text);
	}
	out[n] = '\0';
	return n == VD_CARD_TEXT ? VD_OK : VD_EFORMAT;
}

static int decode_base32(const char *text, uint8_t out[CODED_BYTES])
{
	for (size_t i = 0; i < CODED_BYTES; i += 5) {
		uint64_t bits = 0;

		for (int k = 0; k < 8; k++) {
			const char *digit = memchr(base32, *text++, 32);

			if (!digit)
				return VD_EFORMAT;
			bits = bits << 5 | (uint64_t)(digit - base32);
		}
		out[i] = (uint8_t)(bits >> 32);
		vd_set_u32(out + i + 1, (uint32_t)bits);
	}
	return VD_OK;
}

int vd_card_parse(const char *text, struct vd_card *out)
{
	char plain[VD_CARD_TEXT + 1];
	uint8_t coded[CODED_BYTES], checksum[CHECKSUM_BYTES];
	struct vd_card card;

	if (normalise(text, plain) || memcmp(plain, PREFIX, PREFIX_CHARS - 1))
		return VD_EFORMAT;
	if (plain[PREFIX_CHARS - 1] > '1' && plain[PREFIX_CHARS - 1] <= '9')
		return VD_EVERSION;
	if (plain[PREFIX_CHARS - 1] != '1' || decode_base32(plain + PREFIX_CHARS, coded))
		return VD_EFORMAT;
	make_checksum(coded, checksum);
	if (memcmp(checksum, coded + RAW_BYTES, CHECKSUM_BYTES))
		return VD_EFORMAT;
	if (coded[0] != CARD_VERSION)
		return VD_EVERSION;
	memcpy(card.author, coded + 1, VD_KEY_BYTES);
	memcpy(card.box, coded + 1 + VD_KEY_BYTES, VD_KEY_BYTES);
	memcpy(card.proof, coded + CLAIM_BYTES, VD_SIGNATURE_BYTES);
	if (vd_card_check(&card))
		return VD_ESIGNATURE;
	*out = card;
	return VD_OK;
}

static const char *const consonants[] = { "b", "ch", "d", "f", "k", "l", "m", "n", "p", "r", "s", "t" };
static const char vowels[] = "aeiou";

static char *put_syllable(char *p, unsigned syllable)
{
	p = stpcpy(p, consonants[syllable / 5]);
	*p++ = vowels[syllable % 5];
	return p;
}

static char *put_word(char *p, unsigned word)
{
	return put_syllable(put_syllable(p, word / SYLLABLES), word % SYLLABLES);
}

void vd_words(const uint8_t group[VD_GROUP_BYTES], const uint8_t coordinator[VD_KEY_BYTES],
              const uint8_t newcomer[VD_KEY_BYTES], const uint8_t grant_id[VD_ID_BYTES], char out[VD_WORDS_TEXT])
{
	const struct vd_slice parts[] = {
		vd_slice(group, VD_GROUP_BYTES), vd_slice(coordinator, VD_KEY_BYTES),
		vd_slice(newcomer, VD_KEY_BYTES), vd_slice(grant_id, VD_ID_BYTES),
	};
	uint8_t hash[2 * WORDS];
	char *p = out;

	vd_hash(VD_HASH_WORDS, vd_slice(NULL, 0), hash, sizeof(hash), parts, 4);
	for (size_t i = 0; i < WORDS; i++) {
		if (i)
			*p++ = ' ';
		p = put_word(p, vd_get_u16(hash + 2 * i) % VOCABULARY);
	}
	*p = '\0';
}

/* --- paper key --- */

void vd_identity_from_paper(const uint8_t paper[VD_PAPER_BYTES], struct vd_identity *out)
{
	struct vd_slice part = vd_slice(paper, VD_PAPER_BYTES);
	uint8_t seed[VD_IDENTITY_SEED_BYTES];

	vd_hash(VD_HASH_PAPER, vd_slice(NULL, 0), seed, sizeof(seed), &part, 1);
	vd_identity_from_seed(seed, out);
	sodium_memzero(seed, sizeof(seed));
}

/* The number that the words write: the paper's bytes, and the first 13 bits of their checksum. */
static void make_coded(const uint8_t paper[VD_PAPER_BYTES], uint8_t coded[PAPER_CODED_BYTES])
{
	struct vd_slice part = vd_slice(paper, VD_PAPER_BYTES);
	unsigned carry = 0;

	memcpy(coded, paper, VD_PAPER_BYTES);
	vd_hash(VD_HASH_CHECKSUM, vd_slice(NULL, 0), coded + VD_PAPER_BYTES, PAPER_SUM_BYTES, &part, 1);
	for (size_t i = 0; i < PAPER_CODED_BYTES; i++) {
		unsigned next = coded[i];

		coded[i] = (uint8_t)(carry << (8 - PAPER_SPARE_BITS) | next >> PAPER_SPARE_BITS);
		carry = next;
	}
}

void vd_paper_words(const uint8_t paper[VD_PAPER_BYTES], char words[VD_PAPER_TEXT])
{
	uint8_t coded[PAPER_CODED_BYTES];
	uint16_t digits[VD_PAPER_WORDS];
	char *p = words;

	_Static_assert(VD_PAPER_TEXT >= VD_PAPER_WORDS * 7, "two syllables of three letters, and a blank or NUL");
	make_coded(paper, coded);
	for (size_t i = VD_PAPER_WORDS; i-- > 0;) {
		unsigned rest = 0;

		for (size_t k = 0; k < PAPER_CODED_BYTES; k++) {
			rest = rest << 8 | coded[k];
			coded[k] = (uint8_t)(rest / VOCABULARY);
			rest %= VOCABULARY;
		}
		digits[i] = (uint16_t)rest;
	}
	for (size_t i = 0; i < VD_PAPER_WORDS; i++) {
		if (i)
			*p++ = ' ';
		p = put_word(p, digits[i]);
	}
	*p = '\0';
	sodium_memzero(coded, sizeof(coded));
	sodium_memzero(digits, sizeof(digits));
}

static bool take_syllable(const char **text, unsigned *out)
{
	for (unsigned i = 0; i < sizeof(consonants) / sizeof(consonants[0]); i++) {
		size_t n = strlen(consonants[i]);
		const char *vowel;

		if (strncmp(*text, consonants[i], n))
			continue;
		vowel = (*text)[n] ? strchr(vowels, (*text)[n]) : NULL;
		if (!vowel)
			return false;
		*out = i * 5 + (unsigned)(vowel - vowels);
		*text += n + 1;
		return true;
	}
	return false;
}

/* The next word of the text in lower case. 0: there is none; -1: it is none of ours. */
static int next_word(const char **text, unsigned *out)
{
	char plain[8] = { 0 };
	const char *p = plain;
	unsigned first, second;
	size_t n = 0;

	/* By ASCII alone. Letters of others are part of a word, and make it a wrong one. */
	while (**text && !(**text & 0x80) && !((**text | 0x20) >= 'a' && (**text | 0x20) <= 'z'))
		++*text;
	if (!**text)
		return 0;
	for (; (**text & 0x80) || ((**text | 0x20) >= 'a' && (**text | 0x20) <= 'z'); ++*text) {
		if (n < sizeof(plain) - 1)
			plain[n++] = (char)(**text | 0x20);
	}
	if (take_syllable(&p, &first) && take_syllable(&p, &second) && !*p) {
		*out = first * SYLLABLES + second;
		n = 0;
	}
	sodium_memzero(plain, sizeof(plain));
	return n ? -1 : 1;
}

size_t vd_paper_count(const char *words)
{
	unsigned word = 0;
	size_t n = 0;

	while (next_word(&words, &word))
		n++;
	sodium_memzero(&word, sizeof(word));
	return n;
}

/* coded = coded * 3600 + word. 12 words are below 2^142, so nothing is lost. */
static void append_word(uint8_t coded[PAPER_CODED_BYTES], unsigned word)
{
	unsigned carry = word;

	for (size_t k = PAPER_CODED_BYTES; k-- > 0;) {
		carry += coded[k] * (unsigned)VOCABULARY;
		coded[k] = (uint8_t)carry;
		carry >>= 8;
	}
}

int vd_paper_identity(const char *words, struct vd_identity *out, size_t *wrong)
{
	uint8_t coded[PAPER_CODED_BYTES] = { 0 }, again[PAPER_CODED_BYTES], paper[VD_PAPER_BYTES];
	unsigned word = 0;
	int rc = VD_OK;

	*wrong = 0;
	for (size_t i = 1; i <= VD_PAPER_WORDS + 1 && !rc; i++) {
		int got = next_word(&words, &word);

		if (got < 0 || (got == 0) != (i > VD_PAPER_WORDS)) {
			*wrong = i;
			rc = VD_EFORMAT;
		} else if (got) {
			append_word(coded, word);
		}
	}
	if (!rc) {
		for (size_t i = 0; i < VD_PAPER_BYTES; i++)
			paper[i] = (uint8_t)(coded[i] << PAPER_SPARE_BITS | coded[i + 1] >> (8 - PAPER_SPARE_BITS));
		make_coded(paper, again);
		if (sodium_memcmp(coded, again, sizeof(coded)))
			rc = VD_EFORMAT;
		else
			vd_identity_from_paper(paper, out);
		sodium_memzero(again, sizeof(again));
		sodium_memzero(paper, sizeof(paper));
	}
	sodium_memzero(coded, sizeof(coded));
	sodium_memzero(&word, sizeof(word));
	return rc;
}
