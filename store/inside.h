/* What the files of this folder share about a store; nobody outside includes it. What only some of them share stands in headers of its own:
 * accepted.h, deed.h, judge.h, lanes.h, medium.h, pool.h, shares_inside.h, standing.h, tend_inside.h.
 *
 * Reading: short snapshots, copied out of, never held while other code runs.
 * Writing: everything a transaction will do is first gathered in memory as effects, then applied in key order
 * in one LMDB transaction. That makes it repeatable when the map must grow, and cheap: sorted insertions touch
 * each page once.
 *
 * What stands where. Lists, named by an index key of:
 *   ITEMS   "item" group, first 8 bytes of the standing item: the records that have it
 *   LISTS   "lane" group, lane: its records         "wanted" group, lane: those without the body we want
 *           "waiting" group: stubs whose body waits until its author has share left (shares.h)
 *           "prev" group, author, lane, seq, id: records whose predecessor is not here
 *           "pooled" id: its number in the pool     "pooled by" author: the numbers of theirs
 *           "filled", "unopened": what the index must look at again
 *           "unwanted" group: stubs whose body went because a redaction held (redact.c)
 *           "expired" group: … because its author had said until when it is needed (expire.c)   "pruned" group: … to make room (prune.c)
 *           "redacted" group: its records that some redaction names, whether it holds or not
 *   INDEX   "id", "author", "day", "kind", "about", "replaces" (index.h); "redacts" group, id, author and "redacts" group, id:
 *           redactions of that record;
 *           "expires" group, u32 bucket of days: what expires then; "part" group, id: chunks of what that record attaches
 * Values, named by an index key of:
 *   "store"                              "groups": each with its salt
 *   "identity" group                     "next identity"
 *   "head" group, author, lane: where an own chain ends
 *   "elsewhere" group, author: when records of ours last came that were not written here
 *   "lost" group, author: u64 when a repair last lost, or may have lost, records of ours
 *   "heard" group, device: up to which arrival number it has our control records
 *   "digest", "wanted digest" group, lane; "sketch" group, lane, block
 *   "pool", "index": how far they are    "note" use, key ("named" id: named.c)    "segment" name
 *   "control again" arrival: the second copy of a control record, in older stores; now it has a name that is no hash (twice.c)
 *   "author", "author again" number: group, author key, checksum (authors.c)
 *   "share" group, author: what there is of theirs           "declined" group: whose share is used up
 *   "released" group: the day on which what waits was gone through
 *   "left out" group, lane, author; "left digest", "left wanted", "left sketch": what an author adds to a lane
 *   "spans" group, author: which runs of their chains are here (spans.c)
 *   "receipt" group, device: the latest of its receipts; "met" group, device: what a session showed; "ahead" group, device: that it said something from the future; "stick" id: what is known of a
 *   stick (custody.c, sticks.c)
 *   "bulk": u64 bytes of bodies of the bulk lane that are here ‖ u64 that are wanted ‖ u64 of the last attachment not begun for want of room
 *   "clock": what was seen of ours (clock.c)             "expired", "pruned" group: when it was looked for what did (expire.c, prune.c)
 *   "repairs": how often the derived tables were made anew
 *   "asked" id: when somebody here wanted back what had gone of that record (prune.c)
 *   "accepted" group, author: what counts of a removed author's records (followed.c)
 *   "redacted" group: up to where bodies were tended (redact.c) */
#ifndef VD_INSIDE_H
#define VD_INSIDE_H

#include <pthread.h>
#include <stdatomic.h>

#include "arrivals.h"
#include "db.h"
#include "index.h"
#include "lists.h"
#include "shares.h"
#include "store.h"
#include "stored.h"
#include "tend.h"
#include "tops.h"
#include "vault.h"
#include "workers.h"

