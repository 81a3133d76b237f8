/* show: one record whole, with its history and answers, and why it is not shown where others are. */
#include <stdlib.h>
#include <string.h>

#include "admin.h"
#include "attach.h"
#include "labels.h"
#include "proto/err.h"
#include "store/attached.h"
#include "times.h"

struct kept {
	uint64_t arrival;
	struct vd_id id;
};

/* A record that is shown, and those found on the way. */
struct shown {
	struct vd_cli *cli;
	struct vd_id id;            /* the one asked for */
	json_t *whole;
	struct kept *kept;          /* its history or answers */
	size_t count, capacity;
};

static int keep_found(void *ctx, const struct vd_found *f)
{
	struct shown *s = ctx;

	if (!vd_room(&s->kept, s->count, &s->capacity, 16, sizeof(*s->kept)))
		return VD_ENOMEM;
	s->kept[s->count++] = (struct kept){ f->arrival, f->record->id };
	return 0;
}

/* --- why a record stands aside --- */

/* Who did it, when and why. */
struct aside {
	struct vd_id id;            /* the redaction, or the removal of its author */
	uint8_t author[VD_KEY_BYTES];
	uint64_t time_ms;
	struct vd_buf reason;       /* with its NUL; "" where nothing can be read */
	bool found;
};

static int take_redaction(void *ctx, const struct vd_found *f)
{
	const struct vd_value *text = f->body ? NULL : vd_content_get(f->content, "text", VD_MP_STR, 0);
	struct aside *a = ctx;

	a->found = true;
	a->id = f->record->id;
	a->time_ms = f->record->time_ms;
	memcpy(a->author, f->record->author, VD_KEY_BYTES);
	if (text)
		vd_buf_put_slice(&a->reason, text->bytes);
	return 0;
}

static void find_removal(struct vd_group *group, const uint8_t author[VD_KEY_BYTES], struct aside *a)
{
	const struct vd_device *d = vd_group_find(group, author);
	char reason[VD_NAME_MAX + 1];

	for (size_t i = 0; d && d->removed && i < vd_group_act_count(group); i++) {
		const struct vd_act *act = vd_group_act(group, i);

		if (memcmp(act->id.b, d->revoke.b, VD_ID_BYTES) != 0)
			continue;
		a->found = true;
		a->id = act->id;
		a->time_ms = act->time_ms;
		memcpy(a->author, act->author, VD_KEY_BYTES);
		vd_group_act_reason(group, i, reason);
		vd_buf_put_slice(&a->reason, vd_slice_str(reason));
	}
}

static void find_aside(struct vd_cli *cli, const struct vd_found *f, struct aside *a)
{
	uint64_t arrival;

	memset(a, 0, sizeof *a);
	if (f->standing == VD_STANDING_REDACTED && vd_store_find(cli->store, &f->redaction, &arrival) == 0 &&
	    vd_query_one(cli->store, arrival, take_redaction, a))
		a->found = false;
	if (f->standing == VD_STANDING_QUARANTINED)
		find_removal(f->group, f->record->author, a);
	vd_buf_put_u8(&a->reason, 0);
	if (a->reason.failed)
		a->found = false;
}

static json_t *aside_json(struct vd_cli *cli, const struct vd_found *f)
{
	const struct vd_device *by;
	struct aside a;
	json_t *out = NULL;

	find_aside(cli, f, &a);
	by = vd_group_find(f->group, a.author);
	if (a.found)
		out = json_pack("{s:o,s:o,s:s,s:o,s:o}", "id", vd_json_hex(a.id.b, VD_ID_BYTES), "author",
		                vd_json_hex(a.author, VD_KEY_BYTES), "author_name", by ? by->name : "", "time", vd_json_time(a.time_ms),
		                "reason", vd_json_text(vd_slice(a.reason.p, a.reason.n - 1)));
	vd_buf_deinit(&a.reason);
	return out ? out : json_null();
}

