/* Paper keys: a coordinator's identity that exists only as words, and taking a group from them. PROTOCOL.md section 6. */
#include <dirent.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "acts.h"
#include "bundle.h"
#include "deed.h"
#include "inside.h"
#include "judge.h"
#include "proto/err.h"

enum {
	CONTROL_BYTES_MAX = 64 * 1024 * 1024, /* of all files of a folder, held in memory until they are judged */
	PAPER_GROUPS_MAX = 16,                /* a paper is of one group; others may use its name */
};

/* --- making one --- */

/* The paper identity's own first word: nobody else can put the paper into a group of theirs. */
static int confirm(struct vd_deed *d, struct vd_group *paper_group, const struct vd_id *grant)
{
	struct vd_deed by_paper = { .store = d->store, .group = paper_group, .also = d->group, .write = d->write, .now_ms = d->now_ms };
	int rc = vd_group_make_approve(paper_group, grant, &by_paper.content);

	if (!rc)
		rc = vd_deed_say(&by_paper, NULL);
	vd_buf_deinit(&by_paper.content);
	return rc;
}

static int write_paper(struct vd_deed *d, const struct vd_identity *paper)
{
	const struct vd_device *own = vd_group_find(d->group, vd_group_identity(d->group)->author);
	uint8_t person[VD_PERSON_BYTES], nonce[VD_BODY_NONCE_BYTES];
	char name[VD_NAME_MAX + 1];
	struct vd_card card;
	uint64_t after = 0;
	struct vd_id grant;
	int rc;

	if (!own || own->role != VD_ROLE_COORDINATOR)
		return VD_EAUTHOR;
	if (!vd_group_epoch_count(d->group))
		return VD_EKEY;
	memcpy(person, own->person, sizeof(person));
	snprintf(name, sizeof(name), "%s", own->name[0] ? own->name : "-");
	rc = vd_card_create(paper, &card);
	if (rc)
		return rc;
	d->also = vd_group_new(vd_group_id(d->group), paper);
	rc = d->also ? vd_store_group_refresh(d->store, d->also, &after) : VD_ENOMEM;
	randombytes_buf(nonce, sizeof(nonce));
	if (!rc)
		rc = vd_group_make_grant(d->group, &card, person, VD_ROLE_COORDINATOR, VD_GRANT_PAPER, name, nonce, &d->content);
	if (!rc)
		rc = vd_deed_say(d, &grant);
	if (!rc)
		rc = vd_deed_seal(d, card.author, false, NULL);
	if (!rc)
		rc = confirm(d, d->also, &grant);
	vd_group_free(d->also);
	d->also = NULL;
	return rc;
}

int vd_act_paper(struct vd_store *s, struct vd_group *group, uint64_t now_ms, char words[VD_PAPER_TEXT])
{
	uint8_t paper[VD_PAPER_BYTES];
	struct vd_identity identity;
	struct vd_deed d;
	int rc = vd_group_identity(group) ? vd_deed_begin(&d, s, group, now_ms) : VD_EKEY;

	if (rc)
		return rc;
	randombytes_buf(paper, sizeof(paper));
	vd_identity_from_paper(paper, &identity);
	rc = vd_deed_end(&d, write_paper(&d, &identity));
	if (!rc)
		vd_paper_words(paper, words);
	vd_identity_wipe(&identity);
	sodium_memzero(paper, sizeof(paper));
	return rc;
}

/* --- what a file or folder holds --- */

/* The control records of every file that has a slot for the paper, of whatever group. */
struct finds {
	struct vd_store *store;
	const struct vd_identity *paper;
	struct vd_batch control;
	size_t opened;
	int worst;             /* of the files that opened or could not be read */
};

static int take_file(struct finds *f, const char *path)
{
	uint8_t group[VD_GROUP_BYTES];
	int rc = vd_bundle_control_read(f->store, path, f->paper, group, &f->control);

	if (rc == VD_ENOMEM)
		return rc;
	if (f->control.bytes.n > CONTROL_BYTES_MAX)
		return VD_ECAP;
	f->opened += !rc || rc == VD_ETORN || rc == VD_EDAMAGED;
	if (rc && rc != VD_EKEY && rc != VD_EFORMAT)
		f->worst = rc;
	return VD_OK;
}

