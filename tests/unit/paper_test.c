/* A paper key is made, and a group taken from it, whatever is in the way. */
#include "acts_cast.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

struct paper {
	char words[VD_PAPER_TEXT];
	struct vd_identity identity;
};

static void make_paper(struct scene *sc, struct who *w, struct paper *p)
{
	size_t wrong;

	assert_int_equal(vd_act_paper(w->store, w->group, ++sc->now_ms, p->words), 0);
	assert_int_equal(vd_paper_identity(p->words, &p->identity, &wrong), 0);
}

static char *in_top(const struct scene *sc, const char *name)
{
	static char paths[4][200];
	static unsigned next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", sc->top, name);
	return path;
}

static void export(struct who *w, enum vd_sealed_what what, const char *path)
{
	const struct vd_bundle_choice all = { 0 };
	struct vd_bundle_stats stats;

	assert_int_equal(vd_bundle_write(w->store, w->group, what, &all, path, true, &stats), 0);
}

static int recover(struct scene *sc, struct who *w, const struct paper *p, const char *path, const char *name)
{
	uint8_t group[VD_GROUP_BYTES];
	int rc = vd_act_recover(w->store, &p->identity, path, name, ++sc->now_ms, group);

	if (!rc) {
		assert_memory_equal(group, sc->id, sizeof(group));
		reload(sc, w);
	}
	return rc;
}

static uint64_t records_in(struct who *w)
{
	uint64_t records, bytes;

	assert_int_equal(vd_store_size(w->store, &records, &bytes), 0);
	return records;
}

/* Nothing came of it: no group, no record; and another try may succeed. */
static void nothing_came(struct who *w)
{
	uint8_t groups[VD_STORE_GROUPS_MAX][VD_GROUP_BYTES];
	size_t count;

	assert_int_equal(vd_store_groups(w->store, groups, &count), 0);
	assert_int_equal(count, 0);
	assert_int_equal(records_in(w), 0);
}

static void test_paper__is_a_coordinator_of_our_member(void **state)
{
	struct paper paper, second;
	const struct vd_device *device;
	struct who rosa, ana;
	char words[VD_PAPER_TEXT] = "";
	struct scene sc;
	uint64_t count;

	(void)state;
	found(&sc, &rosa);
	make_paper(&sc, &rosa, &paper);
	device = vd_group_find(rosa.group, paper.identity.author);
	assert_non_null(device);
	assert_int_equal(device->role, VD_ROLE_COORDINATOR);
	assert_int_equal(device->flags, VD_GRANT_PAPER);
	assert_string_equal(device->name, "Rosa");
	assert_memory_equal(device->person, person_of(&rosa), VD_PERSON_BYTES);
	assert_false(device->forked);
	same_on_disk(&sc, &rosa);
	assert_int_equal(vd_group_find(rosa.group, paper.identity.author)->role, VD_ROLE_COORDINATOR);

	make_paper(&sc, &rosa, &second);
	assert_string_not_equal(paper.words, second.words);
	admit(&sc, &rosa, &ana, VD_ROLE_MEMBER, NULL, "Ana");
	count = control_count(&sc, &ana);
	assert_int_equal(vd_act_paper(ana.store, ana.group, ++sc.now_ms, words), VD_EAUTHOR);
	assert_string_equal(words, "");
	assert_int_equal(control_count(&sc, &ana), count);
	disband(&sc);
}

