/* Rows of a CSV text as RFC 4180 has them: quotes, doubled quotes, line breaks in quoted fields, CRLF or LF. Bytes in, cells out;
 * who reads the file stands in rows.h. */
#ifndef VD_CSV_H
#define VD_CSV_H

#include "proto/bytes.h"

/* One row. Cells borrow from the input or from `room`, until the next call. All zero is a valid empty row. */
struct vd_csv_row {
	struct vd_slice *cells;
	size_t count, capacity;
	struct vd_buf room;     /* what quoted cells say, once unquoted */
	struct vd_slice raw;    /* the row's bytes without its line end */
};

void vd_csv_row_deinit(struct vd_csv_row *);

/* Takes the row at the start of `in`; `end`: nothing comes behind these bytes. *used says how many bytes it was, line end included,
 * and *lines how many line ends.
 *   1          a row
 *   0          nothing left (in is empty and end)
 *   VD_EAGAIN  give more bytes (never when end); *used is 0
 *   VD_EFORMAT the line at the start is no CSV: a stray quote, an open one. *used passes that one line only, so that a
 *              forgotten quote costs one row and not the rest of the file; raw is that line
 *   VD_ENOMEM */
int vd_csv_next(struct vd_slice in, bool end, char comma, struct vd_csv_row *, size_t *used, size_t *lines);

/* Where a row ends that is looked at piece by piece: how much of it *used and how many line ends it added to *lines in this piece.
 * VD_EAGAIN: go on with what comes behind those bytes (a last CR may be left over). 1: the row ends there, line end included.
 * VD_EFORMAT: it is no CSV, whatever comes. All zero is the start of a row. */
enum vd_csv_state { VD_CSV_CELL_START, VD_CSV_PLAIN, VD_CSV_QUOTED, VD_CSV_QUOTE_IN_QUOTED };
struct vd_csv_scan {
	enum vd_csv_state state;
};
int vd_csv_scan(struct vd_csv_scan *, struct vd_slice in, bool end, char comma, size_t *used, size_t *lines);

/* ',' unless the first line has none outside quotes and has ';' or a tab: spreadsheets of half the world write those. */
char vd_csv_guess_comma(struct vd_slice in);

#endif
