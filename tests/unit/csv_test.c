#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/csv.h"
#include "cli/rows.h"
#include "proto/err.h"

/* What a text parses to: cells joined by '|', rows by '\n', '!' for a bad one. */
static char *parse(const char *text, size_t n, char comma)
{
	struct vd_slice in = vd_slice(text, n);
	struct vd_csv_row row = { 0 };
	struct vd_buf out = { 0 };
	size_t used, lines;
	int rc;

	while ((rc = vd_csv_next(in, true, comma, &row, &used, &lines)) != 0) {
		assert_true(rc == 1 || rc == VD_EFORMAT);
		assert_true(used > 0 && used <= in.n);
		for (size_t i = 0; rc == 1 && i < row.count; i++) {
			vd_buf_put(&out, "|", i ? 1 : 0);
			vd_buf_put_slice(&out, row.cells[i]);
		}
		vd_buf_put(&out, rc == 1 ? "\n" : "!\n", rc == 1 ? 1 : 2);
		in = vd_slice(in.p + used, in.n - used);
	}
	vd_csv_row_deinit(&row);
	vd_buf_put_u8(&out, 0);
	return (char *)out.p;
}

static void check(const char *in, const char *want)
{
	char *got = parse(in, strlen(in), ',');

	assert_string_equal(got, want);
	free(got);
}

static void test_csv__rfc4180(void **state)
{
	(void)state;
	check("a,b,c\n", "a|b|c\n");
	check("a,b,c", "a|b|c\n");
	check("a,b\r\nc,d\r\n", "a|b\nc|d\n");
	check("\"a\",\"b, c\"\n", "a|b, c\n");
	check("\"say \"\"hi\"\"\",x\n", "say \"hi\"|x\n");
	check("\"two\r\nlines\",x\n", "two\r\nlines|x\n");
	check("\"\"\n", "\n");
	check("\"\",\"\"\n", "|\n");
	check(",,\n", "||\n");
	check("a,\n", "a|\n");
	check(" a , b \n", " a | b \n");
	check("   \n", "   \n");
	check("\"\"\"\"\n", "\"\n");
	check("\"a\"\r\n\"b\"", "a\nb\n");
	check("a\rb,c\n", "a\rb|c\n");
	check("a,b\r", "a|b\n");
}

static void test_csv__a_bad_row_costs_one_line(void **state)
{
	(void)state;
	check("ok,1\nhe said \"no\",2\nok,3\n", "ok|1\n!\nok|3\n");
	check("ok,1\n\"open,2\nok,3\n", "ok|1\n!\nok|3\n");
	check("ok,1\n\"open,2\nok,\"3\"\n", "ok|1\n!\nok|3\n");
	check("\"shut\"x,1\nok,2\n", "!\nok|2\n");
	check("\"open", "!\n");
	check("\"", "!\n");
	check("a\"", "!\n");
}

static void test_csv__other_commas(void **state)
{
	char *got = parse("a;\"b;c\";d,e\n", 12, ';');

	(void)state;
	assert_string_equal(got, "a|b;c|d,e\n");
	free(got);
	assert_int_equal(vd_csv_guess_comma(vd_slice_str("a,b;c\n")), ',');
	assert_int_equal(vd_csv_guess_comma(vd_slice_str("\"a,b\";c\nx,y\n")), ';');
	assert_int_equal(vd_csv_guess_comma(vd_slice_str("a\tb\n")), '\t');
	assert_int_equal(vd_csv_guess_comma(vd_slice_str("a\nb;c\n")), ',');
	assert_int_equal(vd_csv_guess_comma(vd_slice_str("")), ',');
}

/* However the bytes arrive, the row is the same, and too few of them never give one. */
static void test_csv__asks_for_more_at_every_byte(void **state)
{
	const char *text = "\"two\r\nlines, \"\"q\"\"\",plain,\r\nnext";
	struct vd_csv_row row = { 0 };
	size_t used, lines, whole = strlen(text) - 4;

	(void)state;
	for (size_t n = 0; n < whole; n++) {
		assert_int_equal(vd_csv_next(vd_slice(text, n), false, ',', &row, &used, &lines), VD_EAGAIN);
		assert_int_equal(used, 0);
	}
	for (size_t n = whole; n <= whole + 4; n++) {
		assert_int_equal(vd_csv_next(vd_slice(text, n), false, ',', &row, &used, &lines), 1);
		assert_int_equal(used, whole);
		assert_int_equal(lines, 2);
		assert_int_equal(row.count, 3);
		assert_true(vd_slice_eq(row.cells[0], vd_slice_str("two\r\nlines, \"q\"")));
		assert_int_equal(row.raw.n, whole - 2);
	}
	vd_csv_row_deinit(&row);
}

/* A file that is gone as soon as it is closed. */
static int file_of(const void *bytes, size_t n)
{
	char path[] = "/tmp/vd-csv-XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	unlink(path);
	assert_int_equal(write(fd, bytes, n), n);
	return fd;
}

