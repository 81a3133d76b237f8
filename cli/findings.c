#include "findings.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include "fail.h"
#include "proto/err.h"
#include "store/backup.h"
#include "store/passphrase.h"
#include "store/shares.h"
#include "store/vault.h"
#include "times.h"

enum {
	SILENT_DAYS = 30,
	BACKUP_DAYS = 30,
	SLOW_MS = 3000,        /* a try of a passphrase: it was set to half a second or little more */
	FELL_DAYS = 90,
	WALKED = 1 << 20,      /* records whose headers are looked at for forks; their places take 16 MiB */
	TABLE = 2 * WALKED,
};

static void put_formatted(struct vd_findings *f, json_t *finding, const char *key, enum vd_msg msg, const char *const *args)
{
	struct vd_buf text = { 0 };

	if (msg)
		vd_text_format(f->cli->lang, msg, args, !f->cli->opt.json, &text);
	if (text.failed)
		f->cli->out_error = ENOMEM;
	json_object_set_new(finding, key, vd_json_text(vd_buf_slice(&text)));
	vd_buf_deinit(&text);
}

void vd_list_name(struct vd_buf *names, const char *name)
{
	if (names->n)
		vd_buf_put_slice(names, vd_slice_str(", "));
	vd_buf_put_slice(names, vd_slice_str(name));
}

/* severity: "note", "warning", "serious", "broken". */
void vd_finding(struct vd_findings *f, const char *what, const char *severity, enum vd_msg words, enum vd_msg next, ...)
{
	const char *args[VD_PLACES + 1];
	json_t *finding = json_pack("{s:s,s:s}", "what", what, "severity", severity);
	va_list list;

	va_start(list, next);
	vd_places(list, args);
	va_end(list);
	put_formatted(f, finding, "words", words, args);
	put_formatted(f, finding, "next", next, args);
	json_array_append_new(f->list, finding);
	f->broken = f->broken || strcmp(severity, "broken") == 0;
}

/* --- what a glance shows --- */

/* Records under a device's name that it did not write: ours, or a chain of acts with two ends. */
static void find_clones(struct vd_findings *f, const struct vd_look *l)
{
	const struct vd_identity *self = vd_group_identity(l->group);
	uint64_t noticed_ms;
	bool own = self && !vd_store_elsewhere(f->cli->store, vd_group_id(l->group), self->author, &noticed_ms);
	char room[VD_WHO_TEXT], key[2 * VD_KEY_SHOWN + 1];

	if (own) {
		vd_hex(key, self->author, VD_KEY_SHOWN);
		vd_finding(f, "clone", "serious", VD_MSG_WARN_ELSEWHERE, VD_MSG_NEXT_ELSEWHERE, key, NULL);
	}
	for (size_t i = 0; i < vd_group_device_count(l->group); i++) {
		const struct vd_device *d = vd_group_device(l->group, i);

		if (!d->forked || (own && !memcmp(self->author, d->author, VD_KEY_BYTES)))
			continue;
		vd_who(l->group, d->author, room);
		vd_hex(key, d->author, VD_KEY_SHOWN);
		vd_finding(f, "forked", "serious", VD_MSG_WARN_FORKED, VD_MSG_NEXT_FORKED, room, key, NULL);
	}
}

static bool came_lately(struct vd_findings *f, const struct vd_id *id)
{
	struct vd_buf raw = { 0 };
	struct vd_record record;
	uint64_t arrival, received_ms = 0, now_ms = vd_time_now_ms();
	int rc = vd_store_find(f->cli->store, id, &arrival);

	if (!rc)
		rc = vd_store_read(f->cli->store, arrival, &raw, &record, &received_ms);
	vd_buf_deinit(&raw);
	return !rc && (received_ms >= now_ms || now_ms - received_ms <= FELL_DAYS * (uint64_t)VD_DAY_MS);
}

