#include "panic.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "address.h"
#include "proto/err.h"
#include "store/child.h"
#include "store/wipe.h"

enum {
	STACK_BYTES = 64 * 1024,
	RANGES_MAX = 4096,
	PASSED_BYTES = 2048,
	TEXT_MAX = 4 * 1024 * 1024,      /* arguments and environment: what the kernel takes is less */
	PAGES_AT_ONCE = 4096,
	PARK_MS = 20,
};

struct range {
	uintptr_t from, to;
};

/* All that is needed while everything else is overwritten: the handlers' stack is in it, too. */
struct area {
	uint8_t stack[STACK_BYTES];
	size_t bytes;                    /* of all this */
	struct vd_wipe wipe;
	int maps, tasks;                 /* of /proc/self; -1: not to be had */
	long page;
	bool parked;
	atomic_int busy;                 /* with what the first signal asked for */
	struct range ranges[RANGES_MAX];
	size_t range_count;
	unsigned char present[PAGES_AT_ONCE];
	char line[65536];                /* of maps, and of tasks */
	int passed_fds[VD_CTL_CLIENTS_MAX + 2];
	size_t passed_count;
	atomic_bool can_lock;
	char passed[PASSED_BYTES];       /* an entry of the environment, the first */
	char *argv_end;
	char *words[];                   /* argv, NULL, passed, environment, NULL, and their text */
};

static struct area *area;
static char **arguments;
static _Atomic(const struct vd_vault *) vault;
static sigset_t before;              /* what was blocked when the first of our lives began */
static atomic_int client = -1;
static pid_t main_thread;
static struct vd_passed passed_on = {.ctl = {.lock = -1, .listener = -1}};
bool vd_panic_stops;

static const char variable[] = "VEREDAD_PASSED=";

/* --- in a handler --- */

static void say(const char *line)
{
	ssize_t n = write(STDERR_FILENO, line, strlen(line));

	(void)n;
}

static void wait_for_ever(void)
{
	for (;;)
		(void)syscall(SYS_ppoll, NULL, 0, NULL, NULL, 0);
}

/* Another thread of ours: it is to stand still while its memory goes. Also for one that tripped over that. */
static void on_park(int number)
{
	(void)number;
	wait_for_ever();
}

struct entry { /* of getdents64 */
	uint64_t inode;
	int64_t next;
	uint16_t length;
	uint8_t type;
	char name[];
};

static void park_others(struct area *a)
{
	static const int trips[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS, SIGTRAP};
	struct sigaction park = {.sa_handler = on_park};
	struct timespec moment = {0, PARK_MS * 1000000};
	pid_t self = getpid();
	bool others = false;
	long n;

	if (a->parked)
		return;
	a->parked = true;
	sigfillset(&park.sa_mask);
	for (size_t i = 0; i < sizeof trips / sizeof *trips; i++)
		sigaction(trips[i], &park, NULL);
	sigaction(SIGUSR1, &park, NULL);
	if (a->tasks < 0 || lseek(a->tasks, 0, SEEK_SET) < 0)
		return;
	while ((n = syscall(SYS_getdents64, a->tasks, a->line, sizeof a->line)) > 0)
		for (long at = 0; at < n;) {
			const struct entry *e = (const struct entry *)(const void *)(a->line + at);
			pid_t thread = 0;

			at += e->length;
			for (const char *c = e->name; *c >= '0' && *c <= '9'; c++)
				thread = thread * 10 + (*c - '0');
			if (thread && thread != self && !syscall(SYS_tgkill, self, thread, SIGUSR1))
				others = true;
		}
	if (others)
		nanosleep(&moment, NULL);
}

static int digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static const char *number(const char *c, uintptr_t *out)
{
	*out = 0;
	for (; digit(*c) >= 0; c++)
		*out = *out * 16 + (uintptr_t)digit(*c);
	return c;
}

/* "7f00-7f10 rw-p 00000000 00:00 0   [heap]" */
static void take_line(struct area *a, const char *line)
{
	struct range r;
	const char *c = number(line, &r.from), *name;

	if (*c++ != '-')
		return;
	c = number(c, &r.to);
	if (strncmp(c, " rw-p ", 6) != 0)
		return;
	name = strstr(c, " 00:00 0");
	if (!name) /* of a file: what a program starts with, and its relocations, without which no call works */
		return;
	for (name += 8; *name == ' '; name++)
		;
	if (*name && strncmp(name, "[heap]", 6) != 0 && strncmp(name, "[stack", 6) != 0 && strncmp(name, "[anon", 5) != 0)
		return;
	if (a->range_count < RANGES_MAX)
		a->ranges[a->range_count++] = r;
}

