/* Takes the recorder's log and makes what a power cut could have left, over and over, each time examined by a child.
 *
 * The model. What a file's last sync covered is durable; so is what came back from a descriptor that writes through. Of every later
 * write any part may be there, sector by sector, whatever became of the ones before it. What a folder's last sync covered of its names
 * is durable; of later creations, renames and removals any subset may be. Syncing a file does not sync its name.
 *
 *   replay LOG compare ROOT                 everything applied gives the very bytes that stand below ROOT: nothing escaped the recorder
 *   replay LOG states N SEED [without KIND] examines N states; without file, folder or through: those syncs are taken for absent
 * ends with 0 when all states were sound, 1 when one was not; 2: usage or the log. */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "examine.h"
#include "proto/bytes.h"
#include "proto/sign.h"
#include "store/file.h"
#include "tests/crash/events.h"

enum { SECTOR = 512, NAMES_MAX = 4096, FILES_MAX = 4096, SHOWN = 5 };

struct change {
	bool truncate;
	uint64_t at;
	const uint8_t *data;
	size_t n;
};

struct file {
	uint64_t number;
	struct vd_buf durable;
	struct change *pending;
	size_t count, capacity;
};

struct name {
	char *path;
	struct file *file;   /* NULL: a folder */
};

struct name_change {
	uint32_t type;       /* CRASH_CREATE, _LINK, _RENAME, _UNLINK, _MKDIR, _RMDIR */
	char *path, *path2;
	struct file *file;
};

struct names {
	struct name list[NAMES_MAX];
	size_t count;
};

static struct file *files[FILES_MAX];
static size_t file_count;
static struct names current, durable;
static struct name_change pending[NAMES_MAX];
static size_t pending_count;
static struct promise *promises;
static size_t promise_count;
static uint64_t random_state;

static void fail(const char *what)
{
	fprintf(stderr, "replay: %s\n", what);
	exit(2);
}

static void *must(void *p)
{
	if (!p)
		fail("no memory");
	return p;
}

/* xorshift64*: the same states for the same seed, everywhere. */
static uint64_t draw(uint64_t below)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return (random_state * UINT64_C(2685821657736338717) >> 32) % below;
}

static struct file *file_by_number(uint64_t number)
{
	for (size_t i = file_count; i > 0; i--)
		if (files[i - 1]->number == number)
			return files[i - 1];
	fail("a file that was never created");
	return NULL;
}

static struct name *lookup(struct names *names, const char *path)
{
	for (size_t i = 0; i < names->count; i++)
		if (strcmp(names->list[i].path, path) == 0)
			return &names->list[i];
	return NULL;
}

static void set_name(struct names *names, char *path, struct file *file)
{
	struct name *name = lookup(names, path);

	if (!name) {
		if (names->count == NAMES_MAX)
			fail("too many names");
		name = &names->list[names->count++];
	}
	*name = (struct name){ path, file };
}

static void remove_name(struct names *names, const char *path)
{
	struct name *name = lookup(names, path);

	if (name)
		*name = names->list[--names->count];
}

static void apply_name(struct names *names, const struct name_change *c)
{
	switch (c->type) {
	case CRASH_CREATE:
	case CRASH_MKDIR:
		set_name(names, c->path, c->file);
		break;
	case CRASH_RENAME:
		remove_name(names, c->path);
		set_name(names, c->path2, c->file);
		break;
	case CRASH_LINK:
		set_name(names, c->path2, c->file);
		break;
	default:
		remove_name(names, c->path);
	}
}

static void change_name(uint32_t type, char *path, char *path2, struct file *file)
{
	struct name *from = lookup(&current, path);
	struct name_change c = { type, path, path2, file };

	if (type == CRASH_RENAME || type == CRASH_LINK) {
		if (!from)
			fail("a name that was never made");
		c.file = from->file;
	}
	if (pending_count == NAMES_MAX)
		fail("too many pending names");
	pending[pending_count++] = c;
	apply_name(&current, &c);
}

static bool stands_in(const char *path, const char *folder)
{
	const char *slash = strrchr(path, '/');
	size_t n = slash ? (size_t)(slash - path) : 0;

	return strlen(folder) == n && strncmp(path, folder, n) == 0;
}

