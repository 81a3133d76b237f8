/* list, watch: what the store holds, for people and programs. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admin.h"
#include "proto/err.h"
#include "times.h"
#include "unseen.h"

enum { LOOK_AGAIN_MS = 200, LOOKED_FOR_EACH = 64, ASKED_FOR_EACH = 16 };

/* A query together with the room for what it points to. */
struct asked {
	struct vd_query query;
	uint8_t group[VD_GROUP_BYTES], person[VD_PERSON_BYTES];
	struct vd_id about;
};

struct printing {
	struct vd_cli *cli;
	uint64_t count, last;       /* highest arrival number seen */
	const struct vd_unseen *unseen, *other; /* only what is unseen in both; NULL: whatever it is */
	uint64_t skip;              /* the first so many are not shown */
	bool looks, gathered;       /* for what replaces each; or it is in `replaced` */
	struct vd_buf replaced;
};

/* The next of the ids that `items`, of replaced_items, says it replaces. */
static bool replaced_item(struct vd_rd *items, struct vd_id *out)
{
	struct vd_value item;

	while (vd_value_next(items, &item))
		if (item.type == VD_MP_BIN && item.bytes.n == VD_ID_BYTES) {
			memcpy(out->b, item.bytes.p, VD_ID_BYTES);
			return true;
		}
	return false;
}

static struct vd_rd replaced_items(const struct vd_found *f)
{
	const struct vd_value *replaces = f->body ? NULL : vd_content_get(f->content, "replaces", VD_MP_ARRAY, 0);

	return replaces ? vd_value_items(replaces) : vd_rd(vd_slice(NULL, 0));
}

/* What replaces a record: the newest, for one may be corrected more than once. */
struct successor {
	const struct vd_id *of;
	struct vd_id by;
	bool found;
};

static int keep_successor(void *ctx, const struct vd_found *f)
{
	struct vd_rd items = replaced_items(f);
	struct successor *s = ctx;
	struct vd_id id;

	while (replaced_item(&items, &id))
		if (memcmp(id.b, s->of->b, VD_ID_BYTES) == 0) {
			s->by = f->record->id;
			s->found = true;
		}
	return 0;
}

bool vd_find_successor(struct vd_cli *cli, const struct vd_id *id, struct vd_id *by)
{
	struct successor s = { .of = id };
	const struct vd_query query = { .history = id };
	int ignored = vd_query(cli->store, &query, keep_successor, &s); /* what is damaged is told by who asked for the records */

	(void)ignored;
	*by = s.by;
	return s.found;
}

static int keep_replaced(void *ctx, const struct vd_found *f)
{
	struct vd_rd items = replaced_items(f);
	struct vd_id id;

	while (replaced_item(&items, &id))
		vd_buf_put(ctx, id.b, VD_ID_BYTES);
	return 0;
}

static int by_id(const void *a, const void *b)
{
	return memcmp(a, b, VD_ID_BYTES);
}

/* All that is replaced by a record of the same kind, sorted: for a list too long to look for each. */
static void gather_replaced(struct printing *p, const struct vd_query *asked)
{
	const struct vd_query query = { .group = asked->group, .kind = asked->kind, .has_since = asked->has_since, .since_ms = asked->since_ms };
	int ignored = vd_query(p->cli->store, &query, keep_replaced, &p->replaced);

	(void)ignored;
	p->gathered = !vd_buf_check(&p->replaced);
	if (p->gathered && p->replaced.n)
		qsort(p->replaced.p, p->replaced.n / VD_ID_BYTES, VD_ID_BYTES, by_id);
}

static bool is_replaced(struct printing *p, const struct vd_id *id)
{
	struct vd_id by;

	if (p->gathered)
		return p->replaced.n && bsearch(id->b, p->replaced.p, p->replaced.n / VD_ID_BYTES, VD_ID_BYTES, by_id);
	return p->looks && vd_find_successor(p->cli, id, &by);
}

/* What waits was listed when it came, sealed as it was, and is new again once it can be shown. */
static bool is_unseen(const struct printing *p, const struct vd_found *f)
{
	if ((p->unseen && !vd_unseen_has(p->unseen, f->arrival)) || (p->other && !vd_unseen_has(p->other, f->arrival)))
		return false;
	return !((p->unseen && f->arrival <= p->unseen->mark) || (p->other && f->arrival <= p->other->mark)) || !vd_unseen_waits(f);
}

static int count_one(void *ctx, const struct vd_found *f)
{
	struct printing *p = ctx;

	p->skip += is_unseen(p, f);
	return 0;
}

