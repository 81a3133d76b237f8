/* seccomp: which system calls this process can still make. */
#include <errno.h>
#include <linux/sockios.h>
#include <sched.h>
#include <seccomp.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

#include "walls.h"

/* What veredad, libuv, LMDB, libsodium and the C library make here. By name: some are not there on every machine or in every header. */
static const char *const allowed[] = {
	/* files and descriptors */
	"read", "readv", "pread64", "preadv", "preadv2", "write", "writev", "pwrite64", "pwritev", "pwritev2", "open", "openat", "close", "close_range",
	"creat", "lseek", "_llseek", "fsync", "fdatasync", "sync_file_range", "arm_sync_file_range", "ftruncate", "ftruncate64", "truncate", "truncate64",
	"fallocate", "fadvise64", "fadvise64_64", "arm_fadvise64_64", "flock", "fcntl", "fcntl64", "dup", "dup2", "dup3", "pipe", "pipe2", "stat", "stat64",
	"lstat", "lstat64", "fstat", "fstat64", "newfstatat", "fstatat64", "statx", "statfs", "statfs64", "fstatfs", "fstatfs64", "access", "faccessat",
	"faccessat2", "readlink", "readlinkat", "getdents", "getdents64", "rename", "renameat", "renameat2", "unlink", "unlinkat", "mkdir", "mkdirat",
	"rmdir", "chmod", "fchmod", "fchmodat", "utimensat", "utimensat_time64", "futimesat", "umask", "getcwd", "sendfile", "sendfile64",
	"copy_file_range", "inotify_init", "inotify_init1", "inotify_add_watch", "inotify_rm_watch", "sync", "syncfs",
	/* memory */
	"brk", "mmap", "mmap2", "munmap", "mremap", "mprotect", "madvise", "msync", "mincore", "mlock", "mlock2", "munlock",
	/* waiting, clocks */
	"epoll_create", "epoll_create1", "epoll_ctl", "epoll_wait", "epoll_pwait", "epoll_pwait2", "eventfd", "eventfd2", "poll", "ppoll", "ppoll_time64",
	"select", "_newselect", "pselect6", "pselect6_time64", "timerfd_create", "timerfd_settime", "timerfd_settime64", "timerfd_gettime", "nanosleep",
	"clock_nanosleep", "clock_nanosleep_time64", "clock_gettime", "clock_gettime64", "clock_getres", "clock_getres_time64", "gettimeofday", "time",
	"times", "setitimer", "getitimer", "alarm", "restart_syscall",
	/* sockets; which, is below */
	"bind", "listen", "accept", "accept4", "connect", "getsockname", "getpeername", "getsockopt", "setsockopt", "shutdown", "send", "sendto", "sendmsg",
	"sendmmsg", "sendmmsg_time64", "recv", "recvfrom", "recvmsg", "recvmmsg", "recvmmsg_time64",
	/* threads, children, signals */
	"fork", "vfork", "execve", "execveat", "exit", "exit_group", "wait4", "waitid", "waitpid", "futex", "futex_time64", "set_robust_list",
	"get_robust_list", "rseq", "membarrier", "set_tid_address", "gettid", "getpid", "getppid", "getpgrp", "getsid", "kill", "tkill", "tgkill",
	"rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "rt_sigpending", "rt_sigtimedwait", "rt_sigsuspend", "sigaction", "sigprocmask", "sigreturn",
	"sigaltstack", "pidfd_open", "pidfd_send_signal", "sched_yield", "sched_getaffinity", "sched_getparam", "sched_getscheduler",
	"sched_get_priority_max", "sched_get_priority_min", "arch_prctl", "set_thread_area", "get_thread_area", "cacheflush", "set_tls",
	/* who and where we are */
	"getuid", "getuid32", "geteuid", "geteuid32", "getgid", "getgid32", "getegid", "getegid32", "getgroups", "getgroups32", "uname", "sysinfo",
	"getrandom", "getrlimit", "ugetrlimit", "setrlimit", "prlimit64", "getrusage", "capget",
};
/* No part of us ever tries these: whoever does is not us any more. */
static const char *const monstrous[] = {
	"ptrace", "process_vm_readv", "process_vm_writev", "kexec_load", "kexec_file_load", "init_module", "finit_module", "delete_module", "create_module",
	"mount", "umount", "umount2", "move_mount", "open_tree", "fsopen", "fsmount", "fsconfig", "fspick", "mount_setattr", "pivot_root", "chroot", "setns",
	"unshare", "bpf", "perf_event_open", "userfaultfd", "reboot", "swapon", "swapoff", "add_key", "request_key", "keyctl", "open_by_handle_at",
	"iopl", "ioperm", "acct", "settimeofday", "stime", "clock_settime", "clock_settime64", "sethostname", "setdomainname", "kcmp", "lookup_dcookie",
};
static const unsigned long controls[] = {
	FIONBIO, FIONREAD, FIOCLEX, FIONCLEX, TCGETS, TIOCGWINSZ, SIOCGIFNAME, SIOCGIFINDEX, SIOCGIFFLAGS, SIOCGIFADDR, SIOCGIFCONF, SIOCGIFMTU,
};
static const int processes[] = { /* prctl */
	PR_SET_NAME, PR_GET_NAME, PR_SET_NO_NEW_PRIVS, PR_GET_NO_NEW_PRIVS, PR_SET_SECCOMP, PR_GET_SECCOMP, PR_GET_DUMPABLE, PR_SET_PDEATHSIG,
	PR_CAPBSET_READ,
};
static const struct {
	int family, type;
} sockets[] = {
	{ AF_UNIX, SOCK_STREAM }, { AF_UNIX, SOCK_DGRAM }, { AF_INET, SOCK_STREAM }, { AF_INET, SOCK_DGRAM }, { AF_INET6, SOCK_STREAM },
	{ AF_INET6, SOCK_DGRAM }, { AF_NETLINK, SOCK_RAW }, { AF_NETLINK, SOCK_DGRAM }, /* the machine's addresses */
};