static void find_role(struct vd_findings *f, const struct vd_look *l)
{
	const struct vd_identity *self = vd_group_identity(l->group);
	const struct vd_device *d = self ? vd_group_find(l->group, self->author) : NULL;
	const struct vd_act *act = d && d->removed ? vd_find_act(l->group, &d->revoke) : NULL;
	char called[VD_WHO_TEXT], by[VD_WHO_TEXT] = "?", when[VD_TIME_TEXT] = "?", key[2 * VD_KEY_SHOWN + 1] = "";

	if (vd_group_role(l->group) != VD_ROLE_NONE)
		return;
	if (act) {
		vd_who(l->group, act->author, by);
		vd_time_local(act->time_ms, when);
	}
	if (self)
		vd_hex(key, self->author, VD_KEY_SHOWN);
	vd_finding(f, "removed", "serious", act ? VD_MSG_WARN_REMOVED : VD_MSG_WARN_NO_ROLE, VD_MSG_NEXT_REMOVED,
	    vd_group_called(f->cli, l->group, called), by, when, key, NULL);
}

/* Whom somebody admitted who had been removed by then, as others heard it: they think that they are in, and nobody hears them. Those of the
 * last months; of a key in the wrong hands there may be many, so a few by name. */
static void find_fallen(struct vd_findings *f, const struct vd_look *l)
{
	enum { SHOWN = 8 };
	bool ours = vd_group_role(l->group) == VD_ROLE_COORDINATOR;
	size_t count = 0;

	for (size_t i = 0; i < vd_group_device_count(l->group); i++) {
		const struct vd_device *d = vd_group_device(l->group, i);
		const struct vd_act *grant = vd_device_fell(d) && !d->removed ? vd_find_act(l->group, &d->grant) : NULL;
		char who[VD_WHO_TEXT], by[VD_WHO_TEXT], key[2 * VD_KEY_SHOWN + 1];

		if (!grant || vd_group_role(l->group) == VD_ROLE_NONE || !came_lately(f, &grant->id) || count++ >= SHOWN)
			continue;
		vd_who(l->group, d->author, who);
		vd_who(l->group, grant->author, by);
		vd_hex(key, d->author, VD_KEY_SHOWN);
		vd_finding(f, "fell", "warning", VD_MSG_WARN_FELL, ours ? VD_MSG_NEXT_FELL : VD_MSG_NEXT_FELL_OTHERS, who, key, by,
		           vd_text(f->cli->lang, vd_role_text(grant->role)), NULL);
	}
	if (count > SHOWN)
		vd_finding(f, "fell", "warning", VD_MSG_WARN_FELL_MORE, VD_MSG_NEXT_FELL_MORE, vd_num(f->cli, count - SHOWN), NULL);
}

static bool has_paper(struct vd_group *group)
{
	for (size_t i = 0; i < vd_group_device_count(group); i++) {
		const struct vd_device *d = vd_group_device(group, i);

		if (d->flags & VD_GRANT_PAPER && d->role == VD_ROLE_COORDINATOR)
			return true;
	}
	return false;
}

/* Has anything shown that the device is in use: a record of it, or a session? A welcome in a drawer leads nobody. */
static bool was_heard(struct vd_findings *f, struct vd_group *group, const struct vd_device *d)
{
	const struct vd_identity *self = vd_group_identity(group);
	uint64_t time_ms, received_ms, arrival;

	if (self && !memcmp(self->author, d->author, VD_KEY_BYTES))
		return true;
	if (!vd_store_heard(f->cli->store, vd_group_id(group), d->author, &arrival))
		return true;
	return !vd_last_heard(f->cli, group, d->author, &time_ms, &received_ms) && received_ms;
}

