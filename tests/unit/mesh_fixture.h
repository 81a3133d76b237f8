/* Stores in a folder of their own, one group, and people in it: for tests of files that pass between them. */
#ifndef MESH_FIXTURE_H
#define MESH_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>
#include <unistd.h>

#include "proto/err.h"
#include "proto/sign.h"
#include "store/bundle.h"
#include "store/store.h"
#include "tests/unit/rest_cast.h"

enum { MESH_NOW_MS = 1780000000 }; /* 2026: a clock that can be, and not ahead of any */
#define MESH_NOW (UINT64_C(1000) * MESH_NOW_MS)

struct mesh {
	char top[64];
	uint8_t group[VD_GROUP_BYTES];
	int people;
};

struct person {
	char home[128];
	struct vd_store *store;
	struct vd_group *group;
	uint64_t now_ms;
};

/* Do people tell on sticks what they hold? Tests of other things count what they leave there. */
__attribute__((unused)) static bool mesh_is_silent;

static char *mesh_path(const struct mesh *m, const char *name)
{
	static char paths[4][256];
	static int next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", m->top, name);
	return path;
}

static void person_reload(struct person *p, const struct mesh *m)
{
	vd_group_free(p->group);
	p->group = NULL;
	assert_int_equal(vd_store_group(p->store, m->group, &p->group), 0);
}

static void person_make(struct mesh *m, struct person *p)
{
	*p = (struct person){ .now_ms = MESH_NOW };
	snprintf(p->home, sizeof(p->home), "%s/home%d", m->top, m->people++);
	assert_int_equal(vd_store_create(p->home, "device"), 0);
	assert_int_equal(vd_store_open(p->home, &p->store), 0);
	if (mesh_is_silent)
		assert_int_equal(vd_custody_silence(p->store, true), 0);
}

static void person_leave(struct person *p)
{
	vd_group_free(p->group);
	vd_store_close(p->store);
	*p = (struct person){ 0 };
}

static void mesh_write_control(struct vd_write *w, struct person *p, struct vd_buf *content, struct vd_id *id)
{
	struct vd_draft draft = { .lane = VD_LANE_CONTROL, .now_ms = ++p->now_ms, .content = vd_buf_slice(content) };

	assert_int_equal(vd_write_own(w, p->group, &draft, id), 0);
	vd_buf_reset(content);
}

/* The hub's half of an admission: grant, key, welcome in a file. */
static void mesh_admit(struct person *hub, struct person *newcomer, const char *welcome, struct vd_id *grant)
{
	uint8_t person[VD_PERSON_BYTES], nonce[VD_BODY_NONCE_BYTES];
	struct vd_identity identity;
	struct vd_buf content = { 0 };
	struct vd_card card;
	struct vd_write *w;
	struct vd_id id;

	assert_int_equal(vd_store_next_identity(newcomer->store, &identity), 0);
	assert_int_equal(vd_card_create(&identity, &card), 0);
	randombytes_buf(person, sizeof(person));
	randombytes_buf(nonce, sizeof(nonce));
	assert_int_equal(vd_write_begin(hub->store, &w), 0);
	assert_int_equal(vd_group_make_grant(hub->group, &card, person, VD_ROLE_MEMBER, 0, "Ana", nonce, &content), 0);
	mesh_write_control(w, hub, &content, grant);
	assert_int_equal(vd_group_make_epoch_for(hub->group, vd_group_epoch_id(hub->group, 0), card.author, &content), 0);
	mesh_write_control(w, hub, &content, &id);
	assert_int_equal(vd_write_commit(w), 0);
	assert_int_equal(vd_welcome_write(hub->store, hub->group, &card, grant, welcome), 0);
	vd_identity_wipe(&identity);
	vd_buf_deinit(&content);
}

static void mesh_join(const struct mesh *m, struct person *p, const char *welcome)
{
	uint8_t group[VD_GROUP_BYTES], grant[VD_ID_BYTES];
	struct vd_batch control = { 0 };

	assert_int_equal(vd_welcome_read(p->store, welcome, group, grant, &control), 0);
	assert_memory_equal(group, m->group, sizeof(group));
	assert_int_equal(vd_store_join(p->store, group, &control, grant), 0);
	vd_batch_deinit(&control);
	person_reload(p, m);
}

