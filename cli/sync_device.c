/* sync with another device: by address, by ssh, over a pipe. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "admin.h"
#include "daemon/link_stdio.h"
#include "daemon/link_tcp.h"
#include "declined.h"
#include "proto/err.h"
#include "sync.h"

/* Who answered there and has no role in the group. */
struct refused {
	bool any, removed;
	char name[VD_WHO_TEXT], key[2 * VD_KEY_SHOWN + 1];
};

/* What came of the exchanges in all groups. */
struct tally {
	struct vd_outcome o;
	struct vd_left_out left_out;
	struct refused who;
	size_t reached;
	int first_err;
	uint64_t unread;        /* vd_store_unread before it */
	bool pipe;              /* somebody is at its end: no address to look up, no veredad wanted */
};

static void add_up(struct vd_outcome *o, const struct vd_sync_result *r)
{
	o->sent += r->stats.sent;
	o->received += r->stats.received;
	o->refused += r->stats.refused;
	o->later += r->later;
	o->bytes_out += r->bytes_out;
	o->bytes_in += r->bytes_in;
	o->round_trips += r->stats.round_trips;
	o->elapsed_ms += r->elapsed_ms;
}

static void note_refused(struct vd_group *group, const struct vd_sync_result *r, struct refused *who)
{
	const struct vd_device *device = r->refused ? vd_group_find(group, r->peer) : NULL;

	if (!r->refused || who->any)
		return;
	who->any = true;
	who->removed = device != NULL;
	vd_who(group, r->peer, who->name);
	vd_hex(who->key, r->peer, VD_KEY_SHOWN);
}

static int refused_code(struct vd_cli *cli, const char *target, const struct refused *who)
{
	if (who->removed)
		return vd_refuse(cli, VD_EXIT_FAILED, "removed", VD_MSG_HINT_SYNC_REMOVED, VD_MSG_SYNC_REMOVED, target, who->name, who->key,
		                 NULL);
	return vd_refuse(cli, VD_EXIT_FAILED, "not-admitted", VD_MSG_HINT_SYNC_UNKNOWN, VD_MSG_SYNC_UNKNOWN, target, who->key, NULL);
}

/* What came of one group. `alone`: there is no other, so that no answer is an error. */
static void tally_add(struct tally *t, struct vd_cli *cli, struct vd_group *group, const struct vd_sync_result *r, int err, bool alone)
{
	if (err == VD_EAUTHOR)
		note_refused(group, r, &t->who);
	if (!err)
		err = vd_left_out_session(&t->left_out, cli, group, r);
	add_up(&t->o, r);
	t->reached += r->connected;
	/* With more groups than one the other end need not be in all of them. */
	if (err && !t->first_err && (r->connected || err != VD_ECLOSED || alone))
		t->first_err = err;
	if (r->connected)
		t->o.complete = t->o.complete && r->complete && !err;
}

/* Says it all. */
static int tally_end(struct tally *t, struct vd_cli *cli, const char *target)
{
	bool unread = vd_store_unread(cli->store) != t->unread;
	int code;

	t->o.complete = t->o.complete && t->reached > 0 && !t->first_err && !unread;
	t->o.declined = t->left_out.here + t->left_out.there;
	if (t->reached)
		vd_outcome_say(cli, target, &t->o);
	code = t->o.complete ? vd_left_out_say(&t->left_out, cli, target) : VD_EXIT_DONE;
	vd_left_out_deinit(&t->left_out);
	if (t->o.complete)
		return code;
	if (t->first_err == VD_EINVAL)
		return vd_misuse(cli, VD_MSG_HINT_SYNC_TARGET, VD_MSG_SYNC_BAD_TARGET, target, NULL);
	if (t->first_err == VD_EAUTHOR && t->who.any)
		return refused_code(cli, target, &t->who);
	if (unread && t->reached)
		return vd_refuse(cli, VD_EXIT_PARTLY, "damaged", VD_MSG_HINT_CHECK_BAD, VD_MSG_SYNC_UNREADABLE, target, NULL);
	if (t->first_err && t->first_err != VD_ECLOSED && t->first_err != VD_EAGAIN)
		return vd_fail(cli, t->first_err, VD_MSG_NONE, VD_MSG_SYNC_FAILED, target, NULL);
	if (!t->reached && t->pipe)
		return vd_refuse(cli, VD_EXIT_UNREACHABLE, "unreachable", VD_MSG_HINT_PIPE_NOT_MET, VD_MSG_PIPE_NOT_MET, target, NULL);
	if (!t->reached)
		return vd_refuse(cli, VD_EXIT_UNREACHABLE, "unreachable", VD_MSG_HINT_SYNC_UNREACHABLE, VD_MSG_SYNC_UNREACHABLE, target,
		                 NULL);
	return vd_refuse(cli, VD_EXIT_PARTLY, "partly", VD_MSG_HINT_SYNC_PARTLY, VD_MSG_SYNC_PARTLY, target, NULL);
}

