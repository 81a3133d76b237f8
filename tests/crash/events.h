/* The log of what a program did to its files, as the recorder (a preloaded library) writes it and the replayer reads it.
 *
 * Every event is this head and then path, path2 and data, one after the other. Numbers are the machine's own: the log never leaves it. */
#ifndef CRASH_EVENTS_H
#define CRASH_EVENTS_H

#include <stdint.h>

enum crash_event_type {
	CRASH_CREATE = 1,  /* path, file */
	CRASH_WRITE,       /* file, at, data */
	CRASH_WRITTEN_THROUGH, /* file: the last write to it came back from a descriptor opened with O_SYNC or O_DSYNC */
	CRASH_TRUNCATE,    /* file, at: new length */
	CRASH_SYNC,        /* file: fsync or fdatasync has returned */
	CRASH_SYNC_FOLDER, /* path */
	CRASH_RENAME,      /* path to path2 */
	CRASH_LINK,        /* path to path2 */
	CRASH_UNLINK,      /* path */
	CRASH_MKDIR,       /* path */
	CRASH_RMDIR,       /* path */
	CRASH_ACK,         /* data: what the program promised somebody */
};

struct crash_event {
	uint32_t type, path_n, path2_n, data_n;
	uint64_t file;     /* inode number; a later CRASH_CREATE with the same number is another file */
	uint64_t at;
};

/* A program promises by writing a line to this descriptor, which nobody needs to have opened. */
enum { CRASH_ACK_FD = 198 };

/* Environment of the recorder: paths outside the root are not recorded. */
#define CRASH_ROOT "CRASH_ROOT"
#define CRASH_LOG "CRASH_LOG"

#endif
