/* What people do with vereda: `workload`, everything once; `workload sticks`, a stick that goes back and forth between three.
 *
 * In one process under the recorder. First with a store that is sealed from the start and one that is sealed on the way: founding, adding, loading, admission, export, import, a stick that
 * goes back and forth. Whenever a function has said "done", what it thereby promised is written to CRASH_ACK_FD. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "daemon/link_stick.h"
#include "proto/err.h"
#include "proto/sign.h"
#include "store/bundle.h"
#include "store/file.h"
#include "store/sealing.h"
#include "store/store.h"
#include "store/tend.h"
#include "tests/crash/events.h"
#include "tests/crash/secret.h"

struct person {
	const char *home;
	struct vd_store *store;
	struct vd_group *group;
};

static const uint64_t day_ms = 86400000;
static uint64_t now_ms = UINT64_C(1700000000000);
static uint8_t group_id[VD_GROUP_BYTES];

static void must(int rc, const char *what)
{
	if (rc == 0)
		return;
	fprintf(stderr, "workload: %s: %s\n", what, vd_err_name(rc));
	exit(1);
}

static void promise(const char *what, const char *where, const char *detail)
{
	char line[256];
	int n = snprintf(line, sizeof(line), "%s %s%s%s\n", what, where, detail[0] ? " " : "", detail);

	if (write(CRASH_ACK_FD, line, (size_t)n) != n)
		exit(1);
}

/* "ending": it has an end, and may stand somewhere without its body. */
static void promise_kind(const struct person *p, const char *kind, const struct vd_id *id)
{
	char hex[2 * VD_ID_BYTES + 1];

	vd_hex(hex, id->b, sizeof(id->b));
	promise(kind, p->home, hex);
}

static void promise_record(const struct person *p, const struct vd_id *id)
{
	promise_kind(p, "record", id);
}

/* All that `a` holds is now acknowledged to be in `b` as well. */
static int promise_one(void *ctx, uint64_t arrival, uint64_t received_ms, struct vd_slice raw)
{
	struct vd_record record;

	(void)arrival, (void)received_ms;
	must(vd_record_decode(raw, &record), "decode");
	promise_kind(ctx, record.has_expires ? "ending" : "record", &record.id);
	return 0;
}

static void promise_all(struct person *a, struct person *b)
{
	must(vd_store_walk(a->store, NULL, 255, 0, promise_one, b), "walk");
}

/* secret NULL: readable, until it is sealed. */
static void start(struct person *p, const char *home, const struct vd_secret *secret)
{
	*p = (struct person){ .home = home };
	must(vd_store_create_with(home, home, secret, NULL), "create");
	promise("store", home, "");
	must(vd_store_open_with(home, secret, &p->store), "open");
}

static void reload(struct person *p)
{
	vd_group_free(p->group);
	must(vd_store_group(p->store, group_id, &p->group), "group");
}

static void write_control(struct vd_write *w, struct person *p, struct vd_buf *content, struct vd_id *id)
{
	struct vd_draft draft = { .lane = VD_LANE_CONTROL, .now_ms = ++now_ms, .content = vd_buf_slice(content) };

	must(vd_write_own(w, p->group, &draft, id), "control");
	vd_buf_reset(content);
}

static void admit_and_join(struct person *hub, struct person *newcomer, const char *welcome)
{
	uint8_t person[VD_PERSON_BYTES] = { 7 }, nonce[VD_BODY_NONCE_BYTES], grant_id[VD_ID_BYTES];
	struct vd_batch control = { 0 };
	struct vd_identity identity;
	struct vd_buf content = { 0 };
	struct vd_id grant, key;
	struct vd_write *w;
	struct vd_card card;

	must(vd_store_next_identity(newcomer->store, &identity), "identity");
	must(vd_card_create(&identity, &card), "card");
	/* Shown to a coordinator: it must be there when the welcome comes. */
	{
		char hex[2 * VD_KEY_BYTES + 1];

		vd_hex(hex, identity.author, VD_KEY_BYTES);
		promise("identity", newcomer->home, hex);
	}
	randombytes_buf(nonce, sizeof(nonce));
	must(vd_write_begin(hub->store, &w), "begin");
	must(vd_group_make_grant(hub->group, &card, person, VD_ROLE_MEMBER, 0, "Ana", nonce, &content), "grant");
	write_control(w, hub, &content, &grant);
	must(vd_group_make_epoch_for(hub->group, vd_group_epoch_id(hub->group, 0), card.author, &content), "key");
	write_control(w, hub, &content, &key);
	must(vd_write_commit(w), "commit");
	promise_record(hub, &grant);
	promise_record(hub, &key);
	must(vd_welcome_write(hub->store, hub->group, &card, &grant, welcome), "welcome");
	promise("file", welcome, "");
	must(vd_welcome_read(newcomer->store, welcome, group_id, grant_id, &control), "read welcome");
	must(vd_store_join(newcomer->store, group_id, &control, grant_id), "join");
	promise("member", newcomer->home, "");
	reload(newcomer);
	vd_batch_deinit(&control);
	vd_buf_deinit(&content);
	vd_identity_wipe(&identity);
}