static void say_aside(struct vd_cli *cli, const struct vd_found *f)
{
	char who[VD_WHO_TEXT], time[VD_TIME_TEXT], id[9];
	bool redacted = f->standing == VD_STANDING_REDACTED;
	struct aside a;

	if (f->standing == VD_STANDING_SHOWN)
		return;
	find_aside(cli, f, &a);
	vd_who(f->group, a.author, who);
	vd_time_local(a.time_ms, time);
	vd_hex(id, f->record->id.b, 4);
	if (f->standing == VD_STANDING_NOT_ENTITLED)
		vd_say(cli, VD_MSG_SHOW_NOT_ENTITLED, NULL);
	else if (!a.found)
		vd_say(cli, redacted ? VD_MSG_SHOW_REDACTED_SOMEHOW : VD_MSG_SHOW_QUARANTINED_UNKNOWN, NULL);
	else
		vd_say(cli, !redacted ? VD_MSG_SHOW_QUARANTINED : f->record->stub ? VD_MSG_SHOW_ERASED : VD_MSG_SHOW_REDACTED, who, time, NULL);
	if (a.found && a.reason.n > 1)
		vd_say(cli, VD_MSG_SHOW_REASON, (const char *)a.reason.p, NULL);
	if (f->standing == VD_STANDING_QUARANTINED && f->review == VD_REVIEW_LEFT)
		vd_say(cli, VD_MSG_SHOW_LEFT, NULL);
	if (f->standing == VD_STANDING_QUARANTINED && vd_group_role(f->group) == VD_ROLE_COORDINATOR)
		vd_say(cli, VD_MSG_SHOW_REVIEW, id, NULL);
	vd_buf_deinit(&a.reason);
}

/* --- redactions of it that do not count --- */

static int say_hiding(void *ctx, const struct vd_found *f)
{
	struct vd_cli *cli = ctx;
	char who[VD_WHO_TEXT], id[9];

	vd_who(f->group, f->record->author, who);
	vd_hex(id, f->record->id.b, 4);
	vd_say(cli, VD_MSG_SHOW_HIDING_LEFT, who, id, NULL);
	return 0;
}

static int append_hiding(void *ctx, const struct vd_found *f)
{
	return json_array_append_new(ctx, vd_json_hex(f->record->id.b, VD_ID_BYTES)) ? VD_ENOMEM : 0;
}

/* By somebody who was removed: in quarantine. Without them the record is shown all the same. */
static void find_hidings(struct vd_cli *cli, const struct vd_found *f, int (*visit)(void *ctx, const struct vd_found *), void *ctx)
{
	struct vd_query query = { .about = &f->record->id, .kind = "redaction", .quarantined = true };
	int ignored = vd_query(cli->store, &query, visit, ctx);

	(void)ignored;
}

/* --- what it attaches --- */

struct attached {
	struct vd_attachment list[VD_ATTACHMENTS_MAX];
	size_t count;
	struct vd_attached here;
};

/* What of it is here. A spoilt chunk is as good as none: it is fetched again. */
static int find_attached(struct vd_cli *cli, const struct vd_found *f, struct attached *out)
{
	int rc;

	*out = (struct attached){ 0 };
	out->count = f->body || f->standing == VD_STANDING_REDACTED ? 0 : vd_attachments_of(f->content, out->list);
	rc = out->count ? vd_attached_find(cli->store, f->record, &out->here) : 0;
	return rc == VD_EDAMAGED ? 0 : rc;
}

static int attached_json(struct vd_cli *cli, const struct vd_found *f, json_t *list)
{
	struct attached a;
	int rc = find_attached(cli, f, &a);

	for (size_t i = 0; i < a.count && !rc; i++)
		if (a.list[i].name.n)
			json_object_set_new(json_array_get(list, i), "chunks_here",
			                    vd_json_number(vd_attached_count(&a.here, (uint8_t)i, a.list[i].chunks, NULL)));
	vd_attached_deinit(&a.here);
	return rc;
}

