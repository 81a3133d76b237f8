/* What admit and join both say of a welcome. */
#ifndef VD_WELCOME_H
#define VD_WELCOME_H

#include "cli.h"

/* The words both sides compare: the coordinator in them is the one who signed the grant, whoever hands over the welcome. 0 or an
 * enum vd_err. */
int vd_welcome_words(struct vd_cli *, struct vd_group *, const uint8_t newcomer[VD_KEY_BYTES], const struct vd_id *grant,
                     char words[VD_WORDS_TEXT]);

#endif
