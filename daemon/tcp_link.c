#include <stdlib.h>
#include <string.h>

#include "proto/err.h"
#include "tcp_inside.h"

enum { TIMER_FLOOR_MS = 5, PROGRESS_CHECK_MS = 5000 };

struct write {
	uv_write_t request;
	struct vd_buf bytes;
};

uint64_t vd_tcp_now(void)
{
	return uv_hrtime() / 1000000;
}

/* --- life of a link --- */

struct vd_link *vd_link_new(struct vd_tcp *tcp, bool outgoing)
{
	struct vd_link *link = calloc(1, sizeof *link);

	if (!link)
		return NULL;
	link->tcp = tcp;
	link->outgoing = outgoing;
	link->number = ++tcp->numbers;
	link->since_ms = vd_tcp_now();
	link->deadline_ms = UINT64_MAX;
	link->uv.data = link;
	link->next = tcp->links;
	tcp->links = link;
	tcp->count++;
	return link;
}

/* Frees it, after `closed`. */
static void link_release(struct vd_link *link)
{
	struct vd_tcp *tcp = link->tcp;

	if (link->in_node)
		vd_node_closed(tcp->node, link->conn);
	link->in_node = false;
	tcp->events.closed(tcp->events.ctx, link);

	struct vd_link **at = &tcp->links;
	while (*at != link)
		at = &(*at)->next;
	*at = link->next;
	tcp->count--;
	uv_freeaddrinfo(link->found);
	vd_buf_wipe(&link->held);
	free(link);
	if (tcp->stopping && !tcp->count && !uv_is_closing((uv_handle_t *)&tcp->timer))
		uv_close((uv_handle_t *)&tcp->timer, NULL);
}

void vd_link_handle_closed(uv_handle_t *handle)
{
	struct vd_link *link = handle->data;
	struct vd_tcp *tcp = link->tcp;

	link->handle = false;
	if (link->state == VD_LINK_CONNECTING && link->again)
		vd_link_call_again(link);
	else if (link->state == VD_LINK_CONNECTING)
		vd_link_call_next(link);
	link->again = false;
	vd_tcp_pump(tcp);
}

void vd_link_close(struct vd_link *link, int err)
{
	if (link->state == VD_LINK_CLOSED)
		return;
	/* what came before the line broke is worth a commit, which this offers */
	if (link->state == VD_LINK_OPEN && link->proved)
		vd_node_bye(link->tcp->node, vd_tcp_now(), link->conn);
	if (link->state < VD_LINK_ENDING) /* else the session has its result */
		link->err = err;
	link->state = VD_LINK_CLOSED;
	link->deadline_ms = UINT64_MAX;
	if (link->handle && !uv_is_closing((uv_handle_t *)&link->uv))
		uv_close((uv_handle_t *)&link->uv, vd_link_handle_closed);
}

static void link_end(struct vd_link *link, int err)
{
	if (link->state != VD_LINK_OPEN)
		return;
	link->err = err;
	link->state = VD_LINK_ENDING;
	link->deadline_ms = vd_tcp_now() + VD_TCP_END_MS;
	vd_buf_wipe(&link->held);
}

const char *vd_link_word(const struct vd_link *link)
{
	switch (link->state) {
	case VD_LINK_RESOLVING:
	case VD_LINK_CONNECTING: return "calling";
	case VD_LINK_OPEN:
		if (!link->proved)
			return "greeting";
		if (!link->settled || !vd_node_settled(link->tcp->node, link->conn))
			return "syncing";
		return link->stats.complete ? "settled" : "differs";
	case VD_LINK_ENDING:
	case VD_LINK_PARTED:
	case VD_LINK_CLOSED: break;
	}
	return "closing";
}

/* --- silence --- */

/* Has the one called said its prologue and nothing else? So it does when it does not know the epoch's link key. */
static bool met_silence(const struct vd_link *link)
{
	return link->outgoing && !link->one_epoch && link->state == VD_LINK_OPEN && !link->proved &&
	       link->bytes_in - link->bytes_before == VD_CHANNEL_PROLOGUE_BYTES;
}

