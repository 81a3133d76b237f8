/* For what is preloaded: a small machine, on which a second passes whenever this thread's time is asked for. What a passphrase costs is measured at once, and is
 * the least. The includer defines next. */
#ifndef FAULTS_SMALL_H
#define FAULTS_SMALL_H

#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static void *next(const char *name);

long sysconf(int name)
{
	static long (*real)(int);

	if (!real)
		*(void **)&real = next("sysconf");
	return name == _SC_PHYS_PAGES ? 1 : real(name);
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
	static _Atomic time_t seconds;

	if (clock != CLOCK_THREAD_CPUTIME_ID)
		return (int)syscall(SYS_clock_gettime, clock, now);
	*now = (struct timespec){ .tv_sec = ++seconds };
	return 0;
}

#endif
