/* get: what a record attaches, as far as it has come, as files. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "attach.h"
#include "proto/err.h"
#include "store/attached.h"
#include "store/prune.h"
#include "times.h"

enum { NAMES_TRIED = 1000, PATH_BYTES = 4096, BLOCK_BYTES = 64 * 1024 };

struct getting {
	struct vd_cli *cli;
	const char *folder;
	json_t *files, *lacking;
	uint64_t missing;           /* chunks */
	bool bounded;               /* some of them by bulk.max, which is: */
	char most[VD_SIZE_SAID];
	bool late;                  /* some of them by share.day: */
	struct vd_later_said later;
	size_t written, there, damaged, sealed;
	uint64_t back;              /* bodies that had gone to make room, and are wanted again */
	int err;                    /* of the medium: nothing more can be written */
	int code;                   /* an exit code: what was wrong was said */
};

/* Is what stands there that very file? Then it was got before. */
static bool is_it(const char *path, const struct vd_attachment *a)
{
	uint8_t *block = malloc(BLOCK_BYTES), hash[VD_HASH_BYTES];
	crypto_generichash_state state;
	FILE *f = block ? fopen(path, "rbe") : NULL;
	struct stat s;
	bool same = f && !fstat(fileno(f), &s) && S_ISREG(s.st_mode) && (uint64_t)s.st_size == a->size;

	crypto_generichash_init(&state, NULL, 0, sizeof hash);
	while (same && !feof(f)) {
		size_t n = fread(block, 1, BLOCK_BYTES, f);

		same = !ferror(f);
		crypto_generichash_update(&state, block, n);
	}
	crypto_generichash_final(&state, hash, sizeof hash);
	if (f)
		fclose(f);
	free(block);
	return same && !memcmp(hash, a->hash, sizeof hash);
}

/* The n-th name tried: "foto.jpg", "foto-2.jpg" … */
static bool path_of(const struct getting *g, const char *name, unsigned n, char path[PATH_BYTES])
{
	const char *dot = strrchr(name, '.');
	int stem = dot && dot > name ? (int)(dot - name) : (int)strlen(name);
	int used = n < 2 ? snprintf(path, PATH_BYTES, "%s/%s", g->folder, name)
	                 : snprintf(path, PATH_BYTES, "%s/%.*s-%u%s", g->folder, stem, name, n, name + stem);

	return used > 0 && used < PATH_BYTES;
}

/* The first name that nothing stands at. VD_EEXISTS: the file itself stands at one. */
static int choose(const struct getting *g, const struct vd_attachment *a, const char *name, unsigned *n, char path[PATH_BYTES])
{
	struct stat s;

	for (; *n < NAMES_TRIED; ++*n) {
		if (!path_of(g, name, *n, path))
			return VD_EINVAL;
		if (lstat(path, &s))
			return VD_OK;
		if (S_ISREG(s.st_mode) && is_it(path, a))
			return VD_EEXISTS;
	}
	return VD_ECAP;
}

/* Not that chunks are missing: the folder is. */
static int of_folder(int rc)
{
	return rc == VD_ENOTFOUND ? VD_EIO : rc;
}

static int write_as(struct getting *g, struct vd_group *group, const struct vd_attached *here, uint8_t which, const struct vd_attachment *a,
                    const char *path)
{
	struct vd_file_out *out;
	int rc = of_folder(vd_file_create(path, &out));

	if (rc)
		return rc;
	vd_file_beside(out);
	rc = vd_attached_write(g->cli->store, group, here, which, a, out);
	if (!rc)
		return of_folder(vd_file_commit(out, false));
	vd_file_abort(out);
	return rc;
}

static int get_whole(struct getting *g, struct vd_group *group, const struct vd_attached *here, uint8_t which, const struct vd_attachment *a,
                     const char *name)
{
	char path[PATH_BYTES];
	unsigned n = 1;
	int rc;

	for (;;) {
		rc = choose(g, a, name, &n, path);
		if (rc == VD_EEXISTS) {
			g->there++;
			vd_note(g->cli, VD_MSG_GET_THERE, path, NULL);
			rc = 0;
			break;
		}
		if (!rc)
			rc = write_as(g, group, here, which, a, path);
		if (rc == VD_EEXISTS)
			continue; /* made by somebody else meanwhile */
		if (rc)
			return rc;
		g->written++;
		if (!g->cli->opt.json)
			vd_say(g->cli, VD_MSG_GET_WRITTEN, path, NULL);
		break;
	}
	json_array_append_new(g->files, json_pack("{s:s,s:o,s:o,s:o,s:o}", "path", path, "name", vd_json_text(a->name), "type", vd_json_text(a->type),
	                                          "size", vd_json_number(a->size), "hash", vd_json_hex(a->hash, VD_HASH_BYTES)));
	return rc;
}

