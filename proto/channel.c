#include "channel.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "hash.h"
#include "sign.h"

enum {
	PROLOGUE_BYTES = VD_CHANNEL_PROLOGUE_BYTES,
	NONCE_BYTES = 16,
	HIGH_BYTES = 2,    /* of a nonce, that are 255 */
	MARK_BYTES = 4,    /* of a tag in the prologue */
	STATIC_AT = PROLOGUE_BYTES,
	EPHEMERAL_AT = STATIC_AT + VD_KEY_BYTES,
	PLACES_AT = EPHEMERAL_AT + VD_KEY_BYTES,
	LENGTH_BYTES = 3,  /* of the longest varint that VD_MESSAGE_MAX needs */
	FRAME_HEAD_BYTES = 2,
	TAG_BYTES = 16,
	PROOF_TYPE = 1,
	PROOF_BYTES = VD_KEY_BYTES + VD_SIGNATURE_BYTES,
	KEEP_BYTES = 64 * 1024, /* an empty buffer larger than this gives its memory back */
};

/* What the next bytes are. */
enum step { READ_PROLOGUE, READ_FIRST, READ_SECOND, READ_THIRD, READ_PROOF, READ_MESSAGES };

struct vd_channel {
	bool initiator;
	bool call_back;         /* the responder proves itself first */
	enum vd_channel_state state;
	enum step step;
	int err;                /* why FAILED */
	struct vd_group **groups;
	size_t count;
	struct vd_group *group; /* once known */
	uint8_t epoch[VD_EPOCH_BYTES]; /* once known */
	uint8_t prologue[PROLOGUE_BYTES];
	uint8_t s[VD_KEY_BYTES], e[VD_KEY_BYTES]; /* secret keys of the handshake */
	struct vd_noise noise;
	struct vd_noise_cipher send, receive;
	uint8_t hash[32];
	uint8_t peer[VD_KEY_BYTES];
	bool refused;           /* `peer` proved to be who it is, and may not connect */
	struct vd_buf held;     /* raw bytes of a handshake message or frame that is not whole yet */
	struct vd_buf inbox;    /* opened bytes; the first `taken` have been given out */
	size_t taken;
	struct vd_buf stage;    /* plaintext of one frame on its way out */
	struct vd_buf out;
	uint64_t out_bytes, in_bytes;
};

static void wipe_keys(struct vd_channel *c)
{
	vd_noise_wipe(&c->noise);
	sodium_memzero(c->s, sizeof(c->s));
	sodium_memzero(c->e, sizeof(c->e));
}

/* What was queued before may still leave. */
static int end(struct vd_channel *c, enum vd_channel_state state, int err)
{
	c->state = state;
	c->err = err;
	wipe_keys(c);
	sodium_memzero(&c->send, sizeof(c->send));
	sodium_memzero(&c->receive, sizeof(c->receive));
	vd_buf_wipe(&c->held);
	vd_buf_wipe(&c->inbox);
	vd_buf_wipe(&c->stage);
	c->taken = 0;
	return err;
}

/* --- prologue --- */

static void make_mark(const uint8_t *nonce, struct vd_group *group, size_t epoch, uint8_t out[MARK_BYTES])
{
	const uint8_t *link = vd_group_epoch_keys(group, epoch)->key[VD_KEY_LINK];
	struct vd_slice part = vd_slice(nonce, NONCE_BYTES);

	vd_hash(VD_HASH_PROLOGUE, vd_slice(link, VD_KEY_BYTES), out, MARK_BYTES, &part, 1);
}

/* Nonce and random bytes, and over these a tag for each of up to four groups, from one drawn on, in places drawn: members see
 * which epoch we are at, and all others that many random bytes. */
