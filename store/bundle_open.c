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
#include "inside.h"
#include "proto/err.h"

/* A file without a name. */
static int spool_open(const char *home, int *out)
{
	char *name = NULL;

	if (asprintf(&name, "%s/spool.XXXXXX.tmp", home) < 0)
		return VD_ENOMEM;
	vd_file_sweep(home, "spool");
	*out = mkostemps(name, 4, O_CLOEXEC);
	if (*out >= 0)
		unlink(name);
	free(name);
	return *out < 0 ? vd_file_errno(errno) : VD_OK;
}

static int write_all(int fd, const uint8_t *p, size_t n)
{
	while (n) {
		ssize_t put = write(fd, p, n);

		if (put < 0 && errno != EINTR)
			return vd_file_errno(errno);
		p += put < 0 ? 0 : put;
		n -= put < 0 ? 0 : (size_t)put;
	}
	return VD_OK;
}

/* Copies what cannot be read twice, up to `most` bytes of it: the last head may be needed before the first chunk. With a store: never what is
 * kept free of its disk. */
static int spool(struct vd_sealed_file *r, struct vd_store *store, uint64_t most)
{
	enum { BLOCK = 64 * 1024 };
	uint8_t *block = malloc(BLOCK);
	int rc = block ? VD_OK : VD_ENOMEM;
	ssize_t n = 1;

	while (n && most && !rc) {
		n = read(r->from, block, most < BLOCK ? (size_t)most : BLOCK);
		if (n < 0 && errno != EINTR)
			rc = vd_file_errno(errno);
		if (n < 0)
			continue;
		r->at_reserve = n && store && !vd_reserve_beside(store, (uint64_t)n);
		rc = r->at_reserve ? VD_ENOSPACE : write_all(r->fd, block, (size_t)n);
		most -= (uint64_t)n;
	}
	free(block);
	return rc;
}

static int measure(struct vd_sealed_file *r)
{
	struct stat st;

	if (fstat(r->fd, &st))
		return vd_file_errno(errno);
	r->size = (uint64_t)st.st_size;
	r->shaped = vd_sealed_layout(r->size, &r->chunks);
	return VD_OK;
}

static void close_from(struct vd_sealed_file *r)
{
	if (r->from > STDERR_FILENO)
		close(r->from);
	r->from = -1;
}

static int source_open(struct vd_sealed_file *r, const char *home, const char *path)
{
	bool stream = strcmp(path, "-") == 0;
	int fd = stream ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), rc = VD_OK;
	struct stat st;

	r->fd = r->from = -1;
	if (fd < 0)
		return vd_file_errno(errno);
	if (fstat(fd, &st))
		rc = vd_file_errno(errno);
	else if (S_ISDIR(st.st_mode))
		rc = VD_EINVAL;
	if (rc || stream || !S_ISREG(st.st_mode))
		r->from = fd;
	else
		r->fd = fd;
	/* Opened without blocking so that a pipe nobody writes to cannot hold us; read it as usual. */
	if (!rc && r->from >= 0 && fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK))
		rc = vd_file_errno(errno);
	if (!rc && r->from >= 0)
		rc = spool_open(home, &r->fd);
	if (!rc && r->from >= 0)
		rc = spool(r, NULL, VD_HEAD_BYTES);
	return rc ? rc : measure(r);
}

void vd_sealed_file_close(struct vd_sealed_file *r)
{
	if (!r)
		return;
	vd_unsealing_end(r->child);
	close_from(r);
	if (r->fd >= 0)
		close(r->fd);
	free(r);
}

int vd_sealed_file_open(const char *home, const char *path, struct vd_sealed_file **out)
{
	struct vd_sealed_file *r = calloc(1, sizeof(*r));
	int rc;

	if (!r)
		return VD_ENOMEM;
	rc = source_open(r, home, path);
	if (!rc && r->size < VD_HEAD_BYTES)
		rc = VD_EFORMAT;
	if (rc)
		vd_sealed_file_close(r);
	else
		*out = r;
	return rc;
}

/* What one device may open a file with. The identity is a copy without what it signs with. */
struct keys {
	uint8_t *links;
	size_t count;
	struct vd_identity identity;
};

static void keys_free(struct keys *keys, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (keys[i].links)
			sodium_memzero(keys[i].links, keys[i].count * VD_KEY_BYTES);
		free(keys[i].links);
		vd_identity_wipe(&keys[i].identity);
	}
	free(keys);
}

static void keys_identity(struct keys *keys, const struct vd_identity *identity)
{
	keys->identity = *identity;
	sodium_memzero(keys->identity.author_secret, sizeof(keys->identity.author_secret));
}

static int keys_of(struct keys *keys, struct vd_group *group)
{
	size_t count = vd_group_epoch_count(group);

	keys_identity(keys, vd_group_identity(group));
	keys->links = calloc(count + 1, VD_KEY_BYTES);
	if (!keys->links)
		return VD_ENOMEM;
	for (size_t i = 0; i < count; i++)
		memcpy(keys->links + i * VD_KEY_BYTES, vd_group_epoch_keys(group, i)->key[VD_KEY_LINK], VD_KEY_BYTES);
	keys->count = count;
	return VD_OK;
}

/* Whose secrets the child's copy of us still has when it begins. */
struct secrets {
	struct vd_store *store;
	const struct vd_bundle_groups *groups;
	const struct vd_identity *const *identities;
	size_t count;
};

