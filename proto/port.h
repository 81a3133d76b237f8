/* The store as the protocol sees it: what a session asks, and how a batch comes back. Implemented by store/port.c on LMDB and
 * by the simulator in memory. Every function is synchronous, short, and returns 0 or a negative enum vd_err. */
#ifndef VD_PORT_H
#define VD_PORT_H

#include "chain.h"
#include "declined.h"
#include "digest.h"
#include "sketch.h"
#include "told.h"

struct vd_lane_state {
	struct vd_digest digest;  /* of all ids */
	struct vd_digest wanted;  /* of ids whose body we want and lack */
	uint64_t stubs;           /* records without their body, whether it is wanted or not */
	uint64_t latest;          /* at that moment the store's highest arrival number, 0: none */
};

/* One record as an index knows it. */
struct vd_arrival {
	uint64_t arrival;         /* store-wide, from 1, growing */
	struct vd_id id;
	uint8_t author[VD_KEY_BYTES];
	bool stub;
};

/* What a lane's state leaves out, as if it were not there: records and wanted bodies of these authors. */
struct vd_leaving {
	const struct vd_declined *who; /* of that lane, ascending; borrowed */
	size_t count;
	uint64_t may_pass;        /* records that may be passed over to find out what is theirs: what is not remembered */
	uint64_t passed;          /* records that were */
};

struct vd_port {
	void *ctx;
	/* Digest and wanted of one lane, and the lane's first `n` symbols (a whole number of blocks, or fewer than one), all of one
	 * moment. symbols may be NULL. */
	int (*lane)(void *ctx, const uint8_t *group, uint8_t lane, struct vd_lane_state *, struct vd_symbol *symbols, size_t n);
	/* The same without what `leaving` names. VD_EBUSY: more records than it allows would have to be passed over. */
	int (*lane_without)(void *ctx, const uint8_t *group, uint8_t lane, struct vd_leaving *leaving, struct vd_lane_state *,
	                    struct vd_symbol *symbols, size_t n);
	/* Whom this device declines in the group now: at most VD_DECLINED_MAX. */
	int (*declined)(void *ctx, const uint8_t *group, struct vd_declined_set *out);
	/* Records whose standing item starts so: at most `max` arrivals, *n how many. */
	int (*find_item)(void *ctx, const uint8_t *group, uint8_t lane, const uint8_t item[VD_ITEM_BYTES],
	                 struct vd_arrival *out, size_t max, size_t *n);
	/* Appends the raw record (stub if that is what is here) to *out. VD_ENOTFOUND, also of what was spoilt. */
	int (*read)(void *ctx, uint64_t arrival, struct vd_buf *out);
	/* Records of one group and lane with arrival > after, ascending: at most `max`. lane 255: all lanes. */
	int (*scan)(void *ctx, const uint8_t *group, uint8_t lane, uint64_t after, struct vd_arrival *out, size_t max, size_t *n);
	/* Of one lane's the arrival numbers alone, which takes no reading of records: one may be gone. */
	int (*numbers)(void *ctx, const uint8_t *group, uint8_t lane, uint64_t after, uint64_t *out, size_t max, size_t *n);
	/* Records with arrival > after whose body is wanted, ascending: at most `max`. */
	int (*wanted)(void *ctx, const uint8_t *group, uint8_t lane, uint64_t after, struct vd_arrival *out, size_t max, size_t *n);
	/* As vd_chain_port. */
	bool (*vouched)(void *ctx, const struct vd_record *);
	/* vd_chain_check of all the planned checks of a batch, by as many threads as there are to be had. NULL: the caller does them. */
	void (*check)(void *ctx, struct vd_batch *, size_t checks);
	/* The receipts that are kept, of devices with a role, and can be believed. NULL: none ever are, and sessions say nothing of them. */
	int (*told)(void *ctx, struct vd_group *group, struct vd_told_list *out);
	/* Appends that device's. VD_ENOTFOUND. */
	int (*receipt)(void *ctx, const uint8_t *group, const uint8_t device[VD_KEY_BYTES], struct vd_buf *out);
};

#endif