static bool find_memory(struct area *a)
{
	size_t have = 0;
	ssize_t n;

	a->range_count = 0;
	if (a->maps < 0 || lseek(a->maps, 0, SEEK_SET) < 0)
		return false;
	while ((n = read(a->maps, a->line + have, sizeof a->line - 1 - have)) > 0) {
		char *start = a->line, *end;

		have += (size_t)n;
		a->line[have] = '\0';
		while ((end = strchr(start, '\n'))) {
			*end = '\0';
			take_line(a, start);
			start = end + 1;
		}
		have -= (size_t)(start - a->line);
		memmove(a->line, start, have);
	}
	return a->range_count > 0;
}

/* From here on no function of the C library works any more, but the thin ones around a system call: what they keep for this thread goes, too. */
static void overwrite(struct area *a, uintptr_t from, uintptr_t to)
{
	size_t page = (size_t)a->page;

	while (from < to) {
		size_t pages = (to - from) / page < PAGES_AT_ONCE ? (to - from) / page : PAGES_AT_ONCE;
		/* Those that were never touched stay so: to write to them would cost memory that is perhaps not there. */
		bool known = !syscall(SYS_mincore, from, pages * page, a->present);

		for (size_t i = 0; i < pages; i++, from += page) {
			if (known && !(a->present[i] & 1))
				continue;
			volatile uint64_t *p = (volatile uint64_t *)from;
			for (size_t k = 0; k < page / sizeof *p; k++)
				p[k] = 0;
		}
	}
}

static void overwrite_all(struct area *a)
{
	uintptr_t mine = (uintptr_t)a, behind = mine + a->bytes;

	for (size_t i = 0; i < a->range_count; i++) {
		uintptr_t from = a->ranges[i].from, to = a->ranges[i].to;

		/* the kernel may have joined the area with its neighbours */
		if (from < behind && mine < to) {
			if (from < mine)
				overwrite(a, from, mine);
			from = behind;
		}
		if (from < to)
			overwrite(a, from, to);
	}
}

/* Never returns to what was: `anew` executes us again, else the process ends. */
static void __attribute__((noreturn)) leave(struct area *a, bool anew, int status, bool stop)
{
	char *const *argv = a->words, *const *envp = (char *const *)(void *)a->argv_end;
	long self = syscall(SYS_getpid); /* also: these calls find their way without looking any more */

	alarm(0); /* it would go on in who comes after */
	park_others(a);
#ifndef __i386__ /* whose system calls go by way of what is overwritten */
	if (!vd_child_watched() && find_memory(a)) {
		syscall(SYS_mincore, a, (size_t)a->page, a->present);
		overwrite_all(a);
	}
#endif
	if (stop)
		syscall(SYS_kill, self, SIGSTOP);
	if (anew) {
		for (size_t i = 0; i < a->passed_count; i++)
			syscall(SYS_fcntl, a->passed_fds[i], F_SETFD, 0);
		syscall(SYS_execve, "/proc/self/exe", argv, envp);
		static const char line[] = "<3>locked, and cannot start again: ended\n";
		syscall(SYS_write, STDERR_FILENO, line, sizeof line - 1);
		status = 1;
	}
	for (;;)
		syscall(SYS_exit_group, status);
}

static void wipe(struct area *a)
{
	const struct vd_vault *open = atomic_load(&vault);
	int whom = atomic_load(&client);
	bool clean;

	if (open)
		vd_vault_forget((struct vd_vault *)(uintptr_t)open);
	clean = vd_wipe_keys(&a->wipe);
	park_others(a); /* else they make files while we remove them */
	/* `rest` is all there is to a readable store, and may take its time: who asked is told then, who pressed a button has the log. */
	if (!open)
		clean = vd_wipe_rest(&a->wipe) && clean;
	say(clean ? "<5>wiped\n<5>flash memory may keep old bytes: see what vereda wipe says of it\n"
	          : "<3>wiped in memory only: the store's files could not be removed; destroy the disk\n");
	if (whom >= 0) {
		ssize_t n = clean ? write(whom, "ok\n", 3) : write(whom, "error: disk\n", 12);

		(void)n;
	}
	if (open)
		(void)vd_wipe_rest(&a->wipe);
	leave(a, false, clean ? 0 : 1, vd_panic_stops);
}

static void on_panic(int what)
{
	struct area *a = area;
	int none = 0;

	/* The stack of another thread is none to work from: the first one's turn comes as soon as it is in no system call that cannot be left. */
	if (syscall(SYS_gettid) != main_thread) {
		if (what == SIGUSR2 && !atomic_load(&a->busy)) {
			const struct vd_vault *open = atomic_load(&vault);

			if (open)
				vd_vault_forget((struct vd_vault *)(uintptr_t)open);
			(void)vd_wipe_keys(&a->wipe);
		}
		syscall(SYS_tgkill, getpid(), main_thread, what);
		return;
	}
	if (what != SIGUSR2 && !atomic_load(&a->can_lock))
		return;
	if (!atomic_compare_exchange_strong(&a->busy, &none, what))
		wait_for_ever();
	if (what == SIGUSR2)
		wipe(a);
	leave(a, true, 0, false);
}

