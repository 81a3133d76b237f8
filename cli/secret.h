/* Secrets: passphrases from a file, a descriptor or a person, and the key that a running daemon lends. Never from the command line itself or the
 * environment, where others see them. Every buffer filled here is for the caller to wipe (vd_buf_wipe). */
#ifndef VD_SECRET_H
#define VD_SECRET_H

#include "cli.h"
#include "store/vault.h"

/* What --passphrase-file or --passphrase-fd gives; out->n is 0 when neither was said. 0, or an exit code, having said what is wrong. */
int vd_secret_given(struct vd_cli *, struct vd_buf *out);
/* The only line of a file, without its end; 1 to VD_PASSPHRASE_MAX bytes. A file with more lines is refused: exit 12. */
int vd_secret_file(struct vd_cli *, const char *path, struct vd_buf *out);
/* Asks at the terminal; `twice`: a new one, of at least VD_PASSPHRASE_MIN bytes. VD_EXIT_KEY when nobody is there to ask. */
int vd_secret_ask(struct vd_cli *, enum vd_msg prompt, bool twice, struct vd_buf *out);
/* A new one: from `path` when that is not NULL, else asked twice. */
int vd_secret_new(struct vd_cli *, const char *path, enum vd_msg prompt, struct vd_buf *out);
/* Is it long enough to be one? Else an exit code, having said so. */
int vd_secret_fits(struct vd_cli *, const struct vd_buf *);
bool vd_secret_is_lent(struct vd_cli *);
/* Opens the sealed store, as cli->store, with whatever there is: the given passphrase, a lent key, or what a person types. 0 or an exit code. */
int vd_secret_open(struct vd_cli *);
/* What a person types, or 0 and *out as it was: they typed nothing, which the prompt says they may. */
int vd_secret_open_or_not(struct vd_cli *, enum vd_msg prompt);
/* The same as vd_secret_open for its vault alone, where the database may be beyond opening. */
int vd_secret_vault(struct vd_cli *, struct vd_vault **out);

#endif
