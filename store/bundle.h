/* Sealed files on disk: writing bundles, segments and welcomes from a store, and merging them back. PROTOCOL.md section 7. */
#ifndef VD_BUNDLE_H
#define VD_BUNDLE_H

#include "arrivals.h"
#include "custody.h"
#include "proto/seal.h"
#include "store.h"

enum { VD_BUNDLE_HEAD_NOTED = 8 }; /* bytes, of the salt */

/* Of one of our groups, by its place among those loaded, that opens a file. */
struct vd_bundle_key {
	size_t place;
	bool by_link;         /* the link key of this epoch, as everyone has whom that is sealed to; else our own slot in it */
	uint8_t epoch[VD_EPOCH_BYTES];
	uint8_t heads[2][VD_BUNDLE_HEAD_NOTED]; /* how its two heads begin, as no other file's do; zeros: not known */
};

struct vd_bundle_stats {
	uint64_t records, bytes; /* written; or found in whole chunks, and bytes of the file */
	uint64_t filled;      /* writing: of the records, those that came with a fill */
	uint64_t files;       /* written */
	uint64_t receipts;    /* written, in each */
	uint64_t beside;      /* reading: entries beside receipts that counted and what each file has; of a type nobody here knows, too */
	uint64_t left;        /* writing: records and `replaced` names that were chosen, but are over max_bytes */
	bool unreadable;      /* writing: the file stands, without records of the store that are spoilt */
	uint64_t chunks_ok, chunks_bad;
	uint64_t bytes_bad;
	bool head_bad;        /* one of the two heads is damaged, or something stands behind the last */
	bool torn;            /* the end is missing */
	bool at_reserve;      /* vd_bundle_merge_into: VD_ENOSPACE, as the copy of what came through a pipe would take what is kept free of the disk (shares.h) */
	const struct vd_group *group; /* vd_bundle_merge_into: whose keys open it; NULL: none's */
	struct vd_bundle_key key;     /* if it is somebody's */
	struct vd_manifest manifest; /* reading: chunks is 0 while the chunk that holds it is damaged or missing */
	struct vd_volume volume;     /* reading: what it says of itself */
	struct vd_merge merge;
};

/* Another segment's records, that may go in too: all or none, where they take no chunk more than the others do. */
struct vd_bundle_fill {
	struct vd_slice list;        /* of arrivals.h: none goes in unless each of them is here, and with its body where the list has that, unless a redaction took it or its day is over */
	struct vd_slice damaged, replaced; /* names that go in with them, as below */
	bool with_receipts;          /* and only where the receipts that were chosen go in: some of them stood there */
	bool taken;                  /* gets whether they did */
};

/* What goes in: NULL `arrivals` means every record of the group for which `want` (may be NULL) says yes. Numbers that
 * stand for nothing, or for another group's record, are passed over. */
struct vd_bundle_choice {
	const uint64_t *arrivals;
	size_t count;
	bool (*want)(void *ctx, uint64_t arrival, const struct vd_record *);
	void *ctx;
	uint64_t max_bytes;          /* of the file: the first in lane order that fit; 0: no bound */
	bool all_of_it;              /* or nothing: VD_ENOSPACE, with stats->left */
	/* Of bundles: one for each so many bytes, path.001 and on (vd_volume_path); 0: one of any size. Each is whole and opens alone; who took in some
	 * is told which are lacking (volumes.h). At least VD_VOLUME_LEAST. */
	uint64_t volume_bytes;
	/* Segments: names of others, VD_SEGMENT_ID_BYTES each. Those of `replaced` go in only with the last of the records. */
	struct vd_slice damaged, replaced;
	struct vd_bundle_fill *fills; /* in this order, once all that was chosen has gone in */
	size_t fill_count;
	uint32_t expired_through;    /* what expired up to that day stands without its body (vd_store_expired_through); 0: as of now (vd_store_withholds) */
	bool shed;                   /* the first of them may take as many chunks as it needs, and without it nothing is written (VD_ENOTFOUND) */
	struct vd_slice hearing;     /* of a segment: an entry 7 (hearing.h), or nothing; alone only where no records were chosen (count is 0) */
	const struct vd_slice *receipts; /* entries 8 (receipt.h), in each file; in a segment as a hearing, alone only where no records were chosen */
	size_t receipt_count;
	bool receipts_spare;         /* they go in only where they take no chunk more, and no record's place; stats->receipts tells */
	struct vd_arrivals *written; /* NULL, or gets what was written once it is durable */
	/* To whom: NULL is everyone with the link key. Else these devices (author keys, at most VD_SLOTS - 1) and, so that we can read it
	 * back, our own; with `for_link` everyone instead of our own; with `name_them` the file says who they are to those who open it.
	 * Unless they are named, paper keys have a slot as well, as far as there is room. */
	const uint8_t (*devices)[VD_KEY_BYTES];
	size_t device_count;
	bool for_link, name_them;
	bool control;                /* every control record of the group and nothing else; VD_ENOSPACE when they are over max_bytes */
	bool (*stop)(void);          /* asked now and then; true: VD_ECLOSED, and nothing is there. NULL: never */
};

enum { VD_VOLUME_LEAST = 256 * 1024 }; /* bytes: any record fits beside what must stand there */
/* The caller's, to free. NULL: no memory. */
char *vd_volume_path(const char *path, size_t number);
/* Writes one sealed file, in lane order, readable by everyone with the link key of the epoch to write with, unless the choice says for whom. Whole or not there.
 * path "-": standard output. VD_ENOTFOUND: a segment that would hold neither a record nor a name nor a hearing nor a receipt. VD_EINVAL: a device that is none of the
 * group's, or whose box key is none (vd_seal_box_ok). VD_ENOSPACE: not even one chunk fits. VD_EKEY: no link
 * key. VD_EAGAIN: a body was dropped meanwhile. VD_EDAMAGED: with stats->unreadable it is written, all but what the store could not
 * read; else the medium gave back other bytes, and nothing stands there. Memory: 64 bytes a record. Volumes stand all
 * or none: they get their names when all of them are written, and where that fails, those that did are removed again. VD_ECAP: more than VD_VOLUMES_MAX. VD_ENOSPACE: a record has no room in any. */
