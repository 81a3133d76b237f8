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
	KEY_MAX = 511,
	TABLES_MAX = 16,
	FREE_FLAGS = 0x08,           /* MDB_INTEGERKEY, of the table of free pages; ours have none */
};
static const uint32_t magic = 0xbeefc0de;
static const uint64_t map_max = SIZE_MAX > UINT32_MAX ? (uint64_t)1 << 46 : SIZE_MAX / 4;

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
_Static_assert(sizeof(struct tree) == sizeof(((struct vd_pages *)0)->free_tree), "as the header keeps it");

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

/* Each transaction writes its meta page over the older of the two: the even ones the first, the odd the second.
 * Anything else would show the state before last as if it were the last. */
static bool successive(size_t first, size_t second)
{
	if (first == 0 && second == 0)
		return true; /* just made */
	return first % 2 == 0 && (first > second ? first - second : second - first) == 1;
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
	if (meta[1].free.page_bytes != bytes || newest->map_bytes > map_max || newest->last_page < 1 ||
	    newest->last_page >= newest->map_bytes / bytes || !successive(meta[0].txn, meta[1].txn))
		return VD_EDAMAGED;
	*out = (struct vd_pages){
		.page_bytes = bytes,
		.file_pages = (uint64_t)st.st_size / bytes,
		.last_page = newest->last_page,
	};
	memcpy(out->free_tree, &newest->free, sizeof(newest->free));
	memcpy(out->main_tree, &newest->main, sizeof(newest->main));
	return VD_OK;
}

enum walking { FREE, MAIN, TABLE };

struct walk {
	int fd;
	const struct vd_pages *pages;
	uint8_t *seen;            /* a bit for each page: none twice */
	enum walking what;
	const struct tree *tree;  /* being walked, and what of it was found */
	struct tree found;
	uint8_t last[KEY_MAX];    /* keys only grow */
	size_t last_n;
	bool any, may_equal;      /* the last one was a branch's: the first below it may be the same */
	struct tree tables[TABLES_MAX];
	size_t table_count;
	uint8_t *free_list;       /* one value of the table of free pages */
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

/* Pages LMDB will write to next: counted, descending, not in use. */
static int claim_free(struct walk *w, uint64_t value_bytes)
{
	size_t count, page, before = SIZE_MAX;

	if (value_bytes < sizeof(count))
		return VD_EDAMAGED;
	memcpy(&count, w->free_list, sizeof(count));
	if (count > value_bytes / sizeof(count) - 1)
		return VD_EDAMAGED;
	for (size_t i = 1; i <= count; i++) {
		memcpy(&page, w->free_list + i * sizeof(page), sizeof(page));
		if (page >= before || page < 2 || page > w->pages->last_page)
			return VD_EDAMAGED;
		if (page < w->pages->file_pages && !claim(w, page, 1))
			return VD_EDAMAGED;
		before = page;
	}
	return VD_OK;
}

/* Are the bytes of the value worth reading? Those of the table of free pages are. */
static int walk_value(struct walk *w, const uint8_t *value, uint64_t at, uint64_t bytes)
{
	int rc = VD_OK;

	if (w->what != FREE)
		return VD_OK;
	w->free_list = malloc((size_t)bytes + 1);
	if (!w->free_list)
		return VD_ENOMEM;
	if (value)
		memcpy(w->free_list, value, (size_t)bytes);
	else
		rc = read_at(w->fd, at, w->free_list, (size_t)bytes);
	if (!rc)
		rc = claim_free(w, bytes);
	free(w->free_list);
	w->free_list = NULL;
	return rc;
}

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
	if (number != page || u16_at(head + sizeof(size_t) + 2) != P_OVERFLOW || !count)
		return VD_EDAMAGED;
	if (!claim(w, page, count) || value_bytes > count * w->pages->page_bytes - HEAD)
		return VD_EDAMAGED;
	w->found.overflows += count;
	return walk_value(w, NULL, page * w->pages->page_bytes + HEAD, value_bytes);
}

static int compare_keys(const struct walk *w, const uint8_t *a, size_t a_n, const uint8_t *b, size_t b_n)
{
	size_t x, y;
	int order;

	if (w->what == FREE) {
		memcpy(&x, a, sizeof(x));
		memcpy(&y, b, sizeof(y));
		return x < y ? -1 : x > y;
	}
	order = memcmp(a, b, a_n < b_n ? a_n : b_n);
	return order ? order : a_n < b_n ? -1 : a_n > b_n;
}

