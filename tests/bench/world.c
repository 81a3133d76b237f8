/* Groups, authors and records to measure with. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "proto/content.h"
#include "proto/hash.h"
#include "store/acts.h"
#include "store/bundle.h"

static const uint64_t start_ms = 1735689600000; /* 2025-01-01 */

size_t world_text(uint64_t i, char out[256])
{
	static const char *const places[] = {"la vereda El Salado", "the upper ford", "Caño Hondo", "la escuela", "kilometre 14",
	                                     "the old sawmill", "Quebrada Seca", "el puesto de salud"};
	static const char *const things[] = {"two men on a motorbike asked for the teacher by name",
	                                     "tala nueva, unas tres hectáreas desde el domingo",
	                                     "the guard changed at dusk and one pickup stayed",
	                                     "dispararon al aire, nadie herido, la gente se resguardó",
	                                     "surveyors with a drone, no papers shown",
	                                     "el agua baja turbia y huele a diésel"};
	uint64_t h = (i + 1) * 0x9e3779b97f4a7c15;

	return (size_t)snprintf(out, 256, "%02u:%02u %s: %s, seen by %u people (note %llu)", (unsigned)(h >> 59) % 24,
	                        (unsigned)(h >> 50) % 60, places[(h >> 40) % 8], things[(h >> 30) % 6],
	                        1 + (unsigned)(h >> 20) % 9, (unsigned long long)i);
}

void world_csv(const char *path, size_t rows)
{
	FILE *f = fopen(path, "w");
	char text[256];

	if (!f)
		die("%s: cannot be made", path);
	fputs("number,text\r\n", f);
	for (size_t i = 0; i < rows; i++) {
		world_text(i, text);
		/* Every ninth row spans two lines and quotes. */
		fprintf(f, i % 9 ? "%zu,\"%s\"\r\n" : "%zu,\"\"\"Urgent\"\":\n%s\"\r\n", i + 1, text);
	}
	if (fclose(f))
		die("%s: cannot be written", path);
}

void world_found(const char *home, const char *const *others, size_t count)
{
	char file[512], name[32];
	json_t *answer;

	json_decref(VEREDA(home, "init", "--no-passphrase", "--name", "hub"));
	json_decref(VEREDA(home, "group", "create", "Bench"));
	for (size_t i = 0; i < count; i++) {
		json_decref(VEREDA(others[i], "init", "--no-passphrase", "--name", "field"));
		answer = VEREDA(others[i], "id");
		snprintf(file, sizeof(file), "%s.welcome", others[i]);
		snprintf(name, sizeof(name), "Field %zu", i + 1);
		json_decref(VEREDA(home, "admit", string(answer, "id"), "--name", name, "-o", file));
		json_decref(answer);
		json_decref(VEREDA(others[i], "join", file));
		unlink(file);
	}
}

static struct vd_group *open_group(struct vd_store *store, uint8_t id[VD_GROUP_BYTES])
{
	uint8_t groups[VD_STORE_GROUPS_MAX][VD_GROUP_BYTES];
	struct vd_group *group;
	size_t count;

	check(vd_store_groups(store, groups, &count), "groups");
	if (count != 1)
		die("%zu groups where one was made", count);
	memcpy(id, groups[0], VD_GROUP_BYTES);
	check(vd_store_group(store, id, &group), "group");
	return group;
}

static void author_of(size_t i, struct vd_identity *out)
{
	uint8_t seed[VD_IDENTITY_SEED_BYTES] = {0xbe};

	memcpy(seed + 8, &i, sizeof(i));
	vd_identity_from_seed(seed, out);
}

static void admit_author(struct vd_store *store, struct vd_group *group, size_t i)
{
	struct vd_admission admission = {.role = VD_ROLE_MEMBER, .name = "Author"};
	struct vd_identity author;
	struct vd_card card;
	struct vd_id grant;

	author_of(i, &author);
	check(vd_card_create(&author, &card), "card");
	admission.card = &card;
	memcpy(admission.person, &i, sizeof(i));
	check(vd_act_admit(store, group, &admission, start_ms + i, &grant), "grant");
}

