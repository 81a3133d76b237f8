/* Inside of one lane's reconciliation, shared by reconcile.c (the moment, the initiator's end, what leaves) and reconcile_answer.c
 * (what the other end makes of it). */
#ifndef VD_RECONCILE_PRIV_H
#define VD_RECONCILE_PRIV_H

#include "reconcile.h"

enum {
	VD_SALTED_SPARE = 64, /* salted symbols beyond twice what would do */
	VD_LOPSIDED = 16,     /* one side has so many times more: it gives all */
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

/* reconcile_answer.c: the rest of a message after its round and lane. */
int vd_reconcile_take_symbols(struct vd_reconcile *, struct vd_rd *);
int vd_reconcile_take_salted(struct vd_reconcile *, struct vd_rd *);
int vd_reconcile_take_list(struct vd_reconcile *, struct vd_rd *);
int vd_reconcile_take_all(struct vd_reconcile *, struct vd_rd *);

#endif