static void test_recover__group_outlives_its_laptop(void **state)
{
	uint8_t epoch[VD_EPOCH_BYTES];
	struct vd_bundle_stats stats;
	struct vd_id before, after, said;
	struct who rosa, ana, young;
	struct paper paper;
	struct scene sc;

	(void)state;
	found(&sc, &rosa);
	admit(&sc, &rosa, &ana, VD_ROLE_MEMBER, NULL, "Ana");
	say(&sc, &rosa, VD_LANE_NORMAL, "antes", &before);
	assert_int_equal(vd_act_rotate(rosa.store, rosa.group, ++sc.now_ms, epoch), 0);
	make_paper(&sc, &rosa, &paper);
	assert_int_equal(vd_act_rotate(rosa.store, rosa.group, ++sc.now_ms, epoch), 0);
	say(&sc, &rosa, VD_LANE_NORMAL, "después", &after);
	give(&rosa, &ana);
	/* The laptop is gone: what is left is a bundle that somebody else made. */
	export(&ana, VD_SEALED_BUNDLE, in_top(&sc, "bundle"));
	leave(&rosa);

	move_in(&sc, &young);
	assert_int_equal(recover(&sc, &young, &paper, in_top(&sc, "bundle"), "Rosa (nueva)"), 0);
	assert_int_equal(vd_group_role(young.group), VD_ROLE_COORDINATOR);
	assert_string_equal(vd_group_find(young.group, young.author)->name, "Rosa (nueva)");
	assert_memory_equal(vd_group_find(young.group, young.author)->person,
	                    vd_group_find(young.group, paper.identity.author)->person, VD_PERSON_BYTES);
	assert_int_equal(vd_group_find(young.group, young.author)->flags, 0);
	assert_int_equal(vd_group_epoch_count(young.group), 3);
	assert_memory_equal(vd_group_current_epoch(young.group), epoch, sizeof(epoch));
	same_on_disk(&sc, &young);
	assert_int_equal(vd_bundle_merge(young.store, in_top(&sc, "bundle"), false, NULL, &stats), 0);
	assert_int_equal(opens(&young, &before), 0);
	assert_int_equal(opens(&young, &after), 0);

	/* It acts, and the others take it. */
	give(&young, &ana);
	assert_int_equal(role_of(&ana, young.author), VD_ROLE_COORDINATOR);
	assert_int_equal(vd_act_rotate(young.store, young.group, ++sc.now_ms, epoch), 0);
	say(&sc, &young, VD_LANE_NORMAL, "de nuevo", &said);
	meet(&young, &ana);
	assert_int_equal(opens(&ana, &said), 0);
	cast_same_lanes(young.store, ana.store, sc.id);
	disband(&sc);
}

/* The paper stays valid: its chain goes on where it was, on whatever device. */
static void test_recover__twice(void **state)
{
	struct who rosa, first, second;
	struct paper paper;
	struct scene sc;

	(void)state;
	found(&sc, &rosa);
	make_paper(&sc, &rosa, &paper);
	export(&rosa, VD_SEALED_BUNDLE, in_top(&sc, "one"));
	move_in(&sc, &first);
	assert_int_equal(recover(&sc, &first, &paper, in_top(&sc, "one"), NULL), 0);
	assert_string_equal(vd_group_find(first.group, first.author)->name, "Rosa");
	export(&first, VD_SEALED_BUNDLE, in_top(&sc, "two"));
	move_in(&sc, &second);
	assert_int_equal(recover(&sc, &second, &paper, in_top(&sc, "two"), ""), 0);
	meet(&first, &second);
	meet(&rosa, &second);
	assert_false(vd_group_find(rosa.group, paper.identity.author)->forked);
	assert_int_equal(role_of(&rosa, first.author), VD_ROLE_COORDINATOR);
	assert_int_equal(role_of(&rosa, second.author), VD_ROLE_COORDINATOR);

	/* From an old bundle: the paper's chain forks, and everything counts all the same. */
	leave(&first);
	move_in(&sc, &first);
	assert_int_equal(recover(&sc, &first, &paper, in_top(&sc, "one"), NULL), 0);
	meet(&first, &second);
	assert_true(vd_group_find(second.group, paper.identity.author)->forked);
	assert_int_equal(role_of(&second, first.author), VD_ROLE_COORDINATOR);
	assert_int_equal(role_of(&second, second.author), VD_ROLE_COORDINATOR);
	disband(&sc);
}

/* A second time on the same device: nothing, or the keys that came too late for it. */
static void test_recover__again_on_the_same_device(void **state)
{
	uint8_t epoch[VD_EPOCH_BYTES];
	struct who rosa, young;
	struct paper paper;
	struct vd_id said;
	struct scene sc;
	uint64_t records;

	(void)state;
	found(&sc, &rosa);
	make_paper(&sc, &rosa, &paper);
	export(&rosa, VD_SEALED_BUNDLE, in_top(&sc, "old"));
	assert_int_equal(vd_act_rotate(rosa.store, rosa.group, ++sc.now_ms, epoch), 0);
	say(&sc, &rosa, VD_LANE_NORMAL, "en la época nueva", &said);
	export(&rosa, VD_SEALED_BUNDLE, in_top(&sc, "new"));

	move_in(&sc, &young);
	assert_int_equal(recover(&sc, &young, &paper, in_top(&sc, "old"), NULL), 0);
	records = records_in(&young);
	assert_int_equal(recover(&sc, &young, &paper, in_top(&sc, "old"), NULL), VD_EEXISTS);
	assert_int_equal(records_in(&young), records);
	assert_null(vd_group_key(young.group, epoch, VD_KEY_LINK));
	assert_int_equal(recover(&sc, &young, &paper, in_top(&sc, "new"), NULL), 0);
	assert_non_null(vd_group_key(young.group, epoch, VD_KEY_MEMBERS));
	assert_int_equal(recover(&sc, &young, &paper, in_top(&sc, "new"), NULL), VD_EEXISTS);
	meet(&rosa, &young);
	assert_int_equal(opens(&young, &said), 0);
	assert_false(vd_group_find(rosa.group, paper.identity.author)->forked);
	assert_false(vd_group_find(rosa.group, young.author)->forked);

	/* The device that made the paper is in the group, too. */
	records = records_in(&rosa);
	assert_int_equal(recover(&sc, &rosa, &paper, in_top(&sc, "new"), NULL), VD_EEXISTS);
	assert_int_equal(records_in(&rosa), records);
	disband(&sc);
}