/* Calls the same address once more, under the next older epoch: it may have been away since. False: there is no other to try. */
static bool call_back(struct vd_link *link)
{
	struct vd_node *node = link->tcp->node;
	const uint8_t *epoch = link->older < VD_TCP_BACKS_MAX ? vd_node_epoch(node, link->called_group, link->older + 1) : NULL;

	if (!epoch || link->tcp->stopping)
		return false;
	memcpy(link->called_epoch, epoch, sizeof link->called_epoch);
	link->older++;
	if (link->in_node)
		vd_node_closed(node, link->conn);
	link->in_node = link->reading = link->ended_by_them = false;
	vd_buf_wipe(&link->held);
	link->queued = 0;
	link->deadline_ms = UINT64_MAX;
	link->state = VD_LINK_CONNECTING;
	link->again = true;
	uv_close((uv_handle_t *)&link->uv, vd_link_handle_closed); /* which calls */
	return true;
}

/* How long silence is waited for: on a slow line the prologue was slow too. Where no older epoch can be tried the node's own
 * deadline does. */
static void await_answer(struct vd_link *link)
{
	uint64_t now_ms = vd_tcp_now(), wait_ms = 4 * (now_ms - link->dialled_ms);

	if (link->state != VD_LINK_OPEN || !link->outgoing || link->proved || link->tcp->stopping)
		return;
	link->deadline_ms = UINT64_MAX;
	if (!met_silence(link) || (!link->older && !vd_node_epoch(link->tcp->node, link->called_group, 1)))
		return;
	wait_ms = wait_ms < VD_TCP_SILENCE_MS ? VD_TCP_SILENCE_MS : wait_ms;
	link->deadline_ms = now_ms + (wait_ms < VD_PROVE_MS ? wait_ms : VD_PROVE_MS);
}

/* --- moving bytes --- */

static void on_input_buffer(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
	struct vd_link *link = handle->data;

	(void)suggested;
	*out = uv_buf_init(link->tcp->input, sizeof link->tcp->input);
}

static void link_read_on(struct vd_link *);

/* VD_EAGAIN keeps the bytes for later, and no more are read till then; what else goes wrong the node tells by a wish. */
static void link_feed(struct vd_link *link, struct vd_slice bytes)
{
	uint64_t began_us = vd_tcp_now_us();
	int rc = VD_EAGAIN;

	if (vd_link_is_large(link) && vd_tcp_turn_over(link->tcp))
		link->tcp->next_large = link->tcp->next_large ? link->tcp->next_large : link->number;
	else
		rc = vd_node_feed(link->tcp->node, vd_tcp_now(), link->conn, bytes);
	vd_link_spent(link, true, began_us);
	if (rc != VD_EAGAIN)
		return;
	vd_buf_put_slice(&link->held, bytes);
	if (vd_buf_check(&link->held))
		vd_link_close(link, VD_ENOMEM);
	else
		link_read_on(link);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buffer)
{
	struct vd_link *link = stream->data;

	if (n > 0) {
		link->bytes_in += (uint64_t)n;
		if (link->state == VD_LINK_OPEN)
			link_feed(link, vd_slice(buffer->base, (size_t)n));
		await_answer(link);
	} else if (n < 0 && !(met_silence(link) && call_back(link))) {
		/* all they sent was fed before this: reading stops while anything is held */
		link->ended_by_them = true;
		uv_read_stop(stream);
		link->reading = false;
		if (n != UV_EOF || link->state == VD_LINK_OPEN || link->state == VD_LINK_PARTED)
			vd_link_close(link, VD_ECLOSED);
	}
	vd_tcp_pump(link->tcp);
}

static void link_read_on(struct vd_link *link)
{
	bool wanted = link->state != VD_LINK_OPEN || (!link->held.n && vd_node_wants_input(link->tcp->node, link->conn) && !vd_link_rests(link));

	if (wanted == link->reading || link->ended_by_them)
		return;
	link->reading = wanted;
	if (!wanted)
		uv_read_stop((uv_stream_t *)&link->uv);
	else if (uv_read_start((uv_stream_t *)&link->uv, on_input_buffer, on_read))
		vd_link_close(link, VD_EIO);
}

static void on_written(uv_write_t *request, int status)
{
	struct write *write = (struct write *)(void *)request;
	struct vd_link *link = request->handle->data;

	vd_buf_deinit(&write->bytes);
	free(write);
	link->progress_ms = vd_tcp_now();
	if (status < 0 && !uv_is_closing((uv_handle_t *)&link->uv))
		vd_link_close(link, VD_ECLOSED);
	vd_tcp_pump(link->tcp);
}

