/* Where records are, in words: what custody (store/custody.h) and sticks (store/sticks.h) know, for why, status, doctor and sync --check. */
#ifndef VD_WHERE_H
#define VD_WHERE_H

#include "admin.h"
#include "store/custody.h"
#include "store/sticks.h"

enum { VD_WHERE_TEXT = 160 };

/* What a person called the stick, or the first digits of its id. */
const char *vd_stick_called(struct vd_cli *, const struct vd_stick *, char room[VD_WHERE_TEXT]);
/* By which way word came: "on stick azul", "over the network (127.0.0.1:7)". */
const char *vd_route_said(struct vd_cli *, const struct vd_route *, char room[VD_WHERE_TEXT]);
/* {"link"|"stick"|"file", its address or name}; null: none. */
json_t *vd_route_json(struct vd_cli *, const struct vd_route *);
/* A text with its places filled, for JSON as for people. */
json_t *vd_json_said(struct vd_cli *, enum vd_msg, ...) __attribute__((sentinel));

/* When anything of a member last came here: a receipt or a record, of any device of theirs; 0: nothing yet. *route (may be NULL): by which way, when it
 * was a receipt. `c` may be NULL. */
uint64_t vd_last_word(struct vd_cli *, struct vd_group *, const struct vd_custody *, const uint8_t person[VD_PERSON_BYTES], struct vd_route *route);
/* What the clock of a device of that member showed, when it was in the future, so that its word of what it holds is not believed; 0: it was not. */
uint64_t vd_clock_ahead(struct vd_cli *, struct vd_group *, const struct vd_custody *, const uint8_t person[VD_PERSON_BYTES]);
/* All members of whom that is so: to `list` (may be NULL), each with "member", "name" and "clock"; and `say` (may be NULL) is called for each of the first
 * VD_CLOCKS_SAID, with the name and the time. */
enum { VD_CLOCKS_SAID = 3 };
void vd_clocks_ahead(struct vd_cli *, struct vd_group *, const struct vd_custody *, json_t *list,
                     void (*say)(void *ctx, const char *name, const char *time), void *ctx);

#endif