/* `count` records in one commit, as `add` and `load` make them; a note that moves with them tells how far. `expires_day` 0: they have no end; else they
 * are of what packing makes no smaller. */
static void add_until(struct person *p, uint8_t lane, size_t count, size_t bytes, uint32_t expires_day)
{
	struct vd_id *ids = calloc(count, sizeof(*ids));
	char *text = calloc(1, bytes + 1);
	struct vd_buf content = { 0 };
	struct vd_write *w;

	if (!ids || !text)
		exit(1);
	memset(text, 'x', bytes);
	must(vd_write_begin(p->store, &w), "begin");
	for (size_t i = 0; i < count; i++) {
		struct vd_field field = { vd_slice_str("text"), { .type = VD_MP_STR, .bytes = vd_slice_str(text) } };
		struct vd_draft draft = { .lane = lane, .audience = VD_AUDIENCE_MEMBERS, .now_ms = ++now_ms,
			                  .has_expires = expires_day != 0, .expires_day = expires_day };

		for (size_t k = 0; k < bytes && expires_day; k++)
			text[k] = (char)('!' + randombytes_uniform(94));
		vd_buf_reset(&content);
		must(vd_content_encode(vd_slice_str("message"), &field, 1, &content), "content");
		draft.content = vd_buf_slice(&content);
		must(vd_write_own(w, p->group, &draft, &ids[i]), "own");
	}
	must(vd_write_note(w, "crash", vd_slice_str("newest"), vd_slice(ids[count - 1].b, VD_ID_BYTES)), "note");
	must(vd_write_commit(w), "commit");
	for (size_t i = 0; i < count; i++)
		promise_kind(p, expires_day ? "ending" : "record", &ids[i]);
	promise("note", p->home, "");
	vd_buf_deinit(&content);
	free(text);
	free(ids);
}

static void add(struct person *p, uint8_t lane, size_t count, size_t bytes)
{
	add_until(p, lane, count, bytes, 0);
}

/* What ended long ago goes, by a clock that ran for long enough. */
static void let_expire(struct person *p, uint64_t today_ms)
{
	struct vd_tended tended = { 0 };

	for (uint64_t fives = 13; fives-- > 0;)
		must(vd_store_tend_redacted(p->store, today_ms - 5 * fives * day_ms, &tended), "tend");
	if (!tended.expired)
		must(VD_EINVAL, "nothing expired");
}

static void seal(struct person *p)
{
	vd_group_free(p->group);
	p->group = NULL;
	vd_store_close(p->store);
	must(vd_store_seal(p->home, &crash_secret, NULL), "seal");
	promise("sealed", p->home, "");
	must(vd_store_open_with(p->home, &crash_secret, &p->store), "open the sealed one");
	reload(p);
}

/* To a stick of that size, or of any (0). What both have may be left out. */
static struct vd_stick_result carry_within(struct person *p, uint64_t max_bytes)
{
	const struct vd_stick_wish wish = { .max_bytes = max_bytes };
	struct vd_stick_result result;

	must(vd_stick_sync_as(p->store, "usb", &wish, &result), "stick");
	if (!result.complete || !result.safe_to_remove)
		must(VD_EIO, "stick not complete");
	promise("stick", p->home, "");
	reload(p);
	return result;
}

static void carry(struct person *p)
{
	(void)carry_within(p, 0);
}