static void write_message(struct world *world, struct vd_group *group, const struct vd_identity *author,
                          struct vd_record_fields *f, size_t i)
{
	uint8_t nonce[VD_BODY_NONCE_BYTES] = {0};
	char text[256];
	struct vd_field field = {vd_slice_str("text"), {VD_MP_STR, vd_slice(text, world_text(i, text)), 0}};
	struct vd_buf content = {0}, body = {0};

	memcpy(nonce, &i, sizeof(i));
	f->seq++;
	f->time_ms = start_ms + i * 60000;
	check(vd_content_encode(vd_slice_str("message"), &field, 1, &content), "content");
	check(vd_group_seal_body(group, f, VD_AUDIENCE_MEMBERS, nonce, vd_buf_slice(&content), &body), "body");
	world->at[i] = world->bytes.n;
	check(vd_record_create(f, vd_buf_slice(&body), author->author_secret, &world->bytes, &f->prev), "record");
	f->has_prev = true;
	world->at[i + 1] = world->bytes.n;
	vd_buf_deinit(&content);
	vd_buf_deinit(&body);
}

void world_write(struct world *world, const char *home, size_t count, size_t author_count)
{
	struct vd_record_fields *fields = calloc(author_count, sizeof(*fields));
	struct vd_identity *authors = calloc(author_count, sizeof(*authors));
	struct vd_store *store;
	struct vd_group *group;

	memset(world, 0, sizeof(*world));
	world->at = calloc(count + 1, sizeof(*world->at));
	if (!world->at || !fields || !authors)
		die("memory refused");
	check(vd_store_open(home, &store), home);
	group = open_group(store, world->group);
	for (size_t i = 0; i < author_count; i++) {
		admit_author(store, group, i);
		author_of(i, &authors[i]);
		memcpy(fields[i].group, world->group, VD_GROUP_BYTES);
		memcpy(fields[i].author, authors[i].author, VD_KEY_BYTES);
		fields[i].lane = VD_LANE_NORMAL;
	}
	for (size_t i = 0; i < count; i++)
		write_message(world, group, &authors[i % author_count], &fields[i % author_count], i);
	world->count = count;
	free(fields);
	free(authors);
	vd_group_free(group);
	vd_store_close(store);
}

struct vd_slice world_record(const struct world *w, size_t i)
{
	return vd_slice(w->bytes.p + w->at[i], w->at[i + 1] - w->at[i]);
}

double world_compact(const struct world *w, bool (*pick)(size_t i))
{
	struct vd_compact stream;
	double sum = 0;

	vd_compact_init(&stream, w->group);
	for (size_t i = 0; i < w->count; i++) {
		struct vd_record record;
		size_t bytes;

		if (!pick(i))
			continue;
		check(vd_record_view(world_record(w, i), &record), "record");
		check(vd_compact_measure(&stream, &record, &bytes), "compact");
		sum += (double)bytes;
	}
	vd_compact_deinit(&stream);
	return sum;
}

void world_merge(const struct world *w, const char *home, bool (*pick)(size_t i))
{
	struct vd_batch batch = {0};
	struct vd_merge merge = {0};
	uint8_t id[VD_GROUP_BYTES];
	struct vd_store *store;
	struct vd_group *group;
	uint64_t picked = 0;

	check(vd_store_open(home, &store), home);
	group = open_group(store, id);
	for (size_t i = 0; i < w->count; i++) {
		if (pick(i)) {
			check(vd_batch_add(&batch, world_record(w, i)), "batch");
			picked++;
		}
		if (batch.count == 8 * VD_BATCH_RECORDS || i + 1 == w->count) {
			check(vd_store_merge(store, group, &batch, &merge), "merge");
			vd_batch_reset(&batch);
		}
	}
	if (merge.fresh != picked)
		die("%llu of %llu records were stored", (unsigned long long)merge.fresh, (unsigned long long)picked);
	vd_batch_deinit(&batch);
	vd_group_free(group);
	vd_store_close(store);
}

void world_free(struct world *w)
{
	vd_buf_deinit(&w->bytes);
	free(w->at);
	*w = (struct world){0};
}