static void test_rows__numbers_as_a_spreadsheet(void **state)
{
	const char *text = "\xef\xbb\xbfid,text\r\n1,\"two\nlines\"\n\n2,b\n3\n4,\xff\n5,e";
	int fd = file_of(text, strlen(text));
	struct vd_rows *rows = NULL;
	const struct vd_slice *columns;
	struct vd_row row;
	size_t count;

	(void)state;
	assert_int_equal(vd_rows_new(fd, VD_ROWS_GUESS, &rows), 0);
	assert_int_equal(vd_rows_format(rows), VD_ROWS_CSV);
	columns = vd_rows_columns(rows, &count);
	assert_int_equal(count, 2);
	assert_true(vd_slice_eq(columns[0], vd_slice_str("id")));
	for (int again = 0; again < 2; again++) {
		static const struct {
			uint64_t number, line;
			enum vd_msg bad;
		} want[] = { { 2, 2, VD_MSG_NONE }, { 4, 5, VD_MSG_NONE }, { 5, 6, VD_MSG_LOAD_ROW_RAGGED }, { 6, 7, VD_MSG_LOAD_ROW_UTF8 },
			     { 7, 8, VD_MSG_NONE } };

		for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
			assert_int_equal(vd_rows_next(rows, &row), 1);
			assert_int_equal(row.number, want[i].number);
			assert_int_equal(row.line, want[i].line);
			assert_int_equal(row.bad, want[i].bad);
		}
		assert_int_equal(vd_rows_next(rows, &row), 0);
		assert_int_equal(vd_rows_next(rows, &row), 0);
		vd_rows_rewind(rows);
	}
	vd_rows_free(rows);
	close(fd);
}

static void test_rows__ndjson(void **state)
{
	const char *text = "{\"text\":\"a\"}\r\n\n  \n[1]\n{\"a\":1,\"a\":2}\n{\"text\":\n{\"text\":\"b\"}";
	static const struct {
		uint64_t number;
		enum vd_msg bad;
	} want[] = { { 1, VD_MSG_NONE }, { 4, VD_MSG_LOAD_ROW_OBJECT }, { 5, VD_MSG_LOAD_ROW_JSON }, { 6, VD_MSG_LOAD_ROW_JSON },
		     { 7, VD_MSG_NONE } };
	int fd = file_of(text, strlen(text));
	struct vd_rows *rows = NULL;
	struct vd_row row;

	(void)state;
	assert_int_equal(vd_rows_new(fd, VD_ROWS_GUESS, &rows), 0);
	assert_int_equal(vd_rows_format(rows), VD_ROWS_NDJSON);
	for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
		assert_int_equal(vd_rows_next(rows, &row), 1);
		assert_int_equal(row.number, want[i].number);
		assert_int_equal(row.bad, want[i].bad);
	}
	assert_int_equal(vd_rows_next(rows, &row), 0);
	vd_rows_free(rows);
	close(fd);
}

static void test_rows__nothing_there(void **state)
{
	struct vd_rows *rows = NULL;
	int fd = file_of("", 0);

	(void)state;
	assert_int_equal(vd_rows_new(fd, VD_ROWS_GUESS, &rows), VD_ENOTFOUND);
	close(fd);
	fd = file_of(" \r\n\n", 4);
	assert_int_equal(vd_rows_new(fd, VD_ROWS_CSV, &rows), VD_ENOTFOUND);
	close(fd);
	fd = file_of("te\xffxt\nhello\n", 12);
	assert_int_equal(vd_rows_new(fd, VD_ROWS_CSV, &rows), VD_EFORMAT);
	close(fd);
}

/* A row longer than any may be is passed over whole, with what lies behind it read again. */
static void test_rows__one_over_the_cap(void **state)
{
	for (size_t extra = 0; extra < 3; extra++) {
		struct vd_buf text = { 0 };
		struct vd_rows *rows = NULL;
		struct vd_row row;
		size_t n = 3 * (size_t)VD_ROW_MAX / (extra ? 1 : 4);
		int fd;

		vd_buf_put_slice(&text, vd_slice_str("text\nfirst\n"));
		vd_buf_put(&text, extra == 2 ? "\"" : "", extra == 2);
		memset(vd_buf_extend(&text, n), 'x', n);
		vd_buf_put_slice(&text, vd_slice_str("\nlast\n"));
		fd = file_of(text.p, text.n);
		assert_int_equal(vd_rows_new(fd, VD_ROWS_CSV, &rows), 0);
		assert_int_equal(vd_rows_next(rows, &row), 1);
		assert_int_equal(row.bad, VD_MSG_NONE);
		assert_int_equal(vd_rows_next(rows, &row), 1);
		assert_int_equal(row.bad, extra ? VD_MSG_LOAD_ROW_LONG : VD_MSG_NONE);
		assert_int_equal(vd_rows_next(rows, &row), 1);
		assert_int_equal(row.bad, VD_MSG_NONE);
		assert_int_equal(row.number, 4);
		assert_int_equal(row.line, 4);
		assert_true(vd_slice_eq(row.raw, vd_slice_str("last")));
		assert_int_equal(vd_rows_next(rows, &row), 0);
		vd_rows_free(rows);
		vd_buf_deinit(&text);
		close(fd);
	}
	(void)state;
}