/* A search finds only what stands in order. */
static bool in_order(struct walk *w, const uint8_t *key, size_t n, bool branch)
{
	if (n < 1 || n > KEY_MAX || (w->what == FREE && n != sizeof(size_t)))
		return false;
	if (w->any) {
		int order = compare_keys(w, key, n, w->last, w->last_n);

		if (order < 0 || (order == 0 && !w->may_equal))
			return false;
	}
	memcpy(w->last, key, n);
	w->last_n = n;
	w->any = true;
	w->may_equal = branch;
	return true;
}

static int walk_leaf_node(struct walk *w, const uint8_t *node, size_t key, uint64_t bytes)
{
	uint16_t flags = u16_at(node + 4);
	const uint8_t *value = node + NODE + key;
	struct tree table;
	size_t page;

	w->found.entries++;
	if (!in_order(w, node + NODE, key, false))
		return VD_EDAMAGED;
	if (w->what == MAIN) {
		if (flags != F_SUBDATA || bytes != sizeof(table) || w->table_count == TABLES_MAX)
			return VD_EDAMAGED;
		memcpy(&w->tables[w->table_count++], value, sizeof(table));
		return VD_OK;
	}
	if (flags == 0)
		return walk_value(w, value, 0, bytes);
	if (flags != F_BIGDATA)
		return VD_EDAMAGED;
	memcpy(&page, value, sizeof(page));
	return walk_overflow(w, page, bytes);
}

static int walk_page(struct walk *w, uint64_t page, unsigned depth);

/* A node of a page that has `room` from there. *size: what it takes of the page. */
static int walk_node(struct walk *w, bool branch, const uint8_t *node, size_t room, unsigned depth, bool first,
                     size_t *size)
{
	uint64_t low = u16_at(node) | (uint64_t)u16_at(node + 2) << 16; /* of the value, or of the child's number */
	size_t key = u16_at(node + 6), inside = 0;

	if (!branch)
		inside = u16_at(node + 4) & F_BIGDATA ? sizeof(size_t) : (size_t)low;
	if (key > room - NODE || inside > room - NODE - key)
		return VD_EDAMAGED;
	*size = (NODE + key + inside + 1) & ~(size_t)1;
	if (!branch)
		return walk_leaf_node(w, node, key, low);
	if (!first && !in_order(w, node + NODE, key, true)) /* the first one's key stands for nothing */
		return VD_EDAMAGED;
	if (sizeof(size_t) > 4)
		low |= (uint64_t)u16_at(node + 4) << 32;
	return walk_page(w, low, depth + 1);
}

/* The nodes fill the page from `upper` on, without a gap and without meeting. */
static int walk_nodes(struct walk *w, const uint8_t *raw, bool branch, size_t lower, size_t upper, unsigned depth)
{
	size_t bytes = (size_t)w->pages->page_bytes, left = bytes - upper;
	uint8_t *starts = calloc(1, bytes / 16 + 1);
	int rc = starts ? VD_OK : VD_ENOMEM;

	for (size_t at = HEAD; at < lower && !rc; at += 2) {
		size_t node = u16_at(raw + at), size = 0;

		rc = VD_EDAMAGED;
		if (node < upper || node > bytes - NODE || node % 2)
			break;
		rc = walk_node(w, branch, raw + node, bytes - node, depth, at == HEAD, &size);
		if (rc)
			break;
		rc = size <= left && node + size <= bytes ? VD_OK : VD_EDAMAGED;
		left -= rc ? 0 : size;
		for (size_t i = node; i < node + size && !rc; i += 2) {
			if (starts[i / 16] & 1u << i / 2 % 8)
				rc = VD_EDAMAGED;
			starts[i / 16] = (uint8_t)(starts[i / 16] | 1u << i / 2 % 8);
		}
	}
	free(starts);
	return rc ? rc : left ? VD_EDAMAGED : VD_OK;
}

static int walk_page(struct walk *w, uint64_t page, unsigned depth)
{
	size_t bytes = (size_t)w->pages->page_bytes, lower, upper, number, count;
	uint8_t *raw = NULL;
	uint16_t flags;
	bool branch;
	int rc;

	if (depth > w->tree->depth || !claim(w, page, 1))
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
	branch = depth < w->tree->depth; /* every leaf is equally deep */
	count = lower < HEAD ? 0 : (lower - HEAD) / 2;
	rc = VD_EDAMAGED;
	if (number != page || flags != (branch ? P_BRANCH : P_LEAF) || lower % 2 || lower > upper || upper > bytes ||
	    count < (branch && w->what != FREE ? 2 : 1))
		goto done;
	if (branch)
		w->found.branches++;
	else
		w->found.leaves++;
	rc = walk_nodes(w, raw, branch, lower, upper, depth);
done:
	free(raw);
	return rc;
}