static int print_one(void *ctx, const struct vd_found *f)
{
	struct printing *p = ctx;

	if (!is_unseen(p, f))
		return 0;
	if (p->skip) {
		p->skip--;
		return 0;
	}
	if (f->arrival > p->last)
		p->last = f->arrival;
	p->count++;
	if (p->cli->opt.json)
		vd_say_json(p->cli, vd_json_record(f));
	else
		vd_say_record(p->cli, f, is_replaced(p, &f->record->id));
	return vd_say_ok(p->cli) ? 0 : VD_ECLOSED;
}

static int parse_moment(struct vd_cli *cli, enum vd_opt option, bool *has, uint64_t *ms)
{
	const char *text = vd_options_get(&cli->opt, option);

	*has = text != NULL;
	if (!text || vd_time_parse(text, vd_time_now_ms(), true, ms) == 0)
		return 0;
	return vd_misuse(cli, VD_MSG_HINT_TIME, VD_MSG_BAD_TIME, text, NULL);
}

static int parse_limit(struct vd_cli *cli, size_t *limit)
{
	const char *text = vd_options_get(&cli->opt, VD_OPT_LIMIT);
	char *end;
	unsigned long long n;

	if (!text)
		return 0;
	errno = 0;
	n = strtoull(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end || errno || n == 0)
		return vd_misuse(cli, VD_MSG_HINT_HELP_COMMAND, VD_MSG_BAD_NUMBER, cli->opt.command, text, NULL);
	*limit = (size_t)n;
	return 0;
}

static int parse_about(struct vd_cli *cli, const char *text, struct vd_id *id)
{
	size_t n = 0;

	/* A whole id needs not be here: what is about it may have come first. */
	if (strlen(text) == 2 * VD_ID_BYTES && vd_unhex(id->b, VD_ID_BYTES, text, &n) == 0)
		return 0;
	return vd_cli_record(cli, text, id, NULL, NULL);
}

/* Fills a query from the options and the kind, if one was named. */
static int ask(struct vd_cli *cli, struct asked *a)
{
	const char *author = vd_options_get(&cli->opt, VD_OPT_AUTHOR), *about = vd_options_get(&cli->opt, VD_OPT_ABOUT);
	uint8_t groups[VD_STORE_GROUPS_MAX][VD_GROUP_BYTES];
	size_t count = 0;
	int rc;

	memset(a, 0, sizeof *a);
	a->query.quarantined = vd_options_get(&cli->opt, VD_OPT_QUARANTINED) != NULL;
	rc = vd_cli_groups(cli, groups, &count);
	if (rc)
		return rc;
	if (cli->opt.arg_count) {
		rc = vd_cli_kind(cli, cli->opt.args[0]);
		if (rc)
			return rc;
	}
	if (cli->opt.group) {
		memcpy(a->group, groups[0], sizeof a->group);
		a->query.group = a->group;
	}
	a->query.kind = cli->opt.arg_count ? cli->opt.args[0] : NULL;
	a->query.search = vd_options_get(&cli->opt, VD_OPT_SEARCH);
	rc = parse_moment(cli, VD_OPT_SINCE, &a->query.has_since, &a->query.since_ms);
	if (!rc)
		rc = parse_moment(cli, VD_OPT_UNTIL, &a->query.has_until, &a->query.until_ms);
	if (!rc)
		rc = parse_limit(cli, &a->query.limit);
	if (!rc && author) {
		rc = vd_cli_member(cli, author, a->person);
		a->query.person = a->person;
	}
	if (!rc && about) {
		rc = parse_about(cli, about, &a->about);
		a->query.about = &a->about;
	}
	return rc;
}

/* Where --new has got to, one mark for each way of asking; the mark of a plain list counts for all but the quarantine's. */
static void mark_key(const struct asked *a, struct vd_buf *key)
{
	if (a->query.group)
		vd_buf_put(key, a->group, sizeof a->group);
	vd_buf_put_u8(key, 0);
	if (a->query.kind)
		vd_buf_put_slice(key, vd_slice_str(a->query.kind));
	vd_buf_put_u8(key, 0);
	if (a->query.person)
		vd_buf_put(key, a->person, sizeof a->person);
	vd_buf_put_u8(key, 0);
	if (a->query.about)
		vd_buf_put(key, a->about.b, sizeof a->about.b);
	vd_buf_put_u8(key, 0);
	if (a->query.search)
		vd_buf_put_slice(key, vd_slice_str(a->query.search));
	if (a->query.quarantined)
		vd_buf_put_slice(key, vd_slice("\0quarantined", 12));
}

/* --- what is aside --- */

static int count_unreviewed(void *ctx, const struct vd_found *f)
{
	*(uint64_t *)ctx += f->review == VD_REVIEW_NONE;
	return 0;
}

