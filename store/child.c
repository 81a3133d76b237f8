#include "child.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/err.h"

#if defined(__has_include)
#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#endif
#endif
#ifndef RUNNING_ON_VALGRIND
#define RUNNING_ON_VALGRIND 0
#endif
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define SANITIZED 1
#endif
#endif
#if !defined(SANITIZED) && (defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__))
#define SANITIZED 1
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#elif defined(__arm__)
#define ARCH AUDIT_ARCH_ARM
#elif defined(__i386__)
#define ARCH AUDIT_ARCH_I386
#elif defined(__riscv) && __riscv_xlen == 64
#define ARCH AUDIT_ARCH_RISCV64
#endif

enum {
	STACK_BYTES = 256 * 1024, /* had before it can grow no more */
	HEAP_BYTES = 64 * 1024,
	DESCRIPTORS_MAX = 65536,  /* closed one by one where the kernel cannot close a range */
};

struct vd_child_test vd_child_test;

bool vd_child_watched(void)
{
	return SANITIZED || RUNNING_ON_VALGRIND;
}

#ifdef ARCH
#define ALLOW(name) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_##name, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define REFUSE(name) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_##name, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOMEM)

static void filter(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		ALLOW(read),
		ALLOW(pread64),
		ALLOW(write),
		ALLOW(exit_group),
		ALLOW(exit),
		ALLOW(rt_sigreturn),
		ALLOW(restart_syscall),
		ALLOW(clock_gettime),
		/* An allocator that asks for more is told that there is none. */
		REFUSE(brk),
#ifdef __NR_mmap
		REFUSE(mmap),
#endif
#ifdef __NR_mmap2
		REFUSE(mmap2),
#endif
		REFUSE(munmap),
		REFUSE(mremap),
		REFUSE(madvise),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	};
	struct sock_fprog program = { .len = sizeof(code) / sizeof(*code), .filter = code };

	(void)prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
}
#else
static void filter(void)
{
}
#endif

bool vd_child_wall_stands(void)
{
#ifdef ARCH
	/* With no filter to install it says EFAULT where it would install one. */
	return !vd_child_watched() && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, NULL, 0, 0) && errno == EFAULT;
#else
	return false;
#endif
}

static void limit(__rlimit_resource_t what, rlim_t most)
{
	struct rlimit now, to = { most, most };

	if (getrlimit(what, &now) == 0 && now.rlim_max < most)
		to.rlim_cur = to.rlim_max = now.rlim_max;
	(void)setrlimit(what, &to);
}

bool vd_process_private(void)
{
	const struct rlimit none = { 0, 0 };

	return setrlimit(RLIMIT_CORE, &none) == 0 && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0;
}

/* So that the stack need not grow any more. */
static void __attribute__((noinline)) touch_stack(void)
{
	volatile unsigned char room[STACK_BYTES];

	for (size_t i = 0; i < sizeof(room); i += 1024)
		room[i] = 0;
}

/* For the child itself, before it looks at a byte: no more memory than it has, no new descriptor, no file grown, no process, no core dump, `cpu_seconds`
 * of time; and with seccomp no system call but read, write and exit: any other ends it. Where the kernel has no seccomp, the limits stand. */
static void wall(unsigned cpu_seconds)
{
	void *room = malloc(HEAP_BYTES);

	free(room); /* stays with the heap */
	limit(RLIMIT_FSIZE, 0);
	limit(RLIMIT_CPU, cpu_seconds);
	vd_process_private();
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (vd_child_watched())
		return;
	touch_stack();
	limit(RLIMIT_NPROC, 0);
	limit(RLIMIT_NOFILE, 0);
	limit(RLIMIT_AS, 0); /* what it has stays */
	filter();
}

static void close_from_to(unsigned from, unsigned to)
{
	struct rlimit files;

	if (from > to)
		return;
#ifdef SYS_close_range
	if (syscall(SYS_close_range, from, to, 0) == 0)
		return;
#endif
	if (getrlimit(RLIMIT_NOFILE, &files) || files.rlim_cur > DESCRIPTORS_MAX)
		files.rlim_cur = DESCRIPTORS_MAX;
	for (unsigned fd = from; fd <= to && fd < files.rlim_cur; fd++)
		close((int)fd);
}

/* All but two. A sanitizer keeps where it complains. */
static void close_others(int a, int b)
{
	unsigned low = (unsigned)(a < b ? a : b), high = (unsigned)(a < b ? b : a);

	if (low > 0)
		close_from_to(vd_child_watched() ? STDERR_FILENO + 1 : 0, low - 1);
	close_from_to(low + 1, high - 1);
	close_from_to(high + 1, ~0U);
}

/* What a terminal or a service manager sends to all of us is ours to heed: we end it, or go on. */
static void settle_signals(void)
{
	static const int ignored[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM };
	sigset_t none;

	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_DFL);
	for (size_t i = 0; i < sizeof(ignored) / sizeof(*ignored); i++)
		signal(ignored[i], SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void __attribute__((noreturn)) be_child(vd_child_work *work, void (*forget)(void *ctx), void *ctx, int file, int socket, unsigned cpu_seconds)
{
	settle_signals();
	if (forget)
		forget(ctx);
	close_others(file, socket);
	wall(cpu_seconds);
	work(ctx, file, socket);
	_exit(0);
}

int vd_child_start(struct vd_child *child, vd_child_work *work, void (*forget)(void *ctx), void *ctx, int file, unsigned cpu_seconds)
{
	sigset_t all, before;
	int pair[2];

	*child = (struct vd_child){ .socket = -1 };
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return VD_ENOMEM;
	/* A handler of ours must not run in the child. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	child->pid = fork();
	if (child->pid == 0)
		be_child(work, forget, ctx, file, pair[1], cpu_seconds);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	close(pair[1]);
	if (child->pid < 0) {
		close(pair[0]);
		child->pid = 0;
		return VD_ENOMEM;
	}
	child->socket = pair[0];
	return VD_OK;
}

bool vd_child_tell(struct vd_child *child, const void *bytes, size_t n)
{
	ssize_t sent;

	do {
		sent = child->pid ? send(child->socket, bytes, n, MSG_NOSIGNAL | MSG_DONTWAIT) : -1;
	} while (sent < 0 && child->pid && errno == EINTR);
	return sent == (ssize_t)n;
}

/* Second by second: one who was stopped for a while himself has not waited. */
static bool wait_for(const struct vd_child *child, unsigned *patience_s)
{
	while (*patience_s) {
		struct pollfd socket = { .fd = child->socket, .events = POLLIN };
		int n = poll(&socket, 1, 1000);

		if (n > 0)
			return true;
		if (n < 0 && errno != EINTR)
			return false;
		*patience_s -= n == 0;
	}
	return false;
}

bool vd_child_hear(struct vd_child *child, void *bytes, size_t n)
{
	unsigned patience_s = vd_child_test.patience_s ? vd_child_test.patience_s : VD_CHILD_PATIENCE_S;
	unsigned char *to = bytes;

	while (n && child->pid) {
		ssize_t got = recv(child->socket, to, n, MSG_DONTWAIT);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 && errno == EAGAIN && wait_for(child, &patience_s))
			continue;
		if (got <= 0)
			return false;
		to += got;
		n -= (size_t)got;
	}
	return n == 0;
}

void vd_child_end(struct vd_child *child)
{
	if (!child->pid)
		return;
	close(child->socket);
	kill(child->pid, SIGKILL);
	while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR)
		;
	*child = (struct vd_child){ .socket = -1 };
}
