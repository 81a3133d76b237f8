/* Accounts: how much of something's time (the writer's, the loop's) each member of a group lately took, whatever device or connection
 * it came by, so that nobody takes everybody's. What was taken counts half after VD_ACCOUNTS_HALF_MS, a quarter after twice that, and so on.
 *
 * Time is microseconds of a clock that only goes forward. All zero is empty. */
#ifndef VD_ACCOUNTS_H
#define VD_ACCOUNTS_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/limits.h"

enum {
	VD_ACCOUNTS_HALF_MS = 10000,
	VD_ACCOUNTS_STEP_US = 65536, /* who took less than that more than another has had as much */
	VD_ACCOUNTS_HEAVY_US = 250000, /* nobody is heavy who took less lately */
	VD_ACCOUNTS_LATELY_MS = 500, /* somebody who asked so lately is there */
	VD_ACCOUNTS = 2 * VD_PEERS_MAX,
};

struct vd_accounts {
	struct vd_account {
		uint8_t who[VD_PERSON_BYTES];
		bool used;
		uint64_t taken_us, as_of_us; /* halved since then */
		uint64_t asked_us;           /* last there */
	} account[VD_ACCOUNTS];
};

/* They ask for time, now or again. */
void vd_accounts_ask(struct vd_accounts *, const uint8_t who[VD_PERSON_BYTES], uint64_t now_us);
/* They were given so much. */
void vd_accounts_take(struct vd_accounts *, const uint8_t who[VD_PERSON_BYTES], uint64_t now_us, uint64_t cost_us);
/* So much was spent on them, though they asked for nothing. */
void vd_accounts_charge(struct vd_accounts *, const uint8_t who[VD_PERSON_BYTES], uint64_t now_us, uint64_t cost_us);
/* How much they lately had; nobody known had none. */
uint64_t vd_accounts_had_us(const struct vd_accounts *, const uint8_t who[VD_PERSON_BYTES], uint64_t now_us);
/* The same in steps. */
uint64_t vd_accounts_had(const struct vd_accounts *, const uint8_t who[VD_PERSON_BYTES], uint64_t now_us);
/* Did they lately take more than twice what somebody else took who is there, too? */
bool vd_accounts_heavy(const struct vd_accounts *, const uint8_t who[VD_PERSON_BYTES], uint64_t now_us);

#endif