/* Records of a group that wait for a coordinator's word; 0 when this device is none. What is damaged is told by who lists it. */
static uint64_t count_waiting(struct vd_cli *cli, const uint8_t id[VD_GROUP_BYTES], bool *coordinates)
{
	struct vd_query query = { .group = id, .quarantined = true };
	struct vd_group *group = NULL;
	size_t removed = 0, asked = 0;
	uint64_t n = 0;
	int ignored = vd_store_group(cli->store, id, &group);

	if (ignored || vd_group_role(group) != VD_ROLE_COORDINATOR) {
		vd_group_free(group);
		return 0;
	}
	*coordinates = true;
	for (size_t i = 0; i < vd_group_device_count(group); i++)
		removed += vd_group_device(group, i)->role == VD_ROLE_NONE;
	/* Of a few it is quicker to look through what each wrote. */
	for (size_t i = 0; i < vd_group_device_count(group) && removed <= ASKED_FOR_EACH; i++) {
		if (vd_group_device(group, i)->role != VD_ROLE_NONE)
			continue;
		query.author = vd_group_device(group, i)->author;
		ignored = vd_query(cli->store, &query, count_unreviewed, &n);
		asked++;
	}
	if (removed > asked)
		ignored = vd_query(cli->store, &query, count_unreviewed, &n);
	(void)ignored;
	vd_group_free(group);
	return n;
}

static void say_quarantine(struct vd_cli *cli, const struct asked *a, uint64_t shown)
{
	uint8_t groups[VD_STORE_GROUPS_MAX][VD_GROUP_BYTES];
	bool coordinates = false;
	size_t count = 0;
	uint64_t n = 0;

	if (cli->opt.quiet || (a->query.quarantined && !shown) || vd_store_groups(cli->store, groups, &count))
		return;
	for (size_t i = 0; i < count; i++)
		if (!a->query.group || memcmp(groups[i], a->query.group, VD_GROUP_BYTES) == 0)
			n += count_waiting(cli, groups[i], &coordinates);
	if (a->query.quarantined)
		vd_note(cli, coordinates ? VD_MSG_QUARANTINE_DECIDE : VD_MSG_QUARANTINE_OTHERS, NULL);
	else if (n)
		vd_note(cli, n == 1 ? VD_MSG_QUARANTINE_ONE : VD_MSG_QUARANTINE_WAITING, vd_num(cli, n), NULL);
}

/* --- what is new --- */

/* For --new: what this way of asking, and the plain one, have not shown. */
struct news {
	struct vd_unseen own, plain, next;
	struct vd_buf key;
};

static int find_news(struct vd_cli *cli, struct asked *a, struct news *n)
{
	const struct asked plain = { .query = { .quarantined = a->query.quarantined } };
	uint64_t latest = 0;
	int err;

	mark_key(&plain, &n->key);
	vd_unseen_read(cli->store, vd_buf_slice(&n->key), &n->plain);
	vd_buf_reset(&n->key);
	mark_key(a, &n->key);
	vd_unseen_read(cli->store, vd_buf_slice(&n->key), &n->own);
	a->query.after = vd_unseen_after(&n->own);
	if (vd_unseen_after(&n->plain) > a->query.after)
		a->query.after = vd_unseen_after(&n->plain);
	err = vd_store_latest(cli->store, &latest);
	n->next.mark = latest > n->own.mark ? latest : n->own.mark;
	/* In quarantine nothing waits to be shown. */
	if (!err && !a->query.quarantined)
		err = vd_unseen_next(cli->store, &a->query, &n->own, &n->plain, n->next.mark, &n->next);
	return err == VD_EDAMAGED ? 0 : err; /* told by the list itself */
}

/* Among what is unseen stands what is not: of that no limit may speak. */
static int limit_news(struct vd_cli *cli, struct asked *a, struct printing *p)
{
	size_t limit = a->query.limit;
	int err;

	if (!limit || !(p->unseen->count || p->other->count))
		return 0;
	a->query.limit = 0;
	err = vd_query(cli->store, &a->query, count_one, p);
	p->skip = p->skip > limit ? p->skip - limit : 0;
	return err == VD_EDAMAGED ? 0 : err;
}

/* Only what has really been shown counts as seen; a damaged record comes anew when it is whole again. */
static int keep_news(struct vd_cli *cli, struct news *n, const struct printing *p, bool damaged)
{
	if (damaged)
		n->next.mark = p->last > n->own.mark ? p->last : n->own.mark;
	while (n->next.count && n->next.waiting[n->next.count - 1] > n->next.mark)
		n->next.count--;
	if (n->next.mark == n->own.mark && n->next.count == n->own.count &&
	    memcmp(n->next.waiting, n->own.waiting, n->own.count * sizeof *n->own.waiting) == 0)
		return 0;
	return vd_unseen_write(cli->store, vd_buf_slice(&n->key), &n->next);
}

