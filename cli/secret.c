#include "secret.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admin.h"
#include "daemon/ctl.h"
#include "lent.h"
#include "proto/err.h"
#include "store/file.h"

enum { TRIES = 3 };

/* Up to the first line's end. VD_ECAP: longer than a passphrase may be. */
static int read_line(int fd, struct vd_buf *out)
{
	for (;;) {
		uint8_t c;
		ssize_t n = read(fd, &c, 1);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return vd_file_errno(errno);
		if (n == 0 || c == '\n')
			break;
		if (out->n == VD_PASSPHRASE_MAX)
			return VD_ECAP;
		vd_buf_put_u8(out, c);
	}
	if (out->n && out->p[out->n - 1] == '\r')
		out->n--;
	return vd_buf_check(out);
}

/* Is there anything behind that line? Nobody is made to end what they type. */
static bool more_lines(int fd)
{
	uint8_t c = 0;
	ssize_t n;

	if (isatty(fd))
		return false;
	do
		n = read(fd, &c, 1);
	while (n < 0 && errno == EINTR);
	sodium_memzero(&c, sizeof c);
	return n > 0;
}

static int taken(struct vd_cli *cli, int rc, const char *from, struct vd_buf *out)
{
	if (!rc && out->n)
		return 0;
	vd_buf_wipe(out);
	if (rc == VD_EIO || rc == VD_ENOMEM) /* of the medium, or of this machine: whether it fits nobody knows */
		return vd_fail(cli, rc, VD_MSG_NONE, VD_MSG_SECRET_UNREADABLE, from, NULL);
	if (rc && rc != VD_ECAP)
		return vd_refuse(cli, VD_EXIT_KEY, "passphrase", VD_MSG_HINT_SECRET_FILE, VD_MSG_SECRET_UNREADABLE, from, NULL);
	return vd_refuse(cli, VD_EXIT_KEY, "passphrase", VD_MSG_HINT_SECRET_FILE, rc ? VD_MSG_SECRET_LONG : VD_MSG_SECRET_EMPTY, from, NULL);
}

int vd_secret_file(struct vd_cli *cli, const char *path, struct vd_buf *out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY), rc = fd < 0 ? vd_file_errno(errno) : read_line(fd, out);
	/* Half of what somebody takes for the passphrase must not become it. */
	bool more = !rc && more_lines(fd);

	if (fd >= 0)
		close(fd);
	if (more) {
		vd_buf_wipe(out);
		return vd_refuse(cli, VD_EXIT_KEY, "passphrase", VD_MSG_HINT_SECRET_FILE, VD_MSG_SECRET_LINES, path, NULL);
	}
	return taken(cli, rc, path, out);
}

int vd_secret_given(struct vd_cli *cli, struct vd_buf *out)
{
	const char *number = cli->opt.passphrase_fd;
	char *end;
	long fd;

	if (cli->opt.passphrase_file)
		return vd_secret_file(cli, cli->opt.passphrase_file, out);
	if (!number)
		return 0;
	errno = 0;
	fd = strtol(number, &end, 10);
	if (errno || *end || end == number || fd < 0 || fd > 1 << 20)
		return vd_misuse(cli, VD_MSG_HINT_HELP, VD_MSG_BAD_NUMBER, number, NULL);
	return taken(cli, read_line((int)fd, out), number, out);
}

int vd_secret_fits(struct vd_cli *cli, const struct vd_buf *secret)
{
	if (secret->n >= VD_PASSPHRASE_MIN)
		return 0;
	return vd_refuse(cli, VD_EXIT_USAGE, "usage", VD_MSG_HINT_SECRET_SHORT, VD_MSG_SECRET_SHORT, vd_num(cli, VD_PASSPHRASE_MIN), NULL);
}

static bool ask_once(struct vd_cli *cli, enum vd_msg prompt, struct vd_buf *out)
{
	char typed[VD_PASSPHRASE_MAX + 1];
	bool ok = vd_ask(cli, true, typed, sizeof typed, prompt, "", "");

	if (ok)
		vd_buf_put(out, typed, strlen(typed));
	sodium_memzero(typed, sizeof typed);
	return ok && !vd_buf_check(out);
}

int vd_secret_ask(struct vd_cli *cli, enum vd_msg prompt, bool twice, struct vd_buf *out)
{
	struct vd_buf again = { 0 };
	int rc = 0;

	if (!vd_can_ask(cli))
		return vd_refuse(cli, VD_EXIT_KEY, "passphrase", VD_MSG_HINT_SECRET_NOBODY, VD_MSG_SECRET_NOBODY, NULL);
	if (!ask_once(cli, prompt, out))
		rc = vd_interrupted() ? VD_EXIT_INTERRUPTED : vd_refuse(cli, VD_EXIT_KEY, "passphrase", VD_MSG_NONE, VD_MSG_SECRET_EMPTY, "", NULL);
	if (!rc && twice)
		rc = vd_secret_fits(cli, out);
	if (!rc && twice && (!ask_once(cli, VD_MSG_ASK_AGAIN, &again) || again.n != out->n || sodium_memcmp(again.p, out->p, out->n)))
		rc = vd_refuse(cli, VD_EXIT_KEY, "passphrase", VD_MSG_HINT_SECRET_DIFFER, VD_MSG_SECRET_DIFFER, NULL);
	vd_buf_wipe(&again);
	if (rc)
		vd_buf_wipe(out);
	return rc;
}

int vd_secret_new(struct vd_cli *cli, const char *path, enum vd_msg prompt, struct vd_buf *out)
{
	int rc;

	if (!path)
		return vd_secret_ask(cli, prompt, true, out);
	rc = vd_secret_file(cli, path, out);
	return rc ? rc : vd_secret_fits(cli, out);
}

