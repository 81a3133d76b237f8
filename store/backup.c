/* Making, trying and restoring a backup. */
#include "backup.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backup_file.h"
#include "check.h"
#include "file.h"
#include "inside.h"
#include "lanes.h"
#include "proto/err.h"

enum {
	FORMAT = 1,
	ASK_ENTRIES = 64,            /* between two looks whether to stop */
	BATCH_BYTES = 16 << 20,      /* held in memory, and then committed together; … */
	BATCH_COUNT = 1 << 17,       /* … so are so many values and entries of lists */
	ARRIVAL_GAP = 1 << 20,       /* as after a salvage: numbers given since then must not name others here */
};

static const char note_use[] = "backup";

static bool stopped(bool (*stop)(void), uint64_t at)
{
	return stop && at % ASK_ENTRIES == 0 && stop();
}

/* --- making one --- */

struct making {
	struct vd_store *store;
	MDB_txn *txn;
	struct vd_backup_out *out;
	bool (*stop)(void);
	uint64_t entries, records;
};

static int count_entries(struct making *m, uint64_t *entries)
{
	int rc = 0;

	*entries = 0;
	for (int table = 0; table < VD_TABLES && !rc; table++) {
		MDB_stat stat;

		rc = mdb_stat(m->txn, vd_db_table(m->store->db, (enum vd_table)table), &stat);
		*entries += rc ? 0 : stat.ms_entries;
	}
	return vd_db_err(rc);
}

static int put_lanes(struct making *m, struct vd_buf *out)
{
	struct vd_membership in[VD_STORE_GROUPS_MAX];
	size_t count;
	int rc = vd_memberships(m->store, m->txn, in, &count);

	if (rc)
		return rc;
	vd_buf_put_u8(out, (uint8_t)count);
	for (size_t i = 0; i < count && !rc; i++) {
		vd_buf_put(out, in[i].group, VD_GROUP_BYTES);
		for (uint8_t lane = 0; lane < VD_LANES && !rc; lane++) {
			struct vd_lane_state state;
			uint8_t hash[VD_HASH_BYTES];

			rc = vd_lane_read(m->store, m->txn, in[i].group, lane, &state, NULL, 0);
			vd_digest_hash(&state.digest, hash);
			vd_buf_put_u64(out, state.digest.count);
			vd_buf_put(out, hash, sizeof(hash));
		}
	}
	return rc;
}

static int put_manifest(struct making *m, uint64_t now_ms)
{
	const uint8_t *key = vd_vault_key(m->store->vault);
	struct vd_buf manifest = { 0 };
	uint64_t entries;
	int rc = count_entries(m, &entries);

	if (!rc)
		rc = vd_lanes_count(m->store, m->txn, VD_ANY_LANE, &m->records);

	vd_buf_put_u8(&manifest, FORMAT);
	vd_buf_put_u64(&manifest, now_ms);
	vd_buf_put_u8(&manifest, key != NULL);
	if (key)
		vd_buf_put(&manifest, key, VD_VAULT_KEY_BYTES);
	vd_buf_put_u64(&manifest, entries);
	vd_buf_put_u64(&manifest, m->records);
	if (!rc)
		rc = put_lanes(m, &manifest);
	/* After that, for a key that was forgotten meanwhile is zeros. */
	if (!rc && vd_vault_forgotten(m->store->vault))
		rc = VD_EKEY;
	if (!rc)
		rc = vd_buf_check(&manifest);
	if (!rc)
		rc = vd_backup_out_put(m->out, vd_buf_slice(&manifest));
	vd_buf_wipe(&manifest);
	return rc;
}

static int put_entry(struct making *m, enum vd_table table, MDB_val k, MDB_val v)
{
	size_t key_n = table == VD_TABLE_RECORDS || table == VD_TABLE_POOL ? 8 : VD_INDEX_KEY_BYTES;
	uint8_t front[1 + VD_INDEX_KEY_BYTES + 4];
	int rc;

	if (k.mv_size != key_n || v.mv_size > 2 * (size_t)VD_VALUE_MAX)
		return VD_EDAMAGED;
	front[0] = (uint8_t)table;
	memcpy(front + 1, k.mv_data, key_n);
	vd_set_u32(front + 1 + key_n, (uint32_t)v.mv_size);
	rc = vd_backup_out_put(m->out, vd_slice(front, 1 + key_n + 4));
	return rc ? rc : vd_backup_out_put(m->out, vd_slice(v.mv_data, v.mv_size));
}

