#include "backup_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "db.h"
#include "file.h"
#include "passphrase.h"
#include "proto/err.h"
#include "proto/hash.h"
#include "proto/seal.h"

enum {
	PLAIN_BYTES = VD_CHUNK_BYTES - crypto_secretstream_xchacha20poly1305_ABYTES,
	PASSPHRASE_PLACE = 0,
	ARGON_SALT_BYTES = crypto_pwhash_argon2id_SALTBYTES,
	MEMORY_BITS_MAX = 63,
	FORMAT = 1,
	VALUE_STEP = 64 * 1024,      /* of a value whose length is only claimed */
	VALUE_MAX = 2 * VD_VALUE_MAX,
};

_Static_assert((int)ARGON_SALT_BYTES <= VD_SALT_BYTES - 2, "the rest of the salt hides the cost");
_Static_assert(VD_BACKUP_HEAD - VD_BACKUP_STREAM == crypto_secretstream_xchacha20poly1305_HEADERBYTES, "a stream's header");
_Static_assert(VD_SLOT_BYTES == 2 * VD_KEY_BYTES + crypto_aead_xchacha20poly1305_ietf_ABYTES, "a place for a passphrase");
_Static_assert(VD_SLOT_BYTES == VD_KEY_BYTES + crypto_box_SEALBYTES, "a place for a paper key");

/* Stands in locked memory. */
struct secrets {
	uint8_t file_key[VD_KEY_BYTES], wrap[VD_KEY_BYTES], text[2 * VD_KEY_BYTES];
	crypto_secretstream_xchacha20poly1305_state stream;
};

/* One message, and where we are in it. */
struct piece {
	struct secrets *secrets;
	uint8_t head_hash[VD_HASH_BYTES];
	bool begun;
	size_t at, n;
	uint8_t plain[PLAIN_BYTES], sealed[VD_CHUNK_BYTES];
};

struct vd_backup_out {
	struct piece piece;
	struct vd_file_out *file;
};

struct vd_backup_in {
	struct piece piece;
	bool last;
	int fd;
	uint64_t bytes;
};

/* --- the head --- */

/* No writer takes more memory than is measured for, and the smallest machine of a group must be able to open it. */
static bool cost_ok(const struct vd_vault_cost *c)
{
	return c->ops >= crypto_pwhash_argon2id_OPSLIMIT_MIN && c->ops <= VD_VAULT_OPS_MAX &&
	       c->memory_bytes >= crypto_pwhash_argon2id_MEMLIMIT_MIN && c->memory_bytes <= VD_VAULT_MEASURED_MAX &&
	       c->ops * c->memory_bytes <= VD_VAULT_WORK_MAX;
}

int vd_backup_head_cost(const uint8_t head[VD_BACKUP_HEAD], struct vd_vault_cost *out)
{
	uint8_t ops = head[VD_BACKUP_COST] ^ head[VD_SALT_BYTES - 2], bits = head[VD_BACKUP_COST + 1] ^ head[VD_SALT_BYTES - 1];

	*out = (struct vd_vault_cost){ .ops = ops, .memory_bytes = bits <= MEMORY_BITS_MAX ? UINT64_C(1) << bits : 0 };
	return cost_ok(out) ? VD_OK : VD_EFORMAT;
}

static const uint8_t zeros[VD_KEY_BYTES];

