/* What exists on this device alone, and whose word is missing: for status and doctor. */
#include <errno.h>
#include <string.h>

#include "findings.h"
#include "proto/err.h"
#include "times.h"
#include "where.h"

enum {
	QUIET_DAYS = 7,        /* a stick goes round in that */
	NAMED = 3,             /* of those who are silent; doctor lists all in the end */
};

static void find_quiet(struct vd_findings *f, const struct vd_look *l, const struct vd_custody *c)
{
	uint64_t now_ms = vd_time_now_ms();
	size_t named = 0;

	for (size_t i = 0; i < vd_group_device_count(l->group) && named < NAMED; i++) {
		const struct vd_device *d = vd_group_device(l->group, i);
		const struct vd_identity *us = vd_group_identity(l->group);
		const struct vd_device *own = us ? vd_group_find(l->group, us->author) : NULL;
		char who[VD_WHO_TEXT];
		uint64_t last;

		if (!vd_first_of_person(l->group, i) || vd_person_role(l->group, d->person, false) == VD_ROLE_NONE ||
		    (own && !memcmp(own->person, d->person, VD_PERSON_BYTES)))
			continue;
		last = vd_last_word(f->cli, l->group, c, d->person, NULL);
		/* Who was never heard of is told of elsewhere, and a clock that was wrong tells nothing. */
		if (!last || last > now_ms || now_ms - last < QUIET_DAYS * VD_DAY_MS)
			continue;
		named++;
		vd_who_person(l->group, d->person, who);
		vd_finding(f, "quiet", "note", VD_MSG_WARN_SILENT_ONE, VD_MSG_NEXT_SILENT_ONE, who, vd_num(f->cli, (now_ms - last) / VD_DAY_MS), NULL);
	}
}

static void find_clock_of(void *f, const char *name, const char *time)
{
	vd_finding(f, "clock-of", "note", VD_MSG_WHERE_CLOCK, VD_MSG_NONE, name, time, NULL);
}

void vd_find_custody(struct vd_findings *f, const struct vd_look *l, const char *name)
{
	struct vd_missing missing = { .unsure = false };
	struct vd_custody *c;
	uint64_t records = 0;
	int rc;

	/* What cannot be told quickly is told another time. */
	if (!vd_custody_ready(f->cli->store, vd_time_now_ms()))
		return;
	rc = vd_custody_open(f->cli->store, l->group, &c);
	if (rc == VD_ENOMEM)
		f->cli->out_error = ENOMEM;
	if (rc)
		return;
	rc = vd_custody_count(c) ? vd_custody_missing(c, NULL, &missing, NULL, NULL) : VD_OK;
	if (rc == VD_ENOMEM)
		f->cli->out_error = ENOMEM;
	for (int lane = 0; lane < VD_LANES && !rc; lane++)
		records += missing.records[lane];
	if (records)
		vd_finding(f, "only-here", "note", records == 1 ? VD_MSG_WARN_ONLY_HERE_ONE : VD_MSG_WARN_ONLY_HERE, VD_MSG_NEXT_ONLY_HERE,
		           vd_num(f->cli, records), name, NULL);
	if (records)
		vd_clocks_ahead(f->cli, l->group, c, NULL, find_clock_of, f);
	find_quiet(f, l, c);
	vd_custody_close(c);
}
