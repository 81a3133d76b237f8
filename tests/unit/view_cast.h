/* Several stores of one group whose members remove and redact, for the tests of what is shown. A record is spoken of by the name that
 * it was given when it was written: who carries only can tell it as well as who reads it. */
#ifndef VIEW_CAST_H
#define VIEW_CAST_H

#include "tests/unit/store_cast.h"

#include "store/check.h"
#include "store/index.h"
#include "store/inside.h"

enum { CAST_STORES = 8, CAST_NAMES = 128 };

struct village {
	const struct cast_place *place;
	struct vd_store *s[CAST_STORES];
	struct vd_group *g[CAST_STORES];
	char home[CAST_STORES][128];
	size_t count;
	uint8_t id[VD_GROUP_BYTES];
	uint64_t clock;
	struct {
		struct vd_id id;
		char name[16];
	} named[CAST_NAMES];
	size_t named_count;
};

static inline void village_start(struct village *v, const struct cast_place *p)
{
	memset(v, 0, sizeof(*v));
	v->place = p;
	v->clock = cast_now;
	snprintf(v->home[0], sizeof(v->home[0]), "%s/0", p->top);
	v->s[0] = cast_store(v->home[0]);
	v->g[0] = cast_found(v->s[0], v->id);
	v->count = 1;
}

static inline void village_check(struct village *v)
{
	for (size_t i = 0; i < v->count; i++) {
		struct vd_check check;

		assert_int_equal(vd_index_catch_up(v->s[i]), 0);
		assert_int_equal(vd_check(v->s[i], false, &check), 0);
		assert_int_equal(check.bad, 0);
		assert_int_equal(check.derived_bad, 0);
	}
}

static inline void village_end(struct village *v)
{
	village_check(v);
	for (size_t i = 0; i < v->count; i++) {
		vd_group_free(v->g[i]);
		vd_store_close(v->s[i]);
	}
}

static inline void village_name(struct village *v, const struct vd_id *id, const char *name)
{
	assert_true(v->named_count < CAST_NAMES);
	v->named[v->named_count].id = *id;
	snprintf(v->named[v->named_count++].name, sizeof(v->named[0].name), "%s", name);
}

static inline struct vd_id village_find(const struct village *v, const char *name)
{
	for (size_t i = 0; i < v->named_count; i++) {
		if (!strcmp(v->named[i].name, name))
			return v->named[i].id;
	}
	fail_msg("no record %s", name);
	return (struct vd_id){ { 0 } };
}

static inline const uint8_t *village_author(const struct village *v, size_t i)
{
	return vd_group_identity(v->g[i])->author;
}

/* --- acts --- */

static inline struct vd_id village_act(struct village *v, size_t by, struct vd_buf *content)
{
	struct vd_draft draft = { .lane = VD_LANE_CONTROL, .content = vd_buf_slice(content), .now_ms = ++v->clock };
	struct vd_write *w;
	struct vd_id id;

	assert_int_equal(vd_write_begin(v->s[by], &w), 0);
	assert_int_equal(vd_write_own(w, v->g[by], &draft, &id), 0);
	assert_int_equal(vd_write_commit(w), 0);
	vd_buf_deinit(content);
	return id;
}

/* The founder admits a new store. */
static inline size_t village_join(struct village *v, enum vd_role role, uint8_t person)
{
	uint8_t whose[VD_PERSON_BYTES] = { person }, nonce[VD_BODY_NONCE_BYTES] = { 9 };
	struct vd_buf content = { 0 };
	struct vd_batch control = { 0 };
	struct vd_identity newcomer;
	struct vd_card card;
	struct vd_id grant;
	size_t i = v->count++;

	assert_true(i < CAST_STORES);
	snprintf(v->home[i], sizeof(v->home[i]), "%s/%zu", v->place->top, i);
	v->s[i] = cast_store(v->home[i]);
	assert_int_equal(vd_store_next_identity(v->s[i], &newcomer), 0);
	assert_int_equal(vd_card_create(&newcomer, &card), 0);
	assert_int_equal(vd_group_make_grant(v->g[0], &card, whose, role, 0, "Inés", nonce, &content), 0);
	grant = village_act(v, 0, &content);
	assert_int_equal(vd_group_make_epoch_for(v->g[0], vd_group_epoch_id(v->g[0], 0), newcomer.author, &content), 0);
	village_act(v, 0, &content);
	cast_gather(v->s[0], VD_LANE_CONTROL, &control);
	assert_int_equal(vd_store_join(v->s[i], v->id, &control, grant.b), 0);
	assert_int_equal(vd_store_group(v->s[i], v->id, &v->g[i]), 0);
	vd_batch_deinit(&control);
	return i;
}

