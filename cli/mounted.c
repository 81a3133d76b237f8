#include "mounted.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Folders made for what is plugged in, and what they stand in. */
static const struct { const char *root, *parent; } places[] = { { "/run/media", "/run" }, { "/media", "/" }, { "/mnt", "/" } };

static bool is_below(const char *path, const char *root)
{
	size_t n = strlen(root);

	return strncmp(path, root, n) == 0 && (!path[n] || path[n] == '/');
}

/* By the number of the mount: a folder that is mounted from elsewhere on the same disk is one. */
static bool is_one_mount(const char *a, const char *b)
{
	struct statx x, y;

	if (statx(AT_FDCWD, a, 0, STATX_TYPE | STATX_MNT_ID, &x) || statx(AT_FDCWD, b, 0, STATX_TYPE | STATX_MNT_ID, &y))
		return false;
	if (x.stx_mask & y.stx_mask & STATX_MNT_ID)
		return x.stx_mnt_id == y.stx_mnt_id;
	return x.stx_dev_major == y.stx_dev_major && x.stx_dev_minor == y.stx_dev_minor;
}

int vd_mounted_check(struct vd_cli *cli, const char *dir)
{
	char path[PATH_MAX];

	if (cli->opt.yes || !realpath(dir, path))
		return 0;
	for (size_t i = 0; i < sizeof places / sizeof *places; i++)
		if (is_below(path, places[i].root) && is_one_mount(path, places[i].parent))
			return vd_refuse(cli, VD_EXIT_NO_SPACE, "medium", VD_MSG_HINT_SYNC_NOT_MOUNTED, VD_MSG_SYNC_NOT_MOUNTED, dir, NULL);
	return 0;
}

void vd_mounted_note(struct vd_cli *cli, const char *dir)
{
	struct stat there, home;

	if (!stat(dir, &there) && !stat(cli->home, &home) && there.st_dev == home.st_dev)
		vd_note(cli, VD_MSG_SYNC_SAME_DISK, dir, NULL);
}
