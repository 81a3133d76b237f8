/* A sealed store on the disk: what can be read there, what its shape tells, and how a readable one becomes one. */
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

static struct vd_store *made(const char *home, const char *name, const struct vd_secret *secret)
{
	struct vd_store *s;

	assert_int_equal(vd_store_create_with(home, name, secret, &cheap), 0);
	assert_int_equal(vd_store_open_with(home, secret, &s), 0);
	return s;
}

static struct vd_store *opened(const char *home, const struct vd_secret *secret)
{
	struct vd_store *s;

	assert_int_equal(vd_store_open_with(home, secret, &s), 0);
	return s;
}

/* --- all files of a folder --- */

static void read_all(const char *folder, struct vd_buf *out)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;

	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		char path[600];
		struct stat st;

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
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

static bool holds(const struct vd_buf *all, const void *p, size_t n)
{
	char hex[257];

	vd_hex(hex, p, n < 128 ? n : 128);
	return memmem(all->p, all->n, p, n) || memmem(all->p, all->n, hex, strlen(hex));
}

static void shell(const char *format, const char *a, const char *b)
{
	char command[1024];

	snprintf(command, sizeof(command), format, a, b);
	assert_int_equal(system(command), 0);
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

static void redact(struct scene *c, const char *text)
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
static void pool_one(struct scene *c, const char *text)
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

static void fill(struct scene *c, int twist, const struct cast_place *p, const struct vd_secret *secret)
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

static void leave(struct scene *c)
{
	vd_group_free(c->ga);
	vd_group_free(c->gb);
	vd_store_close(c->a);
	vd_store_close(c->b);
	vd_buf_deinit(&c->stranger);
}

/* --- nothing readable --- */

static int tick(void *ctx, const struct vd_found *found)
{
	(void)found;
	++*(size_t *)ctx;
	return VD_OK;
}

struct looking {
	const struct vd_buf *all;
	size_t found, sought;
};

static void look(struct looking *l, const void *p, size_t n)
{
	l->sought++;
	l->found += holds(l->all, p, n);
}

static int look_for_record(void *ctx, uint64_t arrival, uint64_t received_ms, struct vd_slice raw)
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
static void look_for_guesses(struct looking *l, const uint8_t *group)
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
static struct looking look_for_all(struct scene *c, int twist, const char *home)
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

static void test_sealed__nothing_readable(void **state)
{
	const struct cast_place *p = *state;
	struct looking l;
	struct scene c;
	size_t n = 0;

	fill(&c, 0, p, &words);
	assert_false(vd_store_readable(c.a));
	assert_int_equal(vd_query(c.a, &(struct vd_query){ .kind = said[0][KIND] }, tick, &n), 0);
	assert_int_equal(n, 40);
	l = look_for_all(&c, 0, p->home);
	assert_true(l.sought > 200);
	assert_int_equal(l.found, 0);
	leave(&c);
}

/* That the search would find it. */
static void test_sealed__readable_is_readable(void **state)
{
	const struct cast_place *p = *state;
	struct looking l;
	struct scene c;

	fill(&c, 0, p, NULL);
	assert_true(vd_store_readable(c.a));
	l = look_for_all(&c, 0, p->home);
	assert_true(l.found > l.sought / 2);
	leave(&c);
}

static void test_sealed__only_with_its_secret(void **state)
{
	const struct cast_place *p = *state;
	struct vd_store *s = made(p->home, "x", &words), *none = NULL;
	struct vd_secret lent;
	uint8_t key[VD_VAULT_KEY_BYTES];
	char vault[256], away[256];
	struct vd_salvage saved;

	memcpy(key, vd_vault_key(vd_store_vault(s)), sizeof(key));
	vd_store_close(s);
	lent = (struct vd_secret){ .key = key };
	assert_int_equal(vd_store_open(p->home, &none), VD_EKEY);
	assert_int_equal(vd_store_open_with(p->home, &wrong, &none), VD_EKEY);
	assert_int_equal(vd_store_create_with(p->home, "y", &words, &cheap), VD_EEXISTS);
	assert_int_equal(vd_store_create(p->home, "y"), VD_EEXISTS);
	assert_int_equal(vd_store_salvage(p->home, NULL, cast_now, &saved), VD_EKEY);
	vd_store_close(opened(p->home, &lent));
	key[0] ^= 1;
	assert_int_equal(vd_store_open_with(p->home, &lent, &none), VD_EKEY);
	/* Without its slots it is not taken for a readable one. */
	snprintf(vault, sizeof(vault), "%s/vault", p->home);
	snprintf(away, sizeof(away), "%s/away", p->home);
	assert_int_equal(rename(vault, away), 0);
	assert_int_equal(vd_store_open(p->home, &none), VD_EDAMAGED);
	assert_int_equal(vd_store_open_with(p->home, &words, &none), VD_EDAMAGED);
	assert_int_equal(vd_store_create(p->home, "y"), VD_EEXISTS);
	assert_int_equal(rename(away, vault), 0);
	/* A readable one needs no secret, and takes any. */
	vd_store_close(made(p->other, "z", NULL));
	vd_store_close(opened(p->other, &words));
}

/* Nothing that is written after the keys went reaches the disk. */
static void test_sealed__forgotten(void **state)
{
	const struct cast_place *p = *state;
	struct scene c;
	struct vd_write *w;
	struct vd_id id;
	uint64_t records, more, bytes;

	fill(&c, 0, p, &words);
	assert_int_equal(vd_store_size(c.a, &records, &bytes), 0);
	assert_int_equal(vd_write_begin(c.a, &w), 0);
	assert_int_equal(cast_own(w, c.ga, "before", cast_now, &id), 0);
	vd_vault_forget((struct vd_vault *)(uintptr_t)vd_store_vault(c.a));
	assert_int_not_equal(vd_write_commit(w), 0);
	assert_int_equal(vd_store_size(c.a, &more, &bytes), VD_EKEY);
	/* Taking away what a key of zeros names is no better. */
	assert_int_equal(vd_write_begin(c.a, &w), 0);
	assert_int_equal(vd_write_note(w, said[0][KIND], vd_slice_str(said[0][TEXT]), vd_slice(NULL, 0)), 0);
	assert_int_equal(vd_write_commit(w), VD_EKEY);
	assert_int_equal(vd_store_read(c.a, 1, &c.stranger, &(struct vd_record){ 0 }, NULL), VD_EKEY);
	vd_store_close(c.a);
	c.a = opened(p->home, &words);
	assert_int_equal(vd_store_read(c.a, 1, &c.stranger, &(struct vd_record){ 0 }, NULL), 0);
	assert_int_equal(vd_store_size(c.a, &more, &bytes), 0);
	assert_int_equal(more, records);
	leave(&c);
}

/* --- shape --- */

enum { TABLES = 6, SIZES_MAX = 1 << 16 };

struct shape {
	uint64_t entries[TABLES];
	size_t overflow[TABLES], size_count;
	size_t sizes[SIZES_MAX]; /* of each value, table after table, ascending; of packed lists only how many entries they have */
	off_t bytes;
};

static int by_size(const void *a, const void *b)
{
	const size_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static void shape_of(const char *home, struct shape *out)
{
	static const char *const tables[TABLES] = { "records", "items", "lists", "index", "values", "pool" };
	char path[256];
	struct stat st;
	MDB_env *env;
	MDB_txn *txn;

	memset(out, 0, sizeof(*out));
	snprintf(path, sizeof(path), "%s/data.mdb", home);
	assert_int_equal(stat(path, &st), 0);
	out->bytes = st.st_size;
	assert_int_equal(mdb_env_create(&env), 0);
	assert_int_equal(mdb_env_set_maxdbs(env, TABLES), 0);
	assert_int_equal(mdb_env_open(env, path, MDB_RDONLY | MDB_NOSUBDIR | MDB_NOLOCK, 0), 0);
	assert_int_equal(mdb_txn_begin(env, NULL, MDB_RDONLY, &txn), 0);
	for (size_t i = 0; i < TABLES; i++) {
		size_t first = out->size_count;
		MDB_cursor *cursor;
		MDB_stat stat_;
		MDB_val k, v;
		MDB_dbi table;

		assert_int_equal(mdb_dbi_open(txn, tables[i], 0, &table), 0);
		assert_int_equal(mdb_stat(txn, table, &stat_), 0);
		out->overflow[i] = stat_.ms_overflow_pages;
		assert_int_equal(mdb_cursor_open(txn, table, &cursor), 0);
		if (vd_is_list((enum vd_table)i)) { /* how far random keys are apart is nobody's secret */
			assert_int_equal(vd_lists_count(cursor, &out->entries[i]), 0);
			mdb_cursor_close(cursor);
			continue;
		}
		out->entries[i] = stat_.ms_entries;
		while (!mdb_cursor_get(cursor, &k, &v, MDB_NEXT)) {
			assert_true(out->size_count < SIZES_MAX);
			out->sizes[out->size_count++] = v.mv_size;
		}
		mdb_cursor_close(cursor);
		qsort(out->sizes + first, out->size_count - first, sizeof(size_t), by_size);
	}
	mdb_txn_abort(txn);
	mdb_env_close(env);
}

/* Who compares two disks learns nothing of what was said, by whom, of what kind, where. */
static void test_sealed__equal_shapes(void **state)
{
	static struct shape shape[2];
	struct cast_place *second = NULL;
	struct scene c;

	fill(&c, 0, *state, &words);
	leave(&c);
	shape_of(((struct cast_place *)*state)->home, &shape[0]);
	assert_int_equal(cast_setup((void **)&second), 0);
	fill(&c, 1, second, &wrong);
	leave(&c);
	shape_of(second->home, &shape[1]);
	assert_true(shape[0].entries[0] > 10 && shape[0].entries[5] == 1);
	assert_memory_equal(shape[0].entries, shape[1].entries, sizeof(shape[0].entries));
	assert_memory_equal(shape[0].overflow, shape[1].overflow, sizeof(shape[0].overflow));
	assert_int_equal(shape[0].size_count, shape[1].size_count);
	assert_memory_equal(shape[0].sizes, shape[1].sizes, shape[0].size_count * sizeof(size_t));
	/* Pages split where random keys fall: the same history twice differs by as much. */
	assert_true(labs((long)(shape[0].bytes - shape[1].bytes)) <= shape[0].bytes / 32);
	cast_teardown((void **)&second);
}

/* --- sealing in place --- */

/* What a store answers, as one hash. */
struct portrait {
	crypto_generichash_state hash;
	uint8_t out[32];
};

static void paint(struct portrait *p, const void *bytes, size_t n)
{
	uint8_t length[8];

	vd_set_u64(length, n);
	crypto_generichash_update(&p->hash, length, sizeof(length));
	crypto_generichash_update(&p->hash, bytes, n);
}

static void paint_number(struct portrait *p, uint64_t number)
{
	paint(p, &number, sizeof(number));
}

static int paint_found(void *ctx, const struct vd_found *f)
{
	paint_number(ctx, f->arrival);
	paint_number(ctx, f->received_ms);
	paint(ctx, f->record->raw.p, f->record->raw.n);
	paint_number(ctx, (uint64_t)f->body);
	if (!f->body)
		paint(ctx, f->content->kind.p, f->content->kind.n);
	paint_number(ctx, f->standing);
	paint(ctx, f->redaction.b, f->standing == VD_STANDING_REDACTED ? VD_ID_BYTES : 0);
	return VD_OK;
}

static int paint_raw(void *ctx, uint64_t arrival, uint64_t received_ms, struct vd_slice raw)
{
	paint_number(ctx, arrival);
	paint_number(ctx, received_ms);
	paint(ctx, raw.p, raw.n);
	return VD_OK;
}

static void portrait(struct vd_store *s, const struct scene *c, const uint8_t other[VD_KEY_BYTES], struct portrait *p)
{
	static struct vd_symbol symbols[VD_SKETCH_SYMBOLS];
	struct vd_query queries[] = {
		{ .control = true, .hidden = true }, { 0 }, { .kind = said[0][KIND] }, { .kind = "message" }, { .about = &c->first },
		{ .history = &c->first }, { .search = "canario" }, { .group = c->id, .has_since = true, .since_ms = cast_now + 1 }, { .author = other },
	};
	uint8_t device[VD_STORE_DEVICE_BYTES], groups[VD_STORE_GROUPS_MAX][VD_GROUP_BYTES];
	char name[VD_DEVICE_NAME_MAX + 1];
	struct vd_shares shares = { 0 };
	struct vd_identity next;
	struct vd_check check;
	struct vd_buf out = { 0 };
	uint64_t number = 0;
	size_t count;

	crypto_generichash_init(&p->hash, NULL, 0, sizeof(p->out));
	vd_store_device(s, device, name);
	paint(p, device, sizeof(device));
	paint(p, name, strlen(name));
	assert_int_equal(vd_store_latest(s, &number), 0);
	paint_number(p, number);
	assert_int_equal(vd_store_walk(s, NULL, 255, 0, paint_raw, p), 0);
	for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
		paint_number(p, i);
		assert_int_equal(vd_query(s, &queries[i], paint_found, p), 0);
	}
	for (uint8_t lane = 0; lane < VD_LANES; lane++) {
		struct vd_lane_state lane_state;

		assert_int_equal(vd_store_lane(s, c->id, lane, &lane_state, symbols, VD_SKETCH_SYMBOLS), 0);
		paint(p, &lane_state, sizeof(lane_state));
		paint(p, symbols, sizeof(symbols));
	}
	assert_int_equal(vd_store_groups(s, groups, &count), 0);
	paint(p, groups, count * VD_GROUP_BYTES);
	assert_int_equal(vd_store_note(s, said[0][KIND], vd_slice_str(said[0][TEXT]), &out), 0);
	assert_int_equal(vd_store_segment_known(s, said[0][SEGMENT], &out, NULL), 0);
	paint(p, out.p, out.n);
	assert_int_equal(vd_store_heard(s, c->id, other, &number), 0);
	assert_int_equal(number, 4);
	assert_int_equal(vd_shares_get(s, &shares), 0);
	assert_int_equal(shares.records, 5000);
	assert_int_equal(vd_store_next_identity(s, &next), 0);
	paint(p, next.author, sizeof(next.author));
	assert_int_equal(vd_check(s, false, &check), 0);
	assert_int_equal(check.bad + check.derived_bad, 0);
	paint_number(p, check.records);
	crypto_generichash_final(&p->hash, p->out, sizeof(p->out));
	vd_identity_wipe(&next);
	vd_buf_deinit(&out);
}

static void test_sealed__in_place(void **state)
{
	const struct cast_place *p = *state;
	struct portrait before, after;
	uint8_t other[VD_KEY_BYTES];
	struct vd_buf gone = { 0 };
	struct vd_store *none;
	struct vd_merge merge;
	struct looking l;
	char path[256];
	struct scene c;
	FILE *f;

	fill(&c, 0, p, NULL);
	memcpy(other, vd_group_identity(c.gb)->author, VD_KEY_BYTES);
	portrait(c.a, &c, other, &before);
	vd_store_close(c.a);
	shell("ln %s/data.mdb %s/readable", p->home, p->top); /* to see what becomes of its bytes */
	snprintf(path, sizeof(path), "%s/data.mdb.damaged-1", p->home);
	f = fopen(path, "w");
	fprintf(f, "%s", said[0][TEXT]);
	fclose(f);
	assert_int_equal(vd_store_seal(p->home, &(struct vd_secret){ .passphrase = { (const uint8_t *)"short", 5 } }, &cheap), VD_EINVAL);
	assert_int_equal(vd_store_seal(p->home, &words, &cheap), 0);
	assert_int_equal(vd_store_seal(p->home, &words, &cheap), VD_EEXISTS);
	assert_int_equal(vd_store_open(p->home, &none), VD_EKEY);
	assert_int_not_equal(access(path, F_OK), 0);
	snprintf(path, sizeof(path), "%s/sealing", p->home);
	assert_int_not_equal(access(path, F_OK), 0);
	snprintf(path, sizeof(path), "%s/readable", p->top);
	assert_int_equal(vd_file_read(path, (size_t)1 << 30, &gone), 0);
	assert_true(gone.n > 100000);
	assert_false(holds(&gone, c.id, sizeof(c.id)));
	vd_buf_deinit(&gone);
	c.a = opened(p->home, &words);
	l = look_for_all(&c, 0, p->home);
	assert_int_equal(l.found, 0);
	portrait(c.a, &c, other, &after);
	assert_memory_equal(after.out, before.out, sizeof(before.out));
	/* And it goes on. */
	for (int i = 0; i < 3; i++)
		cast_add(c.b, c.gb, said[0][TEXT], NULL);
	cast_carry(c.b, c.a, c.ga, &merge);
	assert_int_equal(merge.fresh, 3);
	cast_add(c.a, c.ga, said[0][TEXT], NULL);
	cast_carry(c.a, c.b, c.gb, &merge);
	assert_int_equal(merge.fresh, 1);
	cast_same_lanes(c.a, c.b, c.id);
	leave(&c);
}

static void test_sealed__not_while_in_use(void **state)
{
	const struct cast_place *p = *state;
	int ends[2], back[2], status;
	struct vd_store *s;
	char byte;
	pid_t child;

	vd_store_close(made(p->home, "x", NULL));
	assert_int_equal(pipe(ends) || pipe(back), 0);
	child = fork();
	if (!child) {
		if (vd_store_open(p->home, &s) || write(ends[1], "x", 1) != 1 || read(back[0], &byte, 1) != 1)
			_exit(1);
		vd_store_close(s);
		_exit(0);
	}
	assert_int_equal(read(ends[0], &byte, 1), 1);
	assert_int_equal(vd_store_seal(p->home, &words, &cheap), VD_EBUSY);
	assert_false(vd_vault_exists(p->home));
	assert_int_equal(write(back[1], "x", 1), 1);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(vd_store_seal(p->home, &words, &cheap), 0);
	vd_store_close(opened(p->home, &words));
	for (size_t i = 0; i < 2; i++) {
		close(ends[i]);
		close(back[i]);
	}
}

/* The files as a cut at each step leaves them: the store opens, is the one it was, and is either as before or finished. */
static void test_sealed__cut_at_every_step(void **state)
{
	static const struct {
		const char *made; /* from "was" and "is", in "now" */
		bool sealed;
	} cuts[] = {
		{ "mkdir now/sealing", false },
		{ "mkdir now/sealing && head -c 50000 is/data.mdb >now/sealing/data.mdb && touch now/sealing/lock.mdb", false },
		{ "mkdir now/sealing && cp is/data.mdb now/sealing/sealed.mdb", false },
		{ "mkdir now/sealing && cp is/data.mdb now/sealing/sealed.mdb && cp is/vault now/vault.new", false },
		{ "mkdir now/sealing && cp is/data.mdb now/sealing/sealed.mdb && cp is/vault now/vault", true },
		{ "mkdir now/sealing && cp is/data.mdb now/sealing/sealed.mdb && cp is/vault now/vault && mv now/data.mdb now/sealing/readable.mdb", true },
		{ "mkdir now/sealing && cp is/vault now/vault && mv now/data.mdb now/sealing/readable.mdb && cp is/data.mdb now", true },
		{ "mkdir now/sealing && cp is/vault now/vault && head -c 30000 is/data.mdb >now/sealing/readable.mdb && cp is/data.mdb now", true },
		{ "mkdir now/sealing && cp is/vault now/vault && cp is/data.mdb now && cp was/data.mdb now/data.mdb.damaged-1", true },
		{ "mkdir now/sealing && cp is/vault now/vault && cp is/data.mdb now && touch now/sealing/lock.mdb", true },
	};
	const struct cast_place *p = *state;
	struct portrait before, after;
	uint8_t other[VD_KEY_BYTES];
	char now[128], path[256];
	struct scene c;

	fill(&c, 0, p, NULL);
	memcpy(other, vd_group_identity(c.gb)->author, VD_KEY_BYTES);
	portrait(c.a, &c, other, &before);
	vd_store_close(c.a);
	shell("cp -r %s %s/was", p->home, p->top);
	shell("cp -r %s %s/is", p->home, p->top);
	snprintf(path, sizeof(path), "%s/is", p->top);
	assert_int_equal(vd_store_seal(path, &words, &cheap), 0);
	snprintf(now, sizeof(now), "%s/now", p->top);
	for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
		struct vd_buf all = { 0 };

		shell("cd %s && rm -rf now && cp -r was now && %s", p->top, cuts[i].made);
		assert_int_equal(vd_store_create(now, "another"), VD_EEXISTS);
		if (i % 2) /* making one cleared it up, too */
			shell("cd %s && rm -rf now && cp -r was now && %s", p->top, cuts[i].made);
		c.a = opened(now, &words);
		assert_int_equal(vd_store_readable(c.a), !cuts[i].sealed);
		portrait(c.a, &c, other, &after);
		assert_memory_equal(after.out, before.out, sizeof(before.out));
		snprintf(path, sizeof(path), "%s/sealing", now);
		assert_int_not_equal(access(path, F_OK), 0);
		vd_store_close(c.a);
		read_all(now, &all);
		assert_int_equal(holds(&all, c.id, sizeof(c.id)), !cuts[i].sealed);
		vd_buf_deinit(&all);
		if (!cuts[i].sealed)
			assert_int_equal(vd_store_seal(now, &words, &cheap), 0);
	}
	c.a = opened(now, &words);
	leave(&c);
}

/* What cannot be read cannot be compared with its copy. */
static void test_sealed__broken_is_not_sealed(void **state)
{
	const struct cast_place *p = *state;
	struct vd_store *s;
	char path[256];

	assert_int_equal(vd_store_seal(p->home, &words, &cheap), VD_ENOSTORE);
	vd_store_close(made(p->home, "x", NULL));
	snprintf(path, sizeof(path), "%s/data.mdb", p->home);
	assert_int_equal(truncate(path, 9000), 0);
	assert_int_equal(vd_store_seal(p->home, &words, &cheap), VD_EDAMAGED);
	assert_false(vd_vault_exists(p->home));
	assert_int_equal(vd_store_open(p->home, &s), VD_EDAMAGED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_sealed__nothing_readable, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_sealed__readable_is_readable, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_sealed__only_with_its_secret, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_sealed__forgotten, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_sealed__equal_shapes, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_sealed__in_place, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_sealed__not_while_in_use, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_sealed__cut_at_every_step, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_sealed__broken_is_not_sealed, cast_setup, cast_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