static int walk_tree(struct walk *w, const struct tree *tree, enum walking what)
{
	int rc = VD_OK;

	if (tree->flags != (what == FREE ? FREE_FLAGS : 0) || tree->depth > DEPTH_MAX ||
	    (tree->root == SIZE_MAX) != (tree->depth == 0))
		return VD_EDAMAGED;
	w->what = what;
	w->tree = tree;
	w->found = (struct tree){ 0 };
	w->any = false;
	if (tree->depth)
		rc = walk_page(w, tree->root, 1);
	if (rc)
		return rc;
	return w->found.branches == tree->branches && w->found.leaves == tree->leaves &&
	       w->found.overflows == tree->overflows && w->found.entries == tree->entries ? VD_OK : VD_EDAMAGED;
}

int vd_pages_walk(int fd, const struct vd_pages *pages)
{
	struct walk w = { .fd = fd, .pages = pages, .seen = calloc(1, (size_t)(pages->file_pages / 8 + 1)) };
	struct tree tree;
	int rc = w.seen ? VD_OK : VD_ENOMEM;

	memcpy(&tree, pages->main_tree, sizeof(tree));
	if (!rc)
		rc = walk_tree(&w, &tree, MAIN);
	for (size_t i = 0; i < w.table_count && !rc; i++)
		rc = walk_tree(&w, &w.tables[i], TABLE);
	memcpy(&tree, pages->free_tree, sizeof(tree));
	if (!rc)
		rc = walk_tree(&w, &tree, FREE); /* last: what is free is not what any other uses */
	free(w.seen);
	return rc;
}

/* --- what is left of a broken file --- */

struct scan {
	int fd;
	uint64_t page_bytes, file_pages;
	uint8_t *raw;
	uint8_t *live;      /* a bit for each page that the newest state still refers to */
};

/* The offsets of the nodes of a page, as far as they make sense: calls `each` for those. Returns what `each` does. */
static int each_node(const struct scan *s, const uint8_t *raw,
                     int (*each)(void *ctx, const uint8_t *node, size_t room), void *ctx)
{
	size_t bytes = (size_t)s->page_bytes, lower = u16_at(raw + HEAD - 4);
	int rc = VD_OK;

	for (size_t at = HEAD; at + 2 <= lower && at + 2 <= bytes && !rc; at += 2) {
		size_t node = u16_at(raw + at);

		if (node >= HEAD && node <= bytes - NODE && u16_at(raw + node + 6) <= bytes - node - NODE)
			rc = each(ctx, raw + node, bytes - node);
	}
	return rc;
}

struct marking {
	struct scan *s;
	uint16_t flags;
	unsigned depth;
};

static int mark_page(struct scan *s, uint64_t page, unsigned depth);

static int mark_node(void *ctx, const uint8_t *node, size_t room)
{
	const struct marking *m = ctx;
	uint64_t low = u16_at(node) | (uint64_t)u16_at(node + 2) << 16;
	struct tree table;

	if (m->flags == P_BRANCH)
		return mark_page(m->s, sizeof(size_t) > 4 ? low | (uint64_t)u16_at(node + 4) << 32 : low, m->depth + 1);
	if (!(u16_at(node + 4) & F_SUBDATA) || room - NODE - u16_at(node + 6) < sizeof(table))
		return VD_OK;
	memcpy(&table, node + NODE + u16_at(node + 6), sizeof(table));
	return mark_page(m->s, table.root, m->depth + 1);
}

/* Marks a page and what hangs on it. What is not as it must be only hides what is below it. */
static int mark_page(struct scan *s, uint64_t page, unsigned depth)
{
	struct marking m = { .s = s, .depth = depth };
	size_t number;
	uint8_t *raw;
	int rc = VD_OK;

	if (page < 2 || page >= s->file_pages || depth > DEPTH_MAX || s->live[page / 8] & 1u << page % 8)
		return VD_OK;
	raw = malloc((size_t)s->page_bytes);
	if (!raw)
		return VD_ENOMEM;
	if (!read_at(s->fd, page * s->page_bytes, raw, (size_t)s->page_bytes)) {
		memcpy(&number, raw, sizeof(number));
		m.flags = u16_at(raw + sizeof(size_t) + 2);
		if (number == page && (m.flags == P_BRANCH || m.flags == P_LEAF)) {
			s->live[page / 8] = (uint8_t)(s->live[page / 8] | 1u << page % 8);
			rc = each_node(s, raw, mark_node, &m);
		}
	}
	free(raw);
	return rc;
}

