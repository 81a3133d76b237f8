#include "tests/unit/store_cast.h"

struct cast {
	struct vd_store *s;
	struct vd_group *g;
	uint8_t id[VD_GROUP_BYTES];
	struct vd_port port;
};

static void start(struct cast *c, const struct cast_place *p)
{
	c->s = cast_store(p->home);
	c->g = cast_found(c->s, c->id);
	vd_store_port(c->s, &c->port);
}

static void end(struct cast *c)
{
	vd_group_free(c->g);
	vd_store_close(c->s);
}

static void test_port__scan_in_order_and_in_parts(void **state)
{
	struct vd_arrival out[64], one;
	struct vd_lane_state lane;
	struct vd_write *w;
	struct vd_id ids[10];
	uint64_t after = 0, numbers[64];
	struct cast c;
	size_t n;

	start(&c, *state);
	assert_int_equal(vd_write_begin(c.s, &w), 0);
	for (int i = 0; i < 10; i++)
		assert_int_equal(cast_own_kind(w, c.g, i % 2 ? VD_LANE_URGENT : VD_LANE_NORMAL, "message", "x",
		                               NULL, cast_now, &ids[i]),
		                 0);
	assert_int_equal(vd_write_commit(w), 0);

	assert_int_equal(c.port.scan(c.port.ctx, c.id, VD_LANE_NORMAL, 0, out, 64, &n), 0);
	assert_int_equal(n, 5);
	for (size_t i = 0; i < n; i++) {
		assert_memory_equal(out[i].id.b, ids[2 * i].b, VD_ID_BYTES);
		assert_false(out[i].stub);
		assert_true(!i || out[i].arrival > out[i - 1].arrival);
	}
	assert_int_equal(c.port.numbers(c.port.ctx, c.id, VD_LANE_NORMAL, 0, numbers, 64, &n), 0);
	assert_int_equal(n, 5);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(numbers[i], out[i].arrival);
	assert_int_equal(c.port.numbers(c.port.ctx, c.id, VD_LANE_NORMAL, numbers[1], numbers, 2, &n), 0);
	assert_int_equal(n, 2);
	assert_true(numbers[0] == out[2].arrival && numbers[1] == out[3].arrival);
	assert_int_equal(c.port.numbers(c.port.ctx, ids[0].b, VD_LANE_NORMAL, 0, numbers, 64, &n), 0);
	assert_int_equal(n, 0);
	for (size_t i = 0; i < 5; i++) {
		assert_int_equal(c.port.scan(c.port.ctx, c.id, VD_LANE_URGENT, after, &one, 1, &n), 0);
		assert_int_equal(n, 1);
		assert_memory_equal(one.id.b, ids[2 * i + 1].b, VD_ID_BYTES);
		after = one.arrival;
	}
	assert_int_equal(c.port.scan(c.port.ctx, c.id, VD_LANE_URGENT, after, &one, 1, &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(c.port.scan(c.port.ctx, c.id, 255, 0, out, 64, &n), 0);
	assert_int_equal(n, 14); /* with the four control records */
	assert_int_equal(c.port.lane(c.port.ctx, c.id, VD_LANE_BULK, &lane, NULL, 0), 0);
	assert_true(out[n - 1].arrival == lane.latest);
	assert_int_equal(c.port.scan(c.port.ctx, c.id, 255, UINT64_MAX, out, 64, &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(c.port.scan(c.port.ctx, ids[0].b, 255, 0, out, 64, &n), 0); /* a group that is not here */
	assert_int_equal(n, 0);
	end(&c);
}

static void test_port__find_item_and_read(void **state)
{
	struct vd_arrival out[4];
	struct vd_buf raw = { 0 };
	struct vd_record r;
	struct vd_item item;
	struct vd_id id;
	struct cast c;
	size_t n, before;

	start(&c, *state);
	cast_add(c.s, c.g, "hola", &id);
	vd_item_of(vd_group_salt(c.g), &id, &item);
	assert_int_equal(c.port.find_item(c.port.ctx, c.id, VD_LANE_NORMAL, item.b, out, 4, &n), 0);
	assert_int_equal(n, 1);
	assert_memory_equal(out[0].id.b, id.b, VD_ID_BYTES);
	assert_int_equal(c.port.find_item(c.port.ctx, c.id, VD_LANE_URGENT, item.b, out, 4, &n), 0);
	assert_int_equal(n, 0);
	vd_buf_put_u8(&raw, 7);
	before = raw.n;
	assert_int_equal(c.port.find_item(c.port.ctx, c.id, VD_LANE_NORMAL, item.b, out, 4, &n), 0);
	assert_int_equal(c.port.read(c.port.ctx, out[0].arrival, &raw), 0);
	assert_int_equal(vd_record_decode(vd_slice(raw.p + before, raw.n - before), &r), 0); /* appended */
	assert_memory_equal(r.id.b, id.b, VD_ID_BYTES);
	assert_int_equal(c.port.read(c.port.ctx, 999, &raw), VD_ENOTFOUND);
	item.b[0] ^= 1;
	assert_int_equal(c.port.find_item(c.port.ctx, c.id, VD_LANE_NORMAL, item.b, out, 4, &n), 0);
	assert_int_equal(n, 0);
	vd_buf_deinit(&raw);
	end(&c);
}

/* The standing sketch is the sum of what the ids say. */
static void test_port__lane_of_one_moment(void **state)
{
	static struct vd_symbol symbols[VD_SKETCH_SYMBOLS], expected[VD_SKETCH_SYMBOLS];
	struct vd_digest digest = { 0 };
	struct vd_lane_state lane;
	struct cast c;

	start(&c, *state);
	memset(expected, 0, sizeof(expected));
	for (int i = 0; i < 30; i++) {
		struct vd_item item;
		struct vd_id id;

		cast_add(c.s, c.g, "hola", &id);
		vd_item_of(vd_group_salt(c.g), &id, &item);
		vd_sketch_apply(expected, 0, VD_SKETCH_SYMBOLS, &item, +1);
		vd_digest_add(&digest, &id);
	}
	assert_int_equal(c.port.lane(c.port.ctx, c.id, VD_LANE_NORMAL, &lane, symbols, VD_SKETCH_SYMBOLS), 0);
	assert_true(vd_digest_eq(&lane.digest, &digest));
	assert_memory_equal(symbols, expected, sizeof(expected));
	memset(symbols, 0xff, sizeof(symbols));
	assert_int_equal(c.port.lane(c.port.ctx, c.id, VD_LANE_NORMAL, &lane, symbols, 200), 0);
	assert_memory_equal(symbols, expected, 200 * sizeof(symbols[0]));
	assert_int_equal(symbols[200].sum[0], 0xff);
	assert_int_equal(c.port.lane(c.port.ctx, c.id, VD_LANE_NORMAL, &lane, NULL, 0), 0);
	assert_int_equal(c.port.lane(c.port.ctx, c.id, VD_LANE_BULK, &lane, symbols, 1), 0);
	assert_int_equal(lane.digest.count, 0);
	assert_int_equal(symbols[0].count, 0);
	assert_int_equal(c.port.lane(c.port.ctx, c.id, VD_LANES, &lane, NULL, 0), VD_EINVAL);
	assert_int_equal(c.port.lane(c.port.ctx, c.id, 0, &lane, symbols, VD_SKETCH_SYMBOLS + 1), VD_EINVAL);
	end(&c);
}

static void test_port__group_refresh(void **state)
{
	const struct cast_place *p = *state;
	struct vd_store *b;
	struct vd_group *gb, *holder;
	uint64_t after = 0, latest;
	struct cast c;

	start(&c, p);
	assert_int_equal(vd_store_group(c.s, c.id, &holder), 0);
	assert_int_equal(vd_store_group_refresh(c.s, holder, &after), 0);
	assert_int_equal(vd_group_device_count(holder), 1);
	b = cast_store(p->other);
	gb = cast_join(c.s, c.g, b);
	cast_add(c.s, c.g, "hola", NULL);
	assert_int_equal(vd_store_group_refresh(c.s, holder, &after), 0);
	assert_int_equal(vd_group_device_count(holder), 2);
	assert_int_equal(vd_store_latest(c.s, &latest), 0);
	assert_true(after == latest);
	vd_group_free(holder);
	vd_group_free(gb);
	vd_store_close(b);
	end(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_port__scan_in_order_and_in_parts, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_port__find_item_and_read, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_port__lane_of_one_moment, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_port__group_refresh, cast_setup, cast_teardown),
	};

	if (vd_sign_selftest())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
