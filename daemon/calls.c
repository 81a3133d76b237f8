#include "calls.h"

#include <string.h>

#include "proto/err.h"

static bool is_of(const struct vd_call *call, const uint8_t group[VD_GROUP_BYTES])
{
	return call->state != VD_CALL_FREE && !memcmp(call->group, group, VD_GROUP_BYTES);
}

/* Half to one and a half times. */
static uint64_t jitter(uint64_t wait_ms, uint32_t random)
{
	return wait_ms / 2 + random % (wait_ms + 1);
}

static bool forgotten(const struct vd_call *call, uint64_t now_ms)
{
	return call->state == VD_CALL_WAITING && !call->host_port && now_ms - call->heard_ms >= VD_CALLS_FORGET_MS;
}

static size_t found_busy(const struct vd_calls *calls)
{
	size_t n = 0;

	for (size_t i = 0; i < VD_CALLS_MAX; i++)
		n += !calls->call[i].host_port &&
		     (calls->call[i].state == VD_CALL_CALLING || calls->call[i].state == VD_CALL_OPEN);
	return n;
}

/* A free place, or that of the found one not heard for longest and not busy. */
static struct vd_call *place(struct vd_calls *calls)
{
	struct vd_call *oldest = NULL;

	for (size_t i = 0; i < VD_CALLS_MAX; i++) {
		struct vd_call *call = &calls->call[i];

		if (call->state == VD_CALL_FREE)
			return call;
		if (call->state == VD_CALL_WAITING && !call->host_port && (!oldest || call->heard_ms < oldest->heard_ms))
			oldest = call;
	}
	return oldest;
}

int vd_calls_name(struct vd_calls *calls, const char *host_port, const uint8_t group[VD_GROUP_BYTES], uint64_t now_ms)
{
	for (size_t i = 0; i < VD_CALLS_MAX; i++) {
		const struct vd_call *call = &calls->call[i];

		if (is_of(call, group) && call->host_port && !strcmp(call->host_port, host_port))
			return 0;
	}
	struct vd_call *call = place(calls);
	if (!call)
		return VD_ECAP;
	*call = (struct vd_call){.state = VD_CALL_WAITING, .host_port = host_port, .next_ms = now_ms, .wait_ms = VD_CALLS_FIRST_MS};
	memcpy(call->group, group, VD_GROUP_BYTES);
	return 0;
}

bool vd_calls_heard(struct vd_calls *calls, const struct sockaddr *address, const uint8_t group[VD_GROUP_BYTES],
                    const uint8_t epoch[VD_EPOCH_BYTES], uint64_t now_ms, uint32_t random)
{
	uint64_t soon_ms = now_ms + random % VD_CALLS_SPREAD_MS;

	for (size_t i = 0; i < VD_CALLS_MAX; i++) {
		struct vd_call *call = &calls->call[i];

		if (!is_of(call, group) || call->host_port ||
		    !vd_address_same((const struct sockaddr *)&call->address, address, true))
			continue;
		bool fresh = forgotten(call, now_ms);
		call->heard_ms = now_ms;
		memcpy(call->epoch, epoch, sizeof call->epoch);
		/* it is alive, whatever our last call came to */
		if (call->state == VD_CALL_WAITING && !call->patient && call->next_ms > soon_ms)
			call->next_ms = soon_ms;
		return fresh;
	}
	struct vd_call *call = place(calls);
	if (!call)
		return false;
	*call = (struct vd_call){.state = VD_CALL_WAITING, .next_ms = soon_ms, .heard_ms = now_ms, .wait_ms = VD_CALLS_FIRST_MS};
	memcpy(call->group, group, VD_GROUP_BYTES);
	memcpy(call->epoch, epoch, sizeof call->epoch);
	memcpy(&call->address, address, vd_address_length(address));
	return true;
}

struct vd_call *vd_calls_due(struct vd_calls *calls, uint64_t now_ms)
{
	bool room = found_busy(calls) < VD_CALLS_FOUND_OPEN;
	struct vd_call *due = NULL;