static int put_passphrase(uint8_t *head, const struct vd_backup_for *to, struct secrets *s)
{
	struct vd_vault_cost cost;
	uint8_t bits = 0;
	int rc;

	if (to->cost)
		cost = *to->cost;
	else
		vd_passphrase_measure(&cost);
	while (bits < MEMORY_BITS_MAX && UINT64_C(2) << bits <= cost.memory_bytes)
		bits++;
	cost.memory_bytes = UINT64_C(1) << bits;
	if (!cost_ok(&cost))
		return VD_EINVAL;
	head[VD_BACKUP_COST] = (uint8_t)cost.ops ^ head[VD_SALT_BYTES - 2];
	head[VD_BACKUP_COST + 1] = bits ^ head[VD_SALT_BYTES - 1];
	rc = vd_passphrase_key(to->passphrase, head, &cost, s->wrap);
	if (rc)
		return rc;
	memset(s->text, 0, sizeof(s->text));
	memcpy(s->text, s->file_key, VD_KEY_BYTES);
	/* The key is of this salt alone, so the nonce may stand still; the zeros make that no second key fits. */
	crypto_aead_xchacha20poly1305_ietf_encrypt(head + VD_BACKUP_PLACE, NULL, s->text, sizeof(s->text), NULL, 0, NULL, zeros, s->wrap);
	return VD_OK;
}

static void mask(const uint8_t *author, const uint8_t *box, const uint8_t *head, uint8_t place, const uint8_t *in,
                 uint8_t out[VD_SLOT_BYTES])
{
	const struct vd_slice parts[] = { vd_slice(author, VD_KEY_BYTES), vd_slice(box, VD_KEY_BYTES), vd_slice(head, VD_SALT_BYTES),
		                          vd_slice(&place, 1) };
	uint8_t key[VD_KEY_BYTES];

	vd_hash(VD_HASH_MASK, vd_slice(NULL, 0), key, sizeof(key), parts, 4);
	crypto_stream_chacha20_ietf_xor(out, in, VD_SLOT_BYTES, zeros, key);
}

static uint8_t *place_of(uint8_t *head, size_t place)
{
	return head + VD_BACKUP_PLACE + place * VD_SLOT_BYTES;
}

static int put_papers(uint8_t *head, const struct vd_backup_for *to, struct secrets *s)
{
	for (size_t i = 0; i < to->paper_count; i++) {
		uint8_t place = (uint8_t)(PASSPHRASE_PLACE + 1 + i), *p = place_of(head, place);

		if (!vd_seal_box_ok(to->papers[i].box) || crypto_box_seal(p, s->file_key, VD_KEY_BYTES, to->papers[i].box))
			return VD_EINVAL;
		mask(to->papers[i].author, to->papers[i].box, head, place, p, p);
	}
	return VD_OK;
}

static int make_head(uint8_t head[VD_BACKUP_HEAD], const struct vd_backup_for *to, struct secrets *s)
{
	int rc = VD_OK;

	randombytes_buf(head, VD_BACKUP_HEAD);
	randombytes_buf(s->file_key, sizeof(s->file_key));
	if (to->passphrase.n)
		rc = put_passphrase(head, to, s);
	if (!rc)
		rc = put_papers(head, to, s);
	if (!rc && crypto_secretstream_xchacha20poly1305_init_push(&s->stream, head + VD_BACKUP_STREAM, s->file_key))
		rc = VD_ECRYPTO;
	return rc;
}

static int open_passphrase(const uint8_t *head, struct vd_slice passphrase, struct secrets *s)
{
	struct vd_vault_cost cost;
	int rc = vd_backup_head_cost(head, &cost);

	if (!rc)
		rc = vd_passphrase_key(passphrase, head, &cost, s->wrap);
	if (rc)
		return rc;
	if (crypto_aead_xchacha20poly1305_ietf_decrypt(s->text, NULL, NULL, head + VD_BACKUP_PLACE, VD_SLOT_BYTES, NULL, 0, zeros, s->wrap) ||
	    !sodium_is_zero(s->text + VD_KEY_BYTES, VD_KEY_BYTES))
		return VD_EKEY;
	memcpy(s->file_key, s->text, VD_KEY_BYTES);
	return VD_OK;
}

static int open_paper(uint8_t *head, const struct vd_identity *paper, struct secrets *s)
{
	for (uint8_t place = PASSPHRASE_PLACE + 1; place < VD_BACKUP_PLACES; place++) {
		uint8_t sealed[VD_SLOT_BYTES];

		mask(paper->author, paper->box, head, place, place_of(head, place), sealed);
		if (!crypto_box_seal_open(s->file_key, sealed, sizeof(sealed), paper->box, paper->box_secret))
			return VD_OK;
	}
	return VD_EKEY;
}

