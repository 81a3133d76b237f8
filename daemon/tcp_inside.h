/* What tcp.c (listening, calling) and tcp_link.c (a link's bytes) share. */
#ifndef VD_TCP_INSIDE_H
#define VD_TCP_INSIDE_H

#include "tcp.h"

struct vd_tcp {
	uv_loop_t *loop;
	struct vd_node *node;
	struct vd_tcp_events events;
	uv_tcp_t listeners[VD_TCP_LISTENERS_MAX];
	size_t listener_count;
	uv_timer_t timer;
	struct vd_link *links;         /* newest first */
	size_t count;
	uint64_t numbers;
	bool stopping, pumping;
	char input[VD_TCP_READ_BYTES]; /* libuv fills it and hands it back at once: one is enough */
};

/* NULL: no memory. */
struct vd_link *vd_link_new(struct vd_tcp *, bool outgoing);
/* The socket goes now; vd_tcp_pump tells `closed` and frees it, once no callback and no commit can come back to it. */
void vd_link_close(struct vd_link *, int err);
/* And its place in the node is free at once. Its peer is told that we are busy, as far as that goes out at once. Not while a
 * batch of its is being committed, or waits for it. */
void vd_link_drop(struct vd_link *, int err);
/* The one at rest for longest of those accepted or called, apart from `but`; NULL when none is. */
struct vd_link *vd_link_longest_settled(struct vd_tcp *, bool outgoing, const struct vd_link *but);
/* Of its socket. While it is still to be connected the next address is tried. */
void vd_link_handle_closed(uv_handle_t *);
/* The next address of a call, or the same once more. */
void vd_link_call_next(struct vd_link *);
void vd_link_call_again(struct vd_link *);
/* Sets the timer to what comes first. */
void vd_tcp_arm(struct vd_tcp *);

#endif
