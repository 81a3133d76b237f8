#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/conf.h"
#include "proto/err.h"

static struct vd_conf conf;
static char message[VD_CONF_MESSAGE];

#define PARSE(...) parse((char *[]){(char[]){"veredad"}, __VA_ARGS__, NULL})
static int parse(char **argv)
{
	int argc = 0;

	while (argv[argc])
		argc++;
	return vd_conf_parse(argc, argv, &conf, message);
}

static void test_conf__defaults_come_from_the_environment(void **state)
{
	char *none[] = {(char[]){"veredad"}, NULL};

	(void)state;
	setenv("HOME", "/home/ana", 1);
	setenv("XDG_DATA_HOME", "/data", 1);
	setenv("VEREDA_HOME", "/v", 1);
	assert_int_equal(parse(none), 0);
	assert_string_equal(conf.home, "/v");
	unsetenv("VEREDA_HOME");
	assert_int_equal(parse(none), 0);
	assert_string_equal(conf.home, "/data/vereda");
	setenv("XDG_DATA_HOME", "", 1);
	assert_int_equal(parse(none), 0);
	assert_string_equal(conf.home, "/home/ana/.local/share/vereda");
	unsetenv("HOME");
	assert_int_equal(parse(none), VD_EINVAL);
	assert_int_equal(conf.listen_count + conf.peer_count + conf.interface_count, 0);
	assert_false(conf.no_discovery);
}

static void test_conf__takes_every_option(void **state)
{
	(void)state;
	assert_int_equal(PARSE("--home", "/x", "--listen", "127.0.0.1:0", "--listen=[::1]:4000", "--peer", "hub.example:4000",
	                       "--peer", "[2001:db8::1]:1", "--discover-on", "lo", "--discover-on", "lo", "--discover-on", "eth0",
	                       "--no-discovery", "--token", "/media/usb/key", "--stick-dir", "/media/ana", "--stick-dir=/mnt"), 0);
	assert_int_equal(conf.stick_dir_count, 2);
	assert_string_equal(conf.stick_dir[1], "/mnt");
	assert_string_equal(conf.token, "/media/usb/key");
	assert_string_equal(conf.home, "/x");
	assert_int_equal(conf.listen_count, 2);
	assert_int_equal(conf.listen[0].ss_family, AF_INET);
	assert_int_equal(conf.listen[1].ss_family, AF_INET6);
	assert_int_equal(vd_address_port((const struct sockaddr *)&conf.listen[1]), 4000);
	assert_int_equal(conf.peer_count, 2);
	assert_string_equal(conf.peer[0], "hub.example:4000");
	assert_int_equal(conf.interface_count, 2);
	assert_string_equal(conf.interface[1], "eth0");
	assert_true(conf.no_discovery);
}