static int list_with(struct vd_cli *cli, struct asked *a, struct news *news)
{
	struct printing p = { .cli = cli };
	int rc = 0, err = news ? find_news(cli, a, news) : 0;

	if (news) {
		p.unseen = &news->own;
		p.other = &news->plain;
		if (!err)
			err = limit_news(cli, a, &p);
	}
	p.looks = !cli->opt.json;
	if (p.looks && (!a->query.limit || a->query.limit > LOOKED_FOR_EACH))
		gather_replaced(&p, &a->query);
	if (!err)
		err = vd_query(cli->store, &a->query, print_one, &p);
	vd_buf_deinit(&p.replaced);
	if (err && err != VD_ECLOSED)
		rc = vd_cli_query_failed(cli, err);
	if (!rc && p.count == 0 && !cli->opt.json)
		vd_note(cli, a->query.quarantined ? VD_MSG_QUARANTINE_EMPTY : VD_MSG_LIST_NOTHING, NULL);
	if (news && (!err || err == VD_EDAMAGED) && vd_say_end(cli, 0) == 0) {
		err = keep_news(cli, news, &p, err == VD_EDAMAGED);
		if (err && !rc)
			rc = vd_cli_query_failed(cli, err);
	}
	if (!rc && !cli->opt.json)
		say_quarantine(cli, a, p.count);
	return rc;
}

static int list_run(struct vd_cli *cli)
{
	bool only_new = vd_options_get(&cli->opt, VD_OPT_NEW) != NULL;
	struct news *news = only_new ? calloc(1, sizeof *news) : NULL;
	struct asked a;
	int rc = ask(cli, &a);

	if (!rc && only_new && !news)
		rc = vd_cli_query_failed(cli, VD_ENOMEM);
	if (!rc)
		rc = list_with(cli, &a, news);
	if (!rc)
		vd_cli_tend_due(cli);
	if (news)
		vd_buf_deinit(&news->key);
	free(news);
	return rc;
}

const struct vd_command vd_command_list = {
	.syntax = { "list", { VD_OPT_SINCE, VD_OPT_UNTIL, VD_OPT_NEW, VD_OPT_AUTHOR, VD_OPT_ABOUT, VD_OPT_SEARCH, VD_OPT_LIMIT,
	                      VD_OPT_QUARANTINED } },
	.run = list_run, .summary = VD_MSG_SUM_LIST, .help = VD_MSG_HELP_LIST, .args_max = 1,
};

static int watch_run(struct vd_cli *cli)
{
	struct pollfd out = { .fd = STDOUT_FILENO };
	struct vd_unseen unseen = { 0 }, next;
	struct printing p = { .cli = cli, .unseen = &unseen };
	uint64_t latest = 0;
	struct asked a;
	int rc = ask(cli, &a), err, damaged = 0;

	if (rc)
		return rc;
	err = vd_store_latest(cli->store, &unseen.mark);
	vd_note(cli, VD_MSG_WATCHING, NULL);
	vd_interrupt_graceful(true);
	while (!err && !vd_interrupted() && vd_say_ok(cli)) {
		/* The sleep, which also notices that nobody reads us any more. */
		if (poll(&out, 1, LOOK_AGAIN_MS) > 0 && (out.revents & (POLLERR | POLLNVAL))) {
			cli->out_error = EPIPE;
			break;
		}
		err = vd_store_latest(cli->store, &latest);
		if (err || latest <= unseen.mark)
			continue;
		a.query.after = vd_unseen_after(&unseen);
		err = vd_unseen_next(cli->store, &a.query, &unseen, NULL, latest, &next);
		if (!err || err == VD_EDAMAGED)
			err = vd_query(cli->store, &a.query, print_one, &p);
		unseen = next;
		vd_say_flush(cli);
		if (err == VD_ECLOSED)
			err = 0;
		/* Said at once, and what comes next is shown all the same. */
		if (err == VD_EDAMAGED) {
			damaged = vd_cli_query_failed(cli, err);
			err = 0;
		}
	}
	vd_interrupt_graceful(false);
	if (err)
		return vd_cli_query_failed(cli, err);
	if (damaged)
		return damaged;
	return vd_interrupted() ? VD_EXIT_INTERRUPTED : VD_EXIT_DONE; /* vd_say_end knows why nobody reads us */
}

const struct vd_command vd_command_watch = {
	.syntax = { "watch", { VD_OPT_AUTHOR, VD_OPT_ABOUT, VD_OPT_SEARCH } },
	.run = watch_run, .summary = VD_MSG_SUM_WATCH, .help = VD_MSG_HELP_WATCH, .args_max = 1,
};