void vd_channel_prologue(struct vd_group *const *groups, size_t count, bool high, const uint8_t seed[VD_CHANNEL_SEED_BYTES],
                         uint8_t out[VD_CHANNEL_PROLOGUE_BYTES])
{
	uint64_t drawn = vd_get_u64(seed + PLACES_AT);
	uint8_t place[VD_CHANNEL_TAGS];

	memcpy(out, seed, PROLOGUE_BYTES);
	if (high)
		memset(out, 0xff, HIGH_BYTES);
	for (uint8_t i = 0; i < VD_CHANNEL_TAGS; i++)
		place[i] = i;
	for (unsigned left = VD_CHANNEL_TAGS; left > 1; left--) {
		unsigned pick = (unsigned)(drawn % left);
		uint8_t other = place[pick];

		drawn /= left;
		place[pick] = place[left - 1];
		place[left - 1] = other;
	}
	for (size_t i = 0; i < VD_CHANNEL_TAGS && i < count; i++) {
		struct vd_group *group = groups[(drawn % count + i) % count];

		if (vd_group_epoch_count(group))
			make_mark(out, group, 0, out + NONCE_BYTES + MARK_BYTES * place[i]);
	}
}

/* Which of the group's epochs a prologue's tag was made with; their number when none of them. */
static size_t epoch_of_prologue(struct vd_group *group, const uint8_t prologue[PROLOGUE_BYTES])
{
	size_t epoch, count = vd_group_epoch_count(group);

	for (epoch = 0; epoch < count; epoch++) {
		uint8_t mark[MARK_BYTES];

		make_mark(prologue, group, epoch, mark);
		for (size_t i = 0; i < VD_CHANNEL_TAGS; i++)
			if (sodium_memcmp(mark, prologue + NONCE_BYTES + MARK_BYTES * i, MARK_BYTES) == 0)
				return epoch;
	}
	return count;
}

bool vd_channel_prologue_shows(const uint8_t prologue[VD_CHANNEL_PROLOGUE_BYTES], struct vd_group *group)
{
	return epoch_of_prologue(group, prologue) < vd_group_epoch_count(group);
}

/* --- life --- */

static struct vd_channel *channel_new(bool initiator, struct vd_group *const *groups, size_t count,
                                      const uint8_t seed[VD_CHANNEL_SEED_BYTES])
{
	struct vd_channel *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->groups = calloc(count ? count : 1, sizeof(struct vd_group *));
	if (!c->groups)
		goto fail;
	for (size_t i = 0; i < count; i++)
		c->groups[i] = groups[i];
	c->count = count;
	c->initiator = initiator;
	c->step = initiator ? READ_PROLOGUE : READ_FIRST;
	memcpy(c->s, seed + STATIC_AT, VD_KEY_BYTES);
	memcpy(c->e, seed + EPHEMERAL_AT, VD_KEY_BYTES);
	return c;
fail:
	vd_channel_free(c);
	return NULL;
}

struct vd_channel *vd_channel_new(bool initiator, struct vd_group *const *groups, size_t count,
                                  const uint8_t seed[VD_CHANNEL_SEED_BYTES])
{
	struct vd_channel *c = channel_new(initiator, groups, count, seed);

	if (!c || initiator)
		return c;
	vd_channel_prologue(groups, count, false, seed, c->prologue);
	vd_buf_put(&c->out, c->prologue, PROLOGUE_BYTES);
	c->out_bytes = PROLOGUE_BYTES;
	if (!vd_buf_check(&c->out))
		return c;
	vd_channel_free(c);
	return NULL;
}

struct vd_channel *vd_channel_answer(struct vd_group *const *groups, size_t count,
                                     const uint8_t prologue[VD_CHANNEL_PROLOGUE_BYTES], const uint8_t seed[VD_CHANNEL_SEED_BYTES])
{
	struct vd_channel *c = channel_new(false, groups, count, seed);

	if (c)
		memcpy(c->prologue, prologue, sizeof(c->prologue));
	return c;
}

struct vd_channel *vd_channel_call_back(struct vd_group *group, const uint8_t epoch[VD_EPOCH_BYTES],
                                        const uint8_t seed[VD_CHANNEL_SEED_BYTES])
{
	struct vd_channel *c = vd_channel_new(true, &group, 1, seed);

	if (!c)
		return NULL;
	c->call_back = true;
	memcpy(c->epoch, epoch, sizeof(c->epoch));
	return c;
}

