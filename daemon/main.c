#include <libgen.h>
#include <netinet/in.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf.h"
#include "log.h"
#include "loop.h"
#include "panic.h"
#include "proto/err.h"
#include "proto/vereda.h"
#include "store/file.h"
#include "store/store.h"
#include "tell.h"
#include "walls.h"

static int exit_status(int rc)
{
	switch (rc) {
	case 0: return 0;
	case VD_ENOSTORE: return 10;
	case VD_EBUSY: return 11;
	case VD_EKEY: return 12;
	case VD_EDAMAGED: return 14;
	case VD_ENOSPACE:
	case VD_EIO: return 15;
	default: return 1;
	}
}

/* From a signal handler: nothing but what is safe there. */
static void broken(void)
{
	static const char line[] = "veredad: the disk failed or changed the store under it: run vereda check\n";
	ssize_t n = write(STDERR_FILENO, line, sizeof(line) - 1);

	(void)n;
	_exit(14);
}

/* libuv ends the process where it cannot do without memory or a thread, and says nothing. */
static void on_abort(int number)
{
	static const char line[] = "<3>ended: no memory left, or a fault of its own; nothing that was stored is lost\n";
	ssize_t n = write(STDERR_FILENO, line, sizeof(line) - 1);

	(void)number;
	(void)n;
	_exit(1);
}

/* Desktops make /media/ana when ana's first stick comes, which may be later: then it is seen by way of /media. */
static const char *stick_folder(const char *folder, size_t number, char room[PATH_MAX])
{
	const char *above;
	struct stat st;

	/* Its place, not its name: the log is readable. */
	if (stat(folder, &st) == 0) {
		if (!S_ISDIR(st.st_mode))
			vd_log(VD_LOG_WARNING, "stick-dir is no folder: no stick is seen there; name the folder in which sticks are mounted number=%zu", number);
		return folder;
	}
	snprintf(room, PATH_MAX, "%s", folder);
	above = dirname(room);
	if (strcmp(above, "/") != 0 && strcmp(above, "/run") != 0 && access(above, F_OK) == 0) {
		vd_log(VD_LOG_NOTICE, "stick-dir is not there yet, or its name is mistyped: sticks are seen once it is there number=%zu", number);
		return above;
	}
	vd_log(VD_LOG_WARNING, "there is no folder for sticks yet, and none above it: sticks there are seen once veredad is started anew");
	return folder;
}

/* A medium that is mounted later is seen by way of the folder above its mount point. */
static void raise_walls(const struct vd_conf *conf)
{
	char token[PATH_MAX], above[PATH_MAX], sticks[VD_CONF_STICK_DIRS_MAX][PATH_MAX];
	const char *folders[2 + VD_CONF_STICK_DIRS_MAX];
	struct vd_walls walls;
	bool low_port = false;
	size_t count = 0;

	if (conf->token[0]) {
		snprintf(token, sizeof(token), "%s", conf->token);
		folders[count++] = dirname(token);
		snprintf(above, sizeof(above), "%s", folders[0]);
		if (strcmp(dirname(above), "/") != 0 && strcmp(above, ".") != 0)
			folders[count++] = above;
	}
	for (size_t i = 0; i < conf->stick_dir_count; i++)
		folders[count++] = stick_folder(conf->stick_dir[i], i + 1, sticks[i]);
	for (size_t i = 0; i < conf->listen_count; i++) {
		uint16_t port = vd_address_port((const struct sockaddr *)&conf->listen[i]);

		low_port |= port && port < IPPORT_RESERVED; /* 0: any free one */
	}
	vd_walls_raise(conf->home, folders, count, low_port, &walls);
}

int main(int argc, char **argv)
{
	struct vd_conf conf;
	char message[VD_CONF_MESSAGE];

	vd_file_fill_standard();
	vd_tell_prepare();
	vd_panic_start(argv);
	if (vd_conf_parse(argc, argv, &conf, message)) {
		fprintf(stderr, "veredad: %s\nveredad --help shows the options\n", message);
		return 2;
	}
	if (conf.help || conf.version) {
		fputs(conf.help ? vd_conf_usage : "veredad " VEREDA_RELEASE "\n", stdout);
		return fflush(stdout) ? 1 : 0;
	}
	if (sodium_init() < 0 || vd_sign_selftest()) {
		vd_log(VD_LOG_ERROR, "libsodium fails the self-test: install libsodium 1.0.18 or newer from your distribution");
		return 1;
	}
	vd_store_on_broken(broken);
	signal(SIGABRT, on_abort);
	vd_tell_start(conf.stick_dir_count > 0);
	/* Before the first thread, which the loop starts: none may be outside. */
	raise_walls(&conf);
	return exit_status(vd_loop_run(&conf));
}
