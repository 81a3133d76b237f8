/* What PROTOCOL.md section 6 says about a set of control records, worked out a second time: slowly, from the text, sharing nothing with
 * the code but the reading of bytes. For sets of a few hundred records of a few devices. */
#ifndef GROUP_SLOW_H
#define GROUP_SLOW_H

#include "group_fixture.h"

enum { SLOW_MAX = 320, SLOW_DEVICES = 8 };

struct slow {
	struct vd_record r;
	struct vd_content c;
	bool in, effect, twice;       /* twice: the same record again */
	int by, device;               /* among the devices; device: of a grant or founding, else -1 */
	enum vd_role role;
	const uint8_t *person;        /* of a grant; of a revoke that names one */
	uint32_t depth;
	bool past[SLOW_MAX];
	bool decided, held, strong;   /* revoke: held is in D */
	bool counts, stands, backed;
	int whose; /* of a revocation, when it was decided */
};

struct slow_set {
	struct slow s[SLOW_MAX];
	size_t n;
	const uint8_t *keys[SLOW_DEVICES]; /* 0 is the founder's */
	int founding;
	bool in_c[SLOW_MAX];
};

static inline bool slow_is(const struct slow *s, const char *kind)
{
	return s->in && s->effect && vd_slice_eq(s->c.kind, vd_slice_str(kind));
}

static inline const uint8_t *slow_bin(const struct slow *s, const char *name, size_t n)
{
	const struct vd_value *v = vd_content_get(&s->c, name, VD_MP_BIN, n);

	return v ? v->bytes.p : NULL;
}

static inline bool slow_has(const struct slow *s, const char *list, const uint8_t *what)
{
	const struct vd_value *v = vd_content_get(&s->c, list, VD_MP_ARRAY, 0);
	struct vd_value item;
	struct vd_rd r;

	if (!v)
		return false;
	r = vd_value_items(v);
	while (vd_value_next(&r, &item))
		if (memcmp(item.bytes.p, what, 32) == 0)
			return true;
	return false;
}

static inline int slow_who(const struct slow_set *w, const uint8_t *key)
{
	for (int i = 0; i < SLOW_DEVICES; i++)
		if (memcmp(w->keys[i], key, VD_KEY_BYTES) == 0)
			return i;
	return -1;
}

static inline bool slow_before(const struct slow_set *w, int a, int b)
{
	const struct slow *x = &w->s[a], *y = &w->s[b];

	return x->depth != y->depth ? x->depth < y->depth : memcmp(x->r.id.b, y->r.id.b, VD_ID_BYTES) < 0;
}

/* ---- the set, and its order ---- */

static inline void slow_fill(struct slow_set *w)
{
	for (size_t i = 0; i < w->n; i++) {
		struct slow *s = &w->s[i];

		s->by = slow_who(w, s->r.author);
		s->device = -1;
		if (vd_slice_eq(s->c.kind, vd_slice_str("grant")) && s->effect) {
			s->device = slow_who(w, slow_bin(s, "device", 32));
			s->role = (enum vd_role)vd_content_get(&s->c, "role", VD_MP_UINT, 0)->number;
		}
		if (vd_slice_eq(s->c.kind, vd_slice_str("group")) && vd_content_find(&s->c, "salt") && s->effect && s->by == 0) {
			s->device = s->by;
			s->role = VD_ROLE_COORDINATOR;
		}
		s->person = slow_bin(s, "person", VD_PERSON_BYTES);
		for (size_t j = 0; j < i; j++)
			s->twice |= memcmp(w->s[j].r.id.b, s->r.id.b, VD_ID_BYTES) == 0;
	}
}

static inline bool slow_names(const struct slow *a, const struct slow *b)
{
	if (a->r.has_prev && memcmp(a->r.prev.b, b->r.id.b, VD_ID_BYTES) == 0)
		return true;
	return a->r.version == VD_VERSION && slow_has(a, "seen", b->r.id.b);
}

