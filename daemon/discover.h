/* Discovery: beacons on the interfaces named, and on no other. PROTOCOL.md section 10. One goes out from every address of the
 * interface, in a quick burst after start, after a change of addresses and in answer to a newcomer, then ever more rarely. */
#ifndef VD_DISCOVER_H
#define VD_DISCOVER_H

#include <net/if.h>
#include <uv.h>

#include "proto/beacon.h"
#include "proto/group.h"

struct vd_discover;

enum {
	VD_DISCOVER_FIRST_MS = 5000,    /* between beacons, doubling … */
	VD_DISCOVER_LAST_MS = 60000,    /* … to here, jittered */
	VD_DISCOVER_SCAN_MS = 5000,     /* interfaces come and go */
	VD_DISCOVER_ANSWER_MS = 2000,   /* at most one answer in this time */
	VD_DISCOVER_KEYS_MAX = 256,     /* link keys listened for: all epochs of all groups, the current ones first */
	VD_DISCOVER_MACS = 32768,       /* computed in a second at most, whatever comes: a few hundredths of it */
	VD_DISCOVER_ADDRESSES = 16,     /* of one interface */
};

struct vd_discover_events {
	void *ctx;
	/* A beacon of a group of ours: `address` has the TCP port to call, `epoch` is whose key it was made with. */
	void (*heard)(void *ctx, const struct sockaddr *address, const uint8_t group[VD_GROUP_BYTES],
	              const uint8_t epoch[VD_EPOCH_BYTES]);
	/* The TCP port that accepts connections to this address of ours; 0: none does. */
	uint16_t (*port)(void *ctx, const struct sockaddr *source);
};

/* VD_ENOMEM. An interface that is not there yet is waited for. */
int vd_discover_open(uv_loop_t *, const char (*interfaces)[IF_NAMESIZE], size_t count, const struct vd_discover_events *,
                     struct vd_discover **out);
/* Copies the link keys; nothing is sent before it was told of one. */
void vd_discover_keys(struct vd_discover *, struct vd_group *const *groups, size_t count);
/* A beacon soon: a newcomer was heard, or a person asked. */
void vd_discover_soon(struct vd_discover *);
void vd_discover_close(struct vd_discover *);
/* After close and a last run of the loop. NULL is fine. */
void vd_discover_free(struct vd_discover *);

#endif
