/* What doctor says of the machine, and writes down for whoever helps. */
#ifndef VD_MACHINE_H
#define VD_MACHINE_H

#include "findings.h"

/* `daemon`: veredad's status, NULL when none runs. */
void vd_find_machine(struct vd_findings *, const json_t *daemon);
/* A new file with versions, counts and the kinds of findings, and nothing that tells who, where or what. 0 or an exit code. */
int vd_write_report(const struct vd_findings *, const json_t *daemon, const char *path);

#endif