/* Who is in, how deep, and in whose past: each until nothing changes any more. */
static inline void slow_order(struct slow_set *w)
{
	bool moved;

	do {
		moved = false;
		for (size_t i = 0; i < w->n; i++) {
			bool entitled = w->s[i].device == w->s[i].by && w->s[i].by == 0 && vd_content_find(&w->s[i].c, "salt");

			for (size_t j = 0; j < w->n; j++)
				entitled |= w->s[j].in && w->s[j].device == w->s[i].by && w->s[j].role == VD_ROLE_COORDINATOR;
			entitled &= !w->s[i].twice;
			moved |= entitled && !w->s[i].in;
			w->s[i].in |= entitled;
		}
	} while (moved);
	do {
		moved = false;
		for (size_t i = 0; i < w->n; i++) {
			struct slow *s = &w->s[i];
			uint32_t depth = s->in;

			for (size_t j = 0; j < w->n && s->in; j++) {
				if (!w->s[j].in || !slow_names(s, &w->s[j]))
					continue;
				s->past[j] = true;
				for (size_t k = 0; k < w->n; k++)
					s->past[k] |= w->s[j].past[k];
				if (w->s[j].depth >= depth)
					depth = w->s[j].depth + 1;
			}
			moved |= depth != s->depth;
			s->depth = depth;
		}
	} while (moved);
	w->founding = -1;
	for (int i = 0; i < (int)w->n; i++)
		if (slow_is(&w->s[i], "group") && w->s[i].device == 0 && (w->founding < 0 || slow_before(w, i, w->founding)))
			w->founding = i;
}

static inline bool slow_grant(const struct slow_set *w, int i, int to)
{
	return w->s[i].in && w->s[i].device >= 0 && (to < 0 || w->s[i].device == to);
}

static inline bool slow_makes(const struct slow_set *w, int i, int to)
{
	return slow_grant(w, i, to) && w->s[i].role == VD_ROLE_COORDINATOR;
}

/* ---- the tree ---- */

static inline int slow_rank(const struct slow_set *w, int who)
{
	int rank[SLOW_DEVICES] = {0};

	for (int i = 1; i < SLOW_DEVICES; i++)
		rank[i] = 1000;
	for (int round = 0; round < SLOW_DEVICES; round++)
		for (int i = 0; i < (int)w->n; i++)
			if (slow_makes(w, i, -1) && rank[w->s[i].by] + 1 < rank[w->s[i].device])
				rank[w->s[i].device] = rank[w->s[i].by] + 1;
	return rank[who];
}

static inline bool slow_senior(const struct slow_set *w, int a, int b)
{
	int ra = slow_rank(w, a), rb = slow_rank(w, b), ta = -1, tb = -1;

	if (a == b || ra != rb)
		return ra < rb;
	for (int i = 0; i < (int)w->n; i++) {
		if (slow_makes(w, i, a) && slow_rank(w, w->s[i].by) == ra - 1 && (ta < 0 || slow_before(w, i, ta)))
			ta = i;
		if (slow_makes(w, i, b) && slow_rank(w, w->s[i].by) == rb - 1 && (tb < 0 || slow_before(w, i, tb)))
			tb = i;
	}
	return slow_before(w, ta, tb);
}

/* Every chain of coordinator grants from the founder to b leads over a. */
static inline bool slow_hangs_on(const struct slow_set *w, int b, int a)
{
	bool reached[SLOW_DEVICES] = {a != 0};

	for (int round = 0; round < SLOW_DEVICES; round++)
		for (int i = 0; i < (int)w->n; i++)
			if (slow_makes(w, i, -1) && reached[w->s[i].by] && w->s[i].device != a)
				reached[w->s[i].device] = true;
	return !reached[b];
}

static inline bool slow_two_voices(const struct slow_set *w, int a, int b)
{
	const uint8_t *person = NULL;

	if (a == b || a == 0 || b == 0)
		return false;
	for (int m = 1; m < SLOW_DEVICES; m++)
		if (slow_rank(w, m) < 1000 && slow_hangs_on(w, a, m) && slow_hangs_on(w, b, m))
			return false;
	for (int i = 0; i < (int)w->n; i++) {
		if ((!slow_grant(w, i, a) && !slow_grant(w, i, b)) || slow_hangs_on(w, w->s[i].by, a) || slow_hangs_on(w, w->s[i].by, b))
			continue;
		if (person && memcmp(person, w->s[i].person, VD_PERSON_BYTES) != 0)
			return true;
		person = w->s[i].person;
	}
	return false;
}