static void mesh_start(struct mesh *m, struct person *hub)
{
	*m = (struct mesh){ .people = 0 };
	strcpy(m->top, "/tmp/vd-mesh-XXXXXX");
	assert_non_null(mkdtemp(m->top));
	assert_int_equal(vd_sign_selftest(), 0);
	person_make(m, hub);
	assert_int_equal(vd_store_found(hub->store, "Cuenca", "Rosa", MESH_NOW, m->group), 0);
	person_reload(hub, m);
}

static void mesh_add_person(struct mesh *m, struct person *hub, struct person *p)
{
	char *welcome = mesh_path(m, "welcome");
	struct vd_id grant;

	person_make(m, p);
	mesh_admit(hub, p, welcome, &grant);
	mesh_join(m, p, welcome);
	unlink(welcome);
}

static void mesh_end(struct mesh *m)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf '%s'", m->top);
	assert_int_equal(system(command), 0);
}

/* A hub and two members; and the end of them. */
__attribute__((unused)) static void mesh_of_three(struct mesh *m, struct person *hub, struct person *ana, struct person *luz)
{
	mesh_start(m, hub);
	mesh_add_person(m, hub, ana);
	mesh_add_person(m, hub, luz);
}

__attribute__((unused)) static void mesh_end_three(struct mesh *m, struct person *hub, struct person *ana, struct person *luz)
{
	person_leave(hub);
	person_leave(ana);
	person_leave(luz);
	mesh_end(m);
}

/* `count` records of `bytes` bytes of text in one commit. */
__attribute__((unused)) static void person_write(struct person *p, uint8_t lane, size_t count, size_t bytes)
{
	char *text = malloc(bytes + 1);
	struct vd_buf content = { 0 };
	struct vd_write *w;
	struct vd_id id;

	assert_non_null(text);
	text[bytes] = '\0';
	assert_int_equal(vd_write_begin(p->store, &w), 0);
	for (size_t i = 0; i < count; i++) {
		struct vd_field field = { vd_slice_str("text"), { .type = VD_MP_STR, .bytes = vd_slice(text, bytes) } };
		struct vd_draft draft = { .lane = lane, .audience = VD_AUDIENCE_MEMBERS, .now_ms = ++p->now_ms };

		/* Text that packing makes hardly smaller: tests count on its length. */
		for (size_t k = 0, seed = (size_t)p->now_ms; k < bytes; k++, seed = seed * 6364136223846793005u + 1442695040888963407u)
			text[k] = (char)('!' + (seed >> 33) % 94);
		vd_buf_reset(&content);
		assert_int_equal(vd_content_encode(vd_slice_str("message"), &field, 1, &content), 0);
		draft.content = vd_buf_slice(&content);
		assert_int_equal(vd_write_own(w, p->group, &draft, &id), 0);
	}
	assert_int_equal(vd_write_commit(w), 0);
	vd_buf_deinit(&content);
	free(text);
}

__attribute__((unused)) static uint64_t person_records(const struct person *p)
{
	uint64_t records, bytes;

	assert_int_equal(vd_store_size(p->store, &records, &bytes), 0);
	return records;
}

__attribute__((unused)) static bool mesh_equal(const struct mesh *m, const struct person *a, const struct person *b)
{
	bool equal = true;

	for (uint8_t lane = 0; lane < VD_LANES; lane++) {
		struct vd_lane_state x, y;

		assert_int_equal(vd_store_lane(a->store, m->group, lane, &x, NULL, 0), 0);
		assert_int_equal(vd_store_lane(b->store, m->group, lane, &y, NULL, 0), 0);
		equal = equal && vd_digest_eq(&x.digest, &y.digest) && vd_digest_eq(&x.wanted, &y.wanted);
	}
	return equal;
}

__attribute__((unused)) static void file_put(const char *path, struct vd_slice bytes)
{
	FILE *f = fopen(path, "wb");

	assert_non_null(f);
	if (bytes.n)
		assert_int_equal(fwrite(bytes.p, 1, bytes.n, f), bytes.n);
	assert_int_equal(fclose(f), 0);
}

__attribute__((unused)) static void file_get(const char *path, struct vd_buf *out)
{
	FILE *f = fopen(path, "rb");
	uint8_t block[4096];
	size_t n;

	assert_non_null(f);
	vd_buf_reset(out);
	while ((n = fread(block, 1, sizeof(block), f)) > 0)
		vd_buf_put(out, block, n);
	fclose(f);
}

#endif
