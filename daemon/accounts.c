#include "accounts.h"

#include <string.h>

static uint64_t taken(const struct vd_account *a, uint64_t now_us)
{
	uint64_t halves = (now_us - a->as_of_us) / (VD_ACCOUNTS_HALF_MS * 1000ull);

	return halves < 63 ? a->taken_us >> halves : 0;
}

static const struct vd_account *find(const struct vd_accounts *all, const uint8_t *who)
{
	for (size_t i = 0; i < VD_ACCOUNTS; i++)
		if (all->account[i].used && !memcmp(all->account[i].who, who, VD_PERSON_BYTES))
			return &all->account[i];
	return NULL;
}

/* Theirs, or a free one, or that of whoever was not there for longest. */
static struct vd_account *place(struct vd_accounts *all, const uint8_t *who, uint64_t now_us)
{
	struct vd_account *a = (struct vd_account *)find(all, who);

	if (a)
		return a;
	a = &all->account[0];
	for (size_t i = 0; i < VD_ACCOUNTS && a->used; i++)
		if (!all->account[i].used || all->account[i].asked_us < a->asked_us)
			a = &all->account[i];
	*a = (struct vd_account){.used = true, .as_of_us = now_us};
	memcpy(a->who, who, VD_PERSON_BYTES);
	return a;
}

void vd_accounts_ask(struct vd_accounts *all, const uint8_t who[VD_PERSON_BYTES], uint64_t now_us)
{
	place(all, who, now_us)->asked_us = now_us;
}

void vd_accounts_charge(struct vd_accounts *all, const uint8_t who[VD_PERSON_BYTES], uint64_t now_us, uint64_t cost_us)
{
	struct vd_account *a = place(all, who, now_us);
	uint64_t half_us = VD_ACCOUNTS_HALF_MS * 1000ull, halves = (now_us - a->as_of_us) / half_us;

	a->taken_us = taken(a, now_us) + cost_us;
	a->as_of_us += halves * half_us;
}

void vd_accounts_take(struct vd_accounts *all, const uint8_t who[VD_PERSON_BYTES], uint64_t now_us, uint64_t cost_us)
{
	vd_accounts_charge(all, who, now_us, cost_us);
	vd_accounts_ask(all, who, now_us);
}

uint64_t vd_accounts_had_us(const struct vd_accounts *all, const uint8_t who[VD_PERSON_BYTES], uint64_t now_us)
{
	const struct vd_account *a = find(all, who);

	return a ? taken(a, now_us) : 0;
}

uint64_t vd_accounts_had(const struct vd_accounts *all, const uint8_t who[VD_PERSON_BYTES], uint64_t now_us)
{
	return vd_accounts_had_us(all, who, now_us) / VD_ACCOUNTS_STEP_US;
}

bool vd_accounts_heavy(const struct vd_accounts *all, const uint8_t who[VD_PERSON_BYTES], uint64_t now_us)
{
	const struct vd_account *own = find(all, who);
	uint64_t own_us = own ? taken(own, now_us) : 0;

	if (own_us < VD_ACCOUNTS_HEAVY_US)
		return false;
	for (size_t i = 0; i < VD_ACCOUNTS; i++) {
		const struct vd_account *a = &all->account[i];

		if (!a->used || a == own || !a->asked_us || now_us - a->asked_us >= VD_ACCOUNTS_LATELY_MS * 1000ull)
			continue;
		if (taken(a, now_us) < own_us / 2)
			return true;
	}
	return false;
}