/* Coordinators known to be there; the name of one that is only admitted stays in `silent`. */
static size_t heard_coordinators(struct vd_findings *f, struct vd_group *group, char silent[VD_WHO_TEXT])
{
	size_t n = 0;

	silent[0] = '\0';
	for (size_t i = 0; i < vd_group_device_count(group); i++) {
		const struct vd_device *first = vd_group_device(group, i);
		bool heard = false;

		if (!vd_first_of_person(group, i) || vd_person_role(group, first->person, false) != VD_ROLE_COORDINATOR)
			continue;
		for (size_t j = i; j < vd_group_device_count(group) && !heard; j++) {
			const struct vd_device *d = vd_group_device(group, j);

			heard = d->role == VD_ROLE_COORDINATOR && !(d->flags & VD_GRANT_PAPER) &&
			        !memcmp(d->person, first->person, VD_PERSON_BYTES) && was_heard(f, group, d);
		}
		n += heard;
		if (!heard)
			vd_who_person(group, first->person, silent);
	}
	return n;
}

static void find_one_coordinator(struct vd_findings *f, const struct vd_look *l, const char *name)
{
	bool ours = vd_group_role(l->group) == VD_ROLE_COORDINATOR;
	char silent[VD_WHO_TEXT];

	if (has_paper(l->group) || heard_coordinators(f, l->group, silent) > 1)
		return;
	if (silent[0])
		vd_finding(f, "one-coordinator", "warning", VD_MSG_WARN_SILENT_COORDINATOR,
		           ours ? VD_MSG_NEXT_SILENT_COORDINATOR : VD_MSG_NEXT_TELL_COORDINATOR, name, silent, NULL);
	else
		vd_finding(f, "one-coordinator", "warning", VD_MSG_WARN_ONE_COORDINATOR,
		           ours ? VD_MSG_NEXT_ONE_COORDINATOR : VD_MSG_NEXT_TELL_COORDINATOR, name, NULL);
}

static void find_coordination(struct vd_findings *f, const struct vd_look *l)
{
	char called[VD_WHO_TEXT];
	const char *name = vd_group_called(f->cli, l->group, called);

	find_one_coordinator(f, l, name);
	if (!vd_group_epoch_clean(l->group))
		vd_finding(f, "epoch", "warning", VD_MSG_WARN_EPOCH,
		    vd_group_role(l->group) == VD_ROLE_COORDINATOR ? VD_MSG_NEXT_EPOCH : VD_MSG_NEXT_EPOCH_OTHERS, name, NULL);
	for (size_t i = 0; i < vd_group_act_count(l->group); i++) {
		const struct vd_act *act = vd_group_act(l->group, i);
		struct vd_buf what = { 0 };
		char id[2 * VD_KEY_SHOWN + 1];

		if (vd_act_state(l->group, act) != VD_ACT_WAITS || vd_group_role(l->group) != VD_ROLE_COORDINATOR)
			continue;
		vd_hex(id, act->id.b, VD_KEY_SHOWN);
		vd_act_text(f->cli, l->group, act, &what);
		vd_buf_put_u8(&what, 0);
		if (!what.failed)
			vd_finding(f, "waiting", "note", VD_MSG_WARN_WAITING,
			           vd_act_said(l->group, act) ? VD_MSG_NEXT_WAITING_OTHERS : VD_MSG_NEXT_WAITING, (const char *)what.p, id, NULL);
		vd_buf_deinit(&what);
	}
}

static int count_unreviewed(void *ctx, const struct vd_found *found)
{
	uint64_t *n = ctx;

	*n += found->review == VD_REVIEW_NONE;
	return 0;
}

/* Only who can do something about it is told. */
static void find_quarantine(struct vd_findings *f, const struct vd_look *l)
{
	const struct vd_query query = { .group = vd_group_id(l->group), .quarantined = true };
	uint64_t n = 0;
	bool removed = false;

	for (size_t i = 0; i < vd_group_device_count(l->group); i++)
		removed = removed || vd_group_device(l->group, i)->role == VD_ROLE_NONE;
	if (!removed || vd_group_role(l->group) != VD_ROLE_COORDINATOR)
		return;
	/* What is damaged is told by who lists it. */
	if (vd_query(f->cli->store, &query, count_unreviewed, &n) == VD_ENOMEM || !n)
		return;
	vd_finding(f, "quarantine", "warning", VD_MSG_WARN_QUARANTINE, VD_MSG_NEXT_QUARANTINE, vd_num(f->cli, n), NULL);
}

