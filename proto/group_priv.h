/* What the group*.c files share. Nobody else includes this; group.h is the contract. */
#ifndef VD_GROUP_PRIV_H
#define VD_GROUP_PRIV_H

#include "group.h"
#include "hash.h"

enum {
	VD_NAME_AD_MAX = 11 + VD_GROUP_BYTES,
	/* A sealed name: packing, length and text in buckets of 32 inside their envelope. */
	VD_SEALED_NAME_MAX = VD_BODY_PREFIX_BYTES + 96 + VD_BODY_MAC_BYTES,
	VD_COMMITS_BYTES = VD_EPOCH_KEYS * VD_HASH_BYTES,
	VD_EPOCH_PLAIN_BYTES = 1 + VD_EPOCH_KEYS * VD_KEY_BYTES,
	VD_SEALED_BOX_BYTES = 48 + VD_EPOCH_PLAIN_BYTES,
	VD_EPOCH_ENTRY_BYTES = VD_KEY_BYTES + VD_SEALED_BOX_BYTES,
	VD_PAST_WORDS = 4, /* past is asked of 256 records in one pass over the set */
	VD_PAST_BATCH = 64 * VD_PAST_WORDS,
};

/* ---- control records as read: group_control.c ---- */

enum vd_control_kind {
	VD_CONTROL_GROUP, VD_CONTROL_GRANT, VD_CONTROL_EPOCH, VD_CONTROL_REVOKE, VD_CONTROL_REVIEW, VD_CONTROL_APPROVE,
	VD_CONTROL_NEWER /* of a later version: carried */
};

/* Borrows from the record. */
struct vd_control {
	enum vd_control_kind kind;
	bool good;               /* every field of its kind complete and right; else it is in the set and does nothing */
	bool founding;           /* group: its salt and author are what the group id was made of */
	struct vd_value seen;    /* no elements unless right */
	const uint8_t *box, *person, *salt, *device, *proof;
	enum vd_role role;
	uint32_t flags;
	struct vd_slice name;    /* sealed; of a revoke its reason */
	const uint8_t *commits, *of;
	struct vd_value keys;
	struct vd_value devices, heads[VD_LANES]; /* revoke; its person may be NULL */
	const uint8_t *about;
	bool accept;             /* review: the verdict */
};

/* VD_EFORMAT: a stub, or no canonical content of one of the six kinds. */
int vd_control_decode(const struct vd_record *, struct vd_control *out);

/* ---- the set and its state: group.c, group_state.c ---- */

/* Finds elements of an array that begin with 32 bytes nobody can choose freely (an id, a public key). */
struct vd_table {
	uint32_t *slots; /* element + 1; 0 is free */
	size_t capacity, count;
};

/* A control record that another one names. */
struct vd_group_ref {
	struct vd_id id;
	uint32_t at; /* its place in records, VD_NOWHERE while it is not here */
};

#define VD_NOWHERE UINT32_MAX

/* What a founding, a grant or a naming says. */
struct vd_statement {
	uint32_t device; /* place in devices; VD_NOWHERE for the group's name */
	uint8_t box[VD_KEY_BYTES];
	uint8_t person[VD_PERSON_BYTES];
	uint8_t proof[VD_SIGNATURE_BYTES]; /* of a grant */
	enum vd_role role;
	uint32_t flags;
	size_t name_bytes;
	uint8_t name[];  /* sealed */
};

/* An entry of an epoch record, as far as it is looked at again. */
struct vd_sealed {
	uint8_t author[VD_KEY_BYTES];
	uint8_t begin[8]; /* of its box: who has the keys can tell which of them are in it */
};

/* The epoch a record begins or, with `continues`, seals to more devices. */
struct vd_epoch_part {
	uint8_t commits[VD_COMMITS_BYTES];
	bool continues;
	uint8_t of[VD_EPOCH_BYTES];
	uint8_t mask;    /* keys we have: bit i is key i */
	struct vd_epoch_keys keys;
	bool unclean;    /* computed, of one that begins: a part that counts is sealed to a device without a role */
	uint32_t sealed_count;
	struct vd_sealed sealed[];
};

/* Whom a revocation removes, what it accepts, and why. */
struct vd_revocation {
	uint32_t device_count;
	const uint8_t *devices;         /* author keys, one after the other */
	bool whole;                     /* the member, not the devices alone */
	uint8_t person[VD_PERSON_BYTES];
	uint32_t head_count[VD_LANES];
	const uint8_t *heads[VD_LANES]; /* ids, one after the other */
	struct vd_slice reason;         /* sealed */
	bool decided, holds;            /* computed: looked at; joined those that count */
	bool strong;                    /* it was backed when it was decided */
	bool founders;                  /* … or the founder had approved it */
	bool approvable, secondable;    /* another voice's approve is about it; the founder's is */
	uint8_t bytes[];                /* what the above point into */
};

