/* Sealed files: bundle, segment, welcome. PROTOCOL.md section 7. Bytes in, bytes out; files are store/bundle's. */
#ifndef VD_SEAL_H
#define VD_SEAL_H

#include "compact.h"
#include "id.h"
#include "limits.h"

enum vd_sealed_what { VD_SEALED_BUNDLE = 1, VD_SEALED_SEGMENT = 2, VD_SEALED_WELCOME = 3 };
enum vd_entry_type {
	VD_ENTRY_END = 0, VD_ENTRY_RECORD = 1, VD_ENTRY_MANIFEST = 2,
	VD_ENTRY_DAMAGED = 3, VD_ENTRY_REPLACED = 4, /* segments: the name of another one */
	VD_ENTRY_FOR = 5,                            /* the author key of a device that has a slot of its own */
	VD_ENTRY_GROUP = 6,                          /* first of every chunk but 0: whose records follow */
	VD_ENTRY_HEARING = 7,                        /* segments: what a device has heard (hearing.h) */
	VD_ENTRY_RECEIPT = 8,                        /* what a device holds (receipt.h) */
	VD_ENTRY_VOLUME = 9,                         /* bundles: one of several that were made together, VD_VOLUME_BYTES */
};
enum { VD_CHUNK_PLAIN = VD_CHUNK_BYTES - 16, VD_SEAL_SEED_BYTES = 32, VD_SEGMENT_ID_BYTES = 16 };
enum { VD_VOLUME_SET_BYTES = 16, VD_VOLUME_BYTES = VD_VOLUME_SET_BYTES + 4, VD_VOLUMES_MAX = 999 }; /* set ‖ u16 number, from 1 ‖ u16 count */
#define VD_SEALED_CHUNKS_MAX (UINT64_C(1) << 40) /* a file's length always fits 64 bits */

struct vd_manifest {
	enum vd_sealed_what what;
	uint8_t group[VD_GROUP_BYTES];
	uint64_t chunks, records;
	bool has_grant;
	uint8_t grant[VD_ID_BYTES];      /* welcome only */
	bool first_head_ok, last_head_ok;/* reading: whether the heads seen match the manifest */
};

/* Who may open it. */
struct vd_recipient {
	enum { VD_FOR_LINK, VD_FOR_DEVICE, VD_FOR_CARD } how;
	uint8_t link[VD_KEY_BYTES];      /* FOR_LINK, FOR_DEVICE: an epoch's link key */
	uint8_t author[VD_KEY_BYTES];    /* FOR_CARD: a newcomer, a paper key, whoever may know no link key */
	uint8_t box[VD_KEY_BYTES];       /* FOR_DEVICE, FOR_CARD */
};

/* Can anything be sealed to that box key? Somebody's may be none, to keep others from theirs. */
bool vd_seal_box_ok(const uint8_t box[VD_KEY_BYTES]);

/* What a reader may open with. Link slots are tried first, with every key; then device slots, masked by the identity's card and by the
 * oldest VD_MASKS_OLDEST and newest VD_MASKS_NEWEST of the keys: each try costs an X25519. */
struct vd_opener {
	const uint8_t *links;               /* link_count keys of VD_KEY_BYTES, one after the other, newest first */
	size_t link_count;
	const struct vd_identity *identity; /* NULL: link slots only */
};

/* Writer. The manifest stands in the first chunk and counts what follows, so the caller announces it up front. */
struct vd_sealer;
/* `seed` is 32 fresh random bytes; everything in the file follows from it, so no two files may share one. Of the manifest what,
 * group, chunks, records and grant are read. VD_ECAP: over VD_SLOTS recipients. VD_EINVAL: a manifest or box key that makes no
 * sense. */
int vd_sealer_new(const struct vd_manifest *, const struct vd_recipient *, size_t count,
                  const uint8_t seed[VD_SEAL_SEED_BYTES], struct vd_sealer **out);
