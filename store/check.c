#include "check_inside.h"
#include "lanes.h"

#include <stdlib.h>
#include <string.h>

#include "proto/err.h"
#include "proto/sign.h"

static int add_bad(struct vd_checking *c, uint64_t arrival)
{
	if (!vd_room(&c->bad, c->bad_count, &c->bad_cap, 16, sizeof(*c->bad)))
		return VD_ENOMEM;
	c->bad[c->bad_count++] = arrival;
	c->out->bad++;
	return VD_OK;
}

static int author_of(struct vd_checking *c, const uint8_t key[VD_KEY_BYTES], uint32_t *out)
{
	struct vd_checked_author *authors;

	/* A chain's records stand together, so the last one found is most often the next one sought. */
	for (size_t i = c->author_count; i-- > 0;) {
		if (!memcmp(c->authors[i].key, key, VD_KEY_BYTES)) {
			*out = (uint32_t)i;
			return VD_OK;
		}
	}
	authors = realloc(c->authors, (c->author_count + 1) * sizeof(*authors));
	if (!authors)
		return VD_ENOMEM;
	c->authors = authors;
	memcpy(authors[c->author_count].key, key, VD_KEY_BYTES);
	authors[c->author_count].sound = vd_sign_key_ok(key);
	*out = (uint32_t)c->author_count++;
	return VD_OK;
}

int vd_checking_group(const struct vd_checking *c, const uint8_t group[VD_GROUP_BYTES])
{
	for (size_t i = 0; i < c->group_count; i++) {
		if (!memcmp(c->in[i].group, group, VD_GROUP_BYTES))
			return (int)i;
	}
	return -1;
}

/* One stored record: its bytes, its id, its place. */
static int look_at(struct vd_checking *c, MDB_txn *txn, const struct vd_page *page, const struct vd_page_entry *entry)
{
	struct vd_record record;
	struct vd_checked *one;
	int group, rc;

	c->out->records++;
	if (entry->err || vd_record_decode(vd_page_raw(page, entry), &record) ||
	    memcmp(record.id.b, entry->id.b, VD_ID_BYTES) || record.stub != entry->stub)
		return add_bad(c, entry->arrival);
	group = vd_checking_group(c, record.group);
	if (group < 0) {
		c->out->derived_bad++; /* the list of groups is what is wrong: such a record is never dropped */
		return VD_OK;
	}
	if (!vd_room(&c->seen, c->count, &c->cap, 1024, sizeof(*c->seen)))
		return VD_ENOMEM;
	one = &c->seen[c->count];
	*one = (struct vd_checked){ .arrival = entry->arrival,
		              .seq = record.seq,
		              .id = record.id,
		              .prev = record.prev,
		              .group = (uint8_t)group,
		              .lane = record.lane,
		              .has_prev = record.has_prev,
		              .stub = record.stub,
		              .wanted = entry->wanted,
		              .why_not = entry->why_not,
		              .bulk_bytes = record.lane == VD_LANE_BULK && (!entry->stub || entry->wanted) ? record.body_bytes : 0 };
	c->count++;
	rc = author_of(c, record.author, &one->author);
	return rc ? rc : vd_checking_index(c, txn, &record, entry->arrival);
}

static int look_at_all(struct vd_checking *c)
{
	struct vd_page page = { 0 };
	int rc = VD_OK;

	while (!rc && !page.end) {
		MDB_txn *txn = NULL;

		rc = vd_page_read(c->store, NULL, VD_ANY_LANE, page.last, VD_PAGE_RECORDS, true, &page);
		if (!rc)
			rc = vd_db_read(c->store->db, &txn);
		for (size_t i = 0; i < page.count && !rc; i++)
			rc = look_at(c, txn, &page, &page.entries[i]);
		vd_db_done(c->store->db, txn);
	}
	vd_page_deinit(&page);
	return rc;
}

/* --- signatures: heads first, then back by hash --- */

