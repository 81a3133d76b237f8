/* A store whose file the disk gave back changed: no command dies of it, and none goes on as if nothing were lost. */
#include "tests/unit/store_cast.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "store/bundle.h"
#include "store/check.h"
#include "store/index.h"
#include "store/salvage.h"

enum { RECORDS = 140,PAGE = 4096, CASES = 420 };

/* What the store held when it was whole. */
struct whole {
	struct vd_id ids[RECORDS + 16];
	size_t count;
	uint8_t group[VD_GROUP_BYTES];
	uint8_t *file;
	size_t bytes;
};

static uint64_t seed;

static size_t below(size_t n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (size_t)(seed >> 33) % n;
}

static int learn(void *ctx, uint64_t arrival, uint64_t received_ms, struct vd_slice raw)
{
	struct whole *whole = ctx;
	struct vd_record record;

	(void)arrival;
	(void)received_ms;
	assert_int_equal(vd_record_decode(raw, &record), 0);
	assert_true(whole->count < sizeof(whole->ids) / sizeof(whole->ids[0]));
	whole->ids[whole->count++] = record.id;
	return VD_OK;
}

static void make(const char *home, struct whole *whole)
{
	static char text[9100];
	struct vd_store *s = cast_store(home);
	struct vd_group *g = cast_found(s, whole->group);
	struct vd_write *w;
	char path[512];
	struct stat st;
	int fd;

	memset(text, 'x', sizeof(text) - 1);
	assert_int_equal(vd_write_begin(s, &w), 0);
	for (int i = 0; i < RECORDS; i++) {
		/* Some beyond one page, and none that compression folds away. */
		for (size_t j = 0; j + 1 < sizeof(text); j++)
			text[j] = (char)('!' + below(94));
		text[i % 9 ? 90 : 9000] = '\0';
		assert_int_equal(cast_own(w, g, text, cast_now + (uint64_t)i, NULL), 0);
		text[i % 9 ? 90 : 9000] = 'x';
	}
	assert_int_equal(vd_write_commit(w), 0);
	assert_int_equal(vd_index_catch_up(s), 0);
	cast_add(s, g, "last", NULL);
	assert_int_equal(vd_store_walk(s, NULL, 255, 0, learn, whole), 0);
	vd_group_free(g);
	vd_store_close(s);
	snprintf(path, sizeof(path), "%s/data.mdb", home);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0 && !fstat(fd, &st));
	whole->bytes = (size_t)st.st_size;
	whole->file = malloc(whole->bytes);
	assert_int_equal(read(fd, whole->file, whole->bytes), st.st_size);
	close(fd);
}

/* --- in a process of its own: what commands do; its exit status says what they told --- */

enum { REFUSED = 10, TOLD, SILENT, WRONG, CHECK_SILENT, FORKED, HOPELESS = 100, SAVED };

struct found {
	const struct whole *whole;
	bool seen[RECORDS + 16];
	bool wrong, control;
};

static void tick(struct found *f, const struct vd_id *id)
{
	for (size_t i = 0; i < f->whole->count; i++) {
		if (!memcmp(f->whole->ids[i].b, id->b, VD_ID_BYTES)) {
			f->seen[i] = true;
			return;
		}
	}
	f->wrong = true;
}

static int exported(void *ctx, uint64_t arrival, uint64_t received_ms, struct vd_slice raw)
{
	struct vd_record record;
	struct found *f = ctx;

	(void)arrival;
	(void)received_ms;
	if (vd_record_decode(raw, &record))
		f->wrong = true;
	else
		tick(f, &record.id);
	return VD_OK;
}

static int listed(void *ctx, const struct vd_found *found)
{
	tick(ctx, &found->record->id);
	return VD_OK;
}

static bool missing(const struct found *f)
{
	size_t n = 0;

	for (size_t i = 0; i < f->whole->count; i++)
		n += f->seen[i];
	return n < f->whole->count;
}

static int verdict(const struct found *f, int rc)
{
	if (f->wrong)
		return WRONG;
	return rc ? TOLD : missing(f) ? SILENT : 0;
}

static void add(struct vd_store *s, const struct whole *whole)
{
	struct vd_draft draft = { .lane = VD_LANE_NORMAL, .now_ms = cast_now + 100 };
	struct vd_field text = { vd_slice_str("text"), { .type = VD_MP_STR, .bytes = vd_slice_str("more") } };
	struct vd_buf content = { 0 };
	struct vd_group *g = NULL;
	struct vd_write *w;
	struct vd_id id;

	if (!vd_store_group(s, whole->group, &g) && !vd_write_begin(s, &w)) {
		if (!vd_content_encode(vd_slice_str("message"), &text, 1, &content)) {
			draft.content = vd_buf_slice(&content);
			(void)!vd_write_own(w, g, &draft, &id);
		}
		(void)!vd_write_commit(w);
	}
	vd_buf_deinit(&content);
	vd_group_free(g);
}