static void sync_folder(const char *folder)
{
	size_t kept = 0;

	for (size_t i = 0; i < pending_count; i++) {
		struct name_change c = pending[i];

		if (!stands_in(c.path2 ? c.path2 : c.path, folder)) {
			pending[kept++] = c;
			continue;
		}
		apply_name(&durable, &c);
		/* A file whose new name is durable does not come back under its old one. */
		for (size_t k = 0; c.type == CRASH_RENAME && k < kept; k++)
			if (pending[k].type == CRASH_CREATE && pending[k].file == c.file)
				pending[k--] = pending[--kept];
	}
	pending_count = kept;
}

/* `sectors`: NULL, or which of the write's sectors arrive. */
static void apply_change(struct vd_buf *content, const struct change *c, bool torn)
{
	if (c->truncate) {
		if (c->at > content->n)
			memset(must(vd_buf_extend(content, (size_t)c->at - content->n)), 0, (size_t)c->at - content->n);
		content->n = (size_t)c->at;
		return;
	}
	for (uint64_t at = c->at, end = c->at + c->n, next; at < end; at = next) {
		next = (at / SECTOR + 1) * SECTOR;
		if (next > end)
			next = end;
		if (torn && draw(2))
			continue;
		if (next > content->n) {
			size_t more = (size_t)next - content->n;

			memset(must(vd_buf_extend(content, more)), 0, more);
		}
		memcpy(content->p + at, c->data + (at - c->at), (size_t)(next - at));
	}
}

static void add_change(struct file *f, struct change c)
{
	if (f->count == f->capacity) {
		f->capacity = f->capacity ? 2 * f->capacity : 16;
		f->pending = must(realloc(f->pending, f->capacity * sizeof(*f->pending)));
	}
	f->pending[f->count++] = c;
}

static void sync_file(struct file *f)
{
	for (size_t i = 0; i < f->count; i++)
		apply_change(&f->durable, &f->pending[i], false);
	f->count = 0;
}

/* The file's latest write alone is durable. */
static void sync_last(struct file *f)
{
	if (f->count)
		apply_change(&f->durable, &f->pending[--f->count], false);
}

static void take_promise(const uint8_t *data, size_t n)
{
	char *line = must(strndup((const char *)data, n)), *save = NULL;
	struct promise *p;

	line[strcspn(line, "\n")] = '\0';
	promises = must(realloc(promises, (promise_count + 1) * sizeof(*promises)));
	p = &promises[promise_count++];
	p->what = strtok_r(line, " ", &save);
	p->where = strtok_r(NULL, " ", &save);
	p->detail = strtok_r(NULL, " ", &save);
	if (!p->what || !p->where)
		fail("a promise that says nothing");
}

/* Which syncs count. */
struct syncs {
	bool file, folder, through;
};

static void take_event(const struct crash_event *e, const uint8_t *p, const struct syncs *syncs)
{
	char *path = must(strndup((const char *)p, e->path_n));
	char *path2 = e->path2_n ? must(strndup((const char *)p + e->path_n, e->path2_n)) : NULL;
	const uint8_t *data = p + e->path_n + e->path2_n;
	struct file *f;

	switch (e->type) {
	case CRASH_CREATE:
		if (file_count == FILES_MAX)
			fail("too many files");
		f = files[file_count++] = must(calloc(1, sizeof(*f)));
		f->number = e->file;
		change_name(e->type, path, NULL, f);
		return;
	case CRASH_MKDIR:
	case CRASH_RMDIR:
	case CRASH_UNLINK:
	case CRASH_RENAME:
	case CRASH_LINK:
		change_name(e->type, path, path2, NULL);
		return; /* the change keeps the paths */
	case CRASH_WRITE:
		add_change(file_by_number(e->file), (struct change){ .at = e->at, .data = data, .n = e->data_n });
		break;
	case CRASH_TRUNCATE:
		add_change(file_by_number(e->file), (struct change){ .truncate = true, .at = e->at });
		break;
	case CRASH_SYNC:
		if (syncs->file)
			sync_file(file_by_number(e->file));
		break;
	case CRASH_WRITTEN_THROUGH:
		if (syncs->through)
			sync_last(file_by_number(e->file));
		break;
	case CRASH_SYNC_FOLDER:
		if (syncs->folder)
			sync_folder(path);
		break;
	case CRASH_ACK:
		take_promise(data, e->data_n);
		break;
	default:
		fail("an event of no kind");
	}
	free(path);
	free(path2);
}

/* How much of what is pending has reached the medium. */
enum luck { LUCK_NONE, LUCK_ALL, LUCK_MIXED };

