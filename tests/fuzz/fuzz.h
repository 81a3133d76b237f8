/* One fuzz target a file: <name>_fuzz.c, seeds in corpus/<name>/. The same object is linked with libFuzzer (`make fuzz`) and
 * with replay.c (`make test`). A target aborts when a promise is broken; what it is fed may never make it do so. */
#ifndef VD_FUZZ_H
#define VD_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* assert() that no NDEBUG removes. */
#define FUZZ_CHECK(condition) ((condition) ? (void)0 : abort())

#endif
