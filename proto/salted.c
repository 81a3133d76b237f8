#include "salted.h"

#include <stdlib.h>

#include "err.h"

enum { SCAN_AT_ONCE = 256 };

static int put(struct vd_salted *s, uint64_t item, uint64_t arrival)
{
	if (!vd_room(&s->entries, s->count, &s->capacity, 256, sizeof(*s->entries)))
		return VD_ENOMEM;
	s->entries[s->count++] = (struct vd_salted_entry){ item, arrival };
	return VD_OK;
}

static int compare(const void *a, const void *b)
{
	const struct vd_salted_entry *x = a, *y = b;

	if (x->item != y->item)
		return x->item < y->item ? -1 : 1;
	return x->arrival < y->arrival ? -1 : x->arrival > y->arrival;
}

int vd_salted_scan(struct vd_salted *s, const struct vd_port *port, const uint8_t *group, uint8_t lane, uint64_t latest,
                   const struct vd_declined_set *apart, const uint8_t salt[VD_SALT_BYTES], struct vd_symbol *symbols, size_t n)
{
	struct vd_arrival found[SCAN_AT_ONCE];
	uint64_t after = 0;
	size_t count;

	do {
		int rc = port->scan(port->ctx, group, lane, after, found, SCAN_AT_ONCE, &count);

		for (size_t i = 0; !rc && i < count && found[i].arrival <= latest; i++) {
			struct vd_item item;

			after = found[i].arrival;
			if (vd_declined_has(apart, lane, found[i].author))
				continue;
			vd_item_of(salt, &found[i].id, &item);
			if (n)
				vd_sketch_apply(symbols, 0, n, &item, 1);
			rc = put(s, vd_get_u64(item.b), found[i].arrival);
		}
		if (rc)
			return rc;
	} while (count && after == found[count - 1].arrival);
	if (s->count)
		qsort(s->entries, s->count, sizeof(*s->entries), compare);
	return VD_OK;
}

void vd_salted_deinit(struct vd_salted *s)
{
	free(s->entries);
	*s = (struct vd_salted){ 0 };
}

size_t vd_salted_find(const struct vd_salted *s, uint64_t item)
{
	size_t low = 0, high = s->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (s->entries[middle].item < item)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}
