#include "rows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto/err.h"

enum { READ_BYTES = 256 * 1024 };

struct vd_rows {
	int fd;
	enum vd_rows_format format;
	char comma;
	uint8_t *window;        /* VD_ROW_MAX + READ_BYTES of the file */
	size_t at, n;           /* what of it is not taken yet */
	uint64_t offset;        /* in the file, behind the window */
	uint64_t start;         /* in the file, of the first row */
	uint64_t start_line;
	bool end;               /* the file has no more than the window */
	bool gave_line;         /* the last row's line still has to be passed: it is longer than the window */
	uint64_t gave_bytes, gave_lines; /* the last row, longer than the window, still has to be passed */
	uint64_t number, line;
	struct vd_csv_row cells;
	struct vd_slice *columns;
	struct vd_buf names;
	size_t column_count;
	json_t *object;
};

/* Moves what is left to the front and reads more behind it. */
static int refill(struct vd_rows *r)
{
	memmove(r->window, r->window + r->at, r->n);
	r->at = 0;
	while (!r->end && r->n < VD_ROW_MAX) {
		ssize_t got = pread(r->fd, r->window + r->n, READ_BYTES, (off_t)r->offset);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return errno == ENOMEM ? VD_ENOMEM : VD_EIO;
		r->end = got == 0;
		r->n += (size_t)got;
		r->offset += (uint64_t)got;
		if (got > 0)
			break;
	}
	return 0;
}

static struct vd_slice window(const struct vd_rows *r)
{
	return vd_slice(r->window + r->at, r->n);
}

static void take(struct vd_rows *r, size_t n)
{
	r->at += n;
	r->n -= n;
}

/* Passes to behind the next line end, however far it is. */
static int skip_line(struct vd_rows *r)
{
	for (;;) {
		const uint8_t *nl = memchr(r->window + r->at, '\n', r->n);
		int rc;

		if (nl) {
			take(r, (size_t)(nl - (r->window + r->at)) + 1);
			r->line++;
			return 0;
		}
		take(r, r->n);
		if (r->end)
			return 0;
		rc = refill(r);
		if (rc)
			return rc;
	}
}

/* One line, as vd_csv_next takes a row. */
static int next_line(struct vd_slice in, bool end, struct vd_slice *raw, size_t *used, size_t *lines)
{
	const uint8_t *nl = memchr(in.p, '\n', in.n);
	size_t n = nl ? (size_t)(nl - in.p) : in.n;

	*used = 0;
	*lines = nl ? 1 : 0;
	if (!nl && !end)
		return VD_EAGAIN;
	if (!in.n)
		return 0;
	*used = nl ? n + 1 : n;
	*raw = vd_slice(in.p, n > 0 && in.p[n - 1] == '\r' ? n - 1 : n);
	return 1;
}

/* How long is a row that the window does not hold whole? Quotes hold to their end, however far that is. 1: *bytes and *lines of it,
 * VD_EFORMAT: no CSV, so that only its first line is passed. */
static int measure(struct vd_rows *r, uint64_t *bytes, uint64_t *lines)
{
	struct vd_csv_scan scan = { VD_CSV_CELL_START };
	uint64_t at = r->offset - r->n;
	uint8_t *piece = malloc(READ_BYTES);
	int rc = piece ? VD_EAGAIN : VD_ENOMEM;

	*bytes = *lines = 0;
	while (rc == VD_EAGAIN) {
		size_t used = 0, passed = 0;
		ssize_t got = pread(r->fd, piece, READ_BYTES, (off_t)(at + *bytes));

		if (got < 0 && errno == EINTR)
			continue;
		/* A single CR may be all that is left of a piece: the next one holds what follows it, or nothing does. */
		rc = got < 0 ? VD_EIO : vd_csv_scan(&scan, vd_slice(piece, (size_t)got), got < 2, r->comma, &used, &passed);
		*bytes += used;
		*lines += passed;
	}
	free(piece);
	return rc;
}