/* A review or an approve. */
struct vd_opinion {
	struct vd_id about;
	bool accept;
	bool voices;     /* computed, approve: its author and that of the act it is about are two voices */
	bool founders;   /* computed, approve: by the founder */
	uint32_t at;     /* computed, approve: that act, VD_NOWHERE while it is not here */
};

struct vd_group_record {
	struct vd_id id; /* first: the table's key */
	uint64_t time_ms, seq;
	uint32_t by;     /* its author, in devices */
	uint8_t kind;    /* enum vd_control_kind */
	bool effect;     /* an act: complete and right */
	bool has_prev;   /* refs[0] is prev */
	bool founding;
	bool named;      /* by another: no head */
	uint32_t depth;  /* 0: not computed */
	uint32_t place;  /* in control order */
	uint32_t cursor; /* next reference to follow, while depths are being computed */
	uint32_t ref_count;
	struct vd_group_ref *refs;
	struct vd_statement *statement;   /* of a founding, grant or naming with an effect */
	struct vd_epoch_part *epoch;      /* of an epoch or revoke with an effect */
	struct vd_revocation *revocation; /* of a revoke with an effect */
	struct vd_opinion *opinion;       /* of a review or approve with an effect */
	/* Computed: group_judge.c. */
	bool accepted;   /* a revocation that holds accepts it */
	bool backed;     /* an approve by another voice counts */
	bool seconded;   /* one by the founder does */
	bool fallen;     /* grant: a revocation that holds is against it, whoever approves it … */
	bool contested;  /* … or unless it is backed, or the founder approved it */
	bool outvoted;   /* … or unless it is backed */
	bool taken;      /* grant of coordinator: counts, as far as computed */
	bool counts, stands;
	uint32_t approvals;
};

/* Some of an array's places. */
struct vd_range {
	uint32_t start, count;
};

struct vd_group_device {
	struct vd_device shown; /* its author key first: the table's key */
	uint8_t proof[VD_SIGNATURE_BYTES]; /* the card that was checked last is shown.author, proved_box, proof */
	uint8_t proved_box[VD_KEY_BYTES];
	struct vd_id *accepted[VD_LANES];  /* answers given since the last add, when one revocation's own list does not do */
	size_t accepted_count[VD_LANES];
	/* Computed. */
	uint32_t first, held, named;  /* records: first grant; the one that gives name and flags; the one that names the person */
	struct vd_range grants;       /* of it: in grants_of. While judging, those not fallen come first: `live` */
	uint32_t live;
	struct vd_range acts;         /* by it: in acts_by, those that others' standing may hang on */
	uint32_t rank, tree, senior;  /* rank; record of the tree grant; place among the coordinators, 0 the founder. Else VD_NOWHERE */
	uint32_t number;              /* in doms */
	uint32_t cursor;
	bool taken, standing;         /* a grant of coordinator counts; one stands */
	uint32_t support;             /* the record by which it was found to stand */
	bool has_accepted;            /* an act of its is accepted */
	uint64_t has[VD_PAST_WORDS];  /* bit i: the i-th of the epochs asked about is sealed to it, with what its role gets */
	uint32_t revoke;              /* record: the last revocation that holds and removes it */
};

/* Control order: depth, then id. */
struct vd_place {
	uint32_t depth;
	struct vd_id id;
	uint32_t at;
};

/* Something to sort records by. */
struct vd_label {
	uint8_t key[VD_PERSON_BYTES];
	uint32_t at;
	uint32_t last; /* of the first with a person: the last revocation that holds and removes it */
};

/* A coordinator in the graph of who made whom one, by depth-first number: group_tree.c. */
struct vd_dom {
	uint32_t device, parent, semi, best, ancestor, bucket, next;
	uint32_t above;       /* the nearest without whom it would be none */
	uint32_t line;        /* the farthest such but the founder; itself when there is none */
	uint32_t enter, size; /* all those below it are at enter … enter + size - 1 */
	uint32_t given;
};

struct vd_group {
	uint8_t id[VD_GROUP_BYTES];
	bool has_identity, has_salt;
	struct vd_identity identity;
	uint8_t salt[VD_SALT_BYTES];
	uint64_t generation;

	struct vd_group_record *records;
	size_t record_count, record_capacity;
	struct vd_table by_id;
	struct vd_group_device *devices; /* by arrival */
	size_t device_count, device_capacity;
	struct vd_table by_author;

