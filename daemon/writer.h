/* Writer: the thread that commits what came, so that the loop never waits for the medium. One batch at a time, those of one connection
 * in their order. Time is what is shared out: that of the commit, and of the signatures checked before it.
 *
 * One half of it goes by urgency: the batch with the most urgent record is next. The other half goes to whoever of the members has
 * had least lately, whatever their records claim to be; of those who had as much the most urgent. Every
 * VD_WRITER_TURN-th turn is of that half in any case, and goes to the one of them that has waited longest. So an alert waits for one commit, nobody waits for ever, and a flood of alerts takes half.
 *
 * Whoever lately took much more than somebody else who is there (accounts.h) also leaves the writer at rest after each batch for as
 * long as that took, unless others have something: the others need the time in between to bring and check their next one. So all
 * floods together, by however many connections, leave the rest at least half of the time. */
#ifndef VD_WRITER_H
#define VD_WRITER_H

#include <uv.h>

#include "store/store.h"

struct vd_writer;

enum { VD_WRITER_TURN = 8, VD_WRITER_VERIFY_US = 60 /* that a signature check is taken to cost */ };

/* `done` runs on the loop's thread, once for every batch submitted: rc and what became of it. */
typedef void vd_writer_done(void *ctx, uint32_t conn, int rc, const struct vd_merge *);

/* Borrows loop and store. VD_ENOMEM. */
int vd_writer_start(uv_loop_t *, struct vd_store *, vd_writer_done *, void *ctx, struct vd_writer **out);
/* Borrows group and batch: the batch must stay put until `done`; at most one for each of VD_PEERS_MAX connections at a time (VD_ECAP).
 * who: the member on whose account it goes. */
int vd_writer_submit(struct vd_writer *, uint32_t conn, const uint8_t who[VD_PERSON_BYTES], struct vd_group *, struct vd_batch *);
struct vd_shown;
/* As vd_heard_note, when there is no batch to commit; of what is said about a device meanwhile the last counts. With VD_PEERS_MAX devices waiting it is
 * dropped: the next session says it again. */
void vd_writer_heard(struct vd_writer *, const uint8_t group[VD_GROUP_BYTES], const uint8_t device[VD_KEY_BYTES], const struct vd_shown *);
/* Finishes what was submitted, ends the thread; `done` is not called any more. The loop must run once more before
 * vd_writer_free. */
void vd_writer_stop(struct vd_writer *);
void vd_writer_free(struct vd_writer *); /* NULL is fine */

#endif
