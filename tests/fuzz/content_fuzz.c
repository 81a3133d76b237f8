/* Input: content. What decodes encodes to the very same bytes, whatever order its fields are given in. */
#include <string.h>

#include "proto/content.h"
#include "proto/err.h"
#include "proto/kind.h"
#include "tests/fuzz/fuzz.h"

static void walk(const struct vd_content *content)
{
	for (uint32_t i = 0; i < content->count; i++) {
		const struct vd_field *f = &content->fields[i];
		struct vd_rd items = vd_value_items(&f->value);
		char name[VD_KIND_MAX + 1] = { 0 };
		struct vd_value item;
		uint64_t count = 0;

		memcpy(name, f->name.p, f->name.n);
		FUZZ_CHECK(vd_content_find(content, name) == f);
		while (vd_value_next(&items, &item))
			count++;
		FUZZ_CHECK(f->value.type != VD_MP_ARRAY || count == f->value.number);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct vd_content content, again;
	const struct vd_field_def *bad;
	struct vd_buf out = { 0 };

	if (vd_content_decode(vd_slice(data, size), &content))
		return 0;
	walk(&content);
	FUZZ_CHECK(vd_kind_check(&content, &bad) == (bad ? VD_EINVAL : VD_OK));
	again = content;
	for (uint32_t i = 0; i < content.count; i++)
		again.fields[i] = content.fields[content.count - 1 - i];
	FUZZ_CHECK(vd_content_encode(again.kind, again.fields, again.count, &out) == VD_OK);
	FUZZ_CHECK(vd_slice_eq(vd_buf_slice(&out), vd_slice(data, size)));
	vd_buf_deinit(&out);
	return 0;
}
