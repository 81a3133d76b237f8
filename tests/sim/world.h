/* A small world: one group, its people, and what they write. Everything follows from a seed. */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include "memory.h"

/* One chain position a lane: what a device remembers of its own writing. */
struct writer {
	struct vd_identity identity;
	uint64_t seq[VD_LANES];
	struct vd_id last[VD_LANES];
	bool has_last[VD_LANES];
};

struct world {
	uint64_t random;
	uint8_t group[VD_GROUP_BYTES], salt[VD_SALT_BYTES];
	struct writer *writers;  /* [0] is the founder */
	size_t count;
	struct vd_group *founders; /* the founder's view */
	struct vd_batch control; /* founding, epoch, grants: what a welcome holds */
	uint64_t now_ms;
};

uint64_t world_random(struct world *, uint64_t below);
void world_bytes(struct world *, void *p, size_t n);
/* Founds the group and admits count − 1 members. */
void world_init(struct world *, uint64_t seed, size_t count);
void world_deinit(struct world *);
/* One more identity, not granted yet: returns its number. world_grant admits it, and gives the control records made. */
size_t world_newcomer(struct world *);
void world_grant(struct world *, size_t who, struct vd_buf *records, size_t *count);
void world_admit(struct world *, size_t who, enum vd_role role, uint32_t flags, struct vd_buf *records, size_t *count);
/* The founder makes a new epoch for everyone: one control record more. */
void world_epoch(struct world *);
/* The founder removes that device, accepting nothing of its; a new epoch for the others stands in the same record. */
void world_revoke(struct world *, size_t who);
/* A group object for that device that knows the welcome; a store with the welcome in it. */
struct vd_group *world_group(struct world *, size_t who);
void world_memory(struct world *, struct memory *, struct vd_group *);
/* The next record of a writer, with a sealed body of about `bytes`. Appends the raw record to *out. */
void world_write(struct world *, size_t who, uint8_t lane, size_t bytes, struct vd_buf *out, struct vd_id *id);
/* Writes and stores it. */
struct vd_id world_write_to(struct world *, size_t who, uint8_t lane, size_t bytes, struct memory *);
/* Stores a raw record as valid, whatever it is. */
struct vd_id world_store(struct memory *, struct vd_slice raw);

#endif