static void everything(void)
{
	const struct vd_bundle_choice all = { 0 };
	struct vd_bundle_stats stats;
	struct person hub, ana;

	/* Mounting is not ours to test. */
	must(mkdir("usb", 0700), "usb");
	must(vd_file_sync_folder("."), "usb");
	start(&hub, "hub", &crash_secret);
	must(vd_store_found(hub.store, "Cuenca", "Rosa", now_ms, group_id), "found");
	promise("member", hub.home, "");
	reload(&hub);
	promise_all(&hub, &hub);
	for (int i = 0; i < 6; i++)
		add(&hub, VD_LANE_URGENT, 1, 40);
	start(&ana, "ana", NULL);
	admit_and_join(&hub, &ana, "welcome");
	for (int i = 0; i < 3; i++)
		add(&hub, VD_LANE_NORMAL, 100, 150);
	must(vd_bundle_write(hub.store, hub.group, VD_SEALED_BUNDLE, &all, "out.vb", true, &stats), "export");
	promise("bundle", "out.vb", "");
	must(vd_bundle_merge(ana.store, "out.vb", false, NULL, &stats), "import");
	promise_all(&hub, &ana);
	add(&ana, VD_LANE_NORMAL, 4, 300);
	seal(&ana);
	add(&ana, VD_LANE_BULK, 12, 60000);
	carry(&ana);
	promise_all(&ana, &ana);
	/* Exported again over the old one: the name always stands for one of the two. */
	add(&hub, VD_LANE_URGENT, 1, 10);
	must(vd_bundle_write(hub.store, hub.group, VD_SEALED_BUNDLE, &all, "out.vb", true, &stats), "export");
	promise("bundle", "out.vb", "");
	carry(&hub);
	promise_all(&ana, &hub);
	add(&hub, VD_LANE_NORMAL, 50, 2000);
	carry(&hub);
	carry(&ana);
	promise_all(&hub, &ana);
	vd_group_free(hub.group);
	vd_group_free(ana.group);
	vd_store_close(hub.store);
	vd_store_close(ana.store);
}

/* The keys change, by a part for each who is in. */
static void rotate(struct person *p)
{
	struct vd_epoch_keys keys;
	struct vd_buf content = { 0 };
	struct vd_write *w;
	struct vd_id first, id;

	randombytes_buf(&keys, sizeof(keys));
	must(vd_write_begin(p->store, &w), "begin");
	must(vd_group_make_epoch(p->group, &keys, NULL, 0, &content), "epoch");
	write_control(w, p, &content, &first);
	for (size_t part = 1; vd_group_make_epoch(p->group, &keys, first.b, part, &content) == 0; part++)
		write_control(w, p, &content, &id);
	must(vd_write_commit(w), "commit");
	promise_record(p, &first);
	vd_buf_deinit(&content);
	reload(p);
}

/* Every visit finds something and leaves something: records of each lane, new keys, nothing at all, what the one before left unfinished; in the end there is
 * no room, and what both are known to have makes some. */
static void sticks(void)
{
	const uint64_t today_ms = (uint64_t)time(NULL) * 1000;
	struct person hub, ana;

	must(mkdir("usb", 0700), "usb");
	must(vd_file_sync_folder("."), "usb");
	start(&hub, "hub", NULL);
	must(vd_store_found(hub.store, "Cuenca", "Rosa", now_ms, group_id), "found");
	promise("member", hub.home, "");
	reload(&hub);
	start(&ana, "ana", NULL);
	admit_and_join(&hub, &ana, "welcome");
	promise_all(&hub, &hub);
	promise("begin", ".", "");
	for (int round = 0; round < 5; round++) {
		add(&hub, VD_LANE_URGENT, 1, 40);
		add(&hub, VD_LANE_NORMAL, 5, 200);
		carry(&hub);
		promise_all(&hub, &hub);
		if (round == 3)
			carry(&hub);
		add(&ana, round % 2 ? VD_LANE_BULK : VD_LANE_NORMAL, 2, round % 2 ? 60000 : 300);
		carry(&ana);
		promise_all(&hub, &ana);
		promise_all(&ana, &ana);
		if (round == 1)
			rotate(&hub);
	}
	carry(&hub);
	promise_all(&ana, &hub);
	for (int round = 0; round < 3; round++) {
		add(&hub, VD_LANE_BULK, 3, 60000);
		if (!carry_within(&hub, 600 * 1024).spared && round)
			must(VD_EINVAL, "nothing made room");
		promise_all(&hub, &hub);
		(void)carry_within(&ana, 600 * 1024);
		promise_all(&hub, &ana);
	}
	/* Both have what ended; then it goes from the one, and from its segment. */
	now_ms = today_ms - 21 * day_ms;
	add_until(&hub, VD_LANE_NORMAL, 3, 50000, (uint32_t)(today_ms / day_ms) - 20);
	carry(&hub);
	carry(&ana);
	promise_all(&hub, &ana);
	let_expire(&hub, today_ms);
	if (carry_within(&hub, 0).bytes_out < vd_sealed_bytes(1))
		must(VD_EINVAL, "nothing was written anew");
	carry(&ana);
	vd_group_free(hub.group);
	vd_group_free(ana.group);
	vd_store_close(hub.store);
	vd_store_close(ana.store);
}

int main(int argc, char **argv)
{
	must(vd_sign_selftest(), "crypto");
	if (argc > 1 && strcmp(argv[1], "sticks") == 0)
		sticks();
	else
		everything();
	return 0;
}
