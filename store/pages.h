/* LMDB's file read page by page, without mapping it: can everything that is referred to be there, and does it
 * look as it must?
 *
 * LMDB trusts its file. A torn or flipped page, once mapped, ends the process; here it is an error. */
#ifndef VD_PAGES_H
#define VD_PAGES_H

#include <stdint.h>

/* The newest state that the two meta pages of `fd` name. VD_EDAMAGED: no LMDB file; VD_EVERSION; VD_EIO. */
struct vd_pages {
	uint64_t page_bytes;
	uint64_t file_pages;        /* whole pages in the file */
	uint64_t last_page;         /* the highest ever used */
	uint64_t free_root, main_root;
};
int vd_pages_read(int fd, struct vd_pages *out);
/* Walks both trees and every table in them: each page once, inside the file, of the right kind, its nodes
 * inside the page. Nobody may write meanwhile. VD_EDAMAGED, VD_EIO, VD_ENOMEM. */
int vd_pages_walk(int fd, const struct vd_pages *);

#endif
