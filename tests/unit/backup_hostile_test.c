/* A backup's file under hostile and clumsy hands: cut, flipped, forged by who knows for whom it is. */
#include <fcntl.h>

#include "backup_cast.h"
#include "store/backup_file.h"
#include "store/db.h"

static void poke(const char *file, off_t at, uint8_t flip)
{
	int fd = open(file, O_RDWR | O_CLOEXEC);
	uint8_t b;

	assert_int_equal(pread(fd, &b, 1, at), 1);
	b ^= flip;
	assert_int_equal(pwrite(fd, &b, 1, at), 1);
	close(fd);
}

static void test_backup__cost_out_of_bounds(void **state)
{
	static const struct {
		uint8_t ops, bits;
	} hostile[] = { { 0, 13 }, { 1, 12 }, { 65, 13 }, { 255, 13 }, { 1, 29 }, { 1, 63 }, { 1, 64 }, { 1, 255 } };
	struct vd_vault_cost cost;
	struct vd_backup_stats stats;
	uint8_t head[VD_BACKUP_HEAD] = { 0 };
	struct stage st;

	(void)state;
	for (size_t i = 0; i < sizeof(hostile) / sizeof(*hostile); i++) {
		randombytes_buf(head, sizeof(head));
		head[VD_BACKUP_COST] = hostile[i].ops ^ head[VD_SALT_BYTES - 2];
		head[VD_BACKUP_COST + 1] = hostile[i].bits ^ head[VD_SALT_BYTES - 1];
		assert_int_equal(vd_backup_head_cost(head, &cost), VD_EFORMAT);
	}
	head[VD_BACKUP_COST] = 64 ^ head[VD_SALT_BYTES - 2];
	head[VD_BACKUP_COST + 1] = 28 ^ head[VD_SALT_BYTES - 1];
	assert_int_equal(vd_backup_head_cost(head, &cost), 0);
	assert_true(cost.ops == 64 && cost.memory_bytes == VD_VAULT_MEASURED_MAX);
	raise_stage(&st, false, 1);
	back_up(&st, &stats);
	poke(st.file, VD_BACKUP_COST, 0x80);
	assert_int_equal(restore(&st, phrase, false, &stats), VD_EFORMAT);
	nothing_restored(&st);
	disband(&st.sc);
}

static void test_backup__truncated(void **state)
{
	struct vd_backup_stats stats;
	struct stage st;

	(void)state;
	raise_stage(&st, true, 400);
	back_up(&st, &stats);
	assert_true(stats.bytes > VD_BACKUP_HEAD + 6 * VD_CHUNK_BYTES);
	for (uint64_t end = stats.bytes - (stats.bytes - VD_BACKUP_HEAD) % VD_CHUNK_BYTES;; end -= VD_CHUNK_BYTES) {
		for (int off = 1; off >= -1; off--) {
			struct vd_backup_stats unused;

			if ((off == 1 && end == stats.bytes) || (off == 0 && end == stats.bytes))
				continue;
			assert_int_equal(truncate(st.file, (off_t)(end + (uint64_t)(int64_t)off)), 0);
			assert_int_equal(verify(&st, phrase, &unused), VD_ETORN);
			assert_int_equal(restore(&st, phrase, false, &unused), VD_ETORN);
		}
		if (end == VD_BACKUP_HEAD)
			break;
	}
	for (off_t end = VD_BACKUP_HEAD; end >= 0; end -= 7) {
		assert_int_equal(truncate(st.file, end), 0);
		assert_int_equal(restore(&st, phrase, false, &stats), VD_ETORN);
	}
	nothing_restored(&st);
	disband(&st.sc);
}

