/* Writer: the thread that commits what came, so that the loop never waits for the medium. One batch at a time, the one with the
 * most urgent record first, those of one connection in their order. No batch waits for ever: every VD_WRITER_TURN-th commit is
 * of the one that has waited longest. */
#ifndef VD_WRITER_H
#define VD_WRITER_H

#include <uv.h>

#include "store/store.h"

struct vd_writer;

enum { VD_WRITER_TURN = 8 };

/* `done` runs on the loop's thread, once for every batch submitted: rc and what became of it. */
typedef void vd_writer_done(void *ctx, uint32_t conn, int rc, const struct vd_merge *);

/* Borrows loop and store. VD_ENOMEM. */
int vd_writer_start(uv_loop_t *, struct vd_store *, vd_writer_done *, void *ctx, struct vd_writer **out);
/* Borrows both: the batch must stay put until `done`; at most one for each of VD_PEERS_MAX connections at a time (VD_ECAP). */
int vd_writer_submit(struct vd_writer *, uint32_t conn, struct vd_group *, struct vd_batch *);
/* As vd_heard_note, when there is no batch to commit; of what is said about a device meanwhile the furthest counts. With VD_PEERS_MAX devices waiting it is
 * dropped: the next session says it again. */
void vd_writer_heard(struct vd_writer *, const uint8_t group[VD_GROUP_BYTES], const uint8_t device[VD_KEY_BYTES], uint64_t through);
/* Finishes what was submitted, ends the thread; `done` is not called any more. The loop must run once more before
 * vd_writer_free. */
void vd_writer_stop(struct vd_writer *);
void vd_writer_free(struct vd_writer *); /* NULL is fine */

#endif
