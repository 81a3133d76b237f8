/* A hub, two members, and a stick. */
#ifndef STICK_CAST_H
#define STICK_CAST_H

#include <dirent.h>
#include <sys/stat.h>

#include "daemon/link_stick.h"
#include "tests/unit/mesh_fixture.h"

struct cast {
	struct mesh mesh;
	struct person hub, ana, luz;
	char stick[128], cache[160];
	uint8_t first_link[VD_KEY_BYTES]; /* of the first epoch */
};

static int setup(void **state)
{
	struct cast *c = calloc(1, sizeof(*c));

	mesh_is_silent = true;
	mesh_of_three(&c->mesh, &c->hub, &c->ana, &c->luz);
	snprintf(c->stick, sizeof(c->stick), "%s/usb", c->mesh.top);
	memcpy(c->first_link, vd_group_epoch_keys(c->hub.group, 0)->key[VD_KEY_LINK], VD_KEY_BYTES);
	snprintf(c->cache, sizeof(c->cache), "%s/cache", c->stick);
	assert_int_equal(mkdir(c->stick, 0700), 0);
	*state = c;
	return 0;
}

static int teardown(void **state)
{
	struct cast *c = *state;

	mesh_end_three(&c->mesh, &c->hub, &c->ana, &c->luz);
	free(c);
	return 0;
}

static struct vd_stick_result visit(struct cast *c, struct person *p, int expected)
{
	struct vd_stick_result result;

	assert_int_equal(vd_stick_sync(p->store, c->stick, &result), expected);
	person_reload(p, &c->mesh);
	return result;
}

/* The same, and what is written keeps within so many bytes. */
static inline struct vd_stick_result visit_with(struct cast *c, struct person *p, uint64_t max_bytes, int expected)
{
	const struct vd_stick_wish wish = { .max_bytes = max_bytes };
	struct vd_stick_result result;

	assert_int_equal(vd_stick_sync_as(p->store, c->stick, &wish, &result), expected);
	person_reload(p, &c->mesh);
	return result;
}

static inline void assert_nothing_to_do(struct cast *c, struct person *p)
{
	struct vd_stick_result r = visit(c, p, 0);

	assert_int_equal(r.bytes_out + r.bytes_in + r.sent + r.received, 0);
	assert_true(r.complete && r.safe_to_remove);
}

/* Files in cache/; `first` (may be NULL) gets the path of one whose name is not `not_this`. */
static inline int segments(struct cast *c, char first[256], const char *not_this)
{
	DIR *dir = opendir(c->cache);
	struct dirent *entry;
	int n = 0;

	while (dir && (entry = readdir(dir))) {
		char path[512];

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", c->cache, entry->d_name);
		if (first && (!not_this || strcmp(path, not_this) != 0))
			strcpy(first, path);
		n++;
	}
	if (dir)
		closedir(dir);
	return n;
}

static inline void flip(const char *path, size_t at)
{
	struct vd_buf file = { 0 };

	file_get(path, &file);
	file.p[at] ^= 1;
	file_put(path, vd_buf_slice(&file));
	vd_buf_deinit(&file);
}

/* New keys for everyone with a role; or, with *first of the first part, one more part of them. */
static inline int rotate_part(struct person *p, const struct vd_epoch_keys *keys, size_t part, struct vd_id *first)
{
	struct vd_buf content = { 0 };
	struct vd_id id;
	struct vd_write *w;
	int rc = vd_group_make_epoch(p->group, keys, part ? first->b : NULL, part, &content);

	if (!rc) {
		assert_int_equal(vd_write_begin(p->store, &w), 0);
		mesh_write_control(w, p, &content, part ? &id : first);
		assert_int_equal(vd_write_commit(w), 0);
	}
	vd_buf_deinit(&content);
	return rc;
}

static inline void rotate(struct person *p)
{
	struct vd_epoch_keys keys;
	struct vd_id first;
	size_t part = 0;

	randombytes_buf(&keys, sizeof(keys));
	while (rotate_part(p, &keys, part, &first) == 0)
		part++;
	assert_true(part > 0);
	assert_memory_equal(vd_group_current_epoch(p->group), first.b, VD_EPOCH_BYTES);
}

static inline bool writes_under(const struct person *p, const struct person *like)
{
	return memcmp(vd_group_epoch_id(p->group, 0), vd_group_epoch_id(like->group, 0), VD_EPOCH_BYTES) == 0;
}

static inline void remove_device(struct person *by, const struct person *whom)
{
	const struct vd_removal removal = {
		.devices = (const uint8_t (*)[VD_KEY_BYTES])&vd_group_identity(whom->group)->author, .device_count = 1, .reason = "lost",
	};
	uint8_t nonce[VD_BODY_NONCE_BYTES];
	struct vd_epoch_keys keys;
	struct vd_buf content = { 0 };
	struct vd_write *w;
	struct vd_id id;

	randombytes_buf(&keys, sizeof(keys));
	randombytes_buf(nonce, sizeof(nonce));
	assert_int_equal(vd_write_begin(by->store, &w), 0);
	assert_int_equal(vd_group_make_revoke(by->group, &removal, &keys, nonce, &content), 0);
	mesh_write_control(w, by, &content, &id);
	assert_int_equal(vd_write_commit(w), 0);
	vd_buf_deinit(&content);
	assert_int_equal(vd_group_find(by->group, vd_group_identity(whom->group)->author)->role, VD_ROLE_NONE);
}

#endif