struct vd_store {
	char *home;
	struct vd_db *db;
	struct vd_vault *vault;
	struct vd_authors *authors;
	bool being_made;           /* its database stands elsewhere yet */
	uint8_t device[VD_STORE_DEVICE_BYTES];
	char name[VD_DEVICE_NAME_MAX + 1];
	struct vd_workers *workers; /* vd_store_workers */
	pthread_mutex_t workers_mutex;
	struct vd_reading lately;   /* of vd_stored_read */
	pthread_mutex_t lately_mutex;
	atomic_uint_least64_t unread; /* vd_store_unread */
	atomic_uint_least64_t over_asked;  /* expire.c: the minute in which it was asked last whether the clock can be believed, and what came of it, for a group */
	atomic_uint_least64_t clock_asked; /* clock.c: with what had come others were last asked for the time */
};

enum {
	VD_STORE_FORMAT = 2,
	VD_ANY_LANE = 255,
	VD_NOTE_MAX = 4096,
	VD_FOLLOW_SEQ = 1 << 20,                    /* an own record so far ahead of our chain is not followed */
	VD_FOLLOW_MS = 3600000,                     /* nor one's clock further than this ahead of ours */
};

/* Author key in a raw record; NULL: it is no record. */
const uint8_t *vd_raw_author(struct vd_slice raw);

/* --- store.c --- */

/* Is it a folder of ours alone, on a file system that locks? */
int vd_store_check_home(const char *home);
/* What `home`/vault and the secret (NULL: none) give; a readable vault when there is no such file. As vd_vault_open_home. */
int vd_store_vault_of(const char *home, const struct vd_secret *, struct vd_vault **out);
/* Makes a store as vd_store_create_with does, with that vault (which is its own from now on; NULL: VD_ENOMEM) and what `fill` writes into it. What `fill`
 * returns is returned; then nothing is there. */
int vd_store_make(const char *home, struct vd_vault *, const struct vd_secret *, const struct vd_vault_cost *,
                  int (*fill)(void *ctx, struct vd_store *), void *ctx);
/* An empty one on the medium of the folder `scratch`, without any name: when it is closed, or the process ends in whatever way, it is gone. The vault as
 * above. VD_ENOSTORE: no such folder. */
int vd_store_make_hidden(const char *scratch, struct vd_vault *, struct vd_store **out);
/* Started when first asked for; the store's. NULL: there are none, and vd_workers_do does without. */
struct vd_workers *vd_store_workers(struct vd_store *);
/* Reads what the store says of itself. VD_EDAMAGED, VD_EVERSION. */
int vd_store_read_device(struct vd_store *);

/* What the folder knows of a group without loading it. */
struct vd_membership {
	uint8_t group[VD_GROUP_BYTES];
	uint8_t salt[VD_SALT_BYTES];
};

/* One more that was to be handed on and cannot be read. */
void vd_store_unread_one(struct vd_store *);

/* --- values.c: single named values --- */

/* What a sealed value is bound to: its table and key. Borrows `room`. */
enum { VD_SPOT_BYTES = 1 + VD_INDEX_KEY_BYTES };
struct vd_slice vd_spot(enum vd_table, const uint8_t *key, size_t n, uint8_t room[VD_SPOT_BYTES]);
void vd_value_key(const struct vd_store *, const char *use, const struct vd_slice *parts, size_t count,
                  uint8_t key[VD_INDEX_KEY_BYTES]);
/* Appends the opened value to *out. VD_ENOTFOUND. */
int vd_value_get(struct vd_store *, MDB_txn *, const uint8_t key[VD_INDEX_KEY_BYTES], struct vd_buf *out);
/* The same in a snapshot of its own. */
int vd_value_read(struct vd_store *, const char *use, const struct vd_slice *parts, size_t count, struct vd_buf *out);
/* Groups of this device with their salts: at most VD_STORE_GROUPS_MAX. */
int vd_memberships(struct vd_store *, MDB_txn *, struct vd_membership *out, size_t *count);

/* --- authors.c --- */

