#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "proto/err.h"
#include "proto/hash.h"
#include "store/file.h"
#include "store/passphrase.h"
#include "store/vault.h"

enum { BLOCK = 4096, SLOT = 144, FIRST_SLOT = 64 };

static const struct vd_vault_cost cheap = { .ops = 1, .memory_bytes = 8192 };
static char home[64];

static int setup(void **state)
{
	(void)state;
	strcpy(home, "/tmp/vd_slots_XXXXXX");
	return mkdtemp(home) ? 0 : -1;
}

static int teardown(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", home);
	return system(command);
}

static struct vd_secret words(const char *passphrase)
{
	return (struct vd_secret){ .passphrase = vd_slice_str(passphrase) };
}

static struct vd_secret token(uint8_t first, size_t n)
{
	static uint8_t bytes[8][VD_VAULT_TOKEN_MAX + 1];

	memset(bytes[first], first, sizeof(bytes[first]));
	return (struct vd_secret){ .token = vd_slice(bytes[first], n) };
}

static int opens(const struct vd_secret *secret, const struct vd_vault *same)
{
	struct vd_vault *v = NULL;
	int rc = vd_vault_open_home(home, secret, &v);

	if (!rc)
		assert_memory_equal(vd_vault_key(v), vd_vault_key(same), VD_VAULT_KEY_BYTES);
	vd_vault_free(v);
	return rc;
}

static void path_of(char path[128], const char *name)
{
	snprintf(path, 128, "%s/%s", home, name);
}

static void read_vault(struct vd_buf *out)
{
	char path[128];

	path_of(path, "vault");
	vd_buf_reset(out);
	assert_int_equal(vd_file_read(path, 1 << 20, out), 0);
	assert_int_equal(out->n, 2 * BLOCK);
}

static void write_vault(const uint8_t *bytes, size_t n)
{
	struct stat st;
	char path[128];
	int fd;

	path_of(path, "vault");
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, n), n);
	assert_int_equal(fstat(fd, &st), 0);
	if (st.st_size != (off_t)n)
		assert_int_equal(ftruncate(fd, (off_t)n), 0);
	close(fd);
}

