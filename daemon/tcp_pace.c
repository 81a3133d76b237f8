/* Who is served when: the loop's time, the places, and the pace of accepting. The rule is in tcp.h. */
#include <string.h>

#include "proto/err.h"
#include "tcp_inside.h"

/* Twice what a slice may take at most on a slow machine: nobody waits longer for the next. */
enum { REST_MOST_US = 1000000 };

uint64_t vd_tcp_now_us(void)
{
	return uv_hrtime() / 1000;
}

/* --- time --- */

static const uint8_t stranger[VD_PERSON_BYTES], knock[VD_PERSON_BYTES] = {[VD_PERSON_BYTES - 1] = 1};

static bool is_stranger(const struct vd_link *link)
{
	return !memcmp(link->member, stranger, sizeof stranger);
}

/* Whoever waits for the writer is there, too. */
static void ask_all(struct vd_tcp *tcp, uint64_t now_us)
{
	for (const struct vd_link *link = tcp->links; link; link = link->next)
		if (link->committing)
			vd_accounts_ask(&tcp->accounts, link->member, now_us);
}

static bool took_much(const struct vd_tcp *tcp, const uint8_t member[VD_PERSON_BYTES], uint64_t now_us)
{
	return vd_accounts_had(&tcp->accounts, member, now_us) * VD_ACCOUNTS_STEP_US >= VD_ACCOUNTS_HEAVY_US / 2;
}

/* libuv's clock moves when the sockets are looked at. */
static void begin_turn(struct vd_tcp *tcp)
{
	if (tcp->turn_ms == uv_now(tcp->loop))
		return;
	tcp->turn_ms = uv_now(tcp->loop);
	tcp->turn_us = 0;
}

bool vd_tcp_turn_over(struct vd_tcp *tcp)
{
	begin_turn(tcp);
	return tcp->turn_us >= VD_TCP_TURN_MS * 1000 && !tcp->stopping;
}

static void spent(struct vd_tcp *tcp, const uint8_t who[VD_PERSON_BYTES], enum vd_pace pace, bool asked, uint64_t began_us)
{
	uint64_t now_us = vd_tcp_now_us(), cost_us = now_us - began_us, *until_us = &tcp->rest_until_us[pace];

	if (asked)
		vd_accounts_take(&tcp->accounts, who, now_us, cost_us);
	else
		vd_accounts_charge(&tcp->accounts, who, now_us, cost_us);
	if (!took_much(tcp, who, now_us))
		return;
	begin_turn(tcp);
	tcp->turn_us += cost_us;
	ask_all(tcp, now_us);
	if (!vd_accounts_heavy(&tcp->accounts, who, now_us))
		return;
	*until_us = *until_us > now_us ? *until_us : now_us;
	*until_us += cost_us * (pace == VD_PACE_MEMBERS ? VD_TCP_REST_TIMES : VD_TCP_STRANGERS_REST_TIMES);
	*until_us = *until_us < now_us + REST_MOST_US ? *until_us : now_us + REST_MOST_US;
}

void vd_link_spent(const struct vd_link *link, bool asked, uint64_t began_us)
{
	uint8_t holder[VD_ADDRESS_HOLDER_BYTES];
	uint64_t now_us = vd_tcp_now_us();

	if (is_stranger(link)) {
		vd_address_holder((const struct sockaddr *)&link->address, holder);
		vd_accounts_take(&link->tcp->addresses, holder, now_us, now_us - began_us);
	}
	spent(link->tcp, link->member, is_stranger(link) ? VD_PACE_STRANGERS : VD_PACE_MEMBERS, asked, began_us);
}

void vd_tcp_knocked(struct vd_tcp *tcp, uint64_t began_us)
{
	spent(tcp, knock, VD_PACE_KNOCKS, true, began_us);
}

static bool rests(const struct vd_tcp *tcp, const uint8_t who[VD_PERSON_BYTES], enum vd_pace pace, uint64_t owed_ms)
{
	uint64_t now_us = vd_tcp_now_us();

	return now_us + owed_ms * 1000 < tcp->rest_until_us[pace] && !tcp->stopping && vd_accounts_heavy(&tcp->accounts, who, now_us);
}

/* Have strangers lately come from elsewhere, most of them? */
static bool goes_first(const struct vd_link *link)
{
	uint8_t holder[VD_ADDRESS_HOLDER_BYTES];
	uint64_t now_us = vd_tcp_now_us();

	vd_address_holder((const struct sockaddr *)&link->address, holder);
	return vd_accounts_had_us(&link->tcp->addresses, holder, now_us) * VD_TCP_FIRST_PART <
	       vd_accounts_had_us(&link->tcp->accounts, stranger, now_us);
}

