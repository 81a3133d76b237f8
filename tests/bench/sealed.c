/* What a store under a passphrase takes beyond the passphrase itself, which a person types once a day and veredad lends. */
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"

enum { ROWS = 100000, TURNS = 3 };

/* A store, what it was before, and what it loaded for the other to import. */
struct side {
	char home[256], empty[256], loaded[256], bundle[256];
	const char *option, *words;  /* before each command */
};

static struct side plain, closed = {.option = "--passphrase-file"};
static const char *csv;

static double timed(const struct side *s, const char *const *arguments)
{
	const char *all[16] = {s->option, s->words};
	size_t n = s->option ? 2 : 0;
	double start;

	for (const char *const *a = arguments; *a; a++)
		all[n++] = *a;
	all[n] = NULL;
	start = now_s();
	json_decref(vereda(s->home, 0, all));
	return now_s() - start;
}
#define TIMED(side, ...) timed(side, (const char *const[]){__VA_ARGS__, NULL})

static void run(const char *format, const char *a, const char *b)
{
	char command[600];

	snprintf(command, sizeof(command), format, a, b);
	if (system(command))
		die("%s", command);
}

/* Records a second without the time that opening the store takes. Each time is the first: what was copied is read once to see whether it is
 * whole, by whoever opens it first. */
static double rate_of(struct side *s, const char *before, const char *const *arguments)
{
	double open_s, s_all;

	run("rm -rf '%s'%s", s->home, "");
	run("cp -r '%s' '%s'", before, s->home);
	TIMED(s, "group", "list");
	open_s = TIMED(s, "group", "list");
	s_all = timed(s, arguments);
	return ROWS / (s_all - open_s);
}

static double load_rate(struct side *s)
{
	return rate_of(s, s->empty, (const char *const[]){"load", "message", csv, "--map", "text=text", NULL});
}

/* Each takes in what the other loaded, and nothing else. */
static double import_rate(struct side *s)
{
	return rate_of(s, s->loaded, (const char *const[]){"import", s == &plain ? closed.bundle : plain.bundle, NULL});
}

static double load_plain(void)
{
	return load_rate(&plain);
}

static double import_plain(void)
{
	return import_rate(&plain);
}

/* Between two times of the readable store. Where other work disturbed it, the best of three tells. */
static void row(const char *what, double (*of_plain)(void), double (*of)(struct side *))
{
	struct limit limit, best = {.measure = of_plain};
	double rate, best_rate = 0;

	for (int turn = 0; turn < TURNS && (turn == 0 || limit_unsteady(&limit)); turn++) {
		limit = (struct limit){.measure = of_plain};
		limit_take(&limit);
		rate = of(&closed);
		limit_take(&limit);
		if (turn == 0 || rate / limit_mean(&limit) > best_rate / limit_mean(&best)) {
			best_rate = rate;
			best = limit;
		}
	}
	table_ratio(what, best_rate, "records/s", &best, "readable", 0.85);
}

static void found(const char *folder)
{
	char welcome[256];
	json_t *answer;
	FILE *f;

	snprintf(welcome, sizeof(welcome), "%s/sealed.welcome", folder);
	f = fopen(closed.words, "w");
	if (!f || fputs("four words for a bench\n", f) < 0 || fclose(f))
		die("%s: cannot be written", closed.words);
	world_found(plain.home, NULL, 0);
	TIMED(&closed, "init", "--name", "sealed");
	answer = VEREDA(closed.home, closed.option, closed.words, "id");
	json_decref(VEREDA(plain.home, "admit", json_string_value(json_object_get(answer, "id")), "--name", "Sealed", "-o", welcome));
	json_decref(answer);
	TIMED(&closed, "join", welcome);
}

void sealed(const char *folder, const char *rows)
{
	static const char *const names[] = {"readable", "sealed"};
	struct side *const sides[] = {&plain, &closed};
	static char words[256];

	csv = rows;
	closed.words = words;
	snprintf(words, sizeof(words), "%s/words", folder);
	for (int i = 0; i < 2; i++) {
		snprintf(sides[i]->home, sizeof(sides[i]->home), "%s/%s", folder, names[i]);
		snprintf(sides[i]->empty, sizeof(sides[i]->empty), "%s/%s.empty", folder, names[i]);
		snprintf(sides[i]->loaded, sizeof(sides[i]->loaded), "%s/%s.loaded", folder, names[i]);
		snprintf(sides[i]->bundle, sizeof(sides[i]->bundle), "%s/%s.bundle", folder, names[i]);
	}
	found(folder);
	for (int i = 0; i < 2; i++)
		run("cp -r '%s' '%s'", sides[i]->home, sides[i]->empty);
	row("load, sealed: speed beside a readable store", load_plain, load_rate);
	for (int i = 0; i < 2; i++) {
		TIMED(sides[i], "export", sides[i]->bundle);
		run("cp -r '%s' '%s'", sides[i]->home, sides[i]->loaded);
	}
	row("import, sealed: speed beside a readable store", import_plain, import_rate);
}
