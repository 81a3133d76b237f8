/* What of somebody's records a revocation accepts: the heads of what is here. PROTOCOL.md section 6. */
#include <stdlib.h>
#include <string.h>

#include "accepted.h"
#include "index.h"
#include "proto/err.h"

/* One stored record of the author at hand. */
struct link {
	uint8_t lane;
	uint64_t seq;
	struct vd_id id, prev;
	bool has_prev;
	bool named;        /* by another that is accepted: no head */
	bool undone;
};

struct candidate {
	size_t rank;       /* among the heads of its author and lane, the highest seq first */
	uint64_t seq;
	struct vd_id id;
};

struct gathering {
	const struct vd_id *undo;
	bool undo_found;
	struct link *links;
	size_t count, cap;
	struct candidate *candidates[VD_LANES];
	size_t candidate_count[VD_LANES], candidate_cap[VD_LANES];
};

static int add_link(void *ctx, uint64_t received_ms, const struct vd_record *record)
{
	struct gathering *g = ctx;
	struct link *one;

	(void)received_ms;
	if (!vd_room(&g->links, g->count, &g->cap, 256, sizeof(*g->links)))
		return VD_ENOMEM;
	one = &g->links[g->count++];
	*one = (struct link){ .lane = record->lane, .seq = record->seq, .id = record->id, .has_prev = record->has_prev };
	if (record->has_prev)
		one->prev = record->prev;
	return VD_OK;
}

/* --- the author's records --- */

struct walking {
	struct vd_store *store;
	const uint8_t *group, *author;
	int (*visit)(void *ctx, uint64_t received_ms, const struct vd_record *);
	void *ctx;
};

static int visit_one(const struct walking *w, uint64_t received_ms, const struct vd_record *record)
{
	if (memcmp(record->group, w->group, VD_GROUP_BYTES) || memcmp(record->author, w->author, VD_KEY_BYTES))
		return VD_OK;
	return w->visit(w->ctx, received_ms, record);
}

/* Those the index knows, up to its cursor. What is spoilt cannot be accepted: nobody knows what it was. */
static int walk_indexed(const struct walking *w)
{
	uint64_t arrivals[VD_PAGE_RECORDS], after = 0;
	uint8_t list[VD_LIST_KEY_BYTES];
	struct vd_buf raw = { 0 };
	size_t n;
	int rc;

	vd_index_list(w->store, VD_INDEX_AUTHOR, w->group, vd_slice(w->author, VD_KEY_BYTES), list);
	do {
		rc = vd_list_read(w->store, VD_TABLE_INDEX, list, &after, arrivals, VD_PAGE_RECORDS, &n);
		for (size_t i = 0; i < n && !rc; i++) {
			struct vd_record record;
			uint64_t received_ms;

			rc = vd_store_read(w->store, arrivals[i], &raw, &record, &received_ms);
			if (!rc)
				rc = visit_one(w, received_ms, &record);
			else if (rc == VD_EDAMAGED || rc == VD_ENOTFOUND)
				rc = VD_OK;
		}
	} while (!rc && n == VD_PAGE_RECORDS);
	vd_buf_deinit(&raw);
	return rc;
}

/* And those that came behind it. */
static int walk_new(const struct walking *w, uint64_t cursor)
{
	struct vd_page page = { .last = cursor };
	int rc = VD_OK;

	while (!rc && !page.end) {
		rc = vd_page_read(w->store, w->group, VD_ANY_LANE, page.last, VD_PAGE_RECORDS, true, &page);
		for (size_t i = 0; i < page.count && !rc; i++) {
			struct vd_record record;

			if (!page.entries[i].err && !vd_record_decode(vd_page_raw(&page, &page.entries[i]), &record))
				rc = visit_one(w, page.entries[i].received_ms, &record);
		}
	}
	vd_page_deinit(&page);
	return rc;
}

int vd_author_walk(struct vd_store *s, const uint8_t group[VD_GROUP_BYTES], const uint8_t author[VD_KEY_BYTES],
                   int (*visit)(void *ctx, uint64_t received_ms, const struct vd_record *), void *ctx)
{
	struct walking w = { .store = s, .group = group, .author = author, .visit = visit, .ctx = ctx };
	struct vd_index_state state;
	int rc = vd_index_state(s, &state);

	if (!rc)
		rc = walk_indexed(&w);
	return rc ? rc : walk_new(&w, state.cursor);
}

/* --- its chains --- */

static int by_place(const void *x, const void *y)
{
	const struct link *a = x, *b = y;

	if (a->lane != b->lane)
		return a->lane < b->lane ? -1 : 1;
	if (a->seq != b->seq)
		return a->seq < b->seq ? -1 : 1;
	return memcmp(a->id.b, b->id.b, VD_ID_BYTES);
}

