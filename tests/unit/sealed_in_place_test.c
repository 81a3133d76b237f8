/* A readable store is sealed where it stands: all of it or not at all, wherever that was cut short. */
#include "tests/unit/sealed_cast.h"

static void shell(const char *format, const char *a, const char *b)
{
	char command[1024];

	snprintf(command, sizeof(command), format, a, b);
	assert_int_equal(system(command), 0);
}

/* What a store answers, as one hash. */
struct portrait {
	crypto_generichash_state hash;
	uint8_t out[32];
};

static void paint(struct portrait *p, const void *bytes, size_t n)
{
	uint8_t length[8];

	vd_set_u64(length, n);
	crypto_generichash_update(&p->hash, length, sizeof(length));
	crypto_generichash_update(&p->hash, bytes, n);
}

static void paint_number(struct portrait *p, uint64_t number)
{
	paint(p, &number, sizeof(number));
}

static int paint_found(void *ctx, const struct vd_found *f)
{
	paint_number(ctx, f->arrival);
	paint_number(ctx, f->received_ms);
	paint(ctx, f->record->raw.p, f->record->raw.n);
	paint_number(ctx, (uint64_t)f->body);
	if (!f->body)
		paint(ctx, f->content->kind.p, f->content->kind.n);
	paint_number(ctx, f->standing);
	paint(ctx, f->redaction.b, f->standing == VD_STANDING_REDACTED ? VD_ID_BYTES : 0);
	return VD_OK;
}

static int paint_raw(void *ctx, uint64_t arrival, uint64_t received_ms, struct vd_slice raw)
{
	paint_number(ctx, arrival);
	paint_number(ctx, received_ms);
	paint(ctx, raw.p, raw.n);
	return VD_OK;
}

static void portrait(struct vd_store *s, const struct scene *c, const uint8_t other[VD_KEY_BYTES], struct portrait *p)
{
	static struct vd_symbol symbols[VD_SKETCH_SYMBOLS];
	struct vd_query queries[] = {
		{ .control = true, .hidden = true }, { 0 }, { .kind = said[0][KIND] }, { .kind = "message" }, { .about = &c->first },
		{ .history = &c->first }, { .search = "canario" }, { .group = c->id, .has_since = true, .since_ms = cast_now + 1 }, { .author = other },
	};
	uint8_t device[VD_STORE_DEVICE_BYTES], groups[VD_STORE_GROUPS_MAX][VD_GROUP_BYTES];
	char name[VD_DEVICE_NAME_MAX + 1];
	struct vd_shares shares = { 0 };
	struct vd_identity next;
	struct vd_check check;
	struct vd_buf out = { 0 };
	uint64_t number = 0;
	size_t count;

	crypto_generichash_init(&p->hash, NULL, 0, sizeof(p->out));
	vd_store_device(s, device, name);
	paint(p, device, sizeof(device));
	paint(p, name, strlen(name));
	assert_int_equal(vd_store_latest(s, &number), 0);
	paint_number(p, number);
	assert_int_equal(vd_store_walk(s, NULL, 255, 0, paint_raw, p), 0);
	for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
		paint_number(p, i);
		assert_int_equal(vd_query(s, &queries[i], paint_found, p), 0);
	}
	for (uint8_t lane = 0; lane < VD_LANES; lane++) {
		struct vd_lane_state lane_state;

		assert_int_equal(vd_store_lane(s, c->id, lane, &lane_state, symbols, VD_SKETCH_SYMBOLS), 0);
		paint(p, &lane_state, sizeof(lane_state));
		paint(p, symbols, sizeof(symbols));
	}
	assert_int_equal(vd_store_groups(s, groups, &count), 0);
	paint(p, groups, count * VD_GROUP_BYTES);
	assert_int_equal(vd_store_note(s, said[0][KIND], vd_slice_str(said[0][TEXT]), &out), 0);
	assert_int_equal(vd_store_segment_known(s, said[0][SEGMENT], &out, NULL), 0);
	paint(p, out.p, out.n);
	assert_int_equal(vd_store_heard(s, c->id, other, &number), 0);
	assert_int_equal(number, 4);
	assert_int_equal(vd_shares_get(s, &shares), 0);
	assert_int_equal(shares.records, 5000);
	assert_int_equal(vd_store_next_identity(s, &next), 0);
	paint(p, next.author, sizeof(next.author));
	assert_int_equal(vd_check(s, false, &check), 0);
	assert_int_equal(check.bad + check.derived_bad, 0);
	paint_number(p, check.records);
	crypto_generichash_final(&p->hash, p->out, sizeof(p->out));
	vd_identity_wipe(&next);
	vd_buf_deinit(&out);
}

