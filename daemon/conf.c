#include "conf.h"

#include <getopt.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/err.h"
#include "store/file.h"

enum { FILE_MAX_BYTES = 64 * 1024 };

const char vd_conf_usage[] =
	"Examples:\n"
	"  veredad                                    wait for others who know this address\n"
	"  veredad --discover-on wlan0                find the group's devices on this network\n"
	"  veredad --peer hub.example.org:4000        keep in touch with a hub\n"
	"  veredad --listen 192.0.2.7:4000            be that hub\n"
	"\n"
	"Usage: veredad [OPTION]...\n"
	"Keeps this device's groups in sync with others, in the foreground, until SIGTERM or SIGINT.\n"
	"\n"
	"  --home DIR             where the store is (else $VEREDA_HOME, $XDG_DATA_HOME/vereda, ~/.local/share/vereda)\n"
	"  --listen ADDR:PORT     accept connections here; again for more; port 0: a free one (default [::]:0)\n"
	"  --peer ADDR:PORT       call this one and keep the connection; again for more\n"
	"  --discover-on IFACE    find others on this network interface; again for more; none: no beacon ever leaves\n"
	"  --no-discovery         no beacons, whatever --discover-on says\n"
	"  --token FILE           a key file on a removable medium: opens the store when it is there, locks it when it is pulled\n"
	"  --stick-dir DIR        exchange with sticks that appear as folders in DIR (such as /media/ana) and that were marked once:\n"
	"                         vereda stick mark; any other is neither written to nor read; again for more\n"
	"  --config FILE          the same options from a file, a line each: peer = hub.example.org:4000\n"
	"  --version, --help\n"
	"\n"
	"IPv6 addresses stand in brackets: [2001:db8::1]:4000. The log goes to stderr, a line an event.\n"
	"A sealed store without a key is waited for, locked: vereda unlock opens it. SIGUSR1 locks at once; SIGUSR2 wipes: all is lost, for a panic button.\n"
	"Exit: 0 ended as asked; 1 failed; 2 usage; 10 no store there; 11 another veredad has this store; 15 no space.\n";

static int refuse(char message[VD_CONF_MESSAGE], const char *what, const char *value)
{
	snprintf(message, VD_CONF_MESSAGE, "%s: %.150s", what, value);
	return VD_EINVAL;
}

static int add_listen(struct vd_conf *conf, const char *value, char message[VD_CONF_MESSAGE])
{
	if (conf->listen_count == VD_CONF_LISTEN_MAX)
		return refuse(message, "too many --listen", value);
	if (vd_address_parse(value, &conf->listen[conf->listen_count]))
		return refuse(message, "--listen wants ADDRESS:PORT in numbers, as 0.0.0.0:4000 or [::]:4000", value);
	conf->listen_count++;
	return 0;
}

static int add_peer(struct vd_conf *conf, const char *value, char message[VD_CONF_MESSAGE])
{
	char host[VD_ADDRESS_HOST];
	uint16_t port;

	if (conf->peer_count == VD_CONF_PEERS_MAX)
		return refuse(message, "too many --peer", value);
	if (vd_address_split(value, host, &port) || !port)
		return refuse(message, "--peer wants HOST:PORT, as hub.example.org:4000 or [2001:db8::1]:4000", value);
	snprintf(conf->peer[conf->peer_count++], sizeof conf->peer[0], "%s", value);
	return 0;
}

static int add_interface(struct vd_conf *conf, const char *value, char message[VD_CONF_MESSAGE])
{
	if (conf->interface_count == VD_CONF_INTERFACES_MAX)
		return refuse(message, "too many --discover-on", value);
	if (!*value || strlen(value) >= IF_NAMESIZE || strchr(value, '/'))
		return refuse(message, "--discover-on wants the name of a network interface, as wlan0", value);
	for (size_t i = 0; i < conf->interface_count; i++)
		if (!strcmp(conf->interface[i], value))
			return 0;
	snprintf(conf->interface[conf->interface_count++], IF_NAMESIZE, "%s", value);
	return 0;
}

static int set_home(struct vd_conf *conf, const char *folder, const char *below, char message[VD_CONF_MESSAGE])
{
	int n = snprintf(conf->home, sizeof conf->home, "%s%s", folder, below);

	if (!*folder)
		return refuse(message, "--home wants a folder", folder);
	return n > 0 && (size_t)n < sizeof conf->home ? 0 : refuse(message, "the name of the folder is too long", folder);
}

static int set_token(struct vd_conf *conf, const char *value, char message[VD_CONF_MESSAGE])
{
	if (!*value || strlen(value) >= sizeof conf->token)
		return refuse(message, "--token wants the name of a key file", value);
	snprintf(conf->token, sizeof conf->token, "%s", value);
	return 0;
}

static int add_stick_dir(struct vd_conf *conf, const char *value, char message[VD_CONF_MESSAGE])
{
	if (conf->stick_dir_count == VD_CONF_STICK_DIRS_MAX)
		return refuse(message, "too many --stick-dir", value);
	if (value[0] != '/' || !value[1] || strlen(value) >= sizeof conf->stick_dir[0])
		return refuse(message, "--stick-dir wants the whole path of the folder below which sticks are mounted, as /media/ana", value);
	snprintf(conf->stick_dir[conf->stick_dir_count++], sizeof conf->stick_dir[0], "%s", value);
	return 0;
}

