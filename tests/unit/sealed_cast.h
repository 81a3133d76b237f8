/* A store in which everything occurs, and what can be read of it without its secret. */
#ifndef SEALED_CAST_H
#define SEALED_CAST_H

#include <dirent.h>
#include <fcntl.h>
#include <lmdb.h>
#include <sodium.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "tests/unit/merge_cast.h"

#include "store/arrivals.h"
#include "store/file.h"
#include "store/index.h"
#include "store/salvage.h"
#include "store/inside.h"
#include "store/sealing.h"
#include "store/shares.h"

/* Here each test says itself how a store rests. */
#undef vd_store_create
#undef vd_store_open

static const struct vd_vault_cost cheap = { .ops = 1, .memory_bytes = 8192 };
static const struct vd_secret words = { .passphrase = { (const uint8_t *)"la casa de la esquina", 21 } },
                              wrong = { .passphrase = { (const uint8_t *)"la casa de enfrente", 19 } };

static inline struct vd_store *made(const char *home, const char *name, const struct vd_secret *secret)
{
	struct vd_store *s;

	assert_int_equal(vd_store_create_with(home, name, secret, &cheap), 0);
	assert_int_equal(vd_store_open_with(home, secret, &s), 0);
	return s;
}

static inline struct vd_store *opened(const char *home, const struct vd_secret *secret)
{
	struct vd_store *s;

	assert_int_equal(vd_store_open_with(home, secret, &s), 0);
	return s;
}

/* --- all files of a folder --- */

static inline void read_all(const char *folder, struct vd_buf *out)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;

	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		char path[600];
		struct stat st;

		if (entry->d_name[0] == '.')
			continue;
		assert_true((size_t)snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name) < sizeof(path));
		assert_int_equal(stat(path, &st), 0);
		vd_buf_put(out, entry->d_name, strlen(entry->d_name) + 1);
		if (S_ISDIR(st.st_mode))
			read_all(path, out);
		else
			assert_int_equal(vd_file_read(path, (size_t)1 << 30, out), 0);
	}
	closedir(dir);
	assert_int_equal(vd_buf_check(out), 0);
}

static inline bool holds(const struct vd_buf *all, const void *p, size_t n)
{
	char hex[257];

	vd_hex(hex, p, n < 128 ? n : 128);
	return memmem(all->p, all->n, p, n) || memmem(all->p, all->n, hex, strlen(hex));
}

/* --- a store in which everything occurs --- */

struct scene {
	struct vd_store *a, *b;
	struct vd_group *ga, *gb;
	uint8_t id[VD_GROUP_BYTES];
	struct vd_id first;
	struct vd_buf stranger;    /* a raw record that waits in the pool */
};

/* Two histories of one shape: every word, name and kind is another of the same length. */
enum { HOME, PERSON, TEXT, KIND, SEGMENT, GROUP, WORDS };
static const char *const said[2][WORDS] = {
	{ "Barranquilla", "Rosaluz Prada", "el canario canta de noche", "denuncia", "canario-usb-17", "Guainia del Norte" },
	{ "Bucaramangas", "Isabel Quiroz", "la gallina corre al campo", "acuerdos", "gallina-usb-23", "Vaupes de Oriente" },
};

static inline void redact(struct scene *c, const char *text)
{
	struct vd_field field = { vd_slice_str("text"), { .type = VD_MP_STR, .bytes = vd_slice_str(text) } };
	struct vd_draft draft = { .lane = VD_LANE_URGENT, .audience = VD_AUDIENCE_EVERYONE, .now_ms = cast_now + 5, .redacts = &c->first };
	struct vd_buf content = { 0 };
	struct vd_write *w;
	struct vd_id id;

	assert_int_equal(vd_content_encode(vd_slice_str("redaction"), &field, 1, &content), 0);
	draft.content = vd_buf_slice(&content);
	assert_int_equal(vd_write_begin(c->a, &w), 0);
	assert_int_equal(vd_write_own(w, c->ga, &draft, &id), 0);
	assert_int_equal(vd_write_commit(w), 0);
	vd_buf_deinit(&content);
}

