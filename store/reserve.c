/* Room for what must always fit: control records, and the wiping of bodies. */
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include "inside.h"
#include "proto/err.h"
#include "shares.h"

/* The file `reserve` in the home: given up when even a control commit meets a full disk. A grant was seen to make the database grow
 * by up to 100 KiB, until pages that went free are used again; so it is room for some twenty in a row. */
enum { FILE_BYTES = 2 << 20 };
/* Up to this a write is not worth being measured: the reserve is much larger. */
enum { SMALL_BYTES = 256 << 10 };

static uint64_t kept_free(struct vd_store *s, uint64_t total)
{
	struct vd_shares set;

	if (vd_shares_get(s, &set))
		set.reserve_bytes = (uint64_t)VD_RESERVE_MIB << 20;
	return set.reserve_bytes < total / VD_RESERVE_SMALL_PART ? set.reserve_bytes : total / VD_RESERVE_SMALL_PART;
}

/* What is free of the medium, and, where that is less than is needed, in the file. There in pieces, which bodies left behind when they went: the largest
 * records may not find one that they fit into, and the file grows for them. */
static int room_for(struct vd_store *s, uint64_t bytes, uint64_t *free_bytes, uint64_t *kept_bytes)
{
	uint64_t total, spare_bytes;
	int rc = vd_db_room(s->db, free_bytes, &total);

	if (rc)
		return rc;
	*kept_bytes = kept_free(s, total);
	if (*free_bytes < *kept_bytes + bytes && !vd_db_spare(s->db, &spare_bytes))
		*free_bytes += spare_bytes / 2;
	return VD_OK;
}

bool vd_reserve_leaves(struct vd_store *s, uint64_t bytes)
{
	uint64_t free_bytes, kept_bytes, need = bytes > SMALL_BYTES ? bytes + bytes / 8 : 0;

	return room_for(s, need, &free_bytes, &kept_bytes) || free_bytes >= kept_bytes + need;
}

bool vd_reserve_beside(struct vd_store *s, uint64_t bytes)
{
	uint64_t free_bytes, total;

	return vd_db_room(s->db, &free_bytes, &total) || free_bytes >= kept_free(s, total) + bytes;
}

bool vd_reserve_reached(struct vd_store *s)
{
	return !vd_reserve_leaves(s, 0);
}

bool vd_store_has_room(struct vd_store *s)
{
	return !vd_reserve_reached(s);
}

int vd_shares_room(struct vd_store *s, uint64_t *free_bytes, uint64_t *kept_bytes)
{
	return room_for(s, 0, free_bytes, kept_bytes);
}

/* Really takes the room, also on a medium that compresses, or leaves out what was never written. */
static bool fill(int fd, uint64_t bytes)
{
	uint8_t block[4096];

	for (uint64_t left = bytes; left;) {
		size_t n = left < sizeof(block) ? (size_t)left : sizeof(block);
		ssize_t written;

		randombytes_buf(block, n);
		written = write(fd, block, n);
		if (written <= 0)
			return false;
		left -= (uint64_t)written;
	}
	return true;
}

/* Makes the file when there is none and there is room for it beside what is kept free. Nothing depends on it. */
void vd_reserve_keep(struct vd_store *s)
{
	uint64_t free_bytes, total, kept, bytes;
	int folder, fd;

	folder = open(s->home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0)
		return;
	if (!faccessat(folder, "reserve", F_OK, AT_SYMLINK_NOFOLLOW) || vd_db_room(s->db, &free_bytes, &total)) {
		close(folder);
		return;
	}
	kept = kept_free(s, total);
	bytes = kept / 2 < FILE_BYTES ? kept / 2 : FILE_BYTES;
	fd = bytes && free_bytes >= kept + bytes
	             ? openat(folder, "reserve", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600)
	             : -1;
	if (fd >= 0 && !fill(fd, bytes))
		unlinkat(folder, "reserve", 0);
	if (fd >= 0)
		close(fd);
	close(folder);
}

bool vd_reserve_give_up(struct vd_store *s)
{
	int folder = open(s->home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool gave = folder >= 0 && !unlinkat(folder, "reserve", 0);

	/* Some file systems give the room back only when the folder is durable. */
	if (gave && fsync(folder))
		errno = 0;
	if (folder >= 0)
		close(folder);
	return gave;
}
