#include "names.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "slots_file.h"

enum {
	LOOK_BYTES = 4096,
	RESERVE_MAX = 2 << 20,
	MARK_BYTES = 80,              /* of the file `walked` */
	ID = 32, ENDING = 4, TEMP = 6,/* in the inbox: <32 hex>.bin, and while it is copied .<32 hex>.bin.<six characters>.tmp */
};

const char *const vd_name_folders[VD_NAME_FOLDERS] = { "new", "inbox", "sealing" };

enum look { SLOTS, DATABASE, LOCKS, MARK, RESERVE, PROBE, EMPTY, SOCKET };
static const struct {
	const char *name;
	enum look look;
} names[] = {
	{ "vault", SLOTS }, { "vault.new", SLOTS }, { "vault.old", SLOTS }, { "reserve", RESERVE }, { ".vereda-probe", PROBE }, { "ctl", SOCKET },
	{ "ctl.lock", EMPTY }, { "data.mdb", DATABASE }, { "lock.mdb", LOCKS }, { "walked", MARK },
};
enum { NAMES = sizeof(names) / sizeof(names[0]) };
static const char aside[] = "data.mdb.damaged-";
static const char kept[] = "kept"; /* in the inbox */

struct seen {
	struct stat st;
	uint8_t start[LOOK_BYTES];
	size_t n;
	bool unreadable;          /* the medium fails: its name has to do */
};

static bool see(int folder, const char *name, struct seen *s)
{
	ssize_t n = 0;
	int fd;

	if (fstatat(folder, name, &s->st, AT_SYMLINK_NOFOLLOW))
		return false;
	/* The slots may have been put elsewhere: that link leads to them. */
	if (S_ISLNK(s->st.st_mode) && !strcmp(name, "vault") && fstatat(folder, name, &s->st, 0))
		return false;
	s->n = 0;
	s->unreadable = false;
	if (!S_ISREG(s->st.st_mode))
		return true;
	fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd >= 0) {
		n = pread(fd, s->start, sizeof(s->start), 0);
		close(fd);
	}
	s->unreadable = n < 0;
	s->n = n > 0 ? (size_t)n : 0;
	return true;
}

static bool zeros(const struct seen *s)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->start[i])
			return false;
	return s->n > 0;
}

static bool lmdb(const struct seen *s, size_t at)
{
	static const uint32_t magic = 0xbeefc0de;

	return s->n >= at + sizeof(magic) && !memcmp(s->start + at, &magic, sizeof(magic));
}

static bool dashes(const struct seen *s)
{
	return s->n == MARK_BYTES && s->start[8] == '-' && s->start[13] == '-' && s->start[18] == '-' && s->start[23] == '-';
}

/* How a file of that name looks when a store made it, or a wipe was at it. */
static bool looks(const struct seen *s, enum look look)
{
	static const char slots[] = "vereda vault";
	off_t size = s->st.st_size;

	if (look == SOCKET)
		return S_ISSOCK(s->st.st_mode);
	if (!S_ISREG(s->st.st_mode))
		return false;
	if (s->unreadable && (look == DATABASE || look == LOCKS || look == MARK))
		return true;
	switch (look) {
	case SLOTS: return size == 2 * VD_SLOTS_BLOCK || !size || zeros(s) || (s->n > sizeof(slots) && !memcmp(s->start, slots, sizeof(slots) - 1));
	case DATABASE: return !size || lmdb(s, sizeof(size_t) + 8) || zeros(s);
	case LOCKS: return !size || lmdb(s, 0) || zeros(s);
	case MARK: return !size || dashes(s) || (size == MARK_BYTES && zeros(s));
	case RESERVE: return size <= RESERVE_MAX;
	case PROBE: return size <= 2 * LOOK_BYTES;
	default: return !size;
	}
}

static bool set_aside(const char *name)
{
	const char *number = name + sizeof(aside) - 1;

	return !strncmp(name, aside, sizeof(aside) - 1) && *number && strlen(number) <= 4 && strspn(number, "0123456789") == strlen(number);
}

enum vd_name vd_name_in_home(int home, const char *name)
{
	struct seen s;

	if (set_aside(name))
		return see(home, name, &s) && S_ISREG(s.st.st_mode) ? VD_NAME_SET_ASIDE : VD_NAME_OTHER;
	for (size_t i = 0; i < NAMES; i++) {
		if (strcmp(names[i].name, name))
			continue;
		/* A database may be damaged beyond recognition: in a store it goes by its name. */
		if (!see(home, name, &s) || (names[i].look == DATABASE ? !S_ISREG(s.st.st_mode) : !looks(&s, names[i].look)))
			return VD_NAME_OTHER;
		return names[i].look == SLOTS ? VD_NAME_SLOTS : names[i].look == DATABASE ? VD_NAME_DATABASE : VD_NAME_SMALL;
	}
	return VD_NAME_OTHER;
}

/* Nothing, or what a file is called besides while it is written, and hidden as of late. */
static bool is_end(const char *rest, bool hidden)
{
	return (!*rest && !hidden) || (strlen(rest) == 1 + TEMP + ENDING && *rest == '.' && !strcmp(rest + 1 + TEMP, ".tmp"));
}

