/* Capabilities: what a process of root (or one whose program was given some) may do that others may not. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "walls.h"

#define RIGHT(name) (UINT64_C(1) << (name))
enum { RIGHTS_MAX = 64, HALVES = 2 };

struct rights {
	uint64_t effective, permitted, inheritable;
};

/* The C library wraps neither of the two calls. */
static bool get(struct rights *r)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[HALVES];

	if (syscall(SYS_capget, &head, data))
		return false;
	*r = (struct rights){ 0 };
	for (unsigned i = 0; i < HALVES; i++) {
		r->effective |= (uint64_t)data[i].effective << 32 * i;
		r->permitted |= (uint64_t)data[i].permitted << 32 * i;
		r->inheritable |= (uint64_t)data[i].inheritable << 32 * i;
	}
	return true;
}

/* Nothing is inheritable, and so nothing ambient any more. */
static bool set(uint64_t effective, uint64_t permitted)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[HALVES];

	for (unsigned i = 0; i < HALVES; i++)
		data[i] = (struct __user_cap_data_struct){ (uint32_t)(effective >> 32 * i), (uint32_t)(permitted >> 32 * i), 0 };
	return syscall(SYS_capset, &head, data) == 0;
}

/* Would we get at the store as anybody else of our user? */
static bool reaches(const char *home)
{
	static const char *const files[] = { "", "/data.mdb", "/lock.mdb", "/vault" };
	char path[PATH_MAX + 16];

	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		snprintf(path, sizeof path, "%s%s", home, files[i]);
		if (faccessat(AT_FDCWD, path, i ? R_OK | W_OK : R_OK | W_OK | X_OK, AT_EACCESS) && errno == EACCES)
			return false;
	}
	return true;
}

bool vd_walls_rights(const char *home, bool low_port)
{
	uint64_t kept = low_port ? RIGHT(CAP_NET_BIND_SERVICE) : 0;
	struct rights now;
	bool closed;

	if (!get(&now))
		return false;
	/* Also where an earlier life of this process gave them up, and may not even ask any more. */
	if (!((now.effective | now.permitted | now.inheritable) & ~kept))
		return true;
	if (!set(now.permitted & RIGHT(CAP_SETPCAP), now.permitted))
		return false;
	/* A store that root made in somebody's closed folder goes on as before, but that is told. */
	closed = now.permitted & RIGHT(CAP_DAC_OVERRIDE) && !reaches(home);
	if (closed)
		kept |= RIGHT(CAP_DAC_OVERRIDE);
	kept &= now.permitted;
	/* What it starts could regain no more than it has, without new privileges: this is a second lock on the same door, and needs CAP_SETPCAP. */
	for (int i = 0; i < RIGHTS_MAX && prctl(PR_CAPBSET_READ, i, 0, 0, 0) >= 0; i++)
		if (!(kept >> i & 1))
			(void)prctl(PR_CAPBSET_DROP, i, 0, 0, 0);
	return set(kept, kept) && !closed;
}