/* --- before and beside --- */

static uint64_t mask_bits(const sigset_t *set)
{
	uint64_t bits = 0;

	for (int n = 1; n <= 64; n++)
		if (sigismember(set, n) == 1)
			bits |= UINT64_C(1) << (n - 1);
	return bits;
}

static void mask_from(uint64_t bits, sigset_t *set)
{
	sigemptyset(set);
	for (int n = 1; n <= 64; n++)
		if (bits >> (n - 1) & 1)
			(void)sigaddset(set, n);
}

/* "pid mask stay lock listener n waiting… m address…" */
static bool parse(char *text, struct vd_passed *p, uint64_t *mask)
{
	char *rest = NULL, *word = strtok_r(text, " ", &rest);
	size_t *counts[] = {&p->ctl.waiting_count, &p->bound_count}, most[] = {VD_CTL_CLIENTS_MAX, VD_CONF_LISTEN_MAX};

	if (!word || strtol(word, NULL, 10) != getpid()) /* somebody else's: a process that one of ours started */
		return false;
	word = strtok_r(NULL, " ", &rest);
	*mask = word ? strtoull(word, NULL, 16) : 0;
	word = strtok_r(NULL, " ", &rest);
	p->stay_locked = word && *word == '1';
	word = strtok_r(NULL, " ", &rest);
	p->ctl.lock = word ? atoi(word) : -1;
	word = strtok_r(NULL, " ", &rest);
	p->ctl.listener = word ? atoi(word) : -1;
	for (size_t list = 0; list < 2; list++) {
		word = strtok_r(NULL, " ", &rest);
		size_t n = word ? strtoul(word, NULL, 10) : 0;

		for (size_t i = 0; i < n && i < most[list]; i++) {
			word = strtok_r(NULL, " ", &rest);
			if (!word)
				return false;
			if (!list)
				p->ctl.waiting[i] = atoi(word);
			else if (vd_address_parse(word, &p->bound[i]))
				return false;
			++*counts[list];
		}
	}
	return true;
}

static void close_on_exec(const struct vd_ctl_passed *p)
{
	fcntl(p->lock, F_SETFD, FD_CLOEXEC);
	fcntl(p->listener, F_SETFD, FD_CLOEXEC);
	for (size_t i = 0; i < p->waiting_count; i++)
		fcntl(p->waiting[i], F_SETFD, FD_CLOEXEC);
}

static void take(const char *text, struct vd_passed *p)
{
	char copy[PASSED_BYTES];
	uint64_t mask;

	snprintf(copy, sizeof copy, "%s", text);
	if (parse(copy, p, &mask)) {
		mask_from(mask, &before);
		close_on_exec(&p->ctl);
	} else {
		*p = (struct vd_passed){.ctl = {.lock = -1, .listener = -1}};
	}
}

static size_t count_text(char **words, size_t *bytes)
{
	size_t n = 0;

	for (; words[n]; n++)
		*bytes += strlen(words[n]) + 1;
	return n;
}

static char *copy_text(char **to, char **words, char *text)
{
	size_t n;

	for (; *words; words++, text += n) {
		n = strlen(*words) + 1;
		memcpy(text, *words, n);
		*to++ = text;
	}
	*to = NULL;
	return text;
}

/* Never freed: who has it needs it until the end. */
static struct area *new_area(void)
{
	static char *nothing[] = {NULL};
	char **argv = arguments ? arguments : nothing;
	size_t bytes = 0, argc = count_text(argv, &bytes), envc = count_text(environ, &bytes);
	size_t page = (size_t)sysconf(_SC_PAGESIZE), words = argc + 1 + 1 + envc + 1;
	struct area *a;

