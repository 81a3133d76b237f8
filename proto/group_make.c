/* Writing control records: their content, for the caller to sign. */
#include "group_priv.h"

#include <string.h>

#include "err.h"

static struct vd_field bin_field(const char *name, const void *p, size_t n)
{
	return (struct vd_field){vd_slice_str(name), {VD_MP_BIN, vd_slice(p, n), 0}};
}

static struct vd_field uint_field(const char *name, uint64_t v)
{
	return (struct vd_field){vd_slice_str(name), {VD_MP_UINT, vd_slice(NULL, 0), v}};
}

static struct vd_field list_field(const char *name, const struct vd_buf *items, uint64_t count)
{
	return (struct vd_field){vd_slice_str(name), {VD_MP_ARRAY, vd_buf_slice(items), count}};
}

static bool before(const struct vd_group *g, uint32_t a, uint32_t b)
{
	const struct vd_group_record *ra = &g->records[a], *rb = &g->records[b];

	return ra->depth != rb->depth ? ra->depth < rb->depth : memcmp(ra->id.b, rb->id.b, VD_ID_BYTES) < 0;
}

/* Records no other names, the latest VD_LIST_MAX of them: `heads` gets their places, latest first. */
static size_t latest_heads(const struct vd_group *g, uint32_t heads[VD_LIST_MAX])
{
	size_t count = 0, at;

	for (uint32_t i = 0; i < g->record_count; i++) {
		if (g->records[i].named)
			continue;
		for (at = count; at > 0 && before(g, heads[at - 1], i); at--)
			;
		if (at == VD_LIST_MAX)
			continue;
		count += count < VD_LIST_MAX;
		memmove(&heads[at + 1], &heads[at], (count - at - 1) * sizeof(*heads));
		heads[at] = i;
	}
	return count;
}

/* Appends the content, with `seen` from the group's heads (NULL: the founding, which saw nothing) as one field more, for
 * which the caller leaves room. */
static int put_content(struct vd_group *g, const char *kind, struct vd_field *fields, size_t count, struct vd_buf *out)
{
	uint32_t heads[VD_LIST_MAX];
	struct vd_id ids[VD_LIST_MAX], id;
	struct vd_buf seen = {0};
	size_t n = 0, at;
	int rc;

	if (g) {
		vd_group_refresh(g);
		n = latest_heads(g, heads);
	}
	for (size_t i = 0; i < n; i++) {
		id = g->records[heads[i]].id;
		for (at = i; at > 0 && memcmp(ids[at - 1].b, id.b, sizeof(id.b)) > 0; at--)
			ids[at] = ids[at - 1];
		ids[at] = id;
	}
	for (size_t i = 0; i < n; i++)
		vd_mp_put_bin(&seen, vd_slice(ids[i].b, sizeof(ids[i].b)));
	fields[count] = list_field("seen", &seen, n);
	rc = vd_buf_check(&seen);
	if (!rc)
		rc = vd_content_encode(vd_slice_str(kind), fields, count + 1, out);
	vd_buf_deinit(&seen);
	return rc;
}

static bool we_coordinate(struct vd_group *g)
{
	return g->has_identity && vd_group_may_control(g, g->identity.author);
}

void vd_group_make_id(const uint8_t founder[VD_KEY_BYTES], const uint8_t salt[VD_SALT_BYTES], uint8_t out[VD_GROUP_BYTES])
{
	struct vd_slice parts[] = {vd_slice(founder, VD_KEY_BYTES), vd_slice(salt, VD_SALT_BYTES)};

	vd_hash(VD_HASH_GROUP_ID, vd_slice(NULL, 0), out, VD_GROUP_BYTES, parts, 2);
}

int vd_group_make_founding(const struct vd_identity *founder, const uint8_t person[VD_PERSON_BYTES],
                           const uint8_t salt[VD_SALT_BYTES], struct vd_buf *out)
{
	struct vd_field fields[4] = {
		bin_field("box", founder->box, sizeof(founder->box)),
		bin_field("person", person, VD_PERSON_BYTES),
		bin_field("salt", salt, VD_SALT_BYTES),
	};

	return put_content(NULL, "group", fields, 3, out);
}

/* ---- epochs ---- */

static int put_epoch(struct vd_group *g, const struct vd_epoch_keys *keys, const uint8_t *of, const struct vd_buf *entries,
                     uint64_t count, struct vd_buf *out)
{
	uint8_t commits[VD_COMMITS_BYTES];
	struct vd_field fields[4] = {bin_field("commits", commits, sizeof(commits)), list_field("keys", entries, count)};
	size_t n = 2;

	vd_epoch_commit(keys, commits);
	if (of)
		fields[n++] = bin_field("of", of, VD_EPOCH_BYTES);
	return put_content(g, "epoch", fields, n, out);
}