struct vd_author {
	uint8_t group[VD_GROUP_BYTES], key[VD_KEY_BYTES];
};
int vd_authors_new(struct vd_authors **out);
void vd_authors_free(struct vd_authors *); /* NULL is fine */
/* VD_EDAMAGED: nobody has that number. */
int vd_author_of(struct vd_store *, MDB_txn *, uint64_t number, struct vd_author *out);
/* The number of a record's author, who gets one in this transaction if need be. */
int vd_author_number(struct vd_write *, const struct vd_record *, uint32_t *number);
/* Under which names of VALUES an author stands, and what does: they and a checksum. */
enum { VD_AUTHOR_COPIES = 2, VD_AUTHOR_CHECK_BYTES = 8, VD_AUTHOR_VALUE_BYTES = VD_GROUP_BYTES + VD_KEY_BYTES + VD_AUTHOR_CHECK_BYTES };
void vd_author_key(const struct vd_store *, uint32_t number, unsigned copy, uint8_t key[VD_INDEX_KEY_BYTES]);
void vd_author_value(const struct vd_author *, uint8_t value[VD_AUTHOR_VALUE_BYTES]);
/* False: it is not what was written there. */
bool vd_author_read(struct vd_slice value, struct vd_author *out);

/* --- twice.c: control records stand twice --- */

/* The name of a second copy among the values. */
void vd_twice_key(const struct vd_store *, uint64_t arrival, uint8_t key[VD_INDEX_KEY_BYTES]);
/* Writes the second copy of a control record; of others nothing. Fails in w->err. */
void vd_twice_put(struct vd_write *, uint64_t arrival, uint64_t received_ms, const struct vd_record *);
/* Is a value such a copy, and sound? Then under which number the record stands, and how; borrows. */
bool vd_twice_read(struct vd_slice value, uint64_t *arrival, struct vd_slice *whole);
/* Control records that are spoilt where they stand come back from their copies, and copies that are from the records. */
int vd_twice_mend(struct vd_store *);

/* --- records.c --- */

/* Is it a table of packed lists (lists.h)? How many bytes of their keys are not zero? */
bool vd_is_list(enum vd_table);
size_t vd_list_bytes(enum vd_table);
/* The first 8 bytes of index_key(use, parts), the key of a list in LISTS or INDEX. */
void vd_list_key(const struct vd_store *, const char *use, const struct vd_slice *parts, size_t count,
                 uint8_t key[VD_LIST_KEY_BYTES]);
void vd_item_list(const struct vd_store *, const uint8_t *group, const uint8_t item[VD_ITEM_BYTES],
                  uint8_t key[VD_LIST_KEY_BYTES]);
void vd_lane_list(const struct vd_store *, const char *use, const uint8_t *group, uint8_t lane,
                  uint8_t key[VD_LIST_KEY_BYTES]);
/* That list of LISTS of a group. */
void vd_group_list(const struct vd_store *, const char *use, const uint8_t *group, uint8_t list[VD_LIST_KEY_BYTES]);
/* Records of that seq in that chain that name `prev`. All of it is in the key: who names somebody else's record in many
 * of their own must not make it dear to look for the one that counts. */
void vd_prev_list(const struct vd_store *, const uint8_t *group, const uint8_t *author, uint8_t lane, uint64_t seq,
                  const struct vd_id *prev, uint8_t key[VD_LIST_KEY_BYTES]);
/* At most `max` arrivals of a list after *after, which moves to the last of them, in a snapshot of its own. *n is less than `max` at its end. */
int vd_list_read(struct vd_store *, enum vd_table, const uint8_t list[VD_LIST_KEY_BYTES], uint64_t *after, uint64_t *out, size_t max, size_t *n);

/* The stored record of that id; `cursor` on ITEMS. VD_ENOTFOUND. */
int vd_find_stored(struct vd_store *, MDB_txn *, MDB_cursor *, const struct vd_membership *,
                   const struct vd_id *, struct vd_reading *, struct vd_stored *out);

/* Is the raw record of that group (NULL: any) and lane (VD_ANY_LANE)? */
bool vd_raw_in(struct vd_slice raw, const uint8_t *group, uint8_t lane);

