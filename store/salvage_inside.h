/* What the files of salvage.h share; nobody else includes it. */
#ifndef VD_SALVAGE_INSIDE_H
#define VD_SALVAGE_INSIDE_H

#include "inside.h"
#include "salvage.h"

/* A value, or a record of one, that was found. */
struct vd_piece {
	enum vd_table table;
	bool live, whole;       /* of the newest state; with its body */
	uint8_t key[VD_INDEX_KEY_BYTES], key_n;
	uint8_t from[VD_INDEX_KEY_BYTES]; /* the key under which it stood */
	struct vd_id id;        /* of a record */
	uint8_t of, index;      /* … which of how many in its value it is */
	bool moved;             /* … and it has another number from now on */
	bool again;             /* … of which this is the second copy (twice.c) */
	uint64_t at, n;         /* of the value in the file */
};

/* An author that some record is by, and under which name of VALUES that stood: the author's number, or that of an identity of ours, so that what
 * we wrote is told without any number. Who got a number keeps it. */
struct vd_known_author {
	uint8_t key[VD_INDEX_KEY_BYTES];
	struct vd_author who;
};

struct vd_salvaging {
	int fd, folder;
	struct vd_store keys;   /* only its vault: to name values */
	struct vd_piece *pieces;
	size_t count, cap;
	uint8_t *taken;         /* a bit for each sector in which the value of a piece begins that a key led to */
	size_t taken_bytes;
	uint64_t *dropped;      /* numbers of which nothing was left before */
	size_t dropped_count, dropped_cap;
	uint64_t last;          /* highest arrival number */
	uint8_t groups[VD_INDEX_KEY_BYTES], next_identity[VD_INDEX_KEY_BYTES], index[VD_INDEX_KEY_BYTES];
	uint8_t store[VD_INDEX_KEY_BYTES];
	struct vd_buf value, room;
	struct vd_reading reading;
	struct vd_known_author *known;
	size_t known_count, known_cap;
	uint8_t ours[2 * VD_STORE_GROUPS_MAX][VD_GROUP_BYTES]; /* groups that some copy of their list names */
	size_t our_count;
	const struct vd_author *trying; /* whoever the first number says that nobody has; who has others is left open then */
	uint64_t number;        /* that one */
	uint64_t highest;       /* that was asked for */
	struct vd_found_author {          /* numbers whose value is lost, and yet it came out whose they are */
		uint32_t number;
		struct vd_author who;
	} *found;
	size_t found_count;
	uint64_t numbers;       /* more than any that was asked for */
};

/* --- salvage_pieces.c: what is left in the file --- */

/* Finds all of it and chooses: of several copies the best, for each number one record. `keys`, fd and the names of values are set. VD_EDAMAGED: there is
 * nothing that looks like a page. */
int vd_salvaging_gather(struct vd_salvaging *);
/* The value of that name; NULL: it is lost. */
const struct vd_piece *vd_salvaging_named(const struct vd_salvaging *, const uint8_t key[VD_INDEX_KEY_BYTES]);
/* How many pieces from one on are all that is in their value, as it was? 0: others are missing, or it got another number. */
size_t vd_salvaging_together(const struct vd_salvaging *, size_t i);
/* Its value as it stands in the file, in s->value; and opened, if `opened` is not NULL. */
int vd_salvaging_value(struct vd_salvaging *, const struct vd_piece *, struct vd_slice *opened);
/* The record. */
int vd_salvaging_record(struct vd_salvaging *, const struct vd_piece *, struct vd_slice opened, struct vd_stored *out);
/* Whose that number is, as far as can be told. VD_ENOTFOUND. */
int vd_salvaging_author(struct vd_salvaging *, uint64_t number, struct vd_author *out);
/* How many numbers before the last one that is left name nothing, and did: each salvage before left out `gap` of them itself. VD_ENOMEM. */
int vd_salvaging_lost(const struct vd_salvaging *, uint64_t gap, uint64_t *out);
void vd_salvaging_deinit(struct vd_salvaging *);

#endif
