/* Walls: what veredad gives up before its first thread starts, so that a fault in it is worth less to who finds one.
 *
 * Each is tried; what this kernel lacks is noticed, logged and shown in `status`, never silently passed over. The network stays open: who can be called is
 * not known beforehand. Foreign files meet a narrower wall, in store/child.h. */
#ifndef VD_WALLS_H
#define VD_WALLS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct vd_walls {
	bool no_core;      /* RLIMIT_CORE 0 and not dumpable */
	bool no_new_privileges;
	bool no_capabilities; /* none of root's rights: it gets at what its user gets at */
	bool landlock;     /* files: the home, and the folders given; to read, libraries, and the few files of /etc that looking up a host's name takes; to start, ourselves */
	bool seccomp;      /* system calls: those a daemon of ours makes; a forbidden one fails (and the kernel logs it), a monstrous one ends it */
	bool parser;       /* the child that parses foreign files has its own */
	bool locked_memory;/* keys cannot reach the swap */
};
/* `folders`: what besides the home may be read and written (sticks, token). One that is mounted later is reached only by way of a folder above its mount
 * point. Those that are not there are passed over. Irrevocable, for this process and what it starts; standing already, they are left as they are. Logs
 * what is missing. `low_port`: it is to listen on a port below 1024, and keeps the right to, if it has it. Root whose home stands below
 * a folder of somebody else, that lets nobody in, keeps the right to open files of others (CAP_DAC_OVERRIDE), or it could not go on: that wall is then missing. */
void vd_walls_raise(const char *home, const char *const *folders, size_t count, bool low_port, struct vd_walls *);
/* What was raised last, each by its name above. NULL: no memory. */
json_t *vd_walls_json(void);

/* The parts; walls.c's own. */
bool vd_walls_rights(const char *home, bool low_port);
bool vd_walls_files(const char *home, const char *const *folders, size_t count);
bool vd_walls_calls(bool landlock);
/* Did an earlier life of this process raise vd_walls_calls? *landlock: and files before. */
bool vd_walls_calls_stand(bool *landlock);

#endif
