#include "bundle_lines.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "proto/err.h"

struct vd_line_author {
	uint8_t key[VD_KEY_BYTES];
	uint32_t place;
};

void vd_lines_init(struct vd_lines *l, struct vd_store *store, struct vd_group *group, const struct vd_bundle_choice *choice)
{
	_Static_assert(sizeof(l->tag_key) == crypto_shorthash_KEYBYTES, "a key for the tags");
	*l = (struct vd_lines){
		.store = store, .group = group, .choice = choice, .lane = choice->control ? VD_LANE_CONTROL : 255,
	};
	crypto_shorthash_keygen(l->tag_key);
}

void vd_lines_deinit(struct vd_lines *l)
{
	free(l->line);
	free(l->authors);
}

static int by_key(const void *a, const void *b)
{
	return memcmp(((const struct vd_line_author *)a)->key, ((const struct vd_line_author *)b)->key, VD_KEY_BYTES);
}

/* Authors in the order they were granted: so a grant stands before what the granted wrote, in lane 0 too. */
static int load_authors(struct vd_lines *l)
{
	l->author_count = vd_group_device_count(l->group);
	l->authors = calloc(l->author_count + 1, sizeof(*l->authors));
	if (!l->authors)
		return VD_ENOMEM;
	for (size_t i = 0; i < l->author_count; i++) {
		memcpy(l->authors[i].key, vd_group_device(l->group, i)->author, VD_KEY_BYTES);
		l->authors[i].place = (uint32_t)i;
	}
	qsort(l->authors, l->author_count, sizeof(*l->authors), by_key);
	return VD_OK;
}

/* Who was granted after the group was loaded gets a place behind all others. */
static int place_of(struct vd_lines *l, const uint8_t author[VD_KEY_BYTES], uint32_t *place)
{
	struct vd_line_author wanted = { .place = (uint32_t)l->author_count }, *authors;
	const struct vd_line_author *found;

	memcpy(wanted.key, author, VD_KEY_BYTES);
	found = bsearch(&wanted, l->authors, l->author_count, sizeof(*l->authors), by_key);
	*place = found ? found->place : wanted.place;
	if (found)
		return VD_OK;
	authors = reallocarray(l->authors, l->author_count + 1, sizeof(*authors));
	if (!authors)
		return VD_ENOMEM;
	l->authors = authors;
	authors[l->author_count++] = wanted;
	qsort(authors, l->author_count, sizeof(*authors), by_key);
	return VD_OK;
}

static uint64_t tag_of(const struct vd_lines *l, const struct vd_id *id)
{
	uint8_t tag[crypto_shorthash_BYTES];

	_Static_assert(sizeof(tag) == sizeof(uint64_t), "a tag is a number");
	crypto_shorthash(tag, id->b, sizeof(id->b), l->tag_key);
	return vd_get_u64(tag);
}

static bool is_over(const struct vd_lines *l, const struct vd_record *record)
{
	if (record->stub)
		return false;
	return l->choice->expired_through ? vd_store_is_over(record, l->choice->expired_through) : vd_store_withholds(l->store, record);
}

int vd_lines_add(struct vd_lines *l, uint64_t arrival, const struct vd_record *record)
{
	struct vd_record bare;
	struct vd_line *line;
	uint32_t author;
	bool over = is_over(l, record);

	if (l->choice->want && !l->choice->want(l->choice->ctx, arrival, record))
		return VD_OK;
	if (over) {
		if (vd_record_view(vd_slice(record->raw.p, record->header.n + record->signature.n), &bare))
			return VD_EFORMAT;
		record = &bare;
	}
	if (place_of(l, record->author, &author))
		return VD_ENOMEM;
	if (!vd_room(&l->line, l->count, &l->capacity, 256, sizeof(*l->line)))
		return VD_ENOMEM;
	line = &l->line[l->count++];
	*line = (struct vd_line){
		.arrival = arrival, .seq = record->seq, .time_ms = record->time_ms, .id = tag_of(l, &record->id), .prev = tag_of(l, &record->prev),
		.author = author, .bytes = record->body_bytes, .expires_day = record->expires_day, .lane = record->lane,
		.stub = record->stub, .has_prev = record->has_prev, .has_expires = record->has_expires, .over = over,
	};
	line->whole = vd_compact_stands_whole(vd_group_id(l->group), record);
	if (line->whole)
		line->bytes = (uint32_t)record->raw.n;
	return VD_OK;
}

static int by_lane_and_chain(const void *a, const void *b)
{
	const struct vd_line *x = a, *y = b;

	if (x->lane != y->lane)
		return x->lane < y->lane ? -1 : 1;
	if (x->author != y->author)
		return x->author < y->author ? -1 : 1;
	if (x->seq != y->seq)
		return x->seq < y->seq ? -1 : 1;
	return x->arrival < y->arrival ? -1 : x->arrival > y->arrival;
}

