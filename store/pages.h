/* LMDB's file read page by page, without mapping it: can everything that is referred to be there, and does it
 * look as it must?
 *
 * LMDB trusts its file. A torn or flipped page, once mapped, ends the process; here it is an error. */
#ifndef VD_PAGES_H
#define VD_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The newest state that the two meta pages of `fd` name. VD_EDAMAGED: no LMDB file; VD_EVERSION; VD_EIO. */
struct vd_pages {
	uint64_t page_bytes;
	uint64_t file_pages;        /* whole pages in the file */
	uint64_t last_page;         /* the highest ever used */
	uint8_t free_tree[8 + 5 * sizeof(size_t)], main_tree[8 + 5 * sizeof(size_t)]; /* as LMDB describes them */
};
int vd_pages_read(int fd, struct vd_pages *out);
/* Walks both trees and every table in them: each page once, inside the file, of the right kind and depth, its
 * nodes inside the page and apart, keys in order, as many of all as is said; no page both free and in use.
 * Values are not looked into. Nobody may write meanwhile. VD_EDAMAGED, VD_EIO, VD_ENOMEM. */
int vd_pages_walk(int fd, const struct vd_pages *);

/* A key and its value as they stand in some page of a broken file, of whatever table and whatever age. */
struct vd_pages_piece {
	const uint8_t *key;         /* borrowed for the call */
	size_t key_n;
	uint64_t at, n;             /* where the value stands in the file; what it says is for the visitor to judge */
	bool live;                  /* the newest state still refers to its page */
};
/* Offers all of them whose key stands in a page, too. Non-zero from `visit` stops it and is returned. VD_EDAMAGED: not even a file. */
int vd_pages_scan(int fd, int (*visit)(void *ctx, const struct vd_pages_piece *), void *ctx);
/* Offers each value that has pages of its own, whether or not a page with its key is left: without a key, never live, and n is what it may have at most. */
int vd_pages_scan_values(int fd, int (*visit)(void *ctx, const struct vd_pages_piece *), void *ctx);

#endif