static void find_clock(struct vd_findings *f)
{
	struct vd_buf text = { 0 };
	bool said = false;

	for (size_t i = 0; i <= f->count && !said; i++) {
		vd_buf_reset(&text);
		said = vd_cli_clock_warning(f->cli, i < f->count ? f->looks[i].group : NULL, &text);
	}
	if (said)
		json_array_append_new(f->list, json_pack("{s:s,s:s,s:s,s:s}", "what", "clock", "severity", "warning", "words",
		                                         (const char *)text.p, "next", ""));
	vd_buf_deinit(&text);
}

/* As long as nobody can read what was set: what is kept free where nothing was. */
static int room_here(struct vd_findings *f, uint64_t *free_bytes, uint64_t *kept)
{
	const uint64_t reserve = (uint64_t)VD_RESERVE_MIB << 20;
	struct statvfs fs;
	uint64_t part;

	if (f->cli->store)
		return vd_shares_room(f->cli->store, free_bytes, kept);
	if (statvfs(f->cli->home, &fs))
		return VD_EIO;
	*free_bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
	part = (uint64_t)fs.f_blocks * fs.f_frsize / VD_RESERVE_SMALL_PART;
	*kept = reserve < part ? reserve : part;
	return VD_OK;
}

/* By the store's own measure of when it takes nothing in. */
static void find_space(struct vd_findings *f)
{
	const char *state = json_string_value(json_object_get(f->disk, "state"));
	char since[VD_TIME_TEXT], left[32], keeps[32];
	uint64_t free_bytes, kept;

	if (state && strcmp(state, "damaged") == 0) {
		vd_finding(f, "damaged", "broken", VD_MSG_DAEMON_DAMAGED, VD_MSG_HINT_CHECK_BAD, NULL);
	} else if (state) {
		vd_time_local((uint64_t)json_integer_value(json_object_get(f->disk, "since_ms")), since);
		vd_finding(f, "daemon-disk", "broken", strcmp(state, "full") == 0 ? VD_MSG_WARN_DAEMON_FULL : VD_MSG_WARN_DAEMON_DISK,
		    strcmp(state, "full") == 0 ? VD_MSG_NEXT_DAEMON_FULL : VD_MSG_HINT_IO, since, NULL);
		return;
	}
	if (room_here(f, &free_bytes, &kept))
		return;
	vd_size_said(f->cli, free_bytes, left);
	vd_size_said(f->cli, kept, keeps);
	if (free_bytes < kept)
		vd_finding(f, "disk", "broken", VD_MSG_WARN_DISK_FULL, VD_MSG_NEXT_DISK_FULL, left, keeps, NULL);
	else if (free_bytes / 8 < kept)
		vd_finding(f, "disk", "warning", VD_MSG_WARN_DISK_LOW, VD_MSG_NEXT_DISK_LOW, left, keeps, NULL);
}

/* What of attachments it leaves to others. */
static void find_bulk(struct vd_findings *f)
{
	struct vd_declined_set set;
	struct vd_shares shares;
	uint64_t here, wanted;
	char most[VD_SIZE_SAID], has[VD_SIZE_SAID];

	if (!f->count || vd_shares_declined(f->cli->store, vd_group_id(f->looks[0].group), &set) || !set.bulk_bodies ||
	    vd_shares_get(f->cli->store, &shares) || vd_shares_bulk(f->cli->store, &here, &wanted))
		return;
	vd_size_said(f->cli, here, has);
	vd_size_said(f->cli, shares.bulk_bytes, most);
	vd_finding(f, "bulk", "note", shares.bulk_bytes ? VD_MSG_WARN_BULK_FULL : VD_MSG_WARN_BULK_NONE, VD_MSG_NEXT_BULK, has, most, NULL);
}

