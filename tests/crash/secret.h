/* What opens the sealed stores of the workload; a readable one takes any secret. */
#ifndef CRASH_SECRET_H
#define CRASH_SECRET_H

#include "store/vault.h"

static const struct vd_secret crash_secret = { .token = { (const uint8_t *)"a key file of more than thirty-two bytes", 40 } };

#endif