struct chains {
	struct vd_record seen[RECORDS + 32];
	size_t count;
	bool forked;
};

static int chain(void *ctx, uint64_t arrival, uint64_t received_ms, struct vd_slice raw)
{
	struct chains *c = ctx;
	struct vd_record *one = &c->seen[c->count];

	(void)arrival;
	(void)received_ms;
	assert_true(c->count < sizeof(c->seen) / sizeof(c->seen[0]));
	if (vd_record_decode(raw, one))
		return VD_EDAMAGED;
	for (size_t i = 0; i < c->count; i++)
		c->forked |= c->seen[i].lane == one->lane && c->seen[i].seq == one->seq;
	c->count++;
	return VD_OK;
}

/* How many records a new store was built with. */
static int salvage(const char *home, const struct whole *whole)
{
	struct found walked = { .whole = whole };
	static struct chains chains;
	struct vd_salvage saved;
	struct vd_check check;
	struct vd_store *s;
	size_t n = 0;
	int rc = vd_store_salvage(home, rest_secret(), cast_now + 200, &saved);

	if (rc == VD_ENOTFOUND || rc == VD_EVERSION)
		return vd_store_open(home, &s) == VD_EDAMAGED ? HOPELESS : WRONG;
	if (rc || vd_store_salvage(home, rest_secret(), cast_now, &saved) != VD_EEXISTS || vd_store_open(home, &s))
		return WRONG;
	if (vd_check(s, false, &check) || check.bad || check.derived_bad)
		return WRONG;
	if (vd_store_walk(s, NULL, 255, 0, exported, &walked) || walked.wrong)
		return WRONG;
	for (size_t i = 0; i < whole->count; i++)
		n += walked.seen[i];
	add(s, whole);
	if (vd_store_walk(s, NULL, 255, 0, chain, &chains) || chains.forked)
		return FORKED;
	vd_store_close(s);
	return (int)(SAVED + n);
}

static int use(const char *home, const struct whole *whole)
{
	struct found walked = { .whole = whole }, queried = { .whole = whole };
	struct vd_check check;
	struct vd_store *s;
	int rc, told, worst;

	rc = vd_store_open(home, &s);
	if (rc == VD_EDAMAGED)
		return salvage(home, whole);
	if (rc)
		return rc == VD_EVERSION ? REFUSED : WRONG;
	rc = vd_store_walk(s, NULL, 255, 0, exported, &walked);
	worst = verdict(&walked, rc);
	rc = vd_query(s, &(struct vd_query){ .control = true }, listed, &queried);
	told = verdict(&queried, rc);
	worst = told > worst ? told : worst;
	rc = vd_check(s, false, &check);
	if (worst == TOLD && !rc && !check.bad && !check.derived_bad)
		worst = CHECK_SILENT;
	add(s, whole);
	rc = vd_check(s, true, &check);
	(void)rc;
	vd_store_close(s);
	return worst;
}

/* --- the damage --- */

static void spoil(unsigned how, uint8_t *file, size_t *bytes)
{
	size_t pages = *bytes / PAGE, page = below(pages), other = below(pages), at = below(PAGE - 512);
	uint8_t keep[PAGE];

	switch (how % 10) {
	case 0: case 1: case 2: /* a bit of a page's head or list of nodes */
		file[page * PAGE + below(64)] ^= (uint8_t)(1u << below(8));
		break;
	case 3: case 4: /* a bit anywhere */
		file[below(*bytes)] ^= (uint8_t)(1u << below(8));
		break;
	case 5: /* a sector */
		memset(file + page * PAGE + at / 512 * 512, how & 16 ? 0xff : 0, 512);
		break;
	case 6: /* a page */
		memset(file + page * PAGE, how & 16 ? 0xff : 0, PAGE);
		break;
	case 7: /* pages in each other's place */
		memcpy(keep, file + page * PAGE, PAGE);
		memcpy(file + page * PAGE, file + other * PAGE, PAGE);
		memcpy(file + other * PAGE, keep, PAGE);
		break;
	case 8: /* the end */
		*bytes = below(*bytes);
		break;
	case 9: /* noise */
		for (size_t i = 0; i < 300; i++)
			file[page * PAGE + at + i] = (uint8_t)below(256);
		break;
	}
}