static int say_attached(struct vd_cli *cli, const struct vd_found *f)
{
	char name[VD_ATTACHMENT_NAME_MAX + 1], size[VD_SIZE_SAID], most[VD_SIZE_SAID], id[9];
	bool any_bounded = false, any_later = false;
	struct vd_later_said later;
	struct attached a;
	int rc = find_attached(cli, f, &a);

	vd_hex(id, f->record->id.b, 4);
	if (a.count && !rc)
		vd_say(cli, VD_MSG_SHOW_ATTACHED, id, NULL);
	for (size_t i = 0; i < a.count && !rc; i++) {
		uint32_t here = vd_attached_count(&a.here, (uint8_t)i, a.list[i].chunks, NULL);

		bool bounded, pruned, waits;

		if (!a.list[i].name.n)
			continue;
		vd_attachment_name(a.list[i].name, name);
		bounded = here < a.list[i].chunks && vd_attach_bounded(cli, &a.here, (uint8_t)i, a.list[i].chunks, most);
		any_bounded |= bounded;
		waits = here < a.list[i].chunks && !bounded && vd_attach_later(cli, f->group, f->record, &a.here, (uint8_t)i, a.list[i].chunks, &later);
		any_later |= waits;
		pruned = here < a.list[i].chunks && vd_attached_pruned(&a.here, (uint8_t)i, a.list[i].chunks);
		vd_say(cli, here == a.list[i].chunks ? VD_MSG_SHOW_ATTACHED_WHOLE : pruned ? VD_MSG_SHOW_ATTACHED_PRUNED :
		            bounded ? VD_MSG_SHOW_ATTACHED_BOUNDED : waits ? VD_MSG_SHOW_ATTACHED_LATER : VD_MSG_SHOW_ATTACHED_PART, name,
		       vd_size_said(cli, a.list[i].size, size), vd_num(cli, here), vd_num(cli, a.list[i].chunks), bounded ? most : "", NULL);
	}
	if (any_bounded)
		vd_say(cli, VD_MSG_NEXT_BULK, NULL);
	if (any_later)
		vd_say(cli, VD_MSG_LATER, later.who, later.most, NULL);
	vd_attached_deinit(&a.here);
	return rc;
}

/* --- the record --- */

static int show_json(void *ctx, const struct vd_found *f)
{
	struct shown *s = ctx;
	json_t *hidings = json_array();

	s->whole = vd_json_record(f);
	json_object_set_new(s->whole, "aside", aside_json(s->cli, f));
	find_hidings(s->cli, f, append_hiding, hidings);
	json_object_set_new(s->whole, "redactions_left", hidings);
	return attached_json(s->cli, f, json_object_get(s->whole, "attachments"));
}

static int append_json(void *ctx, const struct vd_found *f)
{
	return json_array_append_new(ctx, vd_json_record(f)) ? VD_ENOMEM : 0;
}

static void say_value(struct vd_cli *cli, const struct vd_value *v)
{
	struct vd_value item;
	struct vd_rd items;
	char hex[2 * VD_ID_BYTES + 1];

	switch (v->type) {
	case VD_MP_STR: vd_say_text(cli, v->bytes, true); break;
	case VD_MP_UINT: vd_say_raw(cli, vd_slice_str(vd_num(cli, v->number))); break;
	case VD_MP_BOOL: vd_say_raw(cli, vd_slice_str(vd_text(cli->lang, v->number ? VD_MSG_YES : VD_MSG_NO))); break;
	case VD_MP_BIN:
		vd_hex(hex, v->bytes.p, v->bytes.n < VD_ID_BYTES ? v->bytes.n : VD_ID_BYTES);
		vd_say_raw(cli, vd_slice_str(hex));
		break;
	case VD_MP_ARRAY:
		items = vd_value_items(v);
		for (bool first = true; vd_value_next(&items, &item); first = false) {
			vd_say_raw(cli, vd_slice_str(first ? "" : ", "));
			if (item.type != VD_MP_ARRAY)
				say_value(cli, &item);
		}
		break;
	case VD_MP_NONE:
	case VD_MP_NIL: break;
	}
}

