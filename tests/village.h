/* A group of made-up people for tests and fuzz targets: one hub that founds and admits, and each one's view of it. Everything
 * follows from small numbers, so that runs repeat. What goes wrong here is the test's own fault: abort. */
#ifndef VD_VILLAGE_H
#define VD_VILLAGE_H

#include <stdlib.h>
#include <string.h>

#include "proto/group.h"

enum { VILLAGE_RECORDS = 16 };

struct village {
	uint8_t id[VD_GROUP_BYTES];
	struct vd_identity hub;
	struct vd_group *group;  /* as the hub sees it */
	struct vd_buf records[VILLAGE_RECORDS];
	size_t count;
	struct vd_id last;
};

static inline void village_check(bool ok)
{
	if (!ok)
		abort();
}

/* Person number 0 is the hub. */
static inline void village_person(uint8_t village, uint8_t person, struct vd_identity *out)
{
	uint8_t seed[VD_IDENTITY_SEED_BYTES] = { village, person, 1 };

	vd_identity_from_seed(seed, out);
}

/* Signs content as the hub's next control record; takes it over. */
static inline void village_record(struct village *v, struct vd_buf *content)
{
	struct vd_record_fields fields = {
		.lane = VD_LANE_CONTROL, .seq = v->count + 1, .has_prev = v->count > 0, .prev = v->last,
		.time_ms = 1700000000000 + v->count,
	};
	struct vd_record record;

	village_check(v->count < VILLAGE_RECORDS);
	memcpy(fields.group, v->id, VD_GROUP_BYTES);
	memcpy(fields.author, v->hub.author, VD_KEY_BYTES);
	village_check(vd_record_create(&fields, vd_buf_slice(content), v->hub.author_secret, &v->records[v->count], &v->last) == 0);
	village_check(vd_record_decode(vd_buf_slice(&v->records[v->count]), &record) == 0);
	village_check(vd_group_add(v->group, &record) == 0);
	v->count++;
	vd_buf_deinit(content);
}

static inline void village_epoch(struct village *v, uint8_t number)
{
	struct vd_epoch_keys keys;
	struct vd_buf content = { 0 };

	for (uint8_t k = 0; k < VD_EPOCH_KEYS; k++) {
		memset(keys.key[k], number, VD_KEY_BYTES);
		keys.key[k][0] = k;
		memcpy(keys.key[k] + 1, v->id, 8);
	}
	village_check(vd_group_make_epoch(v->group, &keys, NULL, 0, &content) == 0);
	village_record(v, &content);
}

static inline void village_found(struct village *v, uint8_t number)
{
	const uint8_t salt[VD_SALT_BYTES] = { number, 2 }, person[VD_PERSON_BYTES] = { 0, 3 };
	struct vd_buf content = { 0 };

	memset(v, 0, sizeof(*v));
	village_person(number, 0, &v->hub);
	vd_group_make_id(v->hub.author, salt, v->id);
	v->group = vd_group_new(v->id, &v->hub);
	village_check(v->group != NULL);
	village_check(vd_group_make_founding(&v->hub, person, salt, &content) == 0);
	village_record(v, &content);
	village_epoch(v, 1);
}

/* Grants membership and the current epoch's keys. */
static inline void village_admit(struct village *v, const struct vd_identity *who, const char *name)
{
	const uint8_t nonce[VD_BODY_NONCE_BYTES] = { (uint8_t)v->count, 4 }, person[VD_PERSON_BYTES] = { (uint8_t)v->count, 5 };
	struct vd_buf content = { 0 };
	struct vd_card card;
	uint8_t epoch[VD_EPOCH_BYTES];

	village_check(vd_card_create(who, &card) == 0);
	village_check(vd_group_make_grant(v->group, &card, person, VD_ROLE_MEMBER, 0, name, nonce, &content) == 0);
	village_record(v, &content);
	memcpy(epoch, vd_group_epoch_id(v->group, 0), sizeof(epoch));
	village_check(vd_group_make_epoch_for(v->group, epoch, who->author, &content) == 0);
	village_record(v, &content);
}

/* Removes that device, accepting nothing of its; a new epoch for the others stands in the same record. */
static inline void village_revoke(struct village *v, const struct vd_identity *who)
{
	struct vd_removal removal = { .devices = (const uint8_t (*)[VD_KEY_BYTES])&who->author, .device_count = 1, .reason = "lost" };
	const uint8_t nonce[VD_BODY_NONCE_BYTES] = { (uint8_t)v->count, 6 };
	struct vd_epoch_keys keys;
	struct vd_buf content = { 0 };

	memset(&keys, 0x80 + (int)v->count, sizeof(keys));
	village_check(vd_group_make_revoke(v->group, &removal, &keys, nonce, &content) == 0);
	village_record(v, &content);
}

/* The group as this identity sees it after the first `count` records. */
static inline struct vd_group *village_view(const struct village *v, const struct vd_identity *who, size_t count)
{
	struct vd_group *group = vd_group_new(v->id, who);

	village_check(group != NULL && count <= v->count);
	for (size_t i = 0; i < count; i++) {
		struct vd_record record;

		village_check(vd_record_decode(vd_buf_slice(&v->records[i]), &record) == 0);
		village_check(vd_group_add(group, &record) == 0);
	}
	return group;
}

static inline void village_leave(struct village *v)
{
	vd_group_free(v->group);
	for (size_t i = 0; i < v->count; i++)
		vd_buf_deinit(&v->records[i]);
	vd_identity_wipe(&v->hub);
}

#endif
