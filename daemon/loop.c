#include "loop.h"

#include <netinet/in.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "locked.h"
#include "heard.h"
#include "log.h"
#include "notify.h"
#include "proto/err.h"

enum {
	POLL_MS = 1000,        /* a writer that died before it poked is noticed then */
	TEND_MS = 600000,      /* what falls due by time alone waits that long at most */
	DROPS_LOGGED = 8, DROPS_MS = 10000, /* whoever knocks a thousand times does not write our log */
};

/* --- groups and growth --- */

static int adopt(struct daemon *d, const uint8_t id[VD_GROUP_BYTES])
{
	struct vd_group *group;

	for (size_t i = 0; i < d->group_count; i++)
		if (!memcmp(vd_group_id(d->groups[i]), id, VD_GROUP_BYTES))
			return 0;
	int rc = vd_store_group(d->store, id, &group);
	if (rc)
		return rc;
	rc = vd_node_add_group(d->node, group);
	if (rc) {
		vd_group_free(group);
		return rc;
	}
	d->groups[d->group_count++] = group;
	for (size_t i = 0; !rc && i < d->conf->peer_count; i++)
		rc = vd_calls_name(&d->calls, d->conf->peer[i], id, vd_tcp_now());
	vd_log(VD_LOG_INFO, "serving groups=%zu", d->group_count);
	return rc;
}

/* One group that cannot be read does not keep the others from being served. */
static int adopt_all(struct daemon *d)
{
	uint8_t ids[VD_STORE_GROUPS_MAX][VD_GROUP_BYTES];
	size_t count;
	int first = vd_store_groups(d->store, ids, &count);

	if (first)
		return first;
	for (size_t i = 0; i < count; i++) {
		int rc = adopt(d, ids[i]);

		first = first ? first : rc;
	}
	return first;
}

static void tend(struct daemon *d)
{
	if (d->stopping)
		return;
	d->tended_ms = vd_tcp_now();
	vd_tending_wish(&d->tending);
}

/* What has become full may let go of something at once. */
static void tend_if_full(struct daemon *d, int before)
{
	if (d->disk.err == VD_ENOSPACE && before != VD_ENOSPACE)
		tend(d);
}

static void on_tended(void *ctx, int rc, const struct vd_tended *t)
{
	struct daemon *d = ctx;

	if (rc)
		vd_log(VD_LOG_ERROR, "tending failed why=%s", vd_err_name(rc));
	if (t->braked)
		vd_log(VD_LOG_WARNING, "no new keys: this device's acts have forked, another coordinator must make them");
	if (t->epoch_made || t->sealed_to || t->handed || t->redacted || t->expired || t->pruned || t->wanted)
		vd_log(VD_LOG_INFO, "tended epoch=%d sealed=%zu handed=%zu redacted=%llu expired=%llu pruned=%llu wanted=%llu", t->epoch_made, t->sealed_to,
		       t->handed, (unsigned long long)t->redacted, (unsigned long long)t->expired, (unsigned long long)t->pruned,
		       (unsigned long long)t->wanted);
	if (!d->stopping)
		vd_loop_look(d);
}

static void refresh_keys(struct daemon *d)
{
	uint64_t generation = 0;

	for (size_t i = 0; i < d->group_count; i++)
		generation += 1 + vd_group_generation(d->groups[i]);
	if (generation == d->generation)
		return;
	d->generation = generation;
	vd_calls_free_refused(&d->calls, vd_tcp_now(), randombytes_random());
	if (d->discover)
		vd_discover_keys(d->discover, d->groups, d->group_count);
	tend(d);
}

/* The store may have grown by other hands: a command, or our own writer taking records out of the pool. */
void vd_loop_look(struct daemon *d)
{
	uint64_t latest;
	int rc = vd_store_latest(d->store, &latest);

	if (!rc && latest == d->latest)
		return;
	if (!rc) {
		int adopted = adopt_all(d), grew = vd_node_grew(d->node, vd_tcp_now());

		rc = adopted ? adopted : grew;
	}
	if (!rc)
		d->latest = latest;
	else if (rc != d->look_err) /* once, though it is tried again every second */
		vd_log(VD_LOG_ERROR, "reading the store failed why=%s", vd_err_name(rc));
	d->look_err = rc;
	refresh_keys(d);
	vd_tcp_pump(d->tcp);
	vd_loop_call(d);
}