static void test_sealed__in_place(void **state)
{
	const struct cast_place *p = *state;
	struct portrait before, after;
	uint8_t other[VD_KEY_BYTES];
	struct vd_buf gone = { 0 };
	struct vd_store *none;
	struct vd_merge merge;
	struct looking l;
	char path[256];
	struct scene c;
	FILE *f;

	fill(&c, 0, p, NULL);
	memcpy(other, vd_group_identity(c.gb)->author, VD_KEY_BYTES);
	portrait(c.a, &c, other, &before);
	vd_store_close(c.a);
	shell("ln %s/data.mdb %s/readable", p->home, p->top); /* to see what becomes of its bytes */
	snprintf(path, sizeof(path), "%s/data.mdb.damaged-1", p->home);
	f = fopen(path, "w");
	fprintf(f, "%s", said[0][TEXT]);
	fclose(f);
	assert_int_equal(vd_store_seal(p->home, &(struct vd_secret){ .passphrase = { (const uint8_t *)"short", 5 } }, &cheap), VD_EINVAL);
	assert_int_equal(vd_store_seal(p->home, &words, &cheap), 0);
	assert_int_equal(vd_store_seal(p->home, &words, &cheap), VD_EEXISTS);
	assert_int_equal(vd_store_open(p->home, &none), VD_EKEY);
	assert_int_not_equal(access(path, F_OK), 0);
	snprintf(path, sizeof(path), "%s/sealing", p->home);
	assert_int_not_equal(access(path, F_OK), 0);
	snprintf(path, sizeof(path), "%s/readable", p->top);
	assert_int_equal(vd_file_read(path, (size_t)1 << 30, &gone), 0);
	assert_true(gone.n > 100000);
	assert_false(holds(&gone, c.id, sizeof(c.id)));
	vd_buf_deinit(&gone);
	c.a = opened(p->home, &words);
	l = look_for_all(&c, 0, p->home);
	assert_int_equal(l.found, 0);
	portrait(c.a, &c, other, &after);
	assert_memory_equal(after.out, before.out, sizeof(before.out));
	/* And it goes on. */
	for (int i = 0; i < 3; i++)
		cast_add(c.b, c.gb, said[0][TEXT], NULL);
	cast_carry(c.b, c.a, c.ga, &merge);
	assert_int_equal(merge.fresh, 3);
	cast_add(c.a, c.ga, said[0][TEXT], NULL);
	cast_carry(c.a, c.b, c.gb, &merge);
	assert_int_equal(merge.fresh, 1);
	cast_same_lanes(c.a, c.b, c.id);
	leave(&c);
}

static void test_sealed__not_while_in_use(void **state)
{
	const struct cast_place *p = *state;
	int ends[2], back[2], status;
	struct vd_store *s;
	char byte;
	pid_t child;

	vd_store_close(made(p->home, "x", NULL));
	assert_int_equal(pipe(ends) || pipe(back), 0);
	child = fork();
	if (!child) {
		if (vd_store_open(p->home, &s) || write(ends[1], "x", 1) != 1 || read(back[0], &byte, 1) != 1)
			_exit(1);
		vd_store_close(s);
		_exit(0);
	}
	assert_int_equal(read(ends[0], &byte, 1), 1);
	assert_int_equal(vd_store_seal(p->home, &words, &cheap), VD_EBUSY);
	assert_false(vd_vault_exists(p->home));
	assert_int_equal(write(back[1], "x", 1), 1);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(vd_store_seal(p->home, &words, &cheap), 0);
	vd_store_close(opened(p->home, &words));
	for (size_t i = 0; i < 2; i++) {
		close(ends[i]);
		close(back[i]);
	}
}