static void test_conf__refuses_what_it_does_not_do(void **state)
{
	static const char *const bad[][2] = {
		{"--stick-dir", "media"}, {"--stick-dir", "/"}, {"--config", "/nowhere/veredad.conf"}, {"--home", ""}, {"--listen", "localhost"},
		{"--listen", "hub.example:4000"}, {"--listen", "127.0.0.1:65536"}, {"--peer", "hub.example"}, {"--peer", "hub:0"},
		{"--peer", ":4000"}, {"--discover-on", ""}, {"--discover-on", "a-name-far-too-long"}, {"--discover-on", "../lo"},
		{"--wat", "x"}, {"--token", ""}, {"stray", "argument"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		char option[64], value[64];

		snprintf(option, sizeof option, "%s", bad[i][0]);
		snprintf(value, sizeof value, "%s", bad[i][1]);
		assert_int_equal(PARSE(option, value), VD_EINVAL);
		assert_int_not_equal(strlen(message), 0);
	}
	assert_int_equal(PARSE("--home"), VD_EINVAL);
	assert_int_equal(PARSE("--home", "/x", "stray"), VD_EINVAL);
}

/* Parses with a file of this text behind --config. */
static int parse_file(const char *text, bool with_home)
{
	char path[] = "/tmp/vereda-conf.XXXXXX";
	int fd = mkstemp(path), rc;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	rc = with_home ? PARSE((char[]){"--home"}, (char[]){"/mine"}, (char[]){"--config"}, path)
	               : PARSE((char[]){"--config"}, path);
	unlink(path);
	return rc;
}

static void test_conf__a_file_says_the_same(void **state)
{
	static const char text[] = "; a hub\nhome = /srv/hub\nlisten = 127.0.0.1:0\nlisten = [::1]:4000\n\npeer = hub.example:4000\n"
				   "discover-on = wlan0\nno-discovery = yes\ntoken = /media/usb/vereda.key\n";

	(void)state;
	assert_int_equal(parse_file(text, false), 0);
	assert_string_equal(conf.home, "/srv/hub");
	assert_int_equal(conf.listen_count, 2);
	assert_int_equal(vd_address_port((const struct sockaddr *)&conf.listen[1]), 4000);
	assert_string_equal(conf.peer[0], "hub.example:4000");
	assert_string_equal(conf.interface[0], "wlan0");
	assert_string_equal(conf.token, "/media/usb/vereda.key");
	assert_true(conf.no_discovery);
	assert_int_equal(parse_file(text, true), 0);
	assert_string_equal(conf.home, "/mine");
}

static void test_conf__a_bad_file_is_refused_by_line(void **state)
{
	static const char *const bad[] = {
		"home = /srv/hub\nlisten = localhost\nhome = /srv/hub\n", "home = /srv/hub\nno value\n",
		"home = /srv/hub\nstick-dir = media\n", "[hub]\nhome = /srv/hub\n", "home = /srv/hub\nno-discovery = maybe\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_int_equal(parse_file(bad[i], false), VD_EINVAL);
		assert_int_not_equal(strlen(message), 0);
	}
	assert_int_equal(parse_file(bad[0], false), VD_EINVAL);
	assert_non_null(strstr(message, "line 2"));
	assert_int_equal(PARSE((char[]){"--config"}, (char[]){"/dev/zero"}), VD_EINVAL);
}

static void test_conf__too_many_of_each_are_refused(void **state)
{
	static const struct {
		const char *option, *format;
		int max;
	} many[] = {{"--listen", "127.0.0.1:%d", VD_CONF_LISTEN_MAX},
	            {"--peer", "127.0.0.1:%d", VD_CONF_PEERS_MAX},
	            {"--discover-on", "eth%d", VD_CONF_INTERFACES_MAX}};

	(void)state;
	for (size_t k = 0; k < sizeof many / sizeof *many; k++) {
		for (int n = many[k].max; n <= many[k].max + 1; n++) {
			char *argv[2 * 40 + 6], text[40][32], option[32];
			int argc = 0;

			snprintf(option, sizeof option, "%s", many[k].option);
			argv[argc++] = (char[]){"veredad"};
			argv[argc++] = (char[]){"--home"};
			argv[argc++] = (char[]){"/x"};
			for (int i = 0; i < n; i++) {
				snprintf(text[i], sizeof text[i], many[k].format, i + 1);
				argv[argc++] = option;
				argv[argc++] = text[i];
			}
			argv[argc] = NULL;
			assert_int_equal(vd_conf_parse(argc, argv, &conf, message), n > many[k].max ? VD_EINVAL : 0);
		}
	}
}

static void test_address__splits_host_and_port(void **state)
{
	static const struct {
		const char *text, *host;
		int port; /* -1: refused */
	} cases[] = {
		{"a:1", "a", 1}, {"hub.example.org:65535", "hub.example.org", 65535}, {"[::1]:0", "::1", 0},
		{"[fe80::1%eth0]:4000", "fe80::1%eth0", 4000}, {"a", "", -1}, {"a:", "", -1}, {":1", "", -1}, {"a:65536", "", -1},
		{"a:-1", "", -1}, {"a:1x", "", -1}, {"a:+1", "", -1}, {"a: 1", "", -1}, {"::1:1", "", -1}, {"[::1]", "", -1}, {"[]:1", "", -1}, {"[::1:1", "", -1},
		{"a:000001", "", -1}, {"", "", -1},
	};
	char host[VD_ADDRESS_HOST], text[VD_ADDRESS_HOST + 16];
	uint16_t port;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int rc = vd_address_split(cases[i].text, host, &port);

		assert_int_equal(rc, cases[i].port < 0 ? VD_EINVAL : 0);
		if (rc)
			continue;
		assert_string_equal(host, cases[i].host);
		assert_int_equal(port, cases[i].port);
	}
	for (size_t n = VD_ADDRESS_HOST - 2; n <= VD_ADDRESS_HOST; n++) {
		memset(text, 'a', n);
		strcpy(text + n, ":1");
		assert_int_equal(vd_address_split(text, host, &port), n < VD_ADDRESS_HOST ? 0 : VD_EINVAL);
	}
}