static void on_stick(void *ctx)
{
	struct daemon *d = ctx;

	if (d->stopping)
		return;
	vd_loop_look(d);
	tend(d);
}

static void on_poll(uv_timer_t *timer)
{
	struct daemon *d = timer->data;
	int disk = d->disk.err;

	vd_loop_look(d);
	vd_sticks_look(&d->sticks, vd_tcp_now());
	vd_disk_look(&d->disk, d->store);
	tend_if_full(d, disk);
	if (vd_tcp_now() - d->tended_ms >= TEND_MS)
		tend(d);
}

/* --- calls --- */

static int call(struct daemon *d, struct vd_call *due)
{
	char host[VD_ADDRESS_HOST];
	uint16_t port;

	if (!due->host_port)
		return vd_tcp_call_address(d->tcp, (const struct sockaddr *)&due->address, due->group, due->epoch, due);
	int rc = vd_address_split(due->host_port, host, &port);
	return rc ? rc : vd_tcp_call(d->tcp, host, port, due->group, due);
}

static void on_calling(uv_timer_t *timer)
{
	vd_loop_call(timer->data);
}

void vd_loop_call(struct daemon *d)
{
	struct vd_call *due;
	uint64_t now_ms = vd_tcp_now();

	if (d->stopping)
		return;
	while ((due = vd_calls_due(&d->calls, now_ms))) {
		int rc = call(d, due);

		if (rc)
			vd_calls_ended(due, rc, false, now_ms, randombytes_random());
	}
	uint64_t next = vd_calls_deadline(&d->calls);
	if (next == UINT64_MAX)
		uv_timer_stop(&d->calling);
	else
		uv_timer_start(&d->calling, on_calling, next > now_ms ? next - now_ms : 1, 0);
}

/* --- links --- */

static void on_committed(void *ctx, uint32_t conn, int rc, const struct vd_merge *merge)
{
	struct daemon *d = ctx;
	int disk = d->disk.err;

	vd_disk_note(&d->disk, rc);
	tend_if_full(d, disk);
	if (rc)
		vd_log(VD_LOG_ERROR, "commit failed why=%s", vd_err_name(rc));
	else
		vd_log(VD_LOG_INFO, "stored new=%llu known=%llu filled=%llu refused=%llu pooled=%llu declined=%llu later=%llu",
		       (unsigned long long)merge->fresh, (unsigned long long)merge->known, (unsigned long long)merge->filled,
		       (unsigned long long)merge->refused, (unsigned long long)merge->pooled,
		       (unsigned long long)merge->declined, (unsigned long long)merge->later);
	vd_tcp_committed(d->tcp, conn, rc);
	vd_loop_look(d);
}

static void on_commit(void *ctx, struct vd_link *link, struct vd_group *group, struct vd_batch *batch)
{
	struct daemon *d = ctx;
	/* however many devices and connections they have, it is one member's */
	int rc = vd_writer_submit(d->writer, link->conn, link->member, group, batch);

	if (rc)
		vd_tcp_committed(d->tcp, link->conn, rc);
}

static void log_link(enum vd_log_level level, const char *event, const struct vd_link *link, const char *more)
{
	char text[VD_ADDRESS_TEXT];

	vd_address_text((const struct sockaddr *)&link->address, text);
	vd_log(level, "%s conn=%llu %s=%s%s", event, (unsigned long long)link->number, link->outgoing ? "to" : "from", text, more);
}

static void on_opened(void *ctx, struct vd_link *link)
{
	(void)ctx;
	log_link(VD_LOG_INFO, "opened", link, "");
	if (link->owner)
		vd_calls_opened(link->owner, vd_tcp_now());
}

static void note_heard(struct daemon *d, const struct vd_link *link)
{
	char text[VD_ADDRESS_TEXT];
	struct vd_shown shown;

	if (!link->proved || !link->stats.control_through)
		return;
	vd_address_text((const struct sockaddr *)&link->address, text);
	shown = vd_shown_of(&link->stats, text, vd_node_apart(d->node, link->conn));
	vd_writer_heard(d->writer, vd_group_id(link->group), link->peer, &shown);
}

static void on_said(void *ctx, uint32_t conn, struct vd_slice receipt)
{
	struct daemon *d = ctx;

	vd_tcp_said(d->tcp, conn, receipt);
}