/* The files as a cut at each step leaves them: the store opens, is the one it was, and is either as before or finished. */
static void test_sealed__cut_at_every_step(void **state)
{
	static const struct {
		const char *made; /* from "was" and "is", in "now" */
		bool sealed;
	} cuts[] = {
		{ "mkdir now/sealing", false },
		{ "mkdir now/sealing && head -c 50000 is/data.mdb >now/sealing/data.mdb && touch now/sealing/lock.mdb", false },
		{ "mkdir now/sealing && cp is/data.mdb now/sealing/sealed.mdb", false },
		{ "mkdir now/sealing && cp is/data.mdb now/sealing/sealed.mdb && cp is/vault now/vault.new", false },
		{ "mkdir now/sealing && cp is/data.mdb now/sealing/sealed.mdb && cp is/vault now/vault", true },
		{ "mkdir now/sealing && cp is/data.mdb now/sealing/sealed.mdb && cp is/vault now/vault && mv now/data.mdb now/sealing/readable.mdb", true },
		{ "mkdir now/sealing && cp is/vault now/vault && mv now/data.mdb now/sealing/readable.mdb && cp is/data.mdb now", true },
		{ "mkdir now/sealing && cp is/vault now/vault && head -c 30000 is/data.mdb >now/sealing/readable.mdb && cp is/data.mdb now", true },
		{ "mkdir now/sealing && cp is/vault now/vault && cp is/data.mdb now && cp was/data.mdb now/data.mdb.damaged-1", true },
		{ "mkdir now/sealing && cp is/vault now/vault && cp is/data.mdb now && touch now/sealing/lock.mdb", true },
	};
	const struct cast_place *p = *state;
	struct portrait before, after;
	uint8_t other[VD_KEY_BYTES];
	char now[128], path[256];
	struct scene c;

	fill(&c, 0, p, NULL);
	memcpy(other, vd_group_identity(c.gb)->author, VD_KEY_BYTES);
	portrait(c.a, &c, other, &before);
	vd_store_close(c.a);
	shell("cp -r %s %s/was", p->home, p->top);
	shell("cp -r %s %s/is", p->home, p->top);
	snprintf(path, sizeof(path), "%s/is", p->top);
	assert_int_equal(vd_store_seal(path, &words, &cheap), 0);
	snprintf(now, sizeof(now), "%s/now", p->top);
	for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
		struct vd_buf all = { 0 };

		shell("cd %s && rm -rf now && cp -r was now && %s", p->top, cuts[i].made);
		assert_int_equal(vd_store_create(now, "another"), VD_EEXISTS);
		if (i % 2) /* making one cleared it up, too */
			shell("cd %s && rm -rf now && cp -r was now && %s", p->top, cuts[i].made);
		c.a = opened(now, &words);
		assert_int_equal(vd_store_readable(c.a), !cuts[i].sealed);
		portrait(c.a, &c, other, &after);
		assert_memory_equal(after.out, before.out, sizeof(before.out));
		snprintf(path, sizeof(path), "%s/sealing", now);
		assert_int_not_equal(access(path, F_OK), 0);
		vd_store_close(c.a);
		read_all(now, &all);
		assert_int_equal(holds(&all, c.id, sizeof(c.id)), !cuts[i].sealed);
		vd_buf_deinit(&all);
		if (!cuts[i].sealed)
			assert_int_equal(vd_store_seal(now, &words, &cheap), 0);
	}
	c.a = opened(now, &words);
	leave(&c);
}

/* What cannot be read cannot be compared with its copy. */
static void test_sealed__broken_is_not_sealed(void **state)
{
	const struct cast_place *p = *state;
	struct vd_store *s;
	char path[256];

	assert_int_equal(vd_store_seal(p->home, &words, &cheap), VD_ENOSTORE);
	vd_store_close(made(p->home, "x", NULL));
	snprintf(path, sizeof(path), "%s/data.mdb", p->home);
	assert_int_equal(truncate(path, 9000), 0);
	assert_int_equal(vd_store_seal(p->home, &words, &cheap), VD_EDAMAGED);
	assert_false(vd_vault_exists(p->home));
	assert_int_equal(vd_store_open(p->home, &s), VD_EDAMAGED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_sealed__in_place, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_sealed__not_while_in_use, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_sealed__cut_at_every_step, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_sealed__broken_is_not_sealed, cast_setup, cast_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
