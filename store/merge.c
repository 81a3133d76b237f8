#include <stdlib.h>
#include <string.h>

#include "inside.h"
#include "judge.h"
#include "pool.h"
#include "shares_inside.h"
#include "proto/err.h"

/* What becomes of one entry of the batch; AGAIN: it is better than what is stored, and takes its place; DECLINED: its author's share is
 * used up. */
enum fate { FATE_NONE, FATE_FRESH, FATE_KNOWN, FATE_AGAIN, FATE_DECLINED };

struct slot {
	uint8_t list[VD_LIST_KEY_BYTES]; /* where its standing item is indexed */
	enum fate fate;
	bool prev_here;                  /* its predecessor is stored, or comes with this batch */
	bool next_here;                  /* a successor of it comes with this batch */
	bool waits;                      /* its body has to: only the stub is kept */
	bool later;                      /* … for a later day of its author's share; of a known one, it may */
	bool beyond;                     /* all of its author's that is here: neither it nor a successor is */
	bool prev_beyond;                /* … nor its predecessor */
	struct vd_item item;
	size_t entry;
	struct vd_place old;             /* whose place it takes */
	uint64_t spoilt;                 /* arrival number of what stands on its list and cannot be read; 0: nothing */
	int err;                         /* the list could not be read to its end */
};

struct merging {
	struct vd_store *store;
	struct vd_write *write;
	MDB_txn *txn;
	MDB_cursor *items, *lists;
	struct vd_reading reading;
	struct vd_membership in;
	const uint8_t *self;             /* our own author key in the group, or NULL */
	struct vd_batch *batch;
	struct slot *slots;
	struct order *order;
	size_t count;
	struct place *places;
	size_t place_count, place_cap;
	struct vd_tops *tops;            /* NULL: nothing is known */
	bool control_grew;
	bool full;                       /* the reserve is reached: control records alone come in */
	bool no_room;                    /* … and something was left out for that */
};

/* Slots in the order of their lists. */
struct order {
	uint64_t list;
	size_t slot;
};

static int by_list(const void *x, const void *y)
{
	const struct order *a = x, *b = y;

	if (a->list != b->list)
		return a->list < b->list ? -1 : 1;
	return a->slot < b->slot ? -1 : a->slot > b->slot;
}

/* What stands on a slot's list, in the order of arrival. */
struct place {
	uint64_t arrival;
	size_t slot;
};

static int by_arrival(const void *x, const void *y)
{
	const struct place *a = x, *b = y;

	if (a->arrival != b->arrival)
		return a->arrival < b->arrival ? -1 : 1;
	return a->slot < b->slot ? -1 : a->slot > b->slot;
}

static const struct vd_record *record_of(const struct merging *m, const struct slot *slot)
{
	return &m->batch->entries[slot->entry].record;
}

/* How far what is here of that author goes, in the lane. A batch is sorted, so their records come together. */
static int top_of(struct merging *m, const struct vd_record *record, uint64_t *top)
{
	uint64_t records;
	int rc = vd_share_records(m->write, record->group, record->author, record->lane, &records);

	*top = !records ? 0 : m->tops ? vd_tops_get(m->tops, record->author, record->lane) : VD_TOP_UNKNOWN;
	return rc;
}

static int mark_beyond(struct merging *m)
{
	const struct vd_record *last = NULL;
	uint64_t top = 0;
	int rc = VD_OK;

	for (size_t i = 0; i < m->count && !rc; i++) {
		struct slot *slot = &m->slots[i];
		const struct vd_record *record = record_of(m, slot);

		if (!last || !vd_same_chain(last, record))
			rc = top_of(m, record, &top);
		slot->beyond = record->seq > top;
		slot->prev_beyond = !top || record->seq - 1 > top;
		last = record;
	}
	return rc;
}

/* After the commit: where they go now. */
static void move_tops(struct merging *m)
{
	for (size_t i = 0; i < m->count; i++) {
		const struct vd_record *record = record_of(m, &m->slots[i]);

		/* In a run the last has the highest seq; one that goes beyond was known to. */
		if (i + 1 < m->count && vd_same_chain(record, record_of(m, &m->slots[i + 1])))
			continue;
		if (m->slots[i].beyond)
			vd_tops_put(m->tops, record->author, record->lane, record->seq);
	}
}

