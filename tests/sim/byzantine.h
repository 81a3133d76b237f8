/* Three of twenty are hostile, one of them a coordinator: weeks of it in a second, and what must hold in the end. */
#ifndef SIM_BYZANTINE_H
#define SIM_BYZANTINE_H

#include <stdbool.h>
#include <stdint.h>

/* Plays the story of that seed, prints a TAP line; false when something did not hold. */
bool byzantine_run(uint64_t seed, bool verbose);

#endif