/* The vault key that a daemon of ours lends: VD_ENOTFOUND when none runs, or it is locked. */
static int lent_key(struct vd_cli *cli, uint8_t key[VD_VAULT_KEY_BYTES])
{
	static const char word[] = "key ";
	struct vd_buf answer = { 0 };
	size_t n = 0;
	int rc = vd_ctl_request(cli->home, "key", &answer);

	if (!rc) {
		vd_buf_put_u8(&answer, 0);
		rc = vd_buf_check(&answer);
	}
	if (!rc && (answer.n != sizeof word + 2 * VD_VAULT_KEY_BYTES || memcmp(answer.p, word, sizeof word - 1) != 0 ||
	            vd_unhex(key, VD_VAULT_KEY_BYTES, (const char *)answer.p + sizeof word - 1, &n) || n != VD_VAULT_KEY_BYTES))
		rc = VD_ENOTFOUND;
	vd_buf_wipe(&answer);
	return rc;
}

bool vd_secret_is_lent(struct vd_cli *cli)
{
	uint8_t key[VD_VAULT_KEY_BYTES];
	bool lent = lent_key(cli, key) == VD_OK;

	sodium_memzero(key, sizeof key);
	return lent;
}

/* What is opened by a secret: VD_EKEY when it does not fit. */
typedef int opener(const char *home, const struct vd_secret *, void *out);

static int open_store(const char *home, const struct vd_secret *secret, void *out)
{
	return vd_store_open_with(home, secret, out);
}

static int open_vault(const char *home, const struct vd_secret *secret, void *out)
{
	return vd_vault_open_home(home, secret, out);
}

static int open_by(struct vd_cli *cli, const struct vd_buf *passphrase, opener *open_it, void *out)
{
	struct vd_secret secret = { .passphrase = vd_buf_slice(passphrase) };

	return open_it(cli->home, &secret, out);
}

static int open_lent(struct vd_cli *cli, opener *open_it, void *out)
{
	uint8_t key[VD_VAULT_KEY_BYTES];
	struct vd_secret secret = { .key = key };
	int rc = lent_key(cli, key);

	rc = rc ? VD_EKEY : open_it(cli->home, &secret, out);
	sodium_memzero(key, sizeof key);
	return rc;
}

/* `nothing`: whether a person who typed nothing chose to do without; NULL: they cannot. */
static int open_asked(struct vd_cli *cli, enum vd_msg prompt, opener *open_it, void *out, bool *nothing)
{
	int rc = VD_EKEY;

	for (int i = 0; i < TRIES && rc == VD_EKEY; i++) {
		struct vd_buf typed = { 0 };
		int code = vd_secret_ask(cli, i ? VD_MSG_ASK_PASSPHRASE_AGAIN : prompt, false, &typed);

		if (code)
			return code;
		if (nothing && !typed.n) {
			*nothing = true;
			return 0;
		}
		rc = open_by(cli, &typed, open_it, out);
		vd_buf_wipe(&typed);
	}
	if (rc == VD_EKEY)
		return vd_refuse(cli, VD_EXIT_KEY, "passphrase", VD_MSG_HINT_PASSPHRASE_WRONG, VD_MSG_PASSPHRASE_WRONG, NULL);
	return rc ? vd_cli_open_failed(cli, rc) : 0;
}

static int open_somehow(struct vd_cli *cli, opener *open_it, void *out, bool *lent)
{
	struct vd_buf given = { 0 };
	int rc, code;

	/* Nobody shall look for a passphrase that opens nothing. */
	if (vd_vault_slots_state(cli->home) == VD_SLOTS_GONE)
		return vd_cli_open_failed(cli, VD_EDAMAGED);
	code = vd_secret_given(cli, &given);
	if (code)
		return code;
	if (given.n) {
		rc = open_by(cli, &given, open_it, out);
		vd_buf_wipe(&given);
		if (rc == VD_EKEY)
			return vd_refuse(cli, VD_EXIT_KEY, "passphrase", VD_MSG_HINT_PASSPHRASE_WRONG, VD_MSG_PASSPHRASE_WRONG, NULL);
		return rc ? vd_cli_open_failed(cli, rc) : 0;
	}
	rc = open_lent(cli, open_it, out);
	*lent = !rc;
	if (rc == VD_EKEY && vd_can_ask(cli))
		return open_asked(cli, VD_MSG_ASK_PASSPHRASE, open_it, out, NULL);
	if (rc == VD_EKEY)
		return vd_refuse(cli, VD_EXIT_KEY, "locked", VD_MSG_HINT_LOCKED, VD_MSG_LOCKED, cli->home, NULL);
	return rc ? vd_cli_open_failed(cli, rc) : 0;
}

int vd_secret_open(struct vd_cli *cli)
{
	bool lent = false;
	int rc = open_somehow(cli, open_store, &cli->store, &lent);

	if (!rc && cli->store)
		vd_lent_watch(cli, lent);
	return rc;
}

int vd_secret_open_or_not(struct vd_cli *cli, enum vd_msg prompt)
{
	bool nothing = false;
	int rc;

	if (vd_vault_slots_state(cli->home) == VD_SLOTS_GONE)
		return vd_cli_open_failed(cli, VD_EDAMAGED);
	rc = open_asked(cli, prompt, open_store, &cli->store, &nothing);
	if (!rc && cli->store)
		vd_lent_watch(cli, false);
	return rc;
}

int vd_secret_vault(struct vd_cli *cli, struct vd_vault **out)
{
	bool lent;

	return open_somehow(cli, open_vault, out, &lent);
}
