/* Sticks: a full one from a hub into an empty store, and what a visit costs on which either side has brought little. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench.h"

enum { NEW = 100, VISITS = 6 };

/* Bytes through every file on the stick, as tests/faults/count.c counts them. */
struct counted {
	uint64_t read, written;
};

static void rate_row(const char *what, const char *field, const char *home, const char *stick, size_t count, double at_least)
{
	struct limit verify = {.measure = verify_rate_two};
	double rate = VEREDA_RATE(&verify, field, (double)count, home, "sync", stick);

	table_ratio(what, rate, "records/s", &verify, "verifies/s, 2 cores", at_least);
}

static struct counted *count_begin(const char *stick, const char *area)
{
	int fd = open(area, O_CREAT | O_RDWR | O_TRUNC, 0600);
	struct counted *counted;

	if (fd < 0 || ftruncate(fd, sizeof(*counted)))
		die("%s: cannot be made", area);
	counted = mmap(NULL, sizeof(*counted), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (counted == MAP_FAILED)
		die("memory refused");
	setenv("COUNT_BELOW", stick, 1);
	setenv("COUNT_INTO", area, 1);
	return counted;
}

/* The dearest of some visits, each by one of two who has a hundred new ones and finds the other's hundred there. */
static void visit_rows(const char *const homes[2], const char *stick, const char *area, const char *csv)
{
	struct counted *counted = count_begin(stick, area), most = {0};
	double slowest = 0, bytes = 0;

	world_csv(csv, NEW);
	for (int i = -1; i < VISITS; i++) {
		const char *home = homes[(i + 2) % 2];
		double start;
		json_t *answer;

		json_decref(VEREDA(home, "load", "message", csv, "--map", "text=text", "--again"));
		*counted = (struct counted){0};
		preload("build/tests/faults/count.so");
		start = now_s();
		answer = VEREDA(home, "sync", stick);
		start = now_s() - start;
		preload(NULL);
		if (number(answer, "sent") != NEW || (i >= 0 && number(answer, "received") != NEW))
			die("a visit moved %.0f and %.0f records", number(answer, "sent"), number(answer, "received"));
		json_decref(answer);
		/* The first finds nothing of the other's. */
		if (i < 0)
			continue;
		slowest = start > slowest ? start : slowest;
		most.read = counted->read > most.read ? counted->read : most.read;
		most.written = counted->written > most.written ? counted->written : most.written;
	}
	json_decref(VEREDA(homes[0], "sync", stick));
	/* Of the hundred new ones the bodies alone: less than what the target speaks of. */
	for (size_t i = 0; i < NEW; i++) {
		char text[256];

		bytes += (double)world_text(i, text);
	}
	table_at_most("a visit, 100 new on each side: whole command", slowest, "s", 1);
	table_at_most("  read from the stick", (double)most.read / 1024, "KiB", 256);
	table_at_most("  written to it", (double)most.written / 1024, "KiB", (1.1 * bytes / 1024) + 96);
	munmap(counted, sizeof(*counted));
	unlink(area);
	unlink(csv);
}

void sticks(const char *folder, const char *hub, const char *guest, size_t count)
{
	const char *const homes[2] = {guest, hub};
	char stick[256], area[256], csv[256], command[300];

	snprintf(stick, sizeof(stick), "%s/stick", folder);
	snprintf(area, sizeof(area), "%s/counted", folder);
	snprintf(csv, sizeof(csv), "%s/new.csv", folder);
	if (mkdir(stick, 0700))
		die("%s: cannot be made", stick);
	rate_row("full stick: written, synced, read back", "sent", hub, stick, count, 0);
	rate_row("full stick into an empty store", "received", guest, stick, count, 3.5);
	visit_rows(homes, stick, area, csv);
	snprintf(command, sizeof(command), "rm -r '%s'", stick);
	if (system(command))
		die("%s: cannot be removed", stick);
}
