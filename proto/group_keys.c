/* The group's keys at work: sealed to devices in epochs, and used on names and bodies. */
#include "group_priv.h"

#include <sodium.h>
#include <string.h>

#include "err.h"

_Static_assert(VD_SEALED_BOX_BYTES == crypto_box_SEALBYTES + VD_EPOCH_PLAIN_BYTES, "a sealed box");

void vd_epoch_commit(const struct vd_epoch_keys *keys, uint8_t out[VD_COMMITS_BYTES])
{
	for (size_t i = 0; i < VD_EPOCH_KEYS; i++)
		vd_hash1(VD_HASH_EPOCH_COMMIT, out + i * VD_HASH_BYTES, vd_slice(keys->key[i], VD_KEY_BYTES));
}

/* ---- epoch keys to devices ---- */

uint8_t vd_epoch_mask(enum vd_role role)
{
	switch (role) {
	case VD_ROLE_COORDINATOR:
	case VD_ROLE_MEMBER: return 1u << VD_KEY_LINK | 1u << VD_KEY_EVERYONE | 1u << VD_KEY_MEMBERS;
	case VD_ROLE_REPORTER: return 1u << VD_KEY_LINK | 1u << VD_KEY_EVERYONE;
	case VD_ROLE_COURIER: return 1u << VD_KEY_LINK;
	case VD_ROLE_NONE: break;
	}
	return 0;
}

/* An ephemeral key that only those who know the members key could derive. What it is derived from settles the plaintext, so one never
 * seals two. */
static int ephemeral(const struct vd_epoch_keys *keys, const struct vd_device *d, uint8_t secret[crypto_box_SECRETKEYBYTES],
                     uint8_t public[crypto_box_PUBLICKEYBYTES])
{
	uint8_t commits[VD_COMMITS_BYTES] = {0}, mask = vd_epoch_mask(d->role);
	struct vd_slice parts[] = {vd_slice(commits, sizeof(commits)), vd_slice(d->author, sizeof(d->author)),
	                           vd_slice(d->box, sizeof(d->box)), vd_slice(&mask, 1)};

	vd_epoch_commit(keys, commits);
	vd_hash(VD_HASH_EPOCH_COMMIT, vd_slice(keys->key[VD_KEY_MEMBERS], VD_KEY_BYTES), secret, crypto_box_SECRETKEYBYTES, parts, 4);
	return crypto_scalarmult_base(public, secret) ? VD_EINVAL : 0;
}

bool vd_epoch_entry_is(const struct vd_epoch_keys *keys, const struct vd_device *d, const struct vd_sealed *entry)
{
	uint8_t secret[crypto_box_SECRETKEYBYTES], public[crypto_box_PUBLICKEYBYTES];
	int rc = ephemeral(keys, d, secret, public);

	sodium_memzero(secret, sizeof(secret));
	return !rc && memcmp(entry->author, d->author, sizeof(entry->author)) == 0 && memcmp(entry->begin, public, sizeof(entry->begin)) == 0;
}

/* crypto_box_seal() with that key. */
static int seal_box(const uint8_t plain[VD_EPOCH_PLAIN_BYTES], const struct vd_epoch_keys *keys, const struct vd_device *d,
                    uint8_t out[VD_SEALED_BOX_BYTES])
{
	uint8_t secret[crypto_box_SECRETKEYBYTES], nonce[crypto_box_NONCEBYTES];
	uint8_t ends[2 * crypto_box_PUBLICKEYBYTES];
	int rc = ephemeral(keys, d, secret, out);

	memcpy(ends, out, crypto_box_PUBLICKEYBYTES);
	memcpy(ends + crypto_box_PUBLICKEYBYTES, d->box, sizeof(d->box));
	crypto_generichash(nonce, sizeof(nonce), ends, sizeof(ends), NULL, 0);
	if (!rc && crypto_box_easy(out + crypto_box_PUBLICKEYBYTES, plain, VD_EPOCH_PLAIN_BYTES, nonce, d->box, secret))
		rc = VD_EINVAL;
	sodium_memzero(secret, sizeof(secret));
	return rc;
}

int vd_epoch_entry(const struct vd_epoch_keys *keys, const struct vd_device *d, uint8_t out[VD_EPOCH_ENTRY_BYTES])
{
	uint8_t plain[VD_EPOCH_PLAIN_BYTES] = {vd_epoch_mask(d->role)};
	int rc;

	for (size_t i = 0; i < VD_EPOCH_KEYS; i++)
		if (plain[0] & (1u << i))
			memcpy(plain + 1 + i * VD_KEY_BYTES, keys->key[i], VD_KEY_BYTES);
	memcpy(out, d->author, VD_KEY_BYTES);
	rc = seal_box(plain, keys, d, out + VD_KEY_BYTES);
	sodium_memzero(plain, sizeof(plain));
	return rc;
}

