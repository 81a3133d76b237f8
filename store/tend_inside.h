/* What vd_tend (tend.h) does group by group: bodies that go, and keys that are handed over. Inside the store only. */
#ifndef VD_TEND_INSIDE_H
#define VD_TEND_INSIDE_H

#include "inside.h"

/* --- letgo.c --- */

/* Bodies that go in one transaction, from what was read in one snapshot. */
struct vd_letting {
	struct vd_write *write;
	struct vd_group *group;        /* ours, to open them */
	const struct vd_membership *in;
	struct vd_arrivals unopened;   /* what their bodies said cannot be told now */
	struct vd_buf body;
};
/* The body goes, if it is here (then *bodies counts it), and is not wanted for that reason from now on. */
int vd_let_go(struct vd_letting *, const struct vd_stored *, const struct vd_record *, uint8_t why, uint64_t *bodies);
/* After the last one. */
int vd_let_go_end(struct vd_letting *, MDB_txn *);
void vd_letting_deinit(struct vd_letting *);

/* --- expire.c --- */

/* Does its author say until when its body is needed? Neither acts nor redactions nor keys expire; nor what was to end before it was written, by a clock that
 * had gone back. */
bool vd_may_expire(const struct vd_record *);
/* Bodies of this group whose day, and a week, is over go. Looks once a day; else, and while this thread writes, does nothing. Adds to *out. */
int vd_tend_expired(struct vd_store *, const uint8_t group[VD_GROUP_BYTES], uint64_t now_ms, struct vd_tended *out);

/* --- prune.c --- */

/* Once a day: wants back what was pruned and too few others keep any more; and where the medium is nearly full lets go of what they do keep
 * (prune.h). The latter also when the reserve is reached, and hourly while it is. Adds to *out. */
int vd_tend_space(struct vd_store *, struct vd_group *, uint64_t now_ms, struct vd_tended *out);

/* --- redact.c --- */

/* Bodies of this group that were redacted long enough ago go; those whose redaction holds no more are wanted again. Looks once a day, when
 * one is due, and when control records came; else, and while this thread writes, does nothing. Adds to *out. */
int vd_tend_bodies(struct vd_store *, const uint8_t group[VD_GROUP_BYTES], uint64_t now_ms, struct vd_tended *out);

/* --- handed.c: keys of epochs that no coordinator has, PROTOCOL.md section 6 --- */

/* A member hands over those that are wanted and were not handed over yet, and counts them in *handed; a coordinator's group learns what
 * others handed over. Catches the index up, and does nothing while this thread writes, when there is something to look for. */
int vd_handed_tend(struct vd_store *, struct vd_group *, uint64_t now_ms, size_t *handed);

#endif
