/* What counts of what people wrote, PROTOCOL.md section 6. Inside the store only. */
#ifndef VD_STANDING_H
#define VD_STANDING_H

#include "inside.h"

/* Answers for the records of one reading. Zero but for the store is a good start, and vd_standings_init is quick: what is needed of a
 * group or of a removed author is read when the first such record is asked about. */
struct vd_standings {
	struct vd_store *store;
	MDB_txn *txn;                  /* to read from while the caller has one open; borrowed */
	bool current;                  /* the index has seen everything: what it keeps can be used */
	uint64_t cursor;               /* else: up to where it has */
	struct vd_standing_group *groups;
	size_t group_count;
	struct vd_standing_removed *removed;
	size_t removed_count;
	struct vd_standing_late *late; /* redactions that the index has not seen */
	size_t late_count;
	struct vd_group *last_group;   /* who was asked about last */
	const struct vd_device *last;
	uint8_t last_author[VD_KEY_BYTES];
	struct vd_reading reading;
};
struct vd_judged {
	enum vd_standing standing;
	enum vd_review review;
	struct vd_id redaction;        /* of those that hold the earliest by its author's clock */
	bool redacted;                 /* one holds */
	uint64_t since_ms;             /* by then one that holds was both written and here */
	uint64_t arrival;              /* of the first of them that came */
};
int vd_standings_init(struct vd_standings *, struct vd_store *);
void vd_standings_deinit(struct vd_standings *);
bool vd_is_redaction(const struct vd_record *, struct vd_id *redacted);
/* Neither acts nor redactions can be redacted. */
bool vd_is_redactable(const struct vd_record *);
int vd_standing_of(struct vd_standings *, struct vd_group *, uint64_t arrival, const struct vd_record *, struct vd_judged *out);

/* --- followed.c: which records of a removed author a revocation accepts --- */

/* Adds them to *out. `kept`: what the index keeps may be used, if it fits what the group says; else all are followed. */
int vd_followed(struct vd_store *, MDB_txn *, struct vd_group *, const uint8_t author[VD_KEY_BYTES], bool kept, struct vd_arrivals *out);
/* What the index keeps of a removed author, brought up to date: follows at most *budget records, which it counts down. *more grows true:
 * it was not enough, go on with another transaction. */
int vd_followed_update(struct vd_write *, struct vd_group *, const uint8_t author[VD_KEY_BYTES], size_t *budget, bool *more);
void vd_followed_forget(struct vd_write *, struct vd_group *, const uint8_t author[VD_KEY_BYTES]);
/* Is what is kept what follows from the records? */
int vd_followed_check(struct vd_store *, MDB_txn *, struct vd_group *, const uint8_t author[VD_KEY_BYTES], bool *right);

#endif
