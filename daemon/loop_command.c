/* What the daemon does and says on its control socket. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "locked.h"
#include "loop_inside.h"
#include "proto/err.h"
#include "store/shares.h"
#include "walls.h"

static json_t *disk_json(const struct daemon *d)
{
	if (!d->disk.err)
		return d->disk.damaged ? json_pack("{s:s}", "state", "damaged") : json_null();
	return json_pack("{s:s,s:I}", "state", d->disk.err == VD_ENOSPACE ? "full" : "failing", "since_ms", (json_int_t)d->disk.since_ms);
}

/* Whose records the other end takes no more of, as far as this session knows: those that we do not decline ourselves. */
static json_t *declines_json(const struct daemon *d, const struct vd_link *link)
{
	const struct vd_declined_set *apart = vd_node_apart(d->node, link->conn);
	struct vd_declined_set own;
	json_t *authors = json_array();

	if (!apart || vd_shares_declined(d->store, vd_group_id(link->group), &own))
		return authors;
	for (size_t i = 0; i < apart->count; i++) {
		char hex[2 * VD_KEY_BYTES + 1];

		if (vd_declined_has(&own, apart->who[i].lane, apart->who[i].author))
			continue;
		vd_hex(hex, apart->who[i].author, VD_KEY_BYTES);
		json_array_append_new(authors, json_string(hex));
	}
	return authors;
}

static json_t *peer_json(const struct daemon *d, const struct vd_link *link)
{
	char text[VD_ADDRESS_TEXT], hex[2 * VD_KEY_BYTES + 1];
	json_t *peer = json_object();
	uv_timeval64_t wall;

	uv_gettimeofday(&wall);
	int64_t now_ms = wall.tv_sec * 1000 + wall.tv_usec / 1000;
	vd_address_text((const struct sockaddr *)&link->address, text);
	json_object_set_new(peer, "addr", json_string(link->state == VD_LINK_RESOLVING ? "" : text));
	json_object_set_new(peer, "state", json_string(vd_link_word(link)));
	json_object_set_new(peer, "since_ms", json_integer(now_ms - (int64_t)(vd_tcp_now() - link->since_ms)));
	json_object_set_new(peer, "outgoing", json_boolean(link->outgoing));
	json_object_set_new(peer, "bytes_in", json_integer((json_int_t)link->bytes_in));
	json_object_set_new(peer, "bytes_out", json_integer((json_int_t)link->bytes_out));
	if (!link->proved)
		return peer;
	vd_hex(hex, link->peer, VD_KEY_BYTES);
	json_object_set_new(peer, "member", json_string(hex));
	vd_hex(hex, vd_group_id(link->group), VD_GROUP_BYTES);
	json_object_set_new(peer, "group", json_string(hex));
	json_object_set_new(peer, "declines", declines_json(d, link));
	return peer;
}

static void status(const struct daemon *d, struct vd_buf *answer)
{
	json_t *root = json_object(), *listen = json_array(), *peers = json_array(), *discovering = json_array();

	for (size_t i = 0; i < d->bound_count; i++) {
		char text[VD_ADDRESS_TEXT];

		vd_address_text((const struct sockaddr *)&d->bound[i], text);
		json_array_append_new(listen, json_string(text));
	}
	for (const struct vd_link *link = d->tcp ? vd_tcp_first(d->tcp) : NULL; link; link = link->next)
		json_array_append_new(peers, peer_json(d, link));
	for (size_t i = 0; d->discover && i < d->conf->interface_count; i++)
		json_array_append_new(discovering, json_string(d->conf->interface[i]));
	json_object_set_new(root, "locked", json_boolean(!d->store));
	json_object_set_new(root, "listen", listen);
	json_object_set_new(root, "peers", peers);
	json_object_set_new(root, "discover_on", discovering);
	json_object_set_new(root, "walls", vd_walls_json());
	json_object_set_new(root, "disk", disk_json(d));
	char *text = json_dumps(root, JSON_COMPACT | JSON_PRESERVE_ORDER);
	if (text)
		vd_buf_put_slice(answer, vd_slice_str(text));
	else
		answer->failed = true;
	free(text);
	json_decref(root);
}

bool vd_loop_command(void *ctx, const struct vd_ctl_asked *asked, struct vd_buf *answer)
{
	struct daemon *d = ctx;

	switch (asked->command) {
	case VD_CTL_STATUS: status(d, answer); break;
	case VD_CTL_POKE:
	case VD_CTL_SYNC:
		if (!d->running || d->stopping) {
			vd_buf_put_slice(answer, vd_slice_str("error: locked"));
			break;
		}
		vd_loop_look(d);
		if (asked->command == VD_CTL_SYNC) {
			vd_calls_hurry(&d->calls, vd_tcp_now());
			vd_loop_call(d);
			if (d->discover)
				vd_discover_soon(d->discover);
		}
		vd_buf_put_slice(answer, vd_slice_str("ok"));
		break;
	case VD_CTL_KEY:
	case VD_CTL_LOCK:
	case VD_CTL_UNLOCK: return vd_locked_command(d, asked, answer);
	case VD_CTL_WIPE: vd_panic_wipe(asked->client);
	case VD_CTL_UNKNOWN: vd_buf_put_slice(answer, vd_slice_str("error: poke, status, sync, key, lock, unlock or wipe")); break;
	}
	return true;
}
