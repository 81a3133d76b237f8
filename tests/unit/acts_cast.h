/* Who acts in the tests of acts: devices with a store each, one group, and what passes between them. */
#ifndef ACTS_CAST_H
#define ACTS_CAST_H

#include <sodium.h>

#include "store/acts.h"
#include "store/bundle.h"
#include "store/check.h"
#include "store/tend.h"
#include "tests/unit/store_cast.h"

enum { CAST_WHO_MAX = 32 };

struct scene {
	char top[64];
	uint8_t id[VD_GROUP_BYTES];
	int homes;
	uint64_t now_ms;
	struct who *here[CAST_WHO_MAX]; /* who arrived and has not left: they must outlive the scene */
	size_t here_count;
};

struct who {
	struct scene *scene;
	char home[128];
	struct vd_store *store;
	struct vd_group *group;
	uint8_t author[VD_KEY_BYTES];
};

static inline void reload(struct scene *sc, struct who *w)
{
	vd_group_free(w->group);
	w->group = NULL;
	assert_int_equal(vd_store_group(w->store, sc->id, &w->group), 0);
	memcpy(w->author, vd_group_identity(w->group)->author, VD_KEY_BYTES);
}

/* Somebody whose store is still to be opened. */
static inline void arrive(struct scene *sc, struct who *w)
{
	*w = (struct who){ .scene = sc };
	assert_true(sc->here_count < CAST_WHO_MAX);
	sc->here[sc->here_count++] = w;
}

static inline void move_in(struct scene *sc, struct who *w)
{
	arrive(sc, w);
	snprintf(w->home, sizeof(w->home), "%s/home%d", sc->top, sc->homes++);
	w->store = cast_store(w->home);
}

/* Leaves with a store in which everything is as it should be. */
static inline void leave(struct who *w)
{
	struct scene *sc = w->scene;
	struct vd_check check;

	for (size_t i = 0; i < sc->here_count; i++)
		if (sc->here[i] == w)
			sc->here[i--] = sc->here[--sc->here_count];
	assert_int_equal(vd_check(w->store, false, &check), 0);
	assert_int_equal(check.bad + check.derived_bad, 0);
	vd_group_free(w->group);
	vd_store_close(w->store);
	*w = (struct who){ 0 };
}

static inline void found(struct scene *sc, struct who *rosa)
{
	*sc = (struct scene){ .now_ms = cast_now };
	strcpy(sc->top, "/tmp/vd_acts_XXXXXX");
	assert_non_null(mkdtemp(sc->top));
	move_in(sc, rosa);
	assert_int_equal(vd_store_found(rosa->store, "Cuenca", "Rosa", sc->now_ms, sc->id), 0);
	reload(sc, rosa);
}

/* Whoever is still here leaves. */
static inline void disband(struct scene *sc)
{
	char command[128];

	while (sc->here_count)
		leave(sc->here[0]);
	snprintf(command, sizeof(command), "rm -rf '%s'", sc->top);
	assert_int_equal(system(command), 0);
}

static inline int admit_card(struct scene *sc, struct who *by, const struct vd_card *card, enum vd_role role, const uint8_t *person,
                             const char *name, struct vd_id *grant)
{
	struct vd_admission a = { .card = card, .role = role, .name = name };

	if (person)
		memcpy(a.person, person, VD_PERSON_BYTES);
	else
		randombytes_buf(a.person, VD_PERSON_BYTES);
	return vd_act_admit(by->store, by->group, &a, ++sc->now_ms, grant);
}

/* A newcomer, who gets a welcome in the folder's way: all control records. person NULL: a new one. */
static inline void admit(struct scene *sc, struct who *by, struct who *newcomer, enum vd_role role, const uint8_t *person,
                         const char *name)
{
	struct vd_batch control = { 0 };
	struct vd_identity identity;
	struct vd_card card;
	struct vd_id grant;

	move_in(sc, newcomer);
	assert_int_equal(vd_store_next_identity(newcomer->store, &identity), 0);
	assert_int_equal(vd_card_create(&identity, &card), 0);
	assert_int_equal(admit_card(sc, by, &card, role, person, name, &grant), 0);
	cast_gather(by->store, VD_LANE_CONTROL, &control);
	assert_int_equal(vd_store_join(newcomer->store, sc->id, &control, grant.b), 0);
	vd_batch_deinit(&control);
	vd_identity_wipe(&identity);
	reload(sc, newcomer);
}