/* The record that this one follows, if it is here. */
static struct link *before(const struct gathering *g, const struct link *link)
{
	struct link wanted = { .lane = link->lane, .seq = link->seq - 1, .id = link->prev };

	return link->has_prev ? bsearch(&wanted, g->links, g->count, sizeof(wanted), by_place) : NULL;
}

/* Takes `undo` out, and what leads to it; and what may lead to it: a later one whose way back is not here up to where `undo` stands.
 * To accept that would accept `undo` once the missing ones come. Links are in ascending order. */
static void undo(struct gathering *g)
{
	uint64_t seq = 0;
	bool found = false;

	for (size_t i = 0; i < g->count && g->links[i].lane == VD_LANE_CONTROL && !found; i++) {
		found = !memcmp(g->links[i].id.b, g->undo->b, VD_ID_BYTES);
		g->links[i].undone = found;
		seq = g->links[i].seq;
	}
	g->undo_found |= found;
	for (size_t i = 0; i < g->count && g->links[i].lane == VD_LANE_CONTROL && found; i++) {
		const struct link *prev = before(g, &g->links[i]);

		g->links[i].undone |= prev ? prev->undone : g->links[i].seq > seq;
	}
}

static int add_candidate(struct gathering *g, const struct link *link, size_t rank)
{
	uint8_t lane = link->lane;

	if (!vd_room(&g->candidates[lane], g->candidate_count[lane], &g->candidate_cap[lane], VD_LIST_MAX, sizeof(*g->candidates[lane])))
		return VD_ENOMEM;
	g->candidates[lane][g->candidate_count[lane]++] = (struct candidate){ .rank = rank, .seq = link->seq, .id = link->id };
	return VD_OK;
}

static int find_heads(struct gathering *g)
{
	size_t ranks[VD_LANES] = { 0 };
	int rc = VD_OK;

	if (g->count)
		qsort(g->links, g->count, sizeof(*g->links), by_place);
	if (g->undo)
		undo(g);
	for (size_t i = 0; i < g->count; i++) {
		struct link *prev = g->links[i].undone ? NULL : before(g, &g->links[i]);

		if (prev)
			prev->named = true;
	}
	for (size_t i = g->count; i-- > 0 && !rc;) {
		const struct link *one = &g->links[i];

		if (!one->undone && !one->named && ranks[one->lane] < VD_LIST_MAX)
			rc = add_candidate(g, one, ranks[one->lane]++);
	}
	return rc;
}

/* Devices take turns, so that one that forked its chain a thousand times takes nothing from another; each with its latest first. */
static int by_turn(const void *x, const void *y)
{
	const struct candidate *a = x, *b = y;

	if (a->rank != b->rank)
		return a->rank < b->rank ? -1 : 1;
	if (a->seq != b->seq)
		return a->seq > b->seq ? -1 : 1;
	return memcmp(a->id.b, b->id.b, VD_ID_BYTES);
}

static int by_id(const void *x, const void *y)
{
	return memcmp(x, y, VD_ID_BYTES);
}

static void choose(struct gathering *g, struct vd_accepted *out)
{
	for (size_t lane = 0; lane < VD_LANES; lane++) {
		size_t count = g->candidate_count[lane];

		if (count)
			qsort(g->candidates[lane], count, sizeof(*g->candidates[lane]), by_turn);
		out->count[lane] = count < VD_LIST_MAX ? count : VD_LIST_MAX;
		for (size_t i = 0; i < out->count[lane]; i++)
			out->heads[lane][i] = g->candidates[lane][i].id;
		qsort(out->heads[lane], out->count[lane], sizeof(out->heads[lane][0]), by_id);
	}
}

int vd_accepted_heads(struct vd_store *s, const uint8_t group[VD_GROUP_BYTES], const uint8_t (*authors)[VD_KEY_BYTES], size_t count,
                      const struct vd_id *undo_id, struct vd_accepted *out)
{
	struct gathering g = { .undo = undo_id };
	int rc = VD_OK;

	for (size_t i = 0; i < count && !rc; i++) {
		g.count = 0;
		rc = vd_author_walk(s, group, authors[i], add_link, &g);
		if (!rc)
			rc = find_heads(&g);
	}
	if (!rc && undo_id && !g.undo_found)
		rc = VD_ENOTFOUND;
	if (!rc)
		choose(&g, out);
	free(g.links);
	for (size_t lane = 0; lane < VD_LANES; lane++)
		free(g.candidates[lane]);
	return rc;
}