static int take_folder(struct finds *f, const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	int rc = VD_OK;

	while (dir && !rc && (entry = readdir(dir))) {
		struct stat st;
		char *file;

		if (asprintf(&file, "%s/%s", path, entry->d_name) < 0) {
			rc = VD_ENOMEM;
			break;
		}
		if (!lstat(file, &st) && S_ISREG(st.st_mode))
			rc = take_file(f, file);
		free(file);
	}
	if (dir)
		closedir(dir);
	return rc;
}

/* A stick's segments are in `cache/`; a bundle may lie beside it. */
static int take_stick(struct finds *f, const char *path)
{
	char *cache;
	int rc = take_folder(f, path);

	if (rc)
		return rc;
	if (asprintf(&cache, "%s/cache", path) < 0)
		return VD_ENOMEM;
	rc = take_folder(f, cache);
	free(cache);
	return rc;
}

static int take(struct finds *f, const char *path)
{
	struct stat st;
	int rc;

	if (strcmp(path, "-") && stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
		rc = take_stick(f, path);
		return rc || f->opened ? rc : f->worst ? f->worst : VD_EKEY;
	}
	rc = vd_bundle_control_read(f->store, path, f->paper, (uint8_t[VD_GROUP_BYTES]){ 0 }, &f->control);
	if (rc != VD_ETORN && rc != VD_EDAMAGED)
		return rc;
	f->worst = rc; /* what is whole may do */
	return VD_OK;
}

/* --- taking a group --- */

struct recovery {
	struct vd_store *store;
	struct vd_write *write;
	struct vd_batch *control;
	const struct vd_identity *paper;
	const char *name;
	struct vd_deed deed;         /* by the paper identity */
	uint8_t seed[VD_IDENTITY_SEED_BYTES];
};

/* Did the paper itself ever write in that group? */
static bool confirmed(const struct vd_batch *control, const struct vd_group *group, const uint8_t *paper)
{
	for (size_t i = 0; i < control->count; i++) {
		const struct vd_batch_entry *e = &control->entries[i];

		if (!e->verdict && !memcmp(e->record.author, paper, VD_KEY_BYTES) &&
		    !memcmp(e->record.group, vd_group_id(group), VD_GROUP_BYTES))
			return true;
	}
	return false;
}

/* The paper goes on behind all it ever wrote, and this device behind what the file brings of its own. */
static int follow(struct recovery *r, const uint8_t *own)
{
	int rc = VD_OK;

	for (size_t i = 0; i < r->control->count && !rc; i++) {
		const struct vd_batch_entry *e = &r->control->entries[i];

		if (!e->verdict && (!memcmp(e->record.author, r->paper->author, VD_KEY_BYTES) ||
		                    !memcmp(e->record.author, own, VD_KEY_BYTES)))
			rc = vd_write_follow(r->write, &e->record, true, vd_now_ms());
	}
	return rc;
}

static int admit_next(struct recovery *r, const struct vd_device *paper, uint8_t author[VD_KEY_BYTES])
{
	uint8_t person[VD_PERSON_BYTES], nonce[VD_BODY_NONCE_BYTES];
	struct vd_identity next;
	char name[VD_NAME_MAX + 1];
	struct vd_card card;
	int rc = vd_seed_next(r->store, r->seed);

	if (rc)
		return rc;
	memcpy(person, paper->person, sizeof(person));
	snprintf(name, sizeof(name), "%s", r->name && r->name[0] ? r->name : paper->name[0] ? paper->name : "-");
	vd_identity_from_seed(r->seed, &next);
	rc = vd_card_create(&next, &card);
	vd_identity_wipe(&next);
	if (rc)
		return rc;
	memcpy(author, card.author, VD_KEY_BYTES);
	randombytes_buf(nonce, sizeof(nonce));
	rc = vd_group_make_grant(r->deed.group, &card, person, VD_ROLE_COORDINATOR, 0, name, nonce, &r->deed.content);
	return rc ? rc : vd_deed_say(&r->deed, NULL);
}

/* In a group that this device is in already, the paper may still have keys that the device lacks: of an epoch made before it came, in a
 * part of the group that did not know of it. Those it gets. */