static void say_field(struct vd_cli *cli, struct vd_slice kind, const struct vd_field *field)
{
	vd_say_raw(cli, vd_slice_str("\n"));
	vd_say_text(cli, vd_label_field(cli->lang, kind, field->name), false);
	vd_say_raw(cli, vd_slice_str(": "));
	if (field->value.type == VD_MP_STR)
		vd_say_text(cli, vd_label_choice(cli->lang, kind, field->name, field->value.bytes), true);
	else
		say_value(cli, &field->value);
}

static enum vd_msg audience_text(enum vd_audience audience)
{
	switch (audience) {
	case VD_AUDIENCE_EVERYONE: return VD_MSG_AUDIENCE_EVERYONE;
	case VD_AUDIENCE_MEMBERS: return VD_MSG_AUDIENCE_MEMBERS;
	case VD_AUDIENCE_NAMED: break;
	}
	return VD_MSG_AUDIENCE_NAMED;
}

static int show_people(void *ctx, const struct vd_found *f)
{
	struct vd_cli *cli = ((struct shown *)ctx)->cli;
	const struct vd_device *author = vd_group_find(f->group, f->record->author);
	char time[VD_TIME_TEXT], hex[2 * VD_ID_BYTES + 1], key[13], called[VD_WHO_TEXT];
	bool opened = !f->body && f->standing != VD_STANDING_REDACTED;
	struct vd_later_said later;
	enum vd_audience audience;
	struct vd_id by;

	vd_hex(hex, f->record->id.b, VD_ID_BYTES);
	vd_say_raw(cli, vd_slice_str(hex));
	vd_say_raw(cli, vd_slice_str("  "));
	if (opened)
		vd_say_text(cli, vd_label_kind(cli->lang, f->content->kind), false);
	vd_say_raw(cli, vd_slice_str("\n"));
	vd_hex(key, f->record->author, 6);
	vd_say(cli, VD_MSG_SHOW_AUTHOR, author && author->name[0] ? author->name : vd_text(cli->lang, VD_MSG_UNNAMED), key, NULL);
	vd_say(cli, VD_MSG_SHOW_GROUP, vd_group_called(cli, f->group, called), NULL);
	vd_time_local(f->record->time_ms, time);
	vd_say(cli, VD_MSG_SHOW_TIME, time, NULL);
	vd_time_local(f->received_ms, time);
	vd_say(cli, VD_MSG_SHOW_RECEIVED, time, NULL);
	vd_say(cli, VD_MSG_SHOW_LANE, vd_text(cli->lang, vd_lane_text(f->record->lane)), NULL);
	if (vd_record_audience(f->record, &audience))
		vd_say(cli, VD_MSG_SHOW_AUDIENCE, vd_text(cli->lang, audience_text(audience)), NULL);
	if (f->record->has_expires) {
		vd_time_local(f->record->expires_day * VD_DAY_MS, time);
		vd_say(cli, VD_MSG_SHOW_EXPIRES, time, NULL);
		if (!f->record->stub && vd_store_withholds(cli->store, f->record))
			vd_say(cli, VD_MSG_SHOW_OVER, NULL);
	}
	if (vd_find_successor(cli, &f->record->id, &by)) {
		vd_hex(hex, by.b, VD_ID_BYTES);
		vd_say(cli, VD_MSG_SHOW_REPLACED, hex, NULL);
	}
	say_aside(cli, f);
	if (f->standing != VD_STANDING_REDACTED)
		find_hidings(cli, f, say_hiding, cli);
	if (!opened && f->standing != VD_STANDING_REDACTED)
		vd_say(cli, vd_body_text(f), NULL);
	if (!opened && f->gone == VD_GONE_WAITS && vd_body_later(cli, f->group, f->record, f->record->body_bytes, &later))
		vd_say(cli, VD_MSG_LATER, later.who, later.most, NULL);
	for (size_t i = 0; opened && i < f->content->count; i++)
		if (!vd_is_attachments(&f->content->fields[i]))
			say_field(cli, f->content->kind, &f->content->fields[i]);
	vd_say_raw(cli, vd_slice_str("\n"));
	return say_attached(cli, f);
}

