/* A founded group as its founder sees it, for the unit tests. */
#ifndef GROUP_FIXTURE_H
#define GROUP_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "group_actors.h"
#include "proto/sign.h"

static const uint8_t salt[VD_SALT_BYTES] = {7};
static const uint8_t nonce[VD_BODY_NONCE_BYTES] = {9};
static const struct vd_epoch_keys first_keys = {{{1}, {2}, {3}}};

/* A founded group as its founder sees it. */
struct scene {
	struct actor founder;
	struct history history;
	uint8_t id[VD_GROUP_BYTES];
	struct vd_group *group;
	uint8_t epoch[VD_EPOCH_BYTES];
};

static inline struct vd_record act(struct scene *s, struct actor *by, struct vd_buf *content)
{
	struct vd_record r = history_control(&s->history, by, s->id, content);

	assert_int_equal(vd_group_add(s->group, &r), 0);
	return r;
}

static inline void begin_epoch(struct scene *s, const struct vd_epoch_keys *keys)
{
	struct vd_buf content = {0};
	struct vd_record r;

	assert_int_equal(vd_group_make_epoch(s->group, keys, NULL, 0, &content), 0);
	r = act(s, &s->founder, &content);
	memcpy(s->epoch, r.id.b, sizeof(s->epoch));
	for (size_t part = 1; vd_group_make_epoch(s->group, keys, s->epoch, part, &content) == 0; part++)
		act(s, &s->founder, &content);
}

static inline void begin(struct scene *s)
{
	struct vd_buf content = {0};

	memset(s, 0, sizeof(*s));
	s->founder = actor_new(1);
	vd_group_make_id(s->founder.identity.author, salt, s->id);
	s->group = vd_group_new(s->id, &s->founder.identity);
	assert_non_null(s->group);
	assert_int_equal(vd_group_make_founding(&s->founder.identity, s->founder.person, salt, &content), 0);
	act(s, &s->founder, &content);
	begin_epoch(s, &first_keys);
}

static inline void end(struct scene *s)
{
	vd_group_free(s->group);
	history_free(&s->history);
}

static inline struct vd_buf grant_content(struct scene *s, const struct actor *a, enum vd_role role, const char *name)
{
	struct vd_buf content = {0};
	struct vd_card card = card_of(a);

	assert_int_equal(vd_group_make_grant(s->group, &card, a->person, role, 0, name, nonce, &content), 0);
	return content;
}

static inline struct vd_record grant(struct scene *s, const struct actor *a, enum vd_role role, const char *name)
{
	struct vd_buf content = grant_content(s, a, role, name);

	return act(s, &s->founder, &content);
}

static inline void admit(struct scene *s, const struct actor *a, enum vd_role role, const char *name)
{
	struct vd_buf content = {0};

	grant(s, a, role, name);
	assert_int_equal(vd_group_make_epoch_for(s->group, s->epoch, a->identity.author, &content), 0);
	act(s, &s->founder, &content);
}

/* What adding `content`, as the founder's next record, gives in that view. */
static inline int offer(struct scene *s, struct vd_group *view, struct vd_slice content)
{
	struct actor author = s->founder;
	struct history one = {0};
	struct vd_record r = history_write(&one, &author, s->id, VD_VERSION, VD_LANE_CONTROL, content);
	int rc = vd_group_add(view, &r);

	history_free(&one);
	return rc;
}

static inline struct vd_field bin_field(const char *name, const void *p, size_t n)
{
	return (struct vd_field){vd_slice_str(name), {VD_MP_BIN, vd_slice(p, n), 0}};
}

static inline struct vd_field uint_field(const char *name, uint64_t v)
{
	return (struct vd_field){vd_slice_str(name), {VD_MP_UINT, vd_slice(NULL, 0), v}};
}

/* `count` bins of n bytes, the last two bytes counting up. */
static inline struct vd_field bins_field(const char *name, struct vd_buf *items, size_t count, size_t n)
{
	uint8_t item[256] = {0};

	for (size_t i = 0; i < count; i++) {
		vd_set_u16(item + n - 2, (uint16_t)(i + 1));
		vd_mp_put_bin(items, vd_slice(item, n));
	}
	return (struct vd_field){vd_slice_str(name), {VD_MP_ARRAY, vd_buf_slice(items), count}};
}

static inline struct vd_buf encoded(const char *kind, struct vd_field *fields, size_t count)
{
	struct vd_buf content = {0};

	assert_int_equal(vd_content_encode(vd_slice_str(kind), fields, count, &content), 0);
	return content;
}

#endif
