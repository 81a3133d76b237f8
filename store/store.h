/* Store: one device's records, keys and cursors in LMDB. Several processes may use it at once.
 *
 * Acknowledged means durable: every function that writes returns 0 only after its commit reached the medium. A folder `home`
 * (mode 0700) holds data.mdb, lock.mdb, walked (walked.h), reserve (shares.h), the daemon's socket and, of a sealed store, vault (vault.h). */
#ifndef VD_STORE_H
#define VD_STORE_H

#include "proto/chain.h"
#include "proto/group.h"
#include "proto/id.h"
#include "proto/port.h"
#include "proto/record.h"

struct vd_store;

enum { VD_STORE_DEVICE_BYTES = 16, VD_DEVICE_NAME_MAX = 64 };

/* Makes `home` (and its parents) and an empty store in it: whole, or none. VD_EEXISTS: there is one, nothing changed.
 * VD_EDENIED: the folder belongs to somebody else, or cannot be written to; VD_EINVAL: name or path too long, or a file system on which no store
 * can stand (a network's, FAT); VD_EIO, VD_ENOSPACE. */
int vd_store_create(const char *home, const char *device_name);
/* Why none can stand there, or in the next folder above that is there: to be told. OTHER: it does not do what a store needs. */
enum vd_medium { VD_MEDIUM_FINE, VD_MEDIUM_NETWORK, VD_MEDIUM_FAT, VD_MEDIUM_OTHER };
enum vd_medium vd_medium_of(const char *path);
/* The same, sealed with a secret (vault.h; NULL: readable) whose passphrase costs that much. */
struct vd_secret;
struct vd_vault_cost;
struct vd_vault;
int vd_store_create_with(const char *home, const char *device_name, const struct vd_secret *, const struct vd_vault_cost *);
/* VD_ENOSTORE; VD_EKEY: it is sealed; VD_EDAMAGED: not ours, or torn; VD_EVERSION: of another version; VD_EDENIED, VD_EINVAL as above; VD_EBUSY: too many
 * readers; VD_EIO. Once a process: LMDB's locks do not stand a second time, nor a fork. Its threads may share it. */
int vd_store_open(const char *home, struct vd_store **out);
/* The same with a secret (NULL: none), of which a readable store has no need. VD_EKEY: it is sealed, and not for this secret; VD_EDAMAGED: also when the
 * file `vault` of a sealed store is damaged, or gone. */
int vd_store_open_with(const char *home, const struct vd_secret *, struct vd_store **out);
void vd_store_close(struct vd_store *); /* NULL is fine */
/* What is called, perhaps as a signal handler, when the medium fails or changes under the map of an open store. It says so and ends
 * the process, which dies of it otherwise; the next to open the store reads all of it first. */
void vd_store_on_broken(void (*say)(void));

const char *vd_store_home(const struct vd_store *);
void vd_store_device(const struct vd_store *, uint8_t device[VD_STORE_DEVICE_BYTES], char name[VD_DEVICE_NAME_MAX + 1]);
/* Version of LMDB in use, such as "0.9.24". */
enum { VD_STORE_ENGINE_TEXT = 36 };
void vd_store_engine(char out[VD_STORE_ENGINE_TEXT]);
bool vd_store_readable(const struct vd_store *); /* without a passphrase */
/* Borrowed: to lend its key, to change slots, to forget it. */
const struct vd_vault *vd_store_vault(const struct vd_store *);
/* Is there more room, on its medium or in its file (shares.h), than what is kept for control records? Without it nothing else is taken in. */
bool vd_store_has_room(struct vd_store *);
/* Records over all groups, and bytes of the database file. VD_EKEY: the vault was forgotten. */
int vd_store_size(struct vd_store *, uint64_t *records, uint64_t *bytes);

/* The identity to show at the next admission: made on first need, the same until a join or founding uses it. */
int vd_store_next_identity(struct vd_store *, struct vd_identity *out);

/* Groups of this device. */
enum { VD_STORE_GROUPS_MAX = 64 };
int vd_store_groups(struct vd_store *, uint8_t (*groups)[VD_GROUP_BYTES], size_t *count);
/* Loads identity and control records. Caller frees with vd_group_free. VD_ENOTFOUND. */
int vd_store_group(struct vd_store *, const uint8_t group[VD_GROUP_BYTES], struct vd_group **out);
/* Adds control records that appeared since `*after` (arrival number, moved on) to the group: for long-lived holders. */
int vd_store_group_refresh(struct vd_store *, struct vd_group *, uint64_t *after);
/* When records of our identity in the group last came that this store did not write, by our clock: it was restored from a
 * backup, or copied. VD_ENOTFOUND: never. */
int vd_store_elsewhere(struct vd_store *, const uint8_t group[VD_GROUP_BYTES], const uint8_t author[VD_KEY_BYTES],
                       uint64_t *noticed_ms);
