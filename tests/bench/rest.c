/* What a sealed store asks of people in a hurry: how long `unlock` takes, and how soon after a panic signal no key slot stands. */
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "store/passphrase.h"

enum { ROWS = 20000, TIMES = 3, SLOTS_BYTES = 8192, WAIT_S = 20 };

/* Argon2id on one core of a Raspberry Pi 4, in bytes of memory times passes a second. At least: `cryptsetup benchmark` there (argon2id: 4 passes over
 * 239,062 KiB by 4 threads in 2 s; unixabg/cryptmypi, issue 53), as if four cores together were four times one, while they share their memory. */
#define PI4_RATE (4 * 239062e3 * 1.024 / 2 / 4)

extern char **environ;

static char home[256], words[256];

static void run(const char *command)
{
	if (system(command))
		die("%s", command);
}

static void found(const char *folder)
{
	char csv[256];
	FILE *f;

	snprintf(home, sizeof(home), "%s/at-rest", folder);
	snprintf(words, sizeof(words), "%s/at-rest.words", folder);
	snprintf(csv, sizeof(csv), "%s/at-rest.csv", folder);
	f = fopen(words, "w");
	if (!f || fputs("four words for a bench\n", f) < 0 || fclose(f))
		die("%s: cannot be written", words);
	world_csv(csv, ROWS);
	json_decref(VEREDA(home, "--passphrase-file", words, "init", "--name", "at-rest"));
	json_decref(VEREDA(home, "--passphrase-file", words, "group", "create", "Bench"));
	json_decref(VEREDA(home, "--passphrase-file", words, "load", "message", csv, "--map", "text=text"));
}

/* ---- unlock ---- */

/* Of the whole command, until veredad has opened the store: the best of three. */
static double unlock_s(void)
{
	double best = 0;
	struct daemon d;

	for (int i = 0; i < TIMES; i++) {
		double start, took;

		daemon_start_locked(&d, home);
		start = now_s();
		json_decref(VEREDA(home, "--passphrase-file", words, "unlock"));
		took = now_s() - start;
		best = !i || took < best ? took : best;
		daemon_stop(&d);
	}
	return best;
}

/* Seconds of this passphrase on this machine, the best of three. */
static double argon_s(void)
{
	static const char text[] = "four words for a bench";
	const struct vd_secret secret = { .passphrase = { (const uint8_t *)text, sizeof(text) - 1 } };
	double best = 0;

	for (int i = 0; i < TIMES; i++) {
		struct vd_vault *v = NULL;
		double start = now_s(), took;

		check(vd_vault_open_home(home, &secret, &v), "opening the vault");
		took = now_s() - start;
		best = !i || took < best ? took : best;
		vd_vault_free(v);
	}
	return best;
}

/* What the measuring of a cost comes to where a pass over so many bytes takes that long: the same steps as vd_passphrase_measure's. */
static double pi_argon_s(void)
{
	double memory = VD_VAULT_MEASURED_MAX, once; /* the smallest Pi 4 has a quarter that is as large */
	unsigned ops = 1;

	while (memory / PI4_RATE > 0.9)
		memory /= 2;
	once = memory / PI4_RATE;
	if (once < 0.5)
		ops = (unsigned)(0.5 / once) + 1;
	return ops * once;
}

static void unlock(void)
{
	struct vd_vault_cost cost;
	double whole = unlock_s(), argon = argon_s(), rest = whole > argon ? whole - argon : 0, slower;

	vd_passphrase_measure(&cost);
	/* of this machine's speed at Argon2id itself */
	slower = (double)(cost.ops * cost.memory_bytes) / argon / PI4_RATE;
	table_at_most("unlock, this machine", whole, "s", 2);
	table_at_most("unlock, a Raspberry Pi 4's own store (computed)", pi_argon_s() + rest * (slower > 1 ? slower : 1), "s", 2);
	table_figure("  … the store of this machine, taken there", (double)(cost.ops * cost.memory_bytes) / PI4_RATE, "s");
}

/* ---- wipe ---- */

static bool slots_gone(int vault, const char *path)
{
	static const uint8_t zeros[SLOTS_BYTES];
	uint8_t bytes[SLOTS_BYTES];

	return access(path, F_OK) && pread(vault, bytes, sizeof(bytes), 0) == SLOTS_BYTES && !memcmp(bytes, zeros, sizeof(zeros));
}

static pid_t spawn_wipe(const char *at)
{
	char program[] = "build/vereda", option[] = "--home", path[300], wipe_word[] = "wipe", yes[] = "--yes", quiet[] = "--quiet";
	char *arguments[] = { program, option, path, quiet, wipe_word, yes, NULL };
	posix_spawn_file_actions_t files;
	pid_t pid;

	snprintf(path, sizeof(path), "%s", at);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	if (posix_spawn(&pid, program, &files, NULL, arguments, environ))
		die("vereda wipe does not start");
	posix_spawn_file_actions_destroy(&files);
	return pid;
}

/* Milliseconds until the slots are overwritten and their file has no name: by a signal to a daemon that is open, or by the command beside one. The
 * middle one of three, each on a copy. Keys in memory go before (panic.h). */
static double wipe_ms(bool by_signal)
{
	double took[TIMES], other;

	for (int i = 0; i < TIMES; i++) {
		char copy[300], vault[320], command[2000];
		struct daemon d;
		double start;
		pid_t pid = 0;
		int fd;

		snprintf(copy, sizeof(copy), "%s-copy", home);
		snprintf(vault, sizeof(vault), "%s/vault", copy);
		snprintf(command, sizeof(command), "rm -rf '%s' && cp -r '%s' '%s' && sync '%s'", copy, home, copy, copy);
		run(command);
		fd = open(vault, O_RDONLY | O_CLOEXEC);
		daemon_start_locked(&d, copy);
		json_decref(VEREDA(copy, "--passphrase-file", words, "unlock"));
		start = now_s();
		if (by_signal)
			kill(d.pid, SIGUSR2);
		else
			pid = spawn_wipe(copy);
		while (!slots_gone(fd, vault)) {
			if (now_s() - start > WAIT_S)
				die("the key slots still stand");
			usleep(500);
		}
		took[i] = (now_s() - start) * 1000;
		close(fd);
		if (pid)
			waitpid(pid, NULL, 0);
		daemon_stop(&d); /* has ended, or is about to */
	}
	for (int i = 0; i + 1 < TIMES; i++)
		for (int j = i + 1; j < TIMES; j++)
			if (took[j] < took[i])
				other = took[i], took[i] = took[j], took[j] = other;
	return took[TIMES / 2];
}

void at_rest(const char *folder)
{
	found(folder);
	unlock();
	table_at_most("panic signal until no key slot stands", wipe_ms(true), "ms", 100);
	table_at_most("vereda wipe until no key slot stands", wipe_ms(false), "ms", 100);
}