/* `by` removes the device of store `whom`, accepting up to the records of these names (NULL-terminated). */
static inline struct vd_id village_revoke(struct village *v, size_t by, size_t whom, const char *const *heads)
{
	uint8_t device[1][VD_KEY_BYTES], nonce[VD_BODY_NONCE_BYTES] = { 8 };
	struct vd_id ids[VD_LANES][VD_LIST_MAX];
	struct vd_removal removal = { .devices = (const uint8_t(*)[VD_KEY_BYTES])device, .device_count = 1, .reason = "lost" };
	struct vd_epoch_keys keys = { .key = { { (uint8_t)++v->clock }, { 2, (uint8_t)by }, { 3, (uint8_t)whom } } };
	struct vd_buf content = { 0 };

	memcpy(device[0], village_author(v, whom), VD_KEY_BYTES);
	for (; heads && *heads; heads++) {
		struct vd_id id = village_find(v, *heads);
		struct vd_buf raw = { 0 };
		struct vd_record record;
		uint64_t arrival;

		assert_int_equal(vd_store_find(v->s[whom], &id, &arrival), 0);
		assert_int_equal(vd_store_read(v->s[whom], arrival, &raw, &record, NULL), 0);
		ids[record.lane][removal.head_count[record.lane]++] = id;
		vd_buf_deinit(&raw);
	}
	for (size_t lane = 0; lane < VD_LANES; lane++)
		removal.heads[lane] = ids[lane];
	assert_int_equal(vd_group_make_revoke(v->g[by], &removal, &keys, nonce, &content), 0);
	return village_act(v, by, &content);
}

static inline struct vd_id village_review(struct village *v, size_t by, const char *name, bool accept)
{
	struct vd_id about = village_find(v, name);
	struct vd_buf content = { 0 };

	assert_int_equal(vd_group_make_review(v->g[by], &about, accept, &content), 0);
	return village_act(v, by, &content);
}

static inline struct vd_id village_approve(struct village *v, size_t by, const struct vd_id *about)
{
	struct vd_buf content = { 0 };

	assert_int_equal(vd_group_make_approve(v->g[by], about, &content), 0);
	return village_act(v, by, &content);
}

static inline struct vd_id village_restore(struct village *v, size_t by, size_t whom)
{
	uint8_t nonce[VD_BODY_NONCE_BYTES] = { 6 };
	struct vd_buf content = { 0 };

	assert_int_equal(vd_group_make_restore(v->g[by], village_author(v, whom), nonce, &content), 0);
	return village_act(v, by, &content);
}

/* --- records --- */

/* Writes the draft with that content, which it takes over. */
static inline struct vd_id village_put(struct village *v, size_t by, struct vd_draft *draft, struct vd_buf *content, const char *name)
{
	struct vd_write *w;
	struct vd_id id;

	draft->content = vd_buf_slice(content);
	assert_int_equal(vd_write_begin(v->s[by], &w), 0);
	assert_int_equal(vd_write_own(w, v->g[by], draft, &id), 0);
	assert_int_equal(vd_write_commit(w), 0);
	vd_buf_deinit(content);
	village_name(v, &id, name);
	return id;
}

static inline struct vd_id village_write(struct village *v, size_t by, uint8_t lane, const char *kind, const char *name,
                                         const struct vd_id *redacts, uint64_t now_ms)
{
	struct vd_field field = { vd_slice_str("text"), { .type = VD_MP_STR, .bytes = vd_slice_str(name) } };
	struct vd_draft draft = { .lane = lane, .audience = VD_AUDIENCE_EVERYONE, .now_ms = now_ms, .redacts = redacts };
	struct vd_buf content = { 0 };

	assert_int_equal(vd_content_encode(vd_slice_str(kind), &field, 1, &content), 0);
	return village_put(v, by, &draft, &content, name);
}

static inline struct vd_id village_say(struct village *v, size_t by, const char *name)
{
	return village_write(v, by, VD_LANE_NORMAL, "message", name, NULL, ++v->clock);
}

