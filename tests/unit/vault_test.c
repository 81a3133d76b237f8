#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "proto/err.h"
#include "store/vault.h"

static void test_vault__plain_gives_back(void **state)
{
	struct vd_vault *v = vd_vault_new_plain();
	struct vd_buf sealed = { 0 }, room = { 0 };
	struct vd_slice place = vd_slice_str("place"), value;

	(void)state;
	assert_non_null(v);
	assert_true(vd_vault_readable(v));
	assert_int_equal(vd_vault_seal(v, place, vd_slice_str("secret"), &sealed), 0);
	assert_int_equal(sealed.p[0], VD_SEAL_PLAIN);
	assert_int_equal(vd_vault_open(v, place, vd_buf_slice(&sealed), &room, &value), 0);
	assert_true(vd_slice_eq(value, vd_slice_str("secret")));
	assert_int_equal(vd_vault_open(v, place, vd_slice(NULL, 0), &room, &value), VD_EDAMAGED);
	sealed.p[0] = VD_SEAL_VAULT + 1;
	assert_int_equal(vd_vault_open(v, place, vd_buf_slice(&sealed), &room, &value), VD_EVERSION);
	vd_buf_deinit(&sealed);
	vd_buf_deinit(&room);
	vd_vault_free(v);
}

/* Use and first part cannot run into each other, and every part counts. */
static void test_vault__index_keys_differ(void **state)
{
	struct vd_vault *v = vd_vault_new_plain();
	struct vd_slice ab[] = { vd_slice_str("a"), vd_slice_str("b") }, c = vd_slice_str("c"), bc = vd_slice_str("bc");
	uint8_t keys[5][VD_INDEX_KEY_BYTES], again[VD_INDEX_KEY_BYTES];

	(void)state;
	vd_vault_index_key(v, "use", ab, 2, keys[0]);
	vd_vault_index_key(v, "use", ab, 1, keys[1]);
	vd_vault_index_key(v, "use", NULL, 0, keys[2]);
	vd_vault_index_key(v, "ab", &c, 1, keys[3]);
	vd_vault_index_key(v, "a", &bc, 1, keys[4]);
	for (size_t i = 0; i < 5; i++) {
		for (size_t j = 0; j < i; j++)
			assert_memory_not_equal(keys[i], keys[j], VD_INDEX_KEY_BYTES);
	}
	vd_vault_index_key(v, "use", ab, 2, again);
	assert_memory_equal(again, keys[0], VD_INDEX_KEY_BYTES);
	vd_vault_free(v);
}

static struct vd_vault *of(uint8_t first)
{
	uint8_t key[VD_VAULT_KEY_BYTES];
	struct vd_vault *v;

	for (size_t i = 0; i < sizeof(key); i++)
		key[i] = (uint8_t)(first + i);
	v = vd_vault_new_of(key);
	assert_non_null(v);
	return v;
}

static void test_vault__sealed_gives_back(void **state)
{
	struct vd_vault *v = vd_vault_new_sealed(), *other = vd_vault_new_sealed(), *plain = vd_vault_new_plain();
	struct vd_slice place = vd_slice_str("place"), value;
	struct vd_buf text = { 0 }, sealed = { 0 }, room = { 0 };

	(void)state;
	assert_false(vd_vault_readable(v));
	assert_memory_not_equal(vd_vault_key(v), vd_vault_key(other), VD_VAULT_KEY_BYTES);
	assert_null(vd_vault_key(plain));
	for (size_t n = 0; n < 70000; n = n * 9 / 8 + 1) {
		vd_buf_reset(&text);
		memset(vd_buf_extend(&text, n), 'x', n);
		vd_buf_reset(&sealed);
		assert_int_equal(vd_vault_seal(v, place, vd_buf_slice(&text), &sealed), 0);
		assert_null(n > 4 ? memmem(sealed.p, sealed.n, text.p, 5) : NULL);
		assert_int_equal(vd_vault_open(v, place, vd_buf_slice(&sealed), &room, &value), 0);
		assert_true(vd_slice_eq(value, vd_buf_slice(&text)));
		assert_int_equal(vd_vault_open(v, vd_slice_str("Place"), vd_buf_slice(&sealed), &room, &value), VD_EDAMAGED);
		assert_int_equal(vd_vault_open(other, place, vd_buf_slice(&sealed), &room, &value), VD_EDAMAGED);
		assert_int_equal(vd_vault_open(plain, place, vd_buf_slice(&sealed), &room, &value), VD_EKEY);
	}
	/* Whatever stands readable in a sealed store was put there by somebody else. */
	vd_buf_reset(&sealed);
	assert_int_equal(vd_vault_seal(plain, place, vd_slice_str("put there"), &sealed), 0);
	assert_int_equal(vd_vault_open(v, place, vd_buf_slice(&sealed), &room, &value), VD_EDAMAGED);
	vd_buf_deinit(&text);
	vd_buf_deinit(&sealed);
	vd_buf_deinit(&room);
	vd_vault_free(v);
	vd_vault_free(other);
	vd_vault_free(plain);
}