static void test_backup__flipped_and_longer(void **state)
{
	struct vd_backup_stats stats, unused;
	struct stage st;
	int fd;

	(void)state;
	raise_stage(&st, false, 300);
	back_up(&st, &stats);
	for (uint64_t at = 0; at < stats.bytes; at += at < VD_BACKUP_HEAD + 32 ? 1 : 4099) {
		int rc;

		/* The cost's bytes, and the salt's that hide them, may ask for more than this test wants to pay. */
		if (at == VD_BACKUP_COST || at == VD_BACKUP_COST + 1 || at == VD_SALT_BYTES - 2 || at == VD_SALT_BYTES - 1)
			continue;
		poke(st.file, (off_t)at, 0x10);
		rc = restore(&st, phrase, true, &unused);
		assert_true(rc == VD_EDAMAGED || rc == VD_EKEY);
		poke(st.file, (off_t)at, 0x10);
	}
	poke(st.file, (off_t)stats.bytes - 1, 1);
	assert_int_equal(verify(&st, phrase, &unused), VD_EDAMAGED);
	poke(st.file, (off_t)stats.bytes - 1, 1);
	assert_int_equal(verify(&st, phrase, &unused), 0);
	nothing_restored(&st);
	fd = open(st.file, O_WRONLY | O_APPEND | O_CLOEXEC);
	assert_int_equal(ftruncate(fd, (off_t)stats.bytes + VD_CHUNK_BYTES), 0);
	close(fd);
	assert_int_equal(verify(&st, phrase, &unused), VD_ECAP);
	assert_int_equal(restore(&st, phrase, false, &unused), VD_ECAP);
	assert_int_equal(truncate(st.file, (off_t)stats.bytes + 1), 0);
	assert_int_equal(verify(&st, phrase, &unused), VD_ECAP);
	assert_int_equal(restore(&st, phrase, false, &unused), VD_ECAP);
	nothing_restored(&st);
	disband(&st.sc);
}

static void test_backup__no_file(void **state)
{
	struct vd_backup_stats stats;
	struct stage st;

	(void)state;
	raise_stage(&st, false, 1);
	assert_int_equal(restore(&st, phrase, false, &stats), VD_ENOTFOUND);
	assert_int_equal(mkfifo(st.file, 0600), 0);
	assert_int_equal(restore(&st, phrase, false, &stats), VD_EINVAL);
	unlink(st.file);
	assert_int_equal(mkdir(st.file, 0700), 0);
	assert_int_equal(restore(&st, phrase, false, &stats), VD_EINVAL);
	rmdir(st.file);
	back_up(&st, &stats);
	rmdir(st.scratch);
	assert_int_equal(verify(&st, phrase, &stats), VD_ENOSTORE);
	disband(&st.sc);
}

/* Whoever knows a paper key's card can make a file that opens: what it says is believed as little as any. */
static int forged(struct stage *st, struct vd_slice inside)
{
	const struct vd_backup_for to = { .passphrase = pass(phrase), .cost = &cheap };
	struct vd_backup_stats stats;
	struct vd_backup_out *out;
	uint64_t bytes;
	int rc;

	assert_int_equal(vd_backup_out_open(st->file, &to, &out), 0);
	assert_int_equal(vd_backup_out_put(out, inside), 0);
	assert_int_equal(vd_backup_out_commit(out, &bytes), 0);
	rc = verify(st, phrase, &stats);
	assert_int_equal(restore(st, phrase, false, &stats), rc);
	nothing_restored(st);
	return rc;
}

static void put_manifest(struct vd_buf *b, uint64_t entries, uint64_t records)
{
	vd_buf_reset(b);
	vd_buf_put_u8(b, 1);
	vd_buf_put_u64(b, 7);
	vd_buf_put_u8(b, 0);
	vd_buf_put_u64(b, entries);
	vd_buf_put_u64(b, records);
	vd_buf_put_u8(b, 0);
}

static void put_entry(struct vd_buf *b, uint8_t table, size_t key_n, uint32_t n)
{
	static const uint8_t zeros[16];

	vd_buf_put_u8(b, table);
	vd_buf_put(b, zeros, key_n);
	vd_buf_put_u32(b, n);
	for (uint32_t i = 0; i < n && i < 64; i++)
		vd_buf_put_u8(b, 0);
}

