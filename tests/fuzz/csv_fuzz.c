/* Any bytes as a CSV to be loaded: every row moves on, cells never say more than the row, and rows do not depend on how the file
 * is read. */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cli/fields.h"
#include "cli/rows.h"
#include "proto/err.h"
#include "tests/fuzz/fuzz.h"

/* Bytes given bit by bit end in the same rows as all at once. */
static void rows_of_bytes(struct vd_slice in, char comma)
{
	struct vd_csv_row whole = { 0 }, part = { 0 };

	for (;;) {
		size_t used, lines, part_used, part_lines, said = 0;
		int rc = vd_csv_next(in, true, comma, &whole, &used, &lines), part_rc = VD_EAGAIN;

		FUZZ_CHECK(rc == 1 || rc == 0 || rc == VD_EFORMAT);
		FUZZ_CHECK((rc == 0) == (in.n == 0));
		if (rc == 0)
			break;
		FUZZ_CHECK(used > 0 && used <= in.n && whole.raw.n <= used);
		for (size_t i = 0; rc == 1 && i < whole.count; i++)
			said += whole.cells[i].n;
		FUZZ_CHECK(rc != 1 || said <= whole.raw.n);
		/* The parser reads a row at most a few times over: keep the check as cheap. */
		for (size_t n = used > 64 ? used - 64 : 0; n <= in.n && n <= used + 1 && part_rc == VD_EAGAIN; n++)
			part_rc = vd_csv_next(vd_slice(in.p, n), n == in.n, comma, &part, &part_used, &part_lines);
		if (part_rc == 1)
			FUZZ_CHECK(rc == 1 && part_used == used && part.count == whole.count);
		in = vd_slice(in.p + used, in.n - used);
	}
	vd_csv_row_deinit(&whole);
	vd_csv_row_deinit(&part);
}

static uint64_t rows_of_file(struct vd_rows *rows, struct vd_fields *fields)
{
	struct vd_buf content = { 0 };
	uint64_t count = 0, last = 0;
	size_t columns;
	const struct vd_slice *names = vd_rows_columns(rows, &columns);
	struct vd_row row;
	int rc;

	while ((rc = vd_rows_next(rows, &row)) == 1) {
		struct vd_bad_field bad;
		struct vd_content back;

		count++;
		FUZZ_CHECK(row.number > last);
		last = row.number;
		if (row.bad)
			continue;
		FUZZ_CHECK(row.cells->count == columns);
		vd_fields_reset(fields);
		vd_buf_reset(&content);
		for (size_t i = 0; i < columns; i++)
			if (vd_fields_put(fields, names[i], row.cells->cells[i], &bad))
				break;
		if (vd_fields_encode(fields, &content, &bad) == 0)
			FUZZ_CHECK(vd_content_decode(vd_buf_slice(&content), &back) == 0);
	}
	FUZZ_CHECK(rc == 0);
	vd_buf_deinit(&content);
	return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("csv", MFD_CLOEXEC);
	struct vd_rows *rows = NULL;
	struct vd_fields *fields = malloc(sizeof *fields);

	FUZZ_CHECK(fd >= 0 && fields && write(fd, data, size) == (ssize_t)size);
	FUZZ_CHECK(vd_fields_init(fields, "event", NULL) == 0);
	rows_of_bytes(vd_slice(data, size), vd_csv_guess_comma(vd_slice(data, size)));
	if (vd_rows_new(fd, VD_ROWS_CSV, &rows) == 0) {
		uint64_t count = rows_of_file(rows, fields);

		vd_rows_rewind(rows);
		FUZZ_CHECK(rows_of_file(rows, fields) == count);
	}
	vd_rows_free(rows);
	vd_fields_deinit(fields);
	free(fields);
	close(fd);
	return 0;
}
