/* Who holds what, as somebody's store knows it. */
#ifndef HOLDING_H
#define HOLDING_H

#include "store/custody.h"
#include "tests/unit/mesh_fixture.h"

static inline const uint8_t *key_of(const struct person *p)
{
	return vd_group_identity(p->group)->author;
}

static inline uint64_t newest(const struct person *p)
{
	uint64_t latest;

	assert_int_equal(vd_store_latest(p->store, &latest), 0);
	return latest;
}

/* What p knows of the keeper: how it holds the record, and (unless NULL) by which way that came. */
static inline enum vd_holding holds_by(struct person *p, const struct person *keeper, uint64_t arrival, struct vd_route *route)
{
	enum vd_holding how = VD_HOLDS_NOT;
	struct vd_buf raw = { 0 };
	struct vd_custody *c;
	struct vd_record r;
	bool any = false;

	assert_int_equal(vd_custody_open(p->store, p->group, &c), 0);
	assert_int_equal(vd_store_read(p->store, arrival, &raw, &r, NULL), 0);
	for (size_t i = 0; i < vd_custody_count(c); i++)
		if (!memcmp(vd_custody_keeper(c, i)->author, key_of(keeper), VD_KEY_BYTES)) {
			assert_int_equal(vd_custody_holds(c, i, arrival, &r, &how), 0);
			if (route)
				*route = vd_custody_keeper(c, i)->route;
			any = true;
		}
	assert_true(any);
	vd_custody_close(c);
	vd_buf_deinit(&raw);
	return how;
}

static inline enum vd_holding holds(struct person *p, const struct person *keeper, uint64_t arrival)
{
	return holds_by(p, keeper, arrival, NULL);
}

#endif