bool vd_link_rests(const struct vd_link *link)
{
	const struct vd_tcp *tcp = link->tcp;

	if (link->state != VD_LINK_OPEN)
		return false;
	if (!is_stranger(link))
		return rests(tcp, link->member, VD_PACE_MEMBERS, VD_TCP_OWED_MS);
	return rests(tcp, stranger, VD_PACE_STRANGERS, VD_TCP_OWED_MS) &&
	       !(goes_first(link) && !rests(tcp, stranger, VD_PACE_STRANGERS, VD_TCP_FIRST_OWED_MS));
}

uint64_t vd_tcp_rest_ends_us(const struct vd_tcp *tcp)
{
	static const uint64_t owed_ms[] = {VD_TCP_FIRST_OWED_MS, VD_TCP_OWED_MS};
	uint64_t now_us = vd_tcp_now_us(), next = UINT64_MAX;

	for (size_t pace = 0; pace < VD_PACES; pace++)
		for (size_t i = 0; i < 2; i++) {
			uint64_t until_us = tcp->rest_until_us[pace];

			if (until_us > now_us + owed_ms[i] * 1000 && until_us - owed_ms[i] * 1000 < next)
				next = until_us - owed_ms[i] * 1000;
		}
	return next;
}

bool vd_link_is_large(const struct vd_link *link)
{
	return link->proved && link->state == VD_LINK_OPEN && took_much(link->tcp, link->member, vd_tcp_now_us());
}

bool vd_tcp_may_accept(struct vd_tcp *tcp)
{
	uint64_t now_ms = uv_now(tcp->loop); /* within a turn it stands still */

	if (tcp->stopping || rests(tcp, knock, VD_PACE_KNOCKS, VD_TCP_OWED_MS))
		return false;
	if (now_ms - tcp->accepting_ms >= VD_TCP_ACCEPT_MS) {
		tcp->accepting_ms = now_ms;
		tcp->accepted = 0;
	}
	return tcp->accepted++ < VD_TCP_ACCEPT_COUNT;
}

/* --- places --- */

static bool is_in(const struct vd_link *link)
{
	return link->proved && !link->outgoing && link->state == VD_LINK_OPEN;
}

static bool same_member(const struct vd_link *a, const struct vd_link *b)
{
	return a->group == b->group && !memcmp(a->member, b->member, sizeof a->member);
}

static size_t places(const struct vd_tcp *tcp, const struct vd_link *link)
{
	size_t n = 0;

	for (const struct vd_link *other = tcp->links; other; other = other->next)
		n += is_in(other) && same_member(other, link);
	return n;
}

/* The one at rest for longest of those accepted from the newcomer's member. */
static struct vd_link *longest_settled_of(const struct vd_link *newcomer)
{
	struct vd_link *longest = NULL;

	for (struct vd_link *link = newcomer->tcp->links; link; link = link->next)
		if (link != newcomer && is_in(link) && same_member(link, newcomer) && !link->committing &&
		    vd_node_settled(link->tcp->node, link->conn) && (!longest || link->settled_ms <= longest->settled_ms))
			longest = link;
	return longest;
}

/* The newest connection of whoever has most places, if those are more than the newcomer's member has. */
static struct vd_link *one_of_most(const struct vd_link *newcomer)
{
	size_t most = places(newcomer->tcp, newcomer);
	struct vd_link *victim = NULL;

	for (struct vd_link *link = newcomer->tcp->links; link; link = link->next) {
		size_t n = is_in(link) && link != newcomer ? places(link->tcp, link) : 0;

		if (n > most) {
			victim = link;
			most = n;
		}
	}
	return victim;
}

void vd_link_make_place(struct vd_link *newcomer)
{
	struct vd_tcp *tcp = newcomer->tcp;
	bool too_many = places(tcp, newcomer) > VD_TCP_MEMBER_IN;
	struct vd_link *leaving, *victim = newcomer;
	size_t proved = 0;

	for (struct vd_link *link = tcp->links; link; link = link->next)
		proved += is_in(link);
	if (!too_many && proved <= VD_TCP_PROVED_IN)
		return;
	leaving = too_many ? longest_settled_of(newcomer) : vd_link_longest_settled(tcp, false, newcomer);
	if (leaving) {
		vd_link_drop(leaving, VD_EBUSY);
		return;
	}
	if (!too_many && one_of_most(newcomer))
		victim = one_of_most(newcomer);
	vd_node_busy(tcp->node, vd_tcp_now(), victim->conn);
}
