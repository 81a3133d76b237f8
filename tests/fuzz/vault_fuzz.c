/* The slots' file of a sealed store, as somebody may have changed it; and sealed values. The file is opened with a token, which costs nothing: a passphrase's
 * slots are refused by their cost, or skipped. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "proto/err.h"
#include "store/vault.h"
#include "tests/fuzz/fuzz.h"

static char home[64];

static void leave(void)
{
	char path[96];

	snprintf(path, sizeof(path), "%s/vault", home);
	unlink(path);
	rmdir(home);
}

static void write_file(const uint8_t *data, size_t size)
{
	char path[96];
	int fd;

	if (!home[0]) {
		strcpy(home, "/tmp/vd_vault_fuzz_XXXXXX");
		FUZZ_CHECK(mkdtemp(home));
		atexit(leave);
	}
	snprintf(path, sizeof(path), "%s/vault", home);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	FUZZ_CHECK(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	close(fd);
}

static void open_value(const struct vd_vault *v, const uint8_t *data, size_t size)
{
	struct vd_slice place = vd_slice_str("place"), value;
	struct vd_buf room = { 0 }, again = { 0 };
	int rc = vd_vault_open(v, place, vd_slice(data, size), &room, &value);

	FUZZ_CHECK(rc == VD_EDAMAGED || rc == VD_EVERSION);
	if (size <= 4096) {
		FUZZ_CHECK(!vd_vault_seal(v, place, vd_slice(data, size), &again));
		FUZZ_CHECK(!vd_vault_open(v, place, vd_buf_slice(&again), &room, &value));
		FUZZ_CHECK(vd_slice_eq(value, vd_slice(data, size)));
	}
	vd_buf_deinit(&room);
	vd_buf_deinit(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t token[40] = { 7 };
	static struct vd_vault *own;
	const struct vd_secret secret = { .token = { token, sizeof(token) } };
	enum vd_slot_kind kinds[VD_VAULT_SLOTS];
	struct vd_vault *v = NULL;
	size_t slot = 0;
	int rc;

	if (!own)
		own = vd_vault_new_sealed();
	FUZZ_CHECK(own);
	open_value(own, data, size);
	write_file(data, size);
	rc = vd_vault_open_home(home, &secret, &v);
	FUZZ_CHECK(rc == 0 || rc == VD_EKEY || rc == VD_EDAMAGED || rc == VD_EVERSION);
	FUZZ_CHECK((rc == 0) == (v != NULL));
	FUZZ_CHECK(vd_vault_slot_of(home, &secret, &slot) == rc && slot < VD_VAULT_SLOTS);
	vd_vault_free(v);
	rc = vd_vault_slots(home, kinds);
	FUZZ_CHECK(rc == 0 || rc == VD_EDAMAGED || rc == VD_EVERSION);
	return 0;
}
