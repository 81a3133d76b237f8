#include "passphrase.h"

#include <sodium.h>
#include <time.h>
#include <unistd.h>
#include <utf8proc.h>

#include "proto/err.h"

_Static_assert(crypto_pwhash_argon2id_SALTBYTES == 16, "the salt's bytes");

/* Decomposed, UTF-8 becomes at most 3 code points for each 2 bytes (U+0390). One more: utf8proc_reencode ends the text. */
enum { ROOM = VD_PASSPHRASE_MAX / 2 * 3 + 1 };

/* In the caller's room, as the library's own would stand on the heap and not be wiped. */
static struct vd_slice normal_form(struct vd_slice text, utf8proc_int32_t room[ROOM])
{
	const utf8proc_option_t form = UTF8PROC_STABLE | UTF8PROC_COMPOSE;
	utf8proc_ssize_t n = utf8proc_decompose(text.p, (utf8proc_ssize_t)text.n, room, ROOM - 1, form);

	if (n >= 0 && n < ROOM)
		n = utf8proc_reencode(room, n, form);
	return n >= 0 ? vd_slice(room, (size_t)n) : text;
}

int vd_passphrase_key(struct vd_slice passphrase, const uint8_t salt[16], const struct vd_vault_cost *cost, uint8_t out[VD_KEY_BYTES])
{
	utf8proc_int32_t room[ROOM];
	struct vd_slice text;
	int rc = VD_OK;

	if (passphrase.n > VD_PASSPHRASE_MAX)
		return VD_ECAP;
	text = normal_form(passphrase, room);
	if (crypto_pwhash_argon2id(out, VD_KEY_BYTES, (const char *)text.p, text.n, salt, cost->ops, (size_t)cost->memory_bytes,
	                           crypto_pwhash_argon2id_ALG_ARGON2ID13))
		rc = VD_ENOMEM;
	sodium_memzero(room, sizeof(room));
	return rc;
}

static uint64_t now_us(void)
{
	struct timespec t;

	/* Of this thread: another program at work must not make a passphrase cheap to guess. */
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* Microseconds; 0: it cannot. */
static uint64_t time_of(uint64_t ops, uint64_t memory)
{
	static const uint8_t salt[16];
	const struct vd_vault_cost cost = { .ops = ops, .memory_bytes = memory };
	uint8_t out[VD_KEY_BYTES];
	uint64_t before = now_us();

	return vd_passphrase_key(vd_slice_str("measured"), salt, &cost, out) ? 0 : now_us() - before + 1;
}

void vd_passphrase_measure(struct vd_vault_cost *cost)
{
	enum { LEAST_MEMORY = 8 << 20, LEAST_US = 500000, FIRST_US = 900000 };
	long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
	uint64_t quarter = pages > 0 && page > 0 ? (uint64_t)pages * (uint64_t)page / 4 : LEAST_MEMORY;
	uint64_t memory = VD_VAULT_MEASURED_MAX, took, ops = 1;

	while (memory > quarter && memory > LEAST_MEMORY)
		memory /= 2;
	/* One pass must leave room for the machine to be slower another time. */
	for (took = time_of(1, memory); (!took || took > FIRST_US) && memory > LEAST_MEMORY; took = time_of(1, memory))
		memory /= 2;
	while (took && took < LEAST_US && ops < VD_VAULT_OPS_MAX) {
		uint64_t more = ops * LEAST_US / took + 1;

		ops = more < VD_VAULT_OPS_MAX ? more : VD_VAULT_OPS_MAX;
		took = time_of(ops, memory);
	}
	*cost = (struct vd_vault_cost){ .ops = ops, .memory_bytes = memory };
}

uint64_t vd_passphrase_estimate(const struct vd_vault_cost *cost)
{
	enum { PART = 64 << 20 };
	uint64_t memory = cost->memory_bytes < PART ? cost->memory_bytes : PART;

	/* Both in proportion, nearly: Argon2id fills the memory once a pass. Within VD_VAULT_WORK_MAX nothing overflows. */
	return memory ? time_of(1, memory) * cost->ops / 1000 * cost->memory_bytes / memory : 0;
}