static void put(const char *home, const uint8_t *file, size_t bytes)
{
	char path[512];
	int fd;

	snprintf(path, sizeof(path), "%s/data.mdb", home);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, file, bytes), (ssize_t)bytes);
	close(fd);
}

static int in_child(const char *home, const struct whole *whole)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(use(home, whole));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void test_damage__any(void **state)
{
	const struct cast_place *p = *state;
	struct whole whole = { 0 };
	unsigned refused = 0, told = 0, saved = 0, hopeless = 0;
	uint8_t *file;

	seed = 1;
	make(p->home, &whole);
	file = malloc(whole.bytes);
	assert_int_equal(mkdir(p->other, 0700), 0);
	assert_int_equal(rest_copy(p->home, p->other), 0);
	put(p->other, whole.file, whole.bytes);
	assert_int_equal(in_child(p->other, &whole), 0);
	for (unsigned i = 0; i < CASES; i++) {
		size_t bytes = whole.bytes;
		int verdict_;

		seed = i;
		memcpy(file, whole.file, bytes);
		spoil(i, file, &bytes);
		put(p->other, file, bytes);
		verdict_ = in_child(p->other, &whole);
		if (verdict_ >= HOPELESS) {
			hopeless += verdict_ == HOPELESS;
			saved += verdict_ > HOPELESS ? (unsigned)(verdict_ - SAVED) : 0;
			verdict_ = REFUSED;
		}
		if (verdict_ > TOLD || (verdict_ && verdict_ < REFUSED))
			print_error("case %u: %d\n", i, verdict_);
		assert_true(verdict_ == 0 || verdict_ == REFUSED || verdict_ == TOLD);
		refused += verdict_ == REFUSED;
		told += verdict_ == TOLD;
	}
	print_message("%zu pages: refused %u, told %u of %u; not to be saved %u; else %zu%% was\n", whole.bytes / PAGE, refused, told,
	              CASES, hopeless, (size_t)saved * 100 / ((refused - hopeless) * whole.count));
	assert_true(hopeless < refused / 3 && saved > (refused - hopeless) * whole.count * 7 / 10);
	assert_true(refused > CASES / 4 && told > CASES / 20);
	free(file);
	free(whole.file);
}

static void say(void)
{
	_exit(TOLD);
}

/* The medium fails under an open store: that is said, and the next one reads all of it before it maps it. */
static void test_damage__under_an_open_store(void **state)
{
	const struct cast_place *p = *state;
	struct found found = { .whole = NULL };
	struct whole whole = { 0 };
	char path[512];
	struct vd_store *s;
	int status;
	pid_t pid;

	make(p->home, &whole);
	snprintf(path, sizeof(path), "%s/data.mdb", p->home);
	found.whole = &whole;
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		vd_store_on_broken(say);
		if (vd_store_open(p->home, &s) || truncate(path, 2 * PAGE))
			_exit(WRONG);
		(void)!vd_store_walk(s, NULL, 255, 0, exported, &found);
		_exit(SILENT);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), TOLD);
	assert_int_equal(vd_store_open(p->home, &s), VD_EDAMAGED);
	free(whole.file);
}

/* Nobody writes to a file that was put in the place of the one that is mapped, or to one that is gone. */
static void test_damage__file_taken_away(void **state)
{
	const struct cast_place *p = *state;
	struct whole whole = { 0 };
	char path[512], other[512];
	struct vd_write *w;
	struct vd_store *s;

	make(p->home, &whole);
	snprintf(path, sizeof(path), "%s/data.mdb", p->home);
	snprintf(other, sizeof(other), "%s/other.mdb", p->top);
	assert_int_equal(vd_store_open(p->home, &s), 0);
	assert_int_equal(rename(path, other), 0);
	assert_int_equal(vd_write_begin(s, &w), VD_EIO);
	put(p->home, whole.file, whole.bytes);
	assert_int_equal(vd_write_begin(s, &w), VD_EIO);
	vd_store_close(s);
	assert_int_equal(vd_store_open(p->home, &s), 0);
	assert_int_equal(vd_write_begin(s, &w), 0);
	vd_write_abort(w);
	vd_store_close(s);
	free(whole.file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_damage__any, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_damage__under_an_open_store, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_damage__file_taken_away, cast_setup, cast_teardown),
	};

	if (vd_sign_selftest())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