/* ---- deciding ---- */

static inline bool slow_meets(const struct slow_set *w, const struct slow *revoke, const struct slow *grant)
{
	return slow_has(revoke, "devices", w->keys[grant->device]) ||
	       (revoke->person && memcmp(revoke->person, grant->person, VD_PERSON_BYTES) == 0);
}

static inline bool slow_removes(const struct slow_set *w, const struct slow *revoke, int who)
{
	for (int i = 0; i < (int)w->n; i++)
		if (slow_grant(w, i, who) && slow_meets(w, revoke, &w->s[i]))
			return true;
	return false;
}

static inline bool slow_accepted(const struct slow_set *w, const struct slow *act)
{
	for (size_t i = 0; i < w->n; i++)
		for (size_t j = 0; w->s[i].held && slow_removes(w, &w->s[i], act->by) && j < w->n; j++) {
			const struct slow *at = &w->s[j], *next;

			if (!at->in || at->by != act->by || !slow_has(&w->s[i], "heads0", at->r.id.b))
				continue;
			for (; at && at->by == act->by; at = next) {
				if (at == act)
					return true;
				next = NULL;
				for (size_t k = 0; k < w->n; k++)
					if (at->r.has_prev && w->s[k].in && memcmp(at->r.prev.b, w->s[k].r.id.b, VD_ID_BYTES) == 0)
						next = &w->s[k];
			}
		}
	return false;
}

static inline bool slow_backed(const struct slow_set *w, int x)
{
	for (int i = 0; i < (int)w->n; i++)
		if (w->in_c[i] && slow_is(&w->s[i], "approve") && w->s[x].effect && w->s[x].in &&
		    memcmp(slow_bin(&w->s[i], "about", 32), w->s[x].r.id.b, 32) == 0 && slow_two_voices(w, w->s[i].by, w->s[x].by))
			return true;
	return false;
}

/* Whose act it is judged as: its author's, or the founder's, who approved it. */
static inline int slow_whose(const struct slow_set *w, int x)
{
	int founder = w->s[w->founding].by;

	for (int i = 0; i < (int)w->n; i++)
		if (w->in_c[i] && w->s[i].by == founder && slow_is(&w->s[i], "approve") && w->s[x].effect && w->s[x].in &&
		    memcmp(slow_bin(&w->s[i], "about", 32), w->s[x].r.id.b, 32) == 0)
			return founder;
	return w->s[x].by;
}

static inline bool slow_stands(const struct slow_set *w, int x)
{
	const struct slow *g = &w->s[x];

	for (size_t i = 0; i < w->n; i++) {
		const struct slow *r = &w->s[i];

		if (!r->held || !slow_meets(w, r, g))
			continue;
		if (!g->past[i])
			return false;
		if (!slow_has(r, "devices", w->keys[g->device]) || slow_backed(w, x))
			continue;
		if (r->strong || slow_senior(w, r->whose, slow_whose(w, x)))
			return false;
	}
	return true;
}

static inline void slow_least(struct slow_set *w)
{
	bool moved;

	memset(w->in_c, 0, sizeof(w->in_c));
	w->in_c[w->founding] = true;
	do {
		bool taken[SLOW_DEVICES] = {false}, standing[SLOW_DEVICES] = {false};

		moved = false;
		for (int i = 0; i < (int)w->n; i++)
			if (w->in_c[i] && slow_makes(w, i, -1)) {
				taken[w->s[i].device] = true;
				standing[w->s[i].device] |= slow_stands(w, i);
			}
		for (size_t i = 0; i < w->n; i++) {
			const struct slow *s = &w->s[i];

			if (w->in_c[i] || !s->in || !s->effect || !taken[s->by])
				continue;
			if (standing[s->by] || slow_accepted(w, s))
				moved = w->in_c[i] = true;
		}
	} while (moved);
}