static void test_address__a_holder_is_an_address_or_a_network_of_64_bits(void **state)
{
	static const struct {
		const char *a, *b;
		bool same;
	} cases[] = {
		{"192.0.2.7:1", "192.0.2.7:2", true},
		{"192.0.2.7:1", "192.0.2.8:1", false},
		{"[2001:db8:0:1::7]:1", "[2001:db8:0:1:ffff::8]:2", true},
		{"[2001:db8:0:1::7]:1", "[2001:db8:0:2::7]:1", false},
		{"[fe80::1%lo]:7", "[fe80::2]:7", false},
		{"0.0.0.0:1", "[::]:1", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct sockaddr_storage a, b;

		assert_int_equal(vd_address_parse(cases[i].a, &a), 0);
		assert_int_equal(vd_address_parse(cases[i].b, &b), 0);
		assert_int_equal(vd_address_same_holder((const struct sockaddr *)&a, (const struct sockaddr *)&b), cases[i].same);
	}
}

static void test_address__text_reads_back(void **state)
{
	static const char *const texts[] = {"127.0.0.1:4000", "[::1]:1", "[2001:db8::7]:65535", "[fe80::1%lo]:7"};
	struct sockaddr_storage a, b;
	char text[VD_ADDRESS_TEXT];

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		assert_int_equal(vd_address_parse(texts[i], &a), 0);
		vd_address_text((const struct sockaddr *)&a, text);
		assert_string_equal(text, texts[i]);
	}
	assert_int_equal(vd_address_parse("[fe80::1%nosuch]:7", &a), VD_EINVAL);
	assert_int_equal(vd_address_parse("hub.example:7", &a), VD_EINVAL);

	/* IPv4 as an IPv6 socket shows it is IPv4 */
	assert_int_equal(vd_address_parse("[::ffff:192.0.2.7]:80", &a), 0);
	vd_address_plain((const struct sockaddr *)&a, &a);
	assert_int_equal(vd_address_parse("192.0.2.7:80", &b), 0);
	assert_true(vd_address_same((const struct sockaddr *)&a, (const struct sockaddr *)&b, true));
	vd_address_set_port(&b, 81);
	assert_false(vd_address_same((const struct sockaddr *)&a, (const struct sockaddr *)&b, true));
	assert_true(vd_address_same((const struct sockaddr *)&a, (const struct sockaddr *)&b, false));

	/* a link-local address means nothing without its interface */
	assert_int_equal(vd_address_parse("[fe80::1%lo]:7", &a), 0);
	b = a;
	((struct sockaddr_in6 *)(void *)&b)->sin6_scope_id++;
	assert_false(vd_address_same((const struct sockaddr *)&a, (const struct sockaddr *)&b, true));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_conf__defaults_come_from_the_environment),
		cmocka_unit_test(test_conf__takes_every_option),
		cmocka_unit_test(test_conf__refuses_what_it_does_not_do),
		cmocka_unit_test(test_conf__a_file_says_the_same),
		cmocka_unit_test(test_conf__a_bad_file_is_refused_by_line),
		cmocka_unit_test(test_conf__too_many_of_each_are_refused),
		cmocka_unit_test(test_address__splits_host_and_port),
		cmocka_unit_test(test_address__a_holder_is_an_address_or_a_network_of_64_bits),
		cmocka_unit_test(test_address__text_reads_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
