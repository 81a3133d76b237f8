#include "bundle_child.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto/err.h"
#include "proto/hearing.h"
#include "proto/receipt.h"
#include "proto/record.h"

enum {
	AHEAD = 4,                 /* chunks asked for before they are needed: as many as the socket holds */
	CPU_SECONDS = 60,          /* ten times what the slowest machines need to try all keys */
	CPU_BYTES = 1024 * 1024,   /* and a second for each of these: fifty times what they need */
	ENTRY_HEADER = 4,
	ENTRY_NO_RECORD = 128,     /* what the child says of its own: a record that is none; on top of this, why */
	ENTRY_WHY_MAX = 31,
	ENTRY_BROKEN = 255,        /* from here on these are no entries */
	HEADS = 2,
};

/* What the child says: this, and then `bytes` of a manifest and entries. */
struct answer {
	uint64_t number;           /* of the chunk, or of the opener */
	int32_t rc;
	uint32_t bytes;
	uint8_t what, is_last, unreadable, by_link;
	uint32_t link;             /* of the opener, if one of its link keys did it */
};
enum { ANSWER_TRYING = 1, ANSWER_KEY, ANSWER_CHUNK };

struct told_manifest {
	uint64_t chunks, records;
	uint8_t what, has_grant, head_ok[HEADS], none[4];
	uint8_t group[VD_GROUP_BYTES], grant[VD_ID_BYTES];
};

/* A compact record of 67 bytes may be one of 231. */
enum { ANSWER_ROOM = sizeof(struct told_manifest) + 4 * VD_CHUNK_PLAIN };

struct vd_unsealing_child {
	struct vd_unsealing job;
	struct vd_child child;
	uint64_t first, asked;     /* asked for and not heard: the first, and how many */
	int step;                  /* from one to the next */
	uint64_t last;             /* taken */
	/* The child's own. */
	struct vd_unsealer *unsealer;
	struct vd_compact stream;  /* of the chunk's records */
	struct vd_buf raw;
	unsigned answers;
	bool unreadable;
	size_t used;               /* of room */
	uint8_t head[HEADS][VD_HEAD_BYTES], sealed[VD_CHUNK_BYTES], plain[VD_CHUNK_PLAIN];
	/* Either's: what is said. */
	uint8_t room[ANSWER_ROOM];
};

/* ---- in the child ---- */

/* As long as a chunk has not said whose records it holds, they are nobody's. */
static const uint8_t no_group[VD_GROUP_BYTES];

static void all_or_end(int socket, const void *bytes, size_t n)
{
	const uint8_t *p = bytes;

	while (n) {
		ssize_t put = write(socket, p, n);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			_exit(1);
		p += put;
		n -= (size_t)put;
	}
}

static void say(struct vd_unsealing_child *u, int socket, struct answer *a)
{
	unsigned count = u->answers++;

	a->bytes = (uint32_t)u->used;
	if (vd_child_test.before_answer)
		vd_child_test.before_answer(count, socket);
	if (vd_child_test.spoil)
		vd_child_test.spoil(count, a, sizeof(*a), u->room, u->used);
	all_or_end(socket, a, sizeof(*a));
	all_or_end(socket, u->room, u->used);
}

/* False when the medium does not give all n bytes back: a scratch, for what lies beside it may be whole. */
static bool read_at(struct vd_unsealing_child *u, uint64_t at, uint8_t *out, size_t n)
{
	while (n) {
		ssize_t got = pread(u->job.file, out, n, (off_t)at);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			u->unreadable = true;
			return false;
		}
		out += got;
		at += (uint64_t)got;
		n -= (size_t)got;
	}
	return true;
}

static int find_key(struct vd_unsealing_child *u, int socket, size_t *which)
{
	bool first = read_at(u, 0, u->head[0], VD_HEAD_BYTES);
	bool last = u->job.shaped && read_at(u, u->job.size - VD_HEAD_BYTES, u->head[1], VD_HEAD_BYTES);
	int rc = VD_EKEY;

	if (!first && !last)
		return VD_EIO;
	for (*which = 0; *which < u->job.opener_count; ++*which) {
		struct answer trying = { .what = ANSWER_TRYING };

		rc = vd_unsealer_new(vd_slice(u->head[0], first ? VD_HEAD_BYTES : 0), vd_slice(u->head[1], last ? VD_HEAD_BYTES : 0),
		                     &u->job.openers[*which], &u->unsealer);
		if (rc != VD_EKEY)
			break;
		say(u, socket, &trying);
	}
	return rc;
}

