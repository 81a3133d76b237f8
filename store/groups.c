/* The groups of a device: its identities, founding and joining. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "inside.h"
#include "judge.h"
#include "proto/err.h"

struct seed {
	uint8_t b[VD_IDENTITY_SEED_BYTES];
};

static int read_seed(struct vd_store *s, const char *use, const uint8_t *group, struct seed *out)
{
	struct vd_slice part = vd_slice(group, VD_GROUP_BYTES);
	struct vd_buf value = { 0 };
	int rc = vd_value_read(s, use, &part, group ? 1 : 0, &value);

	if (!rc && value.n != sizeof(*out))
		rc = VD_EDAMAGED;
	if (!rc)
		memcpy(out, value.p, sizeof(*out));
	vd_buf_wipe(&value);
	return rc;
}

int vd_store_next_identity(struct vd_store *s, struct vd_identity *out)
{
	struct vd_write *w;
	struct seed seed;
	int rc = read_seed(s, "next identity", NULL, &seed);

	if (rc == VD_ENOTFOUND) {
		rc = vd_write_begin(s, &w);
		if (rc)
			return rc;
		rc = read_seed(s, "next identity", NULL, &seed); /* another process may have been quicker */
		if (rc == VD_ENOTFOUND) {
			randombytes_buf(&seed, sizeof(seed));
			vd_effects_value(&w->effects, s, "next identity", NULL, 0, vd_slice(seed.b, sizeof(seed)));
			rc = vd_write_end(w);
		} else {
			vd_write_abort(w);
		}
	}
	if (!rc)
		vd_identity_from_seed(seed.b, out);
	sodium_memzero(&seed, sizeof(seed));
	return rc;
}

int vd_store_groups(struct vd_store *s, uint8_t (*groups)[VD_GROUP_BYTES], size_t *count)
{
	struct vd_membership in[VD_STORE_GROUPS_MAX];
	MDB_txn *txn;
	int rc = vd_db_read(s->db, &txn);

	*count = 0;
	if (rc)
		return rc;
	rc = vd_memberships(s, txn, in, count);
	vd_db_done(s->db, txn);
	for (size_t i = 0; i < *count && !rc; i++)
		memcpy(groups[i], in[i].group, VD_GROUP_BYTES);
	return rc;
}

/* Adds the control records after *after. They stand in the order they came, which need not be the order they
 * depend on each other: what is refused is offered again as long as that helps. */
static int add_control(struct vd_store *s, struct vd_group *group, uint64_t *after)
{
	struct vd_page page = { .last = *after };
	struct vd_batch waiting = { 0 };
	size_t left, before;
	int rc = VD_OK;

	while (!rc && !page.end) {
		rc = vd_page_read(s, vd_group_id(group), VD_LANE_CONTROL, page.last, VD_PAGE_RECORDS, true, &page);
		for (size_t i = 0; i < page.count && !rc; i++) {
			struct vd_record record;

			if (page.entries[i].err || vd_record_decode(vd_page_raw(&page, &page.entries[i]), &record))
				continue; /* spoilt: `check` tells */
			rc = vd_group_add(group, &record);
			if (rc == VD_EAUTHOR)
				rc = vd_batch_add(&waiting, record.raw);
			if (rc != VD_ENOMEM)
				rc = VD_OK;
		}
		if (!rc)
			*after = page.last;
	}
	vd_batch_seal(&waiting);
	left = waiting.count;
	do {
		before = left;
		left = 0;
		for (size_t i = 0; i < before && !rc; i++) {
			rc = vd_group_add(group, &waiting.entries[i].record);
			if (rc == VD_EAUTHOR)
				waiting.entries[left++] = waiting.entries[i];
			if (rc != VD_ENOMEM)
				rc = VD_OK;
		}
	} while (left && left < before && !rc);
	vd_batch_deinit(&waiting);
	vd_page_deinit(&page);
	return rc;
}