/* Founds: identity used, founding, epoch, grant and name records written, in one commit. */
int vd_store_found(struct vd_store *, const char *group_name, const char *member_name, uint64_t now_ms, uint8_t group[VD_GROUP_BYTES]);
/* Takes a group by the control records of a welcome, which must grant our next identity (VD_EKEY otherwise); one commit.
 * Of a group that we are in, only a later grant for the same identity is taken; else VD_EEXISTS, nothing changed. */
int vd_store_join(struct vd_store *, const uint8_t group[VD_GROUP_BYTES], struct vd_batch *control, const uint8_t grant[VD_ID_BYTES]);

/* Writing: one transaction, many records. Takes the writers' lock of all processes until ended: never wait for people or peers
 * in between. One at a time in a thread, which also calls no other function that writes meanwhile (VD_EBUSY). What is written
 * is held in memory until the commit. */
struct vd_write;
int vd_write_begin(struct vd_store *, struct vd_write **out);
/* What a person or program says. */
struct vd_draft {
	uint8_t lane;
	enum vd_audience audience;   /* ignored for control */
	struct vd_slice content;     /* canonical */
	uint64_t now_ms;             /* our clock; made monotonic per chain */
	bool has_expires;
	uint32_t expires_day;
	const uint8_t (*devices)[VD_KEY_BYTES]; /* VD_AUDIENCE_NAMED: to whom, 1 to VD_NAMED_SLOTS */
	size_t device_count;
	const struct vd_id *redacts; /* NULL: nothing. Only in the urgent lane */
	bool hands_keys;             /* as in vd_record_fields; only in the normal lane */
	const struct vd_part *part;  /* NULL: none. Only in the bulk lane */
};
/* Seals, signs, chains and stores one record of ours; control records are added to `group` too (and stay there when the
 * transaction fails: load the group anew). *id is its id. VD_EKEY: no identity or no epoch key; VD_EAUTHOR: not granted, or our role does not allow it;
 * VD_ECAP, VD_EINVAL, VD_ENOTFOUND as vd_body_seal, vd_group_seal_named, vd_record_create. Then nothing of it is written and the
 * transaction can go on. */
int vd_write_own(struct vd_write *, struct vd_group *, const struct vd_draft *, struct vd_id *id);
/* Position and counters that must move with the records: a named value, at most 4 KiB. Empty value: delete. */
int vd_write_note(struct vd_write *, const char *use, struct vd_slice key, struct vd_slice value);
/* Ends the transaction either way and frees it. commit: 0 = durable; first verifies the heads of what was written by
 * vd_write_own (authors verify what they sign). VD_ENOSPACE, VD_EIO. The map grows by itself: vd_write_* never return
 * "map full", the transaction is replayed. */
int vd_write_commit(struct vd_write *);
void vd_write_abort(struct vd_write *);
/* Appends the note's value to *out. VD_ENOTFOUND. */
int vd_store_note(struct vd_store *, const char *use, struct vd_slice key, struct vd_buf *out);

/* The devices to which a record that this store wrote is sealed by name: at most VD_NAMED_SLOTS. VD_ENOTFOUND: it is none, we are not among them
 * ourselves (then no trace is kept of who is), or its body went. VD_EDAMAGED. */
int vd_store_named(struct vd_store *, const struct vd_id *, uint8_t (*devices)[VD_KEY_BYTES], size_t *count);

/* Up to where a device is known to have our control records, by a session with it that ended with equal sets: an arrival number of
 * ours, which only grows. VD_ENOTFOUND: never. */
int vd_store_heard(struct vd_store *, const uint8_t group[VD_GROUP_BYTES], const uint8_t device[VD_KEY_BYTES], uint64_t *arrival);
/* Writes only when it moves. */
int vd_store_heard_set(struct vd_store *, const uint8_t group[VD_GROUP_BYTES], const uint8_t device[VD_KEY_BYTES], uint64_t arrival);

/* Merging what came. */
struct vd_merge {
	uint64_t fresh, known, filled;   /* new records; had already; stubs that got their body, and what was spoilt here */
	uint64_t refused;
	uint64_t pooled, declined;       /* by authors not known yet: wait in the pool; found no place there and must come again, or are beyond their
	                                  * author's share (shares.h) */
	uint64_t over_share;             /* of the declined, the latter */
	uint64_t later;                  /* of the new and the known: their body came, and waits as its author's share of the day is used up (shares.h) */
	uint64_t refused_why[32];        /* indexed by -enum vd_err */
	uint64_t first_arrival, last_arrival; /* of the fresh ones, 0 when none */
	uint64_t gaps;                   /* fresh ones with no predecessor, or one that was neither here nor came with them: it may have since */
};
void vd_merge_add(struct vd_merge *sum, const struct vd_merge *);
/* Verifies the batch against the group (chain.h) and commits what is valid; tries the pool again when control grew. Adds to
 * *merge. On VD_ENOSPACE/VD_EIO nothing of the batch is stored, but when it was the reserve that was reached (shares.h): then its
 * control records are. */