void vd_sealer_free(struct vd_sealer *);
/* How many chunks entries of these lengths take is found by a planner that mirrors the writer. */
struct vd_seal_plan {
	uint64_t chunks;   /* full so far */
	size_t used;       /* bytes of the current chunk */
};
void vd_seal_plan_start(struct vd_seal_plan *, enum vd_sealed_what);
void vd_seal_plan_entry(struct vd_seal_plan *, size_t bytes);
/* A record, as vd_sealer_record will write it; of the record is read what vd_compact_measure reads. `stream` is one that nothing else
 * stands in, and the same for all of the plan. VD_ENOMEM. */
int vd_seal_plan_record(struct vd_seal_plan *, struct vd_compact *stream, const struct vd_record *);
uint64_t vd_seal_plan_chunks(const struct vd_seal_plan *);
/* Appends to *out whatever bytes of the file are complete (head first, then whole chunks). The manifest's own entry is there
 * already. VD_ECAP: entry over VD_COMPACT_MAX; VD_EINVAL: does not match the announced plan, or a type that is not the caller's to write. */
int vd_sealer_entry(struct vd_sealer *, enum vd_entry_type, struct vd_slice bytes, struct vd_buf *out);
/* The next record, in its compact form: each chunk is a stream of its own, so that it can be read alone. */
int vd_sealer_record(struct vd_sealer *, const struct vd_record *, struct vd_buf *out);
int vd_sealer_finish(struct vd_sealer *, struct vd_buf *out);

/* Where things stand in a file of `size` bytes: chunk i starts at VD_HEAD_BYTES + i * VD_CHUNK_BYTES, *chunks whole ones are
 * there. True when a whole file may have that size: then its last VD_HEAD_BYTES are the last head. */
bool vd_sealed_layout(uint64_t size, uint64_t *chunks);
uint64_t vd_sealed_bytes(uint64_t chunks);

/* Reader: opens chunks by number, in any order, so that a damaged or half-carried file gives back what is whole. */
struct vd_unsealer;
/* `first` and `last` are the two heads as found (either may be empty when the file has no room for it). VD_EKEY: none of our
 * keys opens either. */
int vd_unsealer_new(struct vd_slice first, struct vd_slice last, const struct vd_opener *, struct vd_unsealer **out);
void vd_unsealer_free(struct vd_unsealer *);
/* The number of the link key that opened it; VD_NO_LINK: a device slot did. */
#define VD_NO_LINK SIZE_MAX
size_t vd_unsealer_link(const struct vd_unsealer *);
/* Opens chunk i into plain (VD_CHUNK_PLAIN bytes, undefined on error); *is_last tells whether it is the final one. VD_ESIGNATURE: damaged. */
int vd_unsealer_chunk(struct vd_unsealer *, uint64_t i, const uint8_t chunk[VD_CHUNK_BYTES], uint8_t *plain, bool *is_last);
/* Entries of an opened chunk. *bytes borrows from it. 0, VD_ENOTFOUND at the end, VD_EFORMAT. */
int vd_chunk_entry(struct vd_rd *, uint8_t *type, struct vd_slice *bytes);
/* One of several files that were made together. */
struct vd_volume {
	uint8_t set[VD_VOLUME_SET_BYTES];
	uint16_t number, count;          /* 1 to count, at most VD_VOLUMES_MAX; count 0: it is none */
};
/* An entry's. VD_EFORMAT: *out is none. */
int vd_volume_decode(struct vd_slice, struct vd_volume *out);
/* To be told every entry of a chunk but records: one that says whose records follow begins the stream of these. */
void vd_chunk_stream(struct vd_compact *, uint8_t type, struct vd_slice bytes);
/* Decodes the manifest entry and compares its head hashes with the heads given to vd_unsealer_new. VD_EFORMAT, VD_EVERSION. */
int vd_unsealer_manifest(const struct vd_unsealer *, struct vd_slice entry, struct vd_manifest *out);

#endif
