/* Walls of the daemon: each is run into, in a process of its own that has raised them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <netdb.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/walls.h"
#include "store/child.h"

static char top[64], home[96], stick[96], other[96];
static int inherited; /* of the other's folder, opened before */
static pid_t parent;

static void path_in(char out[160], const char *folder, const char *name)
{
	snprintf(out, 160, "%s/%s", folder, name);
}

static int put(const char *folder, const char *name)
{
	char path[160];
	int fd;

	path_in(path, folder, name);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

/* ---- deeds: 0, or why not ---- */

static int result(long rc)
{
	return rc < 0 ? errno : 0;
}

static int write_home(void)
{
	return put(home, "new");
}
static int write_stick(void)
{
	return put(stick, "new");
}
static int rename_home(void)
{
	char from[160], to[160];

	path_in(from, home, "there"), path_in(to, home, "moved");
	return rename(from, to) || truncate(to, 0) || unlink(to) ? errno : put(home, "there");
}
static int bind_home(void)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(at.sun_path, sizeof at.sun_path, "%s/sock", home);
	unlink(at.sun_path);
	return result(bind(fd, (struct sockaddr *)&at, sizeof at));
}
/* Nobody's: the mode gives no right to anyone, and where we are root it is somebody else's. */
static int read_forbidden(void)
{
	char path[160];

	path_in(path, home, "forbidden");
	return result(open(path, O_RDONLY));
}
static int rights_by_starting_anew(void)
{
	char path[160], *argv[] = { (char[]){ "walls_test" }, (char[]){ "forbidden" }, path, NULL };

	path_in(path, home, "forbidden");
	return result(execve("/proc/self/exe", argv, argv + 3));
}
static int bind_low(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), rc = EADDRINUSE;

	for (uint16_t port = IPPORT_RESERVED - 1; port > IPPORT_RESERVED - 20 && rc == EADDRINUSE; port--) {
		at.sin_port = htons(port);
		rc = result(bind(fd, (struct sockaddr *)&at, sizeof at));
	}
	close(fd);
	return rc;
}
static int write_other(void)
{
	return put(other, "new");
}
static int read_other(void)
{
	char path[160];

	path_in(path, other, "there");
	return result(open(path, O_RDONLY));
}
static int read_other_inherited(void)
{
	return result(openat(inherited, "there", O_RDONLY));
}
static int read_above(void)
{
	return result(open(top, O_RDONLY | O_DIRECTORY));
}
static int list_programs(void)
{
	return result(open("/usr/bin", O_RDONLY | O_DIRECTORY));
}
static int read_memory_of_others(void)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/environ", (int)parent);
	return result(open(path, O_RDONLY));
}
static int know_itself(void)
{
	int maps = open("/proc/self/maps", O_RDONLY), tasks = open("/proc/self/task", O_RDONLY | O_DIRECTORY);

	return access("/proc/self/maps", F_OK) == 0 && (maps < 0 || tasks < 0) ? errno : 0;
}
static int move_out(void)
{
	char from[160], to[160];

	path_in(from, home, "there"), path_in(to, other, "moved");
	return result(rename(from, to));
}
static int exec_shell(void)
{
	char *const argv[] = { (char[]){ "sh" }, (char[]){ "-c" }, (char[]){ "exit 0" }, NULL };

	return result(execve("/bin/sh", argv, argv + 3));
}
/* A program that was written into the home is none of ours. */
static int exec_home(void)
{
	char *const none[] = { NULL };
	char path[160];

	path_in(path, home, "program");
	return result(execve(path, none, none));
}
static int exec_memory(void)
{
	return result(syscall(SYS_memfd_create, "x", 0));
}
static int exec_ourselves(void)
{
	char *const argv[] = { (char[]){ "walls_test" }, (char[]){ "anew" }, NULL };

	return result(execve("/proc/self/exe", argv, argv + 2));
}
static int look_up(void)
{
	struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM }, *found = NULL;
	int rc = getaddrinfo("localhost", "7777", &hints, &found);

	if (found)
		freeaddrinfo(found);
	return rc ? 1000 - rc : 0;
}
static int talk(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof at;
	int a = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), b = socket(AF_INET, SOCK_STREAM, 0);

	if (bind(a, (struct sockaddr *)&at, sizeof at) || listen(a, 1) || getsockname(a, (struct sockaddr *)&at, &n))
		return errno;
	return result(connect(b, (struct sockaddr *)&at, sizeof at));
}
static int raw_packets(void)
{
	return result(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP));
}
static int strange_family(void)
{
	return result(socket(AF_ALG, SOCK_SEQPACKET, 0));
}
static void *run(void *told)
{
	*(int *)told = 1;
	return NULL;
}
static int thread(void)
{
	pthread_t t;
	int told = 0, rc = pthread_create(&t, NULL, run, &told);

	return rc ? rc : pthread_join(t, NULL) || !told;
}
static int be_dumpable(void)
{
	return result(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
}
static int stay_open(void)
{
	struct rlimit now;

	return getrlimit(RLIMIT_CORE, &now) || now.rlim_cur || prctl(PR_GET_DUMPABLE) ? 0 : EPERM;
}
static int push_into_terminal(void)
{
	return result(ioctl(STDIN_FILENO, TIOCSTI, "x"));
}
static int new_namespace(void)
{
	pid_t child = (pid_t)syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);

	if (child == 0)
		_exit(0);
	return result(child);
}
static int signal_parent(void)
{
	return result(kill(parent, 0));
}
static int ring(void)
{
	return result(syscall(SYS_io_uring_setup, 1, NULL));
}
static int trace(void)
{
	return result(ptrace(PTRACE_ATTACH, parent, NULL, NULL));
}
static int read_parent(void)
{
	char byte;
	struct iovec here = { &byte, 1 }, there = { &byte, 1 };

	return result(process_vm_readv(parent, &here, 1, &there, 1, 0));
}
static int mount_something(void)
{
	return result(mount("none", home, "tmpfs", 0, NULL));
}
static int unshare_all(void)
{
	return result(unshare(CLONE_NEWUSER));
}
static int load_module(void)
{
	return result(syscall(SYS_finit_module, -1, "", 0));
}
static int program_kernel(void)
{
	return result(syscall(SYS_bpf, 0, NULL, 0));
}
static void pass(void *ctx, int file, int socket)
{
	char byte;

	(void)ctx;
	if (pread(file, &byte, 1, 0) != 1 || write(socket, "y", 1) != 1)
		_exit(1);
}
/* The walls of the parser stand inside of these. */
static int parse(void)
{
	struct vd_child child;
	char path[160], said = 0;
	int file;

	path_in(path, home, "program");
	file = open(path, O_RDONLY | O_CLOEXEC);
	if (vd_child_start(&child, pass, NULL, NULL, file, 5))
		return 1;
	(void)vd_child_hear(&child, &said, 1);
	vd_child_end(&child);
	return said != 'y';
}

