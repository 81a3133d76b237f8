#include "declines.h"

#include <string.h>

#include "proto/err.h"
#include "shares.h"

static const char note_use[] = "declines";

static void declines_key(const uint8_t *group, const uint8_t *device, uint8_t key[VD_GROUP_BYTES + VD_KEY_BYTES])
{
	memcpy(key, group, VD_GROUP_BYTES);
	memcpy(key + VD_GROUP_BYTES, device, VD_KEY_BYTES);
}

int vd_declines_of(struct vd_store *store, const uint8_t group[VD_GROUP_BYTES], const uint8_t device[VD_KEY_BYTES], struct vd_declined_set *out,
                   uint64_t *noted_ms)
{
	uint8_t key[VD_GROUP_BYTES + VD_KEY_BYTES];
	struct vd_buf note = { 0 };
	struct vd_rd r;
	int rc;

	*out = (struct vd_declined_set){ 0 };
	declines_key(group, device, key);
	rc = vd_store_note(store, note_use, vd_slice(key, sizeof key), &note);
	if (!rc) {
		r = vd_rd(vd_buf_slice(&note));
		*noted_ms = vd_rd_u64(&r);
		rc = vd_declined_decode(&r, out) || vd_rd_end(&r) ? VD_EDAMAGED : VD_OK;
	}
	vd_buf_deinit(&note);
	return rc;
}

static bool same_set(const struct vd_declined_set *a, const struct vd_declined_set *b)
{
	bool same = a->count == b->count;

	for (size_t i = 0; same && i < a->count; i++)
		same = vd_declined_has(b, a->who[i].lane, a->who[i].author);
	return same;
}

int vd_declines_note(struct vd_store *store, const uint8_t group[VD_GROUP_BYTES], const uint8_t device[VD_KEY_BYTES], const struct vd_declined_set *apart,
                     uint64_t now_ms)
{
	uint8_t key[VD_GROUP_BYTES + VD_KEY_BYTES];
	struct vd_declined_set own, noted, theirs = { 0 };
	struct vd_buf value = { 0 };
	struct vd_write *w;
	uint64_t noted_ms;
	int rc = vd_shares_declined(store, group, &own);

	if (rc)
		return rc;
	for (size_t i = 0; i < apart->count && theirs.count < VD_DECLINED_MAX; i++)
		if (!vd_declined_has(&own, apart->who[i].lane, apart->who[i].author))
			vd_declined_add(&theirs, apart->who[i].lane, apart->who[i].author);
	rc = vd_declines_of(store, group, device, &noted, &noted_ms);
	if (rc && rc != VD_ENOTFOUND && rc != VD_EDAMAGED)
		return rc;
	if (rc != VD_EDAMAGED && same_set(&noted, &theirs))
		return VD_OK;
	declines_key(group, device, key);
	vd_buf_put_u64(&value, now_ms);
	vd_declined_encode(&theirs, &value);
	rc = vd_buf_check(&value);
	if (!rc)
		rc = vd_write_begin(store, &w);
	if (!rc) {
		rc = vd_write_note(w, note_use, vd_slice(key, sizeof key), theirs.count ? vd_buf_slice(&value) : vd_slice(NULL, 0));
		if (rc)
			vd_write_abort(w);
		else
			rc = vd_write_commit(w);
	}
	vd_buf_deinit(&value);
	return rc;
}