/* Every group in turn: the other end answers for those it shares. */
int vd_sync_host(struct vd_cli *cli, const char *target, uint8_t (*groups)[VD_GROUP_BYTES], size_t count)
{
	struct tally t = { .o.complete = true, .unread = vd_store_unread(cli->store) };

	for (size_t i = 0; i < count; i++) {
		struct vd_group *group = NULL;
		struct vd_sync_result r;
		int err = vd_store_group(cli->store, groups[i], &group);

		memset(&r, 0, sizeof r);
		if (!err)
			err = vd_sync_tcp(cli->store, group, target, &r);
		tally_add(&t, cli, group, &r, err, count == 1);
		vd_group_free(group);
	}
	return tally_end(&t, cli, target);
}

/* --- over a pipe --- */

struct visit {
	struct vd_group *groups[VD_STORE_GROUPS_MAX];
	struct vd_sync_result results[VD_STORE_GROUPS_MAX];
	int errs[VD_STORE_GROUPS_MAX];
	size_t count;
	struct vd_stdio_result end;
	uint64_t unread;        /* vd_store_unread before it */
	int err;
};

static bool stopped(void)
{
	return vd_interrupted();
}

/* NULL: no memory, or a group that cannot be read, which was said (*code). */
static struct visit *visit_make(struct vd_cli *cli, const struct vd_stdio_way *way, const char *target,
                                uint8_t (*groups)[VD_GROUP_BYTES], size_t count, int *code)
{
	struct visit *v = calloc(1, sizeof *v);
	int err = v ? VD_OK : VD_ENOMEM;

	for (size_t i = 0; !err && i < count; i++, v->count += !err)
		err = vd_store_group(cli->store, groups[i], &v->groups[i]);
	if (!err) {
		v->unread = vd_store_unread(cli->store);
		vd_interrupt_graceful(true);
		v->err = vd_sync_stdio(cli->store, v->groups, count, way, v->results, v->errs, &v->end);
		vd_interrupt_graceful(false);
		return v;
	}
	*code = vd_fail(cli, err, VD_MSG_NONE, VD_MSG_SYNC_FAILED, target, NULL);
	for (size_t i = 0; v && i < v->count; i++)
		vd_group_free(v->groups[i]);
	free(v);
	return NULL;
}

static void visit_free(struct visit *v)
{
	for (size_t i = 0; i < v->count; i++)
		vd_group_free(v->groups[i]);
	free(v);
}

/* What went wrong with the pipe as a whole, before anybody was met there. */
static int nobody_code(struct vd_cli *cli, const char *target, const struct visit *v)
{
	if (v->end.text[0])
		return vd_refuse(cli, VD_EXIT_FAILED, "not-vereda", VD_MSG_HINT_PIPE_TEXT, VD_MSG_PIPE_TEXT, target, v->end.text, NULL);
	switch (v->err) {
	case VD_EEXISTS:
		return vd_refuse(cli, VD_EXIT_FAILED, "echo", VD_MSG_HINT_PIPE_ECHO, VD_MSG_PIPE_ECHO, target, NULL);
	case VD_EGROUP:
		return vd_refuse(cli, VD_EXIT_KEY, "other-group", VD_MSG_HINT_PIPE_GROUP, VD_MSG_PIPE_GROUP, target, NULL);
	case VD_ECLOSED:
		return vd_refuse(cli, VD_EXIT_UNREACHABLE, "unreachable", VD_MSG_HINT_PIPE_NOBODY, VD_MSG_PIPE_NOBODY, target, NULL);
	default:
		return vd_fail(cli, v->err, VD_MSG_NONE, VD_MSG_SYNC_FAILED, target, NULL);
	}
}

static int visit_code(struct vd_cli *cli, const char *target, const struct visit *v)
{
	struct tally t = { .o.complete = true, .unread = v->unread, .pipe = true };
	bool refused = false;

	for (size_t i = 0; i < v->count; i++) {
		tally_add(&t, cli, v->groups[i], &v->results[i], v->errs[i], v->count == 1 && v->err);
		refused |= v->results[i].refused;
	}
	t.o.bytes_in = v->end.bytes_in;
	t.o.bytes_out = v->end.bytes_out;
	t.o.elapsed_ms = v->end.elapsed_ms;
	if (v->err && !t.first_err && t.reached)
		t.first_err = v->err;
	if (v->end.stopped) {
		if (t.reached)
			vd_outcome_say(cli, target, &(struct vd_outcome){ .sent = t.o.sent, .received = t.o.received, .bytes_in = t.o.bytes_in,
			                                                  .bytes_out = t.o.bytes_out, .round_trips = t.o.round_trips,
			                                                  .elapsed_ms = t.o.elapsed_ms });
		vd_left_out_deinit(&t.left_out);
		return VD_EXIT_INTERRUPTED;
	}
	if (!t.reached && !refused && v->err) {
		vd_left_out_deinit(&t.left_out);
		return nobody_code(cli, target, v);
	}
	return tally_end(&t, cli, target);
}

