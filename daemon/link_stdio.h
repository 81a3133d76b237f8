/* stdio: one session after the other over a pair of descriptors, or over the pipe to a program such as ssh. */
#ifndef VD_LINK_STDIO_H
#define VD_LINK_STDIO_H

#include "link_tcp.h"

enum {
	VD_STDIO_FIRST_MS = 60000,      /* for the other end of a pipe to say its first 32 bytes */
	VD_STDIO_PROGRAM_MS = 300000,   /* … where a program leads there, which may ask a person for a password */
	VD_STDIO_WAITS_MS = 10000,      /* … and after which a person is told that nothing came */
	VD_STDIO_PART_MS = 10000,       /* for the program to end, once all is said; then it is told to */
	VD_STDIO_FAILED_MS = 2000,      /* … where that went wrong */
	VD_STDIO_TEXT = 120,            /* bytes of what the other end said that is text */
	VD_STDIO_LINE_MAX = 400,        /* bytes of a line of the program's that is passed on, and so many of them */
	VD_STDIO_LINES_MAX = 100,
};

/* How to get to the other end. */
struct vd_stdio_way {
	const char *const *program;     /* its arguments, the first of which is looked for in PATH; NULL: over … */
	int in, out;                    /* … these two descriptors, which stay the caller's */
	bool (*stopped)(void);          /* does a person want it to end? Asked when a signal came, and each second */
	/* A line that the program said on its standard error, without its end; whatever bytes it has. */
	void (*said)(void *ctx, struct vd_slice line);
	void (*waits)(void *ctx);       /* NULL, or called once when VD_STDIO_WAITS_MS after the program was started nothing came from the other end */
	void *ctx;
};

struct vd_stdio_result {
	uint64_t bytes_out, bytes_in, elapsed_ms; /* until all was said; not until the program ended */
	bool heard;                     /* the other end's first 32 bytes came */
	bool stopped;
	bool no_program;                /* there is none of that name */
	int status;                     /* what the program ended with; -1: by a signal, or there was none */
	char text[VD_STDIO_TEXT + 1];   /* "" unless it began with text, and nobody proved to be of a group: what is there is not vereda */
};

/* `vereda sync --stdio` and ssh://: every group that both ends are in. `results`: of each group in its order; `connected` false and
 * err (in errs, of each group) 0 for one that the other end is not in as far as it shows. Returns as vd_pipe_err says, VD_ENOMEM,
 * VD_ECLOSED, or VD_EIO (no pipe or process to be had). What came is stored in any case. */
int vd_sync_stdio(struct vd_store *, struct vd_group *const *groups, size_t count, const struct vd_stdio_way *,
                  struct vd_sync_result *results, int *errs, struct vd_stdio_result *);

#endif