static int read_one(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? errno : 0;
}

static int read_accounts(void)
{
	return read_one("/etc/passwd");
}

static int read_passwords(void)
{
	return read_one("/etc/shadow");
}

static int read_below_etc(void)
{
	int fd = open("/etc/ssl/openssl.cnf", O_PATH | O_CLOEXEC);

	return fd < 0 && errno == ENOENT ? EACCES : read_one("/etc/ssl/openssl.cnf"); /* not there, so not read */
}

static int read_resolver(void)
{
	int rc = read_one("/etc/resolv.conf");

	return rc == ENOENT ? 0 : rc;
}

static int parser_is_walled(void)
{
	return vd_child_wall_stands() ? 0 : 1;
}

/* ---- */

enum { FINE = 0, DIES = -1, FAILS = -2 }; /* or the errno that it must be */
enum { OF_ANY, OF_FILES, OF_CALLS, OF_BOTH };

static const struct deed {
	const char *name;
	int (*done)(void);
	int wanted, of;
} deeds[] = {
	{ "write in the home", write_home, FINE, OF_ANY },
	{ "rename, cut and remove in the home", rename_home, FINE, OF_ANY },
	{ "a socket in the home", bind_home, FINE, OF_ANY },
	{ "write on the stick", write_stick, FINE, OF_ANY },
	{ "look up a name", look_up, FINE, OF_ANY },
	{ "listen and connect", talk, FINE, OF_ANY },
	{ "a thread", thread, FINE, OF_ANY },
	{ "a parser", parse, FINE, OF_ANY },
	{ "a parser with walls", parser_is_walled, FINE, OF_CALLS },
	{ "read its own maps and tasks", know_itself, FINE, OF_ANY },
	{ "read what is forbidden to everybody", read_forbidden, EACCES, OF_ANY },
	{ "the rights for it by starting anew", rights_by_starting_anew, EACCES, OF_ANY },
	{ "write elsewhere", write_other, EACCES, OF_FILES },
	{ "read elsewhere", read_other, EACCES, OF_FILES },
	{ "read elsewhere by way of a folder that is open", read_other_inherited, EACCES, OF_FILES },
	{ "read who has an account here", read_accounts, EACCES, OF_FILES },
	{ "read their passwords", read_passwords, EACCES, OF_FILES },
	{ "read a file below /etc", read_below_etc, EACCES, OF_FILES },
	{ "read how names are looked up", read_resolver, FINE, OF_ANY },
	{ "list the folder above", read_above, EACCES, OF_FILES },
	{ "list where programs are", list_programs, EACCES, OF_FILES },
	{ "another's environment", read_memory_of_others, EACCES, OF_FILES },
	{ "move out of the home", move_out, FAILS, OF_FILES },
	{ "a shell", exec_shell, EACCES, OF_FILES },
	{ "a program from the home", exec_home, EACCES, OF_FILES },
	{ "a program from memory", exec_memory, EPERM, OF_CALLS },
	{ "ourselves anew", exec_ourselves, FINE, OF_ANY },
	{ "raw packets", raw_packets, EPERM, OF_CALLS },
	{ "another family of sockets", strange_family, EPERM, OF_CALLS },
	{ "be dumpable", be_dumpable, EPERM, OF_CALLS },
	{ "stay open to dumps", stay_open, EPERM, OF_ANY },
	{ "type for the terminal", push_into_terminal, EPERM, OF_CALLS },
	{ "a child in a namespace", new_namespace, EPERM, OF_CALLS },
	{ "io_uring", ring, EPERM, OF_CALLS },
	{ "trace", trace, DIES, OF_CALLS },
	{ "read another's memory", read_parent, DIES, OF_CALLS },
	{ "mount", mount_something, DIES, OF_CALLS },
	{ "unshare", unshare_all, DIES, OF_CALLS },
	{ "load a module", load_module, DIES, OF_CALLS },
	{ "bpf", program_kernel, DIES, OF_CALLS },
};