static void tell_entry(struct vd_unsealing_child *u, uint8_t type, struct vd_slice bytes)
{
	uint8_t *to = u->room + u->used;

	if (sizeof(u->room) - u->used < ENTRY_HEADER + bytes.n)
		_exit(1); /* cannot be: see ANSWER_ROOM */
	to[0] = type;
	to[1] = (uint8_t)(bytes.n >> 16);
	to[2] = (uint8_t)(bytes.n >> 8);
	to[3] = (uint8_t)bytes.n;
	if (bytes.n)
		memcpy(to + ENTRY_HEADER, bytes.p, bytes.n);
	u->used += ENTRY_HEADER + bytes.n;
}

static void tell_entries(struct vd_unsealing_child *u, struct vd_rd *entries)
{
	struct vd_record record;
	struct vd_slice bytes;
	uint8_t type;
	int rc;

	while ((rc = vd_chunk_entry(entries, &type, &bytes)) == VD_OK) {
		if (type == VD_ENTRY_RECORD) {
			vd_buf_reset(&u->raw);
			rc = vd_compact_decode(&u->stream, bytes, &u->raw, &record);
			if (rc)
				tell_entry(u, (uint8_t)(ENTRY_NO_RECORD - rc), vd_slice(NULL, 0));
			else
				tell_entry(u, type, vd_buf_slice(&u->raw));
			continue;
		}
		vd_chunk_stream(&u->stream, type, bytes);
		if (((type == VD_ENTRY_DAMAGED || type == VD_ENTRY_REPLACED) && bytes.n == VD_SEGMENT_ID_BYTES) ||
		    (type == VD_ENTRY_FOR && bytes.n == VD_KEY_BYTES) || (type == VD_ENTRY_HEARING && bytes.n <= VD_HEARING_MAX) ||
		    (type == VD_ENTRY_RECEIPT && bytes.n <= VD_RECEIPT_MAX) ||
		    (type == VD_ENTRY_VOLUME && bytes.n == VD_VOLUME_BYTES))
			tell_entry(u, type, bytes);
		else if (type != VD_ENTRY_GROUP)
			tell_entry(u, VD_UNSEALED_PASSED, vd_slice(NULL, 0));
	}
	if (rc != VD_ENOTFOUND)
		tell_entry(u, ENTRY_BROKEN, vd_slice(NULL, 0));
}

static int tell_manifest(struct vd_unsealing_child *u, struct vd_rd *entries)
{
	struct told_manifest told = { 0 };
	struct vd_manifest m;
	struct vd_slice bytes;
	uint8_t type;
	int rc;

	if (vd_chunk_entry(entries, &type, &bytes) || type != VD_ENTRY_MANIFEST)
		return VD_EFORMAT;
	rc = vd_unsealer_manifest(u->unsealer, bytes, &m);
	if (rc)
		return rc;
	vd_chunk_stream(&u->stream, type, bytes);
	told.what = (uint8_t)m.what;
	told.has_grant = m.has_grant;
	told.chunks = m.chunks;
	told.records = m.records;
	told.head_ok[0] = m.first_head_ok;
	told.head_ok[1] = m.last_head_ok;
	memcpy(told.group, m.group, VD_GROUP_BYTES);
	memcpy(told.grant, m.grant, VD_ID_BYTES);
	memcpy(u->room, &told, sizeof(told));
	u->used = sizeof(told);
	return VD_OK;
}

static int open_chunk(struct vd_unsealing_child *u, uint64_t i, struct answer *a)
{
	struct vd_rd entries;
	bool is_last;
	int rc;

	if (i >= u->job.chunks || !read_at(u, VD_HEAD_BYTES + i * VD_CHUNK_BYTES, u->sealed, VD_CHUNK_BYTES) ||
	    vd_unsealer_chunk(u->unsealer, i, u->sealed, u->plain, &is_last))
		return VD_ESIGNATURE;
	a->is_last = is_last;
	vd_compact_reset(&u->stream, no_group);
	entries = vd_rd(vd_slice(u->plain, VD_CHUNK_PLAIN));
	if (i == 0) {
		rc = tell_manifest(u, &entries);
		if (rc)
			return rc;
	}
	tell_entries(u, &entries);
	return VD_OK;
}

