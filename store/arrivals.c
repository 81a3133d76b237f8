#include "arrivals.h"

#include <stdlib.h>
#include <string.h>

#include "proto/err.h"

enum { WORD = 64, WORDS = VD_ARRIVALS_PAGE / WORD };

static bool bit(const uint64_t *map, uint64_t arrival)
{
	return map[arrival % VD_ARRIVALS_PAGE / WORD] >> arrival % WORD & 1;
}

static void set_bit(uint64_t *map, uint64_t arrival)
{
	map[arrival % VD_ARRIVALS_PAGE / WORD] |= UINT64_C(1) << arrival % WORD;
}

/* The first page that reaches that far. */
static size_t place_of(const struct vd_arrivals *a, uint64_t arrival)
{
	uint64_t first = arrival - arrival % VD_ARRIVALS_PAGE;
	size_t low = 0, high = a->count;

	/* Most come in order. */
	if (a->count && a->pages[a->count - 1].first < first)
		return a->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (a->pages[middle].first < first)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_of(const struct vd_arrivals_page *page, uint64_t arrival)
{
	return page->first == arrival - arrival % VD_ARRIVALS_PAGE;
}

static const struct vd_arrivals_page *find(const struct vd_arrivals *a, uint64_t arrival)
{
	size_t i = place_of(a, arrival);

	return i < a->count && is_of(&a->pages[i], arrival) ? &a->pages[i] : NULL;
}

static int insert(struct vd_arrivals *a, size_t i, uint64_t arrival)
{
	uint64_t *maps;

	if (!vd_room(&a->pages, a->count, &a->capacity, 4, sizeof(*a->pages)))
		return VD_ENOMEM;
	maps = calloc(2 * (size_t)WORDS, sizeof(*maps));
	if (!maps)
		return VD_ENOMEM;
	memmove(a->pages + i + 1, a->pages + i, (a->count++ - i) * sizeof(*a->pages));
	a->pages[i] = (struct vd_arrivals_page){ arrival - arrival % VD_ARRIVALS_PAGE, maps, maps + WORDS };
	return VD_OK;
}

void vd_arrivals_deinit(struct vd_arrivals *a)
{
	for (size_t i = 0; i < a->count; i++)
		free(a->pages[i].held);
	free(a->pages);
	*a = (struct vd_arrivals){ 0 };
}

int vd_arrivals_add(struct vd_arrivals *a, uint64_t arrival, bool stub)
{
	size_t i = place_of(a, arrival);
	int rc = i < a->count && is_of(&a->pages[i], arrival) ? VD_OK : insert(a, i, arrival);

	if (rc)
		return rc;
	set_bit(a->pages[i].held, arrival);
	if (!stub)
		set_bit(a->pages[i].whole, arrival);
	return VD_OK;
}

bool vd_arrivals_held(const struct vd_arrivals *a, uint64_t arrival)
{
	const struct vd_arrivals_page *page = find(a, arrival);

	return page && bit(page->held, arrival);
}

bool vd_arrivals_whole(const struct vd_arrivals *a, uint64_t arrival)
{
	const struct vd_arrivals_page *page = find(a, arrival);

	return page && bit(page->whole, arrival);
}

uint64_t vd_arrivals_next_lacking(const struct vd_arrivals *a, uint64_t after, uint64_t latest)
{
	uint64_t i = after + 1;

	while (i <= latest) {
		const struct vd_arrivals_page *page = find(a, i);

		if (!page || !bit(page->whole, i))
			return i;
		if (i % WORD == 0 && page->whole[i % VD_ARRIVALS_PAGE / WORD] == UINT64_MAX)
			i += WORD;
		else
			i++;
	}
	return 0;
}

int vd_arrivals_encode(const struct vd_arrivals *a, struct vd_buf *out)
{
	uint64_t before = 0;

	for (size_t at = 0; at < a->count; at++) {
		const struct vd_arrivals_page *page = &a->pages[at];

		for (uint64_t i = page->first, end = i + VD_ARRIVALS_PAGE; i != end; i++) {
			if (bit(page->held, i)) {
				vd_buf_put_varint(out, (i - before) * 2 + !bit(page->whole, i));
				before = i;
			} else if (i % WORD == 0 && page->held[i % VD_ARRIVALS_PAGE / WORD] == 0) {
				i += WORD - 1;
			}
		}
	}
	return vd_buf_check(out);
}

bool vd_arrivals_list_next(struct vd_rd *r, uint64_t latest, uint64_t *at, bool *stub)
{
	uint64_t v;

	if (!r->n || r->err)
		return false;
	v = vd_rd_varint(r);
	if (!r->err && (v / 2 == 0 || v / 2 > latest - *at))
		r->err = VD_EDAMAGED;
	if (r->err)
		return false;
	*at += v / 2;
	*stub = v & 1;
	return true;
}

int vd_arrivals_decode(struct vd_arrivals *a, struct vd_slice list, uint64_t latest)
{
	struct vd_rd r = vd_rd(list);
	uint64_t at = 0;
	bool stub;
	int rc = VD_OK;

	while (!rc && vd_arrivals_list_next(&r, latest, &at, &stub))
		rc = vd_arrivals_add(a, at, stub);
	return rc ? rc : r.err ? VD_EDAMAGED : VD_OK;
}
