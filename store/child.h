/* A disposable child that works on foreign bytes: forked with one file and one socket to us and nothing else, it can read the one, talk over the other, and
 * end. Whatever a damaged or forged file makes of it, only it is lost, and what it says is looked at like anything a stranger says. */
#ifndef VD_CHILD_H
#define VD_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { VD_CHILD_PATIENCE_S = 30 }; /* one that lets us wait longer hangs */

struct vd_child {
	pid_t pid;      /* 0: none */
	int socket;
};

/* Runs in the child, which ends when it returns. It is a copy of a process that may have had other threads: no lock, no stdio, no store; memory as far as
 * the heap has some. Talks by read() and write(); our end going away ends it. */
typedef void vd_child_work(void *ctx, int file, int socket);

/* `forget` (may be NULL) runs first, with `ctx`: it wipes what secrets the child's copy of us need not have. `cpu_seconds`: what it may use. VD_ENOMEM: no
 * process or descriptor to be had. The file stays ours. */
int vd_child_start(struct vd_child *, vd_child_work *, void (*forget)(void *ctx), void *ctx, int file, unsigned cpu_seconds);
/* False: it is gone. Never blocks: what is on its way to a child at one time must be less than some hundred bytes. */
bool vd_child_tell(struct vd_child *, const void *, size_t);
/* All n bytes, or false: it is gone, or has kept us waiting for VD_CHILD_PATIENCE_S in all. */
bool vd_child_hear(struct vd_child *, void *, size_t);
/* Kills and reaps. Fine without one. */
void vd_child_end(struct vd_child *);

/* Is there seccomp here to wall it in? */
bool vd_child_wall_stands(void);
/* For every program of ours, when it starts: no core dump, and no other process of this user may look into its memory. */
bool vd_process_private(void);
/* Does something run us that needs system calls of its own: a sanitizer, valgrind? Then there is no seccomp and no bound on memory. */
bool vd_child_watched(void);

/* Tests: seconds of patience; what the child does before it gives its answer number `count`; and what it makes of it. */
struct vd_child_test {
	unsigned patience_s;
	void (*before_answer)(unsigned count, int socket);
	void (*spoil)(unsigned count, void *head, size_t head_bytes, void *body, size_t body_bytes);
};
extern struct vd_child_test vd_child_test;

#endif
