/* Slips (proto/slip.h) as people meet them: codes on the screen for a camera or a pen, and back from text. */
#ifndef VD_CLI_SLIPS_H
#define VD_CLI_SLIPS_H

#include "cli.h"

/* Shows the record as codes: QR and text. 0 or an exit code, having said what is wrong. */
int vd_slips_print(struct vd_cli *, const char *id_prefix);

struct vd_slips_taken {
	struct vd_merge merge;
	size_t codes, unread;       /* that opened; runs of text that look like one and did not */
	json_t *gaps;               /* borrowed: gets an object for each slip of which codes are missing */
};
/* Reads text from the files that are the command's arguments; without any from standard input, asking a person who is there, and takes in the
 * records that are whole. 0 or an exit code, having said what is wrong. */
int vd_slips_take(struct vd_cli *, bool dry_run, struct vd_slips_taken *);

#endif