void vd_channel_free(struct vd_channel *c)
{
	if (!c)
		return;
	end(c, VD_CHANNEL_FAILED, VD_ECLOSED);
	vd_buf_deinit(&c->out);
	free(c->groups);
	sodium_memzero(c, sizeof(*c));
	free(c);
}

enum vd_channel_state vd_channel_state(const struct vd_channel *c)
{
	return c->state;
}

struct vd_group *vd_channel_group(const struct vd_channel *c)
{
	return c->state == VD_CHANNEL_OPEN ? c->group : NULL;
}

const uint8_t *vd_channel_peer(const struct vd_channel *c)
{
	return c->state == VD_CHANNEL_OPEN ? c->peer : NULL;
}

const uint8_t *vd_channel_refused(const struct vd_channel *c, struct vd_group **group)
{
	if (!c->refused)
		return NULL;
	*group = c->group;
	return c->peer;
}

const uint8_t *vd_channel_epoch(const struct vd_channel *c)
{
	return c->state == VD_CHANNEL_OPEN ? c->epoch : NULL;
}

bool vd_channel_is_current(const struct vd_channel *c)
{
	const uint8_t *current = c->state == VD_CHANNEL_OPEN ? vd_group_current_epoch(c->group) : NULL;

	return current && memcmp(current, c->epoch, sizeof(c->epoch)) == 0;
}

struct vd_buf *vd_channel_out(struct vd_channel *c)
{
	if (!c->out.n && c->out.cap > KEEP_BYTES)
		vd_buf_deinit(&c->out);
	return &c->out;
}

void vd_channel_traffic(const struct vd_channel *c, uint64_t *out_bytes, uint64_t *in_bytes)
{
	*out_bytes = c->out_bytes;
	*in_bytes = c->in_bytes;
}

/* Handshake */

/* Not before they are needed: to make them is most of what somebody costs us who knows no link key. */
static void make_keys(struct vd_channel *c)
{
	vd_noise_keypair(c->s, &c->noise.s);
	vd_noise_keypair(c->e, &c->noise.e);
}

/* Sets the handshake up under the link key of one epoch of a group. */
static void handshake_init(struct vd_channel *c, struct vd_group *group, size_t epoch, bool call_back)
{
	static const uint8_t back = 1;
	struct vd_noise_setup setup = {
		.initiator = c->initiator, .prologue = vd_slice(c->prologue, sizeof(c->prologue)),
		.psk_count = 1,
	};
	const struct vd_slice parts[] = { vd_slice(vd_group_id(group), VD_GROUP_BYTES), vd_slice(&back, 1) };
	const uint8_t *link = vd_group_epoch_keys(group, epoch)->key[VD_KEY_LINK];

	vd_hash(VD_HASH_LINK_PSK, vd_slice(link, VD_KEY_BYTES), setup.psks[0], VD_KEY_BYTES, parts, call_back ? 2 : 1);
	vd_noise_init(&c->noise, &vd_noise_xxpsk0, &setup);
	sodium_memzero(&setup, sizeof(setup));
}

static int write_handshake(struct vd_channel *c)
{
	size_t before = c->out.n;
	int rc = vd_noise_write(&c->noise, vd_slice(NULL, 0), &c->out);

	c->out_bytes += c->out.n - before;
	return rc;
}

/* Message sizes are fixed, so that a payload is always empty. */
static int read_handshake(struct vd_channel *c, struct vd_slice message)
{
	struct vd_buf payload = { 0 };
	int rc = vd_noise_read(&c->noise, message, &payload);

	vd_buf_deinit(&payload);
	return rc;
}

