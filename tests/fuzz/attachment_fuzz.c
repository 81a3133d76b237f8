/* Input: u8 mode ‖ bytes. 0: a content that may name attachments; 1: one that may be a chunk; else a name. */
#include <string.h>

#include "proto/attachment.h"
#include "proto/err.h"
#include "tests/fuzz/fuzz.h"

static void name(struct vd_slice from)
{
	char out[VD_ATTACHMENT_NAME_MAX + 1], again[VD_ATTACHMENT_NAME_MAX + 1];
	size_t n;

	vd_attachment_name(from, out);
	n = strlen(out);
	FUZZ_CHECK(n && n <= VD_ATTACHMENT_NAME_MAX && vd_utf8_ok(vd_slice(out, n)) && !strpbrk(out, "/\\:*?\"<>|"));
	FUZZ_CHECK(out[0] != '.' && out[0] != '-' && out[0] != ' ');
	for (size_t i = 0; i < n; i++)
		FUZZ_CHECK((uint8_t)out[i] >= 0x20 && out[i] != 0x7f);
	vd_attachment_name(vd_slice(out, n), again);
	FUZZ_CHECK(!strcmp(out, again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vd_attachment list[VD_ATTACHMENTS_MAX];
	struct vd_content content;
	struct vd_slice bytes, chunk;

	if (!size)
		return 0;
	bytes = vd_slice(data + 1, size - 1);
	if (data[0] > 1) {
		name(bytes);
	} else if (data[0] == 1) {
		if (!vd_chunk_decode(bytes, &chunk))
			FUZZ_CHECK(chunk.n && chunk.p >= bytes.p && chunk.p + chunk.n <= bytes.p + bytes.n);
	} else if (!vd_content_decode(bytes, &content)) {
		size_t n = vd_attachments_of(&content, list);

		FUZZ_CHECK(n <= VD_ATTACHMENTS_MAX);
		for (size_t i = 0; i < n; i++)
			FUZZ_CHECK(list[i].chunks <= list[i].size && list[i].name.n <= VD_ATTACHMENT_NAME_MAX);
	}
	return 0;
}