static int make_slots(struct merging *m)
{
	m->slots = calloc(m->batch->count ? m->batch->count : 1, sizeof(*m->slots));
	m->order = calloc(m->batch->count ? m->batch->count : 1, sizeof(*m->order));
	if (!m->slots || !m->order)
		return VD_ENOMEM;
	for (size_t i = 0; i < m->batch->count; i++) {
		struct slot *slot = &m->slots[m->count];
		const struct vd_record *record = &m->batch->entries[i].record;

		if (m->batch->entries[i].verdict || memcmp(record->group, m->in.group, VD_GROUP_BYTES))
			continue;
		slot->entry = i;
		vd_item_of(m->in.salt, &record->id, &slot->item);
		vd_item_list(m->store, m->in.group, slot->item.b, slot->list);
		m->order[m->count] = (struct order){ vd_get_u64(slot->list), m->count };
		m->count++;
	}
	return VD_OK;
}

/* Was the body of what stands there wanted? Its own flags cannot be believed any more. */
static int was_wanted(struct merging *m, const struct vd_record *record, uint64_t arrival, bool *out)
{
	uint8_t list[VD_LIST_KEY_BYTES];
	uint64_t at = arrival - 1;
	int rc;

	vd_lane_list(m->store, "wanted", record->group, record->lane, list);
	rc = vd_list_next(m->lists, list, &at);
	*out = !rc && at == arrival;
	return rc == VD_ENOTFOUND ? VD_OK : rc;
}

/* Where the entries may stand: what is on their lists. In the order of the lists, so that each page of the index is walked over once. */
static int find_places(struct merging *m)
{
	enum { SOME = 8 };
	uint64_t some[SOME];

	qsort(m->order, m->count, sizeof(*m->order), by_list);
	for (size_t i = 0; i < m->count; i++) {
		struct slot *slot = &m->slots[m->order[i].slot];
		uint64_t after = 0;
		size_t n = SOME;

		slot->fate = FATE_FRESH;
		while (!slot->beyond && !slot->err && n == SOME) {
			slot->err = vd_list_some(m->items, slot->list, &after, some, SOME, &n);
			for (size_t j = 0; j < n; j++) {
				if (!vd_room(&m->places, m->place_count, &m->place_cap, m->count, sizeof(*m->places)))
					return VD_ENOMEM;
				m->places[m->place_count++] = (struct place){ some[j], m->order[i].slot };
			}
		}
	}
	return VD_OK;
}

/* Is it what stands there? What is spoilt is noted: it may be. */
static int compare_place(struct merging *m, const struct place *place)
{
	struct slot *slot = &m->slots[place->slot];
	const struct vd_record *record = record_of(m, slot);
	struct vd_stored stored;
	struct vd_record old;
	int rc = vd_stored_get(m->store, m->txn, place->arrival, &m->reading, &stored);

	if (rc && rc != VD_ENOTFOUND && rc != VD_EDAMAGED && rc != VD_EVERSION)
		return rc;
	if (rc || vd_stored_view(&stored, &old) || memcmp(old.id.b, stored.id.b, VD_ID_BYTES) ||
	    old.stub != (bool)(stored.flags & VD_STORED_STUB)) {
		slot->spoilt = place->arrival;
	} else if (!memcmp(stored.id.b, record->id.b, VD_ID_BYTES)) {
		slot->fate = vd_flags_wanted(stored.flags) && !record->stub ? FATE_AGAIN : FATE_KNOWN;
		slot->old = vd_place_of(&stored);
		slot->later = !record->stub && (stored.flags & VD_STORED_WAITING);
	}
	return VD_OK;
}

/* Nothing on its list is it for certain. What stands there and is spoilt is this very record, and counted in digest and sketch already: a good copy
 * takes its place. */
static int settle_spoilt(struct merging *m, struct slot *slot, uint64_t now_ms)
{
	bool wanted;
	int rc;

	if (slot->fate != FATE_FRESH)
		return VD_OK;
	if (slot->err || !slot->spoilt)
		return slot->err;
	rc = was_wanted(m, record_of(m, slot), slot->spoilt, &wanted);
	slot->fate = FATE_AGAIN;
	slot->old = (struct vd_place){ .arrival = slot->spoilt, .received_ms = now_ms, .flags = wanted ? VD_STORED_STUB : 0 };
	return rc;
}

/* Looks the entries up among what is stored. It is read in the order in which it stands: to read one record is to open its run and read those before
 * it in it, and in any other order that would be done for each. */
static int look_up(struct merging *m, uint64_t now_ms)
{
	int rc = find_places(m);

	if (m->place_count)
		qsort(m->places, m->place_count, sizeof(*m->places), by_arrival);
	for (size_t i = 0; i < m->place_count && !rc; i++)
		if (m->slots[m->places[i].slot].fate == FATE_FRESH)
			rc = compare_place(m, &m->places[i]);
	for (size_t i = 0; i < m->count && !rc; i++)
		rc = settle_spoilt(m, &m->slots[i], now_ms);
	return rc;
}

