/* libvereda: everything an embedding program needs, one include.
 *
 * vereda moves signed records between devices that trust each other and nobody else, over whatever link there is. The library is
 * sans-I/O: it opens no socket, no file, reads no clock and draws no randomness. You hand it bytes, the time and random seeds; it
 * hands back bytes to send, batches to store and the time when it wants to be called next.
 *
 *     vd_sign_selftest();                        once, before anything else
 *     node = vd_node_new(&port, seed);           `port` is your store (port.h)
 *     vd_node_add_group(node, group);
 *     vd_node_accept(node, now, &conn);          a link came up
 *     vd_node_feed(node, now, conn, bytes);      what arrived on it
 *     vd_node_drain(node, now, conn, max, &out); what to send
 *     while (vd_node_wish(node, &wish)) …        what to store, what happened
 *     vd_node_tick(node, now);                   no later than vd_node_deadline(node)
 *
 * A node and everything it borrows belong to one thread. Functions return 0 or a negative enum vd_err. */
#ifndef VEREDA_H
#define VEREDA_H

#define VEREDA_RELEASE "0.1.0"

#include "beacon.h"
#include "body.h"
#include "bytes.h"
#include "chain.h"
#include "channel.h"
#include "compact.h"
#include "content.h"
#include "declined.h"
#include "digest.h"
#include "err.h"
#include "follow.h"
#include "group.h"
#include "hash.h"
#include "id.h"
#include "kind.h"
#include "limits.h"
#include "node.h"
#include "pack.h"
#include "port.h"
#include "record.h"
#include "seal.h"
#include "session.h"
#include "sign.h"
#include "sketch.h"
#include "slip.h"

#endif
