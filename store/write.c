#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "inside.h"
#include "lanes.h"
#include "named.h"
#include "shares_inside.h"
#include "proto/err.h"

uint64_t vd_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void write_free(struct vd_write *w)
{
	for (size_t i = 0; i < w->lane_count; i++)
		free(w->lanes[i]);
	free(w->lanes);
	for (size_t i = 0; i < w->head_count; i++)
		vd_buf_deinit(&w->heads[i].raw);
	free(w->heads);
	free(w->shares);
	vd_group_free(w->bulk.group);
	free(w->fresh_authors);
	free(w->declining);
	vd_effects_deinit(&w->effects);
	vd_buf_wipe(&w->value);
	vd_buf_deinit(&w->raw);
	vd_buf_deinit(&w->body);
	vd_stored_run_deinit(&w->run);
	vd_reading_wipe(&w->reading);
	vd_stored_changes_deinit(&w->changes);
	free(w);
}

int vd_write_begin(struct vd_store *s, struct vd_write **out)
{
	struct vd_write *w = calloc(1, sizeof(*w));
	MDB_txn *txn;
	int rc;

	if (!w)
		return VD_ENOMEM;
	w->store = s;
	rc = vd_db_lock(s->db);
	if (rc) {
		free(w);
		return rc;
	}
	rc = vd_db_read(s->db, &txn);
	if (!rc) {
		rc = vd_latest(s, txn, &w->next);
		vd_db_done(s->db, txn);
	}
	if (rc) {
		vd_write_abort(w);
		return rc;
	}
	w->next++;
	*out = w;
	return VD_OK;
}

void vd_write_abort(struct vd_write *w)
{
	if (!w)
		return;
	vd_db_unlock(w->store->db);
	write_free(w);
}

/* Snapshots are not nested: the caller's, or one of our own. */
int vd_write_snapshot(struct vd_write *w, MDB_txn **txn)
{
	if (!w->snapshot)
		return vd_db_read(w->store->db, txn);
	*txn = w->snapshot;
	return VD_OK;
}

void vd_write_snapshot_done(struct vd_write *w, MDB_txn *txn)
{
	if (txn != w->snapshot)
		vd_db_done(w->store->db, txn);
}

int vd_write_lane(struct vd_write *w, struct vd_lane_data *one)
{
	struct vd_lane_data **lanes = realloc(w->lanes, (w->lane_count + 1) * sizeof(struct vd_lane_data *));

	if (!lanes)
		return VD_ENOMEM;
	w->lanes = lanes;
	w->lanes[w->lane_count++] = one;
	return VD_OK;
}

/* The lane as this transaction will leave it. */
static int lane_of(struct vd_write *w, const uint8_t *group, uint8_t lane, struct vd_lane_data **out)
{
	struct vd_lane_data *one;
	MDB_txn *txn;
	int rc;

	for (size_t i = 0; i < w->lane_count; i++) {
		if (w->lanes[i]->lane == lane && !w->lanes[i]->of_author && !memcmp(w->lanes[i]->group, group, VD_GROUP_BYTES)) {
			*out = w->lanes[i];
			return VD_OK;
		}
	}
	one = calloc(1, sizeof(*one));
	if (!one)
		return VD_ENOMEM;
	memcpy(one->group, group, VD_GROUP_BYTES);
	one->lane = lane;
	vd_lane_list(w->store, "lane", group, lane, one->list);
	vd_lane_list(w->store, "wanted", group, lane, one->wanted_list);
	rc = vd_write_snapshot(w, &txn);
	if (!rc) {
		rc = vd_lane_open(w->store, txn, group, lane, NULL, &one->head, &one->state);
		if (rc == VD_EDAMAGED)
			rc = vd_lane_remake(w->store, txn, one, true);
		else if (!rc && !one->head.wanted)
			vd_lane_touch_all(one); /* a lane is begun as a whole: how many values it has says nothing */
		vd_write_snapshot_done(w, txn);
	}
	if (!rc)
		rc = vd_write_lane(w, one);
	if (rc) {
		free(one);
		return rc;
	}
	*out = one;
	return VD_OK;
}

