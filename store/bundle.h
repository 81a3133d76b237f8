/* Sealed files on disk: writing bundles, segments and welcomes from a store, and merging them back. PROTOCOL.md section 7. */
#ifndef VD_BUNDLE_H
#define VD_BUNDLE_H

#include "proto/seal.h"
#include "store.h"

struct vd_bundle_stats {
	uint64_t records, bytes;
	uint64_t chunks_ok, chunks_bad;
	uint64_t bytes_bad;
	bool head_bad;        /* one of the two heads is damaged */
	bool torn;            /* the end is missing */
	struct vd_manifest manifest;
	struct vd_merge merge;
};

/* What goes in: NULL `arrivals` means every record of the group for which `want` (may be NULL) says yes. */
struct vd_bundle_choice {
	const uint64_t *arrivals;
	size_t count;
	bool (*want)(void *ctx, uint64_t arrival, const struct vd_record *);
	void *ctx;
};

/* Writes one sealed file, in lane order, readable by everyone with the group's current link key. Whole or not there.
 * path "-": standard output. */
int vd_bundle_write(struct vd_store *, struct vd_group *, enum vd_sealed_what, const struct vd_bundle_choice *, const char *path,
                    bool read_back, struct vd_bundle_stats *);
/* The welcome for a newcomer: all control records, sealed to that card. */
int vd_welcome_write(struct vd_store *, struct vd_group *, const struct vd_card *, const struct vd_id *grant, const char *path);
/* Opens a welcome sealed to our next identity; fills the batch with its control records. VD_EKEY: not for this device. */
int vd_welcome_read(struct vd_store *, const char *path, uint8_t group[VD_GROUP_BYTES], uint8_t grant[VD_ID_BYTES], struct vd_batch *control);

/* Reads one sealed file and merges every whole chunk. `dry_run`: verifies and counts, stores nothing. path "-": standard input.
 * arrivals (may be NULL): appends the arrival numbers of what the file holds, ascending, as delta varints.
 *   0           all of it
 *   VD_ETORN    the end is missing; what is whole was merged
 *   VD_EDAMAGED damaged chunks or head; the others were merged (stats say how much)
 *   VD_EKEY     none of this device's keys opens it: not for us, or no bundle; nothing changed
 *   VD_EFORMAT  empty or too short to be one; VD_ENOSPACE, VD_EIO */
int vd_bundle_merge(struct vd_store *, const char *path, bool dry_run, struct vd_buf *arrivals, struct vd_bundle_stats *);

#endif
