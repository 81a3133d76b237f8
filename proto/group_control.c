/* Reading control records: is it one, and is it complete and right? */
#include "group_priv.h"

#include <string.h>

#include "err.h"

static const char *const kind_names[] = {
	[VD_CONTROL_GROUP] = "group",   [VD_CONTROL_GRANT] = "grant",   [VD_CONTROL_EPOCH] = "epoch",
	[VD_CONTROL_REVOKE] = "revoke", [VD_CONTROL_REVIEW] = "review", [VD_CONTROL_APPROVE] = "approve",
};

static const uint8_t *get_bin(const struct vd_content *c, const char *name, size_t n)
{
	const struct vd_value *v = vd_content_get(c, name, VD_MP_BIN, n);

	return v ? v->bytes.p : NULL;
}

static bool get_uint(const struct vd_content *c, const char *name, uint64_t max, uint64_t *out)
{
	const struct vd_value *v = vd_content_get(c, name, VD_MP_UINT, 0);

	if (!v || v->number > max)
		return false;
	*out = v->number;
	return true;
}

/* An array of at most `max` bins of n bytes each. */
static bool get_bins(const struct vd_content *c, const char *name, uint64_t max, size_t n, struct vd_value *out)
{
	const struct vd_value *v = vd_content_get(c, name, VD_MP_ARRAY, 0);
	struct vd_value item;
	struct vd_rd r;

	if (!v || v->number > max)
		return false;
	r = vd_value_items(v);
	while (vd_value_next(&r, &item))
		if (item.type != VD_MP_BIN || item.bytes.n != n)
			return false;
	*out = *v;
	return true;
}

static bool read_seen(const struct vd_content *c, struct vd_control *out)
{
	struct vd_value seen, item, last = {0};
	struct vd_rd r;

	if (!get_bins(c, "seen", VD_LIST_MAX, VD_ID_BYTES, &seen))
		return false;
	r = vd_value_items(&seen);
	while (vd_value_next(&r, &item)) {
		if (last.bytes.n && vd_slice_cmp(last.bytes, item.bytes) >= 0)
			return false;
		last = item;
	}
	out->seen = seen;
	return true;
}

static bool read_name(const struct vd_content *c, const char *field, struct vd_control *out)
{
	const struct vd_value *v = vd_content_get(c, field, VD_MP_BIN, 0);
	struct vd_body_prefix prefix;

	if (!v || v->bytes.n > VD_SEALED_NAME_MAX || vd_body_peek(v->bytes, &prefix) || prefix.audience != VD_AUDIENCE_MEMBERS)
		return false;
	out->name = v->bytes;
	return true;
}

static bool read_group(const struct vd_record *r, const struct vd_content *c, struct vd_control *out)
{
	uint8_t id[VD_GROUP_BYTES];

	if (!vd_content_find(c, "salt"))
		return read_name(c, "name", out);
	out->salt = get_bin(c, "salt", VD_SALT_BYTES);
	if (!out->salt)
		return false;
	vd_group_make_id(r->author, out->salt, id);
	out->founding = memcmp(id, r->group, sizeof(id)) == 0;
	out->device = r->author;
	out->role = VD_ROLE_COORDINATOR;
	out->box = get_bin(c, "box", VD_KEY_BYTES);
	out->person = get_bin(c, "person", VD_PERSON_BYTES);
	return out->founding && out->box && out->person;
}

static bool read_grant(const struct vd_content *c, struct vd_control *out)
{
	uint64_t role, flags;

	if (!get_uint(c, "role", VD_ROLE_COURIER, &role) || role == VD_ROLE_NONE || !get_uint(c, "flags", UINT32_MAX, &flags))
		return false;
	out->role = (enum vd_role)role;
	out->flags = (uint32_t)flags;
	out->box = get_bin(c, "box", VD_KEY_BYTES);
	out->device = get_bin(c, "device", VD_KEY_BYTES);
	out->person = get_bin(c, "person", VD_PERSON_BYTES);
	out->proof = get_bin(c, "proof", VD_SIGNATURE_BYTES);
	return read_name(c, "name", out) && out->box && out->device && out->person && out->proof;
}