/* One record twice in the batch: the first that has its body counts. */
static void settle_doubles(struct merging *m)
{
	for (size_t i = 0; i < m->count; i++) {
		struct slot *a = &m->slots[m->order[i].slot];

		for (size_t j = i + 1; j < m->count && a->fate != FATE_KNOWN && m->order[j].list == m->order[i].list; j++) {
			struct slot *b = &m->slots[m->order[j].slot];

			if (memcmp(record_of(m, a)->id.b, record_of(m, b)->id.b, VD_ID_BYTES))
				continue;
			if (a->fate == b->fate && record_of(m, a)->stub && !record_of(m, b)->stub)
				a->fate = FATE_KNOWN;
			else
				b->fate = FATE_KNOWN;
		}
	}
}

/* --- shares --- */

static bool is_own(const struct merging *m, const struct vd_record *record)
{
	return m->self && !memcmp(record->author, m->self, VD_KEY_BYTES);
}

/* In order of seq, so that of an author who brings too much the oldest stay. */
static int share_out(struct merging *m, uint64_t now_ms, size_t *declined)
{
	int rc = VD_OK;

	for (size_t i = 0; i < m->count && !rc; i++) {
		struct slot *slot = &m->slots[i];
		const struct vd_record *record = record_of(m, slot);
		enum vd_share_word word;

		if (m->full && record->lane != VD_LANE_CONTROL && (slot->fate == FATE_FRESH || slot->fate == FATE_AGAIN)) {
			slot->fate = FATE_NONE;
			m->no_room = true;
			continue;
		}
		/* What takes the place of a spoilt one was counted when that came. */
		if (slot->fate != FATE_FRESH && (slot->fate != FATE_AGAIN || !vd_flags_wanted(slot->old.flags)))
			continue;
		rc = vd_share_admit(m->write, record, is_own(m, record), m->batch->entries[slot->entry].stray, slot->fate == FATE_FRESH,
		                    now_ms, &word);
		slot->later = !rc && word == VD_SHARE_LATER;
		slot->waits = slot->later || (!rc && word == VD_SHARE_WAIT);
		if (!rc && word == VD_SHARE_DECLINE) {
			slot->fate = FATE_DECLINED;
			++*declined;
		}
	}
	return rc;
}

/* Was it vouched for by a successor that is declined, and by none that stays? */
static bool lost_its_proof(const struct merging *m, size_t i)
{
	const struct vd_record *record = record_of(m, &m->slots[i]);
	bool lost = false;

	for (size_t j = i + 1; j < m->count; j++) {
		const struct vd_record *next = record_of(m, &m->slots[j]);

		if (next->lane != record->lane || memcmp(next->author, record->author, VD_KEY_BYTES) || next->seq > record->seq + 1)
			break;
		if (!vd_precedes(record, next))
			continue;
		if (m->slots[j].fate != FATE_DECLINED)
			return false;
		lost = true;
	}
	return lost;
}

/* A record that only a declined one vouches for must prove itself: else it would stand there without proof. */
static int settle_declined(struct merging *m, size_t *declined)
{
	int rc = VD_OK;

	for (size_t i = m->count; i-- > 0 && !rc;) {
		struct slot *slot = &m->slots[i];
		const struct vd_record *record = record_of(m, slot);

		if (slot->fate != FATE_FRESH || !lost_its_proof(m, i) || !vd_record_verify(record))
			continue;
		slot->fate = FATE_DECLINED;
		++*declined;
		rc = vd_share_refuse(m->write, record);
	}
	return rc;
}

/* Which entries follow each other? The batch is sorted by lane, author and seq, so neighbours tell; only where
 * they do not, the store is asked. */
