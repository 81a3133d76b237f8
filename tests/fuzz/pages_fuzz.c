/* A database file as a broken disk may give it back: read page by page, never mapped. */
#include <sys/mman.h>
#include <unistd.h>

#include "proto/err.h"
#include "store/pages.h"
#include "tests/fuzz/fuzz.h"

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
	close(fd);
	return 0;
}