static int get_one(struct getting *g, struct vd_group *group, const struct vd_record *of, const struct vd_attached *here, uint8_t which, const struct vd_attachment *a)
{
	uint32_t have = vd_attached_count(here, which, a->chunks, NULL);
	char name[VD_ATTACHMENT_NAME_MAX + 1];
	int rc = VD_ENOTFOUND;

	vd_attachment_name(a->name, name);
	if (have == a->chunks)
		rc = get_whole(g, group, here, which, a, name);
	if (rc == VD_ENOTFOUND) {
		g->missing += a->chunks - have;
		g->bounded |= vd_attach_bounded(g->cli, here, which, a->chunks, g->most);
		g->late |= vd_attach_later(g->cli, group, of, here, which, a->chunks, &g->later);
		json_array_append_new(g->lacking, json_pack("{s:s,s:o,s:o}", "name", name, "chunks_here", vd_json_number(have), "chunks",
		                                            vd_json_number(a->chunks)));
		vd_note(g->cli, VD_MSG_GET_MISSING, name, vd_num(g->cli, have), vd_num(g->cli, a->chunks), NULL);
		return 0;
	}
	if (rc == VD_EDAMAGED || rc == VD_EKEY || rc == VD_EAUTHOR || rc == VD_ESEALED) {
		g->damaged += rc == VD_EDAMAGED;
		g->sealed += rc != VD_EDAMAGED;
		vd_note(g->cli, rc == VD_EDAMAGED ? VD_MSG_GET_DAMAGED : VD_MSG_GET_SEALED, name, NULL);
		return 0;
	}
	return rc;
}

static int get_all(void *ctx, const struct vd_found *f)
{
	struct vd_attachment list[VD_ATTACHMENTS_MAX];
	struct vd_attached here;
	struct getting *g = ctx;
	size_t count;
	int rc = f->standing == VD_STANDING_REDACTED ? VD_OK : vd_prune_undo(g->cli->store, f->group, f->record, vd_time_now_ms(), &g->back);

	/* A full disk, or one that is only read, keeps nobody from what is here. */
	if (rc)
		g->back = 0;
	if (f->body == VD_ENOTFOUND && g->back)
		return 0;
	if (f->body || f->standing == VD_STANDING_REDACTED) {
		g->code = vd_refuse(g->cli, VD_EXIT_FAILED, "not_readable", VD_MSG_HINT_GET_NOT_READ, VD_MSG_GET_NOT_READ,
		                    vd_text(g->cli->lang, vd_body_text(f)), NULL);
		return 0;
	}
	count = vd_attachments_of(f->content, list);
	if (!count)
		vd_note(g->cli, VD_MSG_GET_NONE, NULL);
	rc = vd_attached_find(g->cli->store, f->record, &here);
	if (rc == VD_EDAMAGED)
		rc = 0; /* what was spoilt counts as missing, and is asked for again once `check` has found it */
	for (size_t i = 0; i < count && !rc; i++)
		if (list[i].name.n)
			rc = get_one(g, f->group, f->record, &here, (uint8_t)i, &list[i]);
	vd_attached_deinit(&here);
	g->err = rc;
	return 0;
}

static int finish(struct getting *g)
{
	struct vd_cli *cli = g->cli;

	if (g->err)
		return vd_fail(cli, g->err, VD_MSG_NONE, VD_MSG_GET_FAILED, g->folder, NULL);
	if (g->back)
		vd_note(cli, VD_MSG_GET_BACK, vd_num(cli, g->back), vd_num(cli, VD_PRUNE_DAYS), NULL);
	else if (g->missing)
		vd_note(cli, g->bounded ? VD_MSG_GET_BOUNDED : g->late ? VD_MSG_GET_LATER : VD_MSG_GET_PARTLY, vd_num(cli, g->missing), g->most, NULL);
	if (g->bounded && !g->back)
		vd_note(cli, VD_MSG_NEXT_BULK, NULL);
	if (g->late && !g->bounded && !g->back)
		vd_note(cli, VD_MSG_LATER, g->later.who, g->later.most, NULL);
	if (cli->opt.json)
		vd_say_json(cli, json_pack("{s:O,s:o,s:O,s:o}", "files", g->files, "missing_chunks", vd_json_number(g->missing), "missing", g->lacking,
		                           "wanted_again", vd_json_number(g->back)));
	return g->damaged ? VD_EXIT_INTEGRITY : g->missing || g->sealed || g->back ? VD_EXIT_PARTLY : VD_EXIT_DONE;
}

static int get_run(struct vd_cli *cli)
{
	const char *folder = vd_options_get(&cli->opt, VD_OPT_OUT);
	struct getting g = { .cli = cli, .folder = folder ? folder : "." };
	uint64_t arrival = 0;
	struct vd_id id;
	bool made;
	int rc = vd_cli_record(cli, cli->opt.args[0], &id, &arrival, NULL), err;

	if (rc)
		return rc;
	made = !vd_cli_is_folder(g.folder);
	if (made && mkdir(g.folder, 0700))
		return vd_misuse(cli, VD_MSG_HINT_GET_FOLDER, VD_MSG_GET_NO_FOLDER, g.folder, NULL);
	g.files = json_array();
	g.lacking = json_array();
	err = vd_query_one(cli->store, arrival, get_all, &g);
	rc = err ? vd_cli_query_failed(cli, err) : g.code ? g.code : finish(&g);
	json_decref(g.files);
	json_decref(g.lacking);
	if (made && !g.written)
		(void)rmdir(g.folder); /* what somebody else put there meanwhile keeps it */
	return rc;
}

const struct vd_command vd_command_get = {
	.syntax = { "get", { VD_OPT_OUT } },
	.run = get_run, .summary = VD_MSG_SUM_GET, .help = VD_MSG_HELP_GET, .args_min = 1, .args_max = 1,
};