/* Records copied out of one snapshot. */
struct vd_page {
	struct vd_page_entry {
		uint64_t arrival, received_ms;
		struct vd_id id;
		uint8_t author[VD_KEY_BYTES];
		bool stub, wanted; /* wanted: its body */
		uint8_t why_not;  /* … and if it is not: one of VD_STORED_WHY_NOT */
		int err;          /* VD_EDAMAGED: cannot be opened; nothing else is filled in */
		size_t at, n;     /* of the raw record in bytes */
	} *entries;
	size_t count, cap;
	struct vd_buf bytes;
	uint64_t last;        /* where the next page goes on from */
	bool end;             /* nothing after it */
};
enum { VD_PAGE_RECORDS = 2048, VD_PAGE_BYTES = 1 << 20 };
/* Reads at most `max` records of the group (NULL: any) and lane (VD_ANY_LANE) that come after `after`; `raws`:
 * their bytes too. A page may be empty and yet not the end. */
int vd_page_read(struct vd_store *, const uint8_t *group, uint8_t lane, uint64_t after, size_t max, bool raws,
                 struct vd_page *);
struct vd_slice vd_page_raw(const struct vd_page *, const struct vd_page_entry *);
/* Are the bytes of an entry, read with `raws`, those that were stored? */
bool vd_page_sound(const struct vd_page *, const struct vd_page_entry *);
void vd_page_deinit(struct vd_page *);

/* --- effects.c --- */

struct vd_effects {
	struct vd_effect {
		enum vd_table table;
		uint8_t key[VD_INDEX_KEY_BYTES];
		uint8_t key_n;
		bool remove;
		bool laid;      /* its value has yet to be sealed */
		size_t order;
		size_t at, n;   /* of the sealed value in bytes */
	} *list;
	size_t count, cap;
	struct vd_buf bytes;
	bool failed;        /* memory: sticky */
};
void vd_effects_deinit(struct vd_effects *);
/* The value is sealed before it is applied. An empty value stays empty: the entries of lists. */
void vd_effects_put(struct vd_effects *, const struct vd_store *, enum vd_table, const uint8_t *key, size_t n,
                    struct vd_slice value);
/* As it is to be stored. */
void vd_effects_put_sealed(struct vd_effects *, enum vd_table, const uint8_t *key, size_t n, struct vd_slice sealed);
void vd_effects_remove(struct vd_effects *, enum vd_table, const uint8_t *key, size_t n);
void vd_effects_entry(struct vd_effects *, enum vd_table, const uint8_t list[VD_LIST_KEY_BYTES], uint64_t arrival);
void vd_effects_entry_remove(struct vd_effects *, enum vd_table, const uint8_t list[VD_LIST_KEY_BYTES],
                             uint64_t arrival);
void vd_effects_value(struct vd_effects *, const struct vd_store *, const char *use,
                      const struct vd_slice *parts, size_t count, struct vd_slice value);
/* Seals what was put, with all cores. VD_EKEY: forgotten. To be done before the transaction begins, or it is done in it. */
int vd_effects_seal(struct vd_effects *, struct vd_store *);
/* Sorts and applies; later effects on a key win. Returns LMDB's codes or ours. */
int vd_effects_apply(struct vd_effects *, struct vd_store *, MDB_txn *);

/* --- reserve.c --- */

/* Is so little free, of the medium and of the file itself (shares.h), that nothing but control records may come in? */
bool vd_reserve_reached(struct vd_store *);
/* Is it still untouched when so many bytes have been written in one go? */
bool vd_reserve_leaves(struct vd_store *, uint64_t bytes);
/* The same of the medium alone, for what is written there beside the database. */
bool vd_reserve_beside(struct vd_store *, uint64_t bytes);
void vd_reserve_keep(struct vd_store *);
/* False: there is none any more. */
bool vd_reserve_give_up(struct vd_store *);

/* --- write.c --- */