static void wipe_signing(const struct vd_identity *identity)
{
	/* Ours to write: this is the child's own copy, and nobody will use it any more. */
	struct vd_identity *copy = (struct vd_identity *)(uintptr_t)identity;

	sodium_memzero(copy->author_secret, sizeof(copy->author_secret));
}

/* Who takes over the child must not be able to sign as we do, nor to open the store. */
static void forget(void *ctx)
{
	const struct secrets *s = ctx;

	vd_vault_forget(s->store->vault);
	for (size_t i = 0; s->groups && i < s->groups->count; i++)
		wipe_signing(vd_group_identity(s->groups->group[i]));
	for (size_t i = 0; i < s->count; i++)
		wipe_signing(s->identities[i]);
}

/* What comes is not copied when it does not begin as anything for us: it may have no end. */
static int take_rest(struct vd_sealed_file *r, struct secrets *secrets, const struct vd_opener *openers, size_t count)
{
	const struct vd_unsealing job = { .file = r->fd, .size = r->size, .openers = openers, .opener_count = count, .forget = forget, .ctx = secrets };
	struct vd_unsealing_child *child = NULL;
	size_t which, link;
	int rc = vd_unsealing_start(&job, &child, &which, &link, &r->unreadable);

	vd_unsealing_end(child);
	if (!rc)
		rc = spool(r, secrets->store, UINT64_MAX);
	close_from(r);
	return rc ? rc : measure(r);
}

static int start(struct vd_sealed_file *r, struct secrets *secrets, const struct vd_opener *openers, size_t count, size_t *which,
                 size_t *link)
{
	struct vd_unsealing job = {
		.file = r->fd, .size = r->size, .chunks = r->chunks, .shaped = r->shaped, .openers = openers, .opener_count = count,
		.forget = forget, .ctx = secrets,
	};
	int rc;

	if (r->from >= 0) {
		rc = take_rest(r, secrets, openers, count);
		if (rc)
			return rc;
		job.size = r->size;
		job.chunks = r->chunks;
		job.shaped = r->shaped;
	}
	return vd_unsealing_start(&job, &r->child, which, link, &r->unreadable);
}

int vd_sealed_file_try(struct vd_sealed_file *r, struct vd_store *store, const struct vd_identity *const *identities, size_t count)
{
	struct keys *keys = calloc(count + 1, sizeof(*keys));
	struct vd_opener *openers = calloc(count + 1, sizeof(*openers));
	struct secrets secrets = { .store = store, .identities = identities, .count = count };
	size_t which, link;
	int rc = keys && openers ? VD_OK : VD_ENOMEM;

	for (size_t i = 0; i < count && !rc; i++) {
		keys_identity(&keys[i], identities[i]);
		openers[i].identity = &keys[i].identity;
	}
	if (!rc)
		rc = start(r, &secrets, openers, count, &which, &link);
	if (keys)
		keys_free(keys, count);
	free(openers);
	return rc;
}

int vd_sealed_file_heads(const struct vd_sealed_file *r, struct vd_bundle_key *key)
{
	memset(key->heads, 0, sizeof(key->heads));
	errno = 0;
	if (pread(r->fd, key->heads[0], VD_BUNDLE_HEAD_NOTED, 0) != VD_BUNDLE_HEAD_NOTED ||
	    (r->shaped && pread(r->fd, key->heads[1], VD_BUNDLE_HEAD_NOTED, (off_t)(r->size - VD_HEAD_BYTES)) != VD_BUNDLE_HEAD_NOTED)) {
		memset(key->heads, 0, sizeof(key->heads));
		return errno ? vd_file_errno(errno) : VD_EIO;
	}
	return VD_OK;
}

int vd_sealed_file_try_groups(struct vd_sealed_file *r, struct vd_store *store, const struct vd_bundle_groups *groups,
                              struct vd_bundle_key *key)
{
	size_t count = groups->count, which, link;
	struct keys *keys = calloc(count + 1, sizeof(*keys));
	struct vd_opener *openers = calloc(2 * count + 1, sizeof(*openers));
	struct secrets secrets = { .store = store, .groups = groups };
	int rc = keys && openers ? VD_OK : VD_ENOMEM;

	/* Most files open to a link key, which is cheap to try: a device's own slots cost an X25519 each. */
	for (size_t i = 0; i < count && !rc; i++) {
		rc = keys_of(&keys[i], groups->group[i]);
		openers[i] = openers[count + i] = (struct vd_opener){ .links = keys[i].links, .link_count = keys[i].count };
		openers[count + i].identity = &keys[i].identity;
	}
	if (!rc)
		rc = start(r, &secrets, openers, 2 * count, &which, &link);
	if (!rc) {
		*key = (struct vd_bundle_key){ .place = which % count, .by_link = link != VD_NO_LINK };
		if (key->by_link)
			memcpy(key->epoch, vd_group_epoch_id(groups->group[key->place], link), VD_EPOCH_BYTES);
		/* Where the medium refuses to give it, it is not known. */
		(void)vd_sealed_file_heads(r, key);
	}
	if (keys)
		keys_free(keys, count);
	free(openers);
	return rc;
}

int vd_sealed_file_chunk(struct vd_sealed_file *r, uint64_t i, struct vd_manifest *manifest, bool *is_last, struct vd_rd *entries)
{
	struct vd_unsealed chunk;
	int rc = vd_unsealing_chunk(r->child, i, &chunk);

	r->unreadable = r->unreadable || chunk.unreadable;
	*is_last = chunk.is_last;
	*entries = chunk.entries;
	if (i == 0 && !rc)
		*manifest = chunk.manifest;
	return rc;
}