/* Nobody is nagged about a store in which nothing is. */
static void find_backup(struct vd_findings *f)
{
	uint64_t now_ms = vd_time_now_ms(), made_ms = 0;
	int rc = vd_backup_last(f->cli->store, &made_ms);

	if (f->count && rc)
		vd_finding(f, "no-backup", "warning", VD_MSG_WARN_NO_BACKUP, VD_MSG_NEXT_BACKUP, NULL);
	else if (f->count && made_ms + BACKUP_DAYS * VD_DAY_MS < now_ms)
		vd_finding(f, "old-backup", "warning", VD_MSG_WARN_OLD_BACKUP, VD_MSG_NEXT_BACKUP, vd_num(f->cli, (now_ms - made_ms) / VD_DAY_MS), NULL);
}

static void find_slots(struct vd_findings *f)
{
	enum vd_slots_state state = vd_vault_slots_state(f->cli->home);

	if (state == VD_SLOTS_HALF || state == VD_SLOTS_TORN)
		vd_finding(f, "slots", "serious", VD_MSG_WARN_SLOTS_HALF,
		           state == VD_SLOTS_HALF ? VD_MSG_HINT_SLOTS_HALF : VD_MSG_HINT_SLOTS_HALF_TORN, NULL);
}

/* Who knows one that nobody uses any more opens everything; and one set on a faster machine is slow here. */
static void find_passphrases(struct vd_findings *f)
{
	enum vd_slot_kind kinds[VD_VAULT_SLOTS];
	struct vd_vault_cost cost;
	uint64_t passphrases = 0, ms;

	if (vd_vault_slots(f->cli->home, kinds) || vd_vault_slots_cost(f->cli->home, &cost))
		return;
	for (size_t i = 0; i < VD_VAULT_SLOTS; i++)
		passphrases += kinds[i] == VD_SLOT_PASSPHRASE;
	if (passphrases > 1)
		vd_finding(f, "passphrases", "note", VD_MSG_WARN_PASSPHRASES, VD_MSG_NEXT_PASSPHRASES, vd_num(f->cli, passphrases), NULL);
	ms = vd_passphrase_estimate(&cost);
	if (ms >= SLOW_MS)
		vd_finding(f, "slow-unlock", "note", VD_MSG_WARN_SLOW_UNLOCK, VD_MSG_NEXT_SLOW_UNLOCK, vd_num(f->cli, (ms + 500) / 1000), NULL);
}

void vd_find_locked(struct vd_findings *f)
{
	find_slots(f);
	vd_finding(f, "locked", "note", VD_MSG_WARN_LOCKED, VD_MSG_HINT_LOCKED, NULL);
	find_clock(f);
	find_space(f);
}

void vd_find_quick(struct vd_findings *f)
{
	char called[VD_WHO_TEXT];
	bool alone = false;

	for (size_t i = 0; i < f->count; i++)
		find_clones(f, &f->looks[i]);
	find_slots(f);
	if (vd_store_readable(f->cli->store))
		vd_finding(f, "readable", "warning", VD_MSG_WARN_READABLE, VD_MSG_NEXT_READABLE, NULL);
	if (f->count == 0)
		vd_finding(f, "no-group", "note", VD_MSG_WARN_NO_GROUP, VD_MSG_NONE, NULL);
	for (size_t i = 0; i < f->count; i++)
		alone = alone || f->looks[i].members < 2;
	if (alone)
		vd_finding(f, "alone", "note", VD_MSG_WARN_ALONE, VD_MSG_NEXT_ALONE, NULL);
	for (size_t i = 0; i < f->count; i++) {
		find_role(f, &f->looks[i]);
		find_fallen(f, &f->looks[i]);
		find_coordination(f, &f->looks[i]);
		find_quarantine(f, &f->looks[i]);
		vd_find_declined(f, &f->looks[i]);
		vd_find_custody(f, &f->looks[i], vd_group_called(f->cli, f->looks[i].group, called));
	}
	find_clock(f);
	find_space(f);
	find_bulk(f);
}

/* --- what takes longer --- */