/* Onto the list of what has that reason not to be wanted, or off it. */
static void waits(struct vd_write *w, const char *use, const uint8_t *group, uint64_t arrival, bool from_now_on)
{
	uint8_t list[VD_LIST_KEY_BYTES];

	if (!use)
		return;
	vd_group_list(w->store, use, group, list);
	if (from_now_on)
		vd_effects_entry(&w->effects, VD_TABLE_LISTS, list, arrival);
	else
		vd_effects_entry_remove(&w->effects, VD_TABLE_LISTS, list, arrival);
}

static int apply_item(struct vd_write *w, struct vd_lane_data *data, const struct vd_item *item)
{
	MDB_txn *txn;
	int rc = vd_write_snapshot(w, &txn);

	if (rc)
		return rc;
	rc = vd_lane_apply(w->store, txn, data, item, +1);
	vd_write_snapshot_done(w, txn);
	return rc;
}

int vd_write_record(struct vd_write *w, const struct vd_membership *in, const struct vd_record *record, const struct vd_item *item,
                    const uint8_t list[VD_LIST_KEY_BYTES], uint8_t flags, uint64_t received_ms)
{
	struct vd_lane_data *data;
	uint64_t arrival = w->next;
	int rc = lane_of(w, in->group, record->lane, &data);

	if (!rc)
		rc = apply_item(w, data, item);
	if (rc)
		return w->err = rc;
	w->next++;
	rc = vd_stored_put(w, arrival, record, flags, received_ms, record->lane == VD_LANE_CONTROL);
	if (rc && !w->err)
		w->err = rc;
	vd_twice_put(w, arrival, received_ms, record);
	vd_effects_entry(&w->effects, VD_TABLE_ITEMS, list, arrival);
	vd_effects_entry(&w->effects, VD_TABLE_LISTS, data->list, arrival);
	vd_digest_add(&data->state.digest, &record->id);
	data->head.last = arrival;
	data->state.stubs += (flags & VD_STORED_STUB) != 0;
	if (record->lane == VD_LANE_BULK && !w->err)
		w->err = vd_share_bulk(w, NULL, flags, record->body_bytes);
	if (flags == VD_STORED_STUB) {
		vd_effects_entry(&w->effects, VD_TABLE_LISTS, data->wanted_list, arrival);
		vd_digest_add(&data->state.wanted, &record->id);
	}
	waits(w, vd_why_not_list(flags), in->group, arrival, true);
	if (w->effects.failed && !w->err)
		w->err = VD_ENOMEM;
	return w->err;
}

int vd_write_again(struct vd_write *w, const struct vd_membership *in, const struct vd_place *old,
                   const struct vd_record *record, uint8_t why_not)
{
	uint8_t flags = record->stub ? VD_STORED_STUB | why_not : 0;
	bool was_wanted = vd_flags_wanted(old->flags), wanted = flags == VD_STORED_STUB;
	uint8_t list[VD_LIST_KEY_BYTES];
	struct vd_lane_data *data;
	int rc = lane_of(w, in->group, record->lane, &data);

	if (rc)
		return w->err = rc;
	rc = vd_stored_put_again(w, old, record, flags);
	if (rc && !w->err)
		w->err = rc;
	vd_twice_put(w, old->arrival, old->received_ms, record);
	data->state.stubs += (uint64_t)((flags & VD_STORED_STUB) != 0) - ((old->flags & VD_STORED_STUB) != 0);
	if (record->lane == VD_LANE_BULK && !w->err)
		w->err = vd_share_bulk(w, &old->flags, flags, record->body_bytes);
	if ((old->flags ^ flags) & VD_STORED_WHY_NOT) {
		waits(w, vd_why_not_list(old->flags), in->group, old->arrival, false);
		waits(w, vd_why_not_list(flags), in->group, old->arrival, true);
	}
	if (was_wanted && !wanted) {
		vd_effects_entry_remove(&w->effects, VD_TABLE_LISTS, data->wanted_list, old->arrival);
		vd_digest_remove(&data->state.wanted, &record->id);
	} else if (!was_wanted && wanted) {
		vd_effects_entry(&w->effects, VD_TABLE_LISTS, data->wanted_list, old->arrival);
		vd_digest_add(&data->state.wanted, &record->id);
	}
	/* The index of readable content passed it by when it was a stub, or spoilt. */
	vd_list_key(w->store, "filled", NULL, 0, list);
	vd_effects_entry(&w->effects, VD_TABLE_LISTS, list, old->arrival);
	if (w->effects.failed && !w->err)
		w->err = VD_ENOMEM;
	return w->err;
}

