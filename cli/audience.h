/* To whom a record goes: --to and --keep, what stands when nothing is said, and what a role forbids. */
#ifndef VD_AUDIENCE_H
#define VD_AUDIENCE_H

#include "cli.h"

struct vd_to {
	enum vd_audience audience;
	uint8_t devices[VD_NAMED_SLOTS][VD_KEY_BYTES];
	size_t count;               /* NAMED: 1 to VD_NAMED_SLOTS */
	uint8_t persons[VD_NAMED_SLOTS][VD_PERSON_BYTES]; /* whom --to named, ascending */
	size_t person_count;
	bool focal;                 /* the focal points, because a reporter said nothing else */
	size_t left_out;            /* devices of focal points that found no place */
	bool kept;                  /* one of the devices is the author's own */
};

/* Fills *out from the options. Nothing has been written when it refuses: 0, or an exit code. */
int vd_cli_to(struct vd_cli *, struct vd_group *, struct vd_to *out);
/* A reporter's focal points, with its own devices if `keep`. */
int vd_cli_to_focal(struct vd_cli *, struct vd_group *, bool keep, struct vd_to *out);
/* `to` must outlive the draft. */
void vd_to_draft(const struct vd_to *, struct vd_draft *);
const char *vd_audience_word(enum vd_audience);

/* Said once it is stored: who alone reads it, and who may besides. */
void vd_cli_to_note(struct vd_cli *, struct vd_group *, const struct vd_to *);

/* A redaction is written by redact alone: 0 for other kinds. */
int vd_cli_kind_by_hand(struct vd_cli *, const char *kind);

#endif