static int put_table(struct making *m, enum vd_table table)
{
	MDB_cursor *cursor;
	MDB_val k, v;
	int got, rc = vd_db_err(mdb_cursor_open(m->txn, vd_db_table(m->store->db, table), &cursor));

	if (rc)
		return rc;
	for (got = mdb_cursor_get(cursor, &k, &v, MDB_FIRST); !got && !rc; got = mdb_cursor_get(cursor, &k, &v, MDB_NEXT))
		rc = stopped(m->stop, m->entries++) ? VD_ECLOSED : put_entry(m, table, k, v);
	mdb_cursor_close(cursor);
	return rc || got == MDB_NOTFOUND ? rc : vd_db_err(got);
}

static void note(struct vd_store *s, uint64_t made_ms)
{
	uint8_t value[8];
	struct vd_write *w;

	if (vd_write_begin(s, &w))
		return;
	vd_set_u64(value, made_ms);
	if (vd_write_note(w, note_use, vd_slice(NULL, 0), vd_slice(value, sizeof(value))))
		vd_write_abort(w);
	else
		(void)!vd_write_commit(w); /* the backup is there all the same */
}

int vd_backup_create(struct vd_store *s, const struct vd_backup_for *to, const char *path, uint64_t now_ms, struct vd_backup_stats *stats)
{
	struct making m = { .store = s, .stop = to->stop };
	int rc = vd_backup_out_open(path, to, &m.out);

	*stats = (struct vd_backup_stats){ 0 };
	if (!rc)
		rc = vd_db_read(s->db, &m.txn);
	if (!rc)
		rc = put_manifest(&m, now_ms);
	for (int table = 0; table < VD_TABLES && !rc; table++)
		rc = put_table(&m, (enum vd_table)table);
	vd_db_done(s->db, m.txn);
	if (rc)
		vd_backup_out_abort(m.out);
	else
		rc = vd_backup_out_commit(m.out, &stats->bytes);
	if (rc)
		return rc;
	stats->records = m.records;
	stats->made_ms = now_ms;
	note(s, now_ms);
	return VD_OK;
}

int vd_backup_last(struct vd_store *s, uint64_t *made_ms)
{
	struct vd_buf value = { 0 };
	int rc = vd_store_note(s, note_use, vd_slice(NULL, 0), &value);

	if (!rc && value.n != 8)
		rc = VD_EDAMAGED;
	if (!rc)
		*made_ms = vd_get_u64(value.p);
	vd_buf_deinit(&value);
	return rc;
}

/* --- putting it into a store that is being made --- */

struct loading {
	struct vd_backup_in *in;
	const struct vd_backup_manifest *manifest;
	bool (*stop)(void);
	struct vd_store *to;
	struct vd_vault *from;       /* of what it was made; NULL: `to` has the same */
	bool gap;
	uint64_t last;               /* arrival number */
	struct vd_effects effects;
	struct vd_buf room;
};

static int apply(void *ctx, MDB_txn *txn)
{
	struct loading *l = ctx;

	return vd_effects_apply(&l->effects, l->to, txn);
}

static int commit_batch(struct loading *l)
{
	int rc = l->effects.failed ? VD_ENOMEM : vd_db_lock(l->to->db);

	if (rc)
		return rc;
	rc = vd_db_change(l->to->db, apply, l);
	vd_db_unlock(l->to->db);
	vd_effects_deinit(&l->effects);
	return rc;
}

/* The key of a value, a record or a pooled one as the other vault has it. */
static void turn(const struct loading *l, const struct vd_backup_entry *e, uint8_t key[VD_INDEX_KEY_BYTES])
{
	memcpy(key, e->key, VD_INDEX_KEY_BYTES);
	if (e->table == VD_TABLE_VALUES && !vd_vault_readable(l->from))
		vd_vault_turn_back(l->from, e->key, key);
	else if (e->table == VD_TABLE_VALUES)
		vd_vault_turn_key(l->to->vault, e->key, key);
}

struct unpacking {
	struct loading *loading;
	enum vd_table table;
};

static int add_entry(void *ctx, const uint8_t entry[VD_ENTRY_BYTES])
{
	const struct unpacking *u = ctx;
	struct loading *l = u->loading;
	uint8_t list[VD_LIST_KEY_BYTES];

	memcpy(list, entry, sizeof(list));
	if (l->from)
		vd_vault_turn_list(l->to->vault, entry, vd_list_bytes(u->table), list);
	vd_effects_entry(&l->effects, u->table, list, vd_get_u64(entry + VD_LIST_KEY_BYTES));
	return l->effects.failed ? VD_ENOMEM : VD_OK;
}