/* --- own chains --- */

enum { HEAD_VALUE_BYTES = 8 + 8 + VD_ID_BYTES };

static int load_head(struct vd_write *w, struct vd_write_head *head)
{
	struct vd_slice parts[] = { vd_slice(head->group, VD_GROUP_BYTES), vd_slice(head->author, VD_KEY_BYTES),
		                    vd_slice(&head->lane, 1) };
	uint8_t key[VD_INDEX_KEY_BYTES];
	struct vd_buf value = { 0 };
	struct vd_rd r;
	MDB_txn *txn;
	int rc = vd_write_snapshot(w, &txn);

	if (rc)
		return rc;
	vd_value_key(w->store, "head", parts, 3, key);
	rc = vd_value_get(w->store, txn, key, &value);
	vd_write_snapshot_done(w, txn);
	if (rc == VD_ENOTFOUND)
		return VD_OK;
	if (!rc) {
		r = vd_rd(vd_buf_slice(&value));
		head->seq = vd_rd_u64(&r);
		head->time_ms = vd_rd_u64(&r);
		vd_rd_copy(&r, head->id.b, VD_ID_BYTES);
		rc = vd_rd_end(&r) ? VD_EDAMAGED : VD_OK;
	}
	vd_buf_deinit(&value);
	return rc;
}

static void put_head(struct vd_write *w, const struct vd_write_head *head)
{
	struct vd_slice parts[] = { vd_slice(head->group, VD_GROUP_BYTES), vd_slice(head->author, VD_KEY_BYTES),
		                    vd_slice(&head->lane, 1) };
	uint8_t value[HEAD_VALUE_BYTES];

	vd_set_u64(value, head->seq);
	vd_set_u64(value + 8, head->time_ms);
	memcpy(value + 16, head->id.b, VD_ID_BYTES);
	vd_effects_value(&w->effects, w->store, "head", parts, 3, vd_slice(value, sizeof(value)));
}

static int head_of(struct vd_write *w, const uint8_t *group, const uint8_t *author, uint8_t lane,
                   struct vd_write_head **out)
{
	struct vd_write_head *heads, *one;
	int rc;

	for (size_t i = 0; i < w->head_count; i++) {
		one = &w->heads[i];
		if (one->lane == lane && !memcmp(one->group, group, VD_GROUP_BYTES) &&
		    !memcmp(one->author, author, VD_KEY_BYTES)) {
			*out = one;
			return VD_OK;
		}
	}
	heads = realloc(w->heads, (w->head_count + 1) * sizeof(*heads));
	if (!heads)
		return VD_ENOMEM;
	w->heads = heads;
	one = &heads[w->head_count];
	memset(one, 0, sizeof(*one));
	memcpy(one->group, group, VD_GROUP_BYTES);
	memcpy(one->author, author, VD_KEY_BYTES);
	one->lane = lane;
	rc = load_head(w, one);
	if (rc)
		return rc;
	w->head_count++;
	*out = one;
	return VD_OK;
}

int vd_write_own_head(struct vd_write *w, const uint8_t *group, const uint8_t *author, uint8_t lane, uint64_t *seq)
{
	struct vd_write_head *head;
	int rc = head_of(w, group, author, lane, &head);

	*seq = rc ? 0 : head->seq;
	return rc;
}

