/* Rosa's store, a backup of it, and what it is restored to. */
#ifndef BACKUP_CAST_H
#define BACKUP_CAST_H

#include <dirent.h>
#include <sys/stat.h>

#include "store/backup.h"
#include "tests/unit/acts_cast.h"

#undef vd_store_open
#undef vd_store_create

static const struct vd_vault_cost cheap = { .ops = 1, .memory_bytes = 8192 };
static const struct vd_secret token = { .token = { (const uint8_t *)"forty bytes that stand in a key file....", 40 } };
static const char canary[] = "the canary sings of the bridge at Yurumangui", phrase[] = "correct horse battery";

struct stage {
	struct scene sc;
	struct who rosa, ines;
	char file[128], scratch[128], restored[128];
};

static inline struct vd_slice pass(const char *text)
{
	return vd_slice_str(text);
}

static inline const struct vd_secret *secret_of(bool sealed)
{
	return sealed ? &token : NULL;
}

/* Rosa's store with a group, Inés in it, `n` records and the canary. */
static inline void raise_stage(struct stage *st, bool sealed, int n)
{
	char text[400];
	struct vd_id id;

	memset(st, 0, sizeof(*st));
	st->sc.now_ms = cast_now;
	strcpy(st->sc.top, "/tmp/vd_backup_XXXXXX");
	assert_non_null(mkdtemp(st->sc.top));
	arrive(&st->sc, &st->rosa);
	snprintf(st->rosa.home, sizeof(st->rosa.home), "%s/rosa", st->sc.top);
	assert_int_equal(vd_store_create_with(st->rosa.home, canary, secret_of(sealed), &cheap), 0);
	assert_int_equal(vd_store_open_with(st->rosa.home, secret_of(sealed), &st->rosa.store), 0);
	assert_int_equal(vd_store_found(st->rosa.store, "Cuenca", "Rosa", cast_now, st->sc.id), 0);
	reload(&st->sc, &st->rosa);
	admit(&st->sc, &st->rosa, &st->ines, VD_ROLE_MEMBER, NULL, "Inés");
	say(&st->sc, &st->rosa, VD_LANE_URGENT, canary, &id);
	for (int i = 0; i < n; i++) {
		snprintf(text, sizeof(text), "%d %0300d", i, i);
		say(&st->sc, &st->rosa, VD_LANE_NORMAL, text, &id);
	}
	meet(&st->rosa, &st->ines);
	snprintf(st->file, sizeof(st->file), "%s/backup", st->sc.top);
	snprintf(st->scratch, sizeof(st->scratch), "%s/scratch", st->sc.top);
	snprintf(st->restored, sizeof(st->restored), "%s/restored", st->sc.top);
	assert_int_equal(mkdir(st->scratch, 0700), 0);
}

static inline void back_up(struct stage *st, struct vd_backup_stats *stats)
{
	const struct vd_backup_for to = { .passphrase = pass(phrase), .cost = &cheap };

	assert_int_equal(vd_backup_create(st->rosa.store, &to, st->file, st->sc.now_ms, stats), 0);
}

static inline int verify(struct stage *st, const char *passphrase, struct vd_backup_stats *stats)
{
	const struct vd_backup_key with = { .passphrase = pass(passphrase) };

	return vd_backup_verify(st->file, &with, st->scratch, stats);
}

static inline int restore(struct stage *st, const char *passphrase, bool sealed, struct vd_backup_stats *stats)
{
	const struct vd_backup_key with = { .passphrase = pass(passphrase) };

	return vd_backup_restore(st->file, &with, st->restored, secret_of(sealed), &cheap, stats);
}

static inline size_t names_in(const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	size_t n = 0;

	if (!dir)
		return 0;
	while ((entry = readdir(dir)))
		n += strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..");
	closedir(dir);
	return n;
}

/* No store there, and nothing that a later try stumbles over. */
static inline void nothing_restored(struct stage *st)
{
	struct vd_store *s;

	assert_int_equal(vd_store_open_with(st->restored, &token, &s), VD_ENOSTORE);
	assert_true(names_in(st->restored) == 0);
	assert_true(names_in(st->scratch) == 0);
}

#endif
