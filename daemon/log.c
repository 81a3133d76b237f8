#include "log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void vd_log(enum vd_log_level level, const char *format, ...)
{
	char line[VD_LOG_LINE];
	int head = snprintf(line, sizeof line, "<%d>", (int)level);
	int saved = errno;
	va_list args;

	va_start(args, format);
	(void)vsnprintf(line + head, sizeof line - (size_t)head - 1, format, args);
	va_end(args);

	size_t n = strlen(line);
	/* what others chose (an interface's name, an address) must not start a line of its own */
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
			line[i] = '?';
	line[n++] = '\n';
	/* whoever reads our log may be gone: that is no reason to stop */
	ssize_t written = write(STDERR_FILENO, line, n);
	(void)written;
	errno = saved;
}
