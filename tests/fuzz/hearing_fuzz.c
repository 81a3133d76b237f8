/* Input: a hearing as it stands in a segment. */
#include <string.h>

#include "proto/err.h"
#include "proto/hearing.h"
#include "proto/sign.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t id[VD_GROUP_BYTES] = { 7 };
	static struct vd_group *group;
	struct vd_hearing h;
	bool known[1];
	int rc;

	if (!group) {
		FUZZ_CHECK(vd_sign_selftest() == 0);
		group = vd_group_new(id, NULL);
		FUZZ_CHECK(group);
	}
	rc = vd_hearing_decode(vd_slice(data, size), &h);
	FUZZ_CHECK(rc == VD_OK || rc == VD_EFORMAT);
	if (rc)
		return 0;
	FUZZ_CHECK(size <= VD_HEARING_MAX && h.count >= 1 && h.count <= VD_HEARING_HEADS);
	FUZZ_CHECK(size == 1 + VD_KEY_BYTES + h.count * VD_ID_BYTES + VD_SIGNATURE_BYTES);
	for (size_t i = 1; i < h.count; i++)
		FUZZ_CHECK(memcmp(h.heads[i - 1].b, h.heads[i].b, VD_ID_BYTES) < 0);
	/* Nobody is in that group. */
	FUZZ_CHECK(vd_hearing_verify(group, vd_slice(data, size), &h) == VD_EAUTHOR);
	vd_hearing_shows(group, &h, known);
	return 0;
}