static void content_of(const struct file *f, enum luck luck, struct vd_buf *out)
{
	enum { WHOLE, SUBSET, TORN, PREFIX, WAYS };
	uint64_t odds = 1 + draw(9), until = f->count, how = draw(WAYS);

	vd_buf_reset(out);
	vd_buf_put_slice(out, vd_buf_slice(&f->durable));
	if (luck == LUCK_MIXED && how == PREFIX)
		until = draw(f->count + 1);
	for (size_t i = 0; luck != LUCK_NONE && i < until; i++) {
		if (luck == LUCK_MIXED && (how == SUBSET || how == TORN) && draw(10) >= odds)
			continue;
		apply_change(out, &f->pending[i], luck == LUCK_MIXED && how == TORN && draw(2));
	}
	if (vd_buf_check(out))
		fail("no memory");
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct name *)a)->path, ((const struct name *)b)->path);
}

/* The names a cut leaves, parents first; what stands in a folder that is not there is gone with it. */
static void names_of(enum luck luck, struct names *out)
{
	uint64_t odds = 1 + draw(9);
	size_t kept = 0;

	*out = durable;
	for (size_t i = 0; luck != LUCK_NONE && i < pending_count; i++)
		if (luck == LUCK_ALL || draw(10) < odds)
			apply_name(out, &pending[i]);
	qsort(out->list, out->count, sizeof(out->list[0]), by_path);
	for (size_t i = 0; i < out->count; i++) {
		char *path = out->list[i].path, *slash = strrchr(path, '/');
		bool reachable = !slash;

		for (size_t k = 0; k < kept && !reachable; k++)
			reachable = !out->list[k].file && strlen(out->list[k].path) == (size_t)(slash - path) &&
			            strncmp(out->list[k].path, path, (size_t)(slash - path)) == 0;
		if (reachable)
			out->list[kept++] = out->list[i];
	}
	out->count = kept;
}

static void write_state(enum luck luck)
{
	static struct names names;
	struct vd_buf content = { 0 };

	names_of(luck, &names);
	for (size_t i = 0; i < names.count; i++) {
		const struct name *name = &names.list[i];
		int fd;

		if (!name->file) {
			if (mkdir(name->path, 0700))
				fail("mkdir");
			continue;
		}
		content_of(name->file, luck, &content);
		fd = open(name->path, O_WRONLY | O_CREAT | O_EXCL, 0600);
		for (size_t at = 0; fd >= 0 && at < content.n;) {
			ssize_t n = write(fd, content.p + at, content.n - at);

			if (n <= 0)
				fail("write: no room for the states?");
			at += (size_t)n;
		}
		if (fd < 0 || close(fd))
			fail("write");
	}
	vd_buf_deinit(&content);
}

static void clear(const char *folder)
{
	char command[512];

	snprintf(command, sizeof(command), "rm -rf -- '%s'", folder);
	if (system(command))
		fail("rm");
}

/* In a child, for a damaged store may kill it. */
static bool state_ok(enum luck luck, char why[256])
{
	const char *temp = getenv("TMPDIR");
	char folder[200];
	int ends[2], status;
	ssize_t n;
	pid_t child;

	snprintf(folder, sizeof(folder), "%s/vd-crash-XXXXXX", temp ? temp : "/tmp");
	if (!mkdtemp(folder) || pipe(ends))
		fail("mkdtemp");
	child = fork();
	if (child < 0)
		fail("fork");
	if (child == 0) {
		bool ok;

		alarm(60);
		if (chdir(folder))
			_exit(2);
		write_state(luck);
		memset(why, 0, 256);
		ok = examine(promises, promise_count, why);
		if (!ok && write(ends[1], why, 256) != 256)
			_exit(2);
		_exit(ok ? 0 : 1);
	}
	close(ends[1]);
	memset(why, 0, 256);
	n = read(ends[0], why, 255);
	close(ends[0]);
	if (waitpid(child, &status, 0) != child)
		fail("waitpid");
	clear(folder);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 2)
		fail("could not make a state");
	if (n <= 0 && WIFSIGNALED(status))
		snprintf(why, 256, "died of signal %d", WTERMSIG(status));
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static size_t next_event(struct vd_slice log, struct crash_event *e)
{
	uint64_t n = sizeof(*e);

	if (log.n >= n) {
		memcpy(e, log.p, sizeof(*e));
		n += (uint64_t)e->path_n + e->path2_n + e->data_n;
	}
	if (log.n < n)
		fail("the log is torn");
	return (size_t)n;
}

static bool begins(const struct crash_event *e, const uint8_t *p)
{
	static const char word[] = "begin ";

	return e->type == CRASH_ACK && e->data_n >= sizeof(word) - 1 && memcmp(p + e->path_n + e->path2_n, word, sizeof(word) - 1) == 0;
}