static int take_prologue(struct vd_channel *c, struct vd_slice unit)
{
	size_t epoch, count;

	if (c->count != 1)
		return VD_EINVAL;
	count = vd_group_epoch_count(c->groups[0]);
	epoch = epoch_of_prologue(c->groups[0], unit.p);
	if (epoch < count && memcmp(vd_group_epoch_id(c->groups[0], epoch), c->epoch, sizeof(c->epoch)) != 0) {
		c->call_back = epoch > 0;
		memcpy(c->epoch, vd_group_epoch_id(c->groups[0], epoch), sizeof(c->epoch));
	}
	epoch = 0;
	while (c->call_back && epoch < count && memcmp(vd_group_epoch_id(c->groups[0], epoch), c->epoch, sizeof(c->epoch)) != 0)
		epoch++;
	if (epoch == count)
		return VD_EKEY;
	memcpy(c->prologue, unit.p, sizeof(c->prologue));
	memcpy(c->epoch, vd_group_epoch_id(c->groups[0], epoch), sizeof(c->epoch));
	c->group = c->groups[0];
	c->step = READ_SECOND;
	handshake_init(c, c->group, epoch, c->call_back);
	make_keys(c);
	return write_handshake(c); /* -> psk, e */
}

/* Was the first message made with that link key, as it is or for a call back? 1, 0 or VD_ENOMEM. */
static int try_first(struct vd_channel *c, struct vd_slice unit, struct vd_group *group, size_t epoch, bool call_back)
{
	int rc;

	handshake_init(c, group, epoch, call_back);
	rc = read_handshake(c, unit);
	if (rc)
		return rc == VD_ENOMEM ? rc : 0;
	c->group = group;
	c->call_back = call_back;
	memcpy(c->epoch, vd_group_epoch_id(group, epoch), sizeof(c->epoch));
	c->step = READ_THIRD;
	make_keys(c);
	return 1;
}

/* Who calls back under an older epoch than ours to write with, by which we prove ourselves first, does not know ours. That is
 * nobody with a role, unless another coordinator made an epoch elsewhere at the same time; a removed device would be. */
static bool answers_back(struct vd_group *group, size_t epoch)
{
	size_t coordinators = 0;

	if (!epoch)
		return true;
	for (size_t i = 0; i < vd_group_device_count(group); i++)
		coordinators += vd_group_device(group, i)->coordinator_ever;
	return coordinators > 1;
}

static int take_first(struct vd_channel *c, struct vd_slice unit)
{
	for (size_t g = 0; g < c->count; g++) {
		for (size_t i = 0; i < 2 * vd_group_epoch_count(c->groups[g]); i++) {
			bool call_back = i % 2;
			int rc;

			if (call_back && !answers_back(c->groups[g], i / 2))
				continue;
			rc = try_first(c, unit, c->groups[g], i / 2, call_back);

			if (rc)
				return rc < 0 ? rc : write_handshake(c); /* <- e, ee, s, es */
		}
	}
	(void)end(c, VD_CHANNEL_SILENT, VD_OK);
	return VD_OK;
}

/* Messages out */

static int send_message(struct vd_channel *c, uint8_t type, struct vd_slice payload)
{
	size_t start = c->out.n;
	int rc;

	if (payload.n >= VD_MESSAGE_MAX)
		return VD_ECAP;
	vd_buf_reset(&c->stage);
	vd_buf_put_varint(&c->stage, payload.n + 1);
	vd_buf_put_u8(&c->stage, type);
	do {
		size_t n = VD_CHANNEL_FRAME_BYTES - c->stage.n;

		if (n > payload.n)
			n = payload.n;
		vd_buf_put(&c->stage, payload.p, n);
		vd_buf_put_u16(&c->out, (uint16_t)(c->stage.n + TAG_BYTES));
		rc = vd_buf_check(&c->stage);
		if (!rc)
			rc = vd_noise_seal(&c->send, vd_buf_slice(&c->stage), &c->out);
		if (n)
			payload = vd_slice(payload.p + n, payload.n - n);
		vd_buf_reset(&c->stage);
	} while (!rc && payload.n);
	/* Frames are numbered: after one that could not be queued nothing that follows would open. */
	if (rc) {
		c->out.n = start;
		return end(c, VD_CHANNEL_FAILED, rc);
	}
	c->out_bytes += c->out.n - start;
	return VD_OK;
}

int vd_channel_send(struct vd_channel *c, uint8_t type, struct vd_slice payload)
{
	if (c->state != VD_CHANNEL_OPEN || type == PROOF_TYPE)
		return VD_EINVAL;
	return send_message(c, type, payload);
}

