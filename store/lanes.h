/* Digest, wanted and sketch of one lane, as they stand in VALUES. Inside the store only. */
#ifndef VD_LANES_H
#define VD_LANES_H

#include "inside.h"

enum { VD_LANE_BLOCKS = VD_SKETCH_SYMBOLS / VD_SKETCH_BLOCK };
/* What the parts of a lane must be: lanes.c. */
struct vd_lane_head {
	uint64_t last;             /* arrival number of the last record on the lane's list */
	uint32_t wanted;           /* checks; 0: nothing is there */
	uint32_t blocks[VD_LANE_BLOCKS];
};
struct vd_lane_data {
	uint8_t list[VD_LIST_KEY_BYTES], wanted_list[VD_LIST_KEY_BYTES];
	uint8_t group[VD_GROUP_BYTES];
	uint8_t lane;
	bool of_author;            /* what this author alone adds to the lane (leaving.c): no lists */
	uint8_t author[VD_KEY_BYTES];
	struct vd_lane_state state;
	struct vd_lane_head head;
	bool touched[VD_LANE_BLOCKS]; /* read, if there was something to read, and to be written */
	size_t touched_count;
	struct vd_symbol symbols[VD_SKETCH_SYMBOLS]; /* right in the blocks touched */
};
/* A lane nobody wrote to is empty. `n`: how many symbols, a whole number of blocks or fewer than one. VD_EDAMAGED: it is not what was
 * put last; *state is void. */
int vd_lane_read(struct vd_store *, MDB_txn *, const uint8_t *group, uint8_t lane, struct vd_lane_state *,
                 struct vd_symbol *symbols, size_t n);
/* The same of what an author adds, if that was ever put; NULL: of the whole lane. */
int vd_lane_read_of(struct vd_store *, MDB_txn *, const uint8_t *group, uint8_t lane, const uint8_t *author, struct vd_lane_state *,
                    struct vd_symbol *symbols, size_t n);
/* Its state, and what its blocks must be. As above. */
int vd_lane_open(struct vd_store *, MDB_txn *, const uint8_t *group, uint8_t lane, const uint8_t *author, struct vd_lane_head *,
                 struct vd_lane_state *);
/* Adds an item (sign +1) to a whole lane's symbols or takes it out, reading the blocks it is in; made anew if they are damaged. */
int vd_lane_apply(struct vd_store *, MDB_txn *, struct vd_lane_data *, const struct vd_item *, int sign);
void vd_lane_touch_all(struct vd_lane_data *);
/* Makes a whole lane anew from the records that are stored: O(n). `head`: all of it; else the blocks not touched yet. The caller
 * holds the lock. */
int vd_lane_remake(struct vd_store *, MDB_txn *, struct vd_lane_data *, bool head);
/* Made anew in a transaction of its own, if it is damaged in any part. */
int vd_lane_heal(struct vd_store *, const uint8_t *group, uint8_t lane);
/* Records of that lane (VD_ANY_LANE: of all) over all groups. */
int vd_lanes_count(struct vd_store *, MDB_txn *, uint8_t lane, uint64_t *out);
/* Every lane of which digest or wanted are damaged. What cannot be healed is met again when it is needed. */
void vd_lanes_heal(struct vd_store *);
/* Puts state and touched blocks. Returns LMDB's codes or ours. */
int vd_lane_put(struct vd_store *, MDB_txn *, const struct vd_lane_data *);

#endif
