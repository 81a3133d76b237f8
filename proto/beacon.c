#include "beacon.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#include "err.h"
#include "hash.h"

enum { NONCE_BYTES = 16, TAG_BYTES = 8, TAGS_AT = NONCE_BYTES + 2, PLACES_AT = NONCE_BYTES + TAG_BYTES * VD_BEACON_TAGS };

/* `nonce` and `port` as they stand in the packet. */
static void make_tag(const uint8_t link[VD_KEY_BYTES], const uint8_t *packet, struct vd_slice address, uint8_t out[TAG_BYTES])
{
	uint8_t family = address.n == 4 ? 4 : 6;
	struct vd_slice parts[] = {
		vd_slice(packet, NONCE_BYTES), vd_slice(&family, 1), address, vd_slice(packet + NONCE_BYTES, 2),
	};

	vd_hash(VD_HASH_BEACON, vd_slice(link, VD_KEY_BYTES), out, TAG_BYTES, parts, sizeof(parts) / sizeof(parts[0]));
}

/* One of the 40,320 orders of the tags, drawn by a 64-bit number: Fisher and Yates with its digits in the factorial base. */
static void draw_places(uint64_t number, uint8_t place[VD_BEACON_TAGS])
{
	for (uint8_t i = 0; i < VD_BEACON_TAGS; i++)
		place[i] = i;
	for (unsigned left = VD_BEACON_TAGS; left > 1; left--) {
		unsigned pick = (unsigned)(number % left);
		uint8_t other = place[pick];

		number /= left;
		place[pick] = place[left - 1];
		place[left - 1] = other;
	}
}

void vd_beacon_create(const uint8_t (*links)[VD_KEY_BYTES], size_t count, struct vd_slice address, uint16_t tcp_port,
                      const uint8_t seed[VD_BEACON_SEED_BYTES], uint8_t out[VD_BEACON_BYTES])
{
	uint8_t place[VD_BEACON_TAGS];

	assert(address.n == 4 || address.n == 16);
	memcpy(out, seed, NONCE_BYTES);
	vd_set_u16(out + NONCE_BYTES, tcp_port);
	/* Decoys everywhere, then the real ones over them. */
	memcpy(out + TAGS_AT, seed + NONCE_BYTES, TAG_BYTES * VD_BEACON_TAGS);
	draw_places(vd_get_u64(seed + PLACES_AT), place);
	for (size_t i = 0; i < count && i < VD_BEACON_TAGS; i++)
		make_tag(links[i], out, address, out + TAGS_AT + TAG_BYTES * place[i]);
}

int vd_beacon_match(struct vd_slice packet, const uint8_t (*links)[VD_KEY_BYTES], size_t count, struct vd_slice address,
                    uint16_t *tcp_port, size_t *index)
{
	if (address.n != 4 && address.n != 16)
		return VD_EINVAL;
	if (packet.n != VD_BEACON_BYTES || vd_get_u16(packet.p + NONCE_BYTES) == 0)
		return VD_EFORMAT;
	for (size_t i = 0; i < count; i++) {
		uint8_t tag[TAG_BYTES];

		make_tag(links[i], packet.p, address, tag);
		for (size_t t = 0; t < VD_BEACON_TAGS; t++) {
			if (sodium_memcmp(tag, packet.p + TAGS_AT + TAG_BYTES * t, TAG_BYTES) == 0) {
				*tcp_port = vd_get_u16(packet.p + NONCE_BYTES);
				*index = i;
				return VD_OK;
			}
		}
	}
	return VD_ENOTFOUND;
}
