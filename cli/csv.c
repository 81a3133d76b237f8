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

int vd_csv_scan(struct vd_csv_scan *s, struct vd_slice in, bool end, char comma, size_t *used, size_t *lines)
{
	for (size_t i = 0; i < in.n; i++) {
		char c = (char)in.p[i];

		*used = i + 1;
		if (s->state == VD_CSV_QUOTED) {
			if (c == '"')
				s->state = VD_CSV_QUOTE_IN_QUOTED;
			*lines += c == '\n';
			continue;
		}
		if (c == '"') {
			if (s->state == VD_CSV_PLAIN)
				return VD_EFORMAT;
			s->state = VD_CSV_QUOTED; /* opens, or was doubled */
		} else if (c == comma) {
			s->state = VD_CSV_CELL_START;
		} else if (c == '\n') {
			*lines += 1;
			return 1;
		} else if (c == '\r' && i + 1 < in.n && in.p[i + 1] == '\n') {
			continue;
		} else if (c == '\r' && i + 1 == in.n) {
			*used = i;
			if (!end)
				return VD_EAGAIN;
		} else if (s->state == VD_CSV_QUOTE_IN_QUOTED) {
			return VD_EFORMAT;
		} else {
			s->state = VD_CSV_PLAIN;
		}
	}
	*used = end ? in.n : *used;
	if (!end)
		return VD_EAGAIN;
	return s->state == VD_CSV_QUOTED ? VD_EFORMAT : 1;
}

static int put_cell(struct vd_csv_row *row, struct vd_slice cell)
{
	if (!vd_room(&row->cells, row->count, &row->capacity, 16, sizeof(*row->cells)))
		return VD_ENOMEM;
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
	struct vd_csv_scan scan = { VD_CSV_CELL_START };
	size_t raw;
	int rc;

	row->count = 0;
	row->raw = vd_slice(in.p, 0);
	*used = 0;
	*lines = 0;
	if (!in.n)
		return end ? 0 : VD_EAGAIN;
	rc = vd_csv_scan(&scan, in, end, comma, used, lines);
	if (rc == 1) {
		raw = *used;
		raw -= raw > 0 && in.p[raw - 1] == '\n';
		raw -= raw > 0 && in.p[raw - 1] == '\r';
	} else if (rc == VD_EFORMAT) {
		const uint8_t *line_end = memchr(in.p, '\n', in.n);

		*used = *lines = 0;
		if (!line_end && !end)
			return VD_EAGAIN;
		raw = line_end ? (size_t)(line_end - in.p) : in.n;
		*used = line_end ? raw + 1 : in.n;
		*lines = line_end ? 1 : 0;
	} else {
		*used = *lines = 0;
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
