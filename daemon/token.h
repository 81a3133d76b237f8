/* Token: a key file on a removable medium, so that a machine starts without anyone there, and is locked when somebody pulls the medium.
 *
 * A store that was opened by other means is locked as well when a token that opens one of its slots, once seen, is pulled.
 *
 * What counts as pulled: the file is not there, cannot be read, holds other bytes; or the device under it is gone although the mount still shows the file. */
#ifndef VD_TOKEN_H
#define VD_TOKEN_H

#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <uv.h>

#include "proto/bytes.h"
#include "proto/limits.h"

enum {
	VD_TOKEN_LOOK_MS = 500,  /* how often it is looked at, besides what inotify tells */
	VD_TOKEN_PATIENCE_MS = 300, /* for goodbyes and a running commit when it was pulled; then the process is locked as it is */
};

/* What was read, to know it again. */
struct vd_token_mark {
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec written, changed;
	uint8_t hash[VD_HASH_BYTES];
	bool block;              /* it is on a device that /sys shows */
};

/* Appends its bytes to *out, which the caller wipes. VD_ENOTFOUND; VD_EFORMAT: of no size that a key file has, or no file; VD_EIO, VD_EDENIED, VD_ENOMEM. */
int vd_token_read(const char *path, struct vd_buf *out, struct vd_token_mark *);

/* Looks after it on a thread of its own: the loop may be busy. When it is gone `pulled` runs on the loop's thread, once; and if this process is not another one
 * VD_TOKEN_PATIENCE_MS later, vd_panic_lock. */
struct vd_token_guard {
	uv_async_t async;
	void (*pulled)(void *ctx);
	void *ctx;
	const char *path;
	struct vd_token_mark mark;
	pthread_t thread;
	int stop;                /* an eventfd */
	bool runs, gone;
};
/* Borrows path. VD_ENOMEM, VD_EIO: nothing looks after it. */
int vd_token_guard_start(struct vd_token_guard *, uv_loop_t *, const char *path, const struct vd_token_mark *, void (*pulled)(void *), void *ctx);
/* Fine when it does not run. One that told that it is gone goes on for those VD_TOKEN_PATIENCE_MS. The loop must run once more. */
void vd_token_guard_stop(struct vd_token_guard *);

#endif
