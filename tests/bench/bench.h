/* What the bench measures with, and against: this machine's own limits, found in the same run. */
#ifndef VD_BENCH_H
#define VD_BENCH_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "store/store.h"

/* ---- main.c ---- */

/* Says what failed and ends the run, its processes and its folder. */
_Noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));
void check(int rc, const char *what); /* dies unless 0 */

/* ---- limits.c ---- */

double now_s(void);
double sign_rate(void);          /* Ed25519 signatures a second, one core, over a record's header */
double verify_rate(void);
double verify_rate_two(void);    /* by two threads */
double sync_rate(const char *folder); /* fsync of a 4 KiB append a second, where the stores are */
double memory_rate(void);        /* bytes copied a second, far over the caches */

/* A rate taken before a task and again after it: other work on the machine slows both. */
struct limit {
	double (*measure)(void);
	double sum, least, most;
	int count;
};

void limit_take(struct limit *);
double limit_mean(const struct limit *);
bool limit_unsteady(const struct limit *); /* the takes differ by more than 15 %: somebody else is at work here */

/* ---- table.c ---- */

void table_begin(void);
void table_figure(const char *task, double figure, const char *unit);
void table_at_most(const char *task, double figure, const char *unit, double most);
void table_at_least(const char *task, double figure, const char *unit, double least);
/* A rate beside the machine's own; `at_least` 0: no target. */
void table_ratio(const char *task, double figure, const char *unit, const struct limit *, const char *limit_unit, double at_least);
int table_missed(void); /* rows that missed their target */

/* ---- programs.c ---- */

/* What is started from now on counts or fails by that library of tests/faults; NULL: no more. */
void preload(const char *library);
/* Runs build/vereda with these arguments (NULL-terminated) on that store; the last JSON line it prints, or NULL. Dies when its
 * exit status is another. */
json_t *vereda(const char *home, int status, const char *const *arguments);
#define VEREDA(home, ...) vereda(home, 0, (const char *const[]){__VA_ARGS__, NULL})
/* How much of `field` it did a second, between two takes of the limit. Dies when that was less than `least` in all. */
double vereda_rate(struct limit *, const char *field, double least, const char *home, const char *const *arguments);
#define VEREDA_RATE(limit, field, least, home, ...) vereda_rate(limit, field, least, home, (const char *const[]){__VA_ARGS__, NULL})
double vereda_wrote(void); /* bytes for the disk, by the last of them */
double vereda_cpu(void);   /* seconds of a processor, by the last of them and what it started */
double number(const json_t *, const char *field);
const char *string(const json_t *, const char *field);

struct daemon {
	pid_t pid;
	char address[64];
};

void daemon_start(struct daemon *, const char *home);
void daemon_start_calling(struct daemon *, const char *home, const char *peer); /* it calls that address */
void daemon_start_locked(struct daemon *, const char *home); /* without its address: it waits for a key */
double daemon_rss_anon(const struct daemon *); /* bytes */
void daemon_stop(struct daemon *);
void daemons_end(void);        /* whatever still runs */

/* ---- world.c ---- */

enum { AUTHORS = 20 };

/* Records of a group by many authors, in memory, signed by a coordinator's store. */
struct world {
	uint8_t group[VD_GROUP_BYTES];
	struct vd_buf bytes;
	size_t *at;                  /* count + 1 offsets */
	size_t count;
};

/* A store in `home` with a group, made by the programs, and one in each of `others` that was admitted to it. */
void world_found(const char *home, const char *const *others, size_t count);
/* Admits so many authors more to the group in `home` and makes `count` messages by them, in turns. */
void world_write(struct world *, const char *home, size_t count, size_t authors);
struct vd_slice world_record(const struct world *, size_t i);
/* Bytes of the records for which `pick` says yes in their compact form, as one stream. */
double world_compact(const struct world *, bool (*pick)(size_t i));
/* Merges the records for which `pick` says yes into the store. */
void world_merge(const struct world *, const char *home, bool (*pick)(size_t i));
void world_free(struct world *);
/* About 120 bytes of text, another for each i. Returns its length. */
size_t world_text(uint64_t i, char out[256]);
void world_csv(const char *path, size_t rows);

/* ---- flood.c ---- */

/* What a flood did by now. */
struct flood_count {
	double calls, sessions, records, questions, bytes;
};

struct flood {
	pid_t members, strangers;
	const struct flood_count *count;
};

/* Admits two members with ten devices each to the group in `home`. */
void flood_admit(const char *home);
/* They and strangers, by a hundred connections, until it is stopped. */
void flood_start(struct flood *, const char *address);
void flood_stop(struct flood *);

/* ---- rest.c ---- */

void at_rest(const char *folder); /* rows of a sealed store: unlock, wipe */

/* ---- sealed.c ---- */

/* Rows of a sealed store beside a readable one, with the 100,000 rows of that file; writes below `folder`. */
void sealed(const char *folder, const char *rows);

/* ---- apart.c ---- */

/* Rows of what a sync of sets of `n` costs that differ in d. */
void apart(size_t n);

/* ---- bulk.c ---- */

/* Rows of `count` records at once; writes below `folder`. */
void bulk(const char *folder, size_t count);

/* ---- stick.c ---- */

/* Rows of a stick that gets all of the hub's `count` records and takes them to a store that has nothing. */
void sticks(const char *folder, const char *hub, const char *guest, size_t count);

/* ---- thin.c ---- */

/* Rows of an alert that has to pass a photo on a thin line; writes below `folder`. */
void thin(const char *folder);

/* ---- disk.c ---- */

/* What the records of that store take, and what was written to get them there. */
void disk(const char *home, double written_bytes);
/* The same of what its device wrote itself. */
void disk_own(const char *home);
/* A store that gets and loses some every day for a year. */
void disk_year(const char *home);

/* ---- micro.c ---- */

void micro(void); /* rows that need no store */

#endif