int vd_sync_stdio_begin(struct vd_cli *cli, struct vd_ends *ends)
{
	int nothing;

	if (cli->opt.arg_count)
		return vd_misuse(cli, VD_MSG_HINT_PIPE_TTY, VD_MSG_PIPE_TARGET, cli->opt.args[0], NULL);
	if (isatty(STDIN_FILENO) || isatty(STDOUT_FILENO))
		return vd_misuse(cli, VD_MSG_HINT_PIPE_TTY, VD_MSG_PIPE_TTY, NULL);
	ends->in = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	ends->out = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (ends->in < 0 || ends->out < 0 || nothing < 0 || dup2(nothing, STDIN_FILENO) < 0 ||
	    dup2(cli->opt.quiet ? nothing : STDERR_FILENO, STDOUT_FILENO) < 0)
		return vd_refuse(cli, VD_EXIT_FAILED, "pipe", VD_MSG_HINT_PIPE_TTY, VD_MSG_PIPE_TTY, NULL);
	close(nothing);
	cli->opt.no_input = true;
	return VD_EXIT_DONE;
}

int vd_sync_pipe(struct vd_cli *cli, const struct vd_ends *ends, uint8_t (*groups)[VD_GROUP_BYTES], size_t count)
{
	const struct vd_stdio_way way = { .in = ends->in, .out = ends->out, .stopped = stopped };
	const char *target = vd_text(cli->lang, VD_MSG_PIPE_OTHER_END);
	int code = VD_EXIT_FAILED;
	struct visit *v = visit_make(cli, &way, target, groups, count, &code);

	if (v) {
		code = visit_code(cli, target, v);
		visit_free(v);
	}
	return code;
}

/* --- ssh --- */

enum { USER_MAX = 64, HOST_MAX = 255 };

struct ssh {
	char to[USER_MAX + HOST_MAX + 2], port[8]; /* [user@]host; "" for ssh's own default */
	char by_hand[USER_MAX + HOST_MAX + 16];    /* what a person gives ssh */
};

static const char scheme[] = "ssh://";

/* What ssh, its configuration or a shell could take for anything but a name is no name. */
static bool is_word(const char *p, size_t n, size_t max, const char *marks)
{
	if (!n || n > max || p[0] == '-')
		return false;
	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)p[i]) && !strchr(marks, p[i]))
			return false;
	return true;
}

/* [USER@]HOST[:PORT], or [USER@][ADDRESS][:PORT] with the brackets of IPv6. */
static bool ssh_parse(const char *text, struct ssh *out)
{
	const char *at = strrchr(text, '@'), *host = at ? at + 1 : text;
	size_t user_n = at ? (size_t)(at - text) : 0, host_n = strcspn(host, ":"), port_n;
	bool bracket = host[0] == '[';
	const char *port;

	if (bracket) {
		host++;
		host_n = strcspn(host, "]");
		if (host[host_n] != ']')
			return false;
	}
	port = host + host_n + bracket;
	port_n = strlen(port);
	if (port_n && port[port_n - 1] == '/')
		port_n--;
	else if (!port_n && host_n && host[host_n - 1] == '/' && !bracket)
		host_n--;
	if (port_n && (port[0] != ':' || port_n < 2 || port_n > 6 || strspn(port + 1, "0123456789") < port_n - 1 || atoi(port + 1) > 65535 ||
	               atoi(port + 1) < 1))
		return false;
	if ((at && !is_word(text, user_n, USER_MAX, "._-+")) || !is_word(host, host_n, HOST_MAX, bracket ? ":.%" : "._-"))
		return false;
	snprintf(out->to, sizeof out->to, "%.*s%.*s", (int)(at ? user_n + 1 : 0), text, (int)host_n, host);
	snprintf(out->port, sizeof out->port, "%.*s", (int)(port_n ? port_n - 1 : 0), port_n ? port + 1 : "");
	snprintf(out->by_hand, sizeof out->by_hand, "%s%s%s%s", port_n ? "-p " : "", out->port, port_n ? " " : "", out->to);
	return true;
}

bool vd_sync_is_ssh(const char *target)
{
	return strncasecmp(target, scheme, strlen(scheme)) == 0;
}