int vd_store_group(struct vd_store *s, const uint8_t group[VD_GROUP_BYTES], struct vd_group **out)
{
	struct vd_identity identity;
	struct vd_group *made;
	uint64_t after = 0;
	struct seed seed;
	int rc = read_seed(s, "identity", group, &seed);

	if (rc)
		return rc;
	vd_identity_from_seed(seed.b, &identity);
	made = vd_group_new(group, &identity);
	sodium_memzero(&seed, sizeof(seed));
	vd_identity_wipe(&identity);
	if (!made)
		return VD_ENOMEM;
	rc = add_control(s, made, &after);
	if (rc) {
		vd_group_free(made);
		return rc;
	}
	*out = made;
	return VD_OK;
}

int vd_store_group_refresh(struct vd_store *s, struct vd_group *group, uint64_t *after)
{
	uint64_t latest;
	int rc = vd_store_latest(s, &latest);

	if (rc || latest <= *after)
		return rc;
	rc = add_control(s, group, after);
	if (!rc && *after < latest)
		*after = latest; /* of other lanes */
	return rc;
}

/* --- what devices have heard --- */

int vd_store_heard(struct vd_store *s, const uint8_t group[VD_GROUP_BYTES], const uint8_t device[VD_KEY_BYTES], uint64_t *arrival)
{
	struct vd_slice parts[] = { vd_slice(group, VD_GROUP_BYTES), vd_slice(device, VD_KEY_BYTES) };
	struct vd_buf value = { 0 };
	int rc = vd_value_read(s, "heard", parts, 2, &value);

	if (!rc && value.n != 8)
		rc = VD_EDAMAGED;
	if (!rc)
		*arrival = vd_get_u64(value.p);
	vd_buf_deinit(&value);
	return rc;
}

/* Has it heard as much already? What stands there and cannot be read is written anew. */
static int has_heard(struct vd_store *s, const uint8_t *group, const uint8_t *device, uint64_t arrival, bool *yes)
{
	uint64_t known = 0;
	int rc = vd_store_heard(s, group, device, &known);

	*yes = !rc && known >= arrival;
	return rc == VD_ENOTFOUND || rc == VD_EDAMAGED ? VD_OK : rc;
}

int vd_store_heard_set(struct vd_store *s, const uint8_t group[VD_GROUP_BYTES], const uint8_t device[VD_KEY_BYTES], uint64_t arrival)
{
	struct vd_slice parts[] = { vd_slice(group, VD_GROUP_BYTES), vd_slice(device, VD_KEY_BYTES) };
	uint8_t value[8];
	struct vd_write *w;
	bool has;
	int rc = has_heard(s, group, device, arrival, &has);

	if (rc || has)
		return rc;
	rc = vd_write_begin(s, &w);
	if (rc)
		return rc;
	rc = has_heard(s, group, device, arrival, &has); /* another process may have been quicker */
	if (rc || has) {
		vd_write_abort(w);
		return rc;
	}
	vd_set_u64(value, arrival);
	vd_effects_value(&w->effects, s, "heard", parts, 2, vd_slice(value, sizeof(value)));
	return vd_write_end(w);
}

/* --- founding and joining --- */

int vd_seed_next(struct vd_store *s, uint8_t seed[VD_IDENTITY_SEED_BYTES])
{
	struct seed made;
	int rc = read_seed(s, "next identity", NULL, &made);

	if (rc == VD_ENOTFOUND) {
		randombytes_buf(&made, sizeof(made));
		rc = VD_OK;
	}
	if (!rc)
		memcpy(seed, made.b, sizeof(made));
	sodium_memzero(&made, sizeof(made));
	return rc;
}