static bool read_keys(const struct vd_content *c, struct vd_control *out)
{
	out->commits = get_bin(c, "commits", VD_COMMITS_BYTES);
	return out->commits && get_bins(c, "keys", VD_EPOCH_DEVICES, VD_EPOCH_ENTRY_BYTES, &out->keys);
}

static bool read_epoch(const struct vd_content *c, struct vd_control *out)
{
	if (vd_content_find(c, "of")) {
		out->of = get_bin(c, "of", VD_EPOCH_BYTES);
		if (!out->of)
			return false;
	}
	return read_keys(c, out);
}

static bool read_revoke(const struct vd_content *c, struct vd_control *out)
{
	static const char *const heads[VD_LANES] = {"heads0", "heads1", "heads2", "heads3"};

	if (vd_content_find(c, "person")) {
		out->person = get_bin(c, "person", VD_PERSON_BYTES);
		if (!out->person)
			return false;
	}
	for (size_t lane = 0; lane < VD_LANES; lane++)
		if (!get_bins(c, heads[lane], VD_LIST_MAX, VD_ID_BYTES, &out->heads[lane]))
			return false;
	return read_keys(c, out) && get_bins(c, "devices", VD_LIST_MAX, VD_KEY_BYTES, &out->devices) && read_name(c, "reason", out);
}

static bool read_about(const struct vd_content *c, struct vd_control *out)
{
	uint64_t verdict = 0;

	out->about = get_bin(c, "about", VD_ID_BYTES);
	if (out->kind == VD_CONTROL_REVIEW && !get_uint(c, "verdict", 1, &verdict))
		return false;
	out->accept = verdict == 1;
	return out->about != NULL;
}

static bool read_fields(const struct vd_record *r, const struct vd_content *c, struct vd_control *out)
{
	switch (out->kind) {
	case VD_CONTROL_GROUP: return read_group(r, c, out);
	case VD_CONTROL_GRANT: return read_grant(c, out);
	case VD_CONTROL_EPOCH: return read_epoch(c, out);
	case VD_CONTROL_REVOKE: return read_revoke(c, out);
	case VD_CONTROL_REVIEW:
	case VD_CONTROL_APPROVE: return read_about(c, out);
	case VD_CONTROL_NEWER: break;
	}
	return false;
}

static bool find_kind(struct vd_slice name, enum vd_control_kind *out)
{
	for (size_t i = 0; i < sizeof(kind_names) / sizeof(kind_names[0]); i++)
		if (vd_slice_eq(name, vd_slice_str(kind_names[i]))) {
			*out = (enum vd_control_kind)i;
			return true;
		}
	return false;
}

bool vd_group_is_grant_for(const struct vd_record *r, const uint8_t device[VD_KEY_BYTES])
{
	struct vd_control control;

	return !vd_control_decode(r, &control) && control.good && control.kind == VD_CONTROL_GRANT &&
	       !memcmp(control.device, device, VD_KEY_BYTES);
}

int vd_control_decode(const struct vd_record *r, struct vd_control *out)
{
	struct vd_content c;
	bool seen, fields;

	memset(out, 0, sizeof(*out));
	if (r->lane != VD_LANE_CONTROL || r->stub)
		return VD_EFORMAT;
	if (r->version != VD_VERSION) {
		out->kind = VD_CONTROL_NEWER;
		return 0;
	}
	if (vd_content_decode(r->body, &c) || !find_kind(c.kind, &out->kind))
		return VD_EFORMAT;
	seen = read_seen(&c, out);
	fields = read_fields(r, &c, out);
	out->good = seen && fields;
	return 0;
}
