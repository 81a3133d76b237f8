/* Input: text of an identity, or a paper key's words; or, when it has the size of one, the three parts of a card, of which a checksum is made
 * that holds; or, when it has the size of one, a paper key. */
#include <string.h>

#include "proto/err.h"
#include "proto/id.h"
#include "proto/sign.h"
#include "tests/fuzz/fuzz.h"

static void parse(const char *text)
{
	char again[VD_CARD_TEXT + 1];
	struct vd_card card, same;
	int rc = vd_card_parse(text, &card);

	FUZZ_CHECK(rc == VD_OK || rc == VD_EFORMAT || rc == VD_ESIGNATURE || rc == VD_EVERSION);
	if (rc)
		return;
	vd_card_text(&card, again);
	FUZZ_CHECK(vd_card_parse(again, &same) == VD_OK && !memcmp(&card, &same, sizeof(card)));
}

static void parse_paper(const char *text)
{
	struct vd_identity identity;
	size_t wrong;
	int rc = vd_paper_identity(text, &identity, &wrong);

	FUZZ_CHECK(rc == VD_OK || rc == VD_EFORMAT);
	FUZZ_CHECK(wrong <= VD_PAPER_WORDS + 1 && (rc || !wrong));
}

static void make_paper(const uint8_t paper[VD_PAPER_BYTES])
{
	struct vd_identity made, read;
	char words[VD_PAPER_TEXT];
	size_t wrong;

	vd_identity_from_paper(paper, &made);
	vd_paper_words(paper, words);
	FUZZ_CHECK(strlen(words) < sizeof(words) && vd_paper_identity(words, &read, &wrong) == VD_OK);
	FUZZ_CHECK(!memcmp(&made, &read, sizeof(made)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool tested;
	char made[VD_CARD_TEXT + 1], *text;
	struct vd_card card;

	if (!tested)
		FUZZ_CHECK(vd_sign_selftest() == 0);
	tested = true;
	if (size == sizeof(card)) {
		memcpy(&card, data, sizeof(card));
		vd_card_text(&card, made);
		parse(made);
		return 0;
	}
	if (size == VD_PAPER_BYTES)
		make_paper(data);
	text = malloc(size + 1);
	FUZZ_CHECK(text);
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	parse(text);
	parse_paper(text);
	free(text);
	return 0;
}