static void open_entry(struct vd_epoch_part *e, const uint8_t *box, const struct vd_identity *us)
{
	uint8_t plain[VD_EPOCH_PLAIN_BYTES], commit[VD_HASH_BYTES];

	if (crypto_box_seal_open(plain, box, VD_SEALED_BOX_BYTES, us->box, us->box_secret))
		return;
	for (size_t i = 0; i < VD_EPOCH_KEYS; i++) {
		const uint8_t *key = plain + 1 + i * VD_KEY_BYTES;

		vd_hash1(VD_HASH_EPOCH_COMMIT, commit, vd_slice(key, VD_KEY_BYTES));
		if (!(plain[0] & (1u << i)) || memcmp(commit, e->commits + i * VD_HASH_BYTES, sizeof(commit)) != 0)
			continue;
		memcpy(e->keys.key[i], key, VD_KEY_BYTES);
		e->mask |= (uint8_t)(1u << i);
	}
	sodium_memzero(plain, sizeof(plain));
}

void vd_epoch_part_open(struct vd_epoch_part *e, const struct vd_value *keys, const struct vd_identity *us)
{
	struct vd_rd r = vd_value_items(keys);
	struct vd_value item;

	while (vd_value_next(&r, &item))
		if (memcmp(item.bytes.p, us->author, VD_KEY_BYTES) == 0)
			open_entry(e, item.bytes.p + VD_KEY_BYTES, us);
}

/* ---- names ---- */

static void name_ad(const struct vd_group *g, const uint8_t *person, struct vd_buf *out)
{
	vd_buf_put(out, "vereda name", 11);
	if (person)
		vd_buf_put(out, person, VD_PERSON_BYTES);
	else
		vd_buf_put(out, g->id, sizeof(g->id));
}

static bool name_ok(struct vd_slice name)
{
	return name.n && name.n <= VD_NAME_MAX && !memchr(name.p, 0, name.n) && vd_utf8_ok(name);
}

int vd_sealed_name_open(struct vd_group *g, const uint8_t *person, struct vd_slice sealed, char out[VD_NAME_MAX + 1])
{
	struct vd_buf ad = {0}, name = {0};
	struct vd_body_prefix prefix;
	const uint8_t *key = NULL;
	int rc;

	out[0] = 0;
	if (!vd_body_peek(sealed, &prefix))
		key = vd_group_key(g, prefix.epoch, VD_KEY_MEMBERS);
	if (!key)
		return VD_OK;
	name_ad(g, person, &ad);
	rc = vd_buf_check(&ad);
	if (!rc)
		rc = vd_body_open(sealed, key, vd_buf_slice(&ad), &name);
	if (!rc && name_ok(vd_buf_slice(&name))) {
		memcpy(out, name.p, name.n);
		out[name.n] = 0;
	}
	vd_buf_deinit(&ad);
	vd_buf_wipe(&name);
	return rc == VD_ENOMEM ? rc : VD_OK;
}

int vd_sealed_name_make(struct vd_group *g, const uint8_t *person, const char *name,
                        const uint8_t nonce[VD_BODY_NONCE_BYTES], struct vd_buf *out)
{
	const uint8_t *epoch = vd_group_epoch_id(g, 0);
	const uint8_t *key = epoch ? vd_group_key(g, epoch, VD_KEY_MEMBERS) : NULL;
	struct vd_buf ad = {0};
	int rc;

	if (!name_ok(vd_slice_str(name)))
		return VD_EINVAL;
	if (!key)
		return VD_EKEY;
	name_ad(g, person, &ad);
	rc = vd_buf_check(&ad);
	if (!rc)
		rc = vd_body_seal(VD_AUDIENCE_MEMBERS, epoch, key, nonce, vd_buf_slice(&ad), vd_slice_str(name), out);
	vd_buf_deinit(&ad);
	return rc;
}

/* ---- bodies ---- */

static const uint8_t *audience_key(struct vd_group *g, const uint8_t epoch[VD_EPOCH_BYTES], enum vd_audience audience)
{
	switch (audience) {
	case VD_AUDIENCE_EVERYONE: return vd_group_key(g, epoch, VD_KEY_EVERYONE);
	case VD_AUDIENCE_MEMBERS: return vd_group_key(g, epoch, VD_KEY_MEMBERS);
	case VD_AUDIENCE_NAMED: break;
	}
	return NULL;
}

static const struct vd_device *our_device(struct vd_group *g)
{
	return g->has_identity ? vd_group_find(g, g->identity.author) : NULL;
}

/* PROTOCOL.md section 6, "Entitled": may `writer` say something to that audience so that `reader` reads it? NULL: a device that no
 * grant tells of. `now`: to who is a focal point now; else to who ever was one. */