static void on_say(void *ctx, struct vd_link *link, struct vd_group *group)
{
	struct daemon *d = ctx;

	if (vd_hearsay_say(&d->hearsay, link->conn, vd_group_id(group)))
		vd_tcp_said(d->tcp, link->conn, vd_slice(NULL, 0));
}

static void on_words(void *ctx, struct vd_link *link, struct vd_group *group, const uint8_t peer[VD_KEY_BYTES], struct vd_words *words)
{
	struct daemon *d = ctx;
	char text[VD_ADDRESS_TEXT];
	struct vd_route route;

	vd_address_text((const struct sockaddr *)&link->address, text);
	route = vd_route_link(text);
	vd_hearsay_keep(&d->hearsay, vd_group_id(group), peer, words, &route);
}

static void on_settled(void *ctx, struct vd_link *link)
{
	note_heard(ctx, link);
	if (link->stats.complete)
		log_link(VD_LOG_INFO, "settled", link, "");
	else
		log_link(VD_LOG_WARNING, "differs", link, "");
}

/* May this one more unproved caller that went be logged? */
static bool log_drop(struct daemon *d, uint64_t now_ms)
{
	if (now_ms - d->drops_ms >= DROPS_MS) {
		if (d->drops > DROPS_LOGGED)
			vd_log(VD_LOG_NOTICE, "dropped more=%u", d->drops - DROPS_LOGGED);
		d->drops_ms = now_ms;
		d->drops = 0;
	}
	return ++d->drops <= DROPS_LOGGED;
}

static void on_closed(void *ctx, struct vd_link *link)
{
	struct daemon *d = ctx;
	uint64_t now_ms = vd_tcp_now();
	char why[32] = " why=done";

	note_heard(d, link);
	if (link->err)
		snprintf(why, sizeof why, " why=%s", vd_err_name(link->err));
	if (link->proved || link->outgoing)
		log_link(VD_LOG_INFO, link->proved ? "closed" : "call failed", link, why);
	else if (log_drop(d, now_ms))
		log_link(VD_LOG_INFO, "dropped", link, why);
	/* a spare session with the same device: the other one goes on */
	bool connected = link->proved && vd_node_has_peer(d->node, vd_group_id(link->group), link->peer);
	if (link->owner) /* one that we end to say whom we decline is called again soon */
		vd_calls_ended(link->owner, link->stats.declines_more ? VD_OK : link->err, connected, now_ms, randombytes_random());
	if (link->proved && !connected)
		vd_calls_free_doubled(&d->calls, vd_group_id(link->group), now_ms, randombytes_random());
	if (!d->stopping)
		vd_loop_call(d);
}

static int listen_on(struct daemon *d, const struct sockaddr *address, bool dual)
{
	char text[VD_ADDRESS_TEXT];
	struct sockaddr_storage *bound = &d->bound[d->bound_count];
	int rc = vd_tcp_listen(d->tcp, address, dual, bound);

	vd_address_text((const struct sockaddr *)(rc ? address : (const struct sockaddr *)bound), text);
	if (rc) {
		vd_log(VD_LOG_ERROR, "cannot listen addr=%s why=%s", text, rc == VD_EINVAL ? "not-of-this-machine" : vd_err_name(rc));
		return rc == VD_EBUSY ? VD_EINVAL : rc; /* the port is, not the store, and no disk failed */
	}
	d->bound_count++;
	vd_log(VD_LOG_INFO, "listening addr=%s", text);
	return 0;
}

/* Where it listened before it was locked: others know it there. */
static bool listen_again(struct daemon *d)
{
	size_t wanted = d->conf->listen_count ? d->conf->listen_count : 1;
	bool all = d->passed.bound_count == wanted;

	for (size_t i = 0; all && i < wanted; i++)
		all = listen_on(d, (const struct sockaddr *)&d->passed.bound[i], d->bound_dual) == 0;
	return all;
}