static void test_slots__several(void **state)
{
	struct vd_vault *v = vd_vault_new_sealed(), *other = vd_vault_new_sealed();
	struct vd_secret rosa = words("la vereda de arriba"), ines = words("otra frase larga"), key = token(7, 64), wrong = words("not this one"),
	                 lent = { .key = vd_vault_key(v) }, stranger = { .key = vd_vault_key(other) };
	enum vd_slot_kind kinds[VD_VAULT_SLOTS];
	struct stat st;
	char path[128];
	size_t slot;

	(void)state;
	assert_false(vd_vault_exists(home));
	assert_int_equal(opens(&rosa, v), VD_ENOTFOUND);
	assert_int_equal(vd_vault_slot_add(home, v, &rosa, &cheap, &slot), VD_ENOTFOUND); /* a readable store must not get one by mistake */
	assert_false(vd_vault_exists(home));
	assert_int_equal(vd_vault_make(home, v, &rosa, &cheap), 0);
	assert_true(vd_vault_exists(home));
	path_of(path, "vault");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(opens(&rosa, v), 0);
	assert_int_equal(opens(&wrong, v), VD_EKEY);
	assert_int_equal(opens(&key, v), VD_EKEY);
	assert_int_equal(opens(&lent, v), 0);
	assert_int_equal(opens(&stranger, v), VD_EKEY);
	assert_int_equal(vd_vault_slot_remove(home, 0), VD_EINVAL); /* nobody could open it any more */

	assert_int_equal(vd_vault_slot_add(home, v, &key, NULL, &slot), 0);
	assert_int_equal(slot, 1);
	assert_int_equal(vd_vault_slot_add(home, v, &ines, &cheap, &slot), 0);
	assert_int_equal(slot, 2);
	assert_int_equal(vd_vault_slot_add(home, other, &ines, &cheap, &slot), VD_EINVAL);
	assert_int_equal(opens(&rosa, v), 0);
	assert_int_equal(opens(&key, v), 0);
	assert_int_equal(opens(&ines, v), 0);
	assert_int_equal(vd_vault_slot_of(home, &ines, &slot), 0);
	assert_int_equal(slot, 2);
	assert_int_equal(vd_vault_slot_of(home, &wrong, &slot), VD_EKEY);

	/* A change takes one write: what is damaged or torn off in between is the old or the new. */
	assert_int_equal(vd_vault_slot_change(home, v, VD_VAULT_SLOTS, &wrong, &cheap, &slot), VD_ENOTFOUND);
	assert_int_equal(vd_vault_slot_change(home, v, VD_VAULT_SLOTS - 1, &wrong, &cheap, &slot), VD_ENOTFOUND);
	assert_int_equal(vd_vault_slots(home, kinds), 0);
	size_t passphrases = 0, after = 0, changed;
	for (size_t i = 0; i < VD_VAULT_SLOTS; i++)
		passphrases += kinds[i] == VD_SLOT_PASSPHRASE;
	assert_int_equal(vd_vault_slot_change(home, v, slot, &wrong, &cheap, &changed), 0);
	assert_int_equal(vd_vault_slots(home, kinds), 0);
	for (size_t i = 0; i < VD_VAULT_SLOTS; i++)
		after += kinds[i] == VD_SLOT_PASSPHRASE;
	assert_int_equal(after, passphrases);
	assert_int_equal(vd_vault_slot_of(home, &ines, &slot), VD_EKEY);
	assert_int_equal(vd_vault_slot_change(home, v, changed, &ines, &cheap, &slot), 0);
	assert_int_equal(vd_vault_slot_of(home, &wrong, &changed), VD_EKEY);
	assert_int_equal(vd_vault_slot_remove(home, 0), 0);
	assert_int_equal(vd_vault_slot_remove(home, 0), VD_ENOTFOUND);
	assert_int_equal(vd_vault_slot_remove(home, VD_VAULT_SLOTS), VD_ENOTFOUND);
	assert_int_equal(opens(&rosa, v), VD_EKEY);
	assert_int_equal(opens(&key, v), 0);
	assert_int_equal(vd_vault_slots(home, kinds), 0);
	assert_int_equal(kinds[0], VD_SLOT_FREE);
	assert_int_equal(kinds[1], VD_SLOT_TOKEN);
	assert_int_equal(kinds[2], VD_SLOT_PASSPHRASE);
	for (size_t i = 2; i < VD_VAULT_SLOTS; i++)
		assert_int_equal(vd_vault_slot_add(home, v, &wrong, &cheap, NULL), 0);
	assert_int_equal(vd_vault_slot_add(home, v, &wrong, &cheap, NULL), VD_ECAP);
	vd_vault_free(v);
	vd_vault_free(other);
}

static void test_slots__bounds(void **state)
{
	static char text[VD_PASSPHRASE_MAX + 2];
	const struct vd_vault_cost bad[] = {
		{ 0, 8192 }, { VD_VAULT_OPS_MAX + 1, 8192 }, { 1, 8191 }, { 1, (uint64_t)VD_VAULT_MEMORY_MAX + 1 }, { 17, VD_VAULT_MEMORY_MAX },
	};
	struct vd_vault *v = vd_vault_new_sealed(), *plain = vd_vault_new_plain();
	struct vd_secret s = words("exactly8"), both = token(1, 32), none = { 0 };

	(void)state;
	both.passphrase = s.passphrase;
	assert_int_equal(vd_vault_slot_add(home, v, &both, &cheap, NULL), VD_EINVAL);
	assert_int_equal(vd_vault_slot_add(home, v, &none, &cheap, NULL), VD_EINVAL);
	assert_int_equal(vd_vault_slot_add(home, plain, &s, &cheap, NULL), VD_EINVAL);
	assert_int_equal(vd_vault_slot_add(home, v, &s, NULL, NULL), VD_EINVAL);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(vd_vault_slot_add(home, v, &s, &bad[i], NULL), VD_EINVAL);
	s.passphrase.n--;
	assert_int_equal(vd_vault_slot_add(home, v, &s, &cheap, NULL), VD_EINVAL);
	memset(text, 'x', sizeof(text) - 1);
	s = words(text);
	assert_int_equal(vd_vault_slot_add(home, v, &s, &cheap, NULL), VD_EINVAL);
	s.passphrase.n--;
	assert_false(vd_vault_exists(home));
	assert_int_equal(vd_vault_make(home, v, &s, &cheap), 0);
	assert_int_equal(opens(&s, v), 0);
	s = token(1, VD_VAULT_TOKEN_MIN - 1);
	assert_int_equal(vd_vault_slot_add(home, v, &s, NULL, NULL), VD_EINVAL);
	s = token(1, VD_VAULT_TOKEN_MAX + 1);
	assert_int_equal(vd_vault_slot_add(home, v, &s, NULL, NULL), VD_EINVAL);
	s = token(1, VD_VAULT_TOKEN_MAX);
	assert_int_equal(vd_vault_slot_add(home, v, &s, NULL, NULL), 0);
	assert_int_equal(opens(&s, v), 0);
	s = token(1, VD_VAULT_TOKEN_MAX - 1);
	assert_int_equal(opens(&s, v), VD_EKEY);
	vd_vault_forget(v);
	s = token(2, 32);
	assert_int_equal(vd_vault_slot_add(home, v, &s, NULL, NULL), VD_EINVAL);
	vd_vault_free(v);
	vd_vault_free(plain);
}

