/* Codes of slips (proto/slip.h) found in text as it comes: scanned, typed, quoted, out of a chat or a table, as UTF-8 or UTF-16. */
#ifndef VD_CLI_CODES_H
#define VD_CLI_CODES_H

#include "proto/slip.h"
#include "store/bundle.h"

enum {
	VD_CODES_TEXT_MAX = 1 << 20, /* bytes of one text: what has no blank in it is tried at every character, some µs each and key */
	VD_CODES_MISREAD_MAX = 8,
	VD_CODES_BEGIN = 8,          /* characters */
};

/* All zero but `groups`, which is borrowed, is an empty start; ends with vd_codes_deinit. */
struct vd_codes {
	const struct vd_bundle_groups *groups;
	struct vd_slips slips;
	size_t read;                /* codes that opened */
	size_t unread;              /* that did not, as far as the text tells */
	size_t place, count;        /* of the slip of the code read last: its codes that are here, and all */
	struct vd_code_misread {
		size_t line;        /* from 1, in its text */
		char begin[VD_CODES_BEGIN + 1];
	} misread[VD_CODES_MISREAD_MAX]; /* of the unread, the first; where several follow each other, the first of them */
	size_t misread_count;
};
void vd_codes_deinit(struct vd_codes *);
/* Takes the codes in the text, with every link key of the groups. A code begins where a word does, or within one that is long enough to be a
 * code; whatever is no letter or digit may stand between its characters. What looks like a code and did not open is counted. VD_ENOMEM; VD_ECAP:
 * over VD_CODES_TEXT_MAX, or more than VD_SLIPS_MAX records. */
int vd_codes_take(struct vd_codes *, struct vd_slice text);

#endif