static void raise_all(struct vd_walls *w)
{
	const char *const folders[] = { stick, "/there/is/none" };

	int quiet = open("/dev/null", O_WRONLY | O_CLOEXEC);

	dup2(quiet, STDERR_FILENO); /* what it logs */
	close(quiet);
	vd_walls_raise(home, folders, 2, false, w);
}

/* DIES, or what the deed gave, in a process that has raised the walls. */
static int outcome(const struct deed *deed)
{
	int status;
	pid_t pid;

	parent = getpid();
	pid = fork();
	if (pid == 0) {
		struct vd_walls w;
		int given;

		raise_all(&w);
		given = deed->done();
		_exit(given >= 0 && given < 250 ? given : 250);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFSIGNALED(status)) {
		assert_int_equal(WTERMSIG(status), SIGSYS);
		assert_false(WCOREDUMP(status));
		return DIES;
	}
	return WEXITSTATUS(status);
}

/* What this machine has. */
static void which(struct vd_walls *out)
{
	int pair[2], status;

	assert_int_equal(pipe(pair), 0);
	if (fork() == 0) {
		struct vd_walls w;

		raise_all(&w);
		_exit(write(pair[1], &w, sizeof w) == sizeof w ? 0 : 1);
	}
	assert_int_equal(read(pair[0], out, sizeof *out), sizeof *out);
	wait(&status);
	close(pair[0]), close(pair[1]);
}