static void note_elsewhere(struct vd_write *w, const struct vd_record *record, uint64_t now_ms)
{
	struct vd_slice parts[] = { vd_slice(record->group, VD_GROUP_BYTES), vd_slice(record->author, VD_KEY_BYTES) };
	uint8_t value[8];

	vd_set_u64(value, now_ms);
	vd_effects_value(&w->effects, w->store, "elsewhere", parts, 2, vd_slice(value, sizeof(value)));
}

void vd_write_lost(struct vd_write *w, const uint8_t *group, const uint8_t *author, uint64_t now_ms)
{
	struct vd_slice parts[] = { vd_slice(group, VD_GROUP_BYTES), vd_slice(author, VD_KEY_BYTES) };
	uint8_t value[8];

	vd_set_u64(value, now_ms);
	vd_effects_value(&w->effects, w->store, "lost", parts, 2, vd_slice(value, sizeof(value)));
}

/* May a repair have lost it here? */
static bool was_lost(struct vd_write *w, const struct vd_record *record)
{
	struct vd_slice parts[] = { vd_slice(record->group, VD_GROUP_BYTES), vd_slice(record->author, VD_KEY_BYTES) };
	struct vd_buf value = { 0 };
	bool yes = !vd_value_read(w->store, "lost", parts, 2, &value) && value.n == 8 && record->time_ms <= vd_get_u64(value.p);

	vd_buf_deinit(&value);
	return yes;
}

int vd_store_elsewhere(struct vd_store *s, const uint8_t group[VD_GROUP_BYTES], const uint8_t author[VD_KEY_BYTES],
                       uint64_t *noticed_ms)
{
	struct vd_slice parts[] = { vd_slice(group, VD_GROUP_BYTES), vd_slice(author, VD_KEY_BYTES) };
	struct vd_buf value = { 0 };
	int rc = vd_value_read(s, "elsewhere", parts, 2, &value);

	if (!rc && value.n != 8)
		rc = VD_EDAMAGED;
	if (!rc)
		*noticed_ms = vd_get_u64(value.p);
	vd_buf_deinit(&value);
	return rc;
}

int vd_write_follow(struct vd_write *w, const struct vd_record *record, bool waited, uint64_t now_ms)
{
	uint64_t time_ms = record->time_ms < now_ms + VD_FOLLOW_MS ? record->time_ms : now_ms + VD_FOLLOW_MS;
	struct vd_write_head *head;
	int rc = head_of(w, record->group, record->author, record->lane, &head);

	if (rc)
		return w->err = rc;
	/* What our own chain names is ours, and so is its end: they were lost to a bad disk and come back. */
	if (!waited && memcmp(record->id.b, head->id.b, VD_ID_BYTES) && !was_lost(w, record))
		note_elsewhere(w, record, now_ms);
	if (record->seq > head->seq && record->seq - head->seq <= VD_FOLLOW_SEQ) {
		head->seq = record->seq;
		head->id = record->id;
		head->moved = true;
	}
	if (time_ms > head->time_ms) {
		head->time_ms = time_ms;
		head->moved = true;
	}
	return VD_OK;
}

static const uint8_t *fresh_nonce(struct vd_write *w)
{
	if (!w->nonces_left) {
		w->nonces_left = sizeof(w->nonces) / sizeof(w->nonces[0]);
		randombytes_buf(w->nonces, sizeof(w->nonces));
	}
	return w->nonces[--w->nonces_left];
}

static int make_named(struct vd_write *w, struct vd_group *group, const struct vd_record_fields *fields,
                      const struct vd_draft *draft)
{
	uint8_t seed[VD_BODY_SEED_BYTES];
	int rc;

	randombytes_buf(seed, sizeof(seed));
	rc = vd_group_seal_named(group, fields, draft->devices, draft->device_count, fresh_nonce(w), seed, draft->content, &w->body);
	sodium_memzero(seed, sizeof(seed));
	return rc;
}