/* A block of packed lists. What a sealed vault turned cannot be turned back: it is made anew from the records. */
static int add_block(struct loading *l, const struct vd_backup_entry *e)
{
	struct unpacking u = { l, (enum vd_table)e->table };
	MDB_val k = { e->key_n, (void *)(uintptr_t)e->key }, v = { e->value.n, e->value.p };

	return l->from && !vd_vault_readable(l->from) ? VD_OK : vd_lists_block(&k, &v, add_entry, &u);
}

static int add_turned(struct loading *l, const struct vd_backup_entry *e)
{
	enum vd_table table = (enum vd_table)e->table;
	uint8_t key[VD_INDEX_KEY_BYTES], spot[VD_SPOT_BYTES];
	struct vd_slice value = { 0 };
	int rc = VD_OK;

	turn(l, e, key);
	if (e->value.n)
		rc = vd_vault_open(l->from, vd_spot(table, e->key, e->key_n, spot), vd_buf_slice(&e->value), &l->room, &value);
	/* A record that was damaged in the store comes as it is: check tells of it, and others have it. */
	if (rc == VD_EDAMAGED && table == VD_TABLE_RECORDS) {
		value = vd_slice((const uint8_t[VD_STORED_HEAD]){ VD_STORED_DROPPED }, VD_STORED_HEAD);
		rc = VD_OK;
	}
	if (!rc)
		vd_effects_put(&l->effects, l->to, table, key, e->key_n, value);
	return rc;
}

static int add(struct loading *l, const struct vd_backup_entry *e)
{
	int rc = VD_OK;

	if (e->table == VD_TABLE_RECORDS)
		l->last = vd_get_u64(e->key) > l->last ? vd_get_u64(e->key) : l->last;
	if (vd_is_list((enum vd_table)e->table))
		rc = add_block(l, e);
	else if (l->from)
		rc = add_turned(l, e);
	else
		vd_effects_put_sealed(&l->effects, (enum vd_table)e->table, e->key, e->key_n, vd_buf_slice(&e->value));
	return !rc && (l->effects.bytes.n >= BATCH_BYTES || l->effects.count >= BATCH_COUNT) ? commit_batch(l) : rc;
}

static int add_all(struct loading *l)
{
	static const uint8_t dropped[VD_STORED_HEAD] = { VD_STORED_DROPPED };
	struct vd_backup_entry e = { 0 };
	uint8_t key[8];
	int rc = VD_OK;

	for (uint64_t i = 0; i < l->manifest->entries && !rc; i++) {
		rc = stopped(l->stop, i) ? VD_ECLOSED : vd_backup_entry_read(l->in, &e);
		if (!rc)
			rc = add(l, &e);
	}
	vd_buf_wipe(&e.value);
	if (!rc)
		rc = vd_backup_in_end(l->in);
	if (!rc && l->last > UINT64_MAX - ARRIVAL_GAP)
		rc = VD_EDAMAGED;
	if (!rc && l->gap && l->last) {
		vd_set_u64(key, l->last + ARRIVAL_GAP);
		vd_effects_put(&l->effects, l->to, VD_TABLE_RECORDS, key, sizeof(key), vd_slice(dropped, sizeof(dropped)));
	}
	return rc ? rc : commit_batch(l);
}

static int same_lanes(struct vd_store *s, const uint8_t *group, const struct vd_backup_group *as)
{
	for (uint8_t lane = 0; lane < VD_LANES; lane++) {
		struct vd_lane_state state;
		uint8_t hash[VD_HASH_BYTES];
		int rc = vd_store_lane(s, group, lane, &state, NULL, 0);

		if (rc)
			return rc;
		vd_digest_hash(&state.digest, hash);
		if (state.digest.count != as->lanes[lane].count || memcmp(hash, as->lanes[lane].digest, sizeof(hash)))
			return VD_EDAMAGED;
	}
	return VD_OK;
}

/* Is what is here now what the file says of itself? */
static int compare(struct vd_store *s, const struct vd_backup_manifest *m)
{
	uint8_t groups[VD_STORE_GROUPS_MAX][VD_GROUP_BYTES];
	uint64_t records = 0;
	size_t count;
	int rc = vd_store_read_device(s);

	if (!rc)
		rc = vd_store_groups(s, groups, &count);
	if (!rc && count != m->group_count)
		rc = VD_EDAMAGED;
	for (size_t i = 0; i < m->group_count && !rc; i++) {
		for (uint8_t lane = 0; lane < VD_LANES; lane++)
			records += m->groups[i].lanes[lane].count;
		rc = memcmp(groups[i], m->groups[i].group, VD_GROUP_BYTES) ? VD_EDAMAGED : same_lanes(s, groups[i], &m->groups[i]);
	}
	return rc || records == m->records ? rc : VD_EDAMAGED;
}

