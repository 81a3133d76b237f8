/* Whether the store's disk takes what is written. */
#ifndef VD_DISK_H
#define VD_DISK_H

#include "store/store.h"

/* Zeros: all is well. */
struct vd_disk {
	int err;           /* VD_ENOSPACE: it is full; VD_EIO, VD_EDENIED: it refuses. What arrives is not taken until it does again */
	uint64_t since_ms; /* Unix time of the last change */
	bool damaged;      /* records could not be handed on: vd_store_unread */
};

/* After something was written, or not; VD_ENOSPACE also when nobody wrote. Logged once each time that it changes. */
void vd_disk_note(struct vd_disk *, int rc);
/* What could not be read of the store is told. A disk that others fill is noticed before somebody sends us something, and so is that they made room. */
void vd_disk_look(struct vd_disk *, struct vd_store *);

#endif
