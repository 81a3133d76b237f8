/* Input: what a client of the control socket sends, a byte of 0xff ending each piece. Pieces may not change what a line means. */
#include <string.h>

#include "daemon/ctl_server.h"
#include "proto/err.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vd_ctl_line pieces = {.n = 0}, whole = {.n = 0};
	enum vd_ctl_command command = VD_CTL_UNKNOWN, same = VD_CTL_UNKNOWN;
	struct vd_buf joined = {0};
	int rc = VD_EAGAIN;

	for (size_t at = 0; at < size && rc == VD_EAGAIN;) {
		const uint8_t *end = memchr(data + at, 0xff, size - at);
		size_t n = end ? (size_t)(end - data) - at : size - at;

		vd_buf_put(&joined, data + at, n);
		rc = vd_ctl_line_feed(&pieces, vd_slice(data + at, n), &command);
		at += n + 1;
		FUZZ_CHECK(pieces.n <= VD_CTL_LINE);
	}
	FUZZ_CHECK(rc == 0 || rc == VD_EAGAIN || rc == VD_ECAP);
	FUZZ_CHECK(vd_ctl_line_feed(&whole, vd_buf_slice(&joined), &same) == rc && same == command);
	if (!rc && command != VD_CTL_UNKNOWN)
		FUZZ_CHECK(!memcmp(pieces.text, "poke\n", 5) || !memcmp(pieces.text, "status\n", 7) ||
		           !memcmp(pieces.text, "sync\n", 5));
	vd_buf_deinit(&joined);
	return 0;
}