struct offering {
	struct scan *s;
	uint64_t page;
	int (*visit)(void *ctx, const struct vd_pages_piece *);
	void *ctx;
};

static int offer_node(void *ctx, const uint8_t *node, size_t room)
{
	const struct offering *o = ctx;
	uint64_t bytes = o->s->page_bytes;
	struct vd_pages_piece piece = { .key = node + NODE, .key_n = u16_at(node + 6),
		                        .n = u16_at(node) | (uint64_t)u16_at(node + 2) << 16,
		                        .live = o->s->live[o->page / 8] >> o->page % 8 & 1 };
	size_t value = NODE + piece.key_n, page;

	if (u16_at(node + 4) == 0) {
		piece.at = o->page * bytes + (uint64_t)(node - o->s->raw) + value;
		return piece.n > room - value ? VD_OK : o->visit(o->ctx, &piece);
	}
	if (u16_at(node + 4) != F_BIGDATA || room - value < sizeof(page))
		return VD_OK;
	memcpy(&page, node + value, sizeof(page));
	if (page >= o->s->file_pages || piece.n > (o->s->file_pages - page) * bytes - HEAD)
		return VD_OK;
	piece.at = page * bytes + HEAD;
	return o->visit(o->ctx, &piece);
}

/* How the file is cut into pages, as far as it still says so, and where its tables begin. */
static int begin_scan(struct scan *s, struct tree *tree)
{
	struct vd_pages pages;
	struct stat st;

	if (fstat(s->fd, &st))
		return VD_EIO;
	if (!S_ISREG(st.st_mode))
		return VD_EDAMAGED;
	s->page_bytes = (uint64_t)sysconf(_SC_PAGESIZE);
	*tree = (struct tree){ .root = SIZE_MAX };
	if (!vd_pages_read(s->fd, &pages)) {
		s->page_bytes = pages.page_bytes;
		memcpy(tree, pages.main_tree, sizeof(*tree));
	}
	s->file_pages = (uint64_t)st.st_size / s->page_bytes;
	return VD_OK;
}

int vd_pages_scan(int fd, int (*visit)(void *ctx, const struct vd_pages_piece *), void *ctx)
{
	struct scan s = { .fd = fd };
	struct offering o = { .s = &s, .visit = visit, .ctx = ctx };
	struct tree tree;
	int rc = begin_scan(&s, &tree);

	if (rc)
		return rc;
	rc = VD_ENOMEM;
	s.raw = malloc((size_t)s.page_bytes);
	s.live = calloc(1, (size_t)(s.file_pages / 8 + 1));
	if (s.raw && s.live)
		rc = mark_page(&s, tree.root, 0);
	for (o.page = 0; o.page < s.file_pages && !rc; o.page++) {
		/* A sector that cannot be read costs its page alone. */
		if (!read_at(fd, o.page * s.page_bytes, s.raw, (size_t)s.page_bytes) &&
		    u16_at(s.raw + sizeof(size_t) + 2) == P_LEAF)
			rc = each_node(&s, s.raw, offer_node, &o);
	}
	free(s.raw);
	free(s.live);
	return rc;
}

int vd_pages_scan_values(int fd, int (*visit)(void *ctx, const struct vd_pages_piece *), void *ctx)
{
	struct scan s = { .fd = fd };
	uint8_t head[HEAD];
	struct tree tree;
	int rc = begin_scan(&s, &tree);

	for (uint64_t page = 2; page < s.file_pages && !rc; page++) {
		struct vd_pages_piece piece = { .at = page * s.page_bytes + HEAD };
		uint32_t count;
		size_t number;

		if (read_at(fd, page * s.page_bytes, head, sizeof(head)))
			continue;
		memcpy(&number, head, sizeof(number));
		memcpy(&count, head + HEAD - 4, sizeof(count));
		if (number != page || u16_at(head + sizeof(size_t) + 2) != P_OVERFLOW || !count || count > s.file_pages - page)
			continue;
		piece.n = count * s.page_bytes - HEAD;
		rc = visit(ctx, &piece);
	}
	return rc;
}