/* A row longer than any may be: it costs itself alone, or when its quotes never close its first line alone. */
static int pass_over(struct vd_rows *r, struct vd_slice *raw, size_t *used, size_t *lines)
{
	const uint8_t *nl;
	int rc = measure(r, &r->gave_bytes, &r->gave_lines);

	*raw = vd_slice(r->window + r->at, VD_ROW_MAX);
	if (rc == 1)
		return VD_ECAP;
	r->gave_bytes = r->gave_lines = 0;
	if (rc != VD_EFORMAT)
		return rc;
	nl = memchr(r->window + r->at, '\n', r->n);
	r->gave_line = !nl;
	if (!nl)
		return VD_ECAP;
	*raw = vd_slice(r->window + r->at, (size_t)(nl - (r->window + r->at)));
	*used = raw->n + 1;
	*lines = 1;
	return VD_EFORMAT;
}

/* The bytes of the next row in *raw: 1, 0, VD_EFORMAT (no CSV; *raw is its line), VD_ECAP (longer than any row may be). */
static int next_raw(struct vd_rows *r, struct vd_slice *raw, size_t *used, size_t *lines)
{
	for (;;) {
		bool full = r->n >= VD_ROW_MAX;
		int rc;

		if (r->format == VD_ROWS_NDJSON)
			rc = next_line(window(r), r->end, raw, used, lines);
		else {
			rc = vd_csv_next(window(r), r->end, r->comma, &r->cells, used, lines);
			*raw = r->cells.raw;
		}
		if (rc != VD_EAGAIN)
			return rc;
		if (full && r->format == VD_ROWS_CSV)
			return pass_over(r, raw, used, lines);
		if (full) {
			*raw = vd_slice(r->window + r->at, VD_ROW_MAX);
			r->gave_line = true;
			return VD_ECAP;
		}
		rc = refill(r);
		if (rc)
			return rc;
	}
}

static bool white(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool blank(struct vd_slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!white(s.p[i]))
			return false;
	return true;
}

static enum vd_msg parse_object(struct vd_rows *r, struct vd_slice raw)
{
	json_error_t error;

