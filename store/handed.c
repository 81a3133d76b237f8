/* Keys that members hand over. Of two coordinators who remove each other one loses, and what was written under the loser's epoch until then
 * opens only for those who had heard of it: members, perhaps, and no coordinator, who could seal the keys on. So the members' devices hand
 * them over, in a record for members that lists do not show. Whoever writes what: a key is an epoch's when its commitments say so. */
#include <sodium.h>
#include <string.h>

#include "index.h"
#include "inside.h"
#include "tend_inside.h"
#include "proto/err.h"

enum {
	HANDED_BYTES = VD_EPOCH_BYTES + sizeof(struct vd_epoch_keys),
	HANDED_LOOKED = 1024, /* records looked at, the latest: nobody can make us read thousands again and again */
	HANDED_DAY = 4,       /* that one device writes in a day */
};
static const char kind[] = "keys", field[] = "epochs";

struct looking {
	struct vd_group *group;
	uint64_t now_ms;
	uint8_t epochs[VD_LIST_MAX][VD_EPOCH_BYTES]; /* a member's: still to be handed over */
	size_t count, own_today;
};

/* The number of that epoch among those we have. */
static const struct vd_epoch_keys *keys_of(struct vd_group *group, const uint8_t epoch[VD_EPOCH_BYTES])
{
	for (size_t i = 0; i < vd_group_epoch_count(group); i++)
		if (!memcmp(vd_group_epoch_id(group, i), epoch, VD_EPOCH_BYTES))
			return vd_group_epoch_keys(group, i);
	return NULL;
}

static void take_item(struct looking *l, const uint8_t item[HANDED_BYTES])
{
	struct vd_epoch_keys keys;
	const struct vd_epoch_keys *ours;

	memcpy(&keys, item + VD_EPOCH_BYTES, sizeof(keys));
	vd_group_learn_keys(l->group, item, &keys);
	for (size_t i = 0; i < l->count; i++) {
		if (memcmp(l->epochs[i], item, VD_EPOCH_BYTES))
			continue;
		ours = keys_of(l->group, item);
		if (!ours || sodium_memcmp(ours, &keys, sizeof(keys)))
			continue; /* rubbish keeps nobody from handing over the true ones */
		memmove(l->epochs + i, l->epochs + i + 1, (--l->count - i) * sizeof(l->epochs[0]));
		break;
	}
	sodium_memzero(&keys, sizeof(keys));
}

static int take_record(struct looking *l, const struct vd_record *record, struct vd_buf *body)
{
	const struct vd_value *items;
	struct vd_content content;
	struct vd_value item;
	struct vd_rd r;
	int rc;

	vd_buf_wipe(body);
	rc = vd_group_open_body(l->group, record, body);
	if (rc == VD_ENOMEM)
		return rc;
	if (rc || vd_content_decode(vd_buf_slice(body), &content))
		return VD_OK;
	l->own_today += !memcmp(record->author, vd_group_identity(l->group)->author, VD_KEY_BYTES) && record->time_ms <= l->now_ms &&
	                l->now_ms - record->time_ms < VD_DAY_MS;
	items = vd_content_get(&content, field, VD_MP_ARRAY, 0);
	if (!items)
		return VD_OK;
	r = vd_value_items(items);
	while (vd_value_next(&r, &item))
		if (item.type == VD_MP_BIN && item.bytes.n == HANDED_BYTES)
			take_item(l, item.bytes.p);
	return VD_OK;
}

