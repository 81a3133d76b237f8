/* To whom a record of ours went by name: nothing in it tells, not even to who wrote it. */
#include <string.h>

#include "named.h"
#include "proto/body.h"
#include "proto/err.h"

static const char note_use[] = "named";

static struct vd_slice key_of(const struct vd_id *id)
{
	return vd_slice(id->b, VD_ID_BYTES);
}

int vd_named_keep(struct vd_write *w, const struct vd_identity *self, const struct vd_draft *draft, const struct vd_id *id)
{
	if (draft->lane == VD_LANE_CONTROL || draft->audience != VD_AUDIENCE_NAMED || draft->part)
		return VD_OK;
	for (size_t i = 0; i < draft->device_count; i++)
		if (memcmp(draft->devices[i], self->author, VD_KEY_BYTES) == 0)
			return vd_write_note(w, note_use, key_of(id), vd_slice(draft->devices, draft->device_count * VD_KEY_BYTES));
	return VD_OK;
}

int vd_named_forget(struct vd_write *w, const struct vd_record *record)
{
	struct vd_body_prefix prefix;

	if (record->stub || record->lane == VD_LANE_CONTROL || vd_body_peek(record->body, &prefix) || prefix.audience != VD_AUDIENCE_NAMED)
		return VD_OK;
	return vd_write_note(w, note_use, key_of(&record->id), vd_slice(NULL, 0));
}

int vd_store_named(struct vd_store *s, const struct vd_id *id, uint8_t (*devices)[VD_KEY_BYTES], size_t *count)
{
	struct vd_buf value = { 0 };
	int rc = vd_store_note(s, note_use, key_of(id), &value);

	*count = 0;
	if (!rc && (value.n % VD_KEY_BYTES || value.n > VD_NAMED_SLOTS * VD_KEY_BYTES))
		rc = VD_EDAMAGED;
	if (!rc) {
		memcpy(devices, value.p, value.n);
		*count = value.n / VD_KEY_BYTES;
	}
	vd_buf_deinit(&value);
	return rc;
}
