/* Any bytes as NDJSON to be loaded, for a kind of the table and for a generic one: what is taken is canonical content. */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cli/fields.h"
#include "cli/rows.h"
#include "proto/err.h"
#include "tests/fuzz/fuzz.h"

static void take(struct vd_fields *fields, const json_t *object)
{
	struct vd_buf content = { 0 };
	struct vd_bad_field bad = { .msg = VD_MSG_NONE };
	struct vd_content back;
	const char *key;
	json_t *value;
	size_t key_n;
	int rc = 0;

	vd_fields_reset(fields);
	json_object_keylen_foreach ((json_t *)(uintptr_t)object, key, key_n, value)
		if (!rc)
			rc = vd_fields_put_json(fields, vd_slice(key, key_n), value, &bad);
	FUZZ_CHECK(rc == 0 || (rc == VD_EINVAL && bad.msg != VD_MSG_NONE));
	if (!rc && vd_fields_encode(fields, &content, &bad) == 0) {
		FUZZ_CHECK(vd_content_decode(vd_buf_slice(&content), &back) == 0);
		FUZZ_CHECK(back.count == fields->count);
	}
	vd_buf_deinit(&content);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("ndjson", MFD_CLOEXEC);
	struct vd_fields *event = malloc(sizeof *event), *other = malloc(sizeof *other);
	struct vd_rows *rows = NULL;
	struct vd_row row;

	FUZZ_CHECK(fd >= 0 && event && other && write(fd, data, size) == (ssize_t)size);
	FUZZ_CHECK(vd_fields_init(event, "event", NULL) == 0 && vd_fields_init(other, "x-other", NULL) == 0);
	if (vd_rows_new(fd, VD_ROWS_NDJSON, &rows) == 0)
		while (vd_rows_next(rows, &row) == 1)
			if (!row.bad) {
				FUZZ_CHECK(json_is_object(row.object));
				take(event, row.object);
				take(other, row.object);
			}
	vd_rows_free(rows);
	vd_fields_deinit(event);
	vd_fields_deinit(other);
	free(event);
	free(other);
	close(fd);
	return 0;
}
