/* One device exchanges with one stick one at a time: veredad and a person at once would write everything twice. */
#ifndef VD_STICK_TURN_H
#define VD_STICK_TURN_H

#include <stdint.h>
#include <sys/stat.h>

/* Takes the turn at that folder for this store, waiting for it at most so long: *turn is to be ended, and ends with the process too. Stands in the store's home,
 * not on the stick, and only as a lock. VD_EBUSY: another one has it. Where nothing can be locked nobody is kept waiting: 0, and *turn -1. */
int vd_stick_turn_begin(const char *home, const struct stat *folder, uint32_t wait_ms, int *turn);
void vd_stick_turn_end(int turn); /* -1 is fine */

#endif
