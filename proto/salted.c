#include "salted.h"

#include <stdlib.h>

#include "err.h"

enum { SCAN_AT_ONCE = 256 };

/* Above the arrival number. */
static uint64_t part_of(const struct vd_salted *s, uint64_t item)
{
	return item >> s->shift << s->shift;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

int vd_salted_scan(struct vd_salted *s, const struct vd_port *port, const uint8_t *group, uint8_t lane, uint64_t latest, uint64_t about,
                   const struct vd_declined_set *apart, const uint8_t salt[VD_SALT_BYTES], struct vd_symbol *symbols, size_t n)
{
	struct vd_arrival found[SCAN_AT_ONCE];
	size_t count, least = about < SCAN_AT_ONCE ? SCAN_AT_ONCE : (size_t)about;
	uint64_t after = 0;

	while (s->shift < 63 && latest >> s->shift)
		s->shift++;
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
			if (vd_room(&s->entries, s->count, &s->capacity, least, sizeof(*s->entries)))
				s->entries[s->count++] = part_of(s, vd_get_u64(item.b)) | found[i].arrival;
			else
				rc = VD_ENOMEM;
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
	uint64_t part = part_of(s, item);
	size_t low = 0, high = s->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (s->entries[middle] < part)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool vd_salted_is(const struct vd_salted *s, uint64_t entry, uint64_t item)
{
	return part_of(s, entry) == part_of(s, item);
}

uint64_t vd_salted_arrival(const struct vd_salted *s, uint64_t entry)
{
	return entry & ((UINT64_C(1) << s->shift) - 1);
}
