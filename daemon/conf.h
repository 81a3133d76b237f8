/* What veredad was told on its command line, and in the file that --config names: the same options, one `option = value` a line
 * (libinih). A --home on the command line wins over the file's, and the last --token counts; everything else adds up. */
#ifndef VD_CONF_H
#define VD_CONF_H

#include <limits.h>
#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "address.h"

enum { VD_CONF_LISTEN_MAX = 8, VD_CONF_PEERS_MAX = 32, VD_CONF_INTERFACES_MAX = 8, VD_CONF_STICK_DIRS_MAX = 8 };

struct vd_conf {
	char home[PATH_MAX];
	struct sockaddr_storage listen[VD_CONF_LISTEN_MAX]; /* none: any address, a free port */
	size_t listen_count;
	char peer[VD_CONF_PEERS_MAX][VD_ADDRESS_HOST + 8];   /* host:port */
	size_t peer_count;
	char interface[VD_CONF_INTERFACES_MAX][IF_NAMESIZE];
	size_t interface_count;
	char token[PATH_MAX];                                /* a key file that opens the store; empty: none */
	char stick_dir[VD_CONF_STICK_DIRS_MAX][PATH_MAX];    /* below which sticks are mounted */
	size_t stick_dir_count;
	bool no_discovery;
	bool help, version;
};

/* VD_EINVAL: message says what is wrong, in one line without its end. `message` is a buffer of VD_CONF_MESSAGE. */
enum { VD_CONF_MESSAGE = 256 };
int vd_conf_parse(int argc, char **argv, struct vd_conf *, char message[VD_CONF_MESSAGE]);
extern const char vd_conf_usage[];

#endif
