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
	VD_ACCEPTED_HEAD_BYTES = 1 + VD_ID_BYTES,
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
	struct vd_slice name;    /* sealed */
	const uint8_t *commits, *of;
	struct vd_value keys;
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
	enum vd_role role;
	uint32_t flags;
	size_t name_bytes;
	uint8_t name[];  /* sealed */
};

/* The epoch a record begins or, with `continues`, seals to more devices. */
struct vd_epoch_part {
	uint8_t commits[VD_COMMITS_BYTES];
	bool continues;
	uint8_t of[VD_EPOCH_BYTES];
	uint8_t mask;    /* keys we have: bit i is key i */
	struct vd_epoch_keys keys;
};

struct vd_group_record {
	struct vd_id id; /* first: the table's key */
	uint64_t time_ms;
	uint32_t depth;  /* 0: not computed */
	uint32_t cursor; /* next reference to follow, while depths are being computed */
	bool named;      /* by another: no head */
	uint32_t ref_count;
	struct vd_group_ref *refs;
	struct vd_statement *statement; /* of a founding, grant or naming that counts */
	struct vd_epoch_part *epoch;    /* of an epoch that counts */
};

struct vd_group_device {
	struct vd_device shown; /* its author key first: the table's key */
	uint8_t proof[VD_SIGNATURE_BYTES]; /* the card that was checked last is shown.author, proved_box, proof */
	uint8_t proved_box[VD_KEY_BYTES];
	uint32_t first, held;   /* records: the first grant and the one that holds */
};

/* Control order: depth, then id. */
struct vd_place {
	uint32_t depth;
	struct vd_id id;
	uint32_t at;
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
	uint32_t *stack;          /* record_capacity */
	struct vd_place *order;   /* devices in control order; device_capacity */
	struct vd_place *epochs;  /* those we have, the newest first; epoch_capacity */
	size_t epoch_starts, epoch_capacity, epoch_count;
	bool has_current;
	uint8_t current[VD_EPOCH_BYTES];
	uint32_t name_held;       /* record; VD_NOWHERE */
	char name[VD_NAME_MAX + 1];
};

/* The element whose first n bytes (8 or 32) are `key`'s, or VD_NOWHERE. */
uint32_t vd_table_find(const struct vd_table *, const void *base, size_t stride, const uint8_t *key);
struct vd_group_device *vd_group_entry(struct vd_group *, const uint8_t author[VD_KEY_BYTES]);
/* Brings the computed part up to date. */
void vd_group_refresh(struct vd_group *);

/* ---- keys: group_keys.c ---- */

/* Opens what `keys` seals to us into part->keys and part->mask. */
void vd_epoch_part_open(struct vd_epoch_part *, const struct vd_value *keys, const struct vd_identity *);
void vd_epoch_commit(const struct vd_epoch_keys *, uint8_t out[VD_COMMITS_BYTES]);
/* Appends the entry of `keys` for one device. VD_EINVAL: its box key is no key. */
int vd_epoch_entry(const struct vd_epoch_keys *, const struct vd_device *, uint8_t out[VD_EPOCH_ENTRY_BYTES]);
/* person NULL: the group's own name. Text of at most VD_NAME_MAX bytes, "" when it cannot be opened or is no name. */
void vd_sealed_name_open(struct vd_group *, const uint8_t *person, struct vd_slice sealed, char out[VD_NAME_MAX + 1]);
int vd_sealed_name_make(struct vd_group *, const uint8_t *person, const char *name,
                        const uint8_t nonce[VD_BODY_NONCE_BYTES], struct vd_buf *out);

#endif
