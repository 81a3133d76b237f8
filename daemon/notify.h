/* The service manager's protocol (sd_notify(3)), without its library. */
#ifndef VD_NOTIFY_H
#define VD_NOTIFY_H

/* "READY=1", "STOPPING=1". Does nothing when no manager listens at $NOTIFY_SOCKET. */
void vd_notify(const char *state);

#endif
