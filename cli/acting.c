/* Before and after an act of a coordinator: who may, what speaks against it, and what a device does unasked. */
#include <string.h>

#include "admin.h"
#include "proto/err.h"
#include "store/acts.h"
#include "store/tend.h"
#include "times.h"

int vd_cli_coordinator(struct vd_cli *cli, struct vd_group *group, bool ever)
{
	const struct vd_device *self = vd_group_find(group, vd_group_identity(group)->author);

	if (vd_group_role(group) == VD_ROLE_COORDINATOR)
		return 0;
	if (ever && self && self->coordinator_ever) {
		vd_note(cli, VD_MSG_NO_COORDINATOR_NOW, NULL);
		return 0;
	}
	return vd_refuse(cli, VD_EXIT_FAILED, "not-entitled", VD_MSG_HINT_NOT_COORDINATOR, VD_MSG_NOT_COORDINATOR, NULL);
}

int vd_cli_brake(struct vd_cli *cli, struct vd_group *group)
{
	if (cli->opt.yes || !vd_act_braked(cli->store, group))
		return 0;
	return vd_refuse(cli, VD_EXIT_DECIDE, "braked", VD_MSG_HINT_BRAKED, VD_MSG_BRAKED, NULL);
}

/* Appends a sentence to a line of them. */
static void also(struct vd_cli *cli, struct vd_buf *line, enum vd_msg msg, uint64_t n)
{
	const char *const args[] = { vd_num(cli, n), NULL };

	if (line->n)
		vd_buf_put_u8(line, ' ');
	vd_text_format(cli->lang, msg, args, true, line);
}

static void say_tended(struct vd_cli *cli, const struct vd_tended *t)
{
	struct vd_buf line = { 0 };

	if (t->epoch_made)
		also(cli, &line, VD_MSG_TENDED_EPOCH, 0);
	if (t->sealed_to)
		also(cli, &line, VD_MSG_TENDED_SEALED, t->sealed_to);
	if (t->handed)
		also(cli, &line, VD_MSG_TENDED_HANDED, t->handed);
	if (t->redacted)
		also(cli, &line, VD_MSG_TENDED_REDACTED, t->redacted);
	if (t->expired)
		also(cli, &line, VD_MSG_TENDED_EXPIRED, t->expired);
	if (t->pruned)
		also(cli, &line, VD_MSG_TENDED_PRUNED, t->pruned);
	if (t->wanted)
		also(cli, &line, VD_MSG_TENDED_WANTED, t->wanted);
	if (t->braked)
		also(cli, &line, VD_MSG_TENDED_BRAKED, 0);
	if (line.n) {
		vd_buf_put_u8(&line, 0);
		if (!line.failed)
			vd_note(cli, VD_MSG_TENDED, (const char *)line.p, NULL);
	}
	vd_buf_deinit(&line);
}

static void tend_group(struct vd_cli *cli, struct vd_group *group, bool keys_follow)
{
	struct vd_tended tended = { 0 };
	int rc = vd_store_tend(cli->store, group, vd_time_now_ms(), &tended);

	tended.braked = tended.braked && !keys_follow;
	say_tended(cli, &tended);
	if (rc)
		vd_note(cli, VD_MSG_TEND_FAILED, vd_err_name(rc), NULL);
}

void vd_cli_tend_group(struct vd_cli *cli, struct vd_group *group)
{
	tend_group(cli, group, false);
}

void vd_cli_tend_before_keys(struct vd_cli *cli, struct vd_group *group)
{
	tend_group(cli, group, true);
}

void vd_cli_tend_loaded(struct vd_cli *cli, const struct vd_bundle_groups *groups, int rc)
{
	struct vd_tended tended = { 0 };

	for (size_t i = 0; !rc && i < groups->count; i++)
		rc = vd_store_tend_quick(cli->store, groups->group[i], vd_time_now_ms(), &tended);
	say_tended(cli, &tended);
	if (rc)
		vd_note(cli, VD_MSG_TEND_FAILED, vd_err_name(rc), NULL);
}

void vd_cli_tend(struct vd_cli *cli)
{
	struct vd_bundle_groups groups;
	int rc = vd_bundle_groups_load(cli->store, &groups);

	vd_cli_tend_loaded(cli, &groups, rc);
	vd_bundle_groups_free(&groups);
}

void vd_cli_make_room(struct vd_cli *cli)
{
	if (!vd_store_has_room(cli->store))
		vd_cli_tend(cli);
}

void vd_cli_tend_due(struct vd_cli *cli)
{
	struct vd_tended tended = { 0 };
	int rc = vd_store_tend_redacted(cli->store, vd_time_now_ms(), &tended);

	say_tended(cli, &tended);
	if (rc)
		vd_note(cli, VD_MSG_TEND_FAILED, vd_err_name(rc), NULL);
}
