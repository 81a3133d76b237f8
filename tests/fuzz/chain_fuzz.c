/* Input: pairs u8 what ‖ u8 argument, a script of what a peer sends out of one scene's records.
 *
 * The scene: a founder, two coordinators, a member and a stranger; some records have a bad signature, of which some are vouched
 * for. However mutilated the script, what is stored is part of the one right set; and when all was offered, all of it. */
#include <sodium.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "tests/unit/chain_scene.h"

enum { ADD, ADD_FLIPPED, ADD_STUB, ADD_CUT, VERIFY, KINDS };

static struct scene scene;
static bool expected[SCENE_MAX];

static void add_all(struct vd_batch *batch)
{
	for (size_t i = 0; i < scene.count; i++)
		FUZZ_CHECK(vd_batch_add(batch, scene_at(&scene, i)) == 0);
}

static void build(void)
{
	struct vd_batch batch = { 0 };
	struct keeper keeper;

	FUZZ_CHECK(vd_sign_selftest() == 0);
	scene_init(&scene);
	scene_grant(&scene, scene.view, 0, 1, VD_ROLE_COORDINATOR);
	scene_grant(&scene, scene.view, 0, 2, VD_ROLE_COORDINATOR);
	scene_grant(&scene, scene.view, 0, 3, VD_ROLE_MEMBER);
	for (size_t i = 0; i < 30; i++)
		scene_write(&scene, i % SCENE_WRITERS, (uint8_t)(i % 7 % VD_LANES), vd_slice_str("body"),
		            i % 3 ? SCENE_HONEST : SCENE_BAD_SIGNATURE);
	keeper_init(&keeper, &scene);
	add_all(&batch);
	FUZZ_CHECK(keeper_take(&keeper, &batch, NULL) > 10);
	FUZZ_CHECK(keeper_take(&keeper, &batch, NULL) == 0);
	memcpy(expected, keeper.stored, sizeof(expected));
	vd_batch_deinit(&batch);
	vd_group_free(keeper.group);
}

/* A flipped byte makes another record, which the scene does not know: it must not be valid. */
static void take(struct keeper *keeper, struct vd_batch *batch, bool changed)
{
	const struct vd_chain_port port = { keeper, keeper_vouched };

	if (!changed) {
		keeper_take(keeper, batch, NULL);
		return;
	}
	FUZZ_CHECK(vd_chain_verify(batch, keeper->group, &port, NULL) == 0);
	for (size_t i = 0; i < batch->count; i++) {
		size_t at = 0;

		if (batch->entries[i].verdict)
			continue;
		while (at < scene.count && memcmp(scene_record(&scene, at).id.b, batch->entries[i].record.id.b, VD_ID_BYTES))
			at++;
		FUZZ_CHECK(at < scene.count);
		keeper->stored[at] = true;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vd_batch batch = { 0 };
	struct keeper keeper;
	uint8_t copy[2048];
	bool changed = false;

	if (!scene.view)
		build();
	keeper_init(&keeper, &scene);
	for (size_t i = 0; i + 1 < size && i < 256; i += 2) {
		struct vd_record r = scene_record(&scene, data[i + 1] % scene.count);
		size_t n = r.raw.n;

		if (data[i] % KINDS == VERIFY) {
			take(&keeper, &batch, changed);
			vd_batch_reset(&batch);
			continue;
		}
		FUZZ_CHECK(n <= sizeof(copy));
		memcpy(copy, r.raw.p, n);
		if (data[i] % KINDS == ADD_FLIPPED) {
			copy[data[i] * 31u % n] ^= 1;
			changed = true;
		} else if (data[i] % KINDS == ADD_STUB) {
			n -= r.body.n;
		} else if (data[i] % KINDS == ADD_CUT) {
			n = data[i] * 31u % n;
		}
		(void)!vd_batch_add(&batch, vd_slice(copy, n));
	}
	take(&keeper, &batch, changed);
	for (size_t i = 0; i < scene.count; i++)
		FUZZ_CHECK(!keeper.stored[i] || expected[i]);
	for (int round = 0; round < 2; round++) {
		vd_batch_reset(&batch);
		add_all(&batch);
		keeper_take(&keeper, &batch, NULL);
	}
	FUZZ_CHECK(!memcmp(keeper.stored, expected, sizeof(expected)));
	vd_batch_deinit(&batch);
	vd_group_free(keeper.group);
	return 0;
}