static int default_home(struct vd_conf *conf, char message[VD_CONF_MESSAGE])
{
	const char *folder;

	if ((folder = getenv("VEREDA_HOME")) && *folder)
		return set_home(conf, folder, "", message);
	if ((folder = getenv("XDG_DATA_HOME")) && *folder)
		return set_home(conf, folder, "/vereda", message);
	if ((folder = getenv("HOME")) && *folder)
		return set_home(conf, folder, "/.local/share/vereda", message);
	return refuse(message, "no --home given and no home folder known", "set HOME or VEREDA_HOME");
}

/* The options that mean the same on the command line and in a file. */
static int take(struct vd_conf *conf, const char *name, const char *value, char message[VD_CONF_MESSAGE])
{
	if (!strcmp(name, "home"))
		return set_home(conf, value, "", message);
	if (!strcmp(name, "listen"))
		return add_listen(conf, value, message);
	if (!strcmp(name, "peer"))
		return add_peer(conf, value, message);
	if (!strcmp(name, "discover-on"))
		return add_interface(conf, value, message);
	if (!strcmp(name, "token"))
		return set_token(conf, value, message);
	if (!strcmp(name, "stick-dir"))
		return add_stick_dir(conf, value, message);
	return refuse(message, "unknown option", name);
}

struct file_reading {
	struct vd_conf *conf;
	bool keep_home; /* the command line named one already */
	char *message;
	int rc;
};

static int on_line(void *user, const char *section, const char *name, const char *value)
{
	struct file_reading *f = user;

	if (f->rc)
		return 0; /* the first thing wrong is the one to tell */
	if (*section)
		f->rc = refuse(f->message, "the file knows no sections", section);
	else if (!strcmp(name, "no-discovery")) {
		f->conf->no_discovery |= !strcmp(value, "yes");
		if (strcmp(value, "yes") != 0 && strcmp(value, "no") != 0)
			f->rc = refuse(f->message, "no-discovery wants yes or no", value);
	} else if (strcmp(name, "home") != 0 || !f->keep_home)
		f->rc = take(f->conf, name, value ? value : "", f->message);
	return f->rc == 0;
}

static int read_file(struct vd_conf *conf, const char *path, char message[VD_CONF_MESSAGE])
{
	struct file_reading f = { .conf = conf, .keep_home = conf->home[0] != '\0', .message = message };
	struct vd_buf text = { 0 };
	char why[VD_CONF_MESSAGE];
	int line = 0;

	f.rc = vd_file_read(path, FILE_MAX_BYTES, &text);
	vd_buf_put_u8(&text, 0);
	if (f.rc || vd_buf_check(&text)) {
		f.rc = refuse(message, "the file given with --config cannot be read", path);
	} else {
		line = ini_parse_string((const char *)text.p, on_line, &f);
		if (!f.rc && line)
			f.rc = refuse(message, "no option = value", path);
		else if (f.rc) {
			snprintf(why, sizeof why, "%.200s", message);
			snprintf(message, VD_CONF_MESSAGE, "line %d of the file: %.200s", line, why);
		}
	}
	vd_buf_deinit(&text);
	return f.rc;
}

int vd_conf_parse(int argc, char **argv, struct vd_conf *conf, char message[VD_CONF_MESSAGE])
{
	enum { HOME = 256, LISTEN, PEER, INTERFACE, NO_DISCOVERY, TOKEN, STICK_DIR, CONFIG, HELP, VERSION };
	static const struct option options[] = {
		{"home", required_argument, NULL, HOME},
		{"listen", required_argument, NULL, LISTEN},
		{"peer", required_argument, NULL, PEER},
		{"discover-on", required_argument, NULL, INTERFACE},
		{"no-discovery", no_argument, NULL, NO_DISCOVERY},
		{"token", required_argument, NULL, TOKEN},
		{"stick-dir", required_argument, NULL, STICK_DIR},
		{"config", required_argument, NULL, CONFIG},
		{"help", no_argument, NULL, HELP},
		{"version", no_argument, NULL, VERSION},
		{NULL, 0, NULL, 0},
	};
	const char *file = NULL;
	int option, rc = 0;

	memset(conf, 0, sizeof *conf);
	message[0] = '\0';
	optind = 0; /* glibc: start over, also after an earlier call */
	opterr = 0;
	while (!rc && (option = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
		switch (option) {
		case HOME: rc = take(conf, "home", optarg, message); break;
		case LISTEN: rc = take(conf, "listen", optarg, message); break;
		case PEER: rc = take(conf, "peer", optarg, message); break;
		case INTERFACE: rc = take(conf, "discover-on", optarg, message); break;
		case NO_DISCOVERY: conf->no_discovery = true; break;
		case TOKEN: rc = take(conf, "token", optarg, message); break;
		case STICK_DIR: rc = take(conf, "stick-dir", optarg, message); break;
		case CONFIG: file = optarg; break;
		case 'h':
		case HELP: conf->help = true; break;
		case VERSION: conf->version = true; break;
		case ':': rc = refuse(message, "option needs a value", argv[optind - 1]); break;
		default: rc = refuse(message, "unknown option", argv[optind - 1]); break;
		}
	}
	if (!rc && optind < argc)
		rc = refuse(message, "unexpected argument", argv[optind]);
	if (!rc && file)
		rc = read_file(conf, file, message);
	if (!rc && !conf->home[0] && !conf->help && !conf->version)
		rc = default_home(conf, message);
	return rc;
}