static void test_backup__forged_inside(void **state)
{
	struct vd_buf b = { 0 };
	struct stage st;

	(void)state;
	raise_stage(&st, false, 1);
	vd_buf_put_u8(&b, 2);
	assert_int_equal(forged(&st, vd_buf_slice(&b)), VD_EVERSION);
	vd_buf_reset(&b);
	vd_buf_put_u8(&b, 0);
	assert_int_equal(forged(&st, vd_buf_slice(&b)), VD_EDAMAGED);
	put_manifest(&b, 0, 0); /* says nothing of itself: no store */
	assert_int_equal(forged(&st, vd_buf_slice(&b)), VD_EDAMAGED);
	put_manifest(&b, UINT64_MAX, 0);
	assert_int_equal(forged(&st, vd_buf_slice(&b)), VD_EDAMAGED);
	put_manifest(&b, 0, 1);
	assert_int_equal(forged(&st, vd_buf_slice(&b)), VD_EDAMAGED);
	put_manifest(&b, 1, 0); /* no such table */
	put_entry(&b, VD_TABLES, 16, 1);
	assert_int_equal(forged(&st, vd_buf_slice(&b)), VD_EDAMAGED);
	put_manifest(&b, 1, 0); /* a value that would take all memory */
	put_entry(&b, VD_TABLE_VALUES, 16, UINT32_MAX);
	assert_int_equal(forged(&st, vd_buf_slice(&b)), VD_EDAMAGED);
	put_manifest(&b, 1, 0); /* one that is merely not there */
	put_entry(&b, VD_TABLE_VALUES, 16, VD_VALUE_MAX);
	assert_int_equal(forged(&st, vd_buf_slice(&b)), VD_EDAMAGED);
	put_manifest(&b, 1, 1); /* a record that is none */
	put_entry(&b, VD_TABLE_RECORDS, 8, 40);
	assert_int_equal(forged(&st, vd_buf_slice(&b)), VD_EDAMAGED);
	put_manifest(&b, 1, 1); /* behind the last number */
	vd_buf_put_u8(&b, VD_TABLE_RECORDS);
	vd_buf_put_u64(&b, UINT64_MAX - 5);
	vd_buf_put_u32(&b, 0);
	assert_int_equal(forged(&st, vd_buf_slice(&b)), VD_EDAMAGED);
	put_manifest(&b, 0, 0); /* something behind the end */
	vd_buf_put_u8(&b, 9);
	assert_int_equal(forged(&st, vd_buf_slice(&b)), VD_EDAMAGED);
	vd_buf_deinit(&b);
	disband(&st.sc);
}

/* A file whose digests are not those of its records is found out. */
static void test_backup__lanes_are_compared(void **state)
{
	const struct vd_backup_for to = { .passphrase = pass(phrase), .cost = &cheap };
	const struct vd_backup_key with = { .passphrase = pass(phrase) };
	struct vd_backup_stats stats;
	struct vd_backup_out *out;
	struct vd_backup_in *in;
	const size_t at = 1 + 8 + 1 + 8 + 8 + 1 + VD_GROUP_BYTES + 2 * (8 + VD_HASH_BYTES) + 7;
	uint8_t *inside;
	uint64_t bytes;
	size_t n;
	struct stage st;

	(void)state;
	raise_stage(&st, false, 5);
	back_up(&st, &stats);
	n = (size_t)((stats.bytes - VD_BACKUP_HEAD) / VD_CHUNK_BYTES * (VD_CHUNK_BYTES - 17));
	inside = malloc(n);
	for (size_t off = 0; off < 2; off++) {
		assert_int_equal(vd_backup_in_open(open(st.file, O_RDONLY | O_CLOEXEC), &with, &in), 0);
		assert_int_equal(vd_backup_in_get(in, inside, n), 0);
		vd_backup_in_close(in);
		inside[at + off] ^= 1; /* the count of the lane; its digest */
		assert_int_equal(vd_backup_out_open(st.file, &to, &out), 0);
		assert_int_equal(vd_backup_out_put(out, vd_slice(inside, n)), 0);
		assert_int_equal(vd_backup_out_commit(out, &bytes), 0);
		assert_int_equal(verify(&st, phrase, &stats), VD_EDAMAGED);
		assert_int_equal(restore(&st, phrase, true, &stats), VD_EDAMAGED);
		inside[at + off] ^= 1;
		assert_int_equal(vd_backup_out_open(st.file, &to, &out), 0);
		assert_int_equal(vd_backup_out_put(out, vd_slice(inside, n)), 0);
		assert_int_equal(vd_backup_out_commit(out, &bytes), 0);
		assert_int_equal(verify(&st, phrase, &stats), 0);
	}
	nothing_restored(&st);
	free(inside);
	disband(&st.sc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_backup__cost_out_of_bounds),
		cmocka_unit_test(test_backup__truncated),
		cmocka_unit_test(test_backup__flipped_and_longer),
		cmocka_unit_test(test_backup__no_file),
		cmocka_unit_test(test_backup__forged_inside),
		cmocka_unit_test(test_backup__lanes_are_compared),
	};

	if (sodium_init() < 0 || vd_sign_selftest())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
