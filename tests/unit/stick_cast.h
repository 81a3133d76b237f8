/* A hub, two members, and a stick. */
#ifndef STICK_CAST_H
#define STICK_CAST_H

#include <sys/stat.h>

#include "daemon/link_stick.h"
#include "tests/unit/mesh_fixture.h"

struct cast {
	struct mesh mesh;
	struct person hub, ana, luz;
	char stick[128], cache[160];
	uint8_t first_link[VD_KEY_BYTES]; /* of the first epoch */
};

static int setup(void **state)
{
	struct cast *c = calloc(1, sizeof(*c));

	mesh_of_three(&c->mesh, &c->hub, &c->ana, &c->luz);
	snprintf(c->stick, sizeof(c->stick), "%s/usb", c->mesh.top);
	memcpy(c->first_link, vd_group_epoch_keys(c->hub.group, 0)->key[VD_KEY_LINK], VD_KEY_BYTES);
	snprintf(c->cache, sizeof(c->cache), "%s/cache", c->stick);
	assert_int_equal(mkdir(c->stick, 0700), 0);
	*state = c;
	return 0;
}

static int teardown(void **state)
{
	struct cast *c = *state;

	mesh_end_three(&c->mesh, &c->hub, &c->ana, &c->luz);
	free(c);
	return 0;
}

static struct vd_stick_result visit(struct cast *c, struct person *p, int expected)
{
	struct vd_stick_result result;

	assert_int_equal(vd_stick_sync(p->store, c->stick, &result), expected);
	person_reload(p, &c->mesh);
	return result;
}

#endif
