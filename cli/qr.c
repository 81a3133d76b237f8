/* A QR code as text, two modules to a character: dark ones are printed, so that it can be put on paper as it comes. */
#include <errno.h>
#include <qrencode.h>
#include <sodium.h>
#include <string.h>
#include <unistd.h>

#include "admin.h"
#include "proto/err.h"

enum { QUIET = 4 }; /* modules around it, as ISO/IEC 18004 has it */

static bool light(const QRcode *code, int x, int y)
{
	return x < 0 || y < 0 || x >= code->width || y >= code->width || !(code->data[y * code->width + x] & 1);
}

/* Where colours may be used the ground is made sure of. Where they may not, most terminals are dark: there the light modules are the ink. */
static void say_rows(struct vd_cli *cli, const QRcode *code)
{
	static const char *const blocks[2][2] = { { " ", "\u2584" }, { "\u2580", "\u2588" } };
	const bool ink_is_light = !cli->color && isatty(STDOUT_FILENO);

	for (int y = -QUIET; y < code->width + QUIET; y += 2) {
		if (cli->color)
			vd_say_raw(cli, vd_slice_str("\033[30;47;107m")); /* white is grey where no brighter one is known */
		for (int x = -QUIET; x < code->width + QUIET; x++) {
			const bool below = y + 1 < code->width + QUIET && light(code, x, y + 1) == ink_is_light;

			vd_say_raw(cli, vd_slice_str(blocks[light(code, x, y) == ink_is_light][below]));
		}
		vd_say_raw(cli, vd_slice_str(cli->color ? "\033[0m\n" : "\n"));
	}
}

int vd_say_qr(struct vd_cli *cli, const char *text)
{
	/* In capitals, which the smaller alphabet has. */
	QRcode *code = QRcode_encodeString(text, 0, QR_ECLEVEL_M, QR_MODE_8, 0);

	if (!code)
		return vd_fail(cli, errno == ENOMEM ? VD_ENOMEM : VD_ECAP, VD_MSG_NONE, VD_MSG_QR_FAILED, NULL);
	say_rows(cli, code);
	sodium_memzero(code->data, (size_t)code->width * (size_t)code->width);
	QRcode_free(code);
	return 0;
}