static void find_silent(struct vd_findings *f, const struct vd_look *l)
{
	const struct vd_identity *self = vd_group_identity(l->group);
	const struct vd_device *own = self ? vd_group_find(l->group, self->author) : NULL;
	uint64_t now_ms = vd_time_now_ms(), n = 0;
	struct vd_buf names = { 0 };

	for (size_t i = 0; i < vd_group_device_count(l->group); i++) {
		const struct vd_device *first = vd_group_device(l->group, i);
		uint64_t time_ms, received_ms, last = 0;
		char who[VD_WHO_TEXT];

		if (!vd_first_of_person(l->group, i) || vd_person_role(l->group, first->person, false) == VD_ROLE_NONE ||
		    vd_person_role(l->group, first->person, false) == VD_ROLE_COURIER ||
		    (own && !memcmp(own->person, first->person, VD_PERSON_BYTES)))
			continue;
		for (size_t j = i; j < vd_group_device_count(l->group); j++) {
			const struct vd_device *d = vd_group_device(l->group, j);

			/* Who was only just admitted has had no time to say anything. */
			if (memcmp(d->person, first->person, VD_PERSON_BYTES))
				continue;
			last = d->since_ms > last ? d->since_ms : last;
			if (!vd_last_heard(f->cli, l->group, d->author, &time_ms, &received_ms) && received_ms > last)
				last = received_ms;
		}
		if (last + SILENT_DAYS * VD_DAY_MS >= now_ms)
			continue;
		vd_who_person(l->group, first->person, who);
		vd_list_name(&names, who);
		n++;
	}
	vd_buf_put_u8(&names, 0);
	if (n && !names.failed)
		vd_finding(f, "silent", "note", VD_MSG_WARN_SILENT, VD_MSG_NEXT_SILENT, vd_num(f->cli, SILENT_DAYS), (const char *)names.p, NULL);
	vd_buf_deinit(&names);
}

/* Is somebody out by it? Who was removed twice is out by the last. */
static bool keeps_out(struct vd_group *group, const struct vd_act *act)
{
	for (size_t i = 0; i < vd_group_device_count(group); i++) {
		const struct vd_device *d = vd_group_device(group, i);

		if (d->removed && !memcmp(d->revoke.b, act->id.b, VD_ID_BYTES))
			return true;
	}
	return false;
}

/* The last act that somebody has not heard of, and any removal of who is out. */
static void find_not_heard(struct vd_findings *f, const struct vd_look *l)
{
	for (size_t i = 0; i < vd_group_act_count(l->group); i++) {
		const struct vd_act *act = vd_group_act(l->group, i);
		struct vd_buf names = { 0 }, what = { 0 };
		bool out = act->kind == VD_ACT_REVOKE && keeps_out(l->group, act);
		size_t n = 0, k;
		json_t *list, *name;

		if (!act->counts || vd_act_is_part(l->group, act) ||
		    (i != l->heard.last && !out))
			continue;
		list = vd_heard_not(&l->heard, i, &n);
		json_array_foreach (list, k, name)
			vd_list_name(&names, json_string_value(name));
		json_decref(list);
		vd_act_text(f->cli, l->group, act, &what);
		vd_buf_put_u8(&names, 0);
		vd_buf_put_u8(&what, 0);
		if (n && !names.failed && !what.failed)
			vd_finding(f, "not-heard", out ? "warning" : "note", VD_MSG_WARN_NOT_HEARD,
			    out ? VD_MSG_NEXT_NOT_HEARD_REVOKE : VD_MSG_NEXT_NOT_HEARD, (const char *)what.p,
			    (const char *)names.p, NULL);
		vd_buf_deinit(&names);
		vd_buf_deinit(&what);
	}
}

/* Places in chains that were seen, by a hash of where they are. */
struct places {
	struct {
		uint64_t place, record;
	} *seen;
	size_t count;
	uint8_t authors[16][VD_KEY_BYTES]; /* whose chains forked outside lane 0 */
	size_t forked;
};

static uint64_t first8(const uint8_t *p)
{
	uint64_t n;

	memcpy(&n, p, sizeof n);
	return n;
}

