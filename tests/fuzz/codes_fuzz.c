/* Input: text in which codes of three records stand, whole, in part or not at all. A byte of 0xf0 and above, which no UTF-8 needs, stands for code
 * (byte & 15) of ours, from character u8 on, so many as u8 says (0: all that are left). */
#include <string.h>

#include "cli/codes.h"
#include "proto/err.h"
#include "tests/fuzz/fuzz.h"
#include "tests/village.h"

enum { RECORDS = 3, CODES_MAX = 16, TEXT_MAX = 1024 };

static struct vd_bundle_groups groups;
static struct vd_buf records[RECORDS];
static char codes[CODES_MAX][VD_SLIP_TEXT + 1];
static size_t code_count;

/* Two groups, the first with two epochs: one record under each link key. */
static void make(void)
{
	static struct village villages[2];
	static const size_t body_bytes[RECORDS] = { 20, 240, 600 };
	static char made[VD_SLIP_CODES_MAX][VD_SLIP_TEXT + 1];

	for (uint8_t i = 0; i < 2; i++) {
		village_found(&villages[i], i);
		groups.group[groups.count++] = villages[i].group;
	}
	village_epoch(&villages[0], 2);
	for (size_t i = 0; i < RECORDS; i++) {
		const struct village *v = &villages[i / 2];
		struct vd_record_fields fields = { .lane = VD_LANE_URGENT, .seq = 1, .time_ms = 1700000000000 };
		static const uint8_t body[600] = { 7 };
		struct vd_record record;
		struct vd_id id;
		size_t n;

		memcpy(fields.group, v->id, VD_GROUP_BYTES);
		memcpy(fields.author, v->hub.author, VD_KEY_BYTES);
		FUZZ_CHECK(vd_record_create(&fields, vd_slice(body, body_bytes[i]), v->hub.author_secret, &records[i], &id) == 0);
		FUZZ_CHECK(vd_record_decode(vd_buf_slice(&records[i]), &record) == 0);
		FUZZ_CHECK(vd_slip_make(vd_group_epoch_keys(v->group, i % 2)->key[VD_KEY_LINK], &record, made, &n) == 0);
		FUZZ_CHECK(code_count + n <= CODES_MAX);
		memcpy(codes[code_count], made, n * sizeof(*made));
		code_count += n;
	}
}

static void expand(struct vd_slice in, struct vd_buf *out)
{
	for (size_t i = 0; i < in.n && out->n < TEXT_MAX; i++) {
		const char *code = codes[(in.p[i] & 15) % code_count];
		size_t length = strlen(code), from, most;

		if (in.p[i] < 0xf0) {
			vd_buf_put_u8(out, in.p[i]);
			continue;
		}
		from = i + 1 < in.n ? in.p[++i] % length : 0;
		most = i + 1 < in.n ? in.p[++i] : 0;
		vd_buf_put(out, code + from, most && most < length - from ? most : length - from);
	}
	FUZZ_CHECK(!out->failed);
}

static size_t lines(struct vd_slice text)
{
	size_t n = 1;

	for (size_t i = 0; i < text.n; i++)
		n += text.p[i] == '\n';
	return n;
}

/* Nobody but us has the keys: what is whole is a record of ours. */
static void check_ours(const struct vd_slip *slip)
{
	struct vd_batch batch = { 0 };
	struct vd_slice raw;
	bool ours = false;

	FUZZ_CHECK(slip->have && slip->count <= VD_SLIP_CODES_MAX);
	if (!vd_slip_whole(slip))
		return;
	FUZZ_CHECK(vd_slip_record(slip, &batch) == 0);
	vd_batch_seal(&batch);
	raw = batch.entries[0].record.raw;
	for (size_t i = 0; i < RECORDS; i++)
		ours |= vd_slice_eq(raw, vd_buf_slice(&records[i]));
	FUZZ_CHECK(batch.count == 1 && ours);
	vd_batch_deinit(&batch);
}

static void read_text(struct vd_slice text, struct vd_codes *out)
{
	*out = (struct vd_codes){ .groups = &groups };
	FUZZ_CHECK(vd_codes_take(out, text) == VD_OK);
	FUZZ_CHECK(out->slips.count <= RECORDS && out->slips.count <= out->read);
	FUZZ_CHECK(!out->read || (out->place > 0 && out->place <= out->count));
	FUZZ_CHECK(out->misread_count <= out->unread && out->misread_count <= VD_CODES_MISREAD_MAX && !out->unread == !out->misread_count);
	FUZZ_CHECK((out->read + out->unread) * (VD_SLIP_CODE_MIN / 5 * 8) <= 2 * text.n);
	for (size_t i = 0; i < out->misread_count; i++) {
		FUZZ_CHECK(out->misread[i].line >= (i ? out->misread[i - 1].line : 1) && out->misread[i].line <= lines(text));
		FUZZ_CHECK(out->misread[i].begin[0] && memchr(out->misread[i].begin, 0, sizeof(out->misread[i].begin)));
	}
	for (size_t i = 0; i < out->slips.count; i++)
		check_ours(&out->slips.slips[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vd_buf text = { 0 }, wide = { 0 };
	struct vd_codes once, other;
	size_t slips;

	if (!code_count)
		make();
	if (size > 1024) /* what has more says nothing new, and each character costs its tries */
		return 0;
	expand(vd_slice(data, size), &text);
	read_text(vd_buf_slice(&text), &once);
	/* UTF-16 says the same. */
	for (size_t i = 0; i < text.n; i++) {
		vd_buf_put_u8(&wide, text.p[i]);
		vd_buf_put_u8(&wide, 0);
	}
	read_text(vd_buf_slice(&wide), &other);
	FUZZ_CHECK(other.read == once.read && other.unread == once.unread && other.slips.count == once.slips.count);
	FUZZ_CHECK(other.misread_count == once.misread_count);
	for (size_t i = 0; i < once.misread_count; i++)
		FUZZ_CHECK(other.misread[i].line == once.misread[i].line && !strcmp(other.misread[i].begin, once.misread[i].begin));
	vd_codes_deinit(&other);
	/* So does the same text again. */
	slips = once.slips.count;
	FUZZ_CHECK(vd_codes_take(&once, vd_buf_slice(&text)) == VD_OK && once.read == 2 * other.read && once.slips.count == slips);
	vd_codes_deinit(&once);
	/* Whatever went before, codes on lines of their own are read. */
	for (size_t i = 0; i < code_count; i++) {
		vd_buf_put_u8(&text, '\n');
		vd_buf_put(&text, codes[i], strlen(codes[i]));
	}
	read_text(vd_buf_slice(&text), &once);
	FUZZ_CHECK(once.read >= code_count && once.slips.count == RECORDS);
	for (size_t i = 0; i < RECORDS; i++)
		FUZZ_CHECK(vd_slip_whole(&once.slips.slips[i]));
	vd_codes_deinit(&once);
	vd_buf_deinit(&text);
	vd_buf_deinit(&wide);
	return 0;
}
