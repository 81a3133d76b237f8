/* Runs commands with one call after the other failing, and judges how each ended and what it left.
 *
 * usage: run [-s SAMPLES] PROGRAMS LIBRARY WORK SCENE…
 * A scene is a folder: `start/` is what a command finds (its store in start/home), `args` its arguments, one a line; `after`, if there
 * is one, the arguments of a command that must then say what it says when nothing failed; `daemon`: it is veredad, ended when it is
 * ready; `foreign`: it reads files of others; `once`: done, though it could not be said, it cannot be done again. -s: of allocations, and of other calls that are many, only so many are tried. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/err.h"
#include "proto/sign.h"
#include "tests/faults/fail.h"
#include "tests/faults/place.h"

enum { ARGS = 24, TEXT = 64 * 1024, WORKERS = 2, SECONDS = 20, FAILURES_SHOWN = 12, MANY = 64 };

struct outcome {
	int code, signal;
	char out[TEXT], err[TEXT];
};

struct scene {
	const char *name, *folder;
	char text[2][4096];
	char *args[ARGS], *after[ARGS];
	bool daemon, foreign, once;
	struct holding before, done;
	struct outcome told, told_after; /* when nothing fails */
	bool repeats;                    /* it says the same twice, to the letter */
	struct listing left;
	uint64_t calls[FAULT_KINDS];
};

struct trial {
	enum fault_kind kind;
	int code;
	bool for_good;
	uint64_t at;
};

static const char *programs, *library;
static char place[PATH_MAX + 8], area_path[PATH_MAX + 8], out_path[PATH_MAX + 8], err_path[PATH_MAX + 8];
static struct fault *area;
static unsigned samples;

static const char *const kind_names[] = { "read", "write", "sync", "map", "memory", "open", "make" };

/* --- running --- */

/* Under the library also when nothing is to fail: there a passphrase costs little. */
static void start_program(char *const args[], bool daemon, int err)
{
	char program[PATH_MAX + 16], preload[PATH_MAX + 16], shared[PATH_MAX + 32], time_zone[] = "TZ=UTC", locale[] = "LC_ALL=C.UTF-8", nowhere[] = "HOME=/nonexistent";
	char *env[] = { time_zone, locale, nowhere, preload, shared, NULL };
	char *argv[ARGS + 1] = { program };
	int in = open("/dev/null", O_RDONLY), out = open(out_path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	snprintf(program, sizeof(program), "%s/%s", programs, daemon ? "veredad" : "vereda");
	snprintf(preload, sizeof(preload), "LD_PRELOAD=%s", library);
	snprintf(shared, sizeof(shared), FAULT_AREA "=%s", area_path);
	for (size_t i = 0; args[i]; i++)
		argv[i + 1] = args[i];
	if (chdir(place) || dup2(in, 0) || dup2(out, 1) != 1 || dup2(err, 2) != 2)
		_exit(99);
	alarm(SECONDS);
	execve(program, argv, env);
	_exit(98);
}

static void read_text(const char *path, char text[TEXT])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, text, TEXT - 1);

	text[n < 0 ? 0 : n] = '\0';
	if (fd >= 0)
		close(fd);
}

/* Its log until it ends; it is told to end once it is ready. */
static void follow(pid_t pid, int from, char text[TEXT])
{
	size_t n = 0;
	bool told = false;
	ssize_t got;

	while ((got = read(from, text + n, TEXT - 1 - n)) > 0) {
		n += (size_t)got;
		text[n] = '\0';
		if (!told && (strstr(text, ">ready") || strstr(text, ">locked"))) {
			kill(pid, SIGTERM);
			told = true;
		}
	}
	text[n] = '\0';
}