struct vd_write {
	struct vd_store *store;
	MDB_txn *snapshot;         /* to read from, when the caller has one open; borrowed */
	struct vd_effects effects;
	struct vd_lane_data **lanes;
	size_t lane_count;
	struct vd_write_head *heads;
	size_t head_count;
	struct vd_share *shares;
	size_t share_count, share_cap;
	struct vd_declining *declining; /* of one group; NULL: not looked at */
	struct {
		bool read, moved;
		uint64_t here, wanted; /* bytes of bodies of the bulk lane */
		uint64_t admitted;     /* … of the batch at hand */
		bool has_left;
		struct vd_part left;   /* whose part was the last for which there was no room, … */
		uint8_t left_author[VD_KEY_BYTES]; /* … by whom */
		bool has_begun;
		struct vd_part begun;  /* … and the last for which there is some as a whole, as far as that can be told */
		uint8_t begun_author[VD_KEY_BYTES];
		uint64_t lacking;      /* bytes of the last attachment that was not begun for want of room; 0: none */
		const struct vd_batch *batch; /* the one at hand, and whose; borrowed */
		const struct vd_membership *in;
		struct vd_group *group; /* to read what a record attaches; NULL until it is asked for */
	} bulk;
	struct vd_shares set;      /* once has_set */
	bool has_set;
	bool no_room;              /* a merge left out what the reserve is not for */
	bool takes_in;             /* what the reserve is not for: other records than control, other things than wiping */
	uint64_t next;             /* arrival number of the next record */
	uint64_t wrote_ms;         /* when the first own record of it was made: what is written together stands together; 0: none was */
	struct vd_author *fresh_authors; /* who got their numbers in it */
	size_t fresh_author_count, authors_here; /* … from that on */
	bool authors_read;         /* all that had theirs before */
	struct vd_author last_author; /* most records are by whom the one before was */
	uint32_t last_author_number;
	bool last_author_set;
	int err;                   /* sticky: the transaction cannot be committed */
	uint8_t nonces[64][VD_BODY_NONCE_BYTES]; /* drawn in advance: a system call each is dear */
	size_t nonces_left;
	struct vd_buf value, raw, body;
	struct vd_stored_run run;  /* stored.h: what came, and is not among the effects yet */
	struct vd_stored_changes changes; /* … nor is this */
	struct vd_reading reading; /* in which it stands */
};
/* The own chain of one group and lane: where its next record goes. */
struct vd_write_head {
	uint8_t group[VD_GROUP_BYTES];
	uint8_t author[VD_KEY_BYTES];
	uint8_t lane;
	bool moved;
	uint64_t seq, time_ms;
	struct vd_id id;
	struct vd_buf raw;         /* of the newest record written here, to be verified; empty when none was */
};

/* One new record: record, indexes, digest and sketch. list: of its item (vd_item_list). flags: VD_STORED_STUB (then `record` is the stub), and why its body is not wanted.
 * Stays in w->err when it fails. */
int vd_write_record(struct vd_write *, const struct vd_membership *, const struct vd_record *, const struct vd_item *,
                    const uint8_t list[VD_LIST_KEY_BYTES], uint8_t flags, uint64_t received_ms);
/* Puts another copy of a stored record in its place: a stub got its body, a body went, what stood there was spoilt, or only whether
 * its body is wanted changed: why_not is 0 or one of VD_STORED_WHY_NOT, and ignored of a whole record. It stands whole or compact
 * as that did. */
int vd_write_again(struct vd_write *, const struct vd_membership *, const struct vd_place *old,
                   const struct vd_record *, uint8_t why_not);
/* A record of ours came in that was not stored here. `waited`: a stored record of ours, or one that came with it, names it
 * as its predecessor. A restored device goes on behind what it wrote before, and notes when it meets what it cannot have
 * lost; whoever copied it writes under its name too, so neither seq nor time is believed blindly. */
int vd_write_follow(struct vd_write *, const struct vd_record *, bool waited, uint64_t now_ms);
/* A repair lost records of ours, or may have: what they bore as their time until then and comes back is no sign of a copy of us. (Nor would be what a copy
 * wrote until then: that is told by two records of one seq, or by what it writes later.) */
void vd_write_lost(struct vd_write *, const uint8_t *group, const uint8_t *author, uint64_t now_ms);
/* The seq of the newest record of ours in a chain that this store knows of, by itself; 0: none. */
int vd_write_own_head(struct vd_write *, const uint8_t *group, const uint8_t *author, uint8_t lane, uint64_t *seq);
/* A snapshot to read from: the caller's, or one of its own. */
int vd_write_snapshot(struct vd_write *, MDB_txn **);
void vd_write_snapshot_done(struct vd_write *, MDB_txn *);
/* Puts a lane's data (malloc'ed, the transaction's from now on unless this fails) as it is. */
int vd_write_lane(struct vd_write *, struct vd_lane_data *);
/* How often the store was repaired: what was remembered of its lanes before is void. */
int vd_repairs(struct vd_store *, MDB_txn *, uint64_t *out);
/* vd_write_commit without trying the pool again. */
int vd_write_end(struct vd_write *);
/* Our clock. */
uint64_t vd_now_ms(void);

