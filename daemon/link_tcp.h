/* TCP: the few lines that move a node's bytes. One driver for the daemon's many connections and the command line's one. */
#ifndef VD_LINK_TCP_H
#define VD_LINK_TCP_H

#include "proto/node.h"
#include "store/store.h"

struct vd_sync_result {
	struct vd_session_stats stats;
	uint64_t bytes_out, bytes_in;  /* on the link, handshake included */
	uint64_t elapsed_ms;
	bool connected, complete;      /* complete: but for what either end takes no more of */
	bool refused;                  /* with VD_EAUTHOR, by us: the device there proved to be `peer`, which has no role in the group */
	uint8_t peer[VD_KEY_BYTES];
	struct vd_declined_set apart;  /* whose records were left out, because one of the ends takes no more of them */
	uint64_t over_share;           /* records that came and that this end did not store for it */
	uint64_t later;                /* … and whose body it put off to a later day of their authors' shares (store/shares.h) */
};

/* `vereda sync host:port`: calls once for one group, reconciles, says goodbye. Runs a loop of its own until done; timeout is
 * VD_STALL_MS without progress. VD_EAUTHOR (`refused`), VD_ECLOSED (sent away, silent or went away: result says how far it came),
 * VD_EINVAL (no address), VD_ENOSPACE, VD_EIO. */
int vd_sync_tcp(struct vd_store *, struct vd_group *, const char *host_port, struct vd_sync_result *);

/* Version of libuv in use. */
const char *vd_tcp_engine(void);

#endif
