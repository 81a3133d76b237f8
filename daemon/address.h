/* Addresses as people write them: host:port, 192.0.2.1:4000, [2001:db8::1]:4000, [fe80::1%eth0]:4000. */
#ifndef VD_ADDRESS_H
#define VD_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

enum { VD_ADDRESS_HOST = 256, VD_ADDRESS_TEXT = 96, VD_ADDRESS_HOLDER_BYTES = 16 };

/* Splits; a bare IPv6 address needs its brackets, the port is 0 to 65535. VD_EINVAL. */
int vd_address_split(const char *text, char host[VD_ADDRESS_HOST], uint16_t *port);
/* Numbers only: no name is looked up. VD_EINVAL. */
int vd_address_parse(const char *text, struct sockaddr_storage *out);
/* IPv4 seen through an IPv6 socket is shown, and kept, as IPv4. */
void vd_address_plain(const struct sockaddr *, struct sockaddr_storage *out);
void vd_address_text(const struct sockaddr *, char out[VD_ADDRESS_TEXT]);
uint16_t vd_address_port(const struct sockaddr *);
void vd_address_set_port(struct sockaddr_storage *, uint16_t port);
socklen_t vd_address_length(const struct sockaddr *);
/* The same host; `ports` asks for the same port too. Link-local addresses are the same only on one interface. */
bool vd_address_same(const struct sockaddr *, const struct sockaddr *, bool ports);
/* Whom one device may be: the same IPv4 address, or the same /64 of IPv6. */
bool vd_address_same_holder(const struct sockaddr *, const struct sockaddr *);
/* The same for two: of others the bytes differ. */
void vd_address_holder(const struct sockaddr *, uint8_t out[VD_ADDRESS_HOLDER_BYTES]);

#endif