static void on_shut(uv_shutdown_t *request, int status)
{
	struct vd_link *link = request->handle->data;

	if (link->state == VD_LINK_PARTED && (status < 0 || link->ended_by_them))
		vd_link_close(link, 0);
}

/* True when something left. */
static bool link_write(struct vd_link *link)
{
	uv_stream_t *stream = (uv_stream_t *)&link->uv;
	bool moved = false;

	while ((link->state == VD_LINK_OPEN || link->state == VD_LINK_ENDING) &&
	       uv_stream_get_write_queue_size(stream) < VD_TCP_QUEUE_BYTES &&
	       vd_node_wants_output(link->tcp->node, link->conn)) {
		struct write *write = calloc(1, sizeof *write);
		int rc = write ? vd_node_drain(link->tcp->node, vd_tcp_now(), link->conn, VD_TCP_WRITE_BYTES, &write->bytes)
		               : VD_ENOMEM;

		if (!rc)
			rc = vd_buf_check(&write->bytes);
		if (!rc && write->bytes.n) {
			uv_buf_t bytes = uv_buf_init((char *)write->bytes.p, (unsigned)write->bytes.n);

			if (!link->queued)
				link->progress_ms = vd_tcp_now();
			link->bytes_out += write->bytes.n;
			if (!uv_write(&write->request, stream, &bytes, 1, on_written)) {
				link->queued = uv_stream_get_write_queue_size(stream);
				moved = true;
				continue;
			}
			rc = VD_ECLOSED;
		}
		if (write)
			vd_buf_deinit(&write->bytes);
		free(write);
		if (rc && rc != VD_EAGAIN)
			vd_link_close(link, rc);
		break;
	}
	return moved;
}

void vd_link_drop(struct vd_link *link, int err)
{
	struct vd_tcp *tcp = link->tcp;

	if (link->state == VD_LINK_OPEN && link->in_node) {
		vd_node_busy(tcp->node, vd_tcp_now(), link->conn);
		link_write(link);
	}
	vd_link_close(link, err);
	if (link->in_node)
		vd_node_closed(tcp->node, link->conn);
	link->in_node = false;
}

struct vd_link *vd_link_longest_settled(struct vd_tcp *tcp, bool outgoing, const struct vd_link *but)
{
	struct vd_link *longest = NULL;

	for (struct vd_link *link = tcp->links; link; link = link->next)
		if (link != but && link->outgoing == outgoing && link->state == VD_LINK_OPEN && !link->committing &&
		    vd_node_settled(tcp->node, link->conn) && (!longest || link->settled_ms <= longest->settled_ms))
			longest = link;
	return longest;
}

static void link_committed(struct vd_link *link)
{
	uint64_t began_us = vd_tcp_now_us();

	link->committed = link->committing = false;
	vd_node_committed(link->tcp->node, vd_tcp_now(), link->conn, link->commit_rc);
	/* what waited behind it was verified */
	vd_link_spent(link, true, began_us);
}

/* True when the node may have new wishes for it. */
static bool link_move(struct vd_link *link)
{
	bool moved = false;

	if (vd_link_rests(link)) {
		link_read_on(link);
		return false;
	}
	if (link->committed) {
		link_committed(link);
		moved = true;
	}
	if (link->state == VD_LINK_OPEN && link->held.n && vd_node_wants_input(link->tcp->node, link->conn)) {
		struct vd_buf held = link->held;

		memset(&link->held, 0, sizeof link->held);
		link_feed(link, vd_buf_slice(&held));
		moved = !link->held.n;
		vd_buf_wipe(&held);
	}
	if (link->state == VD_LINK_OPEN || link->state == VD_LINK_ENDING) {
		uint64_t began_us = vd_tcp_now_us();

		if (link_write(link)) {
			vd_link_spent(link, false, began_us);
			moved = true;
		}
		link_read_on(link);
	}
	if (link->state == VD_LINK_ENDING && !vd_node_wants_output(link->tcp->node, link->conn) &&
	    !uv_stream_get_write_queue_size((uv_stream_t *)&link->uv)) {
		/* no close yet: with their bytes unread it would become a reset, and take our last words with it */
		link->state = VD_LINK_PARTED;
		if (uv_shutdown(&link->shutdown, (uv_stream_t *)&link->uv, on_shut))
			vd_link_close(link, 0);
	}
	return moved;
}