static int recover_into(struct recovery *r, struct vd_group *group, struct vd_group *ours)
{
	const struct vd_device *paper = vd_group_find(group, r->paper->author), *own = NULL;
	uint8_t author[VD_KEY_BYTES];
	struct vd_merge merge = { 0 };
	size_t sealed = 0;
	bool grew;
	int rc;

	if (!paper || paper->role != VD_ROLE_COORDINATOR)
		return VD_EAUTHOR;
	if (!vd_group_epoch_count(group))
		return VD_EKEY;
	if (ours) {
		memcpy(author, vd_group_identity(ours)->author, VD_KEY_BYTES);
		own = vd_group_find(group, author);
		if (!own || own->role == VD_ROLE_NONE || memcmp(own->person, paper->person, VD_PERSON_BYTES))
			return VD_EEXISTS;
	}
	rc = vd_merge_into(r->write, group, r->control, false, NULL, &merge, &grew);
	if (!rc && ours)
		rc = follow(r, author);
	if (!rc && !ours)
		rc = admit_next(r, paper, author);
	if (!rc)
		rc = vd_deed_seal(&r->deed, author, false, &sealed);
	if (!rc && ours && !sealed)
		rc = VD_EEXISTS;
	if (!rc && !ours)
		rc = sealed ? vd_group_keep(r->write, vd_group_id(group), vd_group_salt(group), r->seed) : VD_EKEY;
	return rc;
}

static int add_stored(void *batch, uint64_t arrival, uint64_t received_ms, struct vd_slice raw)
{
	(void)arrival;
	(void)received_ms;
	return vd_batch_add(batch, raw);
}

static int recover_group(struct recovery *r, const uint8_t *id)
{
	struct vd_chain_port port = { r->store, vd_vouched };
	struct vd_group *group = vd_group_new(id, r->paper), *ours = NULL;
	int rc = group ? vd_store_group(r->store, id, &ours) : VD_ENOMEM;

	/* Together with what is here already; or there is nothing yet. */
	if (!rc)
		rc = vd_store_walk(r->store, id, VD_LANE_CONTROL, 0, add_stored, r->control);
	else if (rc == VD_ENOTFOUND)
		rc = VD_OK;
	if (!rc)
		rc = vd_chain_verify(r->control, group, &port, NULL);
	if (!rc && (!vd_group_salt(group) || !confirmed(r->control, group, r->paper->author)))
		rc = VD_ESIGNATURE;
	r->deed.group = group;
	if (!rc)
		rc = recover_into(r, group, ours);
	vd_group_free(ours);
	vd_group_free(group);
	return rc;
}

/* The groups that the records name, none twice. */
static size_t groups_in(struct vd_batch *control, uint8_t (*ids)[VD_GROUP_BYTES], size_t max)
{
	size_t count = 0;

	vd_batch_seal(control);
	for (size_t i = 0; i < control->count && count < max; i++) {
		bool listed = false;

		for (size_t k = 0; k < count; k++)
			listed = listed || !memcmp(ids[k], control->entries[i].record.group, VD_GROUP_BYTES);
		if (!listed)
			memcpy(ids[count++], control->entries[i].record.group, VD_GROUP_BYTES);
	}
	return count;
}

static int recover(struct recovery *r, uint8_t group[VD_GROUP_BYTES])
{
	uint8_t ids[PAPER_GROUPS_MAX][VD_GROUP_BYTES];
	size_t count = groups_in(r->control, ids, PAPER_GROUPS_MAX);
	int rc = VD_ESIGNATURE;

	/* One that the paper did not confirm has changed nothing. */
	for (size_t i = 0; i < count && rc == VD_ESIGNATURE; i++) {
		rc = recover_group(r, ids[i]);
		memcpy(group, ids[i], VD_GROUP_BYTES);
	}
	return rc;
}

int vd_act_recover(struct vd_store *s, const struct vd_identity *paper, const char *path, const char *name, uint64_t now_ms,
                   uint8_t group[VD_GROUP_BYTES])
{
	struct finds finds = { .store = s, .paper = paper };
	struct recovery r = { .store = s, .control = &finds.control, .paper = paper, .name = name };
	int rc = name && strlen(name) > VD_NAME_MAX ? VD_EINVAL : take(&finds, path);

	if (!rc)
		rc = vd_write_begin(s, &r.write);
	if (rc)
		goto done;
	r.deed = (struct vd_deed){ .store = s, .write = r.write, .now_ms = now_ms };
	rc = vd_deed_end(&r.deed, recover(&r, group));
	/* What is missing may be what was not whole. */
	if (finds.worst && (rc == VD_ESIGNATURE || rc == VD_EKEY || rc == VD_EAUTHOR))
		rc = finds.worst;
done:
	vd_batch_deinit(&finds.control);
	sodium_memzero(r.seed, sizeof(r.seed));
	return rc;
}