/* Proof of identity */

/* u8 role || handshake hash: the role keeps a proof from being sent back to who made it. */
static struct vd_slice proof_text(const struct vd_channel *c, bool initiator, uint8_t text[33])
{
	text[0] = initiator ? 1 : 2;
	memcpy(text + 1, c->hash, 32);
	return vd_slice(text, 33);
}

static int send_proof(struct vd_channel *c)
{
	const struct vd_identity *identity = vd_group_identity(c->group);
	uint8_t text[33], proof[PROOF_BYTES];
	int rc;

	if (!identity)
		return VD_EKEY;
	memcpy(proof, identity->author, VD_KEY_BYTES);
	rc = vd_sign("vereda session", proof_text(c, c->initiator, text), identity->author_secret, proof + VD_KEY_BYTES);
	return rc ? rc : send_message(c, PROOF_TYPE, vd_slice(proof, sizeof(proof)));
}

/* Reads the length in front of a message: 1 with *head (bytes of the length) and *n (bytes after it), 0 when not whole. */
static int peek_length(struct vd_slice in, size_t *head, size_t *n)
{
	for (size_t i = 0; i < in.n && i < LENGTH_BYTES; i++) {
		struct vd_rd r;

		if (in.p[i] & 0x80)
			continue;
		r = vd_rd(vd_slice(in.p, i + 1));
		*n = (size_t)vd_rd_varint(&r);
		*head = i + 1;
		if (r.err || *n == 0)
			return VD_EFORMAT;
		return *n > VD_MESSAGE_MAX ? VD_ECAP : 1;
	}
	return in.n < LENGTH_BYTES ? 0 : VD_ECAP;
}

static struct vd_slice unread(const struct vd_channel *c)
{
	return vd_slice(c->inbox.n > c->taken ? c->inbox.p + c->taken : NULL, c->inbox.n - c->taken);
}

/* Who calls proves itself first, except in a call back: the one called, which knows no newer epoch, may be a removed device, and
 * must not be told who calls. */
static bool proves_first(const struct vd_channel *c)
{
	return c->initiator != c->call_back;
}

/* The other end's first message. Until it holds, nothing but it is accepted, whatever length it claims. */
static int take_proof(struct vd_channel *c)
{
	struct vd_slice in = unread(c);
	const uint8_t *author;
	uint8_t text[33];
	size_t head, n;
	int rc = peek_length(in, &head, &n);

	if (rc <= 0)
		return rc;
	if (n != 1 + PROOF_BYTES || (in.n > head && in.p[head] != PROOF_TYPE))
		return VD_EFORMAT;
	if (in.n < head + n)
		return VD_OK;
	author = in.p + head + 1;
	rc = vd_sign_verify("vereda session", proof_text(c, !c->initiator, text), author, author + VD_KEY_BYTES);
	if (!rc)
		memcpy(c->peer, author, VD_KEY_BYTES);
	/* who was coordinator may bring what restores it */
	if (!vd_group_may_connect(c->group, author) && !vd_group_may_control(c->group, author)) {
		c->refused = !rc;
		return VD_EAUTHOR;
	}
	if (!rc && !proves_first(c))
		rc = send_proof(c);
	if (rc)
		return rc;
	c->taken += head + n;
	c->step = READ_MESSAGES;
	c->state = VD_CHANNEL_OPEN;
	return VD_OK;
}

/* Bytes in */

/* Bytes given out are forgotten when that is all, or half of them, so that moving costs no more than reading did. */
static void inbox_tidy(struct vd_channel *c)
{
	if (c->taken == c->inbox.n) {
		if (c->inbox.cap > KEEP_BYTES)
			vd_buf_wipe(&c->inbox);
		vd_buf_reset(&c->inbox);
	} else if (c->taken >= c->inbox.n - c->taken) {
		vd_buf_drop(&c->inbox, c->taken);
	} else {
		return;
	}
	c->taken = 0;
}