	for (size_t i = 0; i < VD_CALLS_MAX; i++) {
		struct vd_call *call = &calls->call[i];

		if (forgotten(call, now_ms))
			memset(call, 0, sizeof *call);
		if (call->state == VD_CALL_WAITING && call->next_ms <= now_ms && (call->host_port || room) &&
		    (!due || call->next_ms < due->next_ms))
			due = call;
	}
	if (due) {
		due->state = VD_CALL_CALLING;
		due->doubled = due->patient = due->refused = false;
	}
	return due;
}

uint64_t vd_calls_deadline(const struct vd_calls *calls)
{
	bool room = found_busy(calls) < VD_CALLS_FOUND_OPEN;
	uint64_t next = UINT64_MAX;

	for (size_t i = 0; i < VD_CALLS_MAX; i++) {
		const struct vd_call *call = &calls->call[i];

		if (call->state == VD_CALL_WAITING && (call->host_port || room) && call->next_ms < next)
			next = call->next_ms;
	}
	return next;
}

void vd_calls_opened(struct vd_call *call, uint64_t now_ms)
{
	call->state = VD_CALL_OPEN;
	call->opened_ms = now_ms;
}

void vd_calls_ended(struct vd_call *call, int err, bool connected, uint64_t now_ms, uint32_t random)
{
	/* a session shorter than the wait before it was not worth it */
	if (call->state == VD_CALL_OPEN && now_ms - call->opened_ms >= call->wait_ms)
		call->wait_ms = VD_CALLS_FIRST_MS;
	call->state = VD_CALL_WAITING;
	call->doubled = connected;
	call->refused = err == VD_EAUTHOR;
	call->patient = connected || err == VD_EBUSY || call->refused;
	if (call->patient) {
		call->next_ms = now_ms + jitter(connected ? VD_CALLS_DOUBLE_MS : VD_CALLS_BUSY_MS, random);
		return;
	}
	call->next_ms = now_ms + jitter(call->wait_ms, random);
	call->wait_ms = call->wait_ms < VD_CALLS_LAST_MS / 2 ? call->wait_ms * 2 : VD_CALLS_LAST_MS;
}

/* What it waited for has come. */
static void call_soon(struct vd_call *call, uint64_t now_ms, uint32_t random)
{
	uint64_t soon_ms = now_ms + jitter(VD_CALLS_FIRST_MS, random);

	call->doubled = call->patient = call->refused = false;
	if (call->next_ms > soon_ms)
		call->next_ms = soon_ms;
}

void vd_calls_free_doubled(struct vd_calls *calls, const uint8_t group[VD_GROUP_BYTES], uint64_t now_ms, uint32_t random)
{
	for (size_t i = 0; i < VD_CALLS_MAX; i++) {
		struct vd_call *call = &calls->call[i];

		if (is_of(call, group) && call->state == VD_CALL_WAITING && call->doubled)
			call_soon(call, now_ms, random);
	}
}

void vd_calls_free_refused(struct vd_calls *calls, uint64_t now_ms, uint32_t random)
{
	for (size_t i = 0; i < VD_CALLS_MAX; i++)
		if (calls->call[i].state == VD_CALL_WAITING && calls->call[i].refused)
			call_soon(&calls->call[i], now_ms, random);
}

void vd_calls_hurry(struct vd_calls *calls, uint64_t now_ms)
{
	for (size_t i = 0; i < VD_CALLS_MAX; i++)
		if (calls->call[i].state == VD_CALL_WAITING && calls->call[i].next_ms > now_ms)
			calls->call[i].next_ms = now_ms;
}

struct vd_call *vd_calls_rotate(struct vd_calls *calls, uint64_t now_ms)
{
	struct vd_call *longest = NULL;
	bool others = false;

	if (found_busy(calls) < VD_CALLS_FOUND_OPEN)
		return NULL;
	for (size_t i = 0; i < VD_CALLS_MAX; i++) {
		struct vd_call *call = &calls->call[i];

		if (call->host_port)
			continue;
		others |= call->state == VD_CALL_WAITING && !call->doubled && !forgotten(call, now_ms);
		if (call->state == VD_CALL_OPEN && now_ms - call->opened_ms >= VD_CALLS_ROTATE_MS &&
		    (!longest || call->opened_ms < longest->opened_ms))
			longest = call;
	}
	return others ? longest : NULL;
}