int vd_store_merge(struct vd_store *, struct vd_group *, struct vd_batch *, struct vd_merge *);
/* Only the second half: a batch that vd_chain_verify has judged already (as a session's is). */
int vd_store_commit(struct vd_store *, struct vd_group *, struct vd_batch *, struct vd_merge *);

/* Reading. Arrival numbers start at 1 and only grow. */
int vd_store_latest(struct vd_store *, uint64_t *arrival);
/* Why the body of the record under that number is not here. NOT: it is; YET: it did not come; WAITS: a bound of this device keeps it away (shares.h); PRUNED:
 * it went to make room, as others keep it. VD_ENOTFOUND, VD_EDAMAGED. */
enum vd_gone { VD_GONE_NOT, VD_GONE_YET, VD_GONE_WAITS, VD_GONE_REDACTED, VD_GONE_EXPIRED, VD_GONE_PRUNED };
int vd_store_gone(struct vd_store *, uint64_t arrival, enum vd_gone *out);
/* Numbers > after under which a record stands, ascending, at most `max`; what lies between them costs nothing. */
int vd_store_numbers(struct vd_store *, uint64_t after, uint64_t *numbers, size_t max, size_t *n);
/* The same of stubs whose body a redaction took; and of those whose body went because its day was over. */
int vd_store_redacted_numbers(struct vd_store *, const uint8_t group[VD_GROUP_BYTES], uint64_t after, uint64_t *numbers, size_t max, size_t *n);
int vd_store_expired_numbers(struct vd_store *, const uint8_t group[VD_GROUP_BYTES], uint64_t after, uint64_t *numbers, size_t max, size_t *n);
/* The last day that has its week of grace behind it by our clock, if that can be believed now (what went for it before the clock was set back may be wanted
 * again); 0: it cannot be. And is that record's body over by then? */
int vd_store_expired_through(struct vd_store *, const uint8_t group[VD_GROUP_BYTES], uint64_t now_ms, uint32_t *day);
bool vd_store_is_over(const struct vd_record *, uint32_t expired_through);
/* The same as of now, asked of the clock at most once a minute. What has its body here and is over is handed on as a stub: it would begin its time anew on each
 * device otherwise, and never go everywhere. A clock that goes back makes up for it: then the body is given to whoever wants it. */
bool vd_store_withholds(struct vd_store *, const struct vd_record *);
/* The same of one lane of a group, some perhaps spoilt. */
int vd_store_lane_numbers(struct vd_store *, const uint8_t group[VD_GROUP_BYTES], uint8_t lane, uint64_t after, uint64_t *numbers, size_t max,
                          size_t *n);
/* Copies the raw record into *raw (reset first), decodes it. received_ms (may be NULL): when it was stored, by our clock.
 * VD_ENOTFOUND; VD_EDAMAGED: its bytes are not what was stored. */
int vd_store_read(struct vd_store *, uint64_t arrival, struct vd_buf *raw, struct vd_record *out, uint64_t *received_ms);
int vd_store_find(struct vd_store *, const struct vd_id *, uint64_t *arrival);
/* By the first 6 or more hex digits. VD_EAMBIGUOUS, VD_ENOTFOUND; VD_EINVAL: fewer, or no hex. */
int vd_store_find_prefix(struct vd_store *, const char *hex, uint64_t *arrival);
/* Digest, wanted and (if symbols) the first n sketch symbols of a lane, of one moment. */
int vd_store_lane(struct vd_store *, const uint8_t group[VD_GROUP_BYTES], uint8_t lane, struct vd_lane_state *,
                  struct vd_symbol *symbols, size_t n);
/* How often since it was opened a record that was to go to others could not be read, here, in a bundle or a session: above 0 means that
 * the store is damaged (check.h) and they go without it. It may count one more than once. */
uint64_t vd_store_unread(struct vd_store *);
/* Fills in a port onto this store; valid while it is open. */
void vd_store_port(struct vd_store *, struct vd_port *);

/* A consistent walk over raw records in arrival order, for export: `visit` gets what is stored by now with arrival > after
 * (lane 255: all lanes; group NULL: all groups); non-zero stops the walk and is returned. No snapshot is held while it runs,
 * so it may read and write. VD_EDAMAGED: bytes of a record are not what was stored; it was left out, all others were visited. */
int vd_store_walk(struct vd_store *, const uint8_t *group, uint8_t lane, uint64_t after,
                  int (*visit)(void *ctx, uint64_t arrival, uint64_t received_ms, struct vd_slice raw), void *ctx);

/* Segments of sticks this store has read or written: name -> what they hold, a list of arrivals.h (may be NULL). *before (may be NULL): the store was
 * repaired since, and may have lost some of it. */
int vd_store_segment_known(struct vd_store *, const char *name, struct vd_buf *arrivals, bool *before);
int vd_store_segment_learn(struct vd_store *, const char *name, struct vd_slice arrivals);

#endif