static int open_head(uint8_t head[VD_BACKUP_HEAD], const struct vd_backup_key *with, struct secrets *s)
{
	int rc = VD_EKEY;

	if (with->paper)
		rc = open_paper(head, with->paper, s);
	if (rc == VD_EKEY && with->passphrase.n && with->passphrase.n <= VD_PASSPHRASE_MAX)
		rc = open_passphrase(head, with->passphrase, s);
	if (!rc && crypto_secretstream_xchacha20poly1305_init_pull(&s->stream, head + VD_BACKUP_STREAM, s->file_key))
		rc = VD_EDAMAGED;
	return rc;
}

/* --- writing --- */

static int piece_init(struct piece *p)
{
	p->secrets = sodium_init() < 0 ? NULL : sodium_malloc(sizeof(*p->secrets));
	return p->secrets ? VD_OK : VD_ENOMEM;
}

static void piece_deinit(struct piece *p)
{
	sodium_free(p->secrets); /* wipes; NULL is fine */
	sodium_memzero(p->plain, sizeof(p->plain));
}

/* What the first message is bound to. */
static size_t bound(struct piece *p)
{
	size_t n = p->begun ? 0 : sizeof(p->head_hash);

	p->begun = true;
	return n;
}

static bool fits(const struct vd_backup_for *to)
{
	if (!to->passphrase.n && !to->paper_count)
		return false;
	if (to->passphrase.n && (to->passphrase.n < VD_PASSPHRASE_MIN || to->passphrase.n > VD_PASSPHRASE_MAX))
		return false;
	return to->paper_count <= VD_BACKUP_PAPERS;
}

int vd_backup_out_open(const char *path, const struct vd_backup_for *to, struct vd_backup_out **out)
{
	uint8_t head[VD_BACKUP_HEAD];
	struct vd_backup_out *o;
	int rc;

	if (!fits(to) || !strcmp(path, "-"))
		return VD_EINVAL;
	o = calloc(1, sizeof(*o));
	if (!o)
		return VD_ENOMEM;
	rc = piece_init(&o->piece);
	if (!rc)
		rc = make_head(head, to, o->piece.secrets);
	if (!rc)
		rc = vd_file_create(path, &o->file);
	if (!rc)
		rc = vd_file_write(o->file, vd_slice(head, sizeof(head)));
	if (rc) {
		vd_backup_out_abort(o);
		return rc;
	}
	vd_hash1(VD_HASH_HEAD, o->piece.head_hash, vd_slice(head, sizeof(head)));
	*out = o;
	return VD_OK;
}

static int push(struct vd_backup_out *o, uint8_t tag)
{
	struct piece *p = &o->piece;

	memset(p->plain + p->n, 0, sizeof(p->plain) - p->n);
	crypto_secretstream_xchacha20poly1305_push(&p->secrets->stream, p->sealed, NULL, p->plain, sizeof(p->plain), p->head_hash, bound(p), tag);
	p->n = 0;
	return vd_file_write(o->file, vd_slice(p->sealed, sizeof(p->sealed)));
}

int vd_backup_out_put(struct vd_backup_out *o, struct vd_slice bytes)
{
	struct piece *p = &o->piece;

	while (bytes.n) {
		size_t n = sizeof(p->plain) - p->n;
		int rc = n ? VD_OK : push(o, 0);

		if (rc)
			return rc;
		n = sizeof(p->plain) - p->n;
		n = n < bytes.n ? n : bytes.n;
		memcpy(p->plain + p->n, bytes.p, n);
		p->n += n;
		bytes = vd_slice(bytes.p + n, bytes.n - n);
	}
	return VD_OK;
}

static void out_free(struct vd_backup_out *o)
{
	piece_deinit(&o->piece);
	free(o);
}

