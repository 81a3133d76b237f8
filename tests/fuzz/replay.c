/* Replays a target's corpus, each file in a process of its own, and prints a TAP line for each.
 *
 * usage: <name>_replay [FILE|FOLDER]...; by default tests/fuzz/corpus/<name>, as `make test` does. */
#include <dirent.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/fuzz/fuzz.h"

enum { HANG_SECONDS = 120 };

static int failures, count;

static void result(bool ok, const char *path, const char *why)
{
	count++;
	failures += !ok;
	printf("%sok %d - replay %s%s\n", ok ? "" : "not ", count, path, why);
	fflush(stdout);
}

/* Exactly as many bytes as the file has, so that a sanitizer sees one read too far. */
static void run(const char *path)
{
	FILE *f = fopen(path, "rb");
	struct stat st;
	uint8_t *data;
	size_t n;

	if (!f || fstat(fileno(f), &st))
		exit(2);
	n = (size_t)st.st_size;
	data = malloc(n ? n : 1);
	if (!data || fread(data, 1, n, f) != n)
		exit(2);
	fclose(f);
	alarm(HANG_SECONDS);
	LLVMFuzzerTestOneInput(data, n);
	free(data);
	exit(0);
}

static void replay_file(const char *path)
{
	int status;
	pid_t child = fork();

	if (child == 0)
		run(path);
	if (child < 0 || waitpid(child, &status, 0) < 0) {
		result(false, path, ": cannot run");
	} else if (WIFSIGNALED(status)) {
		result(false, path, WTERMSIG(status) == SIGALRM ? ": hangs" : ": dies of a signal");
	} else {
		result(WEXITSTATUS(status) == 0, path, WEXITSTATUS(status) ? ": fails" : "");
	}
}

static int visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static void replay(const char *path)
{
	struct dirent **entries;
	struct stat st;
	int n;

	if (stat(path, &st)) {
		result(false, path, ": not there");
		return;
	}
	if (!S_ISDIR(st.st_mode)) {
		replay_file(path);
		return;
	}
	n = scandir(path, &entries, visible, alphasort);
	if (n <= 0)
		result(false, path, ": no seeds");
	for (int i = 0; i < n; i++) {
		char file[PATH_MAX];

		if (snprintf(file, sizeof(file), "%s/%s", path, entries[i]->d_name) < (int)sizeof(file))
			replay_file(file);
		else
			result(false, path, ": path too long");
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
}

int main(int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/'), *name = slash ? slash + 1 : argv[0];
	const char *end = strstr(name, "_replay");
	char corpus[PATH_MAX];

	for (int i = 1; i < argc; i++)
		replay(argv[i]);
	if (argc == 1) {
		snprintf(corpus, sizeof(corpus), "tests/fuzz/corpus/%.*s", (int)(end ? end - name : (ptrdiff_t)strlen(name)), name);
		replay(corpus);
	}
	printf("1..%d\n", count);
	return failures != 0;
}