/* The chain of the paper went on elsewhere, and so did ours before we were set back: nothing is written twice. */
static void test_recover__again_behind_what_was_written(void **state)
{
	uint8_t epoch[VD_EPOCH_BYTES];
	struct who rosa, luz, first, second, restored;
	struct paper paper;
	char command[512];
	struct scene sc;

	(void)state;
	found(&sc, &rosa);
	make_paper(&sc, &rosa, &paper);
	admit(&sc, &rosa, &luz, VD_ROLE_COORDINATOR, NULL, "Luz");
	export(&rosa, VD_SEALED_BUNDLE, in_top(&sc, "one"));
	move_in(&sc, &first);
	assert_int_equal(recover(&sc, &first, &paper, in_top(&sc, "one"), NULL), 0);
	export(&first, VD_SEALED_BUNDLE, in_top(&sc, "two"));
	move_in(&sc, &second);
	assert_int_equal(recover(&sc, &second, &paper, in_top(&sc, "two"), NULL), 0);
	give(&second, &first);

	/* Luz has heard of neither: her epoch is the paper's, not theirs. */
	assert_int_equal(vd_act_rotate(luz.store, luz.group, ++sc.now_ms, epoch), 0);
	export(&luz, VD_SEALED_BUNDLE, in_top(&sc, "three"));
	snprintf(command, sizeof(command), "cp -r '%s' '%s'", first.home, in_top(&sc, "backup"));
	assert_int_equal(system(command), 0);
	assert_int_equal(recover(&sc, &first, &paper, in_top(&sc, "three"), NULL), 0);
	assert_non_null(vd_group_key(first.group, epoch, VD_KEY_MEMBERS));
	assert_false(vd_group_find(first.group, paper.identity.author)->forked);

	/* Set back to before, it gets from a file what it said since, and a later epoch of Luz. */
	assert_int_equal(vd_act_rotate(luz.store, luz.group, ++sc.now_ms, epoch), 0);
	give(&luz, &first);
	assert_int_equal(vd_act_paper(first.store, first.group, ++sc.now_ms, (char[VD_PAPER_TEXT]){ 0 }), 0);
	export(&first, VD_SEALED_BUNDLE, in_top(&sc, "four"));
	arrive(&sc, &restored);
	strcpy(restored.home, in_top(&sc, "backup"));
	assert_int_equal(vd_store_open(restored.home, &restored.store), 0);
	assert_int_equal(recover(&sc, &restored, &paper, in_top(&sc, "four"), NULL), 0);
	assert_non_null(vd_group_key(restored.group, epoch, VD_KEY_MEMBERS));
	assert_int_equal(vd_act_paper(restored.store, restored.group, ++sc.now_ms, (char[VD_PAPER_TEXT]){ 0 }), 0);
	give(&restored, &first);
	assert_false(vd_group_find(first.group, first.author)->forked);
	assert_false(vd_group_find(first.group, paper.identity.author)->forked);
	disband(&sc);
}