	json_decref(r->object);
	r->object = NULL;
	if (!vd_utf8_ok(raw))
		return VD_MSG_LOAD_ROW_UTF8;
	r->object = json_loadb((const char *)raw.p, raw.n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
	if (!r->object)
		return VD_MSG_LOAD_ROW_JSON;
	return json_is_object(r->object) ? VD_MSG_NONE : VD_MSG_LOAD_ROW_OBJECT;
}

static enum vd_msg judge(struct vd_rows *r, int rc, struct vd_slice raw)
{
	if (rc == VD_ECAP)
		return VD_MSG_LOAD_ROW_LONG;
	if (rc == VD_EFORMAT)
		return VD_MSG_LOAD_ROW_CSV;
	if (r->format == VD_ROWS_NDJSON)
		return parse_object(r, raw);
	if (!vd_utf8_ok(raw))
		return VD_MSG_LOAD_ROW_UTF8;
	return r->column_count && r->cells.count != r->column_count ? VD_MSG_LOAD_ROW_RAGGED : VD_MSG_NONE;
}

int vd_rows_next(struct vd_rows *r, struct vd_row *out)
{
	memset(out, 0, sizeof *out);
	for (;;) {
		struct vd_slice raw = { 0 };
		size_t used = 0, lines = 0;
		int rc;

		if (r->gave_line) {
			r->gave_line = false;
			rc = skip_line(r);
			if (rc)
				return rc;
		}
		if (r->gave_bytes) {
			r->offset = r->offset - r->n + r->gave_bytes;
			r->line += r->gave_lines;
			r->gave_bytes = r->gave_lines = 0;
			r->at = r->n = 0;
			r->end = false;
		}
		rc = next_raw(r, &raw, &used, &lines);
		if (rc != 1 && rc != VD_EFORMAT && rc != VD_ECAP)
			return rc;
		out->line = r->line + 1;
		out->number = ++r->number;
		if (rc != VD_ECAP) { /* else the window still holds `raw` */
			take(r, used);
			r->line += lines;
		}
		if (rc == 1 && (raw.n == 0 || (r->format == VD_ROWS_NDJSON && blank(raw))))
			continue;
		out->raw = raw;
		out->unfinished = rc != VD_ECAP && raw.n == used;
		out->bad = judge(r, rc, raw);
		out->cells = r->format == VD_ROWS_CSV ? &r->cells : NULL;
		out->object = r->object;
		return 1;
	}
}

/* Copies the header's cells, which would be gone with the next row. */
static int keep_columns(struct vd_rows *r)
{
	size_t at = 0;

	r->columns = calloc(r->cells.count, sizeof *r->columns);
	if (!r->columns)
		return VD_ENOMEM;
	for (size_t i = 0; i < r->cells.count; i++)
		vd_buf_put_slice(&r->names, r->cells.cells[i]);
	if (vd_buf_check(&r->names))
		return VD_ENOMEM;
	for (size_t i = 0; i < r->cells.count; i++) {
		r->columns[i] = vd_slice(r->names.p ? r->names.p + at : (const uint8_t *)"", r->cells.cells[i].n);
		at += r->cells.cells[i].n;
	}
	r->column_count = r->cells.count;
	return 0;
}

static int start(struct vd_rows *r)
{
	struct vd_row header;
	size_t first = 0;
	int rc = refill(r);

	if (rc)
		return rc;
	if (r->n >= 3 && memcmp(r->window, "\xef\xbb\xbf", 3) == 0)
		take(r, 3);
	for (;;) {
		while (first < r->n && white(r->window[r->at + first]))
			first++;
		if (first < r->n || r->n >= VD_ROW_MAX)
			break;
		if (r->end)
			return VD_ENOTFOUND;
		rc = refill(r);
		if (rc)
			return rc;
	}
	if (r->format == VD_ROWS_GUESS)
		r->format = first < r->n && r->window[r->at + first] == '{' ? VD_ROWS_NDJSON : VD_ROWS_CSV;
	if (r->format == VD_ROWS_CSV) {
		r->comma = vd_csv_guess_comma(window(r));
		rc = vd_rows_next(r, &header);
		if (rc < 0)
			return rc;
		if (rc == 0)
			return VD_ENOTFOUND;
		if (header.bad)
			return VD_EFORMAT;
		rc = keep_columns(r);
		if (rc)
			return rc;
		r->number = 1; /* however many empty lines stood before it */
	}
	r->start = r->offset - r->n;
	r->start_line = r->line;
	return 0;
}

int vd_rows_new(int fd, enum vd_rows_format format, struct vd_rows **out)
{
	struct vd_rows *r = calloc(1, sizeof *r);
	int rc = VD_ENOMEM;

	if (!r)
		return VD_ENOMEM;
	r->fd = fd;
	r->format = format;
	r->window = malloc(VD_ROW_MAX + READ_BYTES);
	if (r->window)
		rc = start(r);
	if (rc) {
		vd_rows_free(r);
		return rc;
	}
	*out = r;
	return 0;
}

void vd_rows_free(struct vd_rows *r)
{
	if (!r)
		return;
	json_decref(r->object);
	vd_csv_row_deinit(&r->cells);
	vd_buf_deinit(&r->names);
	free(r->columns);
	free(r->window);
	free(r);
}

enum vd_rows_format vd_rows_format(const struct vd_rows *r)
{
	return r->format;
}

const struct vd_slice *vd_rows_columns(const struct vd_rows *r, size_t *count)
{
	*count = r->column_count;
	return r->columns;
}

void vd_rows_rewind(struct vd_rows *r)
{
	r->at = r->n = 0;
	r->offset = r->start;
	r->end = r->gave_line = false;
	r->gave_bytes = r->gave_lines = 0;
	r->line = r->start_line;
	r->number = r->format == VD_ROWS_CSV ? 1 : 0;
}
