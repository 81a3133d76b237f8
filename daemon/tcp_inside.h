/* What tcp.c (listening, calling), tcp_link.c (a link's bytes) and tcp_pace.c (whose turn it is) share. */
#ifndef VD_TCP_INSIDE_H
#define VD_TCP_INSIDE_H

#include "accounts.h"
#include "tcp.h"

/* Whose rests are counted apart. */
enum vd_pace { VD_PACE_MEMBERS, VD_PACE_STRANGERS, VD_PACE_KNOCKS, VD_PACES };

struct vd_tcp {
	uv_loop_t *loop;
	struct vd_node *node;
	struct vd_tcp_events events;
	uv_tcp_t listeners[VD_TCP_LISTENERS_MAX];
	size_t listener_count;
	bool waiting[VD_TCP_LISTENERS_MAX]; /* one has knocked there and is not accepted yet, which keeps further ones out */
	uint64_t accepting_ms;         /* so many were accepted since then */
	unsigned accepted;
	uv_timer_t timer;
	struct vd_link *links;         /* newest first */
	size_t count;
	uint64_t numbers;
	struct vd_accounts accounts;   /* of the loop's time */
	struct vd_accounts addresses;  /* the strangers', by address */
	uint64_t rest_until_us[VD_PACES]; /* whoever is heavy owes a rest till then */
	uint64_t turn_ms, turn_us;     /* which of the loop's turns, and what those who took much have had of it */
	uint64_t next_large;           /* the number of the link that was not moved any more for want of time: the next to be */
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
/* Those who had to wait for their turn. */
void vd_tcp_accept_waiting(struct vd_tcp *);
/* Sets the timer to what comes first. */
void vd_tcp_arm(struct vd_tcp *);

/* --- tcp_pace.c --- */

uint64_t vd_tcp_now_us(void);
/* What was done for its member, or one more stranger, since then. Asked: they had said something. */
void vd_link_spent(const struct vd_link *, bool asked, uint64_t began_us);
/* The same, for one who has knocked. */
void vd_tcp_knocked(struct vd_tcp *, uint64_t began_us);
/* Is it to wait, so that others are served? */
bool vd_link_rests(const struct vd_link *);
/* When the next of those who rest may go on; UINT64_MAX: nobody rests. */
uint64_t vd_tcp_rest_ends_us(const struct vd_tcp *);
/* Did its member take enough lately to be served after those who did not, while the turn lasts? */
bool vd_link_is_large(const struct vd_link *);
bool vd_tcp_turn_over(struct vd_tcp *);
/* One more now? False: later. */
bool vd_tcp_may_accept(struct vd_tcp *);
/* One more that was accepted has proved itself: who leaves, if that is too many? */
void vd_link_make_place(struct vd_link *newcomer);

#endif