static int line_people(void *ctx, const struct vd_found *f)
{
	vd_say_raw(ctx, vd_slice_str("  "));
	vd_say_record(ctx, f, false);
	return 0;
}

/* The whole chain of replacing and replaced records. */
static int find_history(struct shown *s)
{
	struct vd_query query = { .history = &s->id };

	return vd_query(s->cli->store, &query, keep_found, s);
}

static int find_answers(struct shown *s)
{
	struct vd_query query = { .about = &s->id };

	return vd_query(s->cli->store, &query, keep_found, s);
}

static int by_arrival(const void *a, const void *b)
{
	uint64_t x = ((const struct kept *)a)->arrival, y = ((const struct kept *)b)->arrival;

	return x < y ? -1 : x > y;
}

/* Each kept record but the one asked for: as JSON into an array, or as lines. */
static int each(struct shown *s, json_t *array, enum vd_msg heading)
{
	int rc = 0;
	bool headed = false;

	if (s->count)
		qsort(s->kept, s->count, sizeof *s->kept, by_arrival);
	for (size_t i = 0; !rc && i < s->count; i++) {
		if (memcmp(s->kept[i].id.b, s->id.b, VD_ID_BYTES) == 0)
			continue;
		if (!array && !headed)
			vd_say(s->cli, heading, NULL);
		headed = true;
		rc = vd_query_one(s->cli->store, s->kept[i].arrival, array ? append_json : line_people, array ? (void *)array : s->cli);
	}
	return rc;
}

static void free_shown(struct shown *s)
{
	json_decref(s->whole);
	free(s->kept);
}

static int show_run(struct vd_cli *cli)
{
	struct shown history = { .cli = cli }, answers = { .cli = cli };
	uint64_t arrival = 0;
	int rc = vd_cli_record(cli, cli->opt.args[0], &history.id, &arrival, NULL), err;
	struct vd_id by;
	bool damaged;

	if (rc)
		return rc;
	answers.id = history.id;
	err = find_history(&history);
	damaged = err == VD_EDAMAGED;
	if (!err || damaged)
		err = find_answers(&answers);
	damaged |= err == VD_EDAMAGED;
	if (damaged)
		err = 0;
	if (!err && cli->opt.json) {
		json_t *before = json_array(), *after = json_array();

		err = vd_query_one(cli->store, arrival, show_json, &history);
		if (!err)
			err = each(&history, before, VD_MSG_NONE);
		if (!err)
			err = each(&answers, after, VD_MSG_NONE);
		json_object_set_new(history.whole, "history", before);
		json_object_set_new(history.whole, "answers", after);
		json_object_set_new(history.whole, "replaced_by",
		                    vd_find_successor(cli, &history.id, &by) ? vd_json_hex(by.b, VD_ID_BYTES) : json_null());
		if (!err)
			vd_say_json(cli, json_incref(history.whole));
	} else if (!err) {
		err = vd_query_one(cli->store, arrival, show_people, &history);
		if (!err)
			err = each(&history, NULL, VD_MSG_SHOW_HISTORY);
		if (!err)
			err = each(&answers, NULL, VD_MSG_SHOW_ANSWERS);
	}
	free_shown(&history);
	free_shown(&answers);
	if (!err && damaged)
		err = VD_EDAMAGED;
	return err ? vd_cli_query_failed(cli, err) : VD_EXIT_DONE;
}

const struct vd_command vd_command_show = {
	.syntax = { "show", { VD_OPT_NONE } },
	.run = show_run, .summary = VD_MSG_SUM_SHOW, .help = VD_MSG_HELP_SHOW, .args_min = 1, .args_max = 1,
};