static int load(struct loading *l)
{
	int rc = add_all(l);

	vd_effects_deinit(&l->effects);
	vd_buf_wipe(&l->room);
	return rc;
}

/* The vault of what a backup was made of. */
static struct vd_vault *vault_of(const struct vd_backup_manifest *m)
{
	return m->sealed ? vd_vault_new_of(m->key) : vd_vault_new_plain();
}

static int open_backup(const char *path, const struct vd_backup_key *with, struct vd_backup_in **in, struct vd_backup_manifest **out)
{
	int rc, fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return vd_file_errno(errno);
	rc = vd_backup_in_open(fd, with, in);
	if (rc)
		return rc;
	*out = sodium_malloc(sizeof(**out));
	rc = *out ? vd_backup_manifest_read(*in, *out) : VD_ENOMEM;
	if (rc) {
		sodium_free(*out);
		vd_backup_in_close(*in);
	}
	return rc;
}

static void put_stats(struct vd_backup_stats *stats, const struct vd_backup_in *in, const struct vd_backup_manifest *m)
{
	*stats = (struct vd_backup_stats){ .records = m->records, .bytes = vd_backup_in_bytes(in), .made_ms = m->made_ms };
}

/* --- trying it --- */

static int check_all(struct vd_store *s)
{
	struct vd_check check;
	int rc = vd_check(s, false, &check);

	return rc || !(check.bad || check.derived_bad) ? rc : VD_EDAMAGED;
}

int vd_backup_verify(const char *path, const struct vd_backup_key *with, const char *scratch, struct vd_backup_stats *stats)
{
	struct loading l = { .stop = with->stop };
	struct vd_backup_manifest *m;
	int rc = open_backup(path, with, &l.in, &m);

	if (rc)
		return rc;
	l.manifest = m;
	/* What was readable must not be so on the medium of `scratch`. */
	l.from = m->sealed ? NULL : vd_vault_new_plain();
	if (!m->sealed && !l.from)
		rc = VD_ENOMEM;
	if (!rc)
		rc = vd_store_make_hidden(scratch, m->sealed ? vault_of(m) : vd_vault_new_sealed(), &l.to);
	if (!rc)
		rc = load(&l);
	if (!rc)
		rc = compare(l.to, m);
	if (!rc)
		rc = check_all(l.to);
	if (!rc)
		put_stats(stats, l.in, m);
	vd_store_close(l.to);
	vd_vault_free(l.from);
	vd_backup_in_close(l.in);
	sodium_free(m);
	return rc;
}

/* --- restoring it --- */

static int fill(void *ctx, struct vd_store *s)
{
	struct loading *l = ctx;
	struct vd_check check;
	int rc;

	l->to = s;
	rc = load(l);
	/* Lists that could not be turned back follow from the records. */
	if (!rc && l->from && !vd_vault_readable(l->from))
		rc = vd_check(s, true, &check);
	if (!rc)
		rc = compare(s, l->manifest);
	if (!rc)
		note(s, l->manifest->made_ms);
	return rc;
}

int vd_backup_restore(const char *path, const struct vd_backup_key *with, const char *home, const struct vd_secret *secret,
                      const struct vd_vault_cost *cost, struct vd_backup_stats *stats)
{
	struct loading l = { .stop = with->stop, .gap = true };
	struct vd_backup_manifest *m;
	struct vd_vault *to;
	int rc = open_backup(path, with, &l.in, &m);

	if (rc)
		return rc;
	l.manifest = m;
	/* Sealed before and after: under the same vault key, in other slots. */
	to = !secret ? vd_vault_new_plain() : m->sealed ? vault_of(m) : vd_vault_new_sealed();
	if (m->sealed != (secret != NULL)) {
		l.from = vault_of(m);
		rc = l.from ? VD_OK : VD_ENOMEM;
	}
	if (rc)
		vd_vault_free(to);
	else
		rc = vd_store_make(home, to, secret, cost, fill, &l);
	if (!rc)
		put_stats(stats, l.in, m);
	vd_vault_free(l.from);
	vd_backup_in_close(l.in);
	sodium_free(m);
	return rc;
}
