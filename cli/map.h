/* Which column of a table fills which field of a record. */
#ifndef VD_MAP_H
#define VD_MAP_H

#include "cli.h"
#include "rows.h"

struct vd_mapped {
	struct vd_slice field;      /* borrowed from the command line or the rows */
	struct vd_slice column;
	size_t index;               /* CSV */
};

struct vd_map {
	struct vd_mapped *items;
	size_t count;
};

/* What --map says, or every column of a CSV under its own name; empty: each object of an NDJSON file as it stands. 0 or an exit
 * code, having said what is wrong; deinit either way. */
int vd_map_make(struct vd_map *, struct vd_cli *, const struct vd_rows *);
void vd_map_deinit(struct vd_map *);

#endif
