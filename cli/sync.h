/* sync, beyond one file: what an exchange came to, and those with another device (sync_device.c). */
#ifndef VD_CLI_SYNC_H
#define VD_CLI_SYNC_H

#include "cli.h"

struct vd_outcome {
	uint64_t sent, received, declined, later, refused, bytes_out, bytes_in, round_trips, elapsed_ms;
	bool complete;
};

/* A line on standard output. */
void vd_outcome_say(struct vd_cli *, const char *target, const struct vd_outcome *);

/* With a folder (max_bytes: of segments on it; 0: what the medium has; mark: it is about to be marked; *full, may be NULL: not all found room, and it can travel); with HOST:PORT; with ssh://[USER@]HOST[:PORT]: each returns its exit code, having said what there is to say. */
int vd_sync_folder(struct vd_cli *, const char *dir, uint64_t max_bytes, bool mark, uint8_t (*groups)[VD_GROUP_BYTES], size_t count, bool *full);
/* Is it a folder that nothing is mounted on, or whose `cache` is none? 0, or the exit code of what was said. */
int vd_sync_check_folder(struct vd_cli *, const char *dir);
int vd_sync_host(struct vd_cli *, const char *target, uint8_t (*groups)[VD_GROUP_BYTES], size_t count);
int vd_sync_ssh(struct vd_cli *, const char *target, uint8_t (*groups)[VD_GROUP_BYTES], size_t count);

/* Does it begin with ssh://, in small letters or capitals? And is the rest a name that ssh may be given: 0, or the exit code of what was said. */
bool vd_sync_is_ssh(const char *target);
int vd_sync_ssh_check(struct vd_cli *, const char *target);

/* What standard input and output were. */
struct vd_ends {
	int in, out;
};

/* From here on standard output is what standard error is (--quiet: nothing), and nobody is asked anything. Refuses a terminal, and
 * arguments. */
int vd_sync_stdio_begin(struct vd_cli *, struct vd_ends *);
int vd_sync_pipe(struct vd_cli *, const struct vd_ends *, uint8_t (*groups)[VD_GROUP_BYTES], size_t count);

#endif