/* A card of nobody's store. */
static inline void somebody(struct vd_card *card)
{
	uint8_t seed[VD_IDENTITY_SEED_BYTES];
	struct vd_identity identity;

	randombytes_buf(seed, sizeof(seed));
	vd_identity_from_seed(seed, &identity);
	assert_int_equal(vd_card_create(&identity, card), 0);
}

static inline void give(struct who *from, struct who *to)
{
	struct vd_merge merge;

	cast_carry(from->store, to->store, to->group, &merge);
	assert_int_equal(merge.refused, 0);
}

static inline void meet(struct who *a, struct who *b)
{
	give(a, b);
	give(b, a);
}

static inline void say(struct scene *sc, struct who *w, uint8_t lane, const char *text, struct vd_id *id)
{
	struct vd_write *write;

	assert_int_equal(vd_write_begin(w->store, &write), 0);
	assert_int_equal(cast_own_kind(write, w->group, lane, "message", text, NULL, ++sc->now_ms, id), 0);
	assert_int_equal(vd_write_commit(write), 0);
}

static inline void read_record(struct who *w, const struct vd_id *id, struct vd_buf *raw, struct vd_record *record)
{
	uint64_t arrival;

	assert_int_equal(vd_store_find(w->store, id, &arrival), 0);
	assert_int_equal(vd_store_read(w->store, arrival, raw, record, NULL), 0);
}

/* Does its body open here? */
static inline int opens(struct who *w, const struct vd_id *id)
{
	struct vd_buf raw = { 0 }, body = { 0 };
	struct vd_record record;
	int rc;

	read_record(w, id, &raw, &record);
	rc = vd_group_open_body(w->group, &record, &body);
	vd_buf_deinit(&raw);
	vd_buf_deinit(&body);
	return rc;
}

static inline uint64_t control_count(struct scene *sc, struct who *w)
{
	struct vd_lane_state lane;

	assert_int_equal(vd_store_lane(w->store, sc->id, VD_LANE_CONTROL, &lane, NULL, 0), 0);
	return lane.digest.count;
}

static inline enum vd_role role_of(struct who *seen_by, const uint8_t *author)
{
	const struct vd_device *device = vd_group_find(seen_by->group, author);

	return device ? device->role : VD_ROLE_NONE;
}

static inline const uint8_t *person_of(struct who *w)
{
	return vd_group_find(w->group, w->author)->person;
}

static inline bool accepted(struct who *seen_by, const struct who *author, uint8_t lane, const struct vd_id *id)
{
	const struct vd_id *ids;
	size_t count = vd_group_accepted(seen_by->group, author->author, lane, &ids);

	for (size_t i = 0; i < count; i++) {
		if (!memcmp(ids[i].b, id->b, VD_ID_BYTES))
			return true;
	}
	return false;
}

static inline size_t accepted_count(struct who *seen_by, const struct who *author, uint8_t lane)
{
	const struct vd_id *ids;

	return vd_group_accepted(seen_by->group, author->author, lane, &ids);
}

static inline int put_out(struct scene *sc, struct who *by, const struct who *whom, const uint8_t *person, const struct vd_id *undo,
                         struct vd_id *id)
{
	uint8_t epoch[VD_EPOCH_BYTES], devices[1][VD_KEY_BYTES];
	struct vd_revocation asked = { .devices = (const uint8_t (*)[VD_KEY_BYTES])devices, .device_count = 1, .reason = "", .undo = undo };
	struct vd_id unused;
	int rc;

	memcpy(devices[0], whom->author, VD_KEY_BYTES);
	asked.person = person;
	rc = vd_act_revoke(by->store, by->group, &asked, ++sc->now_ms, id ? id : &unused, epoch);
	if (!rc)
		assert_memory_equal(vd_group_current_epoch(by->group), epoch, VD_EPOCH_BYTES);
	return rc;
}

static inline void tend(struct scene *sc, struct who *w, struct vd_tended *out)
{
	*out = (struct vd_tended){ 0 };
	assert_int_equal(vd_store_tend(w->store, w->group, ++sc->now_ms, out), 0);
}

/* What is in memory is what is on disk. */
static inline void same_on_disk(struct scene *sc, struct who *w)
{
	size_t devices = vd_group_device_count(w->group), acts = vd_group_act_count(w->group);
	uint8_t epoch[VD_EPOCH_BYTES];

	memcpy(epoch, vd_group_current_epoch(w->group), sizeof(epoch));
	reload(sc, w);
	assert_int_equal(vd_group_device_count(w->group), devices);
	assert_int_equal(vd_group_act_count(w->group), acts);
	assert_memory_equal(vd_group_current_epoch(w->group), epoch, sizeof(epoch));
}

#endif
