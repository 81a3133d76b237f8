/* The words of proto/kind_table.c (kinds, fields, values of closed lists) as people read them. The English word is the key: it is
 * what is stored, what JSON says and what is typed. Where people read it, it is said in their language.
 *
 * A word is translated only where the table defines it: a kind or a field that someone made up is shown as they wrote it, even
 * when it is spelled like a word of the table. */
#ifndef VD_LABELS_H
#define VD_LABELS_H

#include "messages.h"
#include "proto/content.h"
#include "proto/kind.h"

/* What the language calls this word of the table; the word as it stands where there is none. */
struct vd_slice vd_label(enum vd_lang, struct vd_slice word);

struct vd_slice vd_label_kind(enum vd_lang, struct vd_slice kind);
struct vd_slice vd_label_field(enum vd_lang, struct vd_slice kind, struct vd_slice field);
/* `text` is the value of `field`: translated when the field has a closed list and the value is in it. */
struct vd_slice vd_label_choice(enum vd_lang, struct vd_slice kind, struct vd_slice field, struct vd_slice text);

#endif
