#include "bundle_open.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"
#include "proto/err.h"

/* Copies what cannot be read twice to a file without a name: the last head may be needed before the first chunk. */
static int spool(const char *home, int from, int *out)
{
	enum { BLOCK = 64 * 1024 };
	uint8_t *block = malloc(BLOCK);
	char *name = NULL;
	int fd = -1, rc = VD_ENOMEM;
	ssize_t n = 1;

	if (!block || asprintf(&name, "%s/spool.XXXXXX.tmp", home) < 0) {
		name = NULL;
		goto done;
	}
	vd_file_sweep(home, "spool");
	fd = mkostemps(name, 4, O_CLOEXEC);
	rc = fd < 0 ? vd_file_errno(errno) : VD_OK;
	if (fd >= 0)
		unlink(name);
	while (n && !rc) {
		n = read(from, block, BLOCK);
		if (n < 0 && errno != EINTR)
			rc = vd_file_errno(errno);
		for (ssize_t at = 0, step; at < n && !rc; at += step) {
			step = write(fd, block + at, (size_t)(n - at));
			if (step < 0 && errno != EINTR)
				rc = vd_file_errno(errno);
			if (step < 0)
				step = 0;
		}
	}
done:
	free(block);
	free(name);
	if (rc && fd >= 0)
		close(fd);
	else if (!rc)
		*out = fd;
	return rc;
}

static int source_open(struct vd_sealed_file *r, const char *home, const char *path)
{
	bool stream = strcmp(path, "-") == 0;
	int fd = stream ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), rc = VD_OK;
	struct stat st;

	r->fd = -1;
	if (fd < 0 || fstat(fd, &st))
		rc = vd_file_errno(errno);
	else if (S_ISDIR(st.st_mode))
		rc = VD_EINVAL;
	else if (stream || !S_ISREG(st.st_mode))
		/* Opened without blocking so that a pipe nobody writes to cannot hold us; read it as usual. */
		rc = fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK) ? vd_file_errno(errno) : spool(home, fd, &r->fd);
	else
		r->fd = fd;
	if (fd >= 0 && fd != r->fd && !stream)
		close(fd);
	if (rc)
		return rc;
	if (fstat(r->fd, &st)) {
		rc = vd_file_errno(errno);
		close(r->fd);
		r->fd = -1;
		return rc;
	}
	r->size = (uint64_t)st.st_size;
	r->shaped = vd_sealed_layout(r->size, &r->chunks);
	return VD_OK;
}

void vd_sealed_file_close(struct vd_sealed_file *r)
{
	if (!r)
		return;
	if (r->fd >= 0)
		close(r->fd);
	vd_unsealer_free(r->unsealer);
	sodium_memzero(r, sizeof(*r));
	free(r);
}

/* False when the medium does not give all n bytes back: a scratch, for what lies beside it may be whole. */
static bool read_at(struct vd_sealed_file *r, uint64_t at, uint8_t *out, size_t n)
{
	while (n) {
		ssize_t got = pread(r->fd, out, n, (off_t)at);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			r->unreadable = true;
			return false;
		}
		out += got;
		at += (uint64_t)got;
		n -= (size_t)got;
	}
	return true;
}

static int read_heads(struct vd_sealed_file *r)
{
	if (r->size < VD_HEAD_BYTES)
		return VD_EFORMAT;
	r->has_first = read_at(r, 0, r->first, VD_HEAD_BYTES);
	r->has_last = r->shaped && read_at(r, r->size - VD_HEAD_BYTES, r->last, VD_HEAD_BYTES);
	return VD_OK;
}

int vd_sealed_file_open(const char *home, const char *path, struct vd_sealed_file **out)
{
	struct vd_sealed_file *r = calloc(1, sizeof(*r));
	int rc;

	if (!r)
		return VD_ENOMEM;
	rc = source_open(r, home, path);
	if (!rc)
		rc = read_heads(r);
	if (rc)
		vd_sealed_file_close(r);
	else
		*out = r;
	return rc;
}

int vd_sealed_file_try(struct vd_sealed_file *r, const struct vd_opener *with)
{
	return vd_unsealer_new(vd_slice(r->first, r->has_first ? VD_HEAD_BYTES : 0), vd_slice(r->last, r->has_last ? VD_HEAD_BYTES : 0),
	                       with, &r->unsealer);
}

static int try_group(struct vd_sealed_file *r, struct vd_group *group, bool links_only)
{
	size_t count = vd_group_epoch_count(group);
	uint8_t *links = calloc(count + 1, VD_KEY_BYTES);
	struct vd_opener with = { .links = links, .link_count = count, .identity = links_only ? NULL : vd_group_identity(group) };
	int rc;

	if (!links)
		return VD_ENOMEM;
	for (size_t i = 0; i < count; i++)
		memcpy(links + i * VD_KEY_BYTES, vd_group_epoch_keys(group, i)->key[VD_KEY_LINK], VD_KEY_BYTES);
	rc = vd_sealed_file_try(r, &with);
	sodium_memzero(links, count * VD_KEY_BYTES);
	free(links);
	return rc;
}

int vd_sealed_file_try_groups(struct vd_sealed_file *r, const struct vd_bundle_groups *groups, size_t *place)
{
	int rc = VD_EKEY;

	if (!r->has_first && !r->has_last)
		return VD_EIO;
	/* Most files open to a link key, which is cheap to try: a device's own slots cost an X25519 each. */
	for (size_t i = 0; i < 2 * groups->count && rc == VD_EKEY; i++) {
		*place = i % groups->count;
		rc = try_group(r, groups->group[*place], i < groups->count);
	}
	return rc;
}

int vd_sealed_file_chunk(struct vd_sealed_file *r, uint64_t i, struct vd_manifest *manifest, bool *is_last, struct vd_rd *entries)
{
	struct vd_slice bytes;
	uint8_t type;

	if (!read_at(r, VD_HEAD_BYTES + i * VD_CHUNK_BYTES, r->sealed, VD_CHUNK_BYTES))
		return VD_ESIGNATURE;
	if (vd_unsealer_chunk(r->unsealer, i, r->sealed, r->plain, is_last))
		return VD_ESIGNATURE;
	*entries = vd_rd(vd_slice(r->plain, VD_CHUNK_PLAIN));
	if (i > 0)
		return VD_OK;
	if (vd_chunk_entry(entries, &type, &bytes) || type != VD_ENTRY_MANIFEST)
		return VD_EFORMAT;
	return vd_unsealer_manifest(r->unsealer, bytes, manifest);
}