int vd_group_keep(struct vd_write *w, const uint8_t group[VD_GROUP_BYTES], const uint8_t salt[VD_SALT_BYTES],
                  const uint8_t seed[VD_IDENTITY_SEED_BYTES])
{
	struct vd_slice part = vd_slice(group, VD_GROUP_BYTES);
	struct vd_membership in[VD_STORE_GROUPS_MAX];
	struct vd_store *s = w->store;
	bool listed = false;
	size_t count;
	MDB_txn *txn;
	int rc = vd_db_read(s->db, &txn);

	if (rc)
		return rc;
	rc = vd_memberships(s, txn, in, &count);
	vd_db_done(s->db, txn);
	if (rc)
		return rc;
	for (size_t i = 0; i < count; i++)
		listed = listed || !memcmp(in[i].group, part.p, VD_GROUP_BYTES);
	if (!listed) {
		if (count == VD_STORE_GROUPS_MAX)
			return VD_ECAP;
		memcpy(in[count].group, part.p, VD_GROUP_BYTES);
		memcpy(in[count].salt, salt, VD_SALT_BYTES);
		vd_effects_value(&w->effects, s, "groups", NULL, 0, vd_slice(in, (count + 1) * sizeof(in[0])));
	}
	vd_effects_value(&w->effects, s, "identity", &part, 1, vd_slice(seed, VD_IDENTITY_SEED_BYTES));
	vd_effects_value(&w->effects, s, "next identity", NULL, 0, vd_slice(NULL, 0));
	return VD_OK;
}

static int write_control(struct vd_write *w, struct vd_group *group, uint64_t now_ms,
                         const struct vd_buf *content, struct vd_id *id)
{
	struct vd_draft draft = { .lane = VD_LANE_CONTROL, .content = vd_buf_slice(content), .now_ms = now_ms };

	return vd_write_own(w, group, &draft, id);
}

static int write_epoch(struct vd_write *w, struct vd_group *group, uint64_t now_ms)
{
	struct vd_buf content = { 0 };
	struct vd_epoch_keys keys;
	struct vd_id id, next;
	int rc = VD_OK;

	randombytes_buf(&keys, sizeof(keys));
	for (size_t part = 0; !rc; part++) {
		vd_buf_reset(&content);
		rc = vd_group_make_epoch(group, &keys, part ? id.b : NULL, part, &content);
		if (!rc)
			rc = write_control(w, group, now_ms, &content, part ? &next : &id);
	}
	sodium_memzero(&keys, sizeof(keys));
	vd_buf_deinit(&content);
	return rc == VD_ENOTFOUND ? VD_OK : rc;
}

/* The founding record, the first epoch, the founder's grant with a name that only members read, and the group's
 * name. */
static int write_founding(struct vd_write *w, struct vd_group *group, const struct vd_identity *identity,
                          const uint8_t salt[VD_SALT_BYTES], const char *group_name, const char *member_name,
                          uint64_t now_ms)
{
	uint8_t person[VD_PERSON_BYTES], nonce[VD_BODY_NONCE_BYTES];
	struct vd_buf content = { 0 };
	struct vd_card card;
	struct vd_id id;
	int rc;

	randombytes_buf(person, sizeof(person));
	rc = vd_group_make_founding(identity, person, salt, &content);
	if (!rc)
		rc = write_control(w, group, now_ms, &content, &id);
	if (!rc)
		rc = write_epoch(w, group, now_ms);
	if (!rc)
		rc = vd_card_create(identity, &card);
	if (!rc) {
		vd_buf_reset(&content);
		randombytes_buf(nonce, sizeof(nonce));
		rc = vd_group_make_grant(group, &card, person, VD_ROLE_COORDINATOR, 0, member_name, nonce, &content);
	}
	if (!rc)
		rc = write_control(w, group, now_ms, &content, &id);
	if (!rc) {
		vd_buf_reset(&content);
		randombytes_buf(nonce, sizeof(nonce));
		rc = vd_group_make_name(group, group_name, nonce, &content);
	}
	if (!rc)
		rc = write_control(w, group, now_ms, &content, &id);
	vd_buf_deinit(&content);
	return rc;
}