static bool has_beginning(struct vd_slice log)
{
	struct crash_event e;

	for (size_t n; log.n; log.p += n, log.n -= n) {
		n = next_event(log, &e);
		if (begins(&e, log.p + sizeof(e)))
			return true;
	}
	return false;
}

/* Takes every event in turn, and calls `at_cut` behind each, but for promises behind the last of several: no cut is stricter. Without
 * syncs nothing is taken. Returns how many cuts there are, behind the promise `begin` if there is one. */
static size_t walk(struct vd_slice log, const struct syncs *syncs, void (*at_cut)(void *ctx, size_t cut), void *ctx)
{
	bool begun = !has_beginning(log);
	size_t cuts = 0;

	while (log.n) {
		struct crash_event e, next;
		size_t n = next_event(log, &e);

		begun = begun || begins(&e, log.p + sizeof(e));
		if (syncs)
			take_event(&e, log.p + sizeof(e), syncs);
		log.p += n;
		log.n -= n;
		if (!begun || (log.n && (next_event(log, &next), next.type == CRASH_ACK)))
			continue;
		if (at_cut)
			at_cut(ctx, cuts);
		cuts++;
	}
	return cuts;
}

struct campaign {
	size_t cuts, states, done, bad;
	uint64_t seed;
};

/* States are spread evenly over the cuts; a cut that gets several begins with "nothing more arrived" and "everything did". */
static void examine_cut(void *ctx, size_t cut)
{
	struct campaign *c = ctx;
	size_t until = (cut + 1) * c->states / c->cuts, first = c->done;
	char why[256];

	for (; c->done < until; c->done++) {
		size_t turn = c->states > 2 * c->cuts ? c->done - first : draw(5);
		enum luck luck = turn == 0 ? LUCK_NONE : turn == 1 ? LUCK_ALL : LUCK_MIXED;

		random_state = c->seed * UINT64_C(0x9e3779b97f4a7c15) + c->done + 1;
		if (state_ok(luck, why))
			continue;
		if (c->bad++ < SHOWN)
			printf("# cut %zu of %zu, state %zu, seed %llu: %s\n", cut, c->cuts, c->done,
			       (unsigned long long)c->seed, why);
	}
}

static int compare(const char *root)
{
	struct vd_buf ours = { 0 }, theirs = { 0 };
	int bad = 0;

	for (size_t i = 0; i < current.count; i++) {
		char path[1024];

		if (!current.list[i].file)
			continue;
		snprintf(path, sizeof(path), "%s/%s", root, current.list[i].path);
		vd_buf_reset(&theirs);
		content_of(current.list[i].file, LUCK_ALL, &ours);
		if (vd_file_read(path, 1 << 30, &theirs) || !vd_slice_eq(vd_buf_slice(&ours), vd_buf_slice(&theirs))) {
			printf("# %s is not what the log says\n", path);
			bad = 1;
		}
	}
	vd_buf_deinit(&ours);
	vd_buf_deinit(&theirs);
	return current.count == 0 || bad;
}

int main(int argc, char **argv)
{
	struct syncs syncs = { true, true, true };
	struct campaign campaign = { 0 };
	struct vd_buf log = { 0 };

	random_state = 1;
	if (argc < 4 || vd_file_read(argv[1], 1 << 30, &log))
		fail("usage: replay LOG compare ROOT | replay LOG states N SEED [without file|folder|through]");
	if (strcmp(argv[2], "compare") == 0) {
		walk(vd_buf_slice(&log), &syncs, NULL, NULL);
		return compare(argv[3]);
	}
	if (strcmp(argv[2], "states") != 0 || argc < 5 || vd_sign_selftest())
		fail("usage");
	if (argc == 7) {
		syncs.file = strcmp(argv[6], "file") != 0;
		syncs.folder = strcmp(argv[6], "folder") != 0;
		syncs.through = strcmp(argv[6], "through") != 0;
	}
	campaign.states = strtoul(argv[3], NULL, 10);
	campaign.seed = strtoull(argv[4], NULL, 10);
	campaign.cuts = walk(vd_buf_slice(&log), NULL, NULL, NULL);
	walk(vd_buf_slice(&log), &syncs, examine_cut, &campaign);
	printf("# %zu cuts, %zu promises, %zu states, %zu bad\n", campaign.cuts, promise_count, campaign.done, campaign.bad);
	return campaign.bad || campaign.done == 0;
}
