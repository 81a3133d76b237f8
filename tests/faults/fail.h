/* What the preloaded library and who runs programs under it share: a page of memory in a file. */
#ifndef FAULTS_FAIL_H
#define FAULTS_FAIL_H

#include <stdatomic.h>
#include <stdint.h>

enum fault_kind {
	FAULT_READ,   /* read, pread, readv, readdir */
	FAULT_WRITE,  /* write, pwrite, writev, fflush; never of standard error */
	FAULT_SYNC,   /* fsync, fdatasync, msync */
	FAULT_MAP,    /* mmap, mremap */
	FAULT_MEMORY, /* malloc, calloc, realloc, aligned */
	FAULT_OPEN,   /* open, opendir, fopen, and all of the next */
	FAULT_MAKE,   /* what needs room in a folder: creating, rename, mkdir, ftruncate */
	FAULT_KINDS,
};

struct fault {
	uint32_t kind, code;  /* which fail, and with what errno */
	uint32_t for_good;    /* that one and all after it */
	uint64_t at;          /* the Nth call since main; 0: none */
	_Atomic uint64_t seen[FAULT_KINDS];
	_Atomic uint64_t failed;
};

/* Environment of the program: a file with a struct fault to share. Without it FAULT=KIND,N,ERRNO,FOR_GOOD in numbers. With FAULT_TELL
 * set, the calls seen are printed at exit. */
#define FAULT_AREA "FAULT_AREA"
#define FAULT_BY_HAND "FAULT"
#define FAULT_TELL "FAULT_TELL"
/* Every file system says that it is of this type, in hex. */
#define FAULT_STATFS "FAULT_STATFS"
#define FAULT_MOUNTINFO "FAULT_MOUNTINFO" /* a file that is read in the place of /proc/self/mountinfo */

#endif
