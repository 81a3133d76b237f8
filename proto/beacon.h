/* Beacon: "someone here belongs to your group", told only to those who know. PROTOCOL.md section 10. */
#ifndef VD_BEACON_H
#define VD_BEACON_H

#include "bytes.h"
#include "limits.h"

enum { VD_BEACON_BYTES = 82, VD_BEACON_TAGS = 8, VD_BEACON_SEED_BYTES = 16 + 8 * VD_BEACON_TAGS + 8, VD_BEACON_PORT = 17766 };
#define VD_BEACON_GROUP4 "239.255.77.66"
#define VD_BEACON_GROUP6 "ff02::7665:7264"

/* A beacon for the first VD_BEACON_TAGS of `links`, in places that the seed draws; the other tags are decoys. `seed` (nonce,
 * decoys, places) is fresh random for every beacon. Where one nonce serves several addresses, decoys and places must still be
 * fresh, or the tags that differ would show how many groups we have. `address` is 4 or 16 bytes in network order: the source
 * the beacon leaves from, or was seen coming from. tcp_port is not 0. */
void vd_beacon_create(const uint8_t (*links)[VD_KEY_BYTES], size_t count, struct vd_slice address, uint16_t tcp_port,
                      const uint8_t seed[VD_BEACON_SEED_BYTES], uint8_t out[VD_BEACON_BYTES]);
/* *index of the first of our link keys that one of the tags was made with. VD_ENOTFOUND: none of ours. VD_EFORMAT: no beacon.
 * VD_EINVAL: an address of neither length. On error *tcp_port and *index are untouched. */
int vd_beacon_match(struct vd_slice packet, const uint8_t (*links)[VD_KEY_BYTES], size_t count, struct vd_slice address,
                    uint16_t *tcp_port, size_t *index);

#endif