static void test_vault__every_byte_is_guarded(void **state)
{
	struct vd_vault *v = of(1);
	struct vd_slice place = vd_slice_str("place"), value;
	struct vd_buf sealed = { 0 }, room = { 0 };

	(void)state;
	assert_int_equal(vd_vault_seal(v, place, vd_slice_str("a short one"), &sealed), 0);
	for (size_t i = 0; i < sealed.n; i++) {
		int rc;

		assert_true((rc = vd_vault_open(v, place, vd_slice(sealed.p, i), &room, &value)) == VD_EDAMAGED);
		sealed.p[i] ^= 0x20;
		rc = vd_vault_open(v, place, vd_buf_slice(&sealed), &room, &value);
		assert_int_equal(rc, i ? VD_EDAMAGED : VD_EVERSION);
		sealed.p[i] ^= 0x20;
	}
	vd_buf_put(&sealed, "", 1);
	assert_int_equal(vd_vault_open(v, place, vd_buf_slice(&sealed), &room, &value), VD_EDAMAGED);
	vd_buf_deinit(&sealed);
	vd_buf_deinit(&room);
	vd_vault_free(v);
}

/* Sizes tell nothing finer than their bucket, and cost little. */
static void test_vault__buckets(void **state)
{
	struct vd_vault *v = of(1);
	struct vd_buf sealed = { 0 };
	static uint8_t text[100000];
	size_t before = 0;

	(void)state;
	for (size_t n = 0; n < sizeof(text); n += n < 5000 ? 1 : 997) {
		size_t inner;

		vd_buf_reset(&sealed);
		assert_int_equal(vd_vault_seal(v, vd_slice_str("x"), vd_slice(text, n), &sealed), 0);
		inner = sealed.n - 41;
		assert_int_equal(inner % 64, 0);
		assert_true(inner >= n + 4 && inner >= before);
		if (n + 4 <= 1024)
			assert_true(inner < n + 4 + 64);
		else
			assert_true((inner - n - 4) * 16 <= n + 4);
		before = inner;
	}
	vd_buf_deinit(&sealed);
	vd_vault_free(v);
}

struct many {
	struct vd_vault *v;
	struct vd_buf nonces;
};

enum { MANY = 2000, NONCE = 24 };

static void *seal_many(void *arg)
{
	struct many *m = arg;
	struct vd_buf sealed = { 0 };

	for (size_t i = 0; i < MANY; i++) {
		vd_buf_reset(&sealed);
		if (vd_vault_seal(m->v, vd_slice_str("x"), vd_slice_str("y"), &sealed))
			return m;
		vd_buf_put(&m->nonces, sealed.p + 1, NONCE);
	}
	vd_buf_deinit(&sealed);
	return NULL;
}

static int by_nonce(const void *a, const void *b)
{
	return memcmp(a, b, NONCE);
}

