/* Inside of one lane's reconciliation, shared by reconcile.c (the moment, the initiator's end, what leaves), reconcile_answer.c
 * (what the other end makes of it) and reconcile_list.c (either end of a list). */
#ifndef VD_RECONCILE_PRIV_H
#define VD_RECONCILE_PRIV_H

#include "reconcile.h"

enum {
	VD_SALTED_SPARE = 64, /* salted symbols beyond twice what would do */
	VD_SALTED_TIMES = 16, /* one side has so many times more: nobody needs symbols */
	VD_LOPSIDED = 128,    /* … it gives all: what the other has of it costs less than a hundredth */
};

/* reconcile.c */
/* Every item under the fresh salt, and as many symbols as asked for. VD_EBUSY: the node's budget has no room for them. */
int vd_reconcile_salt(struct vd_reconcile *, const uint8_t salt[VD_SALT_BYTES], size_t symbols);
/* At least so many symbols of the moment, or all that can be had. VD_ENOMEM or the port's error: as before. */
int vd_reconcile_symbols(struct vd_reconcile *, uint64_t n);
int vd_reconcile_send(struct vd_reconcile *, uint64_t arrival);
/* Sends what has that item under the fresh salt. */
int vd_reconcile_send_salted(struct vd_reconcile *, uint64_t item, size_t *matches);
/* Sends what has that standing item; at the other end it is out of `digest` then. */
int vd_reconcile_send_standing(struct vd_reconcile *, const uint8_t item[VD_ITEM_BYTES], size_t *matches);
/* What is to be sent in order of arrival: an author's records come together, so that one signature vouches for many. */
void vd_reconcile_sort(struct vd_reconcile *);
/* Asks for what has that item. However many are named in the end, only those not sent yet take room. */
int vd_reconcile_want(struct vd_reconcile *, uint64_t item);

/* reconcile_list.c: either end of a list. */
/* Should the initiator list? Else the other end, which has clearly fewer. */
bool vd_reconcile_list_ours(const struct vd_reconcile *, uint64_t d);
/* Bytes of a list and its answer at a difference of d; *bits: how many of an item it should tell. UINT64_MAX: it cannot be. */
uint64_t vd_reconcile_list_cost(const struct vd_reconcile *, uint64_t d, uint8_t *bits);
/* We list (at most so many bits), or compare. Errors of vd_reconcile_salt. */
int vd_reconcile_list_begin(struct vd_reconcile *, const uint8_t salt[VD_SALT_BYTES], uint8_t bits, bool lists);
bool vd_reconcile_list_due(const struct vd_reconcile *);
void vd_reconcile_drain_list(struct vd_reconcile *, struct vd_buf *out);
int vd_reconcile_feed_wants(struct vd_reconcile *, struct vd_rd *);
/* Is SETTLED too early: is more of the list, or of what is wanted of it, to come? */
bool vd_reconcile_wants_torn(const struct vd_reconcile *);
int vd_reconcile_take_list(struct vd_reconcile *, struct vd_rd *);
bool vd_reconcile_wants_due(const struct vd_reconcile *);
void vd_reconcile_drain_wants(struct vd_reconcile *, struct vd_buf *out);

/* reconcile_answer.c: the rest of a message after its round and lane. */
int vd_reconcile_take_symbols(struct vd_reconcile *, struct vd_rd *);
int vd_reconcile_take_salted(struct vd_reconcile *, struct vd_rd *);
int vd_reconcile_take_all(struct vd_reconcile *, struct vd_rd *);

#endif
