/* A store's file as a bad disk gives it back. */
#ifndef BROKEN_H
#define BROKEN_H

#include "tests/unit/store_cast.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "store/inside.h"

/* Appends a value as it stands in the file. */
static inline void value_bytes(struct vd_store *s, enum vd_table table, const uint8_t *key, size_t key_n, struct vd_buf *out)
{
	MDB_val k = { key_n, (void *)(uintptr_t)key }, v;
	MDB_txn *txn;

	assert_int_equal(vd_db_read(s->db, &txn), 0);
	assert_int_equal(mdb_get(txn, vd_db_table(s->db, table), &k, &v), 0);
	vd_buf_put(out, v.mv_data, v.mv_size);
	vd_db_done(s->db, txn);
}

/* A bit in the midst of those values is wrong wherever they stand, and, if so said, the file's tables are lost. How many of them stood there. */
__attribute__((warn_unused_result)) static inline size_t break_file(const char *home, const struct vd_buf *values, size_t count,
                                                                    bool tables)
{
	uint8_t *bytes;
	size_t found = 0;
	char path[300];
	struct stat st;
	int fd;

	snprintf(path, sizeof(path), "%s/data.mdb", home);
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0 && !fstat(fd, &st));
	bytes = malloc((size_t)st.st_size);
	assert_non_null(bytes);
	assert_int_equal(pread(fd, bytes, (size_t)st.st_size, 0), st.st_size);
	for (size_t i = 0; i < count; i++) {
		uint8_t *at = bytes, *end = bytes + st.st_size;
		bool any = false;

		while ((at = memmem(at, (size_t)(end - at), values[i].p, values[i].n))) {
			at[values[i].n / 2] ^= 1;
			any = true;
		}
		found += any;
	}
	for (size_t meta = 0; tables && meta < 2; meta++) /* the last page they speak of */
		memset(bytes + meta * 4096 + 16 + 24 + 48 + 40, 0x7f, 4);
	assert_int_equal(pwrite(fd, bytes, (size_t)st.st_size, 0), st.st_size);
	free(bytes);
	close(fd);
	return found;
}

#endif