static int link_slots(struct merging *m)
{
	for (size_t i = 0; i < m->count; i++) {
		const struct vd_record *record = record_of(m, &m->slots[i]);
		struct vd_stored stored;
		struct vd_record prev;
		int rc;

		if (!record->has_prev) {
			m->slots[i].prev_here = true;
			continue;
		}
		if (m->slots[i].fate == FATE_DECLINED || m->slots[i].fate == FATE_NONE)
			continue;
		for (size_t j = i; j-- > 0 && vd_precedes(record_of(m, &m->slots[j]), record);) {
			if (m->slots[j].fate == FATE_DECLINED)
				continue;
			m->slots[i].prev_here = true;
			m->slots[j].next_here = true;
		}
		if (m->slots[i].prev_here || m->slots[i].prev_beyond || m->slots[i].fate != FATE_FRESH)
			continue;
		rc = vd_find_stored(m->store, m->txn, m->items, &m->in, &record->prev, &m->reading, &stored);
		if (rc && rc != VD_ENOTFOUND)
			return rc;
		m->slots[i].prev_here = !rc && !vd_stored_view(&stored, &prev) && vd_precedes(&prev, record);
	}
	return VD_OK;
}

/* Its successor, stored earlier, waits for it no more; *waited grows true when there is one. */
static int settle_waiting(struct merging *m, const struct vd_record *record, bool *waited)
{
	uint8_t list[VD_LIST_KEY_BYTES];
	uint64_t arrival = 0;
	int rc;

	vd_prev_list(m->store, record->group, record->author, record->lane, record->seq + 1, &record->id, list);
	while (!(rc = vd_list_next(m->lists, list, &arrival))) {
		vd_effects_entry_remove(&m->write->effects, VD_TABLE_LISTS, list, arrival);
		*waited = true;
	}
	return rc == VD_ENOTFOUND ? VD_OK : rc;
}

static struct vd_record stub_of(const struct vd_record *record)
{
	struct vd_record stub = *record;

	stub.raw.n -= stub.body.n;
	stub.body.n = 0;
	stub.stub = true;
	return stub;
}

static int store_fresh(struct merging *m, const struct slot *slot, uint64_t now_ms, struct vd_merge *merge)
{
	const struct vd_record *record = record_of(m, slot);
	uint64_t arrival = m->write->next;
	uint8_t list[VD_LIST_KEY_BYTES];
	bool waited = slot->next_here, stub = record->stub || slot->waits;
	uint8_t flags = stub ? VD_STORED_STUB | (slot->waits ? VD_STORED_WAITING : 0) : 0;
	struct vd_record bare = stub_of(record);
	int rc = vd_write_record(m->write, &m->in, stub ? &bare : record, &slot->item, slot->list, flags, now_ms);

	if (!rc && !slot->next_here && !slot->beyond)
		rc = settle_waiting(m, record, &waited);
	if (!rc && is_own(m, record))
		rc = vd_write_follow(m->write, record, waited, now_ms);
	if (rc)
		return rc;
	merge->gaps += !slot->prev_here || (!record->has_prev && record->seq > 1);
	if (!slot->prev_here) {
		vd_prev_list(m->store, record->group, record->author, record->lane, record->seq, &record->prev, list);
		vd_effects_entry(&m->write->effects, VD_TABLE_LISTS, list, arrival);
	}
	merge->later += slot->later;
	if (record->lane == VD_LANE_CONTROL)
		m->control_grew = true;
	if (!merge->first_arrival)
		merge->first_arrival = arrival;
	merge->last_arrival = arrival;
	merge->fresh++;
	return VD_OK;
}

/* The body of a stub came when its author's share of today was used up: it waits from now on. */
static int put_off(struct merging *m, const struct slot *slot)
{
	struct vd_record stub = stub_of(record_of(m, slot));

	return vd_write_again(m->write, &m->in, &slot->old, &stub, VD_STORED_WAITING);
}

static int store_slots(struct merging *m, uint64_t now_ms, struct vd_merge *merge)
{
	int rc = VD_OK;

	for (size_t i = 0; i < m->count && !rc; i++) {
		struct slot *slot = &m->slots[i];
		const struct vd_record *record = record_of(m, slot);

		m->write->takes_in |= record->lane != VD_LANE_CONTROL && (slot->fate == FATE_FRESH || slot->fate == FATE_AGAIN);
		m->batch->entries[slot->entry].arrival = slot->fate == FATE_FRESH ? m->write->next : slot->old.arrival;
		if (slot->fate == FATE_FRESH) {
			rc = store_fresh(m, slot, now_ms, merge);
		} else if (slot->fate == FATE_AGAIN && slot->waits) {
			rc = put_off(m, slot);
			merge->known++;
			merge->later += slot->later;
		} else if (slot->fate == FATE_AGAIN) {
			rc = vd_write_again(m->write, &m->in, &slot->old, record, 0);
			m->control_grew |= record->lane == VD_LANE_CONTROL;
			merge->filled++;
		} else if (slot->fate == FATE_DECLINED) {
			merge->declined++;
			merge->over_share++;
		} else if (slot->fate == FATE_KNOWN) {
			merge->known++;
			if (slot->later)
				rc = vd_share_later(m->write, record, now_ms, &slot->later);
			merge->later += slot->later;
		}
	}
	return rc;
}

