/* Rows of a file to be loaded, CSV or NDJSON, one at a time and in bounded memory. */
#ifndef VD_ROWS_H
#define VD_ROWS_H

#include <jansson.h>

#include "csv.h"
#include "messages.h"

enum vd_rows_format { VD_ROWS_GUESS, VD_ROWS_CSV, VD_ROWS_NDJSON };

enum { VD_ROW_MAX = 1024 * 1024 }; /* bytes of one row; a record holds 63 KiB, so that no good row is longer */

struct vd_row {
	uint64_t number;          /* as a spreadsheet counts: a CSV's header is row 1. NDJSON: line number */
	uint64_t line;            /* of the file, where it starts */
	enum vd_msg bad;          /* why it cannot be read, VD_MSG_NONE when it can */
	bool unfinished;          /* the file ends behind it, without a line end: it may be growing */
	struct vd_slice raw;      /* without line end; of a bad row what could be held */
	const struct vd_csv_row *cells; /* CSV */
	const json_t *object;     /* NDJSON */
};

struct vd_rows;

/* `fd` is a seekable file, borrowed. Detects the format, passes a byte order mark, reads a CSV's header.
 * VD_ENOTFOUND: nothing in it. VD_EFORMAT: the header is no CSV or no UTF-8. VD_EIO, VD_ENOMEM. */
int vd_rows_new(int fd, enum vd_rows_format, struct vd_rows **out);
void vd_rows_free(struct vd_rows *); /* NULL is fine */
enum vd_rows_format vd_rows_format(const struct vd_rows *);
/* CSV: the columns' names, valid until free. NDJSON: none. */
const struct vd_slice *vd_rows_columns(const struct vd_rows *, size_t *count);
/* Next row, borrowed until the next call: 1, 0 at the end, VD_EIO, VD_ENOMEM. Empty lines are no rows, but are counted. */
int vd_rows_next(struct vd_rows *, struct vd_row *out);
/* Back to the first row. */
void vd_rows_rewind(struct vd_rows *);

#endif