/* --- the node's wishes --- */

static struct vd_link *link_of(struct vd_tcp *tcp, uint32_t conn)
{
	struct vd_link *link = tcp->links;

	while (link && !(link->in_node && link->conn == conn))
		link = link->next;
	return link;
}

/* Did we call the same device before, at another of its addresses? Then this call was one too many, and every new record would
 * cross twice. */
static bool called_before(const struct vd_link *link)
{
	for (const struct vd_link *older = link->next; older; older = older->next)
		if (link->outgoing && older->outgoing && older->proved && older->state == VD_LINK_OPEN && older->group == link->group &&
		    !memcmp(older->peer, link->peer, sizeof link->peer))
			return true;
	return false;
}

static void pass_words(struct vd_tcp *tcp, struct vd_link *link, const struct vd_wish *wish)
{
	struct vd_words words;

	if (vd_node_words(tcp->node, link->conn, &words))
		tcp->events.words(tcp->events.ctx, link, wish->group, wish->peer, &words);
	vd_words_deinit(&words);
}

static void grant(struct vd_tcp *tcp, const struct vd_wish *wish)
{
	struct vd_link *link = link_of(tcp, wish->conn);

	if (!link)
		return;
	switch (wish->what) {
	case VD_WISH_COMMIT:
		/* also for a link that is gone by now: what came is good */
		link->committing = true;
		memcpy(link->peer, wish->peer, sizeof link->peer); /* one that only gives has not opened … */
		memcpy(link->member, wish->member, sizeof link->member); /* … and is no stranger any more: what it costs is its own */
		tcp->events.commit(tcp->events.ctx, link, wish->group, wish->batch);
		break;
	case VD_WISH_OPENED:
		link->proved = true;
		link->group = wish->group;
		memcpy(link->peer, wish->peer, sizeof link->peer);
		memcpy(link->member, wish->member, sizeof link->member);
		link->since_ms = vd_tcp_now();
		tcp->events.opened(tcp->events.ctx, link);
		if (!link->outgoing)
			vd_link_make_place(link);
		break;
	case VD_WISH_SETTLED:
		link->settled = true;
		link->settled_ms = vd_tcp_now();
		link->stats = wish->stats;
		tcp->events.settled(tcp->events.ctx, link);
		if (called_before(link))
			vd_node_bye(tcp->node, vd_tcp_now(), link->conn);
		break;
	case VD_WISH_SAY:
		tcp->events.say(tcp->events.ctx, link, wish->group);
		break;
	case VD_WISH_WORDS:
		pass_words(tcp, link, wish);
		break;
	case VD_WISH_CLOSED:
		if (link->proved)
			link->stats = wish->stats;
		if (wish->err == VD_EAUTHOR && wish->group) {
			link->refused = wish->group;
			memcpy(link->peer, wish->peer, sizeof link->peer);
		}
		link_end(link, wish->err);
		break;
	}
}

/* One that no callback, commit or wish can come back to. */
static bool release_one(struct vd_tcp *tcp)
{
	for (struct vd_link *link = tcp->links; link; link = link->next)
		if (link->state == VD_LINK_CLOSED && !link->handle && !link->resolving && !link->committing) {
			link_release(link);
			return true;
		}
	return false;
}

/* Those who took much lately, each in turn as long as there is time. */
static bool move_large(struct vd_tcp *tcp)
{
	uint64_t first = tcp->next_large;
	bool moved = false;

	tcp->next_large = 0;
	for (int round = 0; round < 2; round++)
		for (struct vd_link *link = tcp->links; link && !tcp->next_large; link = link->next) {
			if ((link->number <= first) != (round == 0) || !vd_link_is_large(link))
				continue;
			if (vd_tcp_turn_over(tcp))
				tcp->next_large = link->number;
			else
				moved |= link_move(link);
		}
	return moved;
}

void vd_tcp_pump(struct vd_tcp *tcp)
{
	if (tcp->pumping)
		return;
	tcp->pumping = true;
	for (bool again = true; again;) {
		struct vd_wish wish;

		again = false;
		for (struct vd_link *link = tcp->links; link; link = link->next)
			if (!vd_link_is_large(link))
				again |= link_move(link);
		again |= move_large(tcp);
		while (vd_node_wish(tcp->node, &wish)) {
			grant(tcp, &wish);
			again = true;
		}
		/* not before its wishes were heard: behind a batch another may follow */
		again |= release_one(tcp);
	}
	tcp->pumping = false;
	vd_tcp_arm(tcp);
}

