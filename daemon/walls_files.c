/* Landlock: which files this process can still open. Its own system calls: glibc wraps none of them. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <link.h>
#include <linux/landlock.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "walls.h"

/* Newer than the headers of Debian 12. */
#define REFER (UINT64_C(1) << 13)     /* ABI 2 */
#define TRUNCATE (UINT64_C(1) << 14)  /* 3 */
#define IOCTL_DEV (UINT64_C(1) << 15) /* 5 */
#define SCOPE_ABSTRACT (UINT64_C(1) << 0) /* 6 */
#define SCOPE_SIGNAL (UINT64_C(1) << 1)
enum { ABI_REFER = 2, ABI_TRUNCATE = 3, ABI_IOCTL = 5, ABI_SCOPE = 6, FIRST_BITS = 13 };

struct attributes {
	uint64_t files, net, scoped;
};

#define READ ((uint64_t)LANDLOCK_ACCESS_FS_READ_FILE)
#define LIST ((uint64_t)LANDLOCK_ACCESS_FS_READ_DIR)
#define START ((uint64_t)LANDLOCK_ACCESS_FS_EXECUTE)
#define ALTER                                                                                                                  \
	(READ | LIST | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |          \
	 LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK | REFER | TRUNCATE)
#define OF_FILES (READ | START | LANDLOCK_ACCESS_FS_WRITE_FILE | TRUNCATE | IOCTL_DEV) /* what a rule about a file may say */

struct rules {
	int set;
	uint64_t handled;
	bool failed;
};

static void allow(struct rules *r, const char *path, uint64_t access)
{
	struct landlock_path_beneath_attr rule = { .allowed_access = access & r->handled };
	struct stat st;

	rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
	if (rule.parent_fd < 0)
		return; /* not there: nothing to open either */
	if (fstat(rule.parent_fd, &st) || !S_ISDIR(st.st_mode))
		rule.allowed_access &= OF_FILES;
	r->failed = r->failed || syscall(SYS_landlock_add_rule, r->set, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
	close(rule.parent_fd);
}

/* The C library reads these when it looks up a name, also those that come later: a laptop moves from network to network. */
static void allow_name_service(struct rules *r)
{
	static const char *const read[] = {
		"/etc/hosts", "/etc/host.conf", "/etc/nsswitch.conf", "/etc/gai.conf", "/etc/services", "/etc/protocols", "/etc/hostname", "/etc/mdns.allow",
		"/etc/ld.so.cache", "/etc/localtime", "/usr/share/zoneinfo", "/dev/urandom", "/dev/random", "/sys/devices/system/cpu/online", "/proc/sys/kernel/random/boot_id", "/proc/meminfo", "/proc/swaps",
	};
	static const char *const libraries[] = { "/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib" };
	static const char *const own[] = { "/run/systemd/resolve", "/run/resolvconf", "/run/connman" };
	char resolver[PATH_MAX], *folder;

	for (size_t i = 0; i < sizeof read / sizeof *read; i++)
		allow(r, read[i], READ);
	for (size_t i = 0; i < sizeof libraries / sizeof *libraries; i++)
		allow(r, libraries[i], READ | LIST);
	allow(r, "/dev/null", READ | LANDLOCK_ACCESS_FS_WRITE_FILE);
	if (!realpath("/etc/resolv.conf", resolver))
		return;
	allow(r, resolver, READ);
	/* It is replaced whole whenever the network changes: where a folder of its own is made for it, that folder, so that the next one can be read, too. Never
	 * /etc, in which everything else stands: there, names are looked up as they were at the start until veredad starts again. */
	folder = dirname(resolver);
	for (size_t i = 0; i < sizeof own / sizeof *own; i++)
		if (!strcmp(folder, own[i]))
			allow(r, folder, READ);
}

/* The first object is the program itself. */
static int find_loader(struct dl_phdr_info *object, size_t size, void *ctx)
{
	(void)size;
	for (size_t i = 0; i < object->dlpi_phnum; i++)
		if (object->dlpi_phdr[i].p_type == PT_INTERP)
			*(const char **)ctx = (const char *)(uintptr_t)(object->dlpi_addr + object->dlpi_phdr[i].p_vaddr);
	return 1;
}

/* It may start anew, and start nothing else; and know its own memory, to wipe it. */
static void allow_ourselves(struct rules *r)
{
	const char *loader = NULL;

	allow(r, "/proc/self", READ | LIST); /* ours alone: of this process, also after it has started anew */
	allow(r, "/proc/self/exe", READ | START);
	allow(r, "/proc/self", READ | LIST); /* which memory is ours, to overwrite it (panic.h) */
	dl_iterate_phdr(find_loader, &loader);
	if (loader)
		allow(r, loader, READ | START);
}

static struct attributes attributes_for(long abi)
{
	const char *notify = getenv("NOTIFY_SOCKET");
	struct attributes a = { .files = (UINT64_C(1) << FIRST_BITS) - 1 };

	a.files |= (abi >= ABI_REFER ? REFER : 0) | (abi >= ABI_TRUNCATE ? TRUNCATE : 0) | (abi >= ABI_IOCTL ? IOCTL_DEV : 0);
	if (abi >= ABI_SCOPE)
		a.scoped = SCOPE_SIGNAL | (notify && *notify == '@' ? 0 : SCOPE_ABSTRACT);
	return a;
}

bool vd_walls_files(const char *home, const char *const *folders, size_t count)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	struct attributes a = attributes_for(abi);
	struct rules r = { .handled = a.files };

	if (abi < 1)
		return false;
	r.set = (int)syscall(SYS_landlock_create_ruleset, &a, abi >= ABI_SCOPE ? sizeof a : sizeof a.files, 0);
	if (r.set < 0)
		return false;
	fcntl(r.set, F_SETFD, FD_CLOEXEC);
	allow(&r, home, ALTER);
	for (size_t i = 0; i < count; i++)
		allow(&r, folders[i], ALTER);
	allow_name_service(&r);
	allow_ourselves(&r);
	r.failed = r.failed || syscall(SYS_landlock_restrict_self, r.set, 0);
	close(r.set);
	return !r.failed;
}
