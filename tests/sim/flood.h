/* A hundred hostile sessions against one device that honest ones bring their records to. */
#ifndef SIM_FLOOD_H
#define SIM_FLOOD_H

#include <stdbool.h>
#include <stdint.h>

/* The same twice, in peace and under the flood, counted without a clock; prints a TAP line; false when the flood took more than it may. */
bool flood_run(uint64_t seed, bool verbose);

#endif