static bool entitled(const struct vd_device *writer, enum vd_audience audience, const struct vd_device *reader, bool now)
{
	switch (writer ? writer->most : VD_ROLE_NONE) {
	case VD_ROLE_NONE: /* its records are in quarantine, and may be reviewed */
	case VD_ROLE_COORDINATOR:
	case VD_ROLE_MEMBER: return true;
	case VD_ROLE_REPORTER:
		return audience == VD_AUDIENCE_NAMED && reader &&
		       ((now ? reader->focal : reader->confidant) || memcmp(reader->person, writer->person, VD_PERSON_BYTES) == 0);
	case VD_ROLE_COURIER: break;
	}
	return false;
}

static int open_envelope(struct vd_group *g, const struct vd_body_prefix *prefix, const struct vd_record *r, struct vd_buf *out)
{
	const uint8_t *key = audience_key(g, prefix->epoch, prefix->audience);
	bool named = prefix->audience == VD_AUDIENCE_NAMED;
	const struct vd_device *we = our_device(g);
	struct vd_buf ad = {0};
	int rc;

	if (we && we->most == VD_ROLE_COURIER)
		return VD_EKEY; /* whatever somebody sealed to it */
	if (named ? !g->has_identity : !key)
		return named ? VD_ESEALED : VD_EKEY;
	vd_record_ad_of(r, &ad);
	rc = vd_buf_check(&ad);
	if (!rc && named)
		rc = vd_body_open_named(r->body, g->identity.box, g->identity.box_secret, vd_buf_slice(&ad), out);
	else if (!rc)
		rc = vd_body_open(r->body, key, vd_buf_slice(&ad), out);
	vd_buf_deinit(&ad);
	return rc;
}

int vd_group_open_body(struct vd_group *g, const struct vd_record *r, struct vd_buf *out)
{
	struct vd_body_prefix prefix;
	size_t start = out->n;
	int rc;

	if (memcmp(r->group, g->id, sizeof(g->id)) != 0)
		return VD_EGROUP;
	if (r->version != VD_VERSION)
		return VD_EVERSION;
	if (r->stub)
		return VD_ENOTFOUND;
	if (r->lane == VD_LANE_CONTROL) {
		vd_buf_put_slice(out, r->body);
		return vd_buf_check(out);
	}
	rc = vd_body_peek(r->body, &prefix);
	if (!rc)
		rc = open_envelope(g, &prefix, r, out);
	if (rc || entitled(vd_group_find(g, r->author), prefix.audience, our_device(g), false))
		return rc;
	if (out->n > start)
		sodium_memzero(out->p + start, out->n - start);
	out->n = start;
	return VD_EAUTHOR;
}

int vd_group_seal_body(struct vd_group *g, const struct vd_record_fields *f, enum vd_audience audience,
                       const uint8_t nonce[VD_BODY_NONCE_BYTES], struct vd_slice content, struct vd_buf *out)
{
	const uint8_t *epoch = vd_group_epoch_id(g, 0);
	const uint8_t *key = epoch ? audience_key(g, epoch, audience) : NULL;
	struct vd_buf ad = {0};
	int rc;

	if (!entitled(our_device(g), audience, NULL, true))
		return VD_EAUTHOR;
	if (!key)
		return VD_EKEY;
	vd_record_ad(f, &ad);
	rc = vd_buf_check(&ad);
	if (!rc)
		rc = vd_body_seal(audience, epoch, key, nonce, vd_buf_slice(&ad), content, out);
	vd_buf_deinit(&ad);
	return rc;
}

int vd_group_seal_named(struct vd_group *g, const struct vd_record_fields *f, const uint8_t (*devices)[VD_KEY_BYTES], size_t count,
                        const uint8_t nonce[VD_BODY_NONCE_BYTES], const uint8_t seed[VD_BODY_SEED_BYTES], struct vd_slice content,
                        struct vd_buf *out)
{
	uint8_t boxes[VD_NAMED_SLOTS][VD_KEY_BYTES];
	const uint8_t *epoch = vd_group_epoch_id(g, 0);
	struct vd_buf ad = {0};
	int rc;

	if (count == 0 || count > VD_NAMED_SLOTS)
		return VD_EINVAL;
	if (!epoch)
		return VD_EKEY;
	for (size_t i = 0; i < count; i++) {
		const struct vd_device *d = vd_group_find(g, devices[i]);

		if (!d || d->role == VD_ROLE_NONE || d->role == VD_ROLE_COURIER)
			return VD_ENOTFOUND;
		if (!entitled(our_device(g), VD_AUDIENCE_NAMED, d, true))
			return VD_EAUTHOR;
		memcpy(boxes[i], d->box, VD_KEY_BYTES);
	}
	vd_record_ad(f, &ad);
	rc = vd_buf_check(&ad);
	if (!rc)
		rc = vd_body_seal_named(epoch, (const uint8_t (*)[VD_KEY_BYTES])boxes, count, nonce, seed, vd_buf_slice(&ad), content, out);
	vd_buf_deinit(&ad);
	return rc;
}
