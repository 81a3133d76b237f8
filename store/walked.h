/* The mark of a database file that was read whole and found sound: a small file "walked" beside it, with what
 * the system knows of the file (place, size, last change) and of this start of the machine. While the mark holds
 * nobody has to read all of it again; it is derived, of this machine alone, and lost without harm.
 *
 * Every commit renews it under the writers' lock. A foreign hand, a killed writer and a power cut leave it
 * behind the file; a restart makes it void, because the medium, not its cached pages, is read again. */
#ifndef VD_WALKED_H
#define VD_WALKED_H

#include <stdbool.h>

/* A descriptor of the mark in that folder, or -1: nothing is ever known then. */
int vd_walked_open(int folder);
bool vd_walked_holds(int mark, int folder);
void vd_walked_renew(int mark, int folder);
void vd_walked_forget(int folder);

#endif
