/* A QR code as text: two modules to a character, light ones printed, since most terminals are dark. */
#include <errno.h>
#include <qrencode.h>
#include <sodium.h>
#include <string.h>

#include "admin.h"
#include "proto/err.h"

enum { QUIET = 2 }; /* modules around it; the terminal's own ground does the rest */

static bool light(const QRcode *code, int x, int y)
{
	return x < 0 || y < 0 || x >= code->width || y >= code->width || !(code->data[y * code->width + x] & 1);
}

static void say_rows(struct vd_cli *cli, const QRcode *code)
{
	static const char *const blocks[2][2] = { { " ", "\u2584" }, { "\u2580", "\u2588" } };

	for (int y = -QUIET; y < code->width + QUIET; y += 2) {
		/* Where colours may be used the ground is made sure of. */
		if (cli->color)
			vd_say_raw(cli, vd_slice_str("\033[97;40m"));
		for (int x = -QUIET; x < code->width + QUIET; x++)
			vd_say_raw(cli, vd_slice_str(blocks[light(code, x, y)][y + 1 < code->width + QUIET && light(code, x, y + 1)]));
		vd_say_raw(cli, vd_slice_str(cli->color ? "\033[0m\n" : "\n"));
	}
}

int vd_say_qr(struct vd_cli *cli, const char *text)
{
	QRcode *code = QRcode_encodeString(text, 0, QR_ECLEVEL_M, QR_MODE_8, 1);

	if (!code)
		return vd_fail(cli, errno == ENOMEM ? VD_ENOMEM : VD_ECAP, VD_MSG_NONE, VD_MSG_QR_FAILED, NULL);
	say_rows(cli, code);
	sodium_memzero(code->data, (size_t)code->width * (size_t)code->width);
	QRcode_free(code);
	return 0;
}