/* Its author is nobody yet. */
static inline void pool_one(struct scene *c, const char *text)
{
	struct vd_record_fields fields = { .lane = VD_LANE_NORMAL, .seq = 1, .time_ms = cast_now };
	uint8_t seed[VD_IDENTITY_SEED_BYTES];
	struct vd_identity stranger;
	struct vd_batch batch = { 0 };
	struct vd_merge merge = { 0 };
	struct vd_id id;

	randombytes_buf(seed, sizeof(seed));
	vd_identity_from_seed(seed, &stranger);
	memcpy(fields.group, c->id, VD_GROUP_BYTES);
	memcpy(fields.author, stranger.author, VD_KEY_BYTES);
	assert_int_equal(vd_record_create(&fields, vd_slice_str(text), stranger.author_secret, &c->stranger, &id), 0);
	assert_int_equal(vd_batch_add(&batch, vd_buf_slice(&c->stranger)), 0);
	assert_int_equal(vd_store_merge(c->a, c->ga, &batch, &merge), 0);
	assert_int_equal(merge.pooled, 1);
	vd_batch_deinit(&batch);
}

static inline void fill(struct scene *c, int twist, const struct cast_place *p, const struct vd_secret *secret)
{
	const struct vd_shares shares = { .records = 5000, .day_bytes = 1 << 20, .reserve_bytes = 1 << 20 };
	const char *const *w = said[twist];
	struct vd_arrivals held = { 0 };
	struct vd_identity next;
	struct vd_merge merge;
	struct vd_buf list = { 0 };
	struct vd_write *write;

	memset(c, 0, sizeof(*c));
	c->a = made(p->home, w[HOME], secret);
	c->b = made(p->other, "b", NULL);
	assert_int_equal(vd_store_found(c->a, w[GROUP], w[PERSON], cast_now, c->id), 0);
	assert_int_equal(vd_store_group(c->a, c->id, &c->ga), 0);
	c->gb = cast_join(c->a, c->ga, c->b);
	cast_add(c->a, c->ga, w[TEXT], &c->first);
	assert_int_equal(vd_write_begin(c->a, &write), 0);
	for (int i = 0; i < 40; i++)
		assert_int_equal(cast_own_kind(write, c->ga, VD_LANE_NORMAL, w[KIND], w[TEXT], i % 3 ? &c->first : NULL, cast_now + 10, NULL), 0);
	assert_int_equal(vd_write_note(write, w[KIND], vd_slice_str(w[TEXT]), vd_slice_str(w[PERSON])), 0);
	assert_int_equal(vd_write_commit(write), 0);
	redact(c, w[TEXT]);
	cast_carry(c->a, c->b, c->gb, &merge);
	for (int i = 0; i < 3; i++)
		cast_add(c->b, c->gb, w[TEXT], NULL);
	cast_carry(c->b, c->a, c->ga, &merge);
	pool_one(c, w[TEXT]);
	assert_int_equal(vd_store_next_identity(c->a, &next), 0);
	vd_identity_wipe(&next);
	for (uint64_t i = 1; i < 20; i++)
		assert_int_equal(vd_arrivals_add(&held, i, false), 0);
	assert_int_equal(vd_arrivals_encode(&held, &list), 0);
	assert_int_equal(vd_store_segment_learn(c->a, w[SEGMENT], vd_buf_slice(&list)), 0);
	assert_int_equal(vd_store_heard_set(c->a, c->id, vd_group_identity(c->gb)->author, 4), 0);
	assert_int_equal(vd_shares_set(c->a, &shares, cast_now), 0);
	assert_int_equal(vd_index_catch_up(c->a), 0);
	vd_arrivals_deinit(&held);
	vd_buf_deinit(&list);
}

static inline void leave(struct scene *c)
{
	vd_group_free(c->ga);
	vd_group_free(c->gb);
	vd_store_close(c->a);
	vd_store_close(c->b);
	vd_buf_deinit(&c->stranger);
}

struct looking {
	const struct vd_buf *all;
	size_t found, sought;
};

static inline void look(struct looking *l, const void *p, size_t n)
{
	l->sought++;
	l->found += holds(l->all, p, n);
}