int vd_bundle_write(struct vd_store *, struct vd_group *, enum vd_sealed_what, const struct vd_bundle_choice *, const char *path,
                    bool read_back, struct vd_bundle_stats *);
/* The welcome for a newcomer: all control records, sealed to that card. */
int vd_welcome_write(struct vd_store *, struct vd_group *, const struct vd_card *, const struct vd_id *grant, const char *path);
/* Opens a welcome sealed to our next identity, or to one that we used already; fills the batch with its control records. Taken whole
 * or not at all. VD_EKEY: not for this device; VD_EFORMAT: no welcome; VD_ETORN, VD_EDAMAGED. */
int vd_welcome_read(struct vd_store *, const char *path, uint8_t group[VD_GROUP_BYTES], uint8_t grant[VD_ID_BYTES], struct vd_batch *control);

/* Opens any bundle, segment or welcome that has a slot for this identity's card (a paper key's, say), and adds its control records to the
 * batch, unjudged. VD_EKEY: no such slot; VD_ETORN, VD_EDAMAGED: adds what is whole, whose group it is may be unknown then and nothing
 * added; or as vd_bundle_merge. */
int vd_bundle_control_read(struct vd_store *, const char *path, const struct vd_identity *, uint8_t group[VD_GROUP_BYTES],
                           struct vd_batch *control);

/* Reads one sealed file and merges every whole chunk. `dry_run`: verifies and counts, stores nothing. path "-": standard input.
 * arrivals (may be NULL): adds what the file holds of our set.
 *   0           all of it
 *   VD_ETORN    the end is missing; what is whole was merged
 *   VD_EDAMAGED damaged chunks or head; the others were merged (stats say how much)
 *   VD_EKEY     none of this device's keys opens it: not for us, or no bundle; nothing changed
 *   VD_EFORMAT  empty or too short to be one; VD_EVERSION, VD_EGROUP (its maker put another group's name on it): nothing changed
 *   VD_ENOTFOUND, VD_ENOSPACE, VD_EIO
 * Receipts in it are kept (vd_custody_keep) once its records are stored: the first VD_BUNDLE_RECEIPTS. Memory: one batch and one chunk, whatever its
 * size, and the receipts. */
enum { VD_BUNDLE_RECEIPTS = 256, VD_BUNDLE_RECEIPT_BYTES = 1024 * 1024 };
int vd_bundle_merge(struct vd_store *, const char *path, bool dry_run, struct vd_arrivals *arrivals, struct vd_bundle_stats *);

/* What came otherwise, a few records in one batch: vd_store_merge, or what that would come to. */
int vd_batch_merge(struct vd_store *, struct vd_group *, struct vd_batch *, bool dry_run, struct vd_merge *);

/* For somebody who looks on while much is read: bytes of `all` that were, and records in them. */
struct vd_bundle_watch {
	void (*tell)(void *ctx, uint64_t done, uint64_t all, uint64_t records);
	void *ctx;
};
/* All groups of a store, for who reads or writes many files. */
struct vd_bundle_groups {
	struct vd_group *group[VD_STORE_GROUPS_MAX];
	size_t count;
	const struct vd_bundle_watch *watch; /* told after each chunk; NULL: nobody looks on */
	const struct vd_route *route; /* of the receipts in what is merged (custody.h); NULL: a file */
};
int vd_bundle_groups_load(struct vd_store *, struct vd_bundle_groups *);
void vd_bundle_groups_free(struct vd_bundle_groups *);
/* Removes from a stick's folder what this device began to write there as a member of any of the groups and nobody is writing any more. */
void vd_bundle_sweep(const char *folder, struct vd_bundle_groups *);
/* Gets the names a segment says are damaged or were replaced, and the devices it says it is for (may be NULL), some perhaps twice. */
struct vd_bundle_notices {
	void (*take)(void *ctx, enum vd_entry_type, const uint8_t id[VD_SEGMENT_ID_BYTES]);
	void (*take_for)(void *ctx, const uint8_t device[VD_KEY_BYTES]);
	void (*take_hearing)(void *ctx, struct vd_slice); /* not verified; may be NULL */
	void (*take_receipt)(void *ctx, struct vd_slice); /* likewise */
	void *ctx;
};
/* vd_bundle_merge with groups loaded before; control records that come are added to them. `notices` may be NULL. */
int vd_bundle_merge_into(struct vd_store *, struct vd_bundle_groups *, const char *path, bool dry_run, struct vd_arrivals *arrivals,
                         const struct vd_bundle_notices *notices, struct vd_bundle_stats *);
/* Looks at the two heads alone: which key opens either. VD_EKEY: none of ours. Or as above. */
int vd_bundle_whose(struct vd_store *, const struct vd_bundle_groups *, const char *path, struct vd_bundle_key *);
/* Of a file that was just written: fills in key->heads. VD_ENOTFOUND, VD_EIO, VD_EFORMAT. */
int vd_bundle_heads(const char *path, struct vd_bundle_key *);
/* Is it one file, as far as its heads tell? One of them may have gone bad since; and of what is not known anything may be. */
bool vd_bundle_same_heads(const struct vd_bundle_key *noted, const struct vd_bundle_key *found);

#endif