/* A call that nobody makes and that fails everywhere, but here in its own way: so the program that we become by starting anew knows that these walls stand. */
enum { MARK_A = 0x7665, MARK_B = 0x726564, MARK_WITH_FILES = EXFULL, MARK_WITHOUT = EBADR, TYPE_MASK = 0xf };

bool vd_walls_calls_stand(bool *landlock)
{
	errno = 0;
	if (syscall(SYS_getpriority, MARK_A, MARK_B) != -1 || (errno != MARK_WITH_FILES && errno != MARK_WITHOUT))
		return false;
	*landlock = errno == MARK_WITH_FILES;
	return true;
}

static bool add_all(scmp_filter_ctx filter, uint32_t action, const char *const *names, size_t count)
{
	int rc = 0;

	for (size_t i = 0; i < count && !rc; i++) {
		int number = seccomp_syscall_resolve_name(names[i]);

		/* A name that this library does not know is none of a call that this program makes; one of another machine it passes over. */
		if (number != __NR_SCMP_ERROR)
			rc = seccomp_rule_add(filter, action, number, 0);
	}
	return rc == 0;
}

static struct scmp_arg_cmp is(unsigned argument, scmp_datum_t value)
{
	return (struct scmp_arg_cmp){ argument, SCMP_CMP_EQ, value, 0 };
}

static struct scmp_arg_cmp masked(unsigned argument, scmp_datum_t mask, scmp_datum_t value)
{
	return (struct scmp_arg_cmp){ argument, SCMP_CMP_MASKED_EQ, mask, value };
}

static int add_if(scmp_filter_ctx filter, uint32_t action, int call, struct scmp_arg_cmp first, const struct scmp_arg_cmp *second)
{
	const struct scmp_arg_cmp both[] = { first, second ? *second : first };

	return seccomp_rule_add_array(filter, action, call, second ? 2 : 1, both);
}

static bool add_conditional(scmp_filter_ctx filter, bool landlock)
{
	const scmp_datum_t spaces = CLONE_NEWNS | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP;
	const struct scmp_arg_cmp zero = is(1, 0), mark_b = is(1, MARK_B);
	int rc = 0;

	for (size_t i = 0; i < sizeof sockets / sizeof *sockets && !rc; i++) {
		const struct scmp_arg_cmp type = masked(1, TYPE_MASK, (scmp_datum_t)sockets[i].type);

		rc = add_if(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), is(0, (scmp_datum_t)sockets[i].family), &type);
	}
	if (!rc)
		rc = add_if(filter, SCMP_ACT_ALLOW, SCMP_SYS(socketpair), is(0, AF_UNIX), NULL);
	for (size_t i = 0; i < sizeof controls / sizeof *controls && !rc; i++)
		rc = add_if(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), is(1, controls[i]), NULL);
	for (size_t i = 0; i < sizeof processes / sizeof *processes && !rc; i++)
		rc = add_if(filter, SCMP_ACT_ALLOW, SCMP_SYS(prctl), is(0, (scmp_datum_t)processes[i]), NULL);
	if (!rc)
		rc = add_if(filter, SCMP_ACT_ALLOW, SCMP_SYS(prctl), is(0, PR_SET_DUMPABLE), &zero);
	if (!rc) /* threads and children, no namespaces */
		rc = add_if(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), masked(0, spaces, 0), NULL);
	if (!rc) /* what it asks for cannot be seen: the C library falls back to clone */
		rc = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	if (!rc)
		rc = add_if(filter, SCMP_ACT_ERRNO(landlock ? MARK_WITH_FILES : MARK_WITHOUT), SCMP_SYS(getpriority), is(0, MARK_A), &mark_b);
	return rc == 0;
}

bool vd_walls_calls(bool landlock)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	bool stands;

	if (!filter)
		return false;
	/* Only the kernel can log what was refused; an old one does not. */
	(void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_LOG, 1);
	(void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	stands = add_all(filter, SCMP_ACT_ALLOW, allowed, sizeof allowed / sizeof *allowed) &&
	         add_all(filter, SCMP_ACT_KILL_PROCESS, monstrous, sizeof monstrous / sizeof *monstrous) && add_conditional(filter, landlock) &&
	         seccomp_load(filter) == 0;
	seccomp_release(filter);
	return stands;
}
