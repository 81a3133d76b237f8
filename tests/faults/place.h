/* Folders with a prepared start, and what a store in one holds. */
#ifndef FAULTS_PLACE_H
#define FAULTS_PLACE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/record.h"

enum { PLACE_RECORDS = 256, PLACE_FILES = 64, PLACE_NAME = 96 };

/* What a store holds; looked at in a process of its own, which may die of it. */
struct holding {
	bool any, sound;         /* there is one; it opens, and `vereda check` finds nothing */
	int err;                 /* why not */
	bool died;
	size_t groups, count;
	struct vd_id ids[PLACE_RECORDS];
};
void place_look(const char *home, struct holding *out);
bool place_holds_all(const struct holding *, const struct holding *before);

/* A fresh copy; where a home is, its mark of having been walked is made to fit. False: no room, or the like. */
bool place_copy(const char *from, const char *to);
void place_empty(const char *folder);

/* Names of files below a folder, digits and letters of random names as '#'. */
struct listing {
	size_t count;
	char names[PLACE_FILES][PLACE_NAME];
};
void place_list(const char *folder, struct listing *out);
/* Replaces every run of hex digits with one '#', and of digits with one too. */
void place_plain(char *text);
/* Takes out what is never the same twice. */
void place_scrub(char *text);

#endif
