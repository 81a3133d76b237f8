#include "world.h"

#include <stdlib.h>
#include <string.h>

static void check(int rc)
{
	if (rc)
		abort();
}

/* splitmix64 */
static uint64_t next(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

uint64_t world_random(struct world *w, uint64_t below)
{
	return below ? next(&w->random) % below : 0;
}

void world_bytes(struct world *w, void *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		((uint8_t *)p)[i] = (uint8_t)next(&w->random);
}

size_t world_newcomer(struct world *w)
{
	uint8_t seed[VD_IDENTITY_SEED_BYTES];

	w->writers = realloc(w->writers, (w->count + 1) * sizeof(*w->writers));
	if (!w->writers)
		abort();
	memset(&w->writers[w->count], 0, sizeof(*w->writers));
	world_bytes(w, seed, sizeof(seed));
	vd_identity_from_seed(seed, &w->writers[w->count].identity);
	return w->count++;
}

static void sign(struct world *w, size_t who, uint8_t lane, const struct vd_record_fields *fields, struct vd_slice body,
                 struct vd_buf *out, struct vd_id *id)
{
	struct writer *a = &w->writers[who];

	check(vd_record_create(fields, body, a->identity.author_secret, out, id));
	check(vd_buf_check(out));
	a->seq[lane]++;
	a->last[lane] = *id;
	a->has_last[lane] = true;
}

static struct vd_record_fields fields_of(struct world *w, size_t who, uint8_t lane)
{
	struct writer *a = &w->writers[who];
	struct vd_record_fields f = { .lane = lane, .seq = a->seq[lane] + 1, .has_prev = a->has_last[lane], .prev = a->last[lane],
		                      .time_ms = w->now_ms++ };

	memcpy(f.group, w->group, sizeof(f.group));
	memcpy(f.author, a->identity.author, sizeof(f.author));
	return f;
}

/* The founder signs control content and everyone's welcome gets it. */
static struct vd_id control(struct world *w, struct vd_slice content, struct vd_buf *copy)
{
	struct vd_record_fields f = fields_of(w, 0, VD_LANE_CONTROL);
	struct vd_buf raw = { 0 };
	struct vd_record record;
	struct vd_id id;

	sign(w, 0, VD_LANE_CONTROL, &f, content, &raw, &id);
	check(vd_record_decode(vd_buf_slice(&raw), &record));
	check(vd_group_add(w->founders, &record));
	check(vd_batch_add(&w->control, vd_buf_slice(&raw)));
	if (copy)
		vd_buf_put_slice(copy, vd_buf_slice(&raw));
	vd_buf_deinit(&raw);
	return id;
}

void world_admit(struct world *w, size_t who, enum vd_role role, uint32_t flags, struct vd_buf *records, size_t *count)
{
	uint8_t person[VD_PERSON_BYTES], nonce[VD_BODY_NONCE_BYTES];
	struct vd_buf content = { 0 };
	struct vd_card card;

	world_bytes(w, person, sizeof(person));
	world_bytes(w, nonce, sizeof(nonce));
	check(vd_card_create(&w->writers[who].identity, &card));
	check(vd_group_make_grant(w->founders, &card, person, role, flags, "someone", nonce, &content));
	control(w, vd_buf_slice(&content), records);
	vd_buf_reset(&content);
	check(vd_group_make_epoch_for(w->founders, vd_group_epoch_id(w->founders, 0), card.author, &content));
	control(w, vd_buf_slice(&content), records);
	vd_buf_deinit(&content);
	if (count)
		*count = 2;
}

void world_grant(struct world *w, size_t who, struct vd_buf *records, size_t *count)
{
	world_admit(w, who, VD_ROLE_MEMBER, 0, records, count);
}

void world_epoch(struct world *w)
{
	struct vd_epoch_keys keys;
	struct vd_buf content = { 0 };

	world_bytes(w, &keys, sizeof(keys));
	check(vd_group_make_epoch(w->founders, &keys, NULL, 0, &content));
	control(w, vd_buf_slice(&content), NULL);
	vd_buf_deinit(&content);
}

void world_revoke(struct world *w, size_t who)
{
	const uint8_t (*device)[VD_KEY_BYTES] = (const uint8_t (*)[VD_KEY_BYTES])&w->writers[who].identity.author;
	struct vd_removal removal = { .devices = device, .device_count = 1, .reason = "lost" };
	uint8_t nonce[VD_BODY_NONCE_BYTES];
	struct vd_epoch_keys keys;
	struct vd_buf content = { 0 };

	world_bytes(w, &keys, sizeof(keys));
	world_bytes(w, nonce, sizeof(nonce));
	check(vd_group_make_revoke(w->founders, &removal, &keys, nonce, &content));
	control(w, vd_buf_slice(&content), NULL);
	vd_buf_deinit(&content);
}

void world_init(struct world *w, uint64_t seed, size_t count)
{
	struct vd_buf content = { 0 };
	uint8_t person[VD_PERSON_BYTES];

	*w = (struct world){ .random = seed, .now_ms = 1700000000000 };
	world_newcomer(w);
	world_bytes(w, w->salt, sizeof(w->salt));
	world_bytes(w, person, sizeof(person));
	vd_group_make_id(w->writers[0].identity.author, w->salt, w->group);
	w->founders = vd_group_new(w->group, &w->writers[0].identity);
	if (!w->founders)
		abort();
	check(vd_group_make_founding(&w->writers[0].identity, person, w->salt, &content));
	control(w, vd_buf_slice(&content), NULL);
	vd_buf_deinit(&content);
	world_epoch(w);
	while (w->count < count)
		world_grant(w, world_newcomer(w), NULL, NULL);
}

void world_deinit(struct world *w)
{
	vd_group_free(w->founders);
	vd_batch_deinit(&w->control);
	free(w->writers);
}

struct vd_group *world_group(struct world *w, size_t who)
{
	struct vd_group *g = vd_group_new(w->group, &w->writers[who].identity);

	if (!g)
		abort();
	check(vd_chain_verify(&w->control, g, NULL, NULL));
	return g;
}

void world_memory(struct world *w, struct memory *m, struct vd_group *group)
{
	memory_init(m, group, w->salt);
	vd_batch_seal(&w->control);
	for (size_t i = 0; i < w->control.count; i++)
		memory_add(m, &w->control.entries[i].record);
}

void world_write(struct world *w, size_t who, uint8_t lane, size_t bytes, struct vd_buf *out, struct vd_id *id)
{
	struct vd_record_fields f = fields_of(w, who, lane);
	uint8_t nonce[VD_BODY_NONCE_BYTES];
	struct vd_buf text = { 0 }, content = { 0 }, body = { 0 };
	struct vd_field field = { .name = vd_slice_str("text"), .value = { .type = VD_MP_STR } };

	world_bytes(w, nonce, sizeof(nonce));
	for (size_t i = 0; i < bytes; i++)
		vd_buf_put_u8(&text, (uint8_t)('a' + world_random(w, 26)));
	field.value.bytes = vd_buf_slice(&text);
	check(vd_content_encode(vd_slice_str("message"), &field, bytes ? 1 : 0, &content));
	check(vd_group_seal_body(w->founders, &f, VD_AUDIENCE_MEMBERS, nonce, vd_buf_slice(&content), &body));
	sign(w, who, lane, &f, vd_buf_slice(&body), out, id);
	vd_buf_deinit(&text);
	vd_buf_deinit(&content);
	vd_buf_deinit(&body);
}

struct vd_id world_store(struct memory *m, struct vd_slice raw)
{
	struct vd_record record;

	check(vd_record_decode(raw, &record));
	memory_add(m, &record);
	return record.id;
}

struct vd_id world_write_to(struct world *w, size_t who, uint8_t lane, size_t bytes, struct memory *m)
{
	struct vd_buf raw = { 0 };
	struct vd_id id;

	world_write(w, who, lane, bytes, &raw, &id);
	world_store(m, vd_buf_slice(&raw));
	vd_buf_deinit(&raw);
	return id;
}
