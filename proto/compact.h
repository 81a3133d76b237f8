/* The compact form of a record: what the reader of a stream of records knows or can compute is left out. PROTOCOL.md section 3.
 *
 * Writer and reader of a stream each keep a context, and both move alike: it knows the group, the last VD_COMPACT_AUTHORS authors that
 * stood in the stream, and of each in each lane the last record. A direction of a session is one stream, a chunk of a sealed file
 * another. A context is cheap: nothing is allocated before the first author, 256 bytes each after that. */
#ifndef VD_COMPACT_H
#define VD_COMPACT_H

#include "record.h"

enum {
	VD_COMPACT_AUTHORS = 256,            /* one byte names them; the 257th takes the place of the first */
	VD_COMPACT_MAX = 1 + VD_RECORD_MAX,  /* bytes: the whole record behind a flag */
};

/* The last record of one author and lane in the stream. seq 0: there was none. */
struct vd_compact_last {
	struct vd_id id;
	uint64_t seq, time_ms;
};

struct vd_compact_author {
	uint8_t key[VD_KEY_BYTES];
	struct vd_compact_last last[VD_LANES];
};

struct vd_compact {
	uint8_t group[VD_GROUP_BYTES];
	struct vd_compact_author *authors;   /* by number; owned */
	size_t capacity;
	uint64_t seen;                       /* keys that stood in the stream; the next gets number seen % VD_COMPACT_AUTHORS */
	uint64_t starts[VD_COMPACT_AUTHORS]; /* how each key starts, to find it fast */
};

/* A stream that nothing stood in yet. */
void vd_compact_init(struct vd_compact *, const uint8_t group[VD_GROUP_BYTES]);
/* The same again, of that group, keeping the memory. */
void vd_compact_reset(struct vd_compact *, const uint8_t group[VD_GROUP_BYTES]);
void vd_compact_deinit(struct vd_compact *);
/* An author that stands in the stream from now on, though no record of theirs did. VD_ENOMEM: as before. */
int vd_compact_know(struct vd_compact *, const uint8_t author[VD_KEY_BYTES]);
/* Room for all authors at once, for who can have no more memory later. VD_ENOMEM. */
int vd_compact_reserve(struct vd_compact *);

/* Appends the compact form of the stream's next record to *out: at most one byte more than the record. Needs the fields and id as
 * vd_record_view gives them. VD_ENOMEM: *out and the context as before. */
int vd_compact_encode(struct vd_compact *, const struct vd_record *, struct vd_buf *out);
/* Reads the stream's next record: appends it to *out, and gives the view, as vd_record_decode would, whose slices borrow from *out until
 * that grows. The body's hash and the id are computed here, and need not be again; the signature is not verified.
 * VD_EFORMAT: no compact form; or VD_EFORMAT, VD_ECAP, VD_ESIGNATURE: a whole record behind the flag that vd_record_decode refuses.
 * VD_ENOMEM. On error *out and the context are as before. */
int vd_compact_decode(struct vd_compact *, struct vd_slice in, struct vd_buf *out, struct vd_record *);

/* The whole record behind its flag, which any stream takes and which moves no context: as vd_compact_encode writes what has no shorter form. */
void vd_compact_put_whole(struct vd_slice raw, struct vd_buf *out);
/* Has it none in a stream of that group? */
bool vd_compact_stands_whole(const uint8_t group[VD_GROUP_BYTES], const struct vd_record *);
/* Is it that flag? */
bool vd_compact_is_whole(struct vd_slice in);

/* As vd_compact_encode, but says only how many bytes it would append: for who must know lengths before writing. Of the record it looks at no
 * slice but for the lengths of raw, ext and body, and of author, id and prev only at whether they are the same. */
int vd_compact_measure(struct vd_compact *, const struct vd_record *, size_t *bytes);

#endif