static void test_walls__each_is_run_into(void **state)
{
	struct vd_walls w;

	(void)state;
	which(&w);
	if (!w.landlock)
		print_message("# NO LANDLOCK HERE (a sanitizer, valgrind, or the kernel): not tried\n");
	if (!w.seccomp)
		print_message("# NO SECCOMP HERE (a sanitizer, valgrind, or the kernel): not tried\n");
	assert_true(w.no_core && w.no_new_privileges && w.no_capabilities);
	for (size_t i = 0; i < sizeof deeds / sizeof *deeds; i++) {
		int given;

		if ((deeds[i].of == OF_FILES && !w.landlock) || (deeds[i].of == OF_CALLS && !w.seccomp))
			continue;
		given = outcome(&deeds[i]);
		if (deeds[i].wanted == FAILS ? given <= 0 : given != deeds[i].wanted)
			fail_msg("%s: %d (%s), should be %d", deeds[i].name, given, given > 0 ? strerror(given) : "", deeds[i].wanted);
	}
}

static bool has_right(unsigned right)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { { 0 } };

	return syscall(SYS_capget, &head, data) == 0 && data[right / 32].effective >> right % 32 & 1;
}

/* In a child, as they do not come back: 0, or the line that was not so. */
static int without_rights(const char *of_home, bool low_port, uint64_t wanted, bool stands)
{
	struct vd_walls w;
	int quiet = open("/dev/null", O_WRONLY | O_CLOEXEC);

	dup2(quiet, STDERR_FILENO);
	vd_walls_raise(of_home, NULL, 0, low_port, &w);
	if (w.no_capabilities != stands)
		return 1;
	for (int right = 0; right <= CAP_LAST_CAP; right++)
		if (prctl(PR_CAPBSET_READ, right, 0, 0, 0) == 1 && !(wanted >> right & 1))
			return 2;
	if (bind_low() != (wanted >> CAP_NET_BIND_SERVICE & 1 ? 0 : EACCES))
		return 3;
	if (read_forbidden() != (wanted >> CAP_DAC_OVERRIDE & 1 ? 0 : EACCES))
		return 4;
	return put(of_home, "more") ? 5 : 0;
}

static int child_says(const char *of_home, bool low_port, uint64_t wanted, bool stands)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(without_rights(of_home, low_port, wanted, stands));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* Root keeps what it was asked to need, and no more. */
static void test_walls__rights_of_root(void **state)
{
	const uint64_t bind_right = UINT64_C(1) << CAP_NET_BIND_SERVICE, files_right = UINT64_C(1) << CAP_DAC_OVERRIDE;
	FILE *f = fopen("/proc/sys/net/ipv4/ip_unprivileged_port_start", "re");
	int first = 0;

	(void)state;
	if (f) {
		(void)!fscanf(f, "%d", &first);
		fclose(f);
	}
	/* where everybody may bind low ports there is nothing to see */
	if (geteuid() || first < IPPORT_RESERVED || !has_right(CAP_NET_BIND_SERVICE) || !has_right(CAP_DAC_OVERRIDE) || !has_right(CAP_SETPCAP))
		skip();
	assert_int_equal(child_says(home, false, 0, true), 0);
	assert_int_equal(child_says(home, true, bind_right, true), 0);
	/* a store in somebody else's closed folder: it goes on, and that is told */
	assert_int_equal(chown(top, 12345, 12345), 0);
	assert_int_equal(child_says(home, false, files_right, false), 0);
	assert_int_equal(child_says(home, true, files_right | bind_right, false), 0);
	assert_int_equal(chown(top, 0, 0), 0);
}

/* The first of these: without walls all of it works, or the others show nothing. */
static void test_walls__none_without_them(void **state)
{
	static int (*const free_to[])(void) = {
		write_other, read_other, read_other_inherited, read_above, list_programs, exec_shell, exec_home, exec_memory, be_dumpable,
		read_forbidden, rights_by_starting_anew, /* but for these two, unless root */
	};
	size_t count = sizeof free_to / sizeof *free_to - (has_right(CAP_DAC_OVERRIDE) ? 0 : 2);

	(void)state;
	parent = getpid();
	for (size_t i = 0; i < count; i++) {
		int status;
		pid_t pid = fork();

		if (pid == 0)
			_exit(free_to[i]());
		waitpid(pid, &status, 0);
		assert_int_equal(status, 0);
	}
}