	/* Computed from the above when asked for. Room for it is made when records are added, so that asking cannot fail. */
	bool fresh;
	bool supposing;           /* the last record is not in the set: what if it were, after all others? */
	/* record_capacity each */
	uint32_t *stack;
	struct vd_place *places;  /* control order */
	uint64_t *keys;
	uint64_t (*past)[VD_PAST_WORDS];
	uint32_t *grants_of, *acts_by, *reviews; /* reviews: that count, by what they are about, then control order */
	uint32_t *revocations;    /* the strongest author's first */
	uint32_t *approvable;     /* of them */
	uint32_t *secondable;     /* of them, in control order */
	uint32_t *batch;          /* whose descendants `past` knows now: VD_PAST_BATCH at most */
	struct vd_label *labels;  /* grants by person */
	struct vd_act *acts;
	/* device_capacity each */
	struct vd_place *order;   /* devices in control order */
	struct vd_dom *doms;
	uint32_t *lacks;          /* devices with a role that the epoch to write with is not sealed to, in their order */

	size_t revocation_count, approvable_count, secondable_count, batch_count, grant_count, review_count, dom_count, lack_count;
	uint32_t founding;        /* record; VD_NOWHERE */
	struct vd_place *epochs;  /* those we have, the one to write with first, then the newest first; epoch_capacity */
	size_t epoch_starts, epoch_capacity, epoch_count;
	uint32_t current;         /* record of the epoch to write with; VD_NOWHERE */
	bool clean;
	uint32_t name_held;       /* record; VD_NOWHERE */
	char name[VD_NAME_MAX + 1];
};

/* The element whose first n bytes (8 or 32) are `key`'s, or VD_NOWHERE. */
uint32_t vd_table_find(const struct vd_table *, const void *base, size_t stride, const uint8_t *key);
struct vd_group_device *vd_group_entry(struct vd_group *, const uint8_t author[VD_KEY_BYTES]);
/* Brings the computed part up to date. */
void vd_group_refresh(struct vd_group *);
int vd_place_cmp(const struct vd_place *, const struct vd_place *);
int vd_label_cmp(const void *, const void *);
int vd_key_cmp(const void *, const void *); /* of two uint64_t */

/* ---- who made whom a coordinator: group_tree.c ---- */

/* Rank, seniority and lines of all coordinators. Needs grants_of and acts_by. */
void vd_group_tree(struct vd_group *);
/* Do these two speak with two voices? */
bool vd_group_two_voices(const struct vd_group *, uint32_t a, uint32_t b);

/* ---- which acts count: group_judge.c, after vd_group_tree ---- */

void vd_group_judge(struct vd_group *);
bool vd_revocation_lists(const struct vd_revocation *, const uint8_t author[VD_KEY_BYTES]);
/* Lists it, or removes the member that one of its grants says it belongs to. */
bool vd_revocation_removes(const struct vd_group *, const struct vd_revocation *, uint32_t device);
/* The first of the labels with that person, VD_NOWHERE. */
uint32_t vd_group_labelled(const struct vd_group *, const uint8_t person[VD_PERSON_BYTES]);

/* ---- what they make: group_view.c, after vd_group_judge ---- */

void vd_group_roles(struct vd_group *);   /* of every device */
void vd_group_list_acts(struct vd_group *);
/* Which epochs there are, and the one to write with: group_epoch.c, after the roles. */
void vd_group_epochs(struct vd_group *);
/* Judges as if a record of ours with this revocation were in the set, after all others: the roles there would be are in `shown` until the next
 * refresh, which is due. */
void vd_group_suppose(struct vd_group *, struct vd_revocation *);

/* ---- keys: group_keys.c ---- */

/* Opens what `keys` seals to us into part->keys and part->mask. */
void vd_epoch_part_open(struct vd_epoch_part *, const struct vd_value *keys, const struct vd_identity *);
void vd_epoch_commit(const struct vd_epoch_keys *, uint8_t out[VD_COMMITS_BYTES]);
/* Which keys a role gets: bit i is key i. */
uint8_t vd_epoch_mask(enum vd_role);
/* Appends the entry of `keys` for one device. VD_EINVAL: its box key is no key. */
int vd_epoch_entry(const struct vd_epoch_keys *, const struct vd_device *, uint8_t out[VD_EPOCH_ENTRY_BYTES]);
/* Is it the entry that vd_epoch_entry makes, as far as it was kept? Dear: a multiplication on the curve. */
bool vd_epoch_entry_is(const struct vd_epoch_keys *, const struct vd_device *, const struct vd_sealed *);
/* person NULL: the group's own name; 16 zeros: the reason of a revocation of devices. Text of at most VD_NAME_MAX bytes, "" when it cannot be opened or is no name. */
int vd_sealed_name_open(struct vd_group *, const uint8_t *person, struct vd_slice sealed, char out[VD_NAME_MAX + 1]);
int vd_sealed_name_make(struct vd_group *, const uint8_t *person, const char *name,
                        const uint8_t nonce[VD_BODY_NONCE_BYTES], struct vd_buf *out);

#endif