static bool next_wish(int socket, uint64_t *i)
{
	uint8_t bytes[sizeof(*i)];
	size_t have = 0;

	while (have < sizeof(bytes)) {
		ssize_t got = read(socket, bytes + have, sizeof(bytes) - have);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		have += (size_t)got;
	}
	memcpy(i, bytes, sizeof(bytes));
	return true;
}

static void unseal(void *ctx, int file, int socket)
{
	struct vd_unsealing_child *u = ctx;
	struct answer key = { .what = ANSWER_KEY };
	size_t which = 0;
	uint64_t i;

	(void)file;
	key.rc = find_key(u, socket, &which);
	key.number = which;
	key.by_link = !key.rc && vd_unsealer_link(u->unsealer) != VD_NO_LINK;
	key.link = key.by_link ? (uint32_t)vd_unsealer_link(u->unsealer) : 0;
	key.unreadable = u->unreadable;
	say(u, socket, &key);
	while (!key.rc && next_wish(socket, &i)) {
		struct answer a = { .what = ANSWER_CHUNK, .number = i };

		u->used = 0;
		u->unreadable = false;
		a.rc = open_chunk(u, i, &a);
		a.unreadable = u->unreadable;
		if (a.rc)
			u->used = 0;
		say(u, socket, &a);
	}
}

static void forget(void *ctx)
{
	struct vd_unsealing_child *u = ctx;

	if (u->job.forget)
		u->job.forget(u->job.ctx);
}

/* ---- with us ---- */

static bool hear(struct vd_unsealing_child *u, uint8_t what, struct answer *a)
{
	if (!vd_child_hear(&u->child, a, sizeof(*a)) || a->bytes > sizeof(u->room) || a->is_last > 1 || a->unreadable > 1 || a->by_link > 1 || a->rc > 0 ||
	    (a->what != what && (what != ANSWER_KEY || a->what != ANSWER_TRYING)) || (a->bytes && (what != ANSWER_CHUNK || a->rc)))
		return false;
	return vd_child_hear(&u->child, u->room, a->bytes);
}

static int hear_key(struct vd_unsealing_child *u, size_t *which, size_t *link, bool *unreadable)
{
	struct answer a;

	for (size_t i = 0; i <= u->job.opener_count; i++) {
		if (!hear(u, ANSWER_KEY, &a))
			return VD_EDAMAGED;
		if (a.what == ANSWER_TRYING)
			continue;
		if (a.rc == VD_OK && (a.number >= u->job.opener_count || (a.by_link && a.link >= u->job.openers[a.number].link_count)))
			return VD_EDAMAGED;
		*which = (size_t)a.number;
		*link = a.by_link ? a.link : VD_NO_LINK;
		*unreadable = a.unreadable;
		return a.rc == VD_OK || a.rc == VD_EKEY || a.rc == VD_EIO || a.rc == VD_ENOMEM ? a.rc : VD_EDAMAGED;
	}
	return VD_EDAMAGED;
}

int vd_unsealing_start(const struct vd_unsealing *job, struct vd_unsealing_child **out, size_t *which, size_t *link, bool *unreadable)
{
	struct vd_unsealing_child *u = calloc(1, sizeof(*u));
	uint64_t cpu_seconds = CPU_SECONDS + job->size / CPU_BYTES;
	int rc;

	if (!u)
		return VD_ENOMEM;
	u->job = *job;
	u->step = 1;
	u->last = UINT64_MAX;
	/* The child can ask for no memory: what it needs it has. */
	vd_compact_init(&u->stream, no_group);
	rc = vd_buf_extend(&u->raw, VD_RECORD_MAX) ? vd_compact_reserve(&u->stream) : VD_ENOMEM;
	if (!rc)
		rc = vd_child_start(&u->child, unseal, forget, u, job->file, cpu_seconds > INT32_MAX ? INT32_MAX : (unsigned)cpu_seconds);
	if (!rc)
		rc = hear_key(u, which, link, unreadable);
	if (rc)
		vd_unsealing_end(u);
	else
		*out = u;
	return rc;
}