/* The latest of them, the last first. */
static int latest(struct vd_store *s, const uint8_t group[VD_GROUP_BYTES], uint64_t arrivals[HANDED_LOOKED], size_t *count)
{
	uint8_t list[VD_LIST_KEY_BYTES];
	uint64_t arrival = UINT64_MAX;
	MDB_cursor *cursor;
	MDB_txn *txn;
	int rc = vd_db_read(s->db, &txn);

	*count = 0;
	if (rc)
		return rc;
	vd_index_list(s, VD_INDEX_KIND, group, vd_slice_str(kind), list);
	rc = vd_db_err(mdb_cursor_open(txn, vd_db_table(s->db, VD_TABLE_INDEX), &cursor));
	if (!rc) {
		while (*count < HANDED_LOOKED && !(rc = vd_list_back(cursor, list, &arrival)))
			arrivals[(*count)++] = arrival;
		mdb_cursor_close(cursor);
	}
	vd_db_done(s->db, txn);
	return rc == VD_ENOTFOUND ? VD_OK : rc;
}

static int look(struct vd_store *s, struct looking *l)
{
	uint64_t arrivals[HANDED_LOOKED];
	struct vd_buf raw = { 0 }, body = { 0 };
	size_t count;
	int rc = latest(s, vd_group_id(l->group), arrivals, &count);

	for (size_t i = 0; i < count && !rc; i++) {
		struct vd_record record;

		rc = vd_store_read(s, arrivals[i], &raw, &record, NULL);
		if (!rc)
			rc = take_record(l, &record, &body);
		else if (rc == VD_ENOTFOUND || rc == VD_EDAMAGED)
			rc = VD_OK;
	}
	vd_buf_deinit(&raw);
	vd_buf_wipe(&body);
	return rc;
}

static int put_content(const struct looking *l, struct vd_buf *out)
{
	struct vd_field fields[1] = { { vd_slice_str(field), { .type = VD_MP_ARRAY } } };
	struct vd_buf items = { 0 };
	int rc;

	for (size_t i = 0; i < l->count; i++) {
		const struct vd_epoch_keys *keys = keys_of(l->group, l->epochs[i]);
		uint8_t item[HANDED_BYTES];

		if (!keys)
			continue;
		memcpy(item, l->epochs[i], VD_EPOCH_BYTES);
		memcpy(item + VD_EPOCH_BYTES, keys, sizeof(*keys));
		vd_mp_put_bin(&items, vd_slice(item, sizeof(item)));
		fields[0].value.number++;
		sodium_memzero(item, sizeof(item));
	}
	fields[0].value.bytes = vd_buf_slice(&items);
	rc = vd_buf_check(&items);
	if (!rc)
		rc = vd_content_encode(vd_slice_str(kind), fields, 1, out);
	vd_buf_wipe(&items);
	return rc;
}

static int hand_over(struct vd_store *s, struct looking *l, size_t *handed)
{
	struct vd_draft draft = { .lane = VD_LANE_NORMAL, .audience = VD_AUDIENCE_MEMBERS, .now_ms = l->now_ms, .hands_keys = true };
	struct vd_buf content = { 0 };
	struct vd_write *w = NULL;
	struct vd_id id;
	int rc = put_content(l, &content);

	draft.content = vd_buf_slice(&content);
	if (!rc)
		rc = vd_write_begin(s, &w);
	if (!rc)
		rc = vd_write_own(w, l->group, &draft, &id);
	if (rc)
		vd_write_abort(w);
	else
		rc = vd_write_commit(w);
	vd_buf_wipe(&content);
	if (rc == VD_EKEY)
		return VD_OK; /* nothing to write with yet */
	*handed += rc ? 0 : l->count;
	return rc;
}

int vd_handed_tend(struct vd_store *s, struct vd_group *group, uint64_t now_ms, size_t *handed)
{
	struct looking l = { .group = group, .now_ms = now_ms };
	int rc;

	l.count = vd_group_orphans(group, l.epochs, VD_LIST_MAX);
	if (!l.count && !vd_group_wants_keys(group))
		return VD_OK;
	rc = vd_index_catch_up(s);
	if (!rc)
		rc = look(s, &l);
	if (rc)
		return rc == VD_EBUSY ? VD_OK : rc;
	return l.count && l.own_today < HANDED_DAY ? hand_over(s, &l, handed) : VD_OK;
}
