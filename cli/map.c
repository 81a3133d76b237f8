#include "map.h"

#include <stdlib.h>
#include <string.h>

#include "fields.h"
#include "proto/err.h"

void vd_map_deinit(struct vd_map *m)
{
	free(m->items);
	*m = (struct vd_map){ 0 };
}

/* A slice as a C string, cut to the room there is: for messages. */
static const char *text_of(struct vd_slice s, char *out, size_t cap)
{
	size_t n = s.n < cap - 1 ? s.n : cap - 1;

	if (n)
		memcpy(out, s.p, n);
	out[n] = '\0';
	return out;
}

static int add(struct vd_map *m, struct vd_cli *cli, struct vd_slice field, struct vd_slice column, size_t index)
{
	struct vd_mapped *items = realloc(m->items, (m->count + 1) * sizeof *items);

	if (!items)
		return vd_fail(cli, VD_ENOMEM, VD_MSG_NONE, VD_MSG_LOAD_STOPPED, NULL);
	m->items = items;
	m->items[m->count++] = (struct vd_mapped){ field, column, index };
	return 0;
}

/* --map FIELD=COLUMN, one of them. */
static int add_said(struct vd_map *m, struct vd_cli *cli, const struct vd_rows *rows, const char *said)
{
	const char *eq = strchr(said, '=');
	struct vd_slice field = vd_slice(said, eq ? (size_t)(eq - said) : 0), column = vd_slice_str(eq ? eq + 1 : "");
	size_t count, index = 0;
	const struct vd_slice *columns = vd_rows_columns(rows, &count);

	if (!eq || !vd_field_name_ok(field))
		return vd_misuse(cli, VD_MSG_HINT_HELP_COMMAND, VD_MSG_LOAD_MAP_BAD, "load", said, NULL);
	for (size_t i = 0; i < m->count; i++)
		if (vd_slice_eq(m->items[i].field, field))
			return vd_misuse(cli, VD_MSG_HINT_HELP_COMMAND, VD_MSG_LOAD_MAP_TWICE, "load", said, NULL);
	if (vd_rows_format(rows) == VD_ROWS_CSV) {
		struct vd_buf names = { 0 };

		while (index < count && !vd_slice_eq(columns[index], column))
			index++;
		if (index == count) {
			int rc;

			for (size_t i = 0; i < count; i++) {
				vd_buf_put_slice(&names, vd_slice_str(i ? ", " : ""));
				vd_buf_put_slice(&names, columns[i]);
			}
			vd_buf_put_u8(&names, 0);
			rc = vd_misuse(cli, VD_MSG_HINT_LOAD_NO_COLUMN, VD_MSG_LOAD_NO_COLUMN, eq + 1, (const char *)names.p, NULL);
			vd_buf_deinit(&names);
			return rc;
		}
	}
	return add(m, cli, field, column, index);
}

/* Columns that no --map names: said once, so that nobody believes they were stored. */
static void say_unmapped(const struct vd_map *m, struct vd_cli *cli, const struct vd_rows *rows)
{
	size_t count;
	const struct vd_slice *columns = vd_rows_columns(rows, &count);
	struct vd_buf names = { 0 };

	for (size_t i = 0; i < count; i++) {
		bool mapped = false;

		for (size_t j = 0; j < m->count; j++)
			mapped |= m->items[j].index == i;
		if (mapped)
			continue;
		vd_buf_put_slice(&names, vd_slice_str(names.n ? ", " : ""));
		vd_buf_put_slice(&names, columns[i]);
	}
	if (names.n) {
		vd_buf_put_u8(&names, 0);
		vd_note(cli, VD_MSG_LOAD_UNMAPPED, (const char *)names.p, NULL);
	}
	vd_buf_deinit(&names);
}

int vd_map_make(struct vd_map *m, struct vd_cli *cli, const struct vd_rows *rows)
{
	size_t at = 0, count;
	const struct vd_slice *columns = vd_rows_columns(rows, &count);
	const char *said;
	char name[128];

	while ((said = vd_options_each(&cli->opt, VD_OPT_MAP, &at))) {
		int rc = add_said(m, cli, rows, said);

		if (rc)
			return rc;
	}
	if (m->count) {
		if (vd_rows_format(rows) == VD_ROWS_CSV)
			say_unmapped(m, cli, rows);
		return 0;
	}
	for (size_t i = 0; i < count; i++) {
		if (!vd_field_name_ok(columns[i]))
			return vd_misuse(cli, VD_MSG_HINT_LOAD_COLUMN_NAME, VD_MSG_LOAD_COLUMN_NAME,
			                 text_of(columns[i], name, sizeof name), vd_num(cli, i + 1), NULL);
		for (size_t j = 0; j < i; j++)
			if (vd_slice_eq(columns[i], columns[j]))
				return vd_misuse(cli, VD_MSG_HINT_LOAD_COLUMN_NAME, VD_MSG_LOAD_COLUMN_TWICE,
				                 text_of(columns[i], name, sizeof name), NULL);
		if (add(m, cli, columns[i], columns[i], i))
			return VD_EXIT_FAILED;
	}
	return 0;
}