int vd_backup_out_commit(struct vd_backup_out *o, uint64_t *bytes)
{
	int rc = push(o, crypto_secretstream_xchacha20poly1305_TAG_FINAL);

	*bytes = vd_file_size(o->file);
	if (rc)
		vd_file_abort(o->file);
	else
		rc = vd_file_commit(o->file, true);
	out_free(o);
	return rc;
}

void vd_backup_out_abort(struct vd_backup_out *o)
{
	if (!o)
		return;
	vd_file_abort(o->file);
	out_free(o);
}

/* --- reading --- */

static int read_exact(int fd, uint8_t *dst, size_t n)
{
	for (size_t at = 0; at < n;) {
		ssize_t got = read(fd, dst + at, n - at);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return vd_file_errno(errno);
		if (got == 0)
			return VD_ETORN;
		at += (size_t)got;
	}
	return VD_OK;
}

static int pull(struct vd_backup_in *in)
{
	struct piece *p = &in->piece;
	uint8_t tag;
	int rc;

	if (in->last)
		return VD_EDAMAGED; /* it says more of itself than it has */
	rc = read_exact(in->fd, p->sealed, sizeof(p->sealed));
	if (rc)
		return rc;
	if (crypto_secretstream_xchacha20poly1305_pull(&p->secrets->stream, p->plain, NULL, &tag, p->sealed, sizeof(p->sealed), p->head_hash, bound(p)))
		return VD_EDAMAGED;
	in->last = tag == crypto_secretstream_xchacha20poly1305_TAG_FINAL;
	p->at = 0;
	p->n = sizeof(p->plain);
	return VD_OK;
}

/* It is no whole number of messages: was it cut off, or is there something behind its last one? */
static int odd_length(struct vd_backup_in *in)
{
	int rc = VD_OK;

	while (!rc && !in->last)
		rc = pull(in);
	return rc ? rc : VD_ECAP;
}

int vd_backup_in_open(int fd, const struct vd_backup_key *with, struct vd_backup_in **out)
{
	struct vd_backup_in *in = calloc(1, sizeof(*in));
	uint8_t head[VD_BACKUP_HEAD];
	struct stat st;
	int rc = VD_ENOMEM;

	if (!in) {
		close(fd);
		return rc;
	}
	in->fd = fd;
	rc = piece_init(&in->piece);
	if (!rc && (fstat(fd, &st) || !S_ISREG(st.st_mode)))
		rc = VD_EINVAL;
	if (!rc)
		rc = read_exact(fd, head, sizeof(head));
	if (!rc)
		rc = open_head(head, with, in->piece.secrets);
	if (!rc) {
		in->bytes = (uint64_t)st.st_size;
		vd_hash1(VD_HASH_HEAD, in->piece.head_hash, vd_slice(head, sizeof(head)));
	}
	/* Cheaper to see now than after half of it was restored. */
	if (!rc && in->bytes <= VD_BACKUP_HEAD)
		rc = VD_ETORN;
	if (!rc && (in->bytes - VD_BACKUP_HEAD) % VD_CHUNK_BYTES)
		rc = odd_length(in);
	if (rc) {
		vd_backup_in_close(in);
		return rc;
	}
	*out = in;
	return VD_OK;
}

int vd_backup_in_get(struct vd_backup_in *in, void *dst, size_t n)
{
	struct piece *p = &in->piece;

	for (size_t done = 0; done < n;) {
		size_t part = p->n - p->at;
		int rc = part ? VD_OK : pull(in);

		if (rc)
			return rc;
		part = p->n - p->at;
		part = part < n - done ? part : n - done;
		memcpy((uint8_t *)dst + done, p->plain + p->at, part);
		p->at += part;
		done += part;
	}
	return VD_OK;
}