/* One copy damaged: nobody is locked out. Both, in whatever way: an error, and soon. */
static void test_slots__flipped_and_cut(void **state)
{
	struct vd_vault *v = vd_vault_new_sealed();
	struct vd_secret key = token(3, 40), wrong = token(4, 40), lent = { .key = vd_vault_key(v) };
	struct vd_buf file = { 0 };
	size_t at_slot = FIRST_SLOT + 24, slot_end = FIRST_SLOT + SLOT;
	enum vd_slot_kind kinds[VD_VAULT_SLOTS];

	(void)state;
	assert_int_equal(vd_vault_make(home, v, &key, NULL), 0);
	read_vault(&file);
	for (size_t i = 0; i < file.n; i++) {
		file.p[i] ^= 0x10;
		write_vault(file.p, file.n);
		assert_int_equal(opens(&key, v), 0);
		assert_int_equal(opens(&wrong, v), VD_EKEY);
		file.p[i] ^= 0x10;
	}
	for (size_t i = 0; i < BLOCK; i++) {
		int rc;

		file.p[i] ^= 0x10;
		file.p[BLOCK + i] ^= 0x10;
		write_vault(file.p, file.n);
		rc = opens(&key, v);
		/* What a slot needs is in it alone. */
		if ((i >= FIRST_SLOT && i < slot_end))
			assert_int_equal(rc, VD_EDAMAGED);
		else
			assert_int_equal(rc, 0);
		assert_int_equal(opens(&wrong, v), VD_EDAMAGED);
		assert_int_equal(opens(&lent, v), i >= 32 && i < 64 ? VD_EDAMAGED : 0);
		assert_int_equal(vd_vault_slots(home, kinds), VD_EDAMAGED);
		assert_int_equal(vd_vault_slot_remove(home, 0), VD_EDAMAGED);
		assert_int_equal(vd_vault_slot_add(home, v, &wrong, NULL, NULL), VD_EDAMAGED);
		file.p[i] ^= 0x10;
		file.p[BLOCK + i] ^= 0x10;
	}
	for (size_t n = 0; n < file.n; n += n < 1200 || n > 4090 ? 1 : 7) {
		write_vault(file.p, n);
		assert_int_equal(opens(&key, v), n < at_slot + SLOT - 24 ? VD_EDAMAGED : 0);
		if (n > 4200)
			n += 100;
	}
	vd_buf_deinit(&file);
	vd_vault_free(v);
}

static void rehash(uint8_t *block)
{
	struct vd_slice parts[] = { vd_slice_str("file"), vd_slice(block, BLOCK - 32) };

	vd_hash(VD_HASH_VAULT, vd_slice(NULL, 0), block + BLOCK - 32, 32, parts, 2);
	memcpy(block + BLOCK, block, BLOCK);
}

