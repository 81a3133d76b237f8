/* Calls: whom to call and when. The peers a person named, and those whose beacons were recognised. A table and its rules; no
 * socket, no clock, no randomness of its own. */
#ifndef VD_CALLS_H
#define VD_CALLS_H

#include "address.h"
#include "proto/limits.h"

#include <stddef.h>

enum {
	VD_CALLS_MAX = 256,
	VD_CALLS_FOUND_OPEN = 8,         /* found by beacon, at once: a handful, never a full mesh */
	VD_CALLS_FIRST_MS = 1000,        /* back-off doubles from here … */
	VD_CALLS_LAST_MS = 60000,        /* … to here */
	VD_CALLS_SPREAD_MS = 200,        /* after a beacon: both ends heard one and one call is enough */
	VD_CALLS_DOUBLE_MS = 600000,     /* its device is connected already: ask again then, or when a session of the group ends */
	VD_CALLS_BUSY_MS = 60000,        /* it has no place for us, or made one for others, or has no role as far as we know: ask
	                                  * again then */
	VD_CALLS_FORGET_MS = 180000,     /* found, and not heard since: three of the slowest beacons */
	VD_CALLS_ROTATE_MS = 600000,     /* found, and open so long: may make room for another */
};

enum vd_call_state { VD_CALL_FREE, VD_CALL_WAITING, VD_CALL_CALLING, VD_CALL_OPEN };

struct vd_call {
	enum vd_call_state state;
	uint8_t group[VD_GROUP_BYTES];
	const char *host_port;           /* named by a person; NULL: found */
	struct sockaddr_storage address; /* found */
	uint8_t epoch[VD_EPOCH_BYTES];   /* found: that its last beacon was made with */
	uint64_t next_ms;                /* waiting: call then */
	uint64_t heard_ms, opened_ms;
	uint32_t wait_ms;                /* the next back-off, before jitter */
	bool doubled;                    /* waiting because its device was connected already */
	bool patient;                    /* a beacon is no reason to call sooner */
	bool refused;                    /* by us: as far as we knew, its device had no role */
};

/* All zero is valid and empty. Calls stay where they are while not FREE. */
struct vd_calls {
	struct vd_call call[VD_CALLS_MAX];
};

/* Idempotent; borrows host_port. Due at once. VD_ECAP. */
int vd_calls_name(struct vd_calls *, const char *host_port, const uint8_t group[VD_GROUP_BYTES], uint64_t now_ms);
/* A recognised beacon, made with that epoch's key. True when that address is new or was silent for long: answer with a beacon of ours. */
bool vd_calls_heard(struct vd_calls *, const struct sockaddr *, const uint8_t group[VD_GROUP_BYTES],
                    const uint8_t epoch[VD_EPOCH_BYTES], uint64_t now_ms, uint32_t random);
/* One to call now, CALLING from here on; NULL when there is none. */
struct vd_call *vd_calls_due(struct vd_calls *, uint64_t now_ms);
uint64_t vd_calls_deadline(const struct vd_calls *);
void vd_calls_opened(struct vd_call *, uint64_t now_ms);
/* It failed or its session ended. err: as the node says, 0 when done. connected: its device is, by another session. */
void vd_calls_ended(struct vd_call *, int err, bool connected, uint64_t now_ms, uint32_t random);
/* A session of the group ended, whoever had called: those that were doubled are worth a call again. */
void vd_calls_free_doubled(struct vd_calls *, const uint8_t group[VD_GROUP_BYTES], uint64_t now_ms, uint32_t random);
/* Control records came, of whatever group: those that were refused may have been admitted. */
void vd_calls_free_refused(struct vd_calls *, uint64_t now_ms, uint32_t random);
/* All that wait are due ("sync now"). */
void vd_calls_hurry(struct vd_calls *, uint64_t now_ms);
/* The longest open found one, when others were heard that find no room; NULL else. */
struct vd_call *vd_calls_rotate(struct vd_calls *, uint64_t now_ms);

#endif
