/* load: a record a row. Its position moves in the same commit as its rows, so that an interrupted load goes on where it was.
 *
 * Position: a chain of hashes over the rows, h_0 = H_load(group, kind, format, mapping, columns, whom --to names), h_i = H_load(h_(i-1), row). The
 * note "load" / h_i says that everything up to row i is stored; it moves with every batch, and the one of a file's end stays.
 * A later run looks for the longest prefix of the file that has a note: also of a file that has grown since. A last row without
 * its line end may go on when the file grows, so a note in front of it stays, too.
 *
 * Rows that were refused are corrected where they stand, and then the whole file is loaded again. So at its end a second chain, in
 * which nothing stands for a refused row, leaves a note "mended", and the note "refused" / h_0 says which rows they were: a later
 * run that finds the same rows around them looks at those alone.
 *
 * --again has a position of its own, "again" / h_i, which is gone when the end is reached: only an interrupted one goes on. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin.h"
#include "audience.h"
#include "fields.h"
#include "map.h"
#include "proto/err.h"
#include "proto/hash.h"
#include "rows.h"
#include "store/file.h"
#include "times.h"

/* A commit rewrites pages all over the index, so few large ones are cheaper; but none holds up other writers for long. */
enum { BATCH_ROWS = 8192, BATCH_BYTES = 2 * 1024 * 1024, BATCH_MS = 500, BAD_ROWS_SAID = 100 };
enum { NOTE_MOVING = 0, NOTE_END = 1 };
enum { GAPS_MAX = 1000 }; /* what a note holds */

/* Rows that were refused, ascending, the first row being 1. */
struct gaps {
	uint32_t rows[GAPS_MAX];
	size_t count;
	bool over;                      /* there were more */
};

/* How far a note says that the file is stored. */
struct position {
	const char *use;
	uint64_t rows;
	uint8_t noted[VD_HASH_BYTES];   /* the note that moves, when has_note */
	bool has_note;
};

struct load {
	struct vd_cli *cli;
	struct vd_group *group;
	struct vd_rows *rows;
	struct vd_fields fields;
	struct vd_id_finder finder;
	struct vd_map map;
	struct vd_to to;
	bool dry_run;
	bool is_again;
	uint8_t h[VD_HASH_BYTES], start[VD_HASH_BYTES];
	uint8_t before[VD_HASH_BYTES];  /* the position in front of the last row */
	bool unfinished;                /* the last row has no line end */
	struct position stored, again, mended;
	int unread;                     /* why a position could not be read: rows that may be stored are not stored twice */
	struct gaps before_gaps, gaps;  /* refused by an earlier run; by this one */
	uint8_t good[VD_HASH_BYTES];    /* the chain without refused rows */
	uint64_t known_rows;            /* rows of the file that this run need not store */
	uint64_t row, fresh, known, refused, said;
	struct vd_write *write;
	size_t batch_rows, batch_bytes;
	uint64_t batch_until_ms;
	struct vd_buf content;
	json_t *errors;
	uint64_t shown_ms;
};

/* A pipe cannot be read twice: what it says goes to a file of ours that has no name. */
static int spool(struct vd_cli *cli, int from, int *out)
{
	static uint8_t chunk[64 * 1024];
	char path[sizeof cli->home + 32];
	int fd = open(cli->home, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600), err = 0;

	if (fd < 0) {
		snprintf(path, sizeof path, "%s/load.XXXXXX", cli->home);
		fd = mkostemp(path, O_CLOEXEC);
		if (fd >= 0)
			unlink(path);
	}
	if (fd < 0)
		return vd_file_errno(errno);
	for (;;) {
		ssize_t n = read(from, chunk, sizeof chunk);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			err = n < 0 ? vd_file_errno(errno) : 0;
			break;
		}
		for (ssize_t done = 0; done < n && !err;) {
			ssize_t w = write(fd, chunk + done, (size_t)(n - done));

			if (w < 0 && errno != EINTR)
				err = vd_file_errno(errno);
			done += w > 0 ? w : 0;
		}
		if (err)
			break;
	}
	if (err)
		close(fd);
	else
		*out = fd;
	return err;
}

