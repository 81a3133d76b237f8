/* What the files of a store are called, and how they look: so that a wipe takes those and nobody else's, and a store is not made among files that would be
 * taken for its own. Everything here but vd_names_store and vd_names_stranger is async-signal-safe; all of it looks at names, sizes and a file's first bytes. */
#ifndef VD_NAMES_H
#define VD_NAMES_H

#include <stdbool.h>
#include <stddef.h>

enum vd_name {
	VD_NAME_OTHER,
	VD_NAME_SLOTS,       /* vault, vault.new, vault.old */
	VD_NAME_SMALL,       /* what tells nothing: reserve, ctl, ctl.lock, walked, lock.mdb, .vereda-probe */
	VD_NAME_DATABASE,    /* data.mdb */
	VD_NAME_SET_ASIDE,   /* data.mdb.damaged-N: perhaps from before the store was sealed */
};
enum { VD_NAME_FOLDERS = 3 };
/* new, inbox, sealing: of the first two what is in them is sealed when the store is. */
extern const char *const vd_name_folders[VD_NAME_FOLDERS];

/* A file of that name in a home, which is one: is it the store's? */
enum vd_name vd_name_in_home(int home, const char *name);
/* In one of the three folders. */
bool vd_name_in_folder(int folder, size_t which, const char *name);

/* Does a store stand in that folder, or what an interrupted wipe or init left of one? */
bool vd_names_store(int home);
/* A name that a store would use, and that is somebody else's: a pointer to a constant, or NULL. */
const char *vd_names_stranger(int home);

#endif