/* A file that was made to be expensive is refused before it costs anything. */
static void test_slots__hostile_cost(void **state)
{
	const struct vd_vault_cost bad[] = {
		{ UINT64_MAX, UINT64_MAX }, { VD_VAULT_OPS_MAX + 1, 8192 }, { 1, (uint64_t)VD_VAULT_MEMORY_MAX + 1 }, { 17, VD_VAULT_MEMORY_MAX },
		{ UINT64_C(1) << 32, UINT64_C(1) << 32 }, { 0, 8192 }, { 1, 0 },
	};
	struct vd_vault *v = vd_vault_new_sealed();
	struct vd_secret s = words("a passphrase"), key = token(1, 32);
	struct vd_buf file = { 0 };

	(void)state;
	assert_int_equal(vd_vault_make(home, v, &s, &cheap), 0);
	assert_int_equal(vd_vault_slot_add(home, v, &key, NULL, NULL), 0);
	read_vault(&file);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		vd_set_u64(file.p + FIRST_SLOT + 8, bad[i].ops);
		vd_set_u64(file.p + FIRST_SLOT + 16, bad[i].memory_bytes);
		rehash(file.p);
		write_vault(file.p, file.n);
		assert_int_equal(opens(&s, v), VD_EDAMAGED);
		assert_int_equal(opens(&key, v), 0);
	}
	/* Another cost than it was made with does not open it either. */
	vd_set_u64(file.p + FIRST_SLOT + 8, 2);
	vd_set_u64(file.p + FIRST_SLOT + 16, 8192);
	rehash(file.p);
	write_vault(file.p, file.n);
	assert_int_equal(opens(&s, v), VD_EKEY);
	vd_set_u32(file.p + 16, 2);
	rehash(file.p);
	write_vault(file.p, file.n);
	assert_int_equal(opens(&s, v), VD_EVERSION);
	vd_buf_deinit(&file);
	vd_vault_free(v);
}

/* What an interrupted change left is overwritten and goes; a name of the slots' file that is in use is not touched. */
static void test_slots__leftovers(void **state)
{
	struct vd_vault *v = vd_vault_new_sealed();
	struct vd_secret key = token(3, 40), more = token(4, 40);
	struct vd_buf file = { 0 };
	char vault[128], old[128], left[128], linked[128];
	struct vd_buf seen = { 0 };

	(void)state;
	path_of(vault, "vault");
	path_of(old, "vault.old");
	path_of(left, "vault.new");
	path_of(linked, "linked");
	assert_int_equal(vd_vault_make(home, v, &key, NULL), 0);
	assert_int_equal(link(vault, old), 0); /* cut before the new one took the name */
	assert_int_equal(opens(&key, v), 0);
	assert_int_not_equal(access(old, F_OK), 0);
	assert_int_equal(opens(&key, v), 0);

	read_vault(&file);
	write_vault(file.p, file.n);
	assert_int_equal(rename(vault, old), 0); /* cut before the old one was overwritten */
	assert_int_equal(link(old, linked), 0);
	write_vault(file.p, file.n);
	assert_int_equal(link(vault, left), 0);
	assert_int_equal(opens(&key, v), 0);
	assert_int_not_equal(access(old, F_OK), 0);
	assert_int_not_equal(access(left, F_OK), 0);
	assert_int_equal(vd_file_read(linked, 1 << 20, &seen), 0);
	assert_int_equal(seen.n, file.n);
	assert_memory_not_equal(seen.p + FIRST_SLOT, file.p + FIRST_SLOT, SLOT);

	/* A change leaves nothing of the file before it. */
	assert_int_equal(unlink(linked), 0);
	assert_int_equal(link(vault, linked), 0);
	assert_int_equal(vd_vault_slot_add(home, v, &more, NULL, NULL), 0);
	vd_buf_reset(&seen);
	assert_int_equal(vd_file_read(linked, 1 << 20, &seen), 0);
	assert_null(memmem(seen.p, seen.n, file.p + FIRST_SLOT + 24, 16));
	assert_int_not_equal(access(old, F_OK), 0);
	assert_int_not_equal(access(left, F_OK), 0);
	assert_int_equal(opens(&key, v), 0);
	assert_int_equal(opens(&more, v), 0);
	vd_buf_deinit(&seen);
	vd_buf_deinit(&file);
	vd_vault_free(v);
}