static int listen_all(struct daemon *d)
{
	struct sockaddr_in6 any6 = {.sin6_family = AF_INET6};
	struct sockaddr_in any4 = {.sin_family = AF_INET};
	int rc = 0;

	/* one socket for both families, unless IPv4 has one of its own */
	d->bound_dual = true;
	for (size_t i = 0; i < d->conf->listen_count; i++)
		d->bound_dual = d->bound_dual && d->conf->listen[i].ss_family == AF_INET6;
	if (listen_again(d))
		return 0;
	for (size_t i = d->bound_count; !rc && i < d->conf->listen_count; i++)
		rc = listen_on(d, (const struct sockaddr *)&d->conf->listen[i], d->bound_dual);
	if (d->conf->listen_count)
		return rc;
	rc = listen_on(d, (const struct sockaddr *)&any6, true);
	if (rc == VD_EINVAL) /* a system without IPv6 */
		rc = listen_on(d, (const struct sockaddr *)&any4, false);
	return rc;
}

/* --- discovery --- */

static uint16_t port_at(void *ctx, const struct sockaddr *source)
{
	const struct daemon *d = ctx;

	for (size_t i = 0; i < d->bound_count; i++) {
		const struct sockaddr *bound = (const struct sockaddr *)&d->bound[i];
		const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)(const void *)bound;
		const struct sockaddr_in *four = (const struct sockaddr_in *)(const void *)bound;
		bool any6 = bound->sa_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&six->sin6_addr);
		bool any4 = bound->sa_family == AF_INET && four->sin_addr.s_addr == htonl(INADDR_ANY);

		if (vd_address_same(bound, source, false) || (any4 && source->sa_family == AF_INET) ||
		    (any6 && (d->bound_dual || source->sa_family == AF_INET6)))
			return vd_address_port(bound);
	}
	return 0;
}

static void on_heard(void *ctx, const struct sockaddr *address, const uint8_t group[VD_GROUP_BYTES],
                     const uint8_t epoch[VD_EPOCH_BYTES])
{
	struct daemon *d = ctx;
	uint64_t now_ms = vd_tcp_now();
	char text[VD_ADDRESS_TEXT];

	if (vd_calls_heard(&d->calls, address, group, epoch, now_ms, randombytes_random())) {
		vd_address_text(address, text);
		vd_log(VD_LOG_INFO, "heard addr=%s", text);
		vd_discover_soon(d->discover);
	}
	struct vd_call *longest = vd_calls_rotate(&d->calls, now_ms);
	for (struct vd_link *link = longest ? vd_tcp_first(d->tcp) : NULL; link; link = link->next)
		if (link->owner == longest) {
			vd_tcp_bye(d->tcp, link);
			break;
		}
	vd_loop_call(d);
}

/* --- beginning and end --- */

/* Whatever is up goes down; the loop ends when the last link has. */
void vd_loop_stop(struct daemon *d)
{
	if (d->stopping)
		return;
	d->stopping = true;
	d->tending.again = false;
	vd_sticks_stop(&d->sticks);
	vd_locked_stop(d);
	if (d->running) {
		uv_close((uv_handle_t *)&d->poll, NULL);
		uv_close((uv_handle_t *)&d->calling, NULL);
	}
	if (d->handles) {
		uv_close((uv_handle_t *)&d->terminate, NULL); /* a second signal ends the process at once */
		uv_close((uv_handle_t *)&d->interrupt, NULL);
	}
	if (d->discover)
		vd_discover_close(d->discover);
	if (d->ctl)
		vd_ctl_close(d->ctl);
	if (d->tcp)
		vd_tcp_stop(d->tcp);
}

static void on_signal(uv_signal_t *handle, int number)
{
	(void)number;
	vd_log(VD_LOG_INFO, "stopping");
	vd_notify("STOPPING=1");
	vd_loop_stop(handle->data);
}

static int start_discovery(struct daemon *d)
{
	struct vd_discover_events events = {d, on_heard, port_at};

	if (d->conf->no_discovery || !d->conf->interface_count)
		return 0;
	return vd_discover_open(&d->loop, d->conf->interface, d->conf->interface_count, &events, &d->discover);
}

