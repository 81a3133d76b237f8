#include "csv.h"

#include <stdlib.h>
#include <string.h>

#include "proto/err.h"

void vd_csv_row_deinit(struct vd_csv_row *row)
{
	free(row->cells);
	vd_buf_deinit(&row->room);
	memset(row, 0, sizeof *row);
}

enum state { CELL_START, PLAIN, QUOTED, QUOTE_IN_QUOTED };

/* Where the row at the start ends: its bytes without line end in *raw, with it in *used. */
static int find_end(struct vd_slice in, bool end, char comma, size_t *raw, size_t *used, size_t *lines)
{
	enum state state = CELL_START;

	*lines = 0;
	for (size_t i = 0; i < in.n; i++) {
		char c = (char)in.p[i];

		if (state == QUOTED) {
			if (c == '"')
				state = QUOTE_IN_QUOTED;
			*lines += c == '\n';
			continue;
		}
		if (c == '"') {
			if (state == PLAIN)
				return VD_EFORMAT;
			state = QUOTED; /* opens, or was doubled */
		} else if (c == comma) {
			state = CELL_START;
		} else if (c == '\n') {
			*raw = i > 0 && in.p[i - 1] == '\r' ? i - 1 : i;
			*used = i + 1;
			*lines += 1;
			return 1;
		} else if (c == '\r' && i + 1 < in.n && in.p[i + 1] == '\n') {
			continue;
		} else if (c == '\r' && i + 1 == in.n) {
			if (!end)
				return VD_EAGAIN;
		} else if (state == QUOTE_IN_QUOTED) {
			return VD_EFORMAT;
		} else {
			state = PLAIN;
		}
	}
	if (!end)
		return VD_EAGAIN;
	if (state == QUOTED)
		return VD_EFORMAT;
	*raw = in.n > 0 && in.p[in.n - 1] == '\r' ? in.n - 1 : in.n;
	*used = in.n;
	return 1;
}

static int put_cell(struct vd_csv_row *row, struct vd_slice cell)
{
	if (row->count == row->capacity) {
		size_t capacity = row->capacity ? 2 * row->capacity : 16;
		struct vd_slice *cells = realloc(row->cells, capacity * sizeof *cells);

		if (!cells)
			return VD_ENOMEM;
		row->cells = cells;
		row->capacity = capacity;
	}
	row->cells[row->count++] = cell;
	return 0;
}

/* Cells of a row that find_end has accepted. */
static int split(struct vd_csv_row *row, char comma)
{
	struct vd_slice in = row->raw;
	uint8_t *room;
	size_t i = 0;
	int rc = 0;

	/* Unquoting only shortens, so the room never moves under a cell. */
	vd_buf_reset(&row->room);
	room = vd_buf_extend(&row->room, in.n + 1);
	if (!room)
		return VD_ENOMEM;
	for (;; i++) {
		if (i < in.n && in.p[i] == '"') {
			uint8_t *start = room;

			for (i++; i < in.n; i++) {
				if (in.p[i] == '"' && (i + 1 == in.n || in.p[i + 1] != '"'))
					break;
				i += in.p[i] == '"';
				*room++ = in.p[i];
			}
			i++;
			rc = put_cell(row, vd_slice(start, (size_t)(room - start)));
		} else {
			const uint8_t *comma_at = memchr(in.p + i, comma, in.n - i);
			size_t to = comma_at ? (size_t)(comma_at - in.p) : in.n;

			rc = put_cell(row, vd_slice(in.p + i, to - i));
			i = to;
		}
		if (rc || i >= in.n)
			return rc;
	}
}

int vd_csv_next(struct vd_slice in, bool end, char comma, struct vd_csv_row *row, size_t *used, size_t *lines)
{
	size_t raw = 0;
	int rc;

	row->count = 0;
	row->raw = vd_slice(in.p, 0);
	*used = 0;
	*lines = 0;
	if (!in.n)
		return end ? 0 : VD_EAGAIN;
	rc = find_end(in, end, comma, &raw, used, lines);
	if (rc == VD_EFORMAT) {
		const uint8_t *line_end = memchr(in.p, '\n', in.n);

		if (!line_end && !end)
			return VD_EAGAIN;
		raw = line_end ? (size_t)(line_end - in.p) : in.n;
		*used = line_end ? raw + 1 : in.n;
		*lines = line_end ? 1 : 0;
	} else if (rc != 1) {
		*lines = 0;
		return rc;
	}
	row->raw = vd_slice(in.p, raw);
	if (rc == 1 && split(row, comma))
		return VD_ENOMEM;
	return rc;
}

char vd_csv_guess_comma(struct vd_slice in)
{
	bool quoted = false, semicolon = false, tab = false;

	for (size_t i = 0; i < in.n && (quoted || in.p[i] != '\n'); i++) {
		if (in.p[i] == '"')
			quoted = !quoted;
		if (quoted)
			continue;
		if (in.p[i] == ',')
			return ',';
		semicolon |= in.p[i] == ';';
		tab |= in.p[i] == '\t';
	}
	return (char)(semicolon ? ';' : tab ? '\t' : ',');
}
