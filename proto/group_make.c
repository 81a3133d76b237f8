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

/* Records no other names, the latest VD_LIST_MAX of them: `heads` gets their places, latest first. */
static size_t latest_heads(const struct vd_group *g, uint32_t heads[VD_LIST_MAX])
{
	size_t count = 0, at;

	for (uint32_t i = 0; i < g->record_count; i++) {
		if (g->records[i].named)
			continue;
		for (at = count; at > 0 && g->records[heads[at - 1]].place < g->records[i].place; at--)
			;
		if (at == VD_LIST_MAX)
			continue;
		count += count < VD_LIST_MAX;
		memmove(&heads[at + 1], &heads[at], (count - at - 1) * sizeof(*heads));
		heads[at] = i;
	}
	return count;
}

size_t vd_group_heads(struct vd_group *g, struct vd_id *out, size_t max)
{
	uint32_t heads[VD_LIST_MAX];
	size_t n, at;

	vd_group_refresh(g);
	n = latest_heads(g, heads);
	n = n < max ? n : max;
	for (size_t i = 0; i < n; i++) {
		struct vd_id id = g->records[heads[i]].id;

		for (at = i; at > 0 && memcmp(out[at - 1].b, id.b, sizeof(id.b)) > 0; at--)
			out[at] = out[at - 1];
		out[at] = id;
	}
	return n;
}

/* Appends the content, with `seen` from the group's heads (NULL: the founding, which saw nothing) as one field more, for
 * which the caller leaves room. */
static int put_content(struct vd_group *g, const char *kind, struct vd_field *fields, size_t count, struct vd_buf *out)
{
	struct vd_id ids[VD_LIST_MAX];
	struct vd_buf seen = {0};
	size_t n = g ? vd_group_heads(g, ids, VD_LIST_MAX) : 0;
	int rc;

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
	return vd_group_role(g) == VD_ROLE_COORDINATOR;
}

/* What a removed coordinator still writes: it may yet prove the stronger. */
static bool we_ever_did(struct vd_group *g)
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

/* Is epoch `of` begun by a revocation that is against all of this device's grants, or lists it? It gets no part of that one then, even
 * while the revocation does not hold: it may yet. */
static bool revoked_there(const struct vd_group *g, const struct vd_revocation *v, const struct vd_device *d)
{
	const struct vd_group_device *device = (const struct vd_group_device *)d;

	if (!v || vd_revocation_lists(v, d->author))
		return v != NULL;
	for (uint32_t i = 0; i < device->grants.count; i++) {
		const struct vd_group_record *r = &g->records[g->grants_of[device->grants.start + i]];

		if (r->stands && (!v->whole || memcmp(r->statement->person, v->person, VD_PERSON_BYTES) != 0))
			return false;
	}
	return true;
}

/* The entries of part `part` of an epoch for all devices with a role. VD_ENOTFOUND: there is no such part. */
static int part_entries(struct vd_group *g, const struct vd_epoch_keys *keys, const struct vd_revocation *v, size_t part,
                        struct vd_buf *entries, uint64_t *count)
{
	uint8_t entry[VD_EPOCH_ENTRY_BYTES];
	size_t nth = 0;

	*count = 0;
	for (size_t i = 0; i < g->device_count; i++) {
		const struct vd_device *d = &g->devices[g->order[i].at].shown;

		if (d->role == VD_ROLE_NONE || revoked_there(g, v, d) || nth++ / VD_EPOCH_DEVICES != part)
			continue;
		/* A device whose box key is no key gets nothing, and keeps nobody else from theirs. */
		if (vd_epoch_entry(keys, d, entry))
			continue;
		vd_mp_put_bin(entries, vd_slice(entry, sizeof(entry)));
		(*count)++;
	}
	if (part && (nth == 0 || part > (nth - 1) / VD_EPOCH_DEVICES))
		return VD_ENOTFOUND;
	return vd_buf_check(entries);
}

static const struct vd_revocation *revocation_of(const struct vd_group *g, const uint8_t *of)
{
	for (size_t i = 0; of && i < g->record_count; i++)
		if (g->records[i].revocation && memcmp(g->records[i].id.b, of, VD_EPOCH_BYTES) == 0)
			return g->records[i].revocation;
	return NULL;
}

int vd_group_make_epoch(struct vd_group *g, const struct vd_epoch_keys *keys, const uint8_t *of, size_t part,
                        struct vd_buf *out)
{
	const struct vd_revocation *v = revocation_of(g, of);
	struct vd_buf entries = {0};
	uint64_t count;
	int rc;

