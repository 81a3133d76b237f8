#include "arrivals.h"

#include <string.h>

#include "proto/err.h"

static bool bit(const struct vd_buf *map, uint64_t i)
{
	return i / 8 < map->n && (map->p[i / 8] >> (i % 8) & 1);
}

static int set_bit(struct vd_buf *map, uint64_t i)
{
	if (i / 8 >= map->n) {
		size_t more = (size_t)(i / 8) + 1 - map->n;
		uint8_t *p = vd_buf_extend(map, more);

		if (!p)
			return VD_ENOMEM;
		memset(p, 0, more);
	}
	map->p[i / 8] |= (uint8_t)(1u << i % 8);
	return VD_OK;
}

void vd_arrivals_deinit(struct vd_arrivals *a)
{
	vd_buf_deinit(&a->held);
	vd_buf_deinit(&a->whole);
}

int vd_arrivals_add(struct vd_arrivals *a, uint64_t arrival, bool stub)
{
	int rc = set_bit(&a->held, arrival);

	if (!rc && !stub)
		rc = set_bit(&a->whole, arrival);
	return rc;
}

bool vd_arrivals_held(const struct vd_arrivals *a, uint64_t arrival)
{
	return bit(&a->held, arrival);
}

bool vd_arrivals_whole(const struct vd_arrivals *a, uint64_t arrival)
{
	return bit(&a->whole, arrival);
}

uint64_t vd_arrivals_next_lacking(const struct vd_arrivals *a, uint64_t after, uint64_t latest)
{
	uint64_t i = after + 1;

	while (i <= latest) {
		uint64_t word;

		if (i % 64 == 0 && a->whole.n >= 8 && i / 8 <= a->whole.n - 8) {
			memcpy(&word, a->whole.p + i / 8, sizeof(word));
			if (word == UINT64_MAX) {
				i += 64;
				continue;
			}
		}
		if (!bit(&a->whole, i))
			return i;
		i++;
	}
	return 0;
}

int vd_arrivals_encode(const struct vd_arrivals *a, struct vd_buf *out)
{
	uint64_t before = 0;

	for (size_t at = 0; at < a->held.n; at++) {
		if (!a->held.p[at])
			continue;
		for (uint64_t i = (uint64_t)at * 8; i < (uint64_t)at * 8 + 8; i++)
			if (bit(&a->held, i)) {
				vd_buf_put_varint(out, (i - before) * 2 + !bit(&a->whole, i));
				before = i;
			}
	}
	return vd_buf_check(out);
}

int vd_arrivals_decode(struct vd_arrivals *a, struct vd_slice list, uint64_t latest)
{
	struct vd_rd r = vd_rd(list);
	uint64_t at = 0;

	while (r.n) {
		uint64_t v = vd_rd_varint(&r);
		int rc;

		if (r.err || v / 2 == 0 || v / 2 > latest - at)
			return VD_EDAMAGED;
		at += v / 2;
		rc = vd_arrivals_add(a, at, v & 1);
		if (rc)
			return rc;
	}
	return VD_OK;
}