static int ssh_of(struct vd_cli *cli, const char *target, struct ssh *out)
{
	if (ssh_parse(target + strlen(scheme), out))
		return 0;
	return vd_misuse(cli, VD_MSG_HINT_SSH_TARGET, VD_MSG_SSH_BAD_TARGET, target, NULL);
}

int vd_sync_ssh_check(struct vd_cli *cli, const char *target)
{
	struct ssh ssh;

	return ssh_of(cli, target, &ssh);
}

struct hearer {
	struct vd_cli *cli;
	const char *to;
};

static void on_said(void *ctx, struct vd_slice line)
{
	const struct hearer *h = ctx;
	char text[VD_STDIO_LINE_MAX + 1];

	memcpy(text, line.p, line.n);
	text[line.n] = '\0';
	vd_note(h->cli, VD_MSG_SSH_SAYS, h->to, text, NULL);
}

static void on_wait(void *ctx)
{
	const struct hearer *h = ctx;

	vd_note(h->cli, VD_MSG_SSH_WAITS, h->to, NULL);
}

/* ssh's own exit status, and what the far shell and vereda end with. 0: nothing that explains it. */
static int status_code(struct vd_cli *cli, const struct ssh *ssh, const struct vd_stdio_result *end)
{
	static const struct {
		int status;
		enum vd_exit code;
		const char *word;
		enum vd_msg what, hint;
	} known[] = {
		{ 255, VD_EXIT_UNREACHABLE, "unreachable", VD_MSG_SSH_FAILED, VD_MSG_HINT_SSH_FAILED },
		{ 127, VD_EXIT_FAILED, "no-vereda", VD_MSG_SSH_NO_VEREDA, VD_MSG_HINT_SSH_NO_VEREDA },
		{ 126, VD_EXIT_FAILED, "no-vereda", VD_MSG_SSH_NO_VEREDA, VD_MSG_HINT_SSH_NO_VEREDA },
		{ VD_EXIT_USAGE, VD_EXIT_FAILED, "old-vereda", VD_MSG_SSH_OLD, VD_MSG_HINT_SSH_OLD },
		{ VD_EXIT_NO_STORE, VD_EXIT_FAILED, "no-store-there", VD_MSG_SSH_NO_STORE, VD_MSG_HINT_SSH_NO_STORE },
		{ VD_EXIT_BUSY, VD_EXIT_BUSY, "busy", VD_MSG_SSH_BUSY, VD_MSG_HINT_BUSY },
		{ VD_EXIT_KEY, VD_EXIT_KEY, "locked", VD_MSG_SSH_LOCKED, VD_MSG_HINT_SSH_LOCKED },
	};

	if (end->no_program)
		return vd_refuse(cli, VD_EXIT_FAILED, "no-ssh", VD_MSG_HINT_SSH_NONE, VD_MSG_SSH_NONE, NULL);
	for (size_t i = 0; !end->heard && !end->text[0] && i < sizeof known / sizeof *known; i++)
		if (end->status == known[i].status)
			return vd_refuse(cli, known[i].code, known[i].word, known[i].hint, known[i].what, ssh->to, ssh->by_hand, NULL);
	return 0;
}

int vd_sync_ssh(struct vd_cli *cli, const char *target, uint8_t (*groups)[VD_GROUP_BYTES], size_t count)
{
	struct ssh ssh;
	struct hearer hearer = { cli, ssh.to };
	/* no terminal, nothing forwarded there; the name cannot become an option */
	const char *program[24] = { "ssh", "-T", "-a", "-x" };
	/* ssh puts a blank between them, for the shell there */
	const char *const there[] = { "vereda", "--quiet", "--lang", cli->lang == VD_LANG_ES ? "es" : "en", "sync", "--stdio" };
	struct vd_stdio_way way = { .program = program, .stopped = stopped, .said = on_said, .waits = on_wait, .ctx = &hearer };
	size_t n = 4;
	int code = ssh_of(cli, target, &ssh);
	struct visit *v;

	if (code)
		return code;
	if (cli->opt.no_input) {
		program[n++] = "-o";
		program[n++] = "BatchMode=yes";
	}
	if (ssh.port[0]) {
		program[n++] = "-p";
		program[n++] = ssh.port;
	}
	program[n++] = "--";
	program[n++] = ssh.to;
	for (size_t i = 0; i < sizeof there / sizeof *there; i++)
		program[n++] = there[i];
	v = visit_make(cli, &way, target, groups, count, &code);
	if (!v)
		return code;
	code = v->err && !v->end.stopped ? status_code(cli, &ssh, &v->end) : 0;
	if (!code)
		code = visit_code(cli, target, v);
	visit_free(v);
	return code;
}
