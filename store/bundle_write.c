#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "bundle.h"
#include "file.h"
#include "many.h"
#include "proto/err.h"

/* A record that goes in, where it stands, and what the length of its compact form depends on. */
struct line {
	uint64_t arrival, seq, time_ms;
	uint64_t id, prev;    /* tags, the same for the same id */
	uint32_t author;      /* its place among the group's authors */
	uint32_t bytes;       /* of the body; of one that stands whole, of all */
	uint32_t expires_day;
	uint8_t lane;
	bool stub, has_prev, has_expires, whole;
};

struct author {
	uint8_t key[VD_KEY_BYTES];
	uint32_t place;
};

struct writer {
	struct vd_store *store;
	struct vd_group *group;
	const struct vd_bundle_choice *choice;
	uint8_t lane;           /* 255: all */
	uint8_t tag_key[crypto_shorthash_KEYBYTES]; /* fresh: nobody can make two ids with one tag */
	struct author *authors; /* by key */
	size_t author_count;
	struct line *lines;
	size_t count, capacity;
	struct vd_slice names[2]; /* that go in: damaged, replaced */
	struct vd_recipient to[VD_SLOTS];
	size_t to_count;
	bool unreadable;        /* a stored record is spoilt: it stays out, the others must not suffer */
	struct vd_manifest manifest;
};

static int by_key(const void *a, const void *b)
{
	return memcmp(((const struct author *)a)->key, ((const struct author *)b)->key, VD_KEY_BYTES);
}

/* Authors in the order they were granted: so a grant stands before what the granted wrote, in lane 0 too. */
static int load_authors(struct writer *w)
{
	w->author_count = vd_group_device_count(w->group);
	w->authors = calloc(w->author_count + 1, sizeof(*w->authors));
	if (!w->authors)
		return VD_ENOMEM;
	for (size_t i = 0; i < w->author_count; i++) {
		memcpy(w->authors[i].key, vd_group_device(w->group, i)->author, VD_KEY_BYTES);
		w->authors[i].place = (uint32_t)i;
	}
	qsort(w->authors, w->author_count, sizeof(*w->authors), by_key);
	return VD_OK;
}

/* Who was granted after the group was loaded gets a place behind all others. */
static int place_of(struct writer *w, const uint8_t author[VD_KEY_BYTES], uint32_t *place)
{
	struct author wanted = { .place = (uint32_t)w->author_count }, *authors;
	const struct author *found;

	memcpy(wanted.key, author, VD_KEY_BYTES);
	found = bsearch(&wanted, w->authors, w->author_count, sizeof(*w->authors), by_key);
	*place = found ? found->place : wanted.place;
	if (found)
		return VD_OK;
	authors = reallocarray(w->authors, w->author_count + 1, sizeof(*authors));
	if (!authors)
		return VD_ENOMEM;
	w->authors = authors;
	authors[w->author_count++] = wanted;
	qsort(authors, w->author_count, sizeof(*authors), by_key);
	return VD_OK;
}

static uint64_t tag_of(const struct writer *w, const struct vd_id *id)
{
	uint8_t tag[crypto_shorthash_BYTES];

	_Static_assert(sizeof(tag) == sizeof(uint64_t), "a tag is a number");
	crypto_shorthash(tag, id->b, sizeof(id->b), w->tag_key);
	return vd_get_u64(tag);
}

static int add_line(struct writer *w, uint64_t arrival, const struct vd_record *record)
{
	struct line *line;
	uint32_t author;

	if (w->choice->want && !w->choice->want(w->choice->ctx, arrival, record))
		return VD_OK;
	if (place_of(w, record->author, &author))
		return VD_ENOMEM;
	if (!vd_room(&w->lines, w->count, &w->capacity, 256, sizeof(*w->lines)))
		return VD_ENOMEM;
	line = &w->lines[w->count++];
	*line = (struct line){
		.arrival = arrival, .seq = record->seq, .time_ms = record->time_ms, .id = tag_of(w, &record->id), .prev = tag_of(w, &record->prev),
		.author = author, .bytes = record->body_bytes, .expires_day = record->expires_day, .lane = record->lane,
		.stub = record->stub, .has_prev = record->has_prev, .has_expires = record->has_expires,
	};
	line->whole = vd_compact_stands_whole(vd_group_id(w->group), record);
	if (line->whole)
		line->bytes = (uint32_t)record->raw.n;
	return VD_OK;
}