static void test_slots__half_gone(void **state)
{
	struct vd_vault *v = vd_vault_new_sealed();
	struct vd_secret s = words("a passphrase");
	struct vd_buf file = { 0 };

	(void)state;
	assert_int_equal(vd_vault_slots_state(home), VD_SLOTS_NONE);
	assert_int_equal(vd_vault_make(home, v, &s, &cheap), 0);
	read_vault(&file);
	assert_int_equal(vd_vault_slots_state(home), VD_SLOTS_WHOLE);
	for (size_t at = 0; at < file.n; at += 61) {
		file.p[at] ^= 1;
		write_vault(file.p, file.n);
		assert_int_equal(vd_vault_slots_state(home), VD_SLOTS_HALF);
		assert_int_equal(vd_vault_slots_rewrite(home), 0);
		assert_int_equal(vd_vault_slots_state(home), VD_SLOTS_WHOLE);
		assert_int_equal(opens(&s, v), 0);
		file.p[at] ^= 1;
	}
	write_vault(file.p, file.n / 2);
	assert_int_equal(vd_vault_slots_state(home), VD_SLOTS_HALF);
	assert_int_equal(vd_vault_slots_rewrite(home), 0);
	assert_int_equal(vd_vault_slots_state(home), VD_SLOTS_WHOLE);

	file.p[40] ^= 1;
	file.p[file.n / 2 + 40] ^= 1;
	write_vault(file.p, file.n);
	assert_int_equal(vd_vault_slots_state(home), VD_SLOTS_TORN);
	assert_int_equal(vd_vault_slots_rewrite(home), VD_EDAMAGED);
	assert_int_equal(opens(&s, v), 0);
	memset(file.p, 0, file.n);
	write_vault(file.p, file.n);
	assert_int_equal(vd_vault_slots_state(home), VD_SLOTS_GONE);
	assert_int_equal(vd_vault_slots_rewrite(home), VD_EDAMAGED);
	write_vault(file.p, 0);
	assert_int_equal(vd_vault_slots_state(home), VD_SLOTS_GONE);
	vd_buf_deinit(&file);
	vd_vault_free(v);
}

/* One text however a keyboard writes it: Unicode's own cases of canonical equivalence (UAX #15), each way round. */
static void test_slots__one_text_two_spellings(void **state)
{
	static const char *const same[][2] = {
		{ "m\xc3\xa1s lejos, se\xc3\xb1or", "ma\xcc\x81s lejos, sen\xcc\x83or" },        /* á, ñ */
		{ "\xc3\x85ngstr\xc3\xb6m por se\xc3\xb1" "as", "\xe2\x84\xabngstro\xcc\x88m por sen\xcc\x83" "as" }, /* the unit's sign */
		{ "\xe1\xbb\x87 and the river", "e\xcc\x82\xcc\xa3 and the river" },              /* two marks, in either order */
		{ "\xed\x95\x9c\xea\xb8\x80 and words", "\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab\xe1\x84\x80\xe1\x85\xb3\xe1\x86\xaf and words" },
	};

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(same) / sizeof(same[0]); i++) {
		struct vd_vault *v = vd_vault_new_sealed();
		struct vd_secret made = words(same[i / 2][i % 2]), typed = words(same[i / 2][1 - i % 2]), other = typed;

		assert_int_equal(vd_vault_make(home, v, &made, &cheap), 0);
		assert_int_equal(opens(&made, v), 0);
		assert_int_equal(opens(&typed, v), 0);
		other.passphrase.n--;
		assert_int_equal(opens(&other, v), VD_EKEY);
		vd_vault_free(v);
	}
}