/* A stick: segments, each with a part of it, beside what is not ours. */
static void test_recover__from_a_stick(void **state)
{
	const struct vd_slice junk = vd_slice_str("una foto");
	struct vd_bundle_choice part = { 0 };
	struct vd_bundle_stats stats;
	uint64_t arrivals[64];
	struct who rosa, other, young;
	struct paper paper, strange;
	struct scene sc, elsewhere;
	FILE *f;

	(void)state;
	found(&sc, &rosa);
	make_paper(&sc, &rosa, &paper);
	assert_int_equal(mkdir(in_top(&sc, "stick"), 0700), 0);
	assert_int_equal(mkdir(in_top(&sc, "stick/cache"), 0700), 0);
	f = fopen(in_top(&sc, "stick/foto.jpg"), "w");
	assert_non_null(f);
	assert_int_equal(fwrite(junk.p, 1, junk.n, f), junk.n);
	fclose(f);
	/* Another group's segment. */
	found(&elsewhere, &other);
	make_paper(&elsewhere, &other, &strange);
	export(&other, VD_SEALED_SEGMENT, in_top(&sc, "stick/cache/00000000000000000000000000000000.bin"));
	move_in(&sc, &young);
	assert_int_equal(recover(&sc, &young, &paper, in_top(&sc, "stick"), NULL), VD_EKEY);
	nothing_came(&young);

	part.arrivals = arrivals;
	for (uint64_t i = 1; i <= records_in(&rosa); i++)
		arrivals[part.count++] = i;
	part.count = 4;
	assert_int_equal(vd_bundle_write(rosa.store, rosa.group, VD_SEALED_SEGMENT, &part,
	                                 in_top(&sc, "stick/cache/11111111111111111111111111111111.bin"), true, &stats), 0);
	assert_int_equal(recover(&sc, &young, &paper, in_top(&sc, "stick"), NULL), VD_ESIGNATURE);
	nothing_came(&young);
	part.arrivals = arrivals + 4;
	part.count = records_in(&rosa) - 4;
	assert_int_equal(vd_bundle_write(rosa.store, rosa.group, VD_SEALED_SEGMENT, &part,
	                                 in_top(&sc, "stick/cache/22222222222222222222222222222222.bin"), true, &stats), 0);
	assert_int_equal(recover(&sc, &young, &paper, in_top(&sc, "stick"), NULL), 0);
	assert_int_equal(vd_group_role(young.group), VD_ROLE_COORDINATOR);
	assert_int_equal(records_in(&young), records_in(&rosa) + 2); /* its grant, and a key */
	disband(&sc);
	disband(&elsewhere);
}

/* Whoever read the paper's grant can make a group that grants it, too, and seal that to it. */
static void test_recover__another_group_by_that_paper(void **state)
{
	struct who rosa, thief, young;
	struct vd_card card;
	struct vd_id grant;
	struct scene sc, fake;
	struct paper paper;

	(void)state;
	found(&sc, &rosa);
	make_paper(&sc, &rosa, &paper);
	found(&fake, &thief);
	assert_int_equal(vd_card_create(&paper.identity, &card), 0);
	{
		struct vd_admission a = { .card = &card, .role = VD_ROLE_COORDINATOR, .flags = VD_GRANT_PAPER, .name = "Rosa" };

		assert_int_equal(vd_act_admit(thief.store, thief.group, &a, ++fake.now_ms, &grant), 0);
	}
	assert_int_equal(mkdir(in_top(&sc, "stick"), 0700), 0);
	export(&thief, VD_SEALED_BUNDLE, in_top(&sc, "stick/a"));
	move_in(&sc, &young);
	assert_int_equal(recover(&sc, &young, &paper, in_top(&sc, "stick/a"), NULL), VD_ESIGNATURE);
	assert_int_equal(recover(&sc, &young, &paper, in_top(&sc, "stick"), NULL), VD_ESIGNATURE);
	nothing_came(&young);
	/* Beside it, the right one is found. */
	export(&rosa, VD_SEALED_BUNDLE, in_top(&sc, "stick/b"));
	assert_int_equal(recover(&sc, &young, &paper, in_top(&sc, "stick"), NULL), 0);
	disband(&sc);
	disband(&fake);
}

static void test_recover__what_does_not_do(void **state)
{
	struct vd_revocation asked = { .device_count = 1 };
	uint8_t epoch[VD_EPOCH_BYTES];
	struct paper paper, other;
	struct who rosa, young;
	struct scene sc;
	struct vd_id id;

	(void)state;
	found(&sc, &rosa);
	export(&rosa, VD_SEALED_BUNDLE, in_top(&sc, "before"));
	make_paper(&sc, &rosa, &paper);
	make_paper(&sc, &rosa, &other);
	move_in(&sc, &young);
	assert_int_equal(recover(&sc, &young, &paper, in_top(&sc, "nowhere"), NULL), VD_ENOTFOUND);
	assert_int_equal(recover(&sc, &young, &paper, in_top(&sc, "before"), NULL), VD_EKEY);
	nothing_came(&young);

	/* Words that were in the wrong hands are taken back like any device. */
	asked.devices = (const uint8_t (*)[VD_KEY_BYTES])paper.identity.author;
	assert_int_equal(vd_act_revoke(rosa.store, rosa.group, &asked, ++sc.now_ms, &id, epoch), 0);
	export(&rosa, VD_SEALED_BUNDLE, in_top(&sc, "after"));
	assert_int_equal(recover(&sc, &young, &paper, in_top(&sc, "after"), NULL), VD_EKEY);
	nothing_came(&young);
	assert_int_equal(recover(&sc, &young, &other, in_top(&sc, "after"), NULL), 0);
	disband(&sc);
}