/* What was not valid: for the pool, or refused. */
static int store_others(struct merging *m, bool from_pool, struct vd_merge *merge)
{
	struct vd_pool_adding adding = { 0 };
	int rc = VD_OK;

	for (size_t i = 0; i < m->batch->count && !rc; i++) {
		const struct vd_batch_entry *entry = &m->batch->entries[i];
		int why = entry->verdict;

		if (!why && memcmp(entry->record.group, m->in.group, VD_GROUP_BYTES))
			why = VD_EGROUP;
		if (from_pool) {
			if (why != VD_EAUTHOR && why != VD_EGROUP && (!m->full || entry->record.lane == VD_LANE_CONTROL))
				rc = vd_pool_remove(m->write, m->txn, &adding, &entry->record);
			continue;
		}
		if (why == VD_EAUTHOR && m->full) {
			m->no_room = true;
			continue;
		}
		if (why == VD_EAUTHOR) {
			m->write->takes_in = true;
			why = vd_pool_add(m->write, m->txn, &adding, &entry->record);
			merge->pooled += !why;
			if (why == VD_EAUTHOR) {
				merge->declined++;
				continue;
			}
			if (why != VD_ESIGNATURE)
				rc = why;
		}
		if (why) {
			merge->refused++;
			merge->refused_why[-why & 31]++;
		}
	}
	if (!rc)
		vd_pool_add_end(m->write, &adding);
	return rc;
}

/* Of what will be stored, or stored again. */
static uint64_t bytes_new(const struct merging *m)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < m->count; i++)
		if (m->slots[i].fate == FATE_FRESH || m->slots[i].fate == FATE_AGAIN)
			bytes += record_of(m, &m->slots[i])->raw.n;
	return bytes;
}

/* Gathers what the judged batch changes into m->write. */
static int gather(struct merging *m, bool from_pool, struct vd_merge *merge)
{
	uint64_t now_ms = vd_now_ms();
	size_t declined = 0;
	int rc = make_slots(m);

	if (!rc)
		rc = mark_beyond(m);
	if (!rc)
		rc = vd_shares_prepare(m->write, &m->in, m->batch);
	if (!rc)
		rc = vd_db_read(m->store->db, &m->txn);
	m->write->snapshot = m->txn;
	if (!rc)
		rc = vd_db_err(mdb_cursor_open(m->txn, vd_db_table(m->store->db, VD_TABLE_ITEMS), &m->items));
	if (!rc)
		rc = vd_db_err(mdb_cursor_open(m->txn, vd_db_table(m->store->db, VD_TABLE_LISTS), &m->lists));
	if (!rc && m->count) {
		rc = look_up(m, now_ms);
		settle_doubles(m);
	}
	m->full = !vd_reserve_leaves(m->store, bytes_new(m));
	if (!rc)
		rc = share_out(m, now_ms, &declined);
	if (!rc && declined)
		rc = settle_declined(m, &declined);
	if (!rc)
		rc = link_slots(m);
	if (!rc)
		rc = store_slots(m, now_ms, merge);
	if (!rc)
		rc = store_others(m, from_pool, merge);
	if (m->items)
		mdb_cursor_close(m->items);
	if (m->lists)
		mdb_cursor_close(m->lists);
	vd_db_done(m->store->db, m->txn);
	m->write->snapshot = NULL;
	free(m->order);
	free(m->places);
	vd_reading_wipe(&m->reading);
	return rc;
}

int vd_merge_into(struct vd_write *w, struct vd_group *group, struct vd_batch *batch, bool from_pool, struct vd_tops *tops,
                  struct vd_merge *merge, bool *control_grew)
{
	const struct vd_identity *self = vd_group_identity(group);
	struct merging m = { .store = w->store, .write = w, .batch = batch, .self = self ? self->author : NULL, .tops = tops };
	int rc;

	if (!vd_group_salt(group))
		return VD_EINVAL;
	memcpy(m.in.group, vd_group_id(group), VD_GROUP_BYTES);
	memcpy(m.in.salt, vd_group_salt(group), VD_SALT_BYTES);
	vd_batch_seal(batch);
	rc = gather(&m, from_pool, merge);
	*control_grew = m.control_grew;
	w->no_room |= m.no_room;
	if (!rc && tops)
		move_tops(&m);
	free(m.slots);
	return rc;
}