/* Control content stands in the clear, everything else is sealed to its audience. */
static int make_body(struct vd_write *w, struct vd_group *group, const struct vd_record_fields *fields,
                     const struct vd_draft *draft)
{
	vd_buf_reset(&w->body);
	if (fields->lane != VD_LANE_CONTROL && draft->audience == VD_AUDIENCE_NAMED)
		return make_named(w, group, fields, draft);
	if (fields->lane != VD_LANE_CONTROL)
		return vd_group_seal_body(group, fields, draft->audience, fresh_nonce(w), draft->content, &w->body);
	vd_buf_put_slice(&w->body, draft->content);
	return vd_buf_check(&w->body);
}

static int join_group(struct vd_group *group, struct vd_slice raw)
{
	struct vd_record record;
	int rc = vd_record_decode(raw, &record);

	return rc ? rc : vd_group_add(group, &record);
}

int vd_write_own(struct vd_write *w, struct vd_group *group, const struct vd_draft *draft, struct vd_id *id)
{
	const struct vd_identity *self = vd_group_identity(group);
	struct vd_record_fields fields = { .lane = draft->lane,
		                           .has_expires = draft->has_expires,
		                           .expires_day = draft->expires_day,
		                           .redacts = draft->redacts,
		                           .hands_keys = draft->hands_keys,
		                           .part = draft->part };
	struct vd_write_head *head;
	struct vd_membership in;
	struct vd_record record;
	uint8_t list[VD_LIST_KEY_BYTES];
	struct vd_item item;
	int rc;

	if (w->err)
		return w->err;
	if (!self)
		return VD_EKEY;
	if (draft->lane >= VD_LANES || (draft->redacts && draft->lane != VD_LANE_URGENT) ||
	    (draft->hands_keys && draft->lane != VD_LANE_NORMAL) || (draft->part && draft->lane != VD_LANE_BULK))
		return VD_EINVAL;
	rc = head_of(w, vd_group_id(group), self->author, draft->lane, &head);
	if (rc)
		return rc;
	if (!head->raw.n && draft->lane != VD_LANE_CONTROL && !vd_group_is_author(group, self->author))
		return VD_EAUTHOR;
	memcpy(fields.group, vd_group_id(group), VD_GROUP_BYTES);
	memcpy(fields.author, self->author, VD_KEY_BYTES);
	fields.seq = head->seq + 1;
	fields.has_prev = head->seq > 0;
	if (fields.has_prev)
		fields.prev = head->id;
	fields.time_ms = draft->now_ms > head->time_ms ? draft->now_ms : head->time_ms;
	rc = make_body(w, group, &fields, draft);
	if (rc)
		return rc;
	vd_buf_reset(&w->raw);
	rc = vd_record_create(&fields, vd_buf_slice(&w->body), self->author_secret, &w->raw, id);
	if (!rc && draft->lane == VD_LANE_CONTROL)
		rc = join_group(group, vd_buf_slice(&w->raw));
	if (rc)
		return rc;
	if (!vd_group_salt(group))
		return VD_EINVAL; /* nothing but the founding record can come first */
	memcpy(in.group, fields.group, VD_GROUP_BYTES);
	memcpy(in.salt, vd_group_salt(group), VD_SALT_BYTES);
	rc = vd_record_view(vd_buf_slice(&w->raw), &record);
	if (rc)
		return rc;
	vd_item_of(in.salt, id, &item);
	vd_item_list(w->store, in.group, item.b, list);
	if (!w->wrote_ms)
		w->wrote_ms = draft->now_ms;
	rc = vd_write_record(w, &in, &record, &item, list, 0, w->wrote_ms);
	if (!rc)
		rc = w->err = vd_share_count(w, in.group, self->author, draft->lane, +1);
	w->takes_in |= draft->lane != VD_LANE_CONTROL && !draft->redacts;
	if (!rc)
		rc = vd_named_keep(w, self, draft, id);
	if (rc)
		return rc;
	head->seq = fields.seq;
	head->time_ms = fields.time_ms;
	head->id = *id;
	head->moved = true;
	vd_buf_reset(&head->raw);
	vd_buf_put_slice(&head->raw, vd_buf_slice(&w->raw));
	if (vd_buf_check(&head->raw))
		w->err = VD_ENOMEM;
	return w->err;
}

