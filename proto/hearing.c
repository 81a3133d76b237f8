#include "hearing.h"

#include <string.h>

#include "err.h"
#include "sign.h"

static const char domain[] = "vereda hearing";

enum { SHUT = 1, MESSAGE_MAX = VD_GROUP_BYTES + VD_HEARING_MAX };

_Static_assert((int)MESSAGE_MAX <= (int)VD_SIGN_MESSAGE_MAX, "it can be signed");

/* What is signed: whose it is, so that it says nothing in another group, and all but the signature. */
static struct vd_slice message_of(const uint8_t group[VD_GROUP_BYTES], struct vd_slice said, uint8_t room[MESSAGE_MAX])
{
	memcpy(room, group, VD_GROUP_BYTES);
	memcpy(room + VD_GROUP_BYTES, said.p, said.n);
	return vd_slice(room, VD_GROUP_BYTES + said.n);
}

int vd_hearing_make(struct vd_group *g, bool shut, struct vd_buf *out)
{
	const struct vd_identity *us = vd_group_identity(g);
	uint8_t room[MESSAGE_MAX], signature[VD_SIGNATURE_BYTES];
	struct vd_id heads[VD_HEARING_HEADS];
	size_t from = out->n, count;
	int rc;

	if (!us)
		return VD_EKEY;
	count = vd_group_heads(g, heads, VD_HEARING_HEADS);
	if (!count)
		return VD_ENOTFOUND;
	vd_buf_put_u8(out, shut ? SHUT : 0);
	vd_buf_put(out, us->author, VD_KEY_BYTES);
	for (size_t i = 0; i < count; i++)
		vd_buf_put(out, heads[i].b, VD_ID_BYTES);
	rc = vd_buf_check(out);
	if (!rc)
		rc = vd_sign(domain, message_of(vd_group_id(g), vd_slice(out->p + from, out->n - from), room), us->author_secret, signature);
	if (rc)
		return rc;
	vd_buf_put(out, signature, sizeof(signature));
	return vd_buf_check(out);
}

int vd_hearing_decode(struct vd_slice bytes, struct vd_hearing *out)
{
	struct vd_rd r = vd_rd(bytes);
	uint8_t flags = vd_rd_u8(&r);

	*out = (struct vd_hearing){ .shut = flags & SHUT };
	vd_rd_copy(&r, out->author, VD_KEY_BYTES);
	if (r.err || flags > SHUT || r.n < VD_SIGNATURE_BYTES || (r.n - VD_SIGNATURE_BYTES) % VD_ID_BYTES)
		return VD_EFORMAT;
	out->count = (r.n - VD_SIGNATURE_BYTES) / VD_ID_BYTES;
	if (out->count < 1 || out->count > VD_HEARING_HEADS)
		return VD_EFORMAT;
	for (size_t i = 0; i < out->count; i++) {
		vd_rd_copy(&r, out->heads[i].b, VD_ID_BYTES);
		if (i && memcmp(out->heads[i - 1].b, out->heads[i].b, VD_ID_BYTES) >= 0)
			return VD_EFORMAT;
	}
	return VD_OK;
}

int vd_hearing_verify(struct vd_group *g, struct vd_slice bytes, struct vd_hearing *out)
{
	uint8_t room[MESSAGE_MAX];
	struct vd_slice said;
	int rc = vd_hearing_decode(bytes, out);

	if (rc)
		return rc;
	if (!vd_group_is_author(g, out->author) || !vd_sign_key_ok(out->author))
		return VD_EAUTHOR;
	said = vd_slice(bytes.p, bytes.n - VD_SIGNATURE_BYTES);
	return vd_sign_verify(domain, message_of(vd_group_id(g), said, room), out->author, bytes.p + said.n);
}

void vd_hearing_shows(struct vd_group *g, const struct vd_hearing *h, bool *known)
{
	/* Nobody's: what its own records show it may have lost since. */
	static const uint8_t nobody[VD_KEY_BYTES];

	vd_group_knows(g, nobody, NULL, 0, h->heads, h->count, known);
}