/* Quotes hold to their end, however far: a field of lines upon lines is one row that is too long, and not a row a line. What opens
 * and never closes costs its first line. */
static void test_rows__quotes_hold_to_their_end(void **state)
{
	for (int closed = 0; closed < 3; closed++) {
		struct vd_buf text = { 0 };
		struct vd_rows *rows = NULL;
		struct vd_row row;
		int fd, inside = 3 * VD_ROW_MAX / 8;

		vd_buf_put_slice(&text, vd_slice_str("id,text\n1,\"start\n"));
		for (int i = 0; i < inside; i++)
			vd_buf_put_slice(&text, vd_slice_str("a\"\"b,c\r\n"));
		vd_buf_put_slice(&text, vd_slice_str(closed == 0 ? "" : closed == 1 ? "end\"\r\n2,last\n" : "end\"\n2,last\n"));
		fd = file_of(text.p, text.n);
		assert_int_equal(vd_rows_new(fd, VD_ROWS_CSV, &rows), 0);
		for (int turn = 0; turn < 2; turn++) {
			assert_int_equal(vd_rows_next(rows, &row), 1);
			assert_int_equal(row.bad, closed ? VD_MSG_LOAD_ROW_LONG : VD_MSG_LOAD_ROW_CSV);
			assert_int_equal(row.number, 2);
			assert_int_equal(vd_rows_next(rows, &row), 1);
			assert_int_equal(row.number, 3);
			assert_int_equal(row.line, closed ? inside + 4 : 3);
			assert_int_equal(row.bad, closed ? VD_MSG_NONE : VD_MSG_LOAD_ROW_CSV);
			if (closed)
				assert_true(vd_slice_eq(row.raw, vd_slice_str("2,last")));
			if (closed)
				assert_int_equal(vd_rows_next(rows, &row), 0);
			vd_rows_rewind(rows);
		}
		vd_rows_free(rows);
		vd_buf_deinit(&text);
		close(fd);
	}
	(void)state;
}

/* The same, wherever a piece ends. */
static void test_csv__scan_in_pieces(void **state)
{
	const char *text = "\"two\r\nlines, \"\"q\"\"\",plain,\r\nnext";
	size_t whole = strlen(text) - 4;

	(void)state;
	for (size_t piece = 2; piece <= strlen(text); piece++) {
		struct vd_csv_scan scan = { VD_CSV_CELL_START };
		size_t at = 0, lines = 0;
		int rc = VD_EAGAIN;

		while (rc == VD_EAGAIN) {
			size_t n = strlen(text) - at < piece ? strlen(text) - at : piece, used = 0;

			rc = vd_csv_scan(&scan, vd_slice(text + at, n), false, ',', &used, &lines);
			assert_true(used > 0);
			at += used;
		}
		assert_int_equal(rc, 1);
		assert_int_equal(at, whole);
		assert_int_equal(lines, 2);
	}
}

/* Rows that lie across the borders of what is read at a time. */
static void test_rows__many(void **state)
{
	struct vd_buf text = { 0 };
	struct vd_rows *rows = NULL;
	struct vd_row row;
	char line[64];
	uint64_t i = 0;
	int fd;

	(void)state;
	vd_buf_put_slice(&text, vd_slice_str("id,text\n"));
	for (int k = 0; k < 60000; k++)
		vd_buf_put(&text, line, (size_t)snprintf(line, sizeof line, "%d,\"row \"\"%d\"\"\n,\"\n", k, k));
	fd = file_of(text.p, text.n);
	assert_int_equal(vd_rows_new(fd, VD_ROWS_CSV, &rows), 0);
	while (vd_rows_next(rows, &row) == 1) {
		assert_int_equal(row.bad, VD_MSG_NONE);
		snprintf(line, sizeof line, "row \"%d\"\n,", (int)i);
		assert_true(vd_slice_eq(row.cells->cells[1], vd_slice_str(line)));
		assert_int_equal(row.number, ++i + 1);
		assert_int_equal(row.line, 2 * i);
	}
	assert_int_equal(i, 60000);
	vd_rows_free(rows);
	vd_buf_deinit(&text);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_csv__rfc4180),
		cmocka_unit_test(test_csv__a_bad_row_costs_one_line),
		cmocka_unit_test(test_csv__other_commas),
		cmocka_unit_test(test_csv__asks_for_more_at_every_byte),
		cmocka_unit_test(test_rows__numbers_as_a_spreadsheet),
		cmocka_unit_test(test_rows__ndjson),
		cmocka_unit_test(test_rows__nothing_there),
		cmocka_unit_test(test_rows__one_over_the_cap),
		cmocka_unit_test(test_rows__many),
		cmocka_unit_test(test_rows__quotes_hold_to_their_end),
		cmocka_unit_test(test_csv__scan_in_pieces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