int vd_backup_in_end(struct vd_backup_in *in)
{
	struct piece *p = &in->piece;
	uint8_t more;
	int rc = VD_OK;

	/* What was written last may have filled its message: then the end is one of zeros alone. */
	if (!in->last && p->at == p->n)
		rc = pull(in);
	if (rc)
		return rc;
	if (!in->last || !sodium_is_zero(p->plain + p->at, p->n - p->at))
		return VD_EDAMAGED;
	rc = read_exact(in->fd, &more, 1);
	return rc == VD_ETORN ? VD_OK : rc ? rc : VD_ECAP;
}

uint64_t vd_backup_in_bytes(const struct vd_backup_in *in)
{
	return in->bytes;
}

void vd_backup_in_close(struct vd_backup_in *in)
{
	if (!in)
		return;
	close(in->fd);
	piece_deinit(&in->piece);
	free(in);
}

/* --- what stands in it --- */

static uint64_t get_u64(struct vd_backup_in *in, int *rc)
{
	uint8_t b[8] = { 0 };

	if (!*rc)
		*rc = vd_backup_in_get(in, b, sizeof(b));
	return vd_get_u64(b);
}

static uint8_t get_u8(struct vd_backup_in *in, int *rc)
{
	uint8_t b = 0;

	if (!*rc)
		*rc = vd_backup_in_get(in, &b, 1);
	return b;
}

static int read_groups(struct vd_backup_in *in, struct vd_backup_manifest *m)
{
	int rc = VD_OK;

	m->group_count = get_u8(in, &rc);
	if (!rc && m->group_count > VD_STORE_GROUPS_MAX)
		rc = VD_EDAMAGED;
	for (size_t i = 0; i < m->group_count && !rc; i++) {
		rc = vd_backup_in_get(in, m->groups[i].group, VD_GROUP_BYTES);
		for (size_t lane = 0; lane < VD_LANES; lane++) {
			m->groups[i].lanes[lane].count = get_u64(in, &rc);
			if (!rc)
				rc = vd_backup_in_get(in, m->groups[i].lanes[lane].digest, VD_HASH_BYTES);
		}
	}
	return rc;
}

int vd_backup_manifest_read(struct vd_backup_in *in, struct vd_backup_manifest *m)
{
	uint8_t format, sealed;
	int rc = VD_OK;

	memset(m, 0, sizeof(*m));
	format = get_u8(in, &rc);
	if (!rc && format != FORMAT)
		return format > FORMAT ? VD_EVERSION : VD_EDAMAGED;
	m->made_ms = get_u64(in, &rc);
	sealed = get_u8(in, &rc);
	if (!rc && sealed > 1)
		rc = VD_EDAMAGED;
	m->sealed = sealed == 1;
	if (!rc && m->sealed)
		rc = vd_backup_in_get(in, m->key, sizeof(m->key));
	m->entries = get_u64(in, &rc);
	m->records = get_u64(in, &rc);
	return rc ? rc : read_groups(in, m);
}

int vd_backup_entry_read(struct vd_backup_in *in, struct vd_backup_entry *e)
{
	uint8_t length[4];
	size_t left;
	int rc = VD_OK;

	vd_buf_reset(&e->value);
	e->table = get_u8(in, &rc);
	if (!rc && e->table >= VD_TABLES)
		rc = VD_EDAMAGED;
	memset(e->key, 0, sizeof(e->key));
	e->key_n = e->table == VD_TABLE_RECORDS || e->table == VD_TABLE_POOL ? 8 : VD_INDEX_KEY_BYTES;
	if (!rc)
		rc = vd_backup_in_get(in, e->key, e->key_n);
	if (!rc)
		rc = vd_backup_in_get(in, length, sizeof(length));
	left = rc ? 0 : vd_get_u32(length);
	if (left > VALUE_MAX)
		rc = VD_EDAMAGED;
	while (left && !rc) {
		size_t n = left < VALUE_STEP ? left : VALUE_STEP;
		uint8_t *p = vd_buf_extend(&e->value, n);

		rc = p ? vd_backup_in_get(in, p, n) : VD_ENOMEM;
		left -= n;
	}
	return rc;
}