static int open_input(struct vd_cli *cli, const char *path, int *out)
{
	bool is_stdin = strcmp(path, "-") == 0;
	int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC), err;
	struct stat st;

	if (!*path)
		return vd_cli_named(cli, path);
	if (fd < 0 || fstat(fd, &st) != 0) {
		err = errno;
		if (fd >= 0 && !is_stdin)
			close(fd);
		return vd_fail(cli, vd_file_errno(err), VD_MSG_NONE, VD_MSG_LOAD_OPEN_FAILED, path, NULL);
	}
	if (S_ISDIR(st.st_mode)) {
		if (!is_stdin)
			close(fd);
		return vd_misuse(cli, VD_MSG_HINT_IS_FOLDER, VD_MSG_IS_FOLDER, path, NULL);
	}
	if (S_ISREG(st.st_mode) && !is_stdin) {
		*out = fd;
		return 0;
	}
	err = spool(cli, fd, out);
	if (!is_stdin)
		close(fd);
	return err ? vd_fail(cli, err, VD_MSG_NONE, VD_MSG_LOAD_SPOOL_FAILED, NULL) : 0;
}

static enum vd_rows_format format_of(const char *path)
{
	const char *dot = strrchr(path, '.');

	if (dot && strcasecmp(dot, ".csv") == 0)
		return VD_ROWS_CSV;
	if (dot && (strcasecmp(dot, ".ndjson") == 0 || strcasecmp(dot, ".jsonl") == 0))
		return VD_ROWS_NDJSON;
	return VD_ROWS_GUESS;
}

static void put_sized(struct vd_buf *b, struct vd_slice s)
{
	vd_buf_put_u32(b, (uint32_t)s.n);
	vd_buf_put_slice(b, s);
}

/* h_0: the same rows for another group, kind or mapping are another load. */
static int start_chain(struct load *l)
{
	struct vd_buf b = { 0 };
	size_t count;
	const struct vd_slice *columns = vd_rows_columns(l->rows, &count);
	int rc;

	put_sized(&b, vd_slice(vd_group_id(l->group), VD_GROUP_BYTES));
	put_sized(&b, l->fields.kind);
	vd_buf_put_u8(&b, vd_rows_format(l->rows) == VD_ROWS_CSV ? 1 : 2);
	vd_buf_put_u32(&b, (uint32_t)l->map.count);
	for (size_t i = 0; i < l->map.count; i++) {
		put_sized(&b, l->map.items[i].field);
		put_sized(&b, l->map.items[i].column);
	}
	for (size_t i = 0; i < count; i++)
		put_sized(&b, columns[i]);
	/* Members, and a reporter's focal points, are what stands when nothing is said; who they are may change while a load goes on. */
	if (l->to.audience == VD_AUDIENCE_EVERYONE || l->to.person_count)
		vd_buf_put_u8(&b, (uint8_t)l->to.audience);
	for (size_t i = 0; i < l->to.person_count; i++)
		vd_buf_put(&b, l->to.persons[i], VD_PERSON_BYTES);
	rc = vd_buf_check(&b);
	if (!rc)
		vd_hash1(VD_HASH_LOAD, l->start, vd_buf_slice(&b));
	vd_buf_deinit(&b);
	memcpy(l->h, l->start, sizeof l->h);
	memcpy(l->good, l->start, sizeof l->good);
	return rc;
}

static void advance(struct load *l, struct vd_slice raw)
{
	struct vd_slice parts[2] = { vd_slice(l->h, sizeof l->h), raw };

	memcpy(l->before, l->h, sizeof l->before);
	vd_hash(VD_HASH_LOAD, vd_slice(NULL, 0), l->h, sizeof l->h, parts, 2);
}

static void advance_good(struct load *l, struct vd_slice raw, bool refused)
{
	struct vd_slice parts[2] = { vd_slice(l->good, sizeof l->good), refused ? vd_slice(NULL, 0) : raw };

	vd_hash(VD_HASH_LOAD, vd_slice(NULL, 0), l->good, sizeof l->good, parts, 2);
}

