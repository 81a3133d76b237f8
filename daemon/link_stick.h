/* Stick: a folder as a passive peer. Reads what is new on it, adds what it lacks. PROTOCOL.md section 7, Stick. */
#ifndef VD_LINK_STICK_H
#define VD_LINK_STICK_H

#include "store/store.h"

struct vd_stick_result {
	uint64_t received, sent;     /* records */
	uint64_t bytes_in, bytes_out;
	uint64_t segments_read, segments_bad, segments_torn, segments_foreign;
	bool read_only;              /* the medium takes no writes: it was only read */
	bool complete, safe_to_remove;
};

/* One visit, for every group of the store. Interruptible at any moment without loss: segments appear whole or not at all.
 * VD_ENOTFOUND: no such folder. VD_ENOSPACE: could not add everything (what was read is kept; safe_to_remove is still set).
 * VD_EDAMAGED: some segments are damaged (their whole chunks were taken). VD_EIO. */
int vd_stick_sync(struct vd_store *, const char *dir, struct vd_stick_result *);

#endif
