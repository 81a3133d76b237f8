/* Preloaded into a program: the small machine of small.h, and nothing else. For tests that need a passphrase, but not what it costs. */
#include <dlfcn.h>

#include "tests/faults/small.h"

static void *next(const char *name)
{
	return dlsym(RTLD_NEXT, name);
}
