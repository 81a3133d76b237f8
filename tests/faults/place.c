#include "place.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/err.h"
#include "store/check.h"
#include "store/store.h"
#include "store/vault.h"
#include "store/walked.h"

/* --- what a store holds --- */

static int keep(void *ctx, uint64_t arrival, uint64_t received_ms, struct vd_slice raw)
{
	struct holding *h = ctx;
	struct vd_record record;

	(void)arrival;
	(void)received_ms;
	if (h->count == PLACE_RECORDS)
		return VD_ECAP;
	if (vd_record_decode(raw, &record))
		return VD_EDAMAGED;
	h->ids[h->count++] = record.id;
	return VD_OK;
}

/* Of a sealed store: what faults.sh seals with, before and after a change. */
static int open_sealed(const char *home, struct vd_store **out)
{
	static const char *const phrases[] = { "canario1", "canario2" };
	int rc = VD_EKEY;

	for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]) && rc == VD_EKEY; i++) {
		const struct vd_secret secret = { .passphrase = vd_slice_str(phrases[i]) };

		rc = vd_store_open_with(home, &secret, out);
	}
	return rc;
}

static void look(const char *home, struct holding *h)
{
	uint8_t groups[VD_STORE_GROUPS_MAX][VD_GROUP_BYTES];
	struct vd_check check = { 0 };
	struct vd_store *s;

	h->err = vd_store_open(home, &s);
	if (h->err == VD_EKEY)
		h->err = open_sealed(home, &s);
	h->any = h->err != VD_ENOSTORE;
	if (h->err)
		return;
	h->err = vd_check(s, false, &check);
	if (!h->err && (check.bad || check.derived_bad))
		h->err = VD_EDAMAGED;
	if (!h->err)
		h->err = vd_store_groups(s, groups, &h->groups);
	if (!h->err)
		h->err = vd_store_walk(s, NULL, 255, 0, keep, h);
	h->sound = !h->err;
	vd_store_close(s);
}

void place_look(const char *home, struct holding *out)
{
	struct holding *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status = 0;
	pid_t pid;

	if (shared == MAP_FAILED)
		abort();
	pid = fork();
	if (pid == 0) {
		alarm(20);
		look(home, shared);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		abort();
	*out = *shared;
	out->died = status != 0;
	munmap(shared, sizeof(*shared));
}

bool place_holds_all(const struct holding *h, const struct holding *before)
{
	for (size_t i = 0; i < before->count; i++) {
		size_t k = 0;

		while (k < h->count && memcmp(h->ids[k].b, before->ids[i].b, VD_ID_BYTES))
			k++;
		if (k == h->count)
			return false;
	}
	return true;
}

/* --- folders --- */

static int drop(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st;
	if (where->level)
		(void)!(type == FTW_DP ? rmdir(path) : unlink(path));
	return 0;
}

void place_empty(const char *folder)
{
	nftw(folder, drop, 16, FTW_DEPTH | FTW_PHYS);
}

static bool copy_file(int from, int to, const char *name)
{
	int in = openat(from, name, O_RDONLY | O_CLOEXEC), out;
	struct stat st;
	ssize_t n = -1;

	if (in < 0)
		return false;
	out = openat(to, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (out >= 0 && !fstat(in, &st)) {
		void *bytes = st.st_size ? mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, in, 0) : NULL;

		n = bytes == MAP_FAILED ? -1 : bytes ? write(out, bytes, (size_t)st.st_size) - st.st_size : 0;
		if (bytes && bytes != MAP_FAILED)
			munmap(bytes, (size_t)st.st_size);
	}
	if (out >= 0)
		close(out);
	close(in);
	return n == 0;
}

static bool copy_folder(int from, int to)
{
	DIR *dir = fdopendir(dup(from));
	struct dirent *entry;
	bool ok = dir != NULL, home = false;

	while (ok && (entry = readdir(dir))) {
		const char *name = entry->d_name;

		if (!strcmp(name, ".") || !strcmp(name, "..") || !strcmp(name, "lock.mdb"))
			continue;
		if (entry->d_type == DT_DIR) {
			int below = openat(from, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
			int copy = mkdirat(to, name, 0700) ? -1 : openat(to, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

			ok = below >= 0 && copy >= 0 && copy_folder(below, copy);
			close(below);
			close(copy);
		} else if (!strcmp(name, "reserve")) {
			ok = !linkat(from, name, to, name, 0); /* two megabytes that nobody writes to */
		} else {
			ok = copy_file(from, to, name);
			home |= !strcmp(name, "walked");
		}
	}
	if (dir)
		closedir(dir);
	if (ok && home) {
		int mark = vd_walked_open(to);

		vd_walked_renew(mark, to);
		close(mark);
	}
	return ok;
}

bool place_copy(const char *from, const char *to)
{
	int in = open(from, O_RDONLY | O_DIRECTORY | O_CLOEXEC), out;
	bool ok;

	mkdir(to, 0700);
	place_empty(to);
	out = open(to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ok = in >= 0 && out >= 0 && copy_folder(in, out);
	close(in);
	close(out);
	return ok;
}

/* --- names --- */

void place_plain(char *text)
{
	char *to = text;

	for (const char *p = text; *p;) {
		const char *end = p;

		while (isxdigit((unsigned char)*end))
			end++;
		/* a word of letters alone, such as "added", is none */
		if (end - p >= 6 || (end > p && isdigit((unsigned char)*p))) {
			*to++ = '#';
			p = end;
		} else {
			*to++ = *p++;
		}
	}
	*to = '\0';
}

void place_scrub(char *text)
{
	static const char *const never[] = { "\"words\":\"", "\"elapsed_ms\":" };

	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
		char *p = strstr(text, never[i]), *end;

		if (!p)
			continue;
		p += strlen(never[i]);
		end = p + strcspn(p, i ? "," : "\"");
		memmove(p, end, strlen(end) + 1);
	}
}

static struct listing *listed;
static size_t listed_from;

static int add(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st;
	(void)where;
	if (type != FTW_F || listed->count == PLACE_FILES)
		return 0;
	char *name = listed->names[listed->count++];
	snprintf(name, PLACE_NAME, "%s", path + listed_from);
	place_plain(name);
	return 0;
}

void place_list(const char *folder, struct listing *out)
{
	out->count = 0;
	listed = out;
	listed_from = strlen(folder) + 1;
	nftw(folder, add, 16, FTW_PHYS);
}
