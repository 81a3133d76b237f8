/* How the stores of a test rest on the disk: readable, or sealed when the environment says VD_TEST_SEALED. Include it after store.h; the same test then runs
 * both ways (sealed_store_test.c runs them again). */
#ifndef REST_CAST_H
#define REST_CAST_H

#include <stdio.h>
#include <stdlib.h>

#include "store/store.h"
#include "store/vault.h"

/* NULL: readable. */
static inline const struct vd_secret *rest_secret(void)
{
	static const struct vd_secret token = { .token = { (const uint8_t *)"a key file of more than thirty-two bytes", 40 } };

	return getenv("VD_TEST_SEALED") ? &token : NULL;
}

static inline int rest_create(const char *home, const char *name)
{
	return vd_store_create_with(home, name, rest_secret(), NULL);
}

static inline int rest_open(const char *home, struct vd_store **out)
{
	return vd_store_open_with(home, rest_secret(), out);
}

/* A copy of its slots, for a test that copies the database by hand. */
static inline int rest_copy(const char *from, const char *to)
{
	char command[600];

	snprintf(command, sizeof(command), "cp %s/vault %s/vault", from, to);
	return rest_secret() ? system(command) : 0;
}

#define vd_store_create rest_create
#define vd_store_open rest_open

#endif
