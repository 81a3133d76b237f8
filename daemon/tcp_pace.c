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

static bool is_stranger(const uint8_t member[VD_PERSON_BYTES])
{
	static const uint8_t stranger[VD_PERSON_BYTES];

	return !memcmp(member, stranger, sizeof stranger);
}

static uint64_t *rest_until(struct vd_tcp *tcp, const uint8_t member[VD_PERSON_BYTES])
{
	return is_stranger(member) ? &tcp->strangers_until_us : &tcp->rest_until_us;
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

void vd_tcp_spent(struct vd_tcp *tcp, const uint8_t member[VD_PERSON_BYTES], bool asked, uint64_t began_us)
{
	uint64_t now_us = vd_tcp_now_us(), rest_us = (now_us - began_us) * VD_TCP_REST_TIMES;

	if (asked)
		vd_accounts_take(&tcp->accounts, member, now_us, now_us - began_us);
	else
		vd_accounts_charge(&tcp->accounts, member, now_us, now_us - began_us);
	if (!took_much(tcp, member, now_us))
		return;
	begin_turn(tcp);
	tcp->turn_us += now_us - began_us;
	ask_all(tcp, now_us);
	if (!vd_accounts_heavy(&tcp->accounts, member, now_us))
		return;
	rest_us = rest_us < REST_MOST_US ? rest_us : REST_MOST_US;
	if (now_us + rest_us > *rest_until(tcp, member))
		*rest_until(tcp, member) = now_us + rest_us;
}

/* Are they to wait, so that others are served? */
static bool rests(const struct vd_tcp *tcp, const uint8_t member[VD_PERSON_BYTES])
{
	uint64_t now_us = vd_tcp_now_us();

	return now_us < *rest_until((struct vd_tcp *)tcp, member) && !tcp->stopping && vd_accounts_heavy(&tcp->accounts, member, now_us);
}

bool vd_link_rests(const struct vd_link *link)
{
	return link->state == VD_LINK_OPEN && rests(link->tcp, link->member);
}

bool vd_link_is_large(const struct vd_link *link)
{
	return link->proved && link->state == VD_LINK_OPEN && took_much(link->tcp, link->member, vd_tcp_now_us());
}

bool vd_tcp_may_accept(struct vd_tcp *tcp)
{
	static const uint8_t stranger[VD_PERSON_BYTES];
	uint64_t now_ms = uv_now(tcp->loop); /* within a turn it stands still */

	if (tcp->stopping || rests(tcp, stranger))
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