/* Threads, a fork, and the same key opened again: no nonce twice. */
static void test_vault__nonces(void **state)
{
	struct vd_buf all = { 0 };
	struct many m[4] = { { .v = of(1) }, { 0 }, { 0 }, { .v = of(1) } };
	pthread_t thread[3];
	int ends[2], status;
	void *failed;
	pid_t child;

	(void)state;
	m[1].v = m[2].v = m[0].v;
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, seal_many, &m[i]), 0);
	assert_null(seal_many(&m[3]));
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(pthread_join(thread[i], &failed), 0);
		assert_null(failed);
	}
	assert_int_equal(pipe(ends), 0);
	child = fork();
	if (!child) {
		struct many c = { .v = m[0].v };

		if (seal_many(&c))
			_exit(1);
		for (size_t at = 0; at < c.nonces.n;) {
			ssize_t n = write(ends[1], c.nonces.p + at, c.nonces.n - at);

			if (n <= 0)
				_exit(2);
			at += (size_t)n;
		}
		_exit(0);
	}
	close(ends[1]);
	for (;;) {
		uint8_t some[4096];
		ssize_t n = read(ends[0], some, sizeof(some));

		if (n <= 0)
			break;
		vd_buf_put(&all, some, (size_t)n);
	}
	close(ends[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	/* The parent goes on where it was. */
	assert_null(seal_many(&m[0]));
	for (size_t i = 0; i < 4; i++) {
		vd_buf_put_slice(&all, vd_buf_slice(&m[i].nonces));
		vd_buf_deinit(&m[i].nonces);
	}
	assert_int_equal(all.n, 6 * MANY * NONCE);
	qsort(all.p, all.n / NONCE, NONCE, by_nonce);
	for (size_t at = NONCE; at < all.n; at += NONCE)
		assert_memory_not_equal(all.p + at, all.p + at - NONCE, NONCE);
	vd_buf_deinit(&all);
	vd_vault_free(m[0].v);
	vd_vault_free(m[3].v);
}

static void test_vault__keys_turn(void **state)
{
	struct vd_vault *plain = vd_vault_new_plain(), *a = of(1), *b = of(2);
	uint8_t key[VD_INDEX_KEY_BYTES], turned[VD_INDEX_KEY_BYTES], back[VD_INDEX_KEY_BYTES], list[VD_LIST_KEY_BYTES],
		other[VD_LIST_KEY_BYTES];
	struct vd_slice part = vd_slice_str("guess");

	(void)state;
	vd_vault_index_key(plain, "use", &part, 1, key);
	vd_vault_index_key(a, "use", &part, 1, turned);
	assert_memory_not_equal(key, turned, sizeof(key));
	assert_memory_not_equal(key, turned, 8);
	assert_memory_not_equal(key + 8, turned + 8, 8);
	vd_vault_turn_key(a, key, back);
	assert_memory_equal(back, turned, sizeof(back));
	vd_vault_turn_back(a, turned, back);
	assert_memory_equal(back, key, sizeof(back));
	vd_vault_turn_back(b, turned, back);
	assert_memory_not_equal(back, key, sizeof(back));
	vd_vault_turn_back(plain, key, back);
	assert_memory_equal(back, key, sizeof(back));

	for (size_t n = 5; n <= VD_LIST_KEY_BYTES; n += VD_LIST_KEY_BYTES - 5) {
		static const uint8_t none[VD_LIST_KEY_BYTES];

		vd_vault_list_key(plain, "use", &part, 1, n, list);
		assert_memory_equal(list, key, n);
		vd_vault_turn_list(a, list, n, other);
		vd_vault_list_key(a, "use", &part, 1, n, list);
		assert_memory_equal(list, other, sizeof(list));
		assert_memory_equal(list + n, none, sizeof(list) - n);
		assert_memory_not_equal(list, key, n);
		assert_memory_not_equal(list, turned, n);
		vd_vault_list_key(b, "use", &part, 1, n, other);
		assert_memory_not_equal(list, other, n);
	}
	vd_vault_free(plain);
	vd_vault_free(a);
	vd_vault_free(b);
}

static void test_vault__forget(void **state)
{
	struct vd_vault *v = of(1);
	static const uint8_t none[VD_VAULT_KEY_BYTES];
	struct vd_buf sealed = { 0 }, more = { 0 }, room = { 0 };
	struct vd_slice value;

	(void)state;
	assert_int_equal(vd_vault_seal(v, vd_slice_str("x"), vd_slice_str("y"), &sealed), 0);
	vd_vault_forget(v);
	assert_true(vd_vault_forgotten(v));
	assert_memory_equal(vd_vault_key(v), none, sizeof(none));
	assert_int_equal(vd_vault_seal(v, vd_slice_str("x"), vd_slice_str("y"), &more), VD_EKEY);
	assert_int_equal(more.n, 0);
	assert_int_equal(vd_vault_open(v, vd_slice_str("x"), vd_buf_slice(&sealed), &room, &value), VD_EKEY);
	vd_buf_deinit(&sealed);
	vd_buf_deinit(&more);
	vd_buf_deinit(&room);
	vd_vault_free(v);
}

/* Kilobytes of this process that are locked. */
static long locked_kib(void)
{
	FILE *f = fopen("/proc/self/status", "r");
	char line[256];
	long kib = -1;

	while (f && fgets(line, sizeof(line), f))
		(void)!sscanf(line, "VmLck: %ld", &kib);
	if (f)
		fclose(f);
	return kib;
}

/* The beginning of a value without its end or place; of what was sealed by another vault, or is cut off, nothing. */
static void test_vault__peek(void **state)
{
	struct vd_vault *vaults[] = { vd_vault_new_plain(), of(1) }, *other = of(2);
	uint8_t value[300], out[61];
	struct vd_buf sealed = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(value); i++)
		value[i] = (uint8_t)i;
	for (size_t i = 0; i < 2; i++) {
		struct vd_slice begin;

		vd_buf_reset(&sealed);
		assert_int_equal(vd_vault_seal(vaults[i], vd_slice_str("x"), vd_slice(value, sizeof(value)), &sealed), 0);
		assert_int_equal(sealed.n, vd_vault_sealed_bytes(vaults[i], sizeof(value)));
		begin = vd_slice(sealed.p, VD_SEALED_BEGIN_BYTES);
		assert_int_equal(vd_vault_peek(vaults[i], begin, out, 60), 0);
		assert_memory_equal(out, value, 60);
		assert_int_equal(vd_vault_peek(vaults[i], begin, out, 61), VD_EDAMAGED);
		assert_int_equal(vd_vault_peek(vaults[1 - i], begin, out, 60), VD_EDAMAGED);
		for (size_t n = 0; n < (i ? 1 + 24 + 4 + 16 : 1 + 16); n++)
			assert_int_equal(vd_vault_peek(vaults[i], vd_slice(sealed.p, n), out, 16), VD_EDAMAGED);
	}
	assert_int_equal(vd_vault_peek(other, vd_buf_slice(&sealed), out, 60), 0);
	assert_memory_not_equal(out, value, 60);
	vd_vault_forget(vaults[1]);
	assert_int_equal(vd_vault_peek(vaults[1], vd_buf_slice(&sealed), out, 60), VD_EKEY);
	for (size_t i = 0; i < 2; i++)
		vd_vault_free(vaults[i]);
	vd_vault_free(other);
	vd_buf_deinit(&sealed);
}

