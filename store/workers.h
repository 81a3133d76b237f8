/* Workers: threads that share out the parts of one calculation, as many as there are processors. Who asks works along, so without
 * any thread everything still gets done. Safe to use from several threads at once: parts of whoever asked first go first. */
#ifndef VD_WORKERS_H
#define VD_WORKERS_H

#include <stddef.h>

struct vd_workers;

enum { VD_WORKERS_MAX = 8 };

/* Starts up to `threads` beside the asking one; fewer, or none, where the system gives no more. They block every signal. NULL: no memory. */
struct vd_workers *vd_workers_new(size_t threads);
/* One less than there are processors for this process, at most VD_WORKERS_MAX. */
size_t vd_workers_useful(void);
/* Waits for nothing but what runs: nobody may be in vd_workers_do. NULL is fine. */
void vd_workers_free(struct vd_workers *);
size_t vd_workers_count(const struct vd_workers *); /* threads that run; 0 for NULL */
/* Calls work(ctx, from, to) for parts of `part`, the last one perhaps less, that make up [0, n), on any of the threads, several at a time; returns when all
 * are done. workers NULL: all here. */
void vd_workers_do(struct vd_workers *, size_t n, size_t part, void (*work)(void *ctx, size_t from, size_t to), void *ctx);

/* The same in two steps, for who has something else to do meanwhile: *job (work, ctx, n and part; the rest zero) stays put from the one to the
 * other. Without threads all is done in the second. */
struct vd_job {
	void (*work)(void *ctx, size_t from, size_t to);
	void *ctx;
	size_t n, part;
	size_t next, done;        /* given out; done */
	struct vd_job *later;
};
void vd_workers_begin(struct vd_workers *, struct vd_job *);
void vd_workers_finish(struct vd_workers *, struct vd_job *);

/* Tests: so many threads more are started, then the system gives none. Negative: as many as it likes. */
extern int vd_workers_test_threads;

#endif