static int take_frame(struct vd_channel *c, struct vd_slice unit)
{
	int rc;

	inbox_tidy(c);
	rc = vd_noise_open(&c->receive, vd_slice(unit.p + FRAME_HEAD_BYTES, unit.n - FRAME_HEAD_BYTES), &c->inbox);
	if (!rc && c->step == READ_PROOF)
		rc = take_proof(c);
	return rc;
}

/* Second and third message end the handshake, at the initiator and at the responder. */
static int take_last(struct vd_channel *c, struct vd_slice unit)
{
	int rc = read_handshake(c, unit);

	if (!rc && c->initiator)
		rc = write_handshake(c); /* -> s, se */
	if (!rc)
		rc = vd_noise_split(&c->noise, &c->send, &c->receive, c->hash);
	wipe_keys(c);
	c->step = READ_PROOF;
	if (!rc && proves_first(c))
		rc = send_proof(c);
	return rc;
}

static int take_unit(struct vd_channel *c, struct vd_slice unit)
{
	switch (c->step) {
	case READ_PROLOGUE:
		return take_prologue(c, unit);
	case READ_FIRST:
		return take_first(c, unit);
	case READ_SECOND:
	case READ_THIRD:
		return take_last(c, unit);
	case READ_PROOF:
	case READ_MESSAGES:
		break;
	}
	return take_frame(c, unit);
}

/* Bytes of the handshake message or frame that is coming, as far as `held` tells; 0 when no frame is that short. */
static size_t unit_bytes(const struct vd_channel *c)
{
	size_t n;

	switch (c->step) {
	case READ_PROLOGUE:
		return PROLOGUE_BYTES;
	case READ_FIRST:
		return VD_KEY_BYTES + TAG_BYTES;
	case READ_SECOND:
		return VD_KEY_BYTES + VD_KEY_BYTES + TAG_BYTES + TAG_BYTES;
	case READ_THIRD:
		return VD_KEY_BYTES + TAG_BYTES + TAG_BYTES;
	case READ_PROOF:
	case READ_MESSAGES:
		break;
	}
	if (c->held.n < FRAME_HEAD_BYTES)
		return FRAME_HEAD_BYTES;
	n = vd_get_u16(c->held.p);
	return n > TAG_BYTES ? FRAME_HEAD_BYTES + n : 0;
}

static bool ended(const struct vd_channel *c)
{
	return c->state == VD_CHANNEL_SILENT || c->state == VD_CHANNEL_FAILED;
}

int vd_channel_feed(struct vd_channel *c, struct vd_slice raw)
{
	int rc = VD_OK;

	c->in_bytes += raw.n;
	while (raw.n && !rc && !ended(c)) {
		size_t whole = unit_bytes(c), n = whole - c->held.n;

		if (n > raw.n)
			n = raw.n;
		vd_buf_put(&c->held, raw.p, n);
		rc = vd_buf_check(&c->held);
		raw = vd_slice(raw.p + n, raw.n - n);
		if (rc || c->held.n < whole)
			continue;
		whole = unit_bytes(c);
		if (!whole) {
			rc = VD_EFORMAT;
		} else if (c->held.n == whole) {
			rc = take_unit(c, vd_buf_slice(&c->held));
			vd_buf_reset(&c->held);
		}
	}
	if (rc && !ended(c))
		return end(c, VD_CHANNEL_FAILED, rc);
	return c->err;
}

int vd_channel_next(struct vd_channel *c, uint8_t *type, struct vd_slice *payload)
{
	struct vd_slice in;
	size_t head, n;
	int rc;

	if (c->state != VD_CHANNEL_OPEN)
		return c->err;
	inbox_tidy(c);
	in = unread(c);
	rc = peek_length(in, &head, &n);
	if (rc == 1 && in.n > head && in.p[head] == PROOF_TYPE)
		rc = VD_EFORMAT;
	if (rc < 0)
		return end(c, VD_CHANNEL_FAILED, rc);
	if (rc == 0 || in.n - head < n)
		return 0;
	*type = in.p[head];
	*payload = vd_slice(in.p + head + 1, n - 1);
	c->taken += head + n;
	return 1;
}
