/* A line on the terminal while files are read: how many records, how fast, and how much time that leaves. */
#ifndef VD_WATCH_H
#define VD_WATCH_H

#include "cli.h"
#include "store/bundle.h"

struct vd_watch {
	struct vd_bundle_watch watch;
	struct vd_cli *cli;
	uint64_t start_ms, shown_ms;
};

/* NULL: nobody looks (no terminal, --json, --quiet). Valid as long as *w. */
const struct vd_bundle_watch *vd_watch_begin(struct vd_watch *w, struct vd_cli *);
/* The line goes. */
void vd_watch_end(struct vd_watch *);

#endif
