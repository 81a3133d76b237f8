/* Input: u8 (address family) ‖ a packet. A packet that matches must be what we would have sent, tag for tag. */
#include <sodium.h>
#include <string.h>

#include "proto/beacon.h"
#include "proto/err.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t address[16] = { 192, 0, 2, 7 };
	uint8_t links[3][VD_KEY_BYTES], seed[VD_BEACON_SEED_BYTES] = { 0 }, packet[VD_BEACON_BYTES], known[VD_BEACON_BYTES];
	struct vd_slice from = vd_slice(address, size && data[0] & 1 ? 16 : 4);
	uint16_t port;
	size_t index, equal = 0;
	int rc;

	if (!size)
		return 0;
	for (uint8_t i = 0; i < 3; i++)
		memset(links[i], i, VD_KEY_BYTES);
	rc = vd_beacon_match(vd_slice(data + 1, size - 1), (const uint8_t(*)[VD_KEY_BYTES])links, 3, from, &port, &index);
	FUZZ_CHECK(rc == VD_OK || rc == VD_ENOTFOUND || rc == VD_EFORMAT);
	if (size - 1 == VD_BEACON_BYTES) {
		memcpy(packet, data + 1, sizeof(packet));
		memcpy(seed, packet, 16);
		vd_beacon_create((const uint8_t(*)[VD_KEY_BYTES])links, 3, from, vd_get_u16(packet + 16), seed, known);
		for (size_t i = 18; i < VD_BEACON_BYTES; i += 8)
			for (size_t k = 18; k < VD_BEACON_BYTES; k += 8)
				equal += !sodium_is_zero(known + k, 8) && memcmp(packet + i, known + k, 8) == 0;
		FUZZ_CHECK(rc == VD_EFORMAT || (rc == VD_OK) == (equal > 0));
	}
	return 0;
}
