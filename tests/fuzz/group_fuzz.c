/* Input: control records for one founded group, each u8 how ‖ u16 n ‖ n bytes of content. how: bits 0 and 1 say which of four
 * devices is the author (0 founded the group), bit 2 a newer version, bit 3 that the author forgets its chain.
 * However malformed, the records must say the same in both orders, and whoever coordinates must be able to go on from there. */
#include "tests/fuzz/fuzz.h"
#include "tests/unit/group_actors.h"

enum { AUTHORS = 4 };

static void found(struct history *h, struct actor *founder, uint8_t id[VD_GROUP_BYTES])
{
	static const uint8_t salt[VD_SALT_BYTES] = {1};
	struct vd_buf content = {0};

	vd_group_make_id(founder->identity.author, salt, id);
	FUZZ_CHECK(vd_group_make_founding(&founder->identity, founder->person, salt, &content) == 0);
	history_control(h, founder, id, &content);
}

static void read_input(struct history *h, struct actor *authors, const uint8_t *id, struct vd_slice in)
{
	struct vd_rd r = vd_rd(in);

	while (r.n && h->count < 200) {
		uint8_t how = vd_rd_u8(&r);
		size_t n = vd_rd_u16(&r);
		struct actor *author = &authors[how % AUTHORS];

		if (n > VD_BODY_MAX || n > r.n)
			n = r.n < VD_BODY_MAX ? r.n : VD_BODY_MAX;
		if (how & 8)
			author->seq = 0;
		history_write(h, author, id, how & 4 ? 2 : VD_VERSION, VD_LANE_CONTROL, vd_rd_take(&r, n));
	}
}

static void same(struct vd_group *a, struct vd_group *b)
{
	FUZZ_CHECK(vd_group_generation(a) == vd_group_generation(b));
	FUZZ_CHECK(vd_group_device_count(a) == vd_group_device_count(b));
	FUZZ_CHECK(vd_group_epoch_count(a) == vd_group_epoch_count(b));
	FUZZ_CHECK(strcmp(vd_group_name(a), vd_group_name(b)) == 0);
	for (size_t i = 0; i < vd_group_device_count(a); i++) {
		const struct vd_device *d = vd_group_device(a, i), *e = vd_group_device(b, i);

		FUZZ_CHECK(memcmp(d->author, e->author, sizeof(d->author)) == 0);
		FUZZ_CHECK(memcmp(d->grant.b, e->grant.b, sizeof(d->grant.b)) == 0);
		FUZZ_CHECK(d->coordinator_ever == e->coordinator_ever && strcmp(d->name, e->name) == 0);
		FUZZ_CHECK(d->role == e->role && d->most == e->most && d->removed == e->removed && d->forked == e->forked);
		FUZZ_CHECK(memcmp(d->person, e->person, sizeof(d->person)) == 0 && d->focal == e->focal);
		for (uint8_t lane = 0; lane < VD_LANES; lane++) {
			const struct vd_id *ids, *others;
			size_t n = vd_group_accepted(a, d->author, lane, &ids);

			FUZZ_CHECK(n == vd_group_accepted(b, d->author, lane, &others));
			FUZZ_CHECK(n == 0 || memcmp(ids, others, n * sizeof(*ids)) == 0);
		}
		FUZZ_CHECK(!vd_group_mask_link(a, d->author) == !vd_group_mask_link(b, d->author));
	}
	FUZZ_CHECK(vd_group_act_count(a) == vd_group_act_count(b) && vd_group_epoch_clean(a) == vd_group_epoch_clean(b));
	for (size_t i = 0; i < vd_group_act_count(a); i++) {
		const struct vd_act *x = vd_group_act(a, i), *y = vd_group_act(b, i);

		FUZZ_CHECK(memcmp(x->id.b, y->id.b, sizeof(x->id.b)) == 0 && x->kind == y->kind && x->counts == y->counts);
		FUZZ_CHECK(x->backed == y->backed && x->approvals == y->approvals);
		FUZZ_CHECK(vd_group_reviewed(a, &x->id) == vd_group_reviewed(b, &y->id));
	}
	for (size_t i = 0; i < vd_group_epoch_count(a); i++) {
		FUZZ_CHECK(memcmp(vd_group_epoch_id(a, i), vd_group_epoch_id(b, i), VD_EPOCH_BYTES) == 0);
		FUZZ_CHECK(memcmp(vd_group_epoch_keys(a, i), vd_group_epoch_keys(b, i), sizeof(struct vd_epoch_keys)) == 0);
	}
}

static void go_on(struct vd_group *g, struct history *h, struct actor *founder)
{
	static const struct vd_epoch_keys keys = {{{1}, {2}, {3}}};
	struct vd_buf content = {0};
	struct vd_record r;

	if (vd_group_role(g) != VD_ROLE_COORDINATOR) {
		FUZZ_CHECK(vd_group_make_epoch(g, &keys, NULL, 0, &content) == VD_EAUTHOR);
		return;
	}
	FUZZ_CHECK(vd_group_make_epoch(g, &keys, NULL, 0, &content) == 0);
	r = history_control(h, founder, vd_group_id(g), &content);
	FUZZ_CHECK(vd_group_add(g, &r) == 0);
	FUZZ_CHECK(vd_group_epoch_count(g) >= 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct actor authors[AUTHORS];
	uint8_t id[VD_GROUP_BYTES];
	struct history h = {0};
	struct vd_group *forth, *back;
	size_t order[256];

	for (uint64_t i = 0; i < AUTHORS; i++)
		authors[i] = actor_new(i);
	found(&h, &authors[0], id);
	read_input(&h, authors, id, vd_slice(data, size));
	for (size_t i = 0; i < h.count; i++)
		order[i] = h.count - 1 - i;
	forth = view_of(&h, id, &authors[1]);
	back = vd_group_new(id, &authors[1].identity);
	FUZZ_CHECK(back);
	history_replay(&h, back, order);
	same(forth, back);
	vd_group_free(back);
	back = view_of(&h, id, &authors[0]);
	go_on(back, &h, &authors[0]);
	vd_group_free(back);
	vd_group_free(forth);
	history_free(&h);
	return 0;
}
