/* Running the programs themselves. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

enum { ARGUMENTS_MAX = 24, OUTPUT_MAX = 1 << 20, DAEMONS_MAX = 4 };

extern char **environ;

static pid_t running[DAEMONS_MAX];
static struct rusage last_usage;

void preload(const char *library)
{
	if (!library)
		unsetenv("LD_PRELOAD");
	else if (access(library, R_OK))
		die("%s is not there: nothing would be counted", library);
	else
		setenv("LD_PRELOAD", library, 1);
}

/* Starts `program`, its output (1) or errors (2) to be read from *out. */
static pid_t start(const char *program, const char *const *arguments, int channel, int *out)
{
	posix_spawn_file_actions_t files;
	char *copy[ARGUMENTS_MAX + 2];
	int ends[2], rc;
	size_t n = 0;
	pid_t pid;

	copy[n++] = (char *)(uintptr_t)program;
	while (*arguments && n <= ARGUMENTS_MAX)
		copy[n++] = (char *)(uintptr_t)*arguments++;
	copy[n] = NULL;
	if (pipe2(ends, O_CLOEXEC))
		die("no pipe");
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_adddup2(&files, ends[1], channel);
	rc = posix_spawn(&pid, program, &files, NULL, copy, environ);
	posix_spawn_file_actions_destroy(&files);
	close(ends[1]);
	if (rc)
		die("%s: %s", program, strerror(rc));
	*out = ends[0];
	return pid;
}

static void read_all(int fd, char *out)
{
	size_t n = 0;
	ssize_t got;

	while ((got = read(fd, out + n, OUTPUT_MAX - 1 - n)) > 0)
		n += (size_t)got;
	out[n] = 0;
	close(fd);
}

static json_t *last_line(char *text)
{
	size_t n = strlen(text);
	char *line;

	while (n && text[n - 1] == '\n')
		text[--n] = 0;
	line = strrchr(text, '\n');
	return json_loads(line ? line + 1 : text, 0, NULL);
}

double vereda_wrote(void)
{
	enum { BLOCK = 512 };

	return (double)last_usage.ru_oublock * BLOCK;
}

static double seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

double vereda_cpu(void)
{
	return seconds(last_usage.ru_utime) + seconds(last_usage.ru_stime);
}

json_t *vereda(const char *home, int status, const char *const *arguments)
{
	const char *all[ARGUMENTS_MAX] = {"--home", home, "--json", "--no-input", "--quiet"};
	char *text = malloc(OUTPUT_MAX);
	json_t *result;
	int out, got = 0;
	size_t n = 5;
	pid_t pid;

	if (!text)
		die("memory refused");
	for (const char *const *a = arguments; *a; a++)
		all[n++] = *a;
	pid = start("build/vereda", all, STDOUT_FILENO, &out);
	read_all(out, text);
	wait4(pid, &got, 0, &last_usage);
	if (!WIFEXITED(got) || WEXITSTATUS(got) != status)
		die("vereda %s: exit status %d: %s", arguments[0], WIFEXITED(got) ? WEXITSTATUS(got) : -1, text);
	result = last_line(text);
	free(text);
	return result;
}

double vereda_rate(struct limit *limit, const char *field, double least, const char *home, const char *const *arguments)
{
	double start, elapsed, done;
	json_t *answer;

	limit_take(limit);
	start = now_s();
	answer = vereda(home, 0, arguments);
	elapsed = now_s() - start;
	limit_take(limit);
	done = number(answer, field);
	json_decref(answer);
	if (done < least)
		die("vereda %s: %.0f %s where at least %.0f should be", arguments[0], done, field, least);
	return done / elapsed;
}

double number(const json_t *object, const char *field)
{
	const json_t *v = json_object_get(object, field);

	if (!json_is_number(v))
		die("no number \"%s\" in the answer", field);
	return json_number_value(v);
}

const char *string(const json_t *object, const char *field)
{
	const char *v = json_string_value(json_object_get(object, field));

	if (!v)
		die("no string \"%s\" in the answer", field);
	return v;
}

/* ---- daemons ---- */

/* Reads log lines until the one that says where it listens, or that it is locked. */
static void read_address(int fd, char out[64], bool locked)
{
	char text[8192], *address;
	size_t n = 0;
	ssize_t got;

	while (n < sizeof(text) - 1 && (got = read(fd, text + n, sizeof(text) - 1 - n)) > 0) {
		n += (size_t)got;
		text[n] = 0;
		if (locked && strstr(text, "<6>locked\n"))
			return;
		address = strstr(text, "listening addr=");
		if (address && strpbrk(address, " \n") && strchr(address + 10, '\n')) {
			address += strlen("listening addr=");
			snprintf(out, 64, "%.*s", (int)strcspn(address, " \n"), address);
			return;
		}
	}
	die("veredad did not say where it listens: %s", n ? text : "");
}

static void start_daemon(struct daemon *d, const char *home, const char *peer, bool locked)
{
	const char *arguments[] = {"--home", home, "--listen", "127.0.0.1:0", "--no-discovery", peer ? "--peer" : NULL, peer, NULL};
	size_t slot = 0;
	int log;

	d->pid = start("build/veredad", arguments, STDERR_FILENO, &log);
	while (slot < DAEMONS_MAX && running[slot])
		slot++;
	if (slot == DAEMONS_MAX)
		die("too many daemons");
	running[slot] = d->pid;
	read_address(log, d->address, locked);
	/* Its log goes on, and must not fill the pipe. */
	if (fork() == 0) {
		char dropped[4096];

		while (read(log, dropped, sizeof(dropped)) > 0)
			;
		_exit(0);
	}
	close(log);
}

void daemon_start(struct daemon *d, const char *home)
{
	start_daemon(d, home, NULL, false);
}

void daemon_start_calling(struct daemon *d, const char *home, const char *peer)
{
	start_daemon(d, home, peer, false);
}

void daemon_start_locked(struct daemon *d, const char *home)
{
	start_daemon(d, home, NULL, true);
}

double daemon_rss_anon(const struct daemon *d)
{
	char path[64], line[256];
	double kib = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)d->pid);
	f = fopen(path, "r");
	if (!f)
		die("%s: cannot be read", path);
	while (kib < 0 && fgets(line, sizeof(line), f))
		if (strncmp(line, "RssAnon:", 8) == 0)
			kib = strtod(line + 8, NULL);
	fclose(f);
	return kib * 1024;
}

void daemon_stop(struct daemon *d)
{
	for (size_t i = 0; i < DAEMONS_MAX; i++)
		if (running[i] == d->pid)
			running[i] = 0;
	kill(d->pid, SIGTERM);
	waitpid(d->pid, NULL, 0);
}

void daemons_end(void)
{
	for (size_t i = 0; i < DAEMONS_MAX; i++)
		if (running[i])
			kill(running[i], SIGTERM);
}
