/* Two coordinators who removed each other, apart, meet a third device: whoever it hears first, the stronger revocation comes through. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/err.h"
#include "tests/sim/net.h"

enum { FOUNDER, OTHER, ANA, BEN };

static struct net net;
static uint8_t common[VD_EPOCH_BYTES]; /* the epoch that all know */
static struct vd_id admitted;          /* the founder's last act before it removes anybody */

/* Host OTHER removes that one, accepting whom the founder admitted; and nobody else hears of it. */
static void other_revokes(size_t whom)
{
	struct host *h = &net.hosts[OTHER];
	struct writer *a = &net.w.writers[OTHER];
	struct vd_removal removal = { .devices = (const uint8_t (*)[VD_KEY_BYTES])&net.w.writers[whom].identity.author,
		                      .device_count = 1, .heads = { &admitted }, .head_count = { 1 }, .reason = "taken" };
	struct vd_record_fields f = { .lane = VD_LANE_CONTROL, .seq = ++a->seq[VD_LANE_CONTROL], .time_ms = net.w.now_ms++ };
	uint8_t nonce[VD_BODY_NONCE_BYTES];
	struct vd_buf content = { 0 }, raw = { 0 };
	struct vd_batch batch = { 0 };
	struct vd_epoch_keys keys;
	struct vd_id id;

	world_bytes(&net.w, &keys, sizeof(keys));
	world_bytes(&net.w, nonce, sizeof(nonce));
	memcpy(f.group, net.w.group, sizeof(f.group));
	memcpy(f.author, a->identity.author, sizeof(f.author));
	assert_int_equal(vd_group_make_revoke(h->group, &removal, &keys, nonce, &content), 0);
	assert_int_equal(vd_record_create(&f, vd_buf_slice(&content), a->identity.author_secret, &raw, &id), 0);
	assert_int_equal(vd_batch_add(&batch, vd_buf_slice(&raw)), 0);
	vd_batch_seal(&batch);
	net_import(&net, OTHER, &batch);
	vd_batch_deinit(&batch);
	vd_buf_deinit(&content);
	vd_buf_deinit(&raw);
}

static enum vd_role role(size_t at, size_t whom)
{
	return vd_group_find(net.hosts[at].group, net.w.writers[whom].identity.author)->role;
}

/* All know that OTHER is a coordinator. */
static void begin(uint64_t seed, size_t hosts)
{
	struct vd_batch grant = { 0 };
	struct vd_buf made = { 0 };
	size_t count;

	net_init(&net, seed, hosts);
	world_admit(&net.w, OTHER, VD_ROLE_COORDINATOR, 0, &made, &count);
	vd_batch_seal(&net.w.control);
	for (size_t i = net.w.control.count - count; i < net.w.control.count; i++)
		assert_int_equal(vd_batch_add(&grant, net.w.control.entries[i].record.raw), 0);
	vd_batch_seal(&grant);
	admitted = net.w.writers[FOUNDER].last[VD_LANE_CONTROL];
	for (size_t i = 0; i < hosts; i++)
		net_import(&net, i, &grant);
	vd_batch_deinit(&grant);
	vd_buf_deinit(&made);
	memcpy(common, vd_group_epoch_id(net.hosts[ANA].group, 0), sizeof(common));
	assert_int_equal(role(ANA, OTHER), VD_ROLE_COORDINATOR);
}

static struct wire *meet(size_t who, bool ana_calls)
{
	struct wire *w = net_call_back(&net, ana_calls ? ANA : who, ana_calls ? who : ANA, 20, common);

	assert_non_null(w);
	(void)net_run_session(&net, w, 30000);
	return w;
}

/* After a meeting at Ana's: did that one get a session, and does it hold what Ana does? */
static bool served(const struct wire *w, size_t who, bool ana_calls)
{
	return w->up && w->proved[!ana_calls] && w->complete[0] && w->complete[1] && memory_equal(&net.hosts[who].m, &net.hosts[ANA].m);
}

static void test_node_duel__comes_out_the_same(void **state)
{
	(void)state;
	for (int order = 0; order < 8; order++) {
		bool calls = order & 1, founder_first = order & 2, both_write = order & 4;
		struct vd_id its, ours;
		struct wire *w;
		size_t had;

		begin(300, 3);
		net_revoke(&net, OTHER);
		other_revokes(FOUNDER);
		if (both_write)
			net_write(&net, ANA, VD_LANE_NORMAL, 60);
		ours = net_write(&net, FOUNDER, VD_LANE_URGENT, 60);
		its = net_write(&net, OTHER, VD_LANE_URGENT, 60);
		had = net.hosts[OTHER].m.count;
		for (int visit = 0; visit < 2; visit++) {
			size_t who = founder_first == !visit ? FOUNDER : OTHER;

			w = meet(who, calls);
			assert_int_equal(served(w, who, calls), who == FOUNDER || !visit);
			if (w->up)
				net_bye(&net, w);
			if (!visit) {
				assert_int_equal(role(ANA, who), VD_ROLE_COORDINATOR);
				assert_int_equal(role(ANA, who == FOUNDER ? OTHER : FOUNDER), VD_ROLE_NONE);
				had = net.hosts[OTHER].m.count;
			}
		}
		assert_int_equal(role(ANA, FOUNDER), VD_ROLE_COORDINATOR);
		assert_int_equal(role(ANA, OTHER), VD_ROLE_NONE);
		assert_int_equal(role(FOUNDER, OTHER), VD_ROLE_NONE);
		assert_true(memory_has(&net.hosts[ANA].m, &ours, true));
		/* heard first it was still a member's word, and is kept; else nothing but its control records came */
		assert_int_equal(memory_has(&net.hosts[ANA].m, &its, false), !founder_first);
		assert_int_equal(net.hosts[OTHER].m.count, had);
		assert_int_equal(net.violations, 0);
		net_deinit(&net);
	}
}

