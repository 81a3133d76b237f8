/* BLAKE2b (RFC 7693) with a personalisation for each use, so that no hash of one thing is ever the hash of another. */
#ifndef VD_HASH_H
#define VD_HASH_H

#include <stddef.h>
#include <stdint.h>

#include "bytes.h"

/* Each is a 16-byte BLAKE2b personal string, NUL padded. The list is the protocol's whole use of hashes. */
enum vd_hash_use {
	VD_HASH_RECORD_ID,   /* "vereda record id" */
	VD_HASH_BODY,        /* "vereda body" */
	VD_HASH_GROUP_ID,    /* "vereda group id" */
	VD_HASH_ITEM,        /* "vereda item": keyed by a salt, 8 bytes */
	VD_HASH_CHECK,       /* "vereda check": of a symbol's item */
	VD_HASH_DIGEST,      /* "vereda digest": of a digest's state */
	VD_HASH_SUMMARY,     /* "vereda summary": of all lanes */
	VD_HASH_EPOCH_COMMIT,/* "vereda epoch key" */
	VD_HASH_BODY_KEY,    /* "vereda body key" */
	VD_HASH_BODY_AUTH,   /* "vereda body auth" */
	VD_HASH_BODY_MAC,    /* "vereda body mac" */
	VD_HASH_LINK_PSK,    /* "vereda link psk" */
	VD_HASH_BEACON,      /* "vereda beacon" */
	VD_HASH_SLOT,        /* "vereda slot" */
	VD_HASH_MASK,        /* "vereda mask" */
	VD_HASH_STREAM,      /* "vereda stream" */
	VD_HASH_HEAD,        /* "vereda head": of a sealed file's two heads */
	VD_HASH_WORDS,       /* "vereda words" */
	VD_HASH_CHECKSUM,    /* "vereda checksum" */
	VD_HASH_INDEX,       /* "vereda index": keyed, index keys of a store */
	VD_HASH_LOAD,        /* "vereda load": rows of a loaded file */
	VD_HASH_PAPER,       /* "vereda paper": the identity that a paper key's words stand for */
	VD_HASH_VAULT,       /* "vereda vault": key slots of a store */
	VD_HASH_PROLOGUE,    /* "vereda prologue": tags in a link's first bytes */
	VD_HASH_SLIP,        /* "vereda slip": a code on paper */
	VD_HASH_RECEIPT,     /* "vereda receipt": of what a receipt says, which is signed */
	VD_HASH_TEMP,        /* "vereda temp": keyed, what a device calls a file of a stick while it writes it */
	VD_HASH_USES
};

/* out_n is 1 to 64. `key` may be empty, else 16 to 64 bytes. Parts are concatenated: the caller makes sure that only
 * one split of the concatenation is possible. */
void vd_hash(enum vd_hash_use, struct vd_slice key, uint8_t *out, size_t out_n, const struct vd_slice *parts, size_t count);
/* The common case: 32 bytes, no key, one part. */
void vd_hash1(enum vd_hash_use, uint8_t out[32], struct vd_slice part);

#endif