static int by_row(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static bool is_gap(const struct gaps *g, uint64_t row)
{
	uint32_t wanted = (uint32_t)row;

	return row <= UINT32_MAX && bsearch(&wanted, g->rows, g->count, sizeof *g->rows, by_row);
}

static void add_gap(struct gaps *g, uint64_t row)
{
	if (g->count == GAPS_MAX || row > UINT32_MAX)
		g->over = true;
	else
		g->rows[g->count++] = (uint32_t)row;
}

static void read_gaps(struct load *l)
{
	struct vd_slice key = vd_slice(l->start, sizeof l->start);
	struct gaps *g = &l->before_gaps;
	struct vd_buf value = { 0 };

	int rc = vd_store_note(l->cli->store, "refused", key, &value);

	if (rc && rc != VD_ENOTFOUND)
		l->unread = rc;
	if (rc == 0 && value.n <= sizeof g->rows)
		for (size_t i = 0; i + 4 <= value.n; i += 4)
			g->rows[g->count++] = vd_get_u32(value.p + i);
	vd_buf_deinit(&value);
}

/* Is everything up to here stored? *state: NOTE_MOVING or NOTE_END. What could not be asked was not denied: l->unread says so. */
static bool noted(struct load *l, const char *use, const uint8_t h[VD_HASH_BYTES], uint8_t *state)
{
	struct vd_buf value = { 0 };
	int rc = vd_store_note(l->cli->store, use, vd_slice(h, VD_HASH_BYTES), &value);
	bool found = rc == 0 && value.n == 1;

	if (rc && rc != VD_ENOTFOUND)
		l->unread = rc;
	if (found)
		*state = value.p[0];
	vd_buf_deinit(&value);
	return found;
}

static void look(struct load *l, struct position *p, const uint8_t h[VD_HASH_BYTES], uint64_t row)
{
	uint8_t state;

	if (!noted(l, p->use, h, &state))
		return;
	p->rows = row;
	p->has_note = state == NOTE_MOVING;
	memcpy(p->noted, h, sizeof p->noted);
}

/* Finds the longest prefix that is stored already. Files of a kind, mapping and header never loaded before skip the search. */
static int find_known(struct load *l)
{
	struct vd_row row;
	uint64_t i = 0;
	uint8_t state;
	int rc;

	if (!noted(l, l->stored.use, l->start, &state))
		return l->unread;
	if (!l->is_again)
		read_gaps(l);
	while ((rc = vd_rows_next(l->rows, &row)) == 1) {
		i++;
		advance(l, row.raw);
		look(l, &l->stored, l->h, i);
		if (l->is_again)
			look(l, &l->again, l->h, i);
		if (l->before_gaps.count == 0)
			continue;
		advance_good(l, row.raw, is_gap(&l->before_gaps, i));
		if (i >= l->before_gaps.rows[l->before_gaps.count - 1])
			look(l, &l->mended, l->good, i);
	}
	vd_rows_rewind(l->rows);
	memcpy(l->h, l->start, sizeof l->h);
	memcpy(l->good, l->start, sizeof l->good);
	l->known_rows = l->is_again ? l->again.rows : l->stored.rows;
	if (!l->is_again && l->mended.rows > l->stored.rows)
		l->known_rows = l->mended.rows;
	return rc ? rc : l->unread;
}

static int note(struct load *l, const char *use, const uint8_t h[VD_HASH_BYTES], uint8_t state)
{
	return vd_write_note(l->write, use, vd_slice(h, VD_HASH_BYTES), vd_slice(&state, 1));
}

/* The note that moved is gone from its old place. */
static int leave(struct load *l, const struct position *p)
{
	return p->has_note ? vd_write_note(l->write, p->use, vd_slice(p->noted, sizeof p->noted), vd_slice(NULL, 0)) : 0;
}

/* At the end: which rows are still to be corrected, and what stands around them. */
static int write_gaps(struct load *l)
{
	struct vd_buf value = { 0 };
	int rc;

	if (l->gaps.count == 0 || l->gaps.over)
		return 0;
	for (size_t i = 0; i < l->gaps.count; i++)
		vd_buf_put_u32(&value, l->gaps.rows[i]);
	rc = vd_buf_check(&value);
	if (!rc)
		rc = vd_write_note(l->write, "refused", vd_slice(l->start, sizeof l->start), vd_buf_slice(&value));
	vd_buf_deinit(&value);
	return rc ? rc : note(l, l->mended.use, l->good, NOTE_END);
}

static int write_position(struct load *l, bool end)
{
	int rc = note(l, l->stored.use, l->start, NOTE_END);

	if (!rc && end)
		rc = write_gaps(l);
	if (!rc)
		rc = leave(l, &l->again);
	if (!rc && l->is_again && !end)
		rc = note(l, l->again.use, l->h, NOTE_MOVING);
	/* --again over what is stored already moves nothing there. */
	if (rc || l->row <= l->stored.rows)
		return rc;
	rc = leave(l, &l->stored);
	if (!rc && end && l->unfinished)
		rc = note(l, l->stored.use, l->before, NOTE_END);
	return rc ? rc : note(l, l->stored.use, l->h, end ? NOTE_END : NOTE_MOVING);
}

static void moved(struct load *l, struct position *p, bool has_note)
{
	p->has_note = has_note;
	p->rows = l->row;
	memcpy(p->noted, l->h, sizeof p->noted);
}

/* Commits what waits, and the position with it. */
static int flush(struct load *l, bool end)
{
	int rc = 0;

	if (l->dry_run || (l->row <= l->known_rows && !l->batch_rows && !(end && (l->again.has_note || l->row > l->stored.rows))))
		return 0;
	if (!l->write)
		rc = vd_write_begin(l->cli->store, &l->write);
	if (!rc)
		rc = write_position(l, end);
	if (rc)
		vd_write_abort(l->write);
	else
		rc = vd_write_commit(l->write);
	l->write = NULL;
	if (!rc) {
		l->fresh += l->batch_rows;
		if (l->row > l->stored.rows)
			moved(l, &l->stored, !end);
		if (l->is_again)
			moved(l, &l->again, !end);
	}
	l->batch_rows = l->batch_bytes = 0;
	return rc;
}

static void say_bad(struct load *l, const struct vd_row *row, const struct vd_bad_field *bad)
{
	const char *const args[] = { l->fields.kind_text, bad->field, bad->detail, NULL };
	struct vd_buf why = { 0 };

	l->refused++;
	vd_text_format(l->cli->lang, bad->msg, args, false, &why);
	json_array_append_new(l->errors, json_pack("{s:o,s:o,s:o}", "row", vd_json_number(row->number), "line",
	                                           vd_json_number(row->line), "error", vd_json_text(vd_buf_slice(&why))));
	vd_buf_put_u8(&why, 0);
	if (!l->cli->opt.json && l->said++ < BAD_ROWS_SAID)
		vd_note(l->cli, VD_MSG_LOAD_BAD_ROW, vd_num(l->cli, row->number), (const char *)why.p, vd_num(l->cli, row->line), NULL);
	vd_buf_deinit(&why);
}

/* The row's content, or why it has none. */
static int convert(struct load *l, const struct vd_row *row, struct vd_bad_field *bad)
{
	int rc = 0;

	bad->msg = row->bad;
	bad->field[0] = bad->detail[0] = '\0';
	if (row->bad)
		return VD_EINVAL;
	vd_fields_reset(&l->fields);
	vd_buf_reset(&l->content);
	if (row->cells) {
		for (size_t i = 0; !rc && i < l->map.count; i++)
			rc = vd_fields_put(&l->fields, l->map.items[i].field, row->cells->cells[l->map.items[i].index], bad);
	} else if (l->map.count) {
		for (size_t i = 0; !rc && i < l->map.count; i++) {
			const json_t *v = json_object_getn(row->object, (const char *)l->map.items[i].column.p, l->map.items[i].column.n);

			if (v)
				rc = vd_fields_put_json(&l->fields, l->map.items[i].field, v, bad);
		}
	} else {
		for (void *it = json_object_iter((json_t *)(uintptr_t)row->object); !rc && it;
		     it = json_object_iter_next((json_t *)(uintptr_t)row->object, it))
			rc = vd_fields_put_json(&l->fields, vd_slice(json_object_iter_key(it), json_object_iter_key_len(it)),
			                        json_object_iter_value(it), bad);
	}
	if (!rc && l->fields.count == 0) {
		bad->msg = VD_MSG_LOAD_ROW_EMPTY;
		return VD_EINVAL;
	}
	return rc ? rc : vd_fields_encode(&l->fields, &l->content, bad);
}

static int take_row(struct load *l, const struct vd_row *row)
{
	struct vd_draft draft = { .lane = (uint8_t)vd_kind_lane(l->fields.kind) };
	struct vd_bad_field bad;
	struct vd_id id;
	int rc = convert(l, row, &bad);

	l->row++;
	l->unfinished = row->unfinished;
	advance(l, row->raw);
	advance_good(l, row->raw, rc == VD_EINVAL);
	if (rc == VD_EINVAL) {
		add_gap(&l->gaps, l->row);
		say_bad(l, row, &bad);
		return 0;
	}
	if (rc)
		return rc;
	if (l->row <= l->stored.rows && !l->is_again) {
		l->known++;
		return 0;
	}
	if (l->row <= l->known_rows && !is_gap(&l->before_gaps, l->row)) {
		l->known++;
		return 0;
	}
	if (l->dry_run) {
		l->fresh++;
		return 0;
	}
	if (!l->write) {
		rc = vd_write_begin(l->cli->store, &l->write);
		l->batch_until_ms = vd_time_steady_ms() + BATCH_MS;
	}
	vd_to_draft(&l->to, &draft);
	draft.content = vd_buf_slice(&l->content);
	draft.now_ms = vd_time_now_ms();
	if (!rc)
		rc = vd_write_own(l->write, l->group, &draft, &id);
	l->batch_rows += !rc;
	l->batch_bytes += row->raw.n;
	return rc;
}

/* A line that stays in its place; only for someone who looks. */
static void show_progress(struct load *l, bool last)
{
	uint64_t now = vd_time_steady_ms();

	if (l->cli->opt.json || l->cli->opt.quiet || !isatty(STDERR_FILENO) || (!last && now < l->shown_ms + 200))
		return;
	l->shown_ms = now;
	vd_progress(l->cli, last ? VD_MSG_NONE : VD_MSG_LOAD_PROGRESS, vd_num(l->cli, l->row), NULL);
}

/* Corrected rows among those that are known go in with the position behind all of them: in one commit. */
static bool batch_full(const struct load *l)
{
	if (l->row <= l->known_rows)
		return false;
	return l->batch_rows >= BATCH_ROWS || l->batch_bytes >= BATCH_BYTES ||
	       (l->write && vd_time_steady_ms() >= l->batch_until_ms);
}

static int run_rows(struct load *l)
{
	struct vd_row row;
	int rc;

	while ((rc = vd_rows_next(l->rows, &row)) == 1) {
		rc = take_row(l, &row);
		if (!rc && batch_full(l)) {
			rc = flush(l, false);
			show_progress(l, false);
		}
		if (rc || vd_interrupted())
			break;
	}
	if (rc >= 0)
		rc = flush(l, !vd_interrupted());
	if (rc && l->write) {
		vd_write_abort(l->write);
		l->write = NULL;
	}
	show_progress(l, true);
	return rc;
}

static int report(struct load *l, int err)
{
	struct vd_cli *cli = l->cli;

	if (cli->opt.json)
		vd_say_json(cli, json_pack("{s:o,s:o,s:o,s:O}", "new", vd_json_number(l->fresh), "known", vd_json_number(l->known),
		                           "refused", vd_json_number(l->refused), "errors", l->errors));
	else
		vd_say(cli, l->dry_run ? VD_MSG_LOAD_DRY : VD_MSG_LOAD_DONE, vd_num(cli, l->fresh), vd_num(cli, l->known),
		       vd_num(cli, l->refused), NULL);
	if (l->said > BAD_ROWS_SAID)
		vd_note(cli, VD_MSG_LOAD_MORE_BAD, vd_num(cli, l->said - BAD_ROWS_SAID), NULL);
	if (err)
		return vd_fail(cli, err, err == VD_ENOSPACE || err == VD_EIO ? VD_MSG_HINT_LOAD_STOPPED : VD_MSG_NONE, VD_MSG_LOAD_STOPPED,
		               NULL);
	if (vd_interrupted())
		return vd_refuse(cli, VD_EXIT_INTERRUPTED, "interrupted", VD_MSG_HINT_LOAD_STOPPED, VD_MSG_LOAD_INTERRUPTED, NULL);
	if (l->refused && l->dry_run)
		return vd_refuse(cli, VD_EXIT_PARTLY, "partly", VD_MSG_HINT_LOAD_PARTLY_DRY, VD_MSG_LOAD_PARTLY_DRY, vd_num(cli, l->refused), NULL);
	if (l->refused && !l->fresh && !l->known)
		return vd_refuse(cli, VD_EXIT_PARTLY, "partly", VD_MSG_HINT_LOAD_NONE, VD_MSG_LOAD_NONE, vd_num(cli, l->refused), NULL);
	if (l->refused)
		return vd_refuse(cli, VD_EXIT_PARTLY, "partly", l->gaps.over ? VD_MSG_HINT_LOAD_PARTLY : VD_MSG_HINT_LOAD_MEND, VD_MSG_LOAD_PARTLY, vd_num(cli, l->refused), NULL);
	if (!l->fresh && l->known)
		vd_note(cli, VD_MSG_LOAD_ALL_KNOWN, NULL);
	return VD_EXIT_DONE;
}

static int prepare(struct load *l, const char *path, int fd)
{
	struct vd_cli *cli = l->cli;
	int rc = vd_rows_new(fd, format_of(path), &l->rows);

	path = vd_cli_path_said(cli, path, VD_MSG_PIPE_IN);
	if (rc == VD_ENOTFOUND)
		return vd_refuse(cli, VD_EXIT_FAILED, "empty", VD_MSG_HINT_LOAD_EMPTY, VD_MSG_LOAD_EMPTY, path, NULL);
	if (rc == VD_EFORMAT)
		return vd_refuse(cli, VD_EXIT_FAILED, "format", VD_MSG_HINT_LOAD_EMPTY, VD_MSG_LOAD_HEADER_BAD, path, NULL);
	if (rc)
		return vd_fail(cli, rc, VD_MSG_NONE, VD_MSG_LOAD_READ_FAILED, path, NULL);
	rc = vd_map_make(&l->map, cli, l->rows);
	if (rc)
		return rc;
	rc = start_chain(l);
	if (!rc)
		rc = find_known(l);
	return rc ? vd_fail(cli, rc, VD_MSG_NONE, VD_MSG_LOAD_READ_FAILED, path, NULL) : 0;
}

static int load_run(struct vd_cli *cli)
{
	const char *kind = cli->opt.args[0], *path = cli->opt.args[1];
	struct load *l = calloc(1, sizeof *l);
	int fd = -1, rc;

	if (!l)
		return vd_fail(cli, VD_ENOMEM, VD_MSG_NONE, VD_MSG_LOAD_READ_FAILED, path, NULL);
	l->cli = cli;
	l->finder = (struct vd_id_finder){ vd_cli_find_id, cli };
	l->dry_run = vd_options_get(&cli->opt, VD_OPT_DRY_RUN) != NULL;
	l->is_again = vd_options_get(&cli->opt, VD_OPT_AGAIN) != NULL;
	l->stored.use = "load";
	l->again.use = "again";
	l->mended.use = "mended";
	l->errors = json_array();
	rc = vd_fields_init(&l->fields, kind, &l->finder);
	rc = rc ? vd_misuse(cli, VD_MSG_HINT_HELP_COMMAND, VD_MSG_BAD_KIND, "load", kind, NULL) : vd_cli_kind_by_hand(cli, kind);
	if (!rc)
		rc = vd_cli_group(cli, &l->group);
	if (!rc)
		rc = vd_cli_to(cli, l->group, &l->to);
	if (!rc)
		rc = vd_cli_clock_set(cli);
	if (!rc)
		vd_cli_make_room(cli);
	if (!rc)
		rc = open_input(cli, path, &fd);
	if (!rc)
		rc = prepare(l, path, fd);
	if (!rc) {
		vd_interrupt_graceful(true);
		rc = report(l, run_rows(l));
		vd_interrupt_graceful(false);
		if (l->fresh && !l->dry_run) {
			vd_cli_to_note(cli, l->group, &l->to);
			vd_cli_poke(cli);
		}
	}
	if (fd >= 0)
		close(fd);
	json_decref(l->errors);
	vd_fields_deinit(&l->fields);
	vd_buf_deinit(&l->content);
	vd_rows_free(l->rows);
	vd_group_free(l->group);
	vd_map_deinit(&l->map);
	free(l);
	return rc;
}

const struct vd_command vd_command_load = {
	.syntax = { "load", { VD_OPT_MAP, VD_OPT_DRY_RUN, VD_OPT_AGAIN, VD_OPT_TO, VD_OPT_KEEP } },
	.run = load_run, .summary = VD_MSG_SUM_LOAD, .help = VD_MSG_HELP_LOAD, .args_min = 2, .args_max = 2,
};