/* What is not UTF-8, or only looks alike, is itself and nothing else. */
static void test_slots__bytes_are_bytes(void **state)
{
	static const char *const apart[][2] = {
		{ "ma\xcc\x81s lejos\xff", "m\xc3\xa1s lejos\xff" },   /* no UTF-8: not even in its parts */
		{ "m\xe1s lejos", "m\xc3\xa1s lejos" },                 /* Latin-1 */
		{ "\xed\xa0\x80 a surrogate", "\xef\xbf\xbd a surrogate" },
		{ "\xef\xac\x81n of the line", "fin of the line" },     /* compatible, not the same */
		{ "cut short \xc3", "cut short " },
	};

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(apart) / sizeof(apart[0]); i++) {
		struct vd_vault *v = vd_vault_new_sealed();
		struct vd_secret made = words(apart[i / 2][i % 2]), other = words(apart[i / 2][1 - i % 2]);

		assert_int_equal(vd_vault_make(home, v, &made, &cheap), 0);
		assert_int_equal(opens(&made, v), 0);
		assert_int_equal(opens(&other, v), VD_EKEY);
		vd_vault_free(v);
	}
}

/* As long as may be, and of what grows most when it is taken apart. */
static void test_slots__longest_text(void **state)
{
	static char text[VD_PASSPHRASE_MAX + 1];
	struct vd_vault *v = vd_vault_new_sealed();
	struct vd_secret s;

	(void)state;
	for (size_t i = 0; i < VD_PASSPHRASE_MAX; i += 2)
		memcpy(text + i, "\xce\x90", 2); /* three code points */
	s = words(text);
	assert_int_equal(s.passphrase.n, VD_PASSPHRASE_MAX);
	assert_int_equal(vd_vault_make(home, v, &s, &cheap), 0);
	assert_int_equal(opens(&s, v), 0);
	s.passphrase.n -= 2;
	assert_int_equal(opens(&s, v), VD_EKEY);
	vd_vault_free(v);
}

static void test_slots__measured(void **state)
{
	struct vd_vault *v = vd_vault_new_sealed();
	struct vd_secret s = words("a passphrase");
	struct vd_vault_cost cost, noted, small;
	long quarter = sysconf(_SC_PHYS_PAGES) / 4 * sysconf(_SC_PAGESIZE);

	(void)state;
	vd_passphrase_measure(&cost);
	assert_true(cost.ops >= 1 && cost.ops <= VD_VAULT_OPS_MAX);
	assert_true(cost.memory_bytes <= VD_VAULT_MEASURED_MAX);
	assert_true(cost.memory_bytes <= (uint64_t)quarter || cost.memory_bytes == 8 << 20);
	assert_int_equal(vd_vault_make(home, v, &s, &cost), 0);
	assert_int_equal(opens(&s, v), 0);
	assert_int_equal(vd_vault_slots_cost(home, &noted), 0);
	assert_int_equal(noted.ops, cost.ops);
	assert_int_equal(noted.memory_bytes, cost.memory_bytes);
	/* Of several the dearest; and what it takes is about what was measured. */
	small = (struct vd_vault_cost){ .ops = 1, .memory_bytes = 8 << 20 };
	s = words("another one");
	assert_int_equal(vd_vault_slot_add(home, v, &s, &small, NULL), 0);
	assert_int_equal(vd_vault_slots_cost(home, &noted), 0);
	assert_int_equal(noted.ops * noted.memory_bytes, cost.ops * cost.memory_bytes);
	assert_true(vd_passphrase_estimate(&cost) > vd_passphrase_estimate(&small));
	noted = (struct vd_vault_cost){ 0 };
	assert_int_equal(vd_passphrase_estimate(&noted), 0);
	vd_vault_free(v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_slots__several, setup, teardown),
		cmocka_unit_test_setup_teardown(test_slots__bounds, setup, teardown),
		cmocka_unit_test_setup_teardown(test_slots__flipped_and_cut, setup, teardown),
		cmocka_unit_test_setup_teardown(test_slots__hostile_cost, setup, teardown),
		cmocka_unit_test_setup_teardown(test_slots__leftovers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_slots__half_gone, setup, teardown),
		cmocka_unit_test_setup_teardown(test_slots__one_text_two_spellings, setup, teardown),
		cmocka_unit_test_setup_teardown(test_slots__bytes_are_bytes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_slots__longest_text, setup, teardown),
		cmocka_unit_test_setup_teardown(test_slots__measured, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
