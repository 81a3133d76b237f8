#include "declined.h"

#include <string.h>

#include "proto/err.h"
#include "store/shares.h"

static void name_one(struct vd_buf *names, struct vd_group *group, const uint8_t author[VD_KEY_BYTES])
{
	char who[VD_WHO_TEXT];

	vd_who(group, author, who);
	if (names->n)
		vd_buf_put_slice(names, vd_slice_str(", "));
	vd_buf_put_slice(names, vd_slice_str(who));
}

/* Those of `set` that `but` does not name: how many of their records are here, and who they are. An author of several lanes is named once. */
static int gather(struct vd_cli *cli, struct vd_group *group, const struct vd_declined_set *set, const struct vd_declined_set *but,
                  uint64_t *held, struct vd_buf *names)
{
	uint64_t records[VD_LANES];
	int rc = VD_OK;

	for (size_t i = 0; i < set->count && !rc; i++) {
		const struct vd_declined *who = &set->who[i];
		bool named = false;

		if (but && vd_declined_has(but, who->lane, who->author))
			continue;
		rc = vd_shares_held(cli->store, vd_group_id(group), who->author, records);
		if (rc == VD_EDAMAGED) /* `check` tells */
			rc = VD_OK;
		*held += records[who->lane];
		for (size_t j = 0; j < i; j++)
			named = named || (!memcmp(set->who[j].author, who->author, VD_KEY_BYTES) &&
			                  !(but && vd_declined_has(but, set->who[j].lane, set->who[j].author)));
		if (names && !named && records[who->lane])
			name_one(names, group, who->author);
	}
	return rc;
}

void vd_left_out_groups(struct vd_left_out *l, struct vd_cli *cli, uint8_t (*groups)[VD_GROUP_BYTES], size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct vd_declined_set own;
		struct vd_group *group = NULL;
		uint64_t held = 0;

		/* How many they are is known all the same. */
		if (!vd_store_group(cli->store, groups[i], &group) && !vd_shares_declined(cli->store, groups[i], &own))
			(void)!gather(cli, group, &own, NULL, &held, &l->here_of);
		vd_group_free(group);
	}
}

int vd_left_out_session(struct vd_left_out *l, struct vd_cli *cli, struct vd_group *group, const struct vd_sync_result *r)
{
	struct vd_declined_set own;
	uint64_t held = 0, here = r->over_share, there = 0;
	int rc = vd_shares_declined(cli->store, vd_group_id(group), &own);

	if (!rc)
		rc = gather(cli, group, &own, NULL, &held, NULL);
	/* What the last call saw is all of it; what the first ones brought may have been a part. */
	if (!rc && r->stats.theirs_apart > held && r->stats.theirs_apart - held > here)
		here = r->stats.theirs_apart - held;
	if (!rc && here)
		rc = gather(cli, group, &own, NULL, &held, &l->here_of);
	if (!rc)
		rc = gather(cli, group, &r->apart, &own, &there, &l->there_of);
	l->here += here;
	l->there += there;
	return rc;
}

void vd_left_out_deinit(struct vd_left_out *l)
{
	vd_buf_deinit(&l->here_of);
	vd_buf_deinit(&l->there_of);
}

static const char *text_of(struct vd_buf *names)
{
	vd_buf_put_u8(names, 0);
	return names->failed ? "?" : (const char *)names->p;
}

int vd_left_out_say(struct vd_left_out *l, struct vd_cli *cli, const char *target)
{
	int code = VD_EXIT_DONE;

	if (l->there)
		code = vd_refuse(cli, VD_EXIT_PARTLY, "declined", VD_MSG_HINT_DECLINED_THERE, VD_MSG_DECLINED_THERE, target,
		                 vd_num(cli, l->there), text_of(&l->there_of), NULL);
	if (l->here)
		code = vd_refuse(cli, VD_EXIT_PARTLY, "declined", VD_MSG_HINT_DECLINED_HERE, VD_MSG_DECLINED_HERE, target,
		                 vd_num(cli, l->here), text_of(&l->here_of), NULL);
	return code;
}
