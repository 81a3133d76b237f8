/* What a person sees while much is read. */
#include <stdio.h>
#include <unistd.h>

#include "times.h"
#include "watch.h"

enum { FIRST_MS = 1000, EACH_MS = 200 };

static void tell(void *ctx, uint64_t done, uint64_t all, uint64_t records)
{
	struct vd_watch *w = ctx;
	uint64_t now_ms = vd_time_steady_ms(), took_ms = now_ms - w->start_ms, left_s;
	char left[32];

	if (took_ms < FIRST_MS || now_ms < w->shown_ms + EACH_MS || !done)
		return;
	w->shown_ms = now_ms;
	left_s = (uint64_t)((double)took_ms / 1000 * (double)(all > done ? all - done : 0) / (double)done);
	snprintf(left, sizeof(left), "%u:%02u", (unsigned)(left_s / 60), (unsigned)(left_s % 60));
	vd_progress(w->cli, VD_MSG_PROGRESS_RECORDS, vd_num(w->cli, records), vd_num(w->cli, records * 1000 / took_ms), left, NULL);
}

const struct vd_bundle_watch *vd_watch_begin(struct vd_watch *w, struct vd_cli *cli)
{
	*w = (struct vd_watch){ .watch = { tell, w }, .cli = cli, .start_ms = vd_time_steady_ms() };
	return cli->opt.json || cli->opt.quiet || !isatty(STDERR_FILENO) ? NULL : &w->watch;
}

void vd_watch_end(struct vd_watch *w)
{
	if (w->shown_ms)
		vd_progress(w->cli, VD_MSG_NONE, NULL);
}