static inline struct vd_id village_redact(struct village *v, size_t by, const char *what, const char *name)
{
	struct vd_id id = village_find(v, what);

	return village_write(v, by, VD_LANE_URGENT, "redaction", name, &id, ++v->clock);
}

/* Does that store have the body? */
static inline bool village_whole(const struct village *v, size_t i, const char *name)
{
	struct vd_id id = village_find(v, name);
	struct vd_buf raw = { 0 };
	struct vd_record record;
	uint64_t arrival;

	assert_int_equal(vd_store_find(v->s[i], &id, &arrival), 0);
	assert_int_equal(vd_store_read(v->s[i], arrival, &raw, &record, NULL), 0);
	vd_buf_deinit(&raw);
	return !record.stub;
}

static inline void village_carry(struct village *v, size_t from, size_t to)
{
	struct vd_merge merge;

	cast_carry(v->s[from], v->s[to], v->g[to], &merge);
	assert_int_equal(merge.refused, 0);
}

/* Everybody gets everything. */
static inline void village_sync(struct village *v)
{
	for (int round = 0; round < 2; round++)
		for (size_t i = 1; i < v->count; i++) {
			village_carry(v, i, 0);
			village_carry(v, 0, i);
		}
}

/* One record, or its stub, goes alone. */
static inline void village_hand(struct village *v, size_t from, size_t to, const char *name, bool stub)
{
	struct vd_id id = village_find(v, name);
	struct vd_batch batch = { 0 };
	struct vd_merge merge = { 0 };
	struct vd_buf raw = { 0 };
	struct vd_record record;
	uint64_t arrival;

	assert_int_equal(vd_store_find(v->s[from], &id, &arrival), 0);
	assert_int_equal(vd_store_read(v->s[from], arrival, &raw, &record, NULL), 0);
	assert_int_equal(vd_batch_add(&batch, stub ? vd_slice(raw.p, record.header.n + record.signature.n) : vd_buf_slice(&raw)), 0);
	assert_int_equal(vd_store_merge(v->s[to], v->g[to], &batch, &merge), 0);
	assert_int_equal(merge.refused, 0);
	vd_batch_deinit(&batch);
	vd_buf_deinit(&raw);
}

/* --- what is shown --- */

struct village_view {
	const struct village *v;
	char text[4096];
};

static inline int village_see(void *ctx, const struct vd_found *found)
{
	static const char *const standing[] = { "", "?", "/", "!" }, *const review[] = { "", "left", "accepted" };
	struct village_view *view = ctx;
	char name[2 * VD_ID_BYTES + 1] = "";

	for (size_t i = 0; i < view->v->named_count; i++) {
		if (!memcmp(view->v->named[i].id.b, found->record->id.b, VD_ID_BYTES))
			strcpy(name, view->v->named[i].name);
	}
	assert_true(*name);
	strcat(view->text, name);
	strcat(view->text, standing[found->standing]);
	strcat(view->text, review[found->review]);
	for (size_t i = 0; found->standing == VD_STANDING_REDACTED && i < view->v->named_count; i++) {
		if (!memcmp(view->v->named[i].id.b, found->redaction.b, VD_ID_BYTES)) /* by which */
			strcat(view->text, view->v->named[i].name);
	}
	strcat(view->text, " ");
	return 0;
}

static inline void village_text(const struct village *v, size_t by, const struct vd_query *query, struct village_view *view)
{
	*view = (struct village_view){ .v = v };
	assert_int_equal(vd_query(v->s[by], query, village_see, view), 0);
}

/* What that store shows: names in order. ? quarantined, / redacted, ! not entitled, and what a review said. */
static inline void village_shows(const struct village *v, size_t by, const char *expected)
{
	struct village_view view;

	village_text(v, by, &(struct vd_query){ 0 }, &view);
	assert_string_equal(view.text, expected);
}

static inline void village_holds(const struct village *v, size_t by, const char *expected)
{
	struct village_view view;

	village_text(v, by, &(struct vd_query){ .hidden = true }, &view);
	assert_string_equal(view.text, expected);
}

static inline void village_quarantines(const struct village *v, size_t by, const char *expected)
{
	struct village_view view;

	village_text(v, by, &(struct vd_query){ .quarantined = true }, &view);
	assert_string_equal(view.text, expected);
}

#endif