static inline void slow_judge(struct slow_set *w)
{
	for (;;) {
		int next = -1;
		bool backed = false;

		slow_least(w);
		for (int i = 0; i < (int)w->n; i++) {
			bool b;

			if (!slow_is(&w->s[i], "revoke") || w->s[i].decided)
				continue;
			b = slow_backed(w, i);
			if (next < 0 || (b != backed ? b : slow_whose(w, i) != slow_whose(w, next) ? slow_senior(w, slow_whose(w, i), slow_whose(w, next))
			                                                                         : slow_before(w, i, next))) {
				next = i;
				backed = b;
			}
		}
		if (next < 0)
			break;
		w->s[next].decided = true;
		w->s[next].held = w->in_c[next];
		w->s[next].strong = backed && w->s[next].held;
		w->s[next].whose = slow_whose(w, next);
	}
	for (int i = 0; i < (int)w->n; i++) {
		w->s[i].counts = slow_is(&w->s[i], "revoke") ? w->s[i].held : w->in_c[i];
		w->s[i].backed = slow_backed(w, i);
		w->s[i].stands = w->s[i].counts && slow_grant(w, i, -1) && slow_stands(w, i);
	}
}

/* ---- what they make ---- */

static inline enum vd_role slow_role(const struct slow_set *w, int who, bool most)
{
	enum vd_role role = VD_ROLE_NONE;

	for (int i = 0; i < (int)w->n; i++)
		if (slow_grant(w, i, who) && (most ? w->s[i].counts : w->s[i].stands) && (role == VD_ROLE_NONE || w->s[i].role < role))
			role = w->s[i].role;
	return role;
}

/* Of its grants those that say most: standing, else counting, else any. */
static inline bool slow_says(const struct slow_set *w, int i, int who)
{
	bool standing = false, counting = false;

	for (int j = 0; j < (int)w->n; j++)
		if (slow_grant(w, j, who)) {
			standing |= w->s[j].stands;
			counting |= w->s[j].counts;
		}
	return slow_grant(w, i, who) && (standing ? w->s[i].stands : counting ? w->s[i].counts : true);
}

/* The grant that gives name and flags; or the one that names the person. -1: never granted. */
static inline int slow_said(const struct slow_set *w, int who, bool person)
{
	int best = -1;

	for (int i = 0; i < (int)w->n; i++) {
		if (!slow_says(w, i, who))
			continue;
		if (best < 0 || (!person ? slow_before(w, best, i)
		                         : w->s[i].by != w->s[best].by ? slow_senior(w, w->s[i].by, w->s[best].by) : slow_before(w, i, best)))
			best = i;
	}
	return best;
}

static inline bool slow_part(const struct slow_set *w, int start, int part)
{
	const struct slow *s = &w->s[start], *p = &w->s[part];

	if (start == part)
		return true;
	return slow_is(p, "epoch") && slow_bin(p, "of", 8) && memcmp(slow_bin(p, "of", 8), s->r.id.b, 8) == 0 &&
	       memcmp(slow_bin(p, "commits", 96), slow_bin(s, "commits", 96), 96) == 0;
}

static inline bool slow_clean(const struct slow_set *w, int start)
{
	for (int i = 0; i < (int)w->n; i++) {
		struct vd_value item;
		struct vd_rd r;

		if (!w->s[i].counts || !slow_part(w, start, i))
			continue;
		r = vd_value_items(vd_content_get(&w->s[i].c, "keys", VD_MP_ARRAY, 0));
		while (vd_value_next(&r, &item))
			if (slow_who(w, item.bytes.p) < 0 || slow_role(w, slow_who(w, item.bytes.p), false) == VD_ROLE_NONE)
				return false;
	}
	return true;
}

static inline int slow_epoch(const struct slow_set *w, bool *clean)
{
	int best = -1, grade = -1;

	for (int i = 0; i < (int)w->n; i++) {
		bool begins = slow_is(&w->s[i], "revoke") || (slow_is(&w->s[i], "epoch") && !vd_content_find(&w->s[i].c, "of"));
		int of = begins && w->s[i].counts ? 1 + slow_clean(w, i) : 0;

		if (begins && (of > grade || (of == grade && slow_before(w, best, i)))) {
			best = i;
			grade = of;
		}
	}
	*clean = grade == 2;
	return best;
}

#endif