static int by_chain(const void *x, const void *y)
{
	const struct vd_checked *a = x, *b = y;

	if (a->group != b->group)
		return a->group < b->group ? -1 : 1;
	if (a->lane != b->lane)
		return a->lane < b->lane ? -1 : 1;
	if (a->author != b->author)
		return a->author < b->author ? -1 : 1;
	if (a->seq != b->seq)
		return a->seq > b->seq ? -1 : 1;
	return a->arrival < b->arrival ? -1 : a->arrival > b->arrival;
}

bool vd_checked_same_chain(const struct vd_checked *a, const struct vd_checked *b)
{
	return a->group == b->group && a->lane == b->lane && a->author == b->author;
}

static int verify(struct vd_checking *c, struct vd_checked *one, struct vd_buf *raw)
{
	struct vd_record record;
	int rc = vd_store_read(c->store, one->arrival, raw, &record, NULL);

	if (!rc)
		rc = c->authors[one->author].sound ? vd_record_verify(&record) : VD_ESIGNATURE;
	if (rc == VD_ENOMEM || rc == VD_EIO)
		return rc;
	one->bad = rc != VD_OK;
	return one->bad ? add_bad(c, one->arrival) : VD_OK;
}

static int verify_all(struct vd_checking *c)
{
	struct vd_buf raw = { 0 };
	size_t later = 0;         /* first record with seq one higher or more that may vouch */
	int rc = VD_OK;

	if (c->count)
		qsort(c->seen, c->count, sizeof(*c->seen), by_chain);
	for (size_t i = 0; i < c->count && !rc; i++) {
		struct vd_checked *one = &c->seen[i];
		bool vouched = false;

		while (later < i && (!vd_checked_same_chain(&c->seen[later], one) || c->seen[later].seq > one->seq + 1))
			later++;
		for (size_t j = later; j < i && c->seen[j].seq == one->seq + 1 && !vouched; j++)
			vouched = !c->seen[j].bad && c->seen[j].has_prev &&
			          !memcmp(c->seen[j].prev.b, one->id.b, VD_ID_BYTES);
		if (!vouched)
			rc = verify(c, one, &raw);
	}
	vd_buf_deinit(&raw);
	return rc;
}

int vd_check(struct vd_store *s, bool repair, struct vd_check *out)
{
	struct vd_checking c = { .store = s, .out = out, .lane = malloc(sizeof(*c.lane)) };
	struct vd_index_state index;
	MDB_txn *txn;
	int rc = c.lane ? VD_OK : VD_ENOMEM;

	*out = (struct vd_check){ 0 };
	if (!rc && repair)
		rc = vd_db_walk(s->db); /* before LMDB is sent through every page of it */
	if (!rc && repair)
		rc = vd_twice_mend(s);
	/* Nobody writes while we compare; nor does anybody to a medium that can only be read. */
	if (!rc && (repair || !vd_db_read_only(s->db)))
		rc = vd_write_begin(s, &c.write);
	if (!rc)
		rc = vd_db_walk(s->db);
	if (!rc)
		rc = vd_db_read(s->db, &txn);
	if (rc)
		goto done;
	rc = vd_memberships(s, txn, c.in, &c.group_count);
	vd_db_done(s->db, txn);
	if (!rc)
		rc = vd_readers_init(&c.readers, s, NULL);
	if (!rc)
		rc = vd_index_state(s, &index);
	c.indexed = rc ? 0 : index.cursor;
	if (!rc)
		rc = look_at_all(&c);
	if (!rc)
		rc = verify_all(&c);
	if (!rc)
		rc = vd_checking_own(&c);
	if (!rc)
		rc = vd_checking_derived(&c);
	if (!rc)
		rc = c.err;
	if (!rc && repair && (out->bad || out->derived_bad))
		rc = vd_checking_repair(&c);
done:
	vd_write_abort(c.write);
	free(c.seen);
	free(c.authors);
	free(c.bad);
	vd_readers_deinit(&c.readers);
	vd_buf_wipe(&c.room);
	vd_reading_wipe(&c.reading);
	free(c.lane);
	return rc;
}