static int by_lane_and_chain(const void *a, const void *b)
{
	const struct line *x = a, *y = b;

	if (x->lane != y->lane)
		return x->lane < y->lane ? -1 : 1;
	if (x->author != y->author)
		return x->author < y->author ? -1 : 1;
	if (x->seq != y->seq)
		return x->seq < y->seq ? -1 : 1;
	return x->arrival < y->arrival ? -1 : x->arrival > y->arrival;
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

static int choose_from(struct writer *w, const uint64_t *arrivals, const struct vd_many_one *ones, size_t count)
{
	int rc = VD_OK;

	for (size_t i = 0; i < count && !rc; i++) {
		const struct vd_record *record = &ones[i].record;

		w->unreadable |= ones[i].err == VD_EDAMAGED;
		if (ones[i].err && ones[i].err != VD_ENOTFOUND && ones[i].err != VD_EDAMAGED)
			rc = ones[i].err;
		else if (!ones[i].err && memcmp(record->group, vd_group_id(w->group), VD_GROUP_BYTES) == 0)
			rc = add_line(w, arrivals[i], record);
	}
	return rc;
}

static int choose_among(struct writer *w, struct vd_many *many, struct numbers *numbers)
{
	const uint64_t *arrivals, *next;
	size_t count = numbers_next(numbers, &arrivals), more;
	int rc = VD_OK;

	vd_many_ask(many, arrivals, count);
	while (count && !rc) {
		const struct vd_many_one *ones = vd_many_take(many);

		more = numbers_next(numbers, &next);
		vd_many_ask(many, next, more);
		rc = choose_from(w, arrivals, ones, count);
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
	return rc ? rc : add_line(ctx, arrival, &record);
}

static int choose(struct writer *w, struct vd_many *many)
{
	const struct vd_bundle_choice *c = w->choice;
	struct numbers *numbers = calloc(1, sizeof(*numbers));
	int rc = numbers ? load_authors(w) : VD_ENOMEM;

	if (!rc) {
		numbers->chosen = c->arrivals;
		numbers->next = 1;
		numbers->last = c->count;
		if (!c->arrivals)
			rc = vd_store_latest(w->store, &numbers->last);
	}
	if (!rc && !c->arrivals && w->lane != 255)
		rc = vd_store_walk(w->store, vd_group_id(w->group), w->lane, 0, visit, w);
	else if (!rc)
		rc = choose_among(w, many, numbers);
	if (rc == VD_EDAMAGED) {
		w->unreadable = true;
		rc = VD_OK;
	}
	free(numbers);
	if (!rc && w->count)
		qsort(w->lines, w->count, sizeof(*w->lines), by_lane_and_chain);
	return rc;
}

/* As much of the record as its length depends on: places and tags stand for authors and ids. */
static void shape_of(const struct line *line, struct vd_record *r)
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

/* How many of the lines go into `max` chunks behind the names. */
static int plan_lines(const struct writer *w, uint64_t max, struct vd_seal_plan *plan, size_t *count)
{
	static const uint8_t nobody[VD_GROUP_BYTES];
	struct vd_seal_plan p, next;
	struct vd_compact stream;
	struct vd_record shape;
	size_t n = 0;
	int rc = VD_OK;

	vd_compact_init(&stream, nobody);
	vd_seal_plan_start(&p, w->manifest.what);
	for (size_t i = (w->names[0].n + w->names[1].n) / VD_SEGMENT_ID_BYTES; i > 0; i--)
		vd_seal_plan_entry(&p, VD_SEGMENT_ID_BYTES);
	for (size_t i = 0; w->choice->name_them && i < w->choice->device_count; i++)
		vd_seal_plan_entry(&p, VD_KEY_BYTES);
	if (w->choice->hearing.n)
		vd_seal_plan_entry(&p, w->choice->hearing.n);
	for (; n < w->count; n++) {
		next = p;
		shape_of(&w->lines[n], &shape);
		rc = vd_seal_plan_record(&next, &stream, &shape);
		if (rc || vd_seal_plan_chunks(&next) > max)
			break;
		p = next;
	}
	vd_compact_deinit(&stream);
	*plan = p;
	*count = n;
	return rc;
}

/* How many chunks, and, under a bound, how many of the lines. */
static int plan(struct writer *w, struct vd_bundle_stats *stats)
{
	uint64_t max = UINT64_MAX, bytes = w->choice->max_bytes;
	struct vd_seal_plan p;
	size_t n, alone;
	int rc;

	stats->left = w->count;
	if (bytes)
		max = bytes < vd_sealed_bytes(1) ? 0 : (bytes - vd_sealed_bytes(0)) / VD_CHUNK_BYTES;
	if (max == 0)
		return VD_ENOSPACE;
	w->names[0] = w->choice->damaged;
	w->names[1] = w->choice->replaced;
	rc = plan_lines(w, max, &p, &n);
	if (!rc && n < w->count && w->names[1].n) {
		/* Nothing is replaced before all of it is written. */
		w->names[1] = vd_slice(NULL, 0);
		rc = plan_lines(w, max, &p, &n);
	}
	if (rc)
		return rc;
	if (vd_seal_plan_chunks(&p) > max || (w->choice->control && n < w->count))
		return VD_ENOSPACE;
	alone = w->choice->count ? 0 : w->choice->hearing.n;
	stats->left = w->count - n + (w->choice->replaced.n - w->names[1].n) / VD_SEGMENT_ID_BYTES;
	if (n == 0 && w->manifest.what == VD_SEALED_SEGMENT && (w->count || !(w->names[0].n + w->names[1].n + alone)))
		return w->count ? VD_ENOSPACE : VD_ENOTFOUND;
	w->count = n;
	w->manifest.records = n;
	w->manifest.chunks = vd_seal_plan_chunks(&p);
	return VD_OK;
}

/* The record as it was when it was chosen: a body may have come since. */
static int as_chosen(const struct line *line, const struct vd_many_one *one, struct vd_record *record)
{
	*record = one->record;
	if (one->err || record->stub == line->stub)
		return one->err;
	if (!line->stub)
		return VD_EAGAIN;
	return vd_record_view(vd_slice(record->raw.p, record->header.n + record->signature.n), record);
}

static int write_names(struct writer *w, struct vd_sealer *sealer, struct vd_file_out *file)
{
	struct vd_buf out = { 0 };
	int rc = VD_OK;

	for (int i = 0; i < 2; i++)
		for (size_t at = 0; at < w->names[i].n && !rc; at += VD_SEGMENT_ID_BYTES)
			rc = vd_sealer_entry(sealer, i ? VD_ENTRY_REPLACED : VD_ENTRY_DAMAGED,
			                     vd_slice(w->names[i].p + at, VD_SEGMENT_ID_BYTES), &out);
	for (size_t i = 0; w->choice->name_them && i < w->choice->device_count && !rc; i++)
		rc = vd_sealer_entry(sealer, VD_ENTRY_FOR, vd_slice(w->choice->devices[i], VD_KEY_BYTES), &out);
	if (!rc && w->choice->hearing.n)
		rc = vd_sealer_entry(sealer, VD_ENTRY_HEARING, w->choice->hearing, &out);
	if (!rc && out.n)
		rc = vd_file_write(file, vd_buf_slice(&out));
	vd_buf_deinit(&out);
	return rc;
}

static size_t ask_for_lines(struct writer *w, struct vd_many *many, size_t from, uint64_t *room)
{
	size_t count = 0;

	for (; count < VD_MANY_AT_ONCE && from + count < w->count; count++)
		room[count] = w->lines[from + count].arrival;
	vd_many_ask(many, room, count);
	return count;
}

static int write_some(const struct line *lines, const struct vd_many_one *ones, size_t count, struct vd_sealer *sealer,
                      struct vd_file_out *file, struct vd_buf *out)
{
	struct vd_record record;
	int rc = VD_OK;

	for (size_t i = 0; i < count && !rc; i++) {
		rc = as_chosen(&lines[i], &ones[i], &record);
		if (!rc)
			rc = vd_sealer_record(sealer, &record, out);
		if (!rc && out->n)
			rc = vd_file_write(file, vd_buf_slice(out));
		vd_buf_reset(out);
	}
	return rc;
}

static int write_lines(struct writer *w, struct vd_many *many, struct vd_sealer *sealer, struct vd_file_out *file)
{
	uint64_t *rooms = calloc(2, VD_MANY_AT_ONCE * sizeof(*rooms));
	struct vd_buf out = { 0 };
	size_t at = 0, turn = 0, count, more;
	int rc = VD_OK;

	if (!rooms)
		return VD_ENOMEM;
	count = ask_for_lines(w, many, 0, rooms);
	while (count && !rc) {
		const struct vd_many_one *ones = vd_many_take(many);

		turn = !turn;
		more = ask_for_lines(w, many, at + count, rooms + turn * VD_MANY_AT_ONCE);
		rc = write_some(w->lines + at, ones, count, sealer, file, &out);
		at += count;
		count = more;
	}
	(void)vd_many_take(many);
	if (!rc)
		rc = vd_sealer_finish(sealer, &out);
	if (!rc)
		rc = vd_file_write(file, vd_buf_slice(&out));
	vd_buf_deinit(&out);
	free(rooms);
	return rc;
}

static int report_written(const struct writer *w)
{
	int rc = VD_OK;

	for (size_t i = 0; w->choice->written && i < w->count && !rc; i++)
		rc = vd_arrivals_add(w->choice->written, w->lines[i].arrival, w->lines[i].stub);
	return rc;
}

static int write_file(struct writer *w, const char *path, bool read_back,
                      struct vd_bundle_stats *stats)
{
	uint8_t seed[VD_SEAL_SEED_BYTES];
	struct vd_sealer *sealer = NULL;
	struct vd_file_out *file = NULL;
	struct vd_many *many = NULL;
	int rc = vd_many_new(w->store, &many);

	if (!rc)
		rc = choose(w, many);
	if (!rc && w->unreadable && w->manifest.what == VD_SEALED_WELCOME)
		rc = VD_EDAMAGED; /* who starts with less than all cannot tell */
	if (!rc)
		rc = plan(w, stats);
	if (rc)
		goto done;
	randombytes_buf(seed, sizeof(seed));
	rc = vd_sealer_new(&w->manifest, w->to, w->to_count, seed, &sealer);
	sodium_memzero(seed, sizeof(seed));
	if (!rc)
		rc = vd_file_create(path, &file);
	if (!rc && w->manifest.what == VD_SEALED_SEGMENT)
		vd_file_share(file);
	if (!rc)
		rc = write_names(w, sealer, file);
	if (!rc)
		rc = write_lines(w, many, sealer, file);
	if (rc)
		goto done;
	stats->bytes = vd_file_size(file);
	rc = vd_file_commit(file, read_back);
	file = NULL;
	if (rc)
		goto done;
	stats->records = w->count;
	stats->chunks_ok = w->manifest.chunks;
	stats->manifest = w->manifest;
	rc = report_written(w);
	stats->unreadable = w->unreadable;
	if (!rc && w->unreadable)
		rc = VD_EDAMAGED;
done:
	vd_file_abort(file);
	vd_sealer_free(sealer);
	vd_many_free(many);
	free(w->lines);
	free(w->authors);
	return rc;
}

static bool has_slot(const struct writer *w, const uint8_t author[VD_KEY_BYTES])
{
	for (size_t i = 0; i < w->to_count; i++)
		if (w->to[i].how != VD_FOR_LINK && memcmp(w->to[i].author, author, VD_KEY_BYTES) == 0)
			return true;
	return false;
}

/* How many epochs the group ever had. */
static size_t count_epochs(struct vd_group *group)
{
	size_t count = 0;

	for (size_t i = 0; i < vd_group_act_count(group); i++) {
		const struct vd_act *act = vd_group_act(group, i);

		count += (act->kind == VD_ACT_EPOCH || act->kind == VD_ACT_REVOKE) && !act->continues;
	}
	return count;
}

/* A link key that the device is sure to have, NULL: none. The newest is none for who may be waiting for it. */
static const uint8_t *sure_link(struct writer *w, const uint8_t device[VD_KEY_BYTES])
{
	const uint8_t *link = vd_group_mask_link(w->group, device);
	bool newest = link && memcmp(link, vd_group_epoch_keys(w->group, 0)->key[VD_KEY_LINK], VD_KEY_BYTES) == 0;

	return newest && (w->choice->name_them || count_epochs(w->group) > 1) ? NULL : link;
}

/* A slot of its own for a device: masked by a link key it is sure to have, or by what its card shows. */
static int add_device(struct writer *w, const struct vd_device *device)
{
	const uint8_t *link;
	struct vd_recipient *to = &w->to[w->to_count];

	if (!device || !vd_seal_box_ok(device->box))
		return VD_EINVAL;
	if (has_slot(w, device->author))
		return VD_OK;
	if (w->to_count == VD_SLOTS)
		return VD_ECAP;
	/* Paper has nothing but its words. */
	link = device->flags & VD_GRANT_PAPER ? NULL : sure_link(w, device->author);
	to->how = link ? VD_FOR_DEVICE : VD_FOR_CARD;
	if (link)
		memcpy(to->link, link, VD_KEY_BYTES);
	memcpy(to->author, device->author, VD_KEY_BYTES);
	memcpy(to->box, device->box, VD_KEY_BYTES);
	w->to_count++;
	return VD_OK;
}

static void add_paper_keys(struct writer *w)
{
	size_t added = 0;

	for (size_t i = vd_group_device_count(w->group); i > 0 && added < VD_PAPER_SLOTS && w->to_count < VD_SLOTS; i--) {
		const struct vd_device *d = vd_group_device(w->group, i - 1);

		/* One to which nothing can be sealed keeps nobody else from theirs. */
		if (d->role != VD_ROLE_NONE && (d->flags & VD_GRANT_PAPER) && add_device(w, d) == VD_OK)
			added++;
	}
}

static int address(struct writer *w)
{
	const struct vd_bundle_choice *c = w->choice;
	int rc = VD_OK;

	if (!c->devices || c->for_link) {
		if (vd_group_epoch_count(w->group) == 0)
			return VD_EKEY;
		w->to[0].how = VD_FOR_LINK;
		memcpy(w->to[0].link, vd_group_epoch_keys(w->group, 0)->key[VD_KEY_LINK], VD_KEY_BYTES);
		w->to_count = 1;
	} else {
		rc = add_device(w, vd_group_find(w->group, vd_group_identity(w->group)->author));
	}
	for (size_t i = 0; c->devices && i < c->device_count && !rc; i++)
		rc = add_device(w, vd_group_find(w->group, c->devices[i]));
	if (!rc && !c->name_them)
		add_paper_keys(w);
	return rc;
}

int vd_bundle_write(struct vd_store *store, struct vd_group *group, enum vd_sealed_what what, const struct vd_bundle_choice *choice,
                    const char *path, bool read_back, struct vd_bundle_stats *stats)
{
	struct writer w = {
		.store = store, .group = group, .choice = choice, .lane = choice->control ? VD_LANE_CONTROL : 255, .manifest = { .what = what },
	};
	int rc;

	*stats = (struct vd_bundle_stats){ 0 };
	if (what == VD_SEALED_WELCOME)
		return VD_EINVAL;
	crypto_shorthash_keygen(w.tag_key);
	memcpy(w.manifest.group, vd_group_id(group), VD_GROUP_BYTES);
	rc = address(&w);
	if (!rc)
		rc = write_file(&w, path, read_back, stats);
	sodium_memzero(w.to, sizeof(w.to));
	return rc;
}

int vd_welcome_write(struct vd_store *store, struct vd_group *group, const struct vd_card *card, const struct vd_id *grant,
                     const char *path)
{
	const struct vd_bundle_choice all = { .control = true };
	struct writer w = {
		.store = store, .group = group, .choice = &all, .lane = VD_LANE_CONTROL, .to = { { .how = VD_FOR_CARD } }, .to_count = 1,
		.manifest = { .what = VD_SEALED_WELCOME, .has_grant = true },
	};
	struct vd_bundle_stats stats = { 0 };

	crypto_shorthash_keygen(w.tag_key);
	memcpy(w.to[0].author, card->author, VD_KEY_BYTES);
	memcpy(w.to[0].box, card->box, VD_KEY_BYTES);
	memcpy(w.manifest.group, vd_group_id(group), VD_GROUP_BYTES);
	memcpy(w.manifest.grant, grant->b, VD_ID_BYTES);
	return write_file(&w, path, true, &stats);
}