int vd_store_found(struct vd_store *s, const char *group_name, const char *member_name, uint64_t now_ms,
                   uint8_t group[VD_GROUP_BYTES])
{
	struct vd_identity identity = { 0 };
	struct vd_group *made = NULL;
	uint8_t salt[VD_SALT_BYTES];
	struct vd_write *w;
	struct seed seed;
	int rc = vd_write_begin(s, &w);

	if (rc)
		return rc;
	rc = vd_seed_next(s, seed.b);
	if (rc)
		goto done;
	vd_identity_from_seed(seed.b, &identity);
	randombytes_buf(salt, sizeof(salt));
	vd_group_make_id(identity.author, salt, group);
	made = vd_group_new(group, &identity);
	rc = made ? write_founding(w, made, &identity, salt, group_name, member_name, now_ms) : VD_ENOMEM;
	if (!rc)
		rc = vd_group_keep(w, group, salt, seed.b);
done:
	if (rc)
		vd_write_abort(w);
	else
		rc = vd_write_end(w);
	vd_group_free(made);
	vd_identity_wipe(&identity);
	sodium_memzero(&seed, sizeof(seed));
	return rc;
}

/* Is that grant in the group, and for this identity? Of several by coordinators apart from each other each has its welcome. */
static bool grants(struct vd_group *group, const struct vd_identity *identity, const uint8_t grant[VD_ID_BYTES])
{
	for (size_t i = vd_group_act_count(group); i-- > 0;) {
		const struct vd_act *act = vd_group_act(group, i);

		if (!memcmp(act->id.b, grant, VD_ID_BYTES))
			return act->kind == VD_ACT_GRANT && act->device && !memcmp(act->device, identity->author, VD_KEY_BYTES);
	}
	return false;
}

/* A device has one identity in a group for good: another would leave it with that one's role, and its own chain behind. What a
 * welcome may bring is a later grant for the same one. */
static int join_again(struct vd_write *w, struct vd_group *group, struct vd_batch *control, const uint8_t grant[VD_ID_BYTES])
{
	struct vd_chain_port port = { w->store, vd_vouched };
	const struct vd_identity *self = vd_group_identity(group);
	struct vd_merge merge = { 0 };
	bool grew;
	int rc;

	if (!self || grants(group, self, grant))
		return VD_EEXISTS;
	rc = vd_chain_verify(control, group, &port, NULL);
	if (!rc && !grants(group, self, grant))
		rc = VD_EEXISTS;
	return rc ? rc : vd_merge_into(w, group, control, false, NULL, &merge, &grew);
}

static int join_first(struct vd_write *w, const uint8_t group[VD_GROUP_BYTES], struct vd_batch *control,
                      const uint8_t grant[VD_ID_BYTES])
{
	struct vd_chain_port port = { w->store, vd_vouched };
	struct vd_identity identity = { 0 };
	struct vd_merge merge = { 0 };
	struct vd_group *made;
	struct seed seed;
	bool grew;
	int rc = read_seed(w->store, "next identity", NULL, &seed);

	if (rc)
		return rc == VD_ENOTFOUND ? VD_EKEY : rc; /* never showed an identity, or it is used up */
	vd_identity_from_seed(seed.b, &identity);
	made = vd_group_new(group, &identity);
	rc = made ? vd_chain_verify(control, made, &port, NULL) : VD_ENOMEM;
	if (!rc && !grants(made, &identity, grant))
		rc = VD_EKEY;
	if (!rc)
		rc = vd_merge_into(w, made, control, false, NULL, &merge, &grew);
	if (!rc)
		rc = vd_group_keep(w, group, vd_group_salt(made), seed.b);
	vd_group_free(made);
	vd_identity_wipe(&identity);
	sodium_memzero(&seed, sizeof(seed));
	return rc;
}

int vd_store_join(struct vd_store *s, const uint8_t group[VD_GROUP_BYTES], struct vd_batch *control,
                  const uint8_t grant[VD_ID_BYTES])
{
	struct vd_group *ours = NULL;
	struct vd_write *w;
	int rc = vd_write_begin(s, &w);

	if (rc)
		return rc;
	rc = vd_store_group(s, group, &ours); /* under the writers' lock: another process may be joining, too */
	if (rc == VD_ENOTFOUND)
		rc = join_first(w, group, control, grant);
	else if (!rc)
		rc = join_again(w, ours, control, grant);
	vd_group_free(ours);
	if (!rc)
		return vd_write_end(w);
	vd_write_abort(w);
	return rc;
}
