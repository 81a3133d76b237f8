#include "walls.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "log.h"
#include "store/child.h"

enum { KEYS_BYTES = 64 * 1024 }; /* what keys take of locked memory, at most */

static struct vd_walls standing;

/* `named` is the field's; each is what a log and `status` call it. */
static const struct {
	const char *name;
	size_t at;
	const char *without;
} walls[] = {
	{ "no_core", offsetof(struct vd_walls, no_core), "a crash may write keys to the disk" },
	{ "no_new_privileges", offsetof(struct vd_walls, no_new_privileges), "a program it starts may gain rights" },
	{ "no_capabilities", offsetof(struct vd_walls, no_capabilities), "it keeps rights of root: its home is where its own user may not go" },
	{ "landlock", offsetof(struct vd_walls, landlock), "it can open every file its user can" },
	{ "seccomp", offsetof(struct vd_walls, seccomp), "it can make every system call" },
	{ "parser", offsetof(struct vd_walls, parser), "foreign files are parsed with limits alone" },
	{ "locked_memory", offsetof(struct vd_walls, locked_memory), "keys may reach the swap" },
};

static bool stands(const struct vd_walls *w, size_t i)
{
	return *(const bool *)((const char *)w + walls[i].at);
}

static bool memory_can_be_locked(void)
{
	void *room = mmap(NULL, KEYS_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	bool can = room != MAP_FAILED && mlock(room, KEYS_BYTES) == 0;

	if (room != MAP_FAILED)
		munmap(room, KEYS_BYTES);
	return can;
}

void vd_walls_raise(const char *home, const char *const *folders, size_t count, bool low_port, struct vd_walls *out)
{
	struct vd_walls w = { .no_core = vd_process_private(), .no_new_privileges = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 };

	w.no_capabilities = vd_walls_rights(home, low_port);
	w.locked_memory = memory_can_be_locked();
	w.parser = vd_child_wall_stands();
	if (vd_child_watched()) {
		vd_log(VD_LOG_WARNING, "walls: BUILT OR RUN FOR TESTS (a sanitizer, valgrind): files and system calls are not walled");
	} else if (vd_walls_calls_stand(&w.landlock)) {
		w.seccomp = true;
	} else {
		w.landlock = vd_walls_files(home, folders, count);
		w.seccomp = vd_walls_calls(w.landlock);
	}
	for (size_t i = 0; i < sizeof walls / sizeof *walls; i++)
		if (!stands(&w, i))
			vd_log(VD_LOG_WARNING, "no wall=%s: %s", walls[i].name, walls[i].without);
	standing = *out = w;
}

json_t *vd_walls_json(void)
{
	json_t *out = json_object();

	for (size_t i = 0; i < sizeof walls / sizeof *walls; i++)
		json_object_set_new(out, walls[i].name, json_boolean(stands(&standing, i)));
	return out;
}