static void run(char *const args[], bool daemon, const struct trial *trial, struct outcome *o)
{
	int status, ends[2] = { -1, -1 };
	pid_t pid;

	memset(area, 0, sizeof(*area));
	if (trial) {
		area->kind = trial->kind;
		area->code = (uint32_t)trial->code;
		area->for_good = trial->for_good;
		area->at = trial->at;
	}
	if (daemon && pipe2(ends, O_CLOEXEC))
		abort();
	if (!daemon)
		ends[1] = open(err_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	pid = fork();
	if (pid == 0)
		start_program(args, daemon, ends[1]);
	close(ends[1]);
	if (daemon) {
		follow(pid, ends[0], o->err);
		close(ends[0]);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		abort();
	o->code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	o->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	read_text(out_path, o->out);
	if (!daemon)
		read_text(err_path, o->err);
}

/* --- judging --- */

static char why[512];

static bool bad(const char *format, ...) __attribute__((format(printf, 1, 2)));
static bool bad(const char *format, ...)
{
	va_list list;

	va_start(list, format);
	vsnprintf(why, sizeof(why), format, list);
	va_end(list);
	return false;
}

static bool same_words(const char *got, const char *wanted, bool to_the_letter)
{
	static char a[TEXT], b[TEXT];
	size_t same = 0;

	strcpy(a, got);
	strcpy(b, wanted);
	place_scrub(a);
	place_scrub(b);
	if (!to_the_letter) {
		place_plain(a);
		place_plain(b);
	}
	while (a[same] && a[same] == b[same])
		same++;
	if (a[same] == b[same])
		return true;
	same = same > 40 ? same - 40 : 0;
	return bad("exit 0, and it says: %.160s, not: %.160s", a + same, b + same);
}

/* Which ends tell the truth about a failing disk or memory? Never "usage", "no store here", "tampered". */
static bool right_code(const struct scene *s, const struct trial *t, int code)
{
	switch (t->kind) {
	case FAULT_MEMORY: case FAULT_MAP: return code == 1;
	/* what cannot be read in a foreign file is its damage: all else in it is taken, and the message says both; and a daemon whose walls
	 * could not be told where its home is may not open it */
	case FAULT_READ: case FAULT_OPEN: return code == 15 || code == 3 || (s->foreign && code == 14) || (s->daemon && code == 1);
	default: return code == 15 || code == 3;
	}
}

static bool judge_end(const struct scene *s, const struct trial *t, const struct outcome *o)
{
	/* without any memory it waits for its key with no handler for the signal that ends it */
	if (s->daemon && o->signal == SIGTERM && t->kind == FAULT_MEMORY && t->for_good)
		return true;
	if (o->signal)
		return bad("%s (signal %d)", o->signal == SIGALRM ? "it hangs" : "it died", o->signal);
	if (o->code && !right_code(s, t, o->code))
		return bad("exit %d: %.200s", o->code, o->err);
	if (o->code && !*o->err && !(t->kind == FAULT_MEMORY && t->for_good))
		return bad("exit %d without a word", o->code);
	return true;
}

static bool judge_store(const struct scene *s, const struct holding *h, bool done)
{
	if (h->died)
		return bad("opening the store afterwards dies");
	if (!h->any && !done && !s->before.any)
		return true;
	if (!h->sound)
		return bad("the store afterwards: %s", vd_err_name(h->err));
	if (!place_holds_all(h, &s->before))
		return bad("records that were stored are lost");
	if (h->groups < s->before.groups)
		return bad("a group is lost");
	if (done && (h->count != s->done.count || h->groups != s->done.groups))
		return bad("exit 0 with %zu records and %zu groups, not %zu and %zu", h->count, h->groups, s->done.count, s->done.groups);
	return true;
}

static bool is_left(const struct listing *list, const char *name)
{
	for (size_t i = 0; i < list->count; i++)
		if (!strcmp(list->names[i], name))
			return true;
	return false;
}

/* Nothing is left over but by an unlink that failed. */
static bool judge_files(const struct scene *s, const struct trial *t)
{
	struct listing now;
	size_t over = 0, i, last = 0;

	place_list(place, &now);
	for (i = 0; i < now.count; i++) {
		if (!is_left(&s->left, now.names[i])) {
			over++;
			last = i;
		}
	}
	return over <= (t->kind == FAULT_OPEN) ? true : bad("%zu files left over: %s", over, now.names[last]);
}

static bool judge_output(const struct scene *s, const struct outcome *o)
{
	static struct outcome after;

	if (!same_words(o->out, s->told.out, s->repeats))
		return false;
	if (!s->after[0])
		return true;
	run(s->after, false, NULL, &after);
	if (after.code || !same_words(after.out, s->told_after.out, false))
		return bad("exit 0, and what comes after ends with %d: %.100s %.200s", after.code, after.out, after.err);
	return true;
}

/* The same command when everything works again. */
static bool judge_again(const struct scene *s, const struct holding *left)
{
	static struct outcome again;
	struct holding h;
	size_t grows = s->done.count - s->before.count;
	bool stored = left->any && (left->count > s->before.count || left->groups > s->before.groups || !s->before.any);

	run(s->args, s->daemon, NULL, &again);
	place_look("home", &h);
	/* it was done, though nobody could be told */
	stored |= again.code == 1 && strstr(again.err, "\"exists\"");
	if (again.signal || (again.code && !stored))
		return bad("and then, with nothing failing, exit %d: %.200s", again.code, again.err);
	if (!judge_store(s, &h, false))
		return false;
	if (h.count < s->done.count || h.count > s->done.count + (stored ? grows : 0))
		return bad("and then, with nothing failing, there are %zu records, not %zu", h.count, s->done.count);
	return true;
}

/* False: it did not get to that call any more. */
static bool try(const struct scene *s, const struct trial *t, bool *good)
{
	static struct outcome o;
	char start[PATH_MAX + 8];
	struct holding h;
	bool reached;

	snprintf(start, sizeof(start), "%s/start", s->folder);
	if (!place_copy(start, place))
		abort();
	run(s->args, s->daemon, t, &o);
	reached = area->failed > 0;
	*good = judge_end(s, t, &o);
	if (!*good)
		return reached;
	place_look("home", &h);
	*good = judge_store(s, &h, !o.code);
	if (*good)
		*good = o.code ? s->once || judge_again(s, &h) : judge_output(s, &o);
	if (*good)
		*good = judge_files(s, t);
	return reached;
}

/* --- scenes --- */

static bool read_args(const struct scene *s, const char *name, char text[4096], char *args[ARGS])
{
	char path[PATH_MAX];
	size_t count = 0;
	int fd;
	ssize_t n;

	snprintf(path, sizeof(path), "%s/%s", s->folder, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, text, 4095);
	close(fd);
	text[n < 0 ? 0 : n] = '\0';
	for (char *line = strtok(text, "\n"); line && count + 1 < ARGS; line = strtok(NULL, "\n"))
		args[count++] = line;
	args[count] = NULL;
	return count > 0;
}

static bool reference(struct scene *s)
{
	static struct outcome once;
	static const struct trial nothing = { .at = 0 };
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/daemon", s->folder);
	s->daemon = !access(path, F_OK);
	snprintf(path, sizeof(path), "%s/foreign", s->folder);
	s->foreign = !access(path, F_OK);
	snprintf(path, sizeof(path), "%s/once", s->folder);
	s->once = !access(path, F_OK);
	if (!read_args(s, "args", s->text[0], s->args))
		return bad("no arguments");
	(void)read_args(s, "after", s->text[1], s->after);
	snprintf(path, sizeof(path), "%s/start", s->folder);
	if (!place_copy(path, place))
		return bad("cannot copy: %s", strerror(errno));
	place_look("home", &s->before);
	run(s->args, s->daemon, NULL, &once);
	if (!place_copy(path, place))
		return bad("cannot copy: %s", strerror(errno));
	run(s->args, s->daemon, &nothing, &s->told);
	for (int kind = 0; kind < FAULT_KINDS; kind++)
		s->calls[kind] = area->seen[kind];
	if (s->told.code || s->told.signal || !s->calls[FAULT_MEMORY])
		return bad("exit %d with nothing failing: %.300s", s->told.code, s->told.err);
	s->repeats = !s->foreign && same_words(once.out, s->told.out, true);
	place_look("home", &s->done);
	if (!s->done.sound)
		return bad("the store is not sound with nothing failing: %s", vd_err_name(s->done.err));
	if (s->after[0])
		run(s->after, false, NULL, &s->told_after);
	if (s->after[0] && s->told_after.code)
		return bad("what comes after ends with %d: %.300s", s->told_after.code, s->told_after.err);
	place_list(place, &s->left);
	return true;
}

/* This worker's share of the calls of a kind. Returns how many trials were bad. */
static unsigned campaign(const struct scene *s, struct trial t, unsigned worker, unsigned *trials)
{
	uint64_t step = 1;
	unsigned wrong = 0;
	bool good;

	if (samples && (t.kind == FAULT_MEMORY || s->calls[t.kind] > MANY) && s->calls[t.kind] > samples)
		step = s->calls[t.kind] / samples;
	/* the same program may call once more or less another time: a few beyond the end are tried, too */
	for (t.at = 1 + worker * step; t.at <= s->calls[t.kind] + 64; t.at += WORKERS * step) {
		bool reached = try(s, &t, &good);

		*trials += reached;
		if (!good && ++wrong <= FAILURES_SHOWN)
			printf("# %s: %s %llu %s%s: %s\n", s->name, kind_names[t.kind], (unsigned long long)t.at, strerrorname_np(t.code),
			       t.for_good ? " for good" : "", why);
		if (!reached && t.at > s->calls[t.kind])
			break;
	}
	return wrong;
}

static const struct {
	enum fault_kind kind;
	int code;
} ways[] = {
	{ FAULT_READ, EIO }, { FAULT_WRITE, ENOSPC }, { FAULT_WRITE, EIO }, { FAULT_SYNC, EIO }, { FAULT_SYNC, ENOSPC },
	{ FAULT_MAP, ENOMEM }, { FAULT_OPEN, EIO }, { FAULT_MAKE, ENOSPC }, { FAULT_MEMORY, ENOMEM },
};

struct tally {
	unsigned trials[sizeof(ways) / sizeof(ways[0])], wrong[sizeof(ways) / sizeof(ways[0])];
	bool no_reference;
};

static void worker_main(const char *work, unsigned worker, char **folders, int count, struct tally *tallies)
{
	char home[PATH_MAX];
	int fd;

	snprintf(home, sizeof(home), "%s/%u", work, worker);
	mkdir(home, 0700);
	snprintf(place, sizeof(place), "%s/case", home);
	snprintf(area_path, sizeof(area_path), "%s/area", home);
	snprintf(out_path, sizeof(out_path), "%s/out", home);
	snprintf(err_path, sizeof(err_path), "%s/err", home);
	mkdir(place, 0700);
	fd = open(area_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, sizeof(*area)) || chdir(place))
		_exit(1);
	area = mmap(NULL, sizeof(*area), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	for (int i = 0; i < count; i++) {
		static struct scene s;
		const char *slash = strrchr(folders[i], '/');

		memset(&s, 0, sizeof(s));
		s.folder = folders[i];
		s.name = slash ? slash + 1 : folders[i];
		if (!reference(&s)) {
			printf("# %s: %s\n", s.name, why);
			tallies[i].no_reference = true;
			continue;
		}
		for (size_t way = 0; way < sizeof(ways) / sizeof(ways[0]); way++) {
			for (int for_good = 0; for_good < 2; for_good++) {
				struct trial t = { ways[way].kind, ways[way].code, for_good, 0 };

				tallies[i].wrong[way] += campaign(&s, t, worker, &tallies[i].trials[way]);
			}
		}
		fflush(stdout);
	}
	fflush(stdout);
	_exit(0);
}

static int report(char **folders, int count, struct tally *tallies)
{
	unsigned all = 0;
	int status = 0;

	for (int i = 0; i < count; i++) {
		const char *name = strrchr(folders[i], '/');

		for (size_t way = 0; way < sizeof(ways) / sizeof(ways[0]); way++) {
			unsigned trials = 0, wrong = 0;

			for (int worker = 0; worker < WORKERS; worker++) {
				const struct tally *tally = &tallies[worker * count + i];

				trials += tally->trials[way];
				wrong += tally->wrong[way] + tally->no_reference;
			}
			all += trials;
			status |= wrong > 0;
			printf("%s faults: %s with %s %s at every call (%u trials, %u wrong)\n", wrong ? "not ok" : "ok", name ? name + 1 : folders[i],
			       kind_names[ways[way].kind], strerrorname_np(ways[way].code), trials, wrong);
		}
	}
	printf("# %u trials\n", all);
	return status;
}

int main(int argc, char **argv)
{
	struct tally *tallies;
	int option, status, died = 0;

	while ((option = getopt(argc, argv, "s:")) == 's')
		samples = (unsigned)strtoul(optarg, NULL, 10);
	if (argc - optind < 4)
		return 2;
	programs = argv[optind];
	library = argv[optind + 1];
	char **folders = argv + optind + 3;
	int count = argc - optind - 3;
	tallies = mmap(NULL, sizeof(*tallies) * (size_t)count * WORKERS, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (vd_sign_selftest() || tallies == MAP_FAILED)
		return 1;
	setvbuf(stdout, NULL, _IOLBF, 1 << 16);
	for (unsigned worker = 0; worker < WORKERS; worker++)
		if (fork() == 0)
			worker_main(argv[optind + 2], worker, folders, count, tallies + worker * (unsigned)count);
	while (wait(&status) > 0)
		died |= status;
	return report(folders, count, tallies) || died;
}
