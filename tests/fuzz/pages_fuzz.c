/* A database file as a broken disk may give it back: read page by page, never mapped. */
#include <sys/mman.h>
#include <unistd.h>

#include "proto/err.h"
#include "store/pages.h"
#include "tests/fuzz/fuzz.h"

static int look(void *ctx, const struct vd_pages_piece *piece)
{
	static volatile uint8_t sum;

	(void)ctx;
	for (size_t i = 0; i < piece->key_n; i++)
		sum = (uint8_t)(sum + piece->key[i]);
	return 0;
}

/* Inside the file, whatever it says. */
static int inside(void *ctx, const struct vd_pages_piece *piece)
{
	const size_t *size = ctx;

	FUZZ_CHECK(!piece->key_n && piece->n && piece->at <= *size && piece->n <= *size - piece->at);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vd_pages pages;
	int rc, fd = memfd_create("pages", MFD_CLOEXEC);

	FUZZ_CHECK(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	rc = vd_pages_read(fd, &pages);
	FUZZ_CHECK(rc == 0 || rc == VD_EDAMAGED || rc == VD_EVERSION);
	if (!rc) {
		rc = vd_pages_walk(fd, &pages);
		FUZZ_CHECK(rc == 0 || rc == VD_EDAMAGED);
	}
	FUZZ_CHECK(vd_pages_scan(fd, look, NULL) == 0);
	FUZZ_CHECK(vd_pages_scan_values(fd, inside, &size) == 0);
	close(fd);
	return 0;
}
