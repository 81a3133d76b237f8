/* Log: one line an event on stderr, `<6>event key=value …`, priorities as syslog and systemd number them. Never a key, name,
 * text or group id: connections bear a number of this run, peers an address. */
#ifndef VD_LOG_H
#define VD_LOG_H

enum vd_log_level { VD_LOG_ERROR = 3, VD_LOG_WARNING = 4, VD_LOG_NOTICE = 5, VD_LOG_INFO = 6, VD_LOG_DEBUG = 7 };
enum { VD_LOG_LINE = 512 };

/* printf-like. Control characters become '?', a longer line is cut, each line leaves in one write. Usable from any thread. */
void vd_log(enum vd_log_level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