/* Locked, within the budget of 64 kB; and when it cannot be, that is noticed, not fatal. */
static void test_vault__locked_memory(void **state)
{
	long before = locked_kib(), with;
	struct vd_vault *v;
	int status;
	pid_t child;

	(void)state;
	if (mlock(&before, sizeof(before)) || locked_kib() == before)
		skip(); /* here no memory can be locked, or a sanitizer stands in between */
	before = locked_kib();
	v = of(1);
	with = locked_kib();
	assert_true(vd_vault_locked_memory(v));
	assert_true(with > before);
	assert_true(with - before <= 16);
	vd_vault_free(v);
	assert_int_equal(locked_kib(), before);
	child = fork();
	if (!child) {
		struct rlimit none = { 0, 0 };
		struct vd_buf sealed = { 0 };

		/* Who has CAP_IPC_LOCK is not bound by the limit. */
		(void)!syscall(SYS_prctl, PR_CAPBSET_DROP, 14);
		if (setrlimit(RLIMIT_MEMLOCK, &none) || (!geteuid() && (setgid(65534) || setuid(65534))))
			_exit(77);
		v = of(1);
		status = vd_vault_locked_memory(v) ? 1 : vd_vault_seal(v, vd_slice_str("x"), vd_slice_str("y"), &sealed) ? 2 : 0;
		vd_buf_deinit(&sealed);
		vd_vault_free(v);
		_exit(status);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) != 77)
		assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vault__plain_gives_back),
		cmocka_unit_test(test_vault__index_keys_differ),
		cmocka_unit_test(test_vault__sealed_gives_back),
		cmocka_unit_test(test_vault__every_byte_is_guarded),
		cmocka_unit_test(test_vault__buckets),
		cmocka_unit_test(test_vault__nonces),
		cmocka_unit_test(test_vault__keys_turn),
		cmocka_unit_test(test_vault__forget),
		cmocka_unit_test(test_vault__peek),
		cmocka_unit_test(test_vault__locked_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
