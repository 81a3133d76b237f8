/* Sizes as people write them. */
#ifndef VD_SIZES_H
#define VD_SIZES_H

#include <stdbool.h>
#include <stdint.h>

enum { VD_SIZE_TEXT = 24 }; /* bytes of one as text, with NUL */

/* 500M, 2g, or bytes: K, M and G are 1,024, its square and its cube. At most 2^50; false: it is none, or more. */
bool vd_size_parse(const char *text, uint64_t *bytes);
/* A plain number, likewise. */
bool vd_count_parse(const char *text, uint64_t *out);
/* With the largest unit that leaves no fraction. */
void vd_size_text(uint64_t bytes, char out[VD_SIZE_TEXT]);

#endif
