/* A backup as somebody may forge it who knows a paper key's card: its head as it stands, and, sealed as it should be, anything inside. */
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "proto/err.h"
#include "store/backup_file.h"
#include "store/db.h"
#include "tests/fuzz/fuzz.h"

static struct vd_identity paper;
static char file[64];

static void remove_file(void)
{
	unlink(file);
}

static void prepare(void)
{
	static const uint8_t bytes[VD_PAPER_BYTES] = { 1 };
	static bool done;
	int fd;

	if (done)
		return;
	FUZZ_CHECK(sodium_init() >= 0);
	vd_identity_from_paper(bytes, &paper);
	/* In memory where that is: a commit waits for the medium. */
	snprintf(file, sizeof(file), "%s/vd_backup_fuzz_XXXXXX", access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
	fd = mkstemp(file);
	FUZZ_CHECK(fd >= 0);
	close(fd);
	atexit(remove_file);
	done = true;
}

/* As it stands. */
static void raw(const uint8_t *data, size_t size)
{
	const struct vd_backup_key with = { .paper = &paper };
	struct vd_backup_in *in = NULL;
	struct vd_vault_cost cost;
	int rc, fd = memfd_create("backup", MFD_CLOEXEC);

	FUZZ_CHECK(fd >= 0 && write(fd, data, size) == (ssize_t)size && lseek(fd, 0, SEEK_SET) == 0);
	rc = vd_backup_in_open(fd, &with, &in);
	FUZZ_CHECK(rc == VD_EKEY || (rc == VD_ETORN && size < VD_BACKUP_HEAD));
	if (size >= VD_BACKUP_HEAD && !vd_backup_head_cost(data, &cost))
		FUZZ_CHECK(cost.ops <= VD_VAULT_OPS_MAX && cost.memory_bytes <= VD_VAULT_MEASURED_MAX);
}

/* Inside a sound outside. */
static void inside(const uint8_t *data, size_t size)
{
	struct vd_backup_for to = { .paper_count = 1 };
	const struct vd_backup_key with = { .paper = &paper };
	static struct vd_backup_manifest manifest;
	struct vd_backup_entry entry = { 0 };
	struct vd_backup_out *out;
	struct vd_backup_in *in;
	uint64_t bytes;
	int rc;

	memcpy(to.papers[0].author, paper.author, VD_KEY_BYTES);
	memcpy(to.papers[0].box, paper.box, VD_KEY_BYTES);
	FUZZ_CHECK(!vd_backup_out_open(file, &to, &out));
	FUZZ_CHECK(!vd_backup_out_put(out, vd_slice(data, size)));
	FUZZ_CHECK(!vd_backup_out_commit(out, &bytes));
	FUZZ_CHECK(!vd_backup_in_open(open(file, O_RDONLY | O_CLOEXEC), &with, &in));
	FUZZ_CHECK(vd_backup_in_bytes(in) == bytes);
	rc = vd_backup_manifest_read(in, &manifest);
	FUZZ_CHECK(rc == 0 || rc == VD_EVERSION || rc == VD_EDAMAGED);
	FUZZ_CHECK(rc || manifest.group_count <= VD_STORE_GROUPS_MAX);
	for (uint64_t i = 0; !rc && i < manifest.entries; i++) {
		rc = vd_backup_entry_read(in, &entry);
		FUZZ_CHECK(rc == 0 || rc == VD_EDAMAGED);
		FUZZ_CHECK(rc || (entry.table < VD_TABLES && entry.value.n <= bytes));
	}
	if (!rc) {
		rc = vd_backup_in_end(in);
		FUZZ_CHECK(rc == 0 || rc == VD_EDAMAGED);
	}
	vd_buf_deinit(&entry.value);
	vd_backup_in_close(in);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	prepare();
	raw(data, size);
	inside(data, size);
	return 0;
}