	/* Who could write the revocation can write the rest of it. */
	if (!we_coordinate(g) && !(v && we_ever_did(g)))
		return VD_EAUTHOR;
	if ((part == 0) != (of == NULL))
		return VD_EINVAL;
	rc = part_entries(g, keys, v, part, &entries, &count);
	if (!rc)
		rc = put_epoch(g, keys, of, &entries, count, out);
	vd_buf_deinit(&entries);
	return rc;
}

static int put_entry(struct vd_group *g, const struct vd_epoch_keys *keys, const uint8_t device[VD_KEY_BYTES], struct vd_buf *entries)
{
	const struct vd_device *d = vd_group_find(g, device);
	uint8_t entry[VD_EPOCH_ENTRY_BYTES];
	int rc = !d || d->role == VD_ROLE_NONE ? VD_ENOTFOUND : vd_epoch_entry(keys, d, entry);

	if (!rc)
		vd_mp_put_bin(entries, vd_slice(entry, sizeof(entry)));
	return rc ? rc : vd_buf_check(entries);
}

int vd_group_make_epoch_part(struct vd_group *g, const uint8_t epoch[VD_EPOCH_BYTES], const uint8_t (*devices)[VD_KEY_BYTES], size_t count,
                             struct vd_buf *out)
{
	struct vd_buf entries = {0};
	size_t i = 0;
	int rc = count && count <= VD_EPOCH_DEVICES ? VD_OK : VD_EINVAL;

	if (!we_coordinate(g))
		return VD_EAUTHOR;
	/* Only who has all three keys can seal them on. */
	for (int key = 0; key < VD_EPOCH_KEYS; key++)
		if (!vd_group_key(g, epoch, (enum vd_epoch_key)key))
			return VD_EKEY;
	while (memcmp(vd_group_epoch_id(g, i), epoch, VD_EPOCH_BYTES) != 0)
		i++;
	for (size_t at = 0; at < count && !rc; at++)
		rc = put_entry(g, vd_group_epoch_keys(g, i), devices[at], &entries);
	if (!rc)
		rc = put_epoch(g, vd_group_epoch_keys(g, i), epoch, &entries, count, out);
	vd_buf_deinit(&entries);
	return rc;
}

int vd_group_make_epoch_for(struct vd_group *g, const uint8_t epoch[VD_EPOCH_BYTES], const uint8_t device[VD_KEY_BYTES],
                            struct vd_buf *out)
{
	return vd_group_make_epoch_part(g, epoch, (const uint8_t (*)[VD_KEY_BYTES])device, 1, out);
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

int vd_group_card(struct vd_group *g, const uint8_t device[VD_KEY_BYTES], struct vd_card *out)
{
	const struct vd_device *d = vd_group_find(g, device);
	const struct vd_group_record *held = d ? &g->records[vd_group_entry(g, device)->held] : NULL;

	if (!held || held->kind != VD_CONTROL_GRANT)
		return VD_ENOTFOUND;
	memcpy(out->author, d->author, sizeof(out->author));
	memcpy(out->box, held->statement->box, sizeof(out->box));
	memcpy(out->proof, held->statement->proof, sizeof(out->proof));
	return VD_OK;
}

int vd_group_make_restore(struct vd_group *g, const uint8_t device[VD_KEY_BYTES], const uint8_t nonce[VD_BODY_NONCE_BYTES],
                          struct vd_buf *out)
{
	const struct vd_device *d = vd_group_find(g, device);
	const struct vd_statement *s;
	struct vd_card card;
	int rc;

