/* Beacon: "someone here belongs to your group", told only to those who know. PROTOCOL.md section 10. */
#ifndef VD_BEACON_H
#define VD_BEACON_H

#include "bytes.h"
#include "limits.h"

enum { VD_BEACON_BYTES = 82, VD_BEACON_TAGS = 8, VD_BEACON_SEED_BYTES = 16 + 8 * VD_BEACON_TAGS + 8, VD_BEACON_PORT = 17766 };
#define VD_BEACON_GROUP4 "239.255.77.66"
#define VD_BEACON_GROUP6 "ff02::7665:7264"

/* `address` is 4 or 16 bytes in network order: the source the beacon leaves from, or was seen coming from. */
void vd_beacon_create(const uint8_t (*links)[VD_KEY_BYTES], size_t count, struct vd_slice address, uint16_t tcp_port,
                      const uint8_t seed[VD_BEACON_SEED_BYTES], uint8_t out[VD_BEACON_BYTES]);
/* Index of the first of our link keys that one of the tags was made with, or VD_ENOTFOUND, VD_EFORMAT. */
int vd_beacon_match(struct vd_slice packet, const uint8_t (*links)[VD_KEY_BYTES], size_t count, struct vd_slice address,
                    uint16_t *tcp_port, size_t *index);

#endif