int vd_group_make_epoch(struct vd_group *g, const struct vd_epoch_keys *keys, const uint8_t *of, size_t part,
                        struct vd_buf *out)
{
	size_t first = part * VD_EPOCH_DEVICES, last = first + VD_EPOCH_DEVICES;
	uint8_t entry[VD_EPOCH_ENTRY_BYTES];
	struct vd_buf entries = {0};
	uint64_t count = 0;
	int rc;

	if (!we_coordinate(g))
		return VD_EAUTHOR;
	if ((part == 0) != (of == NULL))
		return VD_EINVAL;
	if (part > vd_group_device_count(g) / VD_EPOCH_DEVICES || (part && first == vd_group_device_count(g)))
		return VD_ENOTFOUND;
	for (size_t i = first; i < last && i < vd_group_device_count(g); i++) {
		/* A device whose box key is no key gets nothing, and keeps nobody else from theirs. */
		if (vd_epoch_entry(keys, vd_group_device(g, i), entry))
			continue;
		vd_mp_put_bin(&entries, vd_slice(entry, sizeof(entry)));
		count++;
	}
	rc = vd_buf_check(&entries);
	if (!rc)
		rc = put_epoch(g, keys, of, &entries, count, out);
	vd_buf_deinit(&entries);
	return rc;
}

int vd_group_make_epoch_for(struct vd_group *g, const uint8_t epoch[VD_EPOCH_BYTES], const uint8_t device[VD_KEY_BYTES],
                            struct vd_buf *out)
{
	const struct vd_device *d = vd_group_find(g, device);
	uint8_t entry[VD_EPOCH_ENTRY_BYTES];
	struct vd_buf entries = {0};
	size_t i = 0;
	int rc;

	if (!we_coordinate(g))
		return VD_EAUTHOR;
	if (!d)
		return VD_ENOTFOUND;
	/* Only who has all three keys can seal them on. */
	for (int key = 0; key < VD_EPOCH_KEYS; key++)
		if (!vd_group_key(g, epoch, (enum vd_epoch_key)key))
			return VD_EKEY;
	while (memcmp(vd_group_epoch_id(g, i), epoch, VD_EPOCH_BYTES) != 0)
		i++;
	rc = vd_epoch_entry(vd_group_epoch_keys(g, i), d, entry);
	if (rc)
		return rc;
	vd_mp_put_bin(&entries, vd_slice(entry, sizeof(entry)));
	rc = vd_buf_check(&entries);
	if (!rc)
		rc = put_epoch(g, vd_group_epoch_keys(g, i), epoch, &entries, 1, out);
	vd_buf_deinit(&entries);
	return rc;
}

/* ---- grants and names ---- */

int vd_group_make_grant(struct vd_group *g, const struct vd_card *card, const uint8_t person[VD_PERSON_BYTES],
                        enum vd_role role, uint32_t flags, const char *name, const uint8_t nonce[VD_BODY_NONCE_BYTES],
                        struct vd_buf *out)
{
	struct vd_epoch_keys none = {0};
	struct vd_device probe = {0};
	uint8_t entry[VD_EPOCH_ENTRY_BYTES];
	struct vd_buf sealed = {0};
	int rc;

	if (!we_coordinate(g))
		return VD_EAUTHOR;
	if (role < VD_ROLE_COORDINATOR || role > VD_ROLE_COURIER)
		return VD_EINVAL;
	if (!vd_group_is_author(g, card->author) && vd_group_device_count(g) >= VD_MEMBERS_MAX)
		return VD_ECAP;
	rc = vd_card_check(card);
	if (rc)
		return rc;
	/* A box key that nothing can be sealed to would leave its device without keys for ever. */
	memcpy(probe.box, card->box, sizeof(probe.box));
	rc = vd_epoch_entry(&none, &probe, entry);
	if (rc)
		return rc;
	rc = vd_sealed_name_make(g, person, name, nonce, &sealed);
	if (!rc) {
		struct vd_field fields[8] = {
			bin_field("box", card->box, sizeof(card->box)),
			bin_field("device", card->author, sizeof(card->author)),
			uint_field("flags", flags),
			bin_field("name", sealed.p, sealed.n),
			bin_field("person", person, VD_PERSON_BYTES),
			bin_field("proof", card->proof, sizeof(card->proof)),
			uint_field("role", role),
		};

		rc = put_content(g, "grant", fields, 7, out);
	}
	vd_buf_deinit(&sealed);
	return rc;
}

int vd_group_make_name(struct vd_group *g, const char *name, const uint8_t nonce[VD_BODY_NONCE_BYTES], struct vd_buf *out)
{
	struct vd_buf sealed = {0};
	int rc;

	if (!we_coordinate(g))
		return VD_EAUTHOR;
	rc = vd_sealed_name_make(g, NULL, name, nonce, &sealed);
	if (!rc) {
		struct vd_field fields[2] = {bin_field("name", sealed.p, sealed.n)};

		rc = put_content(g, "group", fields, 1, out);
	}
	vd_buf_deinit(&sealed);
	return rc;
}
