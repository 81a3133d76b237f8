/* The LMDB environment under a store: tables, transactions, growth of the map, one writer of all processes.
 *
 * LMDB cannot grow its map while a transaction is open, so a change is a function that can be applied again
 * from the start: it is run, the map grows when it was too small, and it is run once more. Nobody else can
 * write in between, because every writer first holds the writers' lock of the folder. */
#ifndef VD_DB_H
#define VD_DB_H

#include <lmdb.h>
#include <stdbool.h>

#include "proto/bytes.h"

enum vd_table {
	VD_TABLE_RECORDS, /* u64 arrival -> sealed record, or several that came one after the other (stored.h); only grows */
	VD_TABLE_ITEMS,   /* packed lists (lists.h): by standing item */
	VD_TABLE_LISTS,   /* the same: members of a lane, wanted bodies, missing predecessors */
	VD_TABLE_INDEX,   /* the same: id, author, day, kind, about, replaces (index.h) */
	VD_TABLE_VALUES,  /* index key (16) -> sealed value */
	VD_TABLE_POOL,    /* u64 number -> sealed record whose author is not known yet */
	VD_TABLES
};

struct vd_db;

/* Opens `folder`/data.mdb; `create`: makes file and tables. What stands there already is read with care before
 * it is mapped, unless it is known to be sound (walked.h). VD_ENOSTORE: no such file; VD_EDAMAGED: no LMDB file,
 * or one that is not whole; VD_EVERSION: of a format that this LMDB does not know; VD_EIO, VD_ENOSPACE,
 * VD_ENOMEM, VD_EDENIED. */
int vd_db_open(const char *folder, bool create, struct vd_db **out);
void vd_db_close(struct vd_db *); /* NULL is fine */
/* Takes the names of a database that is being made away, and its folder's: it is gone when it is closed, or the process ends. */
void vd_db_hide(struct vd_db *);

/* The writers' lock, of all processes and threads. Waits. VD_EBUSY: this thread holds it already; VD_EDAMAGED: a
 * foreign hand changed the file, and it is not whole any more; VD_EIO: it was taken away. */
int vd_db_lock(struct vd_db *);
void vd_db_unlock(struct vd_db *);

/* A snapshot to read from. Short: while one is open the map cannot grow. Several may be open, but not nested in
 * one thread. */
int vd_db_read(struct vd_db *, MDB_txn **out);
void vd_db_done(struct vd_db *, MDB_txn *); /* NULL is fine */
/* Runs `apply` in a transaction and commits it; 0 means durable. `apply` returns LMDB's codes or ours and may
 * be run several times, always against the same state. The caller holds the writers' lock. */
int vd_db_change(struct vd_db *, int (*apply)(void *ctx, MDB_txn *), void *ctx);

/* Does the medium let itself be read only? Then no lock is to be had. */
bool vd_db_read_only(const struct vd_db *);
/* Reads the whole file page by page (pages.h). The caller holds the writers' lock. VD_EDAMAGED. */
int vd_db_walk(struct vd_db *);
MDB_dbi vd_db_table(const struct vd_db *, enum vd_table);
/* Of the database's file. */
uint64_t vd_db_bytes(struct vd_db *);
/* Bytes of its file that hold nothing now, and are written to first. (What a change that found no room wrote behind its last page goes back to the medium.) */
int vd_db_spare(struct vd_db *, uint64_t *bytes);
/* Of the medium under the database: bytes that we may still write, and its size. VD_EIO. */
int vd_db_room(const struct vd_db *, uint64_t *free_bytes, uint64_t *total);
/* One of our codes for one of LMDB's or an errno; ours pass through. */
int vd_db_err(int rc);

/* See vd_store_on_broken. */
void vd_db_on_broken(void (*say)(void));

/* For tests: the size the map starts with and its smallest growth. */
void vd_db_set_start(size_t bytes);

#endif