/* A coordinator that stays removed: told nothing, by no word, and the second time what it has given is not even taken. */
static void test_node_duel__the_loser_gives_once(void **state)
{
	(void)state;
	for (int calls = 0; calls < 2; calls++) {
		uint64_t before[2], given;
		struct wire *w;
		size_t had;

		begin(301, 4);
		net_revoke(&net, OTHER);
		w = meet(FOUNDER, true);
		assert_true(served(w, FOUNDER, true));
		net_bye(&net, w);
		other_revokes(FOUNDER);
		had = net.hosts[OTHER].m.count;
		given = net.hosts[ANA].m.lanes[VD_LANE_CONTROL].digest.count;
		for (int visit = 0; visit < 3; visit++) {
			uint64_t control = net.hosts[ANA].m.lanes[VD_LANE_CONTROL].digest.count, reads = net.hosts[ANA].m.reads;
			uint64_t failed = net.hosts[ANA].failed;

			w = net_call_back(&net, calls ? ANA : OTHER, calls ? OTHER : ANA, 20, common);
			assert_non_null(w);
			for (int i = 0; i < 3000 && w->up && !w->closing[0] && !w->closing[1]; i++)
				net_run(&net, 1);
			assert_true(w->up);
			assert_false(w->proved[!calls]);
			assert_int_equal(w->err[!calls], VD_EAUTHOR);
			before[visit > 0] = w->bytes;
			net_run(&net, 1000);
			assert_false(w->up);
			assert_int_equal(net.hosts[ANA].failed, failed + 1);
			assert_false(vd_node_has_peer(net.hosts[ANA].node, net.w.group, net.w.writers[OTHER].identity.author));
			/* its revocation came, and counts for nothing */
			assert_int_equal(net.hosts[ANA].m.lanes[VD_LANE_CONTROL].digest.count, control + !visit);
			assert_true(!visit || net.hosts[ANA].m.reads == reads);
		}
		assert_true(before[1] < before[0] && before[1] < 1000);
		assert_int_equal(net.hosts[OTHER].m.count, had);
		assert_int_equal(role(ANA, FOUNDER), VD_ROLE_COORDINATOR);
		/* what it has to say that is new is heard */
		other_revokes(BEN);
		w = meet(OTHER, calls);
		assert_false(w->up && w->proved[!calls]);
		net_run(&net, 1000);
		assert_int_equal(net.hosts[ANA].m.lanes[VD_LANE_CONTROL].digest.count, given + 2);
		assert_int_equal(role(ANA, OTHER), VD_ROLE_NONE);
		assert_int_equal(net.violations, 0);
		net_deinit(&net);
	}
}

/* It cannot hold its place for ever by giving next to nothing. */
static void test_node_duel__who_gives_slowly_has_its_time(void **state)
{
	struct wire *w;

	(void)state;
	begin(302, 30);
	net_revoke(&net, OTHER);
	w = meet(FOUNDER, true);
	net_bye(&net, w);
	w = net_call_back(&net, OTHER, ANA, 20, common);
	w->bytes_per_s = 30;
	net.piece_bytes = 30;
	net_run(&net, 120000);
	assert_true(w->up && !w->closing[1]);
	net_run(&net, VD_TAKE_MS);
	assert_false(w->up && !w->closing[1]);
	net_deinit(&net);
}

/* The two by themselves: neither gives the other anything. */
static void test_node_duel__face_to_face(void **state)
{
	(void)state;
	for (int calls = 0; calls < 2; calls++) {
		size_t had[2];
		struct wire *w;

		begin(303, 3);
		net_revoke(&net, OTHER);
		other_revokes(FOUNDER);
		had[0] = net.hosts[FOUNDER].m.count;
		had[1] = net.hosts[OTHER].m.count;
		w = net_call_back(&net, calls ? FOUNDER : OTHER, calls ? OTHER : FOUNDER, 20, common);
		net_run(&net, 3000);
		assert_false(w->up);
		assert_int_equal(net.hosts[FOUNDER].m.count, had[0]);
		assert_int_equal(net.hosts[OTHER].m.count, had[1]);
		assert_int_equal(net.violations, 0);
		net_deinit(&net);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_node_duel__comes_out_the_same),
		cmocka_unit_test(test_node_duel__the_loser_gives_once),
		cmocka_unit_test(test_node_duel__who_gives_slowly_has_its_time),
		cmocka_unit_test(test_node_duel__face_to_face),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