void vd_tcp_committed(struct vd_tcp *tcp, uint32_t conn, int rc)
{
	struct vd_link *link = link_of(tcp, conn);

	if (!link)
		return;
	link->committed = true;
	link->commit_rc = rc;
	vd_tcp_pump(tcp);
}

void vd_tcp_said(struct vd_tcp *tcp, uint32_t conn, struct vd_slice receipt)
{
	if (!link_of(tcp, conn))
		return;
	vd_node_said(tcp->node, vd_tcp_now(), conn, receipt);
	vd_tcp_pump(tcp);
}

void vd_tcp_bye(struct vd_tcp *tcp, struct vd_link *link)
{
	if (link->state == VD_LINK_OPEN)
		vd_node_bye(tcp->node, vd_tcp_now(), link->conn);
	else if (!link->in_node)
		vd_link_close(link, VD_ECLOSED);
	vd_tcp_pump(tcp);
}

/* --- time --- */

static void sweep(struct vd_link *link, uint64_t now_ms)
{
	if (now_ms >= link->deadline_ms) {
		link->deadline_ms = UINT64_MAX;
		if (link->state == VD_LINK_CONNECTING && link->candidate)
			uv_close((uv_handle_t *)&link->uv, vd_link_handle_closed); /* which tries the next address */
		else if (!met_silence(link) || !call_back(link))
			vd_link_close(link, VD_ECLOSED); /* nobody there, or a farewell that nobody answers */
	}
	if (link->state != VD_LINK_OPEN)
		return;
	size_t queued = uv_stream_get_write_queue_size((uv_stream_t *)&link->uv);
	if (queued < link->queued)
		link->progress_ms = now_ms;
	link->queued = queued;
	if (queued && now_ms >= link->progress_ms + VD_STALL_MS)
		vd_link_close(link, VD_ECLOSED);
}

/* One at a time: a batch that is due is verified. */
static void tick(struct vd_tcp *tcp, uint64_t now_ms)
{
	for (struct vd_link *link = tcp->links; link; link = link->next) {
		uint64_t began_us = vd_tcp_now_us();

		if (!link->in_node || vd_link_rests(link) || now_ms < vd_node_deadline_of(tcp->node, link->conn))
			continue;
		vd_node_tick_one(tcp->node, now_ms, link->conn);
		vd_link_spent(link, false, began_us);
	}
}

static void on_timer(uv_timer_t *timer)
{
	struct vd_tcp *tcp = timer->data;
	uint64_t now_ms = vd_tcp_now();

	for (struct vd_link *link = tcp->links; link; link = link->next)
		sweep(link, now_ms);
	tick(tcp, now_ms);
	vd_tcp_accept_waiting(tcp);
	vd_tcp_pump(tcp);
}

void vd_tcp_arm(struct vd_tcp *tcp)
{
	uint64_t now_ms = vd_tcp_now(), next = vd_node_deadline(tcp->node);

	for (struct vd_link *link = tcp->links; link; link = link->next) {
		if (link->deadline_ms < next)
			next = link->deadline_ms;
		if (link->queued && now_ms + PROGRESS_CHECK_MS < next)
			next = now_ms + PROGRESS_CHECK_MS;
	}
	for (size_t i = 0; i < tcp->listener_count && !tcp->stopping; i++)
		if (tcp->waiting[i])
			next = now_ms;
	if (tcp->next_large)
		next = now_ms;
	if (vd_tcp_rest_ends_us(tcp) / 1000 + 1 < next)
		next = vd_tcp_rest_ends_us(tcp) / 1000 + 1;
	if (uv_is_closing((uv_handle_t *)&tcp->timer))
		return;
	if (next == UINT64_MAX) {
		uv_timer_stop(&tcp->timer);
		return;
	}
	uint64_t wait_ms = next > now_ms ? next - now_ms : 0;
	uv_timer_start(&tcp->timer, on_timer, wait_ms < TIMER_FLOOR_MS ? TIMER_FLOOR_MS : wait_ms, 0);
}