void vd_unsealing_end(struct vd_unsealing_child *u)
{
	if (!u)
		return;
	vd_child_end(&u->child);
	vd_compact_deinit(&u->stream);
	vd_buf_deinit(&u->raw);
	free(u);
}

static bool take_manifest(struct vd_unsealing_child *u, struct answer *a, struct vd_manifest *m)
{
	struct told_manifest told;

	if (a->bytes < sizeof(told))
		return false;
	memcpy(&told, u->room, sizeof(told));
	if (told.what < VD_SEALED_BUNDLE || told.what > VD_SEALED_WELCOME || told.chunks == 0 || told.chunks > VD_SEALED_CHUNKS_MAX ||
	    (told.has_grant != 0) != (told.what == VD_SEALED_WELCOME))
		return false;
	*m = (struct vd_manifest){ .what = told.what, .chunks = told.chunks, .records = told.records, .has_grant = told.has_grant != 0,
		.first_head_ok = told.head_ok[0] != 0, .last_head_ok = told.head_ok[1] != 0 };
	memcpy(m->group, told.group, VD_GROUP_BYTES);
	memcpy(m->grant, told.grant, VD_ID_BYTES);
	return true;
}

/* Is there another to ask for after the first that we wait for? */
static bool is_there(const struct vd_unsealing_child *u, uint64_t ahead)
{
	return u->step > 0 ? ahead < u->job.chunks - u->first : ahead <= u->first;
}

/* Asks for chunk i, and for those that are likely to be wanted after it. */
static bool ask(struct vd_unsealing_child *u, uint64_t i)
{
	struct answer unwanted;

	if (u->asked && u->first != i) {
		for (; u->asked; u->asked--)
			if (!hear(u, ANSWER_CHUNK, &unwanted))
				return false;
	}
	if (!u->asked) {
		u->first = i;
		u->step = u->last != UINT64_MAX && i < u->last ? -1 : 1;
	}
	for (; u->asked < AHEAD && is_there(u, u->asked); u->asked++) {
		uint64_t wish = u->step > 0 ? u->first + u->asked : u->first - u->asked;

		/* A child that is gone may have answered before it went. */
		if (!vd_child_tell(&u->child, &wish, sizeof(wish)))
			return u->asked > 0;
	}
	return true;
}

int vd_unsealing_chunk(struct vd_unsealing_child *u, uint64_t i, struct vd_unsealed *out)
{
	struct answer a = { 0 };
	bool sense;
	size_t at = 0;

	*out = (struct vd_unsealed){ 0 };
	if (!u->child.pid || i >= u->job.chunks)
		return VD_ESIGNATURE;
	sense = ask(u, i) && hear(u, ANSWER_CHUNK, &a) && a.number == i &&
	        (a.rc == VD_OK || a.rc == VD_ESIGNATURE || (i == 0 && (a.rc == VD_EFORMAT || a.rc == VD_EVERSION)));
	if (sense && !a.rc && i == 0) {
		sense = take_manifest(u, &a, &out->manifest);
		at = sizeof(struct told_manifest);
	}
	/* Gone, hanging, or out of its mind: nothing more is heard of it. */
	if (!sense) {
		vd_child_end(&u->child);
		return VD_ESIGNATURE;
	}
	u->asked--;
	u->first += (uint64_t)(int64_t)u->step;
	u->last = i;
	out->is_last = a.is_last;
	out->unreadable = a.unreadable;
	out->entries = vd_rd(vd_slice(u->room + at, a.bytes - (a.rc ? 0 : at)));
	return a.rc;
}

int vd_unsealed_entry(struct vd_rd *entries, uint8_t *type, struct vd_slice *bytes, int *why)
{
	int rc = vd_chunk_entry(entries, type, bytes);

	*why = VD_OK;
	if (rc || *type < ENTRY_NO_RECORD)
		return rc;
	if (*type == ENTRY_NO_RECORD || *type > ENTRY_NO_RECORD + ENTRY_WHY_MAX)
		return VD_EFORMAT; /* ENTRY_BROKEN, or nonsense */
	*why = ENTRY_NO_RECORD - *type;
	*type = VD_ENTRY_RECORD;
	return VD_OK;
}
