/* Input: text of an identity; or, when it has the size of one, the three parts of a card, of which a checksum is made that holds. */
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
	text = malloc(size + 1);
	FUZZ_CHECK(text);
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	parse(text);
	free(text);
	return 0;
}
