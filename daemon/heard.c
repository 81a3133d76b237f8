#include "heard.h"

#include <stdio.h>
#include <time.h>

#include "proto/err.h"
#include "store/declines.h"

static uint64_t clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

struct vd_route vd_route_link(const char *where)
{
	struct vd_route out = {.kind = VD_ROUTE_LINK};

	snprintf(out.text, sizeof out.text, "%s", where);
	return out;
}

struct vd_shown vd_shown_of(const struct vd_session_stats *stats, const char *where, const struct vd_declined_set *apart)
{
	struct vd_shown out = {.control_through = stats->control_through, .held = stats->held, .route = vd_route_link(where), .told = apart != NULL};

	if (apart)
		out.apart = *apart;
	return out;
}

static int note_control(struct vd_store *store, const uint8_t *group, const uint8_t *device, uint64_t through)
{
	struct vd_arrival next;
	struct vd_port port;
	uint64_t noted;
	size_t n = 0;

	int rc = vd_store_heard(store, group, device, &noted);
	if (rc == VD_ENOTFOUND)
		noted = 0;
	else if (rc)
		return rc;
	if (through <= noted)
		return 0;
	vd_store_port(store, &port);
	rc = port.scan(port.ctx, group, VD_LANE_CONTROL, noted, &next, 1, &n);
	if (rc || !n || next.arrival > through)
		return rc;
	return vd_store_heard_set(store, group, device, through);
}

static bool is_held(const struct vd_held *held)
{
	uint64_t any = 0;

	for (int lane = 0; lane < VD_LANES; lane++)
		any |= held->through[lane];
	return any != 0;
}

int vd_heard_note(struct vd_store *store, const uint8_t group[VD_GROUP_BYTES], const uint8_t device[VD_KEY_BYTES], const struct vd_shown *shown)
{
	uint64_t now_ms = clock_ms();
	int rc = shown->control_through ? note_control(store, group, device, shown->control_through) : 0;

	if (!rc && is_held(&shown->held))
		rc = vd_custody_met(store, group, device, &shown->held, &shown->route, now_ms);
	return rc || !shown->told ? rc : vd_declines_note(store, group, device, &shown->apart, now_ms);
}

void vd_heard_words(struct vd_store *store, struct vd_group *group, const uint8_t device[VD_KEY_BYTES], const struct vd_words *words,
                    const struct vd_route *route)
{
	(void)vd_custody_heed(store, group, device, words, route, clock_ms(), NULL);
}

void vd_heard_say(struct vd_store *store, struct vd_group *group, struct vd_buf *out)
{
	if (vd_custody_say(store, group, clock_ms(), out))
		vd_buf_reset(out);
}
