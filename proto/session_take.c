/* A session with a device that has no role, and was coordinator once: it gives its control records, and is told nothing. */
#include <string.h>

#include "err.h"
#include "session_priv.h"

static int nothing_of_lane(void *ctx, const uint8_t *group, uint8_t lane, struct vd_lane_state *out, struct vd_symbol *symbols, size_t n)
{
	(void)ctx, (void)group, (void)lane;
	memset(out, 0, sizeof(*out));
	if (n)
		memset(symbols, 0, n * sizeof(*symbols));
	return VD_OK;
}

static int nothing_without(void *ctx, const uint8_t *group, uint8_t lane, struct vd_leaving *leaving, struct vd_lane_state *out,
                           struct vd_symbol *symbols, size_t n)
{
	leaving->passed = 0;
	return nothing_of_lane(ctx, group, lane, out, symbols, n);
}

static int declines_nobody(void *ctx, const uint8_t *group, struct vd_declined_set *out)
{
	(void)ctx, (void)group;
	memset(out, 0, sizeof(*out));
	return VD_OK;
}

static int finds_nothing(void *ctx, const uint8_t *group, uint8_t lane, const uint8_t item[VD_ITEM_BYTES], struct vd_arrival *out,
                         size_t max, size_t *n)
{
	(void)ctx, (void)group, (void)lane, (void)item, (void)out, (void)max;
	*n = 0;
	return VD_OK;
}

static int reads_nothing(void *ctx, uint64_t arrival, struct vd_buf *out)
{
	(void)ctx, (void)arrival, (void)out;
	return VD_ENOTFOUND;
}

static int lists_nothing(void *ctx, const uint8_t *group, uint8_t lane, uint64_t after, struct vd_arrival *out, size_t max, size_t *n)
{
	(void)ctx, (void)group, (void)lane, (void)after, (void)out, (void)max;
	*n = 0;
	return VD_OK;
}

static int numbers_nothing(void *ctx, const uint8_t *group, uint8_t lane, uint64_t after, uint64_t *out, size_t max, size_t *n)
{
	(void)ctx, (void)group, (void)lane, (void)after, (void)out, (void)max;
	*n = 0;
	return VD_OK;
}

static bool vouches_for_nobody(void *ctx, const struct vd_record *record)
{
	(void)ctx, (void)record;
	return false;
}

/* The store of a device that has nothing: what is looked up here cannot be told. */
static const struct vd_port nothing = {
	.lane = nothing_of_lane, .lane_without = nothing_without, .declined = declines_nobody, .find_item = finds_nothing,
	.read = reads_nothing, .scan = lists_nothing, .numbers = numbers_nothing, .wanted = lists_nothing, .vouched = vouches_for_nobody,
};

void vd_session_take_only(struct vd_session *s)
{
	s->shown = &nothing;
}

bool vd_session_takes_only(const struct vd_session *s)
{
	return s->shown == &nothing;
}

bool vd_session_has_taken(const struct vd_session *s)
{
	bool through = s->equal || (s->stats.rounds && !s->awaiting && !s->lanes[VD_LANE_CONTROL].active);

	return vd_session_takes_only(s) && s->hello_in && through && vd_session_flushed(s);
}

uint64_t vd_session_named(const struct vd_session *s)
{
	return s->named;
}