static void keep_author(struct places *p, const uint8_t author[VD_KEY_BYTES])
{
	for (size_t i = 0; i < p->forked; i++)
		if (!memcmp(p->authors[i], author, VD_KEY_BYTES))
			return;
	if (p->forked < sizeof p->authors / sizeof *p->authors)
		memcpy(p->authors[p->forked++], author, VD_KEY_BYTES);
}

static int visit(void *ctx, uint64_t arrival, uint64_t received_ms, struct vd_slice raw)
{
	struct places *p = ctx;
	struct vd_record r;
	uint64_t place;

	(void)arrival;
	(void)received_ms;
	if (vd_record_decode(raw, &r) || r.lane == VD_LANE_CONTROL)
		return 0;
	if (p->count == WALKED)
		return 1;
	/* Two places of one hash would only name somebody whose chain is whole: 2^-24 at the very most. */
	place = first8(r.author) ^ (r.seq * UINT64_C(0x9e3779b97f4a7c15)) ^ ((uint64_t)r.lane << 61);
	place = place ? place : 1;
	for (size_t at = place % TABLE;; at = (at + 1) % TABLE) {
		if (!p->seen[at].place) {
			p->seen[at].place = place;
			p->seen[at].record = first8(r.id.b);
			p->count++;
			return 0;
		}
		if (p->seen[at].place == place) {
			if (p->seen[at].record != first8(r.id.b))
				keep_author(p, r.author);
			return 0;
		}
	}
}

/* By veredad, or of another group. */
static bool told_damaged(const struct vd_findings *f)
{
	const json_t *one;
	size_t i;

	json_array_foreach (f->list, i, one)
		if (strcmp(json_string_value(json_object_get(one, "what")), "damaged") == 0)
			return true;
	return false;
}

static void find_forks(struct vd_findings *f, const struct vd_look *l)
{
	struct places p = { .seen = calloc(TABLE, sizeof *p.seen) };
	const struct vd_identity *self = vd_group_identity(l->group);
	int rc = p.seen ? vd_store_walk(f->cli->store, vd_group_id(l->group), 255, 0, visit, &p) : VD_ENOMEM;

	for (size_t i = 0; i < p.forked; i++) {
		const struct vd_device *d = vd_group_find(l->group, p.authors[i]);
		char who[VD_WHO_TEXT], key[2 * VD_KEY_SHOWN + 1];

		/* Told already. */
		if ((d && d->forked) || (self && !memcmp(self->author, p.authors[i], VD_KEY_BYTES)))
			continue;
		vd_who(l->group, p.authors[i], who);
		vd_hex(key, p.authors[i], VD_KEY_SHOWN);
		vd_finding(f, "forked", "serious", VD_MSG_WARN_FORKED, VD_MSG_NEXT_FORKED, who, key, NULL);
	}
	if (rc == 1)
		vd_finding(f, "bounded", "note", VD_MSG_WARN_BOUNDED, VD_MSG_NONE, vd_num(f->cli, WALKED), NULL);
	else if (rc == VD_EDAMAGED && !told_damaged(f))
		vd_finding(f, "damaged", "broken", VD_MSG_RECORDS_DAMAGED, VD_MSG_HINT_CHECK_BAD, NULL);
	else if (rc && rc != VD_EDAMAGED)
		vd_finding(f, "unread", "broken", VD_MSG_QUERY_FAILED, VD_MSG_HINT_UNKNOWN, NULL);
	free(p.seen);
}

void vd_find_deep(struct vd_findings *f)
{
	for (size_t i = 0; i < f->count; i++) {
		find_not_heard(f, &f->looks[i]);
		find_silent(f, &f->looks[i]);
		find_forks(f, &f->looks[i]);
	}
	if (!f->daemon)
		vd_finding(f, "no-daemon", "note", VD_MSG_STATUS_NO_DAEMON, VD_MSG_NEXT_NO_DAEMON, NULL);
	find_backup(f);
	find_passphrases(f);
}