static void test_walls__sending_signals_outside(void **state)
{
	const struct deed deed = { "signal", signal_parent, EPERM, OF_FILES };
	struct vd_walls w;
	int given;

	(void)state;
	which(&w);
	/* From Landlock 6 on. */
	if (!w.landlock || syscall(SYS_landlock_create_ruleset, NULL, 0, 1) < 6)
		skip();
	given = outcome(&deed);
	assert_int_equal(given, EPERM);
}

static void test_walls__a_crash_leaves_no_core(void **state)
{
	struct rlimit all;
	int status;
	pid_t pid;

	(void)state;
	pid = fork();
	if (pid == 0) {
		struct vd_walls w;

		if (chdir(other) || getrlimit(RLIMIT_CORE, &all))
			_exit(1);
		all.rlim_cur = all.rlim_max;
		(void)setrlimit(RLIMIT_CORE, &all);
		raise_all(&w);
		signal(SIGABRT, SIG_DFL);
		abort();
	}
	waitpid(pid, &status, 0);
	assert_true(WIFSIGNALED(status));
	assert_false(WCOREDUMP(status));
}

/* Raised again and again, by a process that starts anew each time: they must not pile up, and still be told of. */
static void test_walls__stand_once(void **state)
{
	struct vd_walls first;
	int status;
	pid_t pid;

	(void)state;
	which(&first);
	pid = fork();
	if (pid == 0) {
		struct vd_walls w;

		raise_all(&w);
		for (int i = 0; i < 40; i++)
			vd_walls_raise(home, NULL, 0, false, &w);
		_exit(memcmp(&w, &first, sizeof w) != 0);
	}
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
}

static void test_walls__are_told(void **state)
{
	struct vd_walls w;
	json_t *told;
	pid_t pid;
	int status;

	(void)state;
	pid = fork();
	if (pid == 0) {
		raise_all(&w);
		told = vd_walls_json();
		_exit(json_object_size(told) == 7 && json_is_true(json_object_get(told, "no_core")) == w.no_core &&
		      json_is_true(json_object_get(told, "no_capabilities")) == w.no_capabilities &&
		      json_is_true(json_object_get(told, "landlock")) == w.landlock && json_is_true(json_object_get(told, "seccomp")) == w.seccomp &&
		      json_is_true(json_object_get(told, "locked_memory")) == w.locked_memory ? 0 : 1);
	}
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
}

static int setup(void **state)
{
	char command[400];

	(void)state;
	strcpy(top, "/tmp/vd_walls_XXXXXX");
	if (!mkdtemp(top))
		return -1;
	snprintf(home, sizeof home, "%s/home", top);
	snprintf(stick, sizeof stick, "%s/stick", top);
	snprintf(other, sizeof other, "%s/other", top);
	snprintf(command, sizeof command, "cd %s && mkdir home stick other && cp /bin/true home/program && : >home/there && : >other/there && : >home/forbidden && chmod 0 home/forbidden", top);
	if (system(command))
		return -1;
	snprintf(command, sizeof command, "%s/forbidden", home);
	if (geteuid() == 0 && chown(command, 12345, 12345))
		return -1;
	inherited = open(other, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return inherited < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	char command[100];

	(void)state;
	close(inherited);
	snprintf(command, sizeof command, "rm -rf %s", top);
	return system(command);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_walls__none_without_them), cmocka_unit_test(test_walls__each_is_run_into),
		cmocka_unit_test(test_walls__sending_signals_outside), cmocka_unit_test(test_walls__a_crash_leaves_no_core), cmocka_unit_test(test_walls__stand_once),
		cmocka_unit_test(test_walls__are_told), cmocka_unit_test(test_walls__rights_of_root),
	};

	if (argc > 1 && strcmp(argv[1], "anew") == 0)
		return know_itself(); /* started by itself, behind the walls */
	if (argc > 2 && strcmp(argv[1], "forbidden") == 0)
		return result(open(argv[2], O_RDONLY));
	return cmocka_run_group_tests(tests, setup, teardown);
}