int vd_write_note(struct vd_write *w, const char *use, struct vd_slice key, struct vd_slice value)
{
	struct vd_slice parts[] = { vd_slice(use, strlen(use) + 1), key };

	if (value.n > VD_NOTE_MAX)
		return VD_ECAP;
	vd_effects_value(&w->effects, w->store, "note", parts, 2, value);
	if (w->effects.failed)
		w->err = VD_ENOMEM;
	return w->err;
}

/* --- the end --- */

static int apply(void *ctx, MDB_txn *txn)
{
	struct vd_write *w = ctx;
	int rc = vd_effects_apply(&w->effects, w->store, txn);

	for (size_t i = 0; i < w->lane_count && !rc; i++)
		rc = vd_lane_put(w->store, txn, w->lanes[i]);
	return rc;
}

/* Authors verify what they sign: a machine whose memory flips bits must not put its name under them. */
static int verify_heads(struct vd_write *w)
{
	for (size_t i = 0; i < w->head_count; i++) {
		struct vd_record record;
		int rc;

		if (!w->heads[i].raw.n)
			continue;
		rc = vd_record_decode(vd_buf_slice(&w->heads[i].raw), &record);
		if (!rc)
			rc = vd_record_verify(&record);
		if (rc)
			return rc;
	}
	return VD_OK;
}

/* What the reserve is for takes the last of it. */
static int commit(struct vd_write *w)
{
	int rc;

	if (w->effects.failed || w->effects.bytes.failed)
		return VD_ENOMEM; /* also when it was the first of them that found no room: then there seems nothing to do */
	if (!w->effects.count && !w->lane_count)
		return VD_OK;
	rc = vd_effects_seal(&w->effects, w->store);
	if (rc)
		return rc;
	if (w->store->being_made)
		return vd_db_change(w->store->db, apply, w);
	/* What came was measured before (merge.c), and what is written together, with all that is attached to it, is here. */
	if (w->takes_in && !vd_reserve_leaves(w->store, w->wrote_ms ? w->effects.bytes.n : 0))
		return VD_ENOSPACE;
	rc = vd_db_change(w->store->db, apply, w);
	if (rc == VD_ENOSPACE && !w->takes_in && vd_reserve_give_up(w->store))
		rc = vd_db_change(w->store->db, apply, w);
	else if (!rc)
		vd_reserve_keep(w->store);
	return rc;
}

int vd_write_end(struct vd_write *w)
{
	int rc = w->err;

	if (!rc)
		rc = verify_heads(w);
	if (!rc) {
		for (size_t i = 0; i < w->head_count; i++) {
			if (w->heads[i].moved)
				put_head(w, &w->heads[i]);
		}
		vd_shares_put(w);
		rc = vd_stored_settle(w);
	}
	if (!rc)
		rc = commit(w);
	vd_db_unlock(w->store->db);
	write_free(w);
	return rc;
}

int vd_write_commit(struct vd_write *w)
{
	uint8_t control[VD_STORE_GROUPS_MAX][VD_GROUP_BYTES];
	struct vd_store *s = w->store;
	struct vd_merge ignored = { 0 };
	size_t count = 0;
	int rc;

	for (size_t i = 0; i < w->lane_count && count < VD_STORE_GROUPS_MAX; i++) {
		if (w->lanes[i]->lane == VD_LANE_CONTROL)
			memcpy(control[count++], w->lanes[i]->group, VD_GROUP_BYTES);
	}
	rc = vd_write_end(w);
	/* What we wrote is durable whatever becomes of the pool: its records are tried again at the next occasion. */
	for (size_t i = 0; i < count && !rc; i++)
		(void)vd_pool_retry_alone(s, control[i], &ignored);
	return rc;
}
