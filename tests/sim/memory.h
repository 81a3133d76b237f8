/* A store in memory: the port of simulated nodes and of tests without a disk. */
#ifndef SIM_MEMORY_H
#define SIM_MEMORY_H

#include "proto/vereda.h"

struct memory_record {
	struct vd_id id;
	struct vd_item item;
	struct vd_id prev;
	uint8_t author[VD_KEY_BYTES];
	uint64_t seq;
	uint8_t lane;
	bool stub, has_prev;
	uint8_t *raw; /* NULL: known by id alone, for large sets in tests that never send it */
	size_t raw_bytes;
};

/* Finds records by 64 bits of something: chains over open buckets. */
struct memory_index {
	uint32_t *slots; /* record number + 1 */
	uint64_t *keys;
	size_t capacity, count;
};

struct memory {
	struct vd_port port;
	struct vd_group *group; /* borrowed */
	uint8_t salt[VD_SALT_BYTES];
	struct memory_record *records; /* arrival number is place + 1 */
	size_t count, capacity;
	struct memory_index by_id, by_item, by_prev;
	struct vd_lane_state lanes[VD_LANES];
	struct vd_symbol *symbols[VD_LANES];
	bool flips;        /* one record in eight leaves with a byte changed */
	bool lies;         /* the standing symbols that `lane` gives are jammed */
	struct vd_batch pool;
	uint64_t refused, pooled, reads;
	size_t share;      /* records of one author in a lane that are taken from others; 0: any number */
	uint8_t own[VD_KEY_BYTES]; /* whose writing has no share; all zero: nobody's */
	struct vd_declined_set declined;
	uint64_t declines; /* records not taken */
	unsigned narrow;   /* not 0: items are told apart by so many bits alone: they collide, and who likes mines them */
	bool dear;         /* what a peer declines is not remembered */
	struct memory_receipt {
		uint8_t author[VD_KEY_BYTES];
		uint64_t count;
		struct vd_buf bytes;
	} *receipts;       /* ascending by author; hearsay.h */
	size_t receipt_count;
	bool gives;
	uint64_t receipt_ms; /* the clock by which it counts its own */
	uint64_t receipts_through; /* it believes none of a higher count */
};

void memory_init(struct memory *, struct vd_group *, const uint8_t salt[VD_SALT_BYTES]);
void memory_deinit(struct memory *);
/* Adds one valid record (or fills a stub): 1 fresh, 0 known. */
int memory_add(struct memory *, const struct vd_record *);
/* The standing item of an id, as this store tells items apart. */
void memory_item(const struct memory *, const struct vd_id *, struct vd_item *out);
/* Items collide from now on; at both ends, or they never agree on symbols. */
void memory_narrow(struct memory *, unsigned bits);
/* An id alone. */
void memory_add_id(struct memory *, uint8_t lane, const struct vd_id *);
/* Commits what vd_chain_verify found valid; pools unknown authors', and tries them again. Returns how many were fresh. */
size_t memory_commit(struct memory *, struct vd_batch *);
bool memory_has(const struct memory *, const struct vd_id *, bool with_body);
/* Same ids and same bodies in every lane. */
bool memory_equal(const struct memory *, const struct memory *);

#endif
