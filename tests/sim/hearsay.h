/* Receipts of a store in memory (memory.h): what it says it holds, and what it heard of others. Without spans: all is said by lanes. */
#ifndef SIM_HEARSAY_H
#define SIM_HEARSAY_H

#include "memory.h"

/* From here on it keeps receipts; `gives`: and makes its own. */
void hearsay_begin(struct memory *, bool gives);
void hearsay_deinit(struct memory *);
/* As the store and its clock, receipt_ms, are now: appends its own. */
void hearsay_say(struct memory *, struct vd_buf *out);
/* Keeps what verifies of it; returns how many. */
size_t hearsay_heed(struct memory *, const uint8_t device[VD_KEY_BYTES], const struct vd_words *);
/* Keeps one as if it had come; false: it is none, or no news. */
bool hearsay_keep(struct memory *, struct vd_slice receipt);
/* The count of that device's; 0: there is none. */
uint64_t hearsay_of(const struct memory *, const uint8_t device[VD_KEY_BYTES]);

#endif