static bool of_inbox(const char *name)
{
	static const char *const endings[] = { ".bin", ".old", ".had" };
	const bool hidden = name[0] == '.';
	size_t n, ending = 0;

	name += hidden;
	n = strlen(name);
	if (!strncmp(name, kept, sizeof(kept) - 1))
		return is_end(name + sizeof(kept) - 1, hidden);
	if (n < ID + ENDING || strspn(name, "0123456789abcdef") != ID)
		return false;
	while (ending < 3 && strncmp(name + ID, endings[ending], ENDING) != 0)
		ending++;
	return ending < 3 && is_end(name + ID + ENDING, hidden);
}

bool vd_name_in_folder(int folder, size_t which, const char *name)
{
	static const char *const databases[] = { "data.mdb", "lock.mdb", "walked", "sealed.mdb", "readable.mdb" };
	struct stat st;

	if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) || !S_ISREG(st.st_mode))
		return false;
	if (!strcmp(vd_name_folders[which], "inbox"))
		return of_inbox(name);
	for (size_t i = 0; i < sizeof(databases) / sizeof(databases[0]); i++)
		if (!strcmp(databases[i], name))
			return i < 3 || !strcmp(vd_name_folders[which], "sealing");
	return false;
}

/* --- whose folder is it? --- */

/* How many entries of a folder in the home are ours, and how many are not. */
static void count(int home, size_t which, size_t *ours, size_t *others)
{
	int fd = openat(home, vd_name_folders[which], O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;
	struct stat st;

	*ours = 0;
	*others = !dir && !fstatat(home, vd_name_folders[which], &st, AT_SYMLINK_NOFOLLOW);
	while (dir && (e = readdir(dir))) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		if (vd_name_in_folder(dirfd(dir), which, e->d_name))
			++*ours;
		else
			++*others;
	}
	if (dir)
		closedir(dir);
	else if (fd >= 0)
		close(fd);
}

/* Other programs keep LMDB files of this name. Ours have these two tables, in the page that either meta page calls the root. */
static bool our_tables(int home)
{
	enum { AT_PAGE_BYTES = sizeof(size_t) + 8 + 8 + 2 * sizeof(size_t), TREE = 8 + 5 * sizeof(size_t), AT_ROOT = AT_PAGE_BYTES + 2 * TREE - sizeof(size_t) };
	uint8_t meta[AT_ROOT + sizeof(size_t)], page[1 << 16];
	int fd = openat(home, "data.mdb", O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	uint32_t page_bytes = 4096;
	bool found = false;

	for (size_t i = 0; fd >= 0 && i < 2 && !found; i++) {
		size_t root;
		ssize_t n;

		if (pread(fd, meta, sizeof(meta), (off_t)(i * page_bytes)) != (ssize_t)sizeof(meta))
			continue;
		memcpy(&page_bytes, meta + AT_PAGE_BYTES, sizeof(page_bytes));
		memcpy(&root, meta + AT_ROOT, sizeof(root));
		if (page_bytes < 512 || page_bytes > sizeof(page) || root > SIZE_MAX / 2 / page_bytes)
			break;
		n = pread(fd, page, page_bytes, (off_t)(root * page_bytes));
		found = n > 0 && memmem(page, (size_t)n, "records", 7) && memmem(page, (size_t)n, "values", 6);
	}
	if (fd >= 0)
		close(fd);
	return found;
}

bool vd_names_store(int home)
{
	bool database = false, marked = false, locks = false;
	size_t ours, others, folders = 0;
	struct seen s;

	for (size_t i = 0; i < NAMES; i++) {
		if (!see(home, names[i].name, &s) || (names[i].look != DATABASE && !looks(&s, names[i].look)))
			continue;
		switch (names[i].look) {
		case SLOTS: /* not by its size alone, nor when it is empty */
			if (s.n && (zeros(&s) || !memcmp(s.start, "vereda vault", s.n < 12 ? s.n : 12)))
				return true;
			break;
		case DATABASE:
			if (S_ISREG(s.st.st_mode) && ((zeros(&s) && s.st.st_size >= LOOK_BYTES) || our_tables(home)))
				return true;
			database = S_ISREG(s.st.st_mode);
			break;
		case LOCKS: locks = true; break;
		case MARK:
			if (s.n == MARK_BYTES)
				return true;
			marked = true;
			break;
		default: break;
		}
	}
	for (size_t i = 0; i < VD_NAME_FOLDERS; i++) {
		count(home, i, &ours, &others);
		folders += ours > 0;
	}
	/* A damaged one, or what a wipe or an init left: two of them are no chance. */
	return (size_t)database + marked + locks + folders >= 2 || (folders && vd_name_in_home(home, "data.mdb.damaged-1"));
}

const char *vd_names_stranger(int home)
{
	size_t ours, others;
	struct seen s;

	for (size_t i = 0; i < NAMES; i++)
		if (see(home, names[i].name, &s) && !looks(&s, names[i].look))
			return names[i].name;
	for (size_t i = 0; i < VD_NAME_FOLDERS; i++) {
		count(home, i, &ours, &others);
		if (others)
			return vd_name_folders[i];
	}
	return NULL;
}
