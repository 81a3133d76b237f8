#include "pages.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/err.h"

/* The file format of LMDB 0.9, in the words of its source: numbers are native, a pgno is a size_t. */
enum {
	FORMAT = 1,
	PAGE_MIN = 512, PAGE_MAX = 65536,
	P_BRANCH = 0x01, P_LEAF = 0x02, P_OVERFLOW = 0x04, P_META = 0x08,
	F_BIGDATA = 0x01, F_SUBDATA = 0x02, F_DUPDATA = 0x04,
	HEAD = sizeof(size_t) + 8,   /* pgno, pad, flags, lower, upper or pages */
	NODE = 8,                    /* lo, hi, flags, ksize */
	DEPTH_MAX = 32,
};
static const uint32_t magic = 0xbeefc0de;

struct tree {
	uint32_t page_bytes; /* of the free tree */
	uint16_t flags, depth;
	size_t branches, leaves, overflows, entries, root;
};

struct meta {
	uint32_t magic, version;
	size_t address, map_bytes;
	struct tree free, main;
	size_t last_page, txn;
};

static uint16_t u16_at(const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static int read_at(int fd, uint64_t at, void *out, size_t n)
{
	ssize_t got = pread(fd, out, n, (off_t)at);

	if (got < 0)
		return VD_EIO;
	return (size_t)got == n ? VD_OK : VD_EDAMAGED;
}

static int read_meta(int fd, uint64_t at, struct meta *out)
{
	uint8_t raw[HEAD + sizeof(*out)];
	int rc = read_at(fd, at, raw, sizeof(raw));

	if (rc)
		return rc;
	memcpy(out, raw + HEAD, sizeof(*out));
	if (!(u16_at(raw + sizeof(size_t) + 2) & P_META) || out->magic != magic)
		return VD_EDAMAGED;
	return out->version == FORMAT ? VD_OK : VD_EVERSION;
}

int vd_pages_read(int fd, struct vd_pages *out)
{
	struct meta meta[2], *newest;
	struct stat st;
	uint64_t bytes;
	int rc;

	if (fstat(fd, &st))
		return VD_EIO;
	if (!S_ISREG(st.st_mode))
		return VD_EDAMAGED;
	rc = read_meta(fd, 0, &meta[0]);
	if (rc)
		return rc;
	bytes = meta[0].free.page_bytes;
	if (bytes < PAGE_MIN || bytes > PAGE_MAX || (bytes & (bytes - 1)))
		return VD_EDAMAGED;
	rc = read_meta(fd, bytes, &meta[1]);
	if (rc)
		return rc;
	newest = meta[1].txn > meta[0].txn ? &meta[1] : &meta[0];
	if (meta[1].free.page_bytes != bytes || newest->map_bytes > SIZE_MAX / 4 || newest->last_page < 1)
		return VD_EDAMAGED;
	*out = (struct vd_pages){
		.page_bytes = bytes,
		.file_pages = (uint64_t)st.st_size / bytes,
		.last_page = newest->last_page,
		.free_root = newest->free.root,
		.main_root = newest->main.root,
	};
	return VD_OK;
}

struct walk {
	int fd;
	const struct vd_pages *pages;
	uint8_t *seen; /* a bit for each page: none twice */
};

static bool claim(struct walk *w, uint64_t page, uint64_t count)
{
	if (page < 2 || count > w->pages->file_pages || page > w->pages->file_pages - count ||
	    page + count - 1 > w->pages->last_page)
		return false;
	for (uint64_t i = page; i < page + count; i++) {
		if (w->seen[i / 8] & 1u << i % 8)
			return false;
		w->seen[i / 8] = (uint8_t)(w->seen[i / 8] | 1u << i % 8);
	}
	return true;
}

static int walk_page(struct walk *w, uint64_t page, unsigned depth);

static int walk_overflow(struct walk *w, uint64_t page, uint64_t value_bytes)
{
	uint8_t head[HEAD];
	uint32_t count;
	size_t number;
	int rc;

	if (page >= w->pages->file_pages)
		return VD_EDAMAGED;
	rc = read_at(w->fd, page * w->pages->page_bytes, head, sizeof(head));
	if (rc)
		return rc;
	memcpy(&number, head, sizeof(number));
	memcpy(&count, head + HEAD - 4, sizeof(count));
	if (number != page || !(u16_at(head + sizeof(size_t) + 2) & P_OVERFLOW) || !count)
		return VD_EDAMAGED;
	if (!claim(w, page, count) || value_bytes > count * w->pages->page_bytes - HEAD)
		return VD_EDAMAGED;
	return VD_OK;
}

static int walk_leaf_node(struct walk *w, const uint8_t *node, size_t room, unsigned depth)
{
	uint64_t bytes = u16_at(node) | (uint64_t)u16_at(node + 2) << 16;
	uint16_t flags = u16_at(node + 4);
	size_t key = u16_at(node + 6), inside = flags & F_BIGDATA ? sizeof(size_t) : (size_t)bytes, page;
	struct tree tree;

	if (flags & F_DUPDATA || key > room - NODE || inside > room - NODE - key)
		return VD_EDAMAGED; /* our tables have no double keys */
	if (flags & F_BIGDATA) {
		memcpy(&page, node + NODE + key, sizeof(page));
		return walk_overflow(w, page, bytes);
	}
	if (!(flags & F_SUBDATA))
		return VD_OK;
	if (bytes != sizeof(tree))
		return VD_EDAMAGED;
	memcpy(&tree, node + NODE + key, sizeof(tree));
	return tree.root == SIZE_MAX ? VD_OK : walk_page(w, tree.root, depth + 1);
}

static int walk_node(struct walk *w, bool branch, const uint8_t *node, size_t room, unsigned depth)
{
	uint64_t child = u16_at(node) | (uint64_t)u16_at(node + 2) << 16;

	if (!branch)
		return walk_leaf_node(w, node, room, depth);
	if (u16_at(node + 6) > room - NODE)
		return VD_EDAMAGED;
	if (sizeof(size_t) > 4)
		child |= (uint64_t)u16_at(node + 4) << 32;
	return walk_page(w, child, depth + 1);
}

static int walk_page(struct walk *w, uint64_t page, unsigned depth)
{
	size_t bytes = (size_t)w->pages->page_bytes, lower, upper, number;
	uint8_t *raw = NULL;
	uint16_t flags;
	int rc = VD_EDAMAGED;

	if (depth > DEPTH_MAX || !claim(w, page, 1))
		return VD_EDAMAGED;
	raw = malloc(bytes);
	if (!raw)
		return VD_ENOMEM;
	rc = read_at(w->fd, page * bytes, raw, bytes);
	if (rc)
		goto done;
	memcpy(&number, raw, sizeof(number));
	flags = u16_at(raw + sizeof(size_t) + 2);
	lower = u16_at(raw + HEAD - 4);
	upper = u16_at(raw + HEAD - 2);
	rc = VD_EDAMAGED;
	if (number != page || (flags != P_BRANCH && flags != P_LEAF) || lower < HEAD || lower % 2 ||
	    lower > upper || upper > bytes)
		goto done;
	rc = VD_OK;
	for (size_t at = HEAD; at < lower && !rc; at += 2) {
		size_t node = u16_at(raw + at);

		if (node < upper || node > bytes - NODE)
			rc = VD_EDAMAGED;
		else
			rc = walk_node(w, flags == P_BRANCH, raw + node, bytes - node, depth);
	}
done:
	free(raw);
	return rc;
}

int vd_pages_walk(int fd, const struct vd_pages *pages)
{
	struct walk w = { .fd = fd, .pages = pages, .seen = calloc(1, (size_t)(pages->file_pages / 8 + 1)) };
	int rc = w.seen ? VD_OK : VD_ENOMEM;

	if (!rc && pages->free_root != SIZE_MAX)
		rc = walk_page(&w, pages->free_root, 0);
	if (!rc && pages->main_root != SIZE_MAX)
		rc = walk_page(&w, pages->main_root, 0);
	free(w.seen);
	return rc;
}