static inline int look_for_record(void *ctx, uint64_t arrival, uint64_t received_ms, struct vd_slice raw)
{
	uint8_t number[8];
	struct vd_record r;

	(void)arrival;
	assert_int_equal(vd_record_decode(raw, &r), 0);
	look(ctx, r.id.b, VD_ID_BYTES);
	look(ctx, r.author, VD_KEY_BYTES);
	look(ctx, r.signature.p, r.signature.n);
	look(ctx, raw.p, 48);
	vd_set_u64(number, received_ms);
	look(ctx, number + 2, 6);
	vd_set_u64(number, r.time_ms);
	look(ctx, number + 2, 6);
	return VD_OK;
}

/* Names of values and lists that anybody can guess, or knows who has a group's id. */
static inline void look_for_guesses(struct looking *l, const uint8_t *group)
{
	static const char *const values[] = { "store", "groups", "next identity", "index" }, *const lists[] = { "lane", "redacted" };
	struct vd_vault *plain = vd_vault_new_plain();
	struct vd_slice parts[] = { vd_slice(group, VD_GROUP_BYTES), { 0 } };
	uint8_t key[VD_INDEX_KEY_BYTES], list[VD_LIST_KEY_BYTES];

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		vd_vault_index_key(plain, values[i], NULL, 0, key);
		look(l, key, sizeof(key));
	}
	vd_vault_index_key(plain, "identity", parts, 1, key);
	look(l, key, sizeof(key));
	for (uint8_t lane = 0; lane < 3; lane++) {
		parts[1] = vd_slice(&lane, 1);
		vd_vault_list_key(plain, lists[0], parts, 2, VD_LIST_KEY_BYTES, list);
		look(l, list, sizeof(list));
	}
	vd_vault_list_key(plain, lists[1], parts, 1, VD_LIST_KEY_BYTES, list);
	look(l, list, sizeof(list));
	vd_vault_free(plain);
}

/* Everything a store holds that must not stand in its files: how much of it does. */
static inline struct looking look_for_all(struct scene *c, int twist, const char *home)
{
	const char *const *w = said[twist];
	uint8_t device[VD_STORE_DEVICE_BYTES];
	char name[VD_DEVICE_NAME_MAX + 1];
	const struct vd_identity *self = vd_group_identity(c->ga);
	struct vd_identity next;
	struct vd_buf all = { 0 };
	struct looking l = { .all = &all };
	size_t guessed;

	read_all(home, &all);
	for (size_t i = 0; i < WORDS; i++)
		look(&l, w[i], strlen(w[i]));
	look(&l, "message", 7);
	look(&l, c->id, VD_GROUP_BYTES);
	look(&l, vd_group_salt(c->ga), VD_SALT_BYTES);
	look(&l, self->author, VD_KEY_BYTES);
	look(&l, vd_group_identity(c->gb)->author, VD_KEY_BYTES);
	assert_int_equal(vd_store_next_identity(c->a, &next), 0);
	look(&l, next.author_secret, 32);
	vd_identity_wipe(&next);
	for (size_t i = 0; i < vd_group_epoch_count(c->ga); i++) {
		for (size_t k = 0; k < VD_EPOCH_KEYS; k++)
			look(&l, vd_group_epoch_keys(c->ga, i)->key[k], VD_KEY_BYTES);
	}
	look(&l, self->author_secret, 32);
	vd_store_device(c->a, device, name);
	look(&l, device, sizeof(device));
	look(&l, c->stranger.p, 64);
	guessed = l.found;
	look_for_guesses(&l, c->id);
	if (vd_store_readable(c->a)) /* all values; of a list its block may tell only how far it is from another */
		assert_in_range(l.found - guessed, 5, 9);
	assert_int_equal(vd_store_walk(c->a, NULL, 255, 0, look_for_record, &l), 0);
	if (vd_vault_key(vd_store_vault(c->a))) {
		look(&l, vd_vault_key(vd_store_vault(c->a)), 32);
		look(&l, vd_vault_key(vd_store_vault(c->a)) + 32, 32);
	}
	vd_buf_deinit(&all);
	return l;
}

#endif