static void patch(const char *path, long at, size_t n)
{
	FILE *f = fopen(path, "r+b");

	assert_non_null(f);
	for (; n--; at++) {
		int was;

		assert_int_equal(fseek(f, at, SEEK_SET), 0);
		was = fgetc(f);
		assert_true(was != EOF);
		assert_int_equal(fseek(f, at, SEEK_SET), 0);
		assert_int_equal(fputc(was ^ 0xff, f), was ^ 0xff);
	}
	assert_int_equal(fclose(f), 0);
}

static void test_recover__damaged_files(void **state)
{
	struct who rosa, young;
	struct paper paper;
	struct scene sc;
	struct stat st;
	char *path;

	(void)state;
	found(&sc, &rosa);
	make_paper(&sc, &rosa, &paper);
	for (size_t i = 0; i < 60; i++)
		say(&sc, &rosa, VD_LANE_NORMAL, "informe", &(struct vd_id){ 0 });
	path = in_top(&sc, "bundle");
	move_in(&sc, &young);

	/* Both heads gone, or the chunk that says whose it is. */
	export(&rosa, VD_SEALED_BUNDLE, path);
	assert_int_equal(stat(path, &st), 0);
	patch(path, VD_HEAD_BYTES + 100, 1);
	assert_int_equal(recover(&sc, &young, &paper, path, NULL), VD_EDAMAGED);
	patch(path, 0, VD_HEAD_BYTES);
	patch(path, (long)st.st_size - VD_HEAD_BYTES, VD_HEAD_BYTES);
	assert_int_equal(recover(&sc, &young, &paper, path, NULL), VD_EKEY);
	assert_int_equal(truncate(path, VD_HEAD_BYTES + 40), 0);
	assert_int_not_equal(recover(&sc, &young, &paper, path, NULL), 0);
	nothing_came(&young);

	/* One head is enough. */
	export(&rosa, VD_SEALED_BUNDLE, path);
	patch(path, 0, VD_HEAD_BYTES);
	assert_int_equal(recover(&sc, &young, &paper, path, NULL), 0);
	disband(&sc);
}

static void test_recover__a_full_disk_leaves_nothing(void **state)
{
	struct rlimit before, small;
	struct who rosa, young;
	struct vd_identity next, still;
	struct paper paper;
	struct scene sc;

	(void)state;
	found(&sc, &rosa);
	make_paper(&sc, &rosa, &paper);
	export(&rosa, VD_SEALED_BUNDLE, in_top(&sc, "bundle"));
	move_in(&sc, &young);
	assert_int_equal(vd_store_next_identity(young.store, &next), 0);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = before;
	small.rlim_cur = 8192;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_not_equal(recover(&sc, &young, &paper, in_top(&sc, "bundle"), NULL), 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	signal(SIGXFSZ, SIG_DFL);
	nothing_came(&young);
	assert_int_equal(vd_store_next_identity(young.store, &still), 0);
	assert_memory_equal(next.author, still.author, VD_KEY_BYTES);
	vd_store_close(young.store);
	assert_int_equal(vd_store_open(young.home, &young.store), 0);
	nothing_came(&young);
	assert_int_equal(recover(&sc, &young, &paper, in_top(&sc, "bundle"), NULL), 0);
	assert_memory_equal(young.author, next.author, VD_KEY_BYTES); /* the identity it showed all along */
	disband(&sc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paper__is_a_coordinator_of_our_member),
		cmocka_unit_test(test_recover__group_outlives_its_laptop),
		cmocka_unit_test(test_recover__twice),
		cmocka_unit_test(test_recover__again_on_the_same_device),
		cmocka_unit_test(test_recover__again_behind_what_was_written),
		cmocka_unit_test(test_recover__from_a_stick),
		cmocka_unit_test(test_recover__another_group_by_that_paper),
		cmocka_unit_test(test_recover__what_does_not_do),
		cmocka_unit_test(test_recover__damaged_files),
		cmocka_unit_test(test_recover__a_full_disk_leaves_nothing),
	};

	if (vd_sign_selftest())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