/* --- index.c --- */

enum vd_index_use {
	VD_INDEX_ID, VD_INDEX_AUTHOR, VD_INDEX_DAY, VD_INDEX_KIND, VD_INDEX_ABOUT, VD_INDEX_REPLACES, VD_INDEX_REDACTS, VD_INDEX_PART,
	VD_INDEX_EXPIRES, VD_INDEX_USES
};
enum {
	VD_INDEX_ID_PREFIX = 1, /* bytes: one list for every 256th record takes two bytes each, and who types a prefix waits for milliseconds */
	VD_INDEX_MANY = 20000,  /* records: a quarter of a second, or some on a slow machine */
	VD_EXPIRES_BUCKET = 32,        /* days: fewer than a thousand lists to look into since 1970, and a month's records at most to look at in vain */
	VD_DAY_MS = 86400000
};
struct vd_index_state {
	uint64_t cursor;               /* last arrival it has seen */
	uint64_t control;              /* control records when it last tried what it could not open */
	uint64_t first_day, last_day;  /* of the authors' clocks */
	uint64_t redactions;           /* how many it has seen, or more */
	uint64_t opens;                /* stands for the keys and roles with which it last tried what it could not open */
};
int vd_index_state(struct vd_store *, struct vd_index_state *);
/* Control records over all groups: when they grew, so may have our keys, and who may do what. */
int vd_control_count(struct vd_store *, uint64_t *out);
/* Has it seen everything that is here now? */
int vd_index_current(struct vd_store *, struct vd_index_state *, bool *current);
/* Is it behind by more than VD_INDEX_MANY records, the first of which came within a day before now_ms? Nothing that it would tell of them is due
 * yet. */
bool vd_index_may_wait(struct vd_store *, uint64_t now_ms);
/* The same; *since_ms: when that one came. */
bool vd_index_waits(struct vd_store *, uint64_t now_ms, uint64_t *since_ms);
/* Of what it has seen, what changed since: bodies that came or went. Otherwise as vd_index_catch_up. */
int vd_index_settle(struct vd_store *);
/* What is kept of a group besides lists is made anew. */
void vd_index_reset(struct vd_write *, struct vd_group *);
/* `what` under that use: the first byte of an id, author key, u64 day, kind, id, id, id and author (or id alone: whoever wrote it). id, about
 * and replaces are store-wide: group NULL. */
void vd_index_list(const struct vd_store *, enum vd_index_use, const uint8_t *group, struct vd_slice what,
                   uint8_t list[VD_LIST_KEY_BYTES]);
/* What a record says it replaces, one id after the other. */
struct vd_rd vd_replaced(const struct vd_content *);
bool vd_replaced_next(struct vd_rd *, struct vd_id *out);
/* --- spans.c: which runs of an author's chains are here, and which with their bodies --- */

enum { VD_RUNS_MAX = 8 };          /* of an author and lane: mostly it is one; of more the newest */
enum { VD_LINKS = VD_LANES };      /* + lane: its runs whether or not the bodies are here: what pruning leaves stands in them */
struct vd_runs {
	uint8_t author[VD_KEY_BYTES];
	struct vd_run_lane {
		bool forked;           /* two records of one seq are, or may be, here */
		bool stubs;            /* something came without its body */
		uint64_t dropped;      /* records that stood in runs, of which there were too many; perhaps counted twice */
		size_t count;
		struct vd_run {
			struct vd_id head, below; /* below: what the lowest names as its predecessor */
			bool has_below;
			uint64_t high, low; /* seq of head and lowest */
		} runs[VD_RUNS_MAX + 1];
	} lanes[VD_LINKS + VD_LANES];
};
/* As of the index's cursor. None if nothing is kept. */
int vd_runs_read(struct vd_store *, const uint8_t *group, const uint8_t author[VD_KEY_BYTES], struct vd_runs *out);
void vd_spans_forget(struct vd_write *, struct vd_group *);
/* A transaction of the index. All zero is a good start. */
struct vd_spanning {
	struct vd_spanning_one *list;
	size_t count, capacity, last;
};
/* fresh: for the first time; else it got its body, lost it, or was written again for another reason. */
int vd_spanning_enter(struct vd_spanning *, struct vd_store *, const struct vd_record *, bool fresh);
void vd_spanning_put(struct vd_spanning *, struct vd_write *);
void vd_spanning_deinit(struct vd_spanning *);

