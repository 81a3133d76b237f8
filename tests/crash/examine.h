/* Is what a power cut left still what was promised? */
#ifndef CRASH_EXAMINE_H
#define CRASH_EXAMINE_H

#include <stdbool.h>
#include <stddef.h>

/* One promise: the words of a line written to CRASH_ACK_FD.
 *   store HOME          a store is there and opens
 *   identity HOME KEY   the identity that was shown is still its own
 *   member HOME         it is in the group
 *   record HOME ID      the record is in the store
 *   note HOME           there is a note that names a record of the store (when there is one, it always does)
 *   sealed HOME         it is sealed; and of every store that is, nothing in its files can be read
 *   file PATH           the file is there
 *   bundle PATH         the bundle is there, and holds every record promised to be in `hub` before
 *   stick HOME          the stick holds every record promised to be in HOME before
 *   begin .             nothing: cuts before it are not looked at */
struct promise {
	const char *what, *where, *detail;
};

/* Looks at the files below the current folder; they may be changed by it. False, and why in a line, when a promise is broken, a store
 * does not open or is not sound, a file that stands under its final name is not whole, or the next visits to the stick do not bring all that is
 * anywhere to everyone, with nothing refused. May die instead, when a file leads it
 * astray: call it in a child. */
bool examine(const struct promise *promises, size_t count, char why[256]);

#endif