	bytes += sizeof *a + words * sizeof *a->words;
	if (bytes > TEXT_MAX)
		return NULL;
	bytes = (bytes + page - 1) / page * page;
	a = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (a == MAP_FAILED)
		return NULL;
	/* Under pressure it may not be the moment to ask for pages. */
	memset(a, 0, bytes);
	a->bytes = bytes;
	a->page = (long)page;
	char *text = copy_text(a->words, argv, (char *)(a->words + words));
	a->argv_end = (char *)(a->words + argc + 1);
	a->words[argc + 1] = a->passed;
	copy_text(a->words + argc + 2, environ, text);
	a->maps = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	a->tasks = open("/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return a;
}

void vd_panic_taken(struct vd_passed *p)
{
	*p = passed_on;
	passed_on = (struct vd_passed){.ctl = {.lock = -1, .listener = -1}};
}

void vd_panic_start(char **argv)
{
	struct vd_passed *p = &passed_on;
	const char *text = getenv("VEREDAD_PASSED");
	sigset_t ours;

	main_thread = getpid();
	sigemptyset(&ours);
	sigaddset(&ours, SIGUSR1);
	sigaddset(&ours, SIGUSR2);
	sigprocmask(SIG_BLOCK, &ours, &before);
	signal(SIGALRM, SIG_IGN); /* also one that came too late to the process before */
	if (text) {
		take(text, p);
		unsetenv("VEREDAD_PASSED");
	}
	arguments = argv;
	area = new_area();
}

int vd_panic_ready(const char *home)
{
	struct sigaction action = {.sa_handler = on_panic, .sa_flags = SA_ONSTACK | SA_RESTART};
	sigset_t ours;
	int rc = 0;

	if (!main_thread)
		main_thread = getpid();
	if (!area)
		area = new_area();
	if (!area)
		return VD_ENOMEM;
	rc = vd_wipe_prepare(home, &area->wipe);
	stack_t stack = {.ss_sp = area->stack, .ss_size = sizeof area->stack};
	if (!rc && sigaltstack(&stack, NULL))
		rc = VD_EIO;
	if (rc)
		return rc;
	sigfillset(&action.sa_mask);
	sigaction(SIGUSR1, &action, NULL);
	sigaction(SIGUSR2, &action, NULL);
	sigemptyset(&ours);
	sigaddset(&ours, SIGUSR1);
	sigaddset(&ours, SIGUSR2);
	sigprocmask(SIG_UNBLOCK, &ours, NULL);
	return 0;
}

void vd_panic_heed(void)
{
	sigset_t mask = before;

	if (!arguments) /* nothing was changed */
		return;
	sigdelset(&mask, SIGUSR1);
	sigdelset(&mask, SIGUSR2);
	sigprocmask(SIG_SETMASK, &mask, NULL);
}

void vd_panic_vault(const struct vd_vault *v)
{
	atomic_store(&vault, v);
}

static int compose(struct area *a, const struct vd_passed *p)
{
	size_t n = (size_t)snprintf(a->passed, PASSED_BYTES, "%s%d %llx %d %d %d %zu", variable, (int)getpid(), (unsigned long long)mask_bits(&before),
	                            p->stay_locked, p->ctl.lock, p->ctl.listener, p->ctl.waiting_count);

	for (size_t i = 0; i < p->ctl.waiting_count; i++)
		n += (size_t)snprintf(a->passed + n, n < PASSED_BYTES ? PASSED_BYTES - n : 0, " %d", p->ctl.waiting[i]);
	n += (size_t)snprintf(a->passed + n, n < PASSED_BYTES ? PASSED_BYTES - n : 0, " %zu", p->bound_count);
	for (size_t i = 0; i < p->bound_count; i++) {
		char text[VD_ADDRESS_TEXT];

		vd_address_text((const struct sockaddr *)&p->bound[i], text);
		n += (size_t)snprintf(a->passed + n, n < PASSED_BYTES ? PASSED_BYTES - n : 0, " %s", text);
	}
	return n < PASSED_BYTES ? 0 : VD_ECAP;
}

int vd_panic_pass(const struct vd_passed *p)
{
	struct area *a = area;
	int rc;

	if (!a || !arguments)
		return VD_EINVAL;
	atomic_store(&a->can_lock, false);
	for (size_t i = 0; i < a->passed_count; i++)
		close(a->passed_fds[i]);
	a->passed_count = 0;
	if (!p)
		return 0;
	close_on_exec(&p->ctl);
	a->passed_fds[a->passed_count++] = p->ctl.lock;
	a->passed_fds[a->passed_count++] = p->ctl.listener;
	for (size_t i = 0; i < p->ctl.waiting_count; i++)
		a->passed_fds[a->passed_count++] = p->ctl.waiting[i];
	rc = compose(a, p);
	atomic_store(&a->can_lock, !rc);
	return rc;
}

void vd_panic_lock(void)
{
	if (area)
		syscall(SYS_tgkill, getpid(), main_thread, SIGUSR1);
}

void vd_panic_lock_within(unsigned seconds)
{
	struct sigaction action = {.sa_handler = on_panic, .sa_flags = SA_ONSTACK | SA_RESTART};

	sigfillset(&action.sa_mask);
	sigaction(SIGALRM, &action, NULL);
	alarm(seconds);
}

void vd_panic_wipe(int whom)
{
	if (!area)
		_exit(1);
	atomic_store(&client, whom);
	syscall(SYS_tgkill, getpid(), main_thread, SIGUSR2);
	wait_for_ever();
	_exit(1);
}
