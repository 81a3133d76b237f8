/* Who takes part in the tests of the channel, for its honest and its hostile half. */
#ifndef VD_CHANNEL_CAST_H
#define VD_CHANNEL_CAST_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "proto/channel.h"
#include "proto/err.h"
#include "tests/evil.h"

enum { HELLO = 2 };

/* The hub and the member see one group; the stranger founded another. */
static struct village village, elsewhere;
static struct vd_identity member, stranger;
static struct vd_group *hub_view, *member_view, *stranger_view;

/* What malloc has given out; always 0 where the C library does not tell. */
static inline size_t heap_bytes(void)
{
#ifdef __GLIBC__
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
#else
	return 0;
#endif
}

static inline int setup(void **state)
{
	(void)state;
	if (vd_sign_selftest())
		return -1;
	village_found(&village, 1);
	village_found(&elsewhere, 2);
	village_person(1, 1, &member);
	village_person(2, 0, &stranger);
	village_admit(&village, &member, "Rosa");
	hub_view = village.group;
	member_view = village_view(&village, &member, village.count);
	stranger_view = elsewhere.group;
	return 0;
}

static inline int teardown(void **state)
{
	(void)state;
	vd_group_free(member_view);
	village_leave(&village);
	village_leave(&elsewhere);
	return 0;
}

static inline struct vd_channel *channel(bool initiator, struct vd_group *group, uint8_t seed_byte)
{
	uint8_t seed[VD_CHANNEL_SEED_BYTES];
	struct vd_channel *c;

	for (size_t i = 0; i < sizeof(seed); i++)
		seed[i] = (uint8_t)(seed_byte + 3 * i);
	c = vd_channel_new(initiator, &group, 1, seed);
	assert_non_null(c);
	assert_int_equal(vd_channel_state(c), VD_CHANNEL_SHAKING);
	return c;
}

static inline struct vd_channel *caller_back(struct vd_group *group, const uint8_t *epoch, uint8_t seed_byte)
{
	uint8_t seed[VD_CHANNEL_SEED_BYTES];
	struct vd_channel *c;

	for (size_t i = 0; i < sizeof(seed); i++)
		seed[i] = (uint8_t)(seed_byte + 3 * i);
	c = vd_channel_call_back(group, epoch, seed);
	assert_non_null(c);
	return c;
}

static inline void assert_failed(struct vd_channel *c, int err)
{
	uint8_t type;
	struct vd_slice payload;

	assert_int_equal(vd_channel_state(c), VD_CHANNEL_FAILED);
	assert_null(vd_channel_group(c));
	assert_null(vd_channel_peer(c));
	assert_int_equal(vd_channel_feed(c, vd_slice_str("more")), err);
	assert_int_equal(vd_channel_next(c, &type, &payload), err);
	assert_int_equal(vd_channel_send(c, HELLO, vd_slice(NULL, 0)), VD_EINVAL);
}

#endif
