/* To whom a record of ours went by name: kept where a copy of it is, and no longer. vd_store_named (store.h) reads it. Inside the store only. */
#ifndef VD_NAMED_H
#define VD_NAMED_H

#include "inside.h"

/* With a record of ours to whom it is sealed, if we are among them: who keeps no copy keeps no names either. */
int vd_named_keep(struct vd_write *, const struct vd_identity *, const struct vd_draft *, const struct vd_id *);
/* Its body goes, and this with it. */
int vd_named_forget(struct vd_write *, const struct vd_record *);

#endif
