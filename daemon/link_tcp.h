/* TCP: the few lines that move a node's bytes. One driver for the daemon's many connections and the command line's one. */
#ifndef VD_LINK_TCP_H
#define VD_LINK_TCP_H

#include "proto/node.h"
#include "store/store.h"

struct vd_sync_result {
	struct vd_session_stats stats;
	uint64_t bytes_out, bytes_in;  /* on the link, handshake included */
	uint64_t elapsed_ms;
	bool connected, complete;
	bool refused;                  /* with VD_EAUTHOR, by us: the device there proved to be `peer`, which has no role in the group */
	uint8_t peer[VD_KEY_BYTES];
};

/* `vereda sync host:port`: calls once for one group, reconciles, says goodbye. Runs a loop of its own until done; timeout is
 * VD_STALL_MS without progress. VD_EAUTHOR (`refused`), VD_ECLOSED (sent away, silent or went away: result says how far it came),
 * VD_EINVAL (no address), VD_ENOSPACE, VD_EIO. */
int vd_sync_tcp(struct vd_store *, struct vd_group *, const char *host_port, struct vd_sync_result *);

/* Version of libuv in use. */
const char *vd_tcp_engine(void);

#endif