/* What an open store has beyond what stands when it is locked. */
int vd_loop_start_running(struct daemon *d)
{
	struct vd_tcp_events events = {d, on_commit, on_opened, on_settled, on_closed, on_say, on_words};
	uint8_t seed[VD_NODE_SEED_BYTES];
	int rc;

	vd_store_port(d->store, &d->port);
	randombytes_buf(seed, sizeof seed);
	d->node = vd_node_new(&d->port, seed);
	sodium_memzero(seed, sizeof seed);
	if (!d->node || !(d->tcp = vd_tcp_new(&d->loop, d->node, &events)))
		return VD_ENOMEM;
	rc = listen_all(d);
	if (!rc)
		rc = vd_writer_start(&d->loop, d->store, on_committed, d, &d->writer);
	if (!rc)
		rc = start_discovery(d);
	if (rc)
		return rc;
	vd_disk_look(&d->disk, d->store);
	vd_hearsay_init(&d->hearsay, &d->loop, d->store, on_said, d);
	vd_tending_init(&d->tending, &d->loop, d->store, on_tended, d);
	vd_sticks_init(&d->sticks, &d->loop, d->store, d->conf, on_stick, d);
	uv_timer_init(&d->loop, &d->poll);
	uv_timer_init(&d->loop, &d->calling);
	d->poll.data = d->calling.data = d;
	d->running = true;
	uv_timer_start(&d->poll, on_poll, POLL_MS, POLL_MS);
	vd_locked_take_in(d);
	d->passed.stay_locked = true;
	if (!vd_store_readable(d->store) && vd_locked_prepare(d))
		vd_log(VD_LOG_WARNING, "cannot be locked without ending");
	if (!vd_store_readable(d->store) && vd_ctl_lend(d->ctl, true)) /* whoever borrows a key gives it back at once */
		vd_log(VD_LOG_WARNING, "cannot lend the key to commands");
	vd_loop_look(d);
	return 0;
}

static int start(struct daemon *d)
{
	int rc = vd_ctl_open(&d->loop, d->conf->home, vd_loop_command, d, &d->passed.ctl, &d->ctl);

	if (rc) {
		vd_log(VD_LOG_ERROR, rc == VD_EBUSY ? "another veredad has this store" : "cannot open the control socket why=%s",
		       vd_err_name(rc));
		return rc;
	}
	uv_signal_init(&d->loop, &d->terminate);
	uv_signal_init(&d->loop, &d->interrupt);
	d->handles = true;
	d->terminate.data = d->interrupt.data = d;
	uv_signal_start(&d->terminate, on_signal, SIGTERM);
	uv_signal_start(&d->interrupt, on_signal, SIGINT);
	vd_panic_heed();
	rc = d->store ? vd_loop_start_running(d) : 0;
	if (!rc)
		vd_locked_started(d);
	return rc;
}

static void clean_up(struct daemon *d)
{
	if (d->writer) {
		vd_writer_stop(d->writer);
		uv_run(&d->loop, UV_RUN_DEFAULT);
		vd_writer_free(d->writer);
	}
	vd_sticks_deinit(&d->sticks);
	vd_hearsay_deinit(&d->hearsay);
	vd_discover_free(d->discover);
	vd_tcp_free(d->tcp);
	vd_node_free(d->node);
	for (size_t i = 0; i < d->group_count; i++)
		vd_group_free(d->groups[i]);
	vd_ctl_free(d->ctl);
	if (!d->anew)
		vd_panic_pass(NULL);
	vd_panic_vault(NULL);
	vd_store_close(d->store);
	uv_loop_close(&d->loop);
}

int vd_loop_run(const struct vd_conf *conf)
{
	struct daemon *d = calloc(1, sizeof *d);
	int rc = d ? 0 : VD_ENOMEM;

	if (!rc && uv_loop_init(&d->loop))
		rc = VD_ENOMEM;
	if (rc) {
		vd_log(VD_LOG_ERROR, "cannot start why=%s", vd_err_name(rc));
		free(d);
		return rc;
	}
	d->conf = conf;
	signal(SIGPIPE, SIG_IGN);
	vd_panic_taken(&d->passed);
	rc = vd_locked_open(d);
	if (!rc)
		rc = start(d);
	if (!rc) {
		vd_log(VD_LOG_INFO, d->store ? "ready" : "locked");
		vd_notify("READY=1");
	} else {
		if (rc == VD_ENOMEM)
			vd_log(VD_LOG_ERROR, "cannot start why=%s", vd_err_name(rc));
		vd_loop_stop(d);
	}
	uv_run(&d->loop, UV_RUN_DEFAULT);
	clean_up(d);
	rc = rc ? rc : d->err;
	if (!rc && d->anew)
		vd_panic_lock();
	if (!rc)
		vd_log(VD_LOG_INFO, "ended");
	free(d);
	return rc;
}
