#include "address.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/err.h"

static const struct sockaddr_in *in4(const struct sockaddr *a)
{
	return (const struct sockaddr_in *)(const void *)a;
}

static const struct sockaddr_in6 *in6(const struct sockaddr *a)
{
	return (const struct sockaddr_in6 *)(const void *)a;
}

int vd_address_split(const char *text, char host[VD_ADDRESS_HOST], uint16_t *port)
{
	const char *colon = strrchr(text, ':');
	size_t n = colon ? (size_t)(colon - text) : 0;
	unsigned long number = 0;

	if (!colon || !n || n >= VD_ADDRESS_HOST || !colon[1] || strlen(colon + 1) > 5)
		return VD_EINVAL;
	for (const char *digit = colon + 1; *digit; digit++) {
		if (*digit < '0' || *digit > '9')
			return VD_EINVAL;
		number = number * 10 + (unsigned long)(*digit - '0');
	}
	if (number > UINT16_MAX)
		return VD_EINVAL;

	if (text[0] == '[') {
		if (n < 3 || text[n - 1] != ']')
			return VD_EINVAL;
		text++;
		n -= 2;
	} else if (memchr(text, ':', n)) {
		return VD_EINVAL;
	}
	memcpy(host, text, n);
	host[n] = '\0';
	*port = (uint16_t)number;
	return 0;
}

int vd_address_parse(const char *text, struct sockaddr_storage *out)
{
	char host[VD_ADDRESS_HOST];
	uint16_t port;
	int rc = vd_address_split(text, host, &port);

	if (rc)
		return rc;
	memset(out, 0, sizeof *out);
	struct sockaddr_in *four = (struct sockaddr_in *)(void *)out;
	if (inet_pton(AF_INET, host, &four->sin_addr) == 1) {
		four->sin_family = AF_INET;
		four->sin_port = htons(port);
		return 0;
	}
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)(void *)out;
	char *zone = strchr(host, '%');
	if (zone) {
		*zone++ = '\0';
		six->sin6_scope_id = if_nametoindex(zone);
		if (!six->sin6_scope_id)
			return VD_EINVAL;
	}
	if (inet_pton(AF_INET6, host, &six->sin6_addr) != 1)
		return VD_EINVAL;
	six->sin6_family = AF_INET6;
	six->sin6_port = htons(port);
	return 0;
}

void vd_address_plain(const struct sockaddr *address, struct sockaddr_storage *out)
{
	struct sockaddr_storage copy = {0};

	if (address->sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&in6(address)->sin6_addr)) {
		struct sockaddr_in *four = (struct sockaddr_in *)(void *)&copy;

		four->sin_family = AF_INET;
		four->sin_port = in6(address)->sin6_port;
		memcpy(&four->sin_addr, in6(address)->sin6_addr.s6_addr + 12, 4);
	} else {
		memcpy(&copy, address, vd_address_length(address));
	}
	*out = copy;
}

void vd_address_text(const struct sockaddr *address, char out[VD_ADDRESS_TEXT])
{
	char host[INET6_ADDRSTRLEN] = "?", zone[IF_NAMESIZE + 1] = "";

	if (address->sa_family == AF_INET) {
		inet_ntop(AF_INET, &in4(address)->sin_addr, host, sizeof host);
		snprintf(out, VD_ADDRESS_TEXT, "%s:%u", host, vd_address_port(address));
		return;
	}
	if (address->sa_family == AF_INET6) {
		inet_ntop(AF_INET6, &in6(address)->sin6_addr, host, sizeof host);
		if (in6(address)->sin6_scope_id) {
			zone[0] = '%';
			if (!if_indextoname(in6(address)->sin6_scope_id, zone + 1))
				snprintf(zone + 1, sizeof zone - 1, "%u", in6(address)->sin6_scope_id);
		}
	}
	snprintf(out, VD_ADDRESS_TEXT, "[%s%s]:%u", host, zone, vd_address_port(address));
}

uint16_t vd_address_port(const struct sockaddr *address)
{
	if (address->sa_family == AF_INET)
		return ntohs(in4(address)->sin_port);
	return address->sa_family == AF_INET6 ? ntohs(in6(address)->sin6_port) : 0;
}

void vd_address_set_port(struct sockaddr_storage *address, uint16_t port)
{
	if (address->ss_family == AF_INET)
		((struct sockaddr_in *)(void *)address)->sin_port = htons(port);
	else if (address->ss_family == AF_INET6)
		((struct sockaddr_in6 *)(void *)address)->sin6_port = htons(port);
}

socklen_t vd_address_length(const struct sockaddr *address)
{
	return address->sa_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
}

bool vd_address_same(const struct sockaddr *a, const struct sockaddr *b, bool ports)
{
	if (a->sa_family != b->sa_family || (ports && vd_address_port(a) != vd_address_port(b)))
		return false;
	if (a->sa_family == AF_INET)
		return in4(a)->sin_addr.s_addr == in4(b)->sin_addr.s_addr;
	return a->sa_family == AF_INET6 && in6(a)->sin6_scope_id == in6(b)->sin6_scope_id &&
	       !memcmp(&in6(a)->sin6_addr, &in6(b)->sin6_addr, sizeof in6(a)->sin6_addr);
}

void vd_address_holder(const struct sockaddr *address, uint8_t out[VD_ADDRESS_HOLDER_BYTES])
{
	enum { PREFIX_BYTES = 8 };

	memset(out, 0, VD_ADDRESS_HOLDER_BYTES);
	out[0] = address->sa_family == AF_INET6;
	if (address->sa_family == AF_INET)
		memcpy(out + 1, &in4(address)->sin_addr, sizeof in4(address)->sin_addr);
	if (address->sa_family != AF_INET6)
		return;
	memcpy(out + 1, &in6(address)->sin6_addr, PREFIX_BYTES);
	memcpy(out + 1 + PREFIX_BYTES, &in6(address)->sin6_scope_id, sizeof in6(address)->sin6_scope_id);
}

bool vd_address_same_holder(const struct sockaddr *a, const struct sockaddr *b)
{
	uint8_t of_a[VD_ADDRESS_HOLDER_BYTES], of_b[VD_ADDRESS_HOLDER_BYTES];

	vd_address_holder(a, of_a);
	vd_address_holder(b, of_b);
	return !memcmp(of_a, of_b, sizeof of_a);
}