	if (!we_coordinate(g))
		return VD_EAUTHOR;
	if (!d || d->role != VD_ROLE_NONE)
		return VD_ENOTFOUND;
	s = g->records[vd_group_entry(g, device)->held].statement;
	rc = vd_group_card(g, device, &card);
	if (rc)
		return rc;
	if (!d->name[0])
		return VD_EKEY;
	return vd_group_make_grant(g, &card, d->person, d->most == VD_ROLE_NONE ? s->role : d->most, d->flags, d->name, nonce, out);
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

/* ---- removal, and what else is about another act ---- */

static int check_removal(struct vd_group *g, const struct vd_removal *r)
{
	if (!r->device_count || r->device_count > VD_LIST_MAX)
		return VD_EINVAL;
	for (size_t i = 0; i < r->device_count; i++)
		if (!vd_group_is_author(g, r->devices[i]))
			return VD_EINVAL;
	for (size_t lane = 0; lane < VD_LANES; lane++)
		if (r->head_count[lane] > VD_LIST_MAX)
			return VD_EINVAL;
	return 0;
}

/* The first part of the epoch that stands in a revocation: for those who have a role when it holds. */
static int remaining_entries(struct vd_group *g, const struct vd_removal *r, const struct vd_epoch_keys *keys, struct vd_buf *entries,
                             uint64_t *count)
{
	struct vd_revocation v = {.device_count = (uint32_t)r->device_count, .devices = (const uint8_t *)r->devices};

	for (size_t lane = 0; lane < VD_LANES; lane++) {
		v.head_count[lane] = (uint32_t)r->head_count[lane];
		v.heads[lane] = (const uint8_t *)r->heads[lane];
	}
	v.whole = r->person != NULL;
	if (r->person)
		memcpy(v.person, r->person, sizeof(v.person));
	vd_group_suppose(g, &v);
	return part_entries(g, keys, &v, 0, entries, count);
}

static void put_bins(struct vd_buf *out, const void *items, size_t count)
{
	for (size_t i = 0; i < count; i++)
		vd_mp_put_bin(out, vd_slice((const uint8_t *)items + i * VD_KEY_BYTES, VD_KEY_BYTES));
}

int vd_group_make_revoke(struct vd_group *g, const struct vd_removal *r, const struct vd_epoch_keys *keys,
                         const uint8_t nonce[VD_BODY_NONCE_BYTES], struct vd_buf *out)
{
	static const char *const heads[VD_LANES] = {"heads0", "heads1", "heads2", "heads3"};
	static const uint8_t nobody[VD_PERSON_BYTES];
	uint8_t commits[VD_COMMITS_BYTES];
	struct vd_buf reason = {0}, entries = {0}, devices = {0}, accepted[VD_LANES] = {{0}};
	uint64_t entry_count = 0;
	size_t n = 0;
	int rc = check_removal(g, r);

	if (!we_ever_did(g))
		return VD_EAUTHOR;
	if (!rc)
		rc = vd_sealed_name_make(g, r->person ? r->person : nobody, r->reason, nonce, &reason);
	if (!rc)
		rc = remaining_entries(g, r, keys, &entries, &entry_count);
	put_bins(&devices, r->devices, rc ? 0 : r->device_count);
	if (!rc)
		rc = vd_buf_check(&devices);
	for (size_t lane = 0; lane < VD_LANES && !rc; lane++) {
		put_bins(&accepted[lane], r->heads[lane], r->head_count[lane]);
		rc = vd_buf_check(&accepted[lane]);
	}
	if (!rc) {
		struct vd_field fields[10]; /* nine, and seen */

		vd_epoch_commit(keys, commits);
		fields[n++] = bin_field("commits", commits, sizeof(commits));
		fields[n++] = list_field("devices", &devices, r->device_count);
		for (size_t lane = 0; lane < VD_LANES; lane++)
			fields[n++] = list_field(heads[lane], &accepted[lane], r->head_count[lane]);
		fields[n++] = list_field("keys", &entries, entry_count);
		if (r->person)
			fields[n++] = bin_field("person", r->person, VD_PERSON_BYTES);
		fields[n++] = bin_field("reason", reason.p, reason.n);
		rc = put_content(g, "revoke", fields, n, out);
	}
	vd_buf_deinit(&reason);
	vd_buf_deinit(&entries);
	vd_buf_deinit(&devices);
	for (size_t lane = 0; lane < VD_LANES; lane++)
		vd_buf_deinit(&accepted[lane]);
	return rc;
}

int vd_group_make_review(struct vd_group *g, const struct vd_id *about, bool accept, struct vd_buf *out)
{
	struct vd_field fields[3] = {bin_field("about", about->b, sizeof(about->b)), uint_field("verdict", accept)};

	return we_ever_did(g) ? put_content(g, "review", fields, 2, out) : VD_EAUTHOR;
}

int vd_group_make_approve(struct vd_group *g, const struct vd_id *about, struct vd_buf *out)
{
	struct vd_field fields[2] = {bin_field("about", about->b, sizeof(about->b))};

	if (!we_ever_did(g))
		return VD_EAUTHOR;
	if (vd_table_find(&g->by_id, g->records, sizeof(*g->records), about->b) == VD_NOWHERE)
		return VD_ENOTFOUND;
	return put_content(g, "approve", fields, 1, out);
}