void vd_lines_sort(struct vd_lines *l)
{
	if (l->count)
		qsort(l->line, l->count, sizeof(*l->line), by_lane_and_chain);
}

/* Arrival numbers to be looked at: those that were chosen, or all there are. */
struct numbers {
	const uint64_t *chosen;
	uint64_t next, last;
	uint64_t room[2][VD_MANY_AT_ONCE];
	size_t turn;
};

static size_t numbers_next(struct numbers *n, const uint64_t **out)
{
	size_t count = 0;

	n->turn = !n->turn;
	*out = n->chosen ? n->chosen + n->next - 1 : n->room[n->turn];
	for (; count < VD_MANY_AT_ONCE && n->next <= n->last; count++, n->next++)
		if (!n->chosen)
			n->room[n->turn][count] = n->next;
	return count;
}

static int choose_from(struct vd_lines *l, const uint64_t *arrivals, const struct vd_many_one *ones, size_t count)
{
	int rc = VD_OK;

	for (size_t i = 0; i < count && !rc; i++) {
		const struct vd_record *record = &ones[i].record;

		l->unreadable |= ones[i].err == VD_EDAMAGED;
		if (ones[i].err && ones[i].err != VD_ENOTFOUND && ones[i].err != VD_EDAMAGED)
			rc = ones[i].err;
		else if (!ones[i].err && memcmp(record->group, vd_group_id(l->group), VD_GROUP_BYTES) == 0)
			rc = vd_lines_add(l, arrivals[i], record);
	}
	return rc;
}

static int choose_among(struct vd_lines *l, struct vd_many *many, struct numbers *numbers)
{
	const uint64_t *arrivals, *next;
	size_t count = numbers_next(numbers, &arrivals), more;
	int rc = VD_OK;

	vd_many_ask(many, arrivals, count);
	while (count && !rc) {
		const struct vd_many_one *ones = vd_many_take(many);

		more = numbers_next(numbers, &next);
		vd_many_ask(many, next, more);
		rc = l->choice->stop && l->choice->stop() ? VD_ECLOSED : choose_from(l, arrivals, ones, count);
		arrivals = next;
		count = more;
	}
	(void)vd_many_take(many); /* the numbers are read no more */
	return rc;
}

/* Of one lane, which is short. */
static int visit(void *ctx, uint64_t arrival, uint64_t received_ms, struct vd_slice raw)
{
	struct vd_record record;
	int rc = vd_record_view(raw, &record);

	(void)received_ms;
	return rc ? rc : vd_lines_add(ctx, arrival, &record);
}

int vd_lines_choose(struct vd_lines *l, struct vd_many *many)
{
	struct numbers *numbers = calloc(1, sizeof(*numbers));
	int rc = numbers ? load_authors(l) : VD_ENOMEM;

	if (!rc) {
		numbers->chosen = l->choice->arrivals;
		numbers->next = 1;
		numbers->last = l->choice->count;
		if (!l->choice->arrivals)
			rc = vd_store_latest(l->store, &numbers->last);
	}
	if (!rc && !l->choice->arrivals && l->lane != 255)
		rc = vd_store_walk(l->store, vd_group_id(l->group), l->lane, 0, visit, l);
	else if (!rc)
		rc = choose_among(l, many, numbers);
	if (rc == VD_EDAMAGED) {
		l->unreadable = true;
		rc = VD_OK;
	}
	free(numbers);
	if (!rc)
		vd_lines_sort(l);
	return rc;
}

/* As much of the record as its length depends on: places and tags stand for authors and ids. */
static void shape_of(const struct vd_line *line, struct vd_record *r)
{
	*r = (struct vd_record){
		.version = line->whole ? VD_VERSION_MAX : VD_VERSION, .lane = line->lane, .seq = line->seq, .has_prev = line->has_prev,
		.time_ms = line->time_ms, .has_expires = line->has_expires, .expires_day = line->expires_day, .stub = line->stub,
		.body_bytes = line->bytes, .raw = vd_slice(NULL, line->bytes), .body = vd_slice(NULL, line->stub ? 0 : line->bytes),
	};
	vd_set_u32(r->author, line->author);
	vd_set_u64(r->id.b, line->id);
	vd_set_u64(r->prev.b, line->prev);
}

int vd_lines_fit(const struct vd_lines *l, size_t from, size_t to, uint64_t max, struct vd_seal_plan *plan, struct vd_compact *stream,
                 size_t *count)
{
	struct vd_record shape;
	size_t at = from;
	int rc = VD_OK;

	for (; at < to; at++) {
		struct vd_seal_plan next = *plan;

		shape_of(&l->line[at], &shape);
		rc = vd_seal_plan_record(&next, stream, &shape);
		if (rc || vd_seal_plan_chunks(&next) > max)
			break;
		*plan = next;
	}
	*count = at - from;
	return rc;
}
