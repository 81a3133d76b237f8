/* Walls: what veredad gives up before its first thread starts, so that a fault in it is worth less to who finds one.
 *
 * Each is tried; what this kernel lacks is noticed, logged and shown in `status`, never silently passed over. */
#ifndef VD_WALLS_H
#define VD_WALLS_H

#include <stdbool.h>
#include <stddef.h>

struct vd_walls {
	bool no_core;      /* RLIMIT_CORE 0 and not dumpable */
	bool no_new_privileges;
	bool landlock;     /* files: the home, and the folders given, and nothing else */
	bool seccomp;      /* system calls: those a daemon of ours makes; a forbidden one fails (and is logged), a monstrous one ends it */
	bool locked_memory;/* keys cannot reach the swap */
};
/* `folders`: what besides the home may be read and written (sticks, token). Irrevocable, for this process and what it starts. */
void vd_walls_raise(const char *home, const char *const *folders, size_t count, struct vd_walls *);

#endif