/* --- readers.c: the groups of this device, loaded --- */

struct vd_readers {
	struct vd_group *groups[VD_STORE_GROUPS_MAX];
	size_t count;
};
int vd_readers_init(struct vd_readers *, struct vd_store *, const uint8_t *only);
void vd_readers_deinit(struct vd_readers *);
/* Stands for all that decides what we can open: keys, our own place, and who may write to whom. Most control records change none of it,
 * and a courier, who opens nothing, need not try everything again for each. */
int vd_readers_opens(const struct vd_readers *, struct vd_store *, uint64_t *out);
struct vd_group *vd_readers_find(const struct vd_readers *, const uint8_t group[VD_GROUP_BYTES]);

/* --- groups.c --- */

/* The seed of the next identity; a fresh one, kept nowhere yet, when none was made. */
int vd_seed_next(struct vd_store *, uint8_t seed[VD_IDENTITY_SEED_BYTES]);
/* The group becomes ours in this transaction, by the identity of that seed, which is used up. VD_ECAP: groups. */
int vd_group_keep(struct vd_write *, const uint8_t group[VD_GROUP_BYTES], const uint8_t salt[VD_SALT_BYTES],
                  const uint8_t seed[VD_IDENTITY_SEED_BYTES]);

/* --- clock.c --- */

enum { VD_CLOCK_MARKS = 128 };
struct vd_clock {
	bool set;
	uint64_t last_ms, jumped_ms; /* what it showed: when we last looked; when we first did, or it jumped last */
	uint64_t ran_ms;             /* counted without jumps */
	uint64_t agreed_ms, agreed_ran_ms; /* when others last agreed, and what was counted by then */
	uint64_t writes;
	size_t mark_count;
	struct vd_clock_mark {
		uint64_t arrival, ran_ms; /* what had come when so much was counted */
	} marks[VD_CLOCK_MARKS];
};
/* Notes what our clock shows, what came until now, and whether others agree: to be called whenever we tend, or more than a day goes by unseen. */
int vd_clock_look(struct vd_store *, const uint8_t group[VD_GROUP_BYTES], uint64_t now_ms);
int vd_clock_read(struct vd_store *, uint64_t now_ms, struct vd_clock *out);
/* How long what came under that number has been here, or more, by the time in which our clock ran: whatever it shows. */
uint64_t vd_clock_lived(const struct vd_clock *, uint64_t arrival);
/* May what destroys go by it? `since_ms`: what it showed then counts, too: no jump since (UINT64_MAX: that does not matter). Else as others agree,
 * to ten days. */
int vd_clock_believed(struct vd_store *, const uint8_t group[VD_GROUP_BYTES], uint64_t now_ms, uint64_t since_ms, bool *out);

/* --- merge.c --- */

/* Gathers what a judged batch changes into the transaction. from_pool: its records wait in the pool, and leave
 * it when judged. tops: NULL when nothing is known. */
int vd_merge_into(struct vd_write *, struct vd_group *, struct vd_batch *, bool from_pool, struct vd_tops *, struct vd_merge *,
                  bool *control_grew);

/* --- commit.c --- */

/* Tries the pool again with a group of its own, if it holds anything. */
int vd_pool_retry_alone(struct vd_store *, const uint8_t group[VD_GROUP_BYTES], struct vd_merge *);
/* vd_store_commit for one who brings batch after batch, and keeps the tops in between. */
int vd_store_commit_next(struct vd_store *, struct vd_group *, struct vd_batch *, struct vd_tops *, struct vd_merge *);

#endif
