/* Addresses of a name that fail, are silent or refuse; and sockets whose
 * calls are interrupted or fail. */
#include "config.h"

#include "no_system.h"

#include <arpa/inet.h>
#include <limits.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>

#include "base/clock.h"
#include "wire/net.h"
#include "wire/source.h"
#include "wire/stream.h"

#define ADDRESSES 12

/* What the resolver says, and whom we then try. */
static struct {
	int			 error;
	size_t			 n;
	struct sockaddr_in	 v4[ADDRESSES];
	struct sockaddr_in6	 v6[ADDRESSES];
	struct addrinfo		 list[ADDRESSES];
	char			 tried[ADDRESSES + 1];
	size_t			 ntried;
	const char		*connects;	/* 'r': it refuses at once */
} name;

int __real_getaddrinfo(const char *host, const char *service,
    const struct addrinfo *hints, struct addrinfo **list);
int __wrap_getaddrinfo(const char *host, const char *service,
    const struct addrinfo *hints, struct addrinfo **list);
int
__wrap_getaddrinfo(const char *host, const char *service,
    const struct addrinfo *hints, struct addrinfo **list)
{
	(void)host;
	(void)service;
	(void)hints;
	for (size_t i = 0; i < name.n; i++)
		name.list[i].ai_next = i + 1 < name.n ? &name.list[i + 1] :
		    NULL;
	*list = name.list;
	return name.error;
}

void __wrap_freeaddrinfo(struct addrinfo *list);
void
__wrap_freeaddrinfo(struct addrinfo *list)
{
	(void)list;
}

int __real_connect(int fd, const struct sockaddr *a, socklen_t len);
int __wrap_connect(int fd, const struct sockaddr *a, socklen_t len);
int
__wrap_connect(int fd, const struct sockaddr *a, socklen_t len)
{
	struct sockaddr_in v4;
	size_t at = name.ntried;

	assert_true(at < ADDRESSES);
	name.tried[name.ntried++] = a->sa_family == AF_INET ? '4' : '6';
	name.tried[name.ntried] = '\0';
	if (name.connects != NULL && at < strlen(name.connects) &&
	    name.connects[at] == 'r') {
		errno = ECONNREFUSED;
		return -1;
	}
	if (a->sa_family != AF_INET)
		return __real_connect(fd, a, len);
	v4 = *(const struct sockaddr_in *)(const void *)a;
	v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return __real_connect(fd, (void *)&v4, len);
}

/* "464": a name with such addresses, all of this port here. */
static void
resolves_to(const char *families, uint16_t port)
{
	memset(&name, 0, sizeof(name));
	for (; families[name.n] != '\0'; name.n++) {
		size_t i = name.n;
		bool four = families[i] == '4';

		name.v4[i] = (struct sockaddr_in){ .sin_family = AF_INET,
		    .sin_port = htons(port),
		    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
		name.v6[i] = (struct sockaddr_in6){ .sin6_family = AF_INET6,
		    .sin6_port = htons(port), .sin6_addr = in6addr_loopback };
		name.list[i] = (struct addrinfo){
		    .ai_family = four ? AF_INET : AF_INET6,
		    .ai_socktype = SOCK_STREAM,
		    .ai_addr = four ? (void *)&name.v4[i] :
		    (void *)&name.v6[i],
		    .ai_addrlen = four ? sizeof(name.v4[i]) :
		    sizeof(name.v6[i]) };
	}
}

/* Somebody who listens; with a queue of 0 and nobody who accepts, the third
 * that comes hears nothing. */
static int
listener(int backlog, uint16_t *port)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(fd, (void *)&a, len), 0);
	assert_int_equal(listen(fd, backlog), 0);
	assert_int_equal(getsockname(fd, (void *)&a, &len), 0);
	*port = ntohs(a.sin_port);
	return fd;
}

static enum rc
reach(int timeout_s, int *fd, struct err *e)
{
	struct net_peer peer;
	enum rc rc = net_connect("name.example", 25, timeout_s, fd, &peer, e);

	if (rc == RC_OK) {
		T_STR(peer.address, "127.0.0.1");
		T_CHECK(peer.loopback);
		close(*fd);
	} else {
		assert_int_equal(*fd, -1);
	}
	return rc;
}

/* RFC 8305 4: neither family waits behind all addresses of the other. */
static void
test_families_take_turns(void **state)
{
	static const struct {
		const char *families, *tried;
	} cases[] = { { "666444", "646464" }, { "4446", "4644" },
	    { "466", "466" }, { "666666664444", "64646464" },
	    { "444444444444", "44444444" }, { "4444444466", "46464444" },
	    { "46664", "46466" }, { "4", "4" } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err e = ERR_INIT;
		int fd;

		resolves_to(cases[i].families, 9);
		name.connects = "rrrrrrrrrrrr";
		T_RC(reach(5, &fd, &e), RC_TEMP);
		T_STR(name.tried, cases[i].tried);
		assert_non_null(strstr(e.text, "refused"));
	}
}

static void
test_the_next_one_is_tried(void **state)
{
	struct err e = ERR_INIT;
	uint16_t port;
	int at = listener(8, &port), fd;

	(void)state;
	resolves_to("444", port);
	name.connects = "rr-";
	T_RC(reach(5, &fd, &e), RC_OK);
	assert_int_equal(name.ntried, 3);
	/* A socket that cannot be made is one that fails. */
	resolves_to("44", port);
	fail_call("socket", 0, EMFILE);
	T_RC(reach(5, &fd, &e), RC_OK);
	T_CHECK(has_failed() && name.ntried == 1);
	resolves_to("4", port);
	fail_call("socket", 0, EMFILE);
	T_RC(reach(5, &fd, &e), RC_TEMP);
	T_CHECK(has_failed());
	close(at);
}

static void
test_silence_is_not_waited_for_alone(void **state)
{
	struct err e = ERR_INIT;
	uint16_t port, mute;
	int at = listener(8, &port), quiet = listener(0, &mute), full[8], fd;
	int64_t began;

	(void)state;
	resolves_to("44444", mute);
	for (size_t i = 0; i < 8; i++) {
		full[i] = socket(AF_INET, SOCK_STREAM, 0);
		assert_int_equal(fcntl(full[i], F_SETFL, O_NONBLOCK), 0);
		(void)__real_connect(full[i], (void *)&name.v4[0],
		    sizeof(name.v4[0]));
	}
	began = clock_ms();
	T_RC(reach(1, &fd, &e), RC_TEMP);
	T_CHECK(clock_ms() - began >= 900 && name.ntried > 1);
	resolves_to("44", mute);
	name.v4[1].sin_port = htons(port);
	T_RC(reach(20, &fd, &e), RC_OK);
	assert_int_equal(name.ntried, 2);
	/* Half of it refuses, half of it says nothing. */
	resolves_to("444", mute);
	name.connects = "r";
	name.v4[2].sin_port = htons(port);
	T_RC(reach(20, &fd, &e), RC_OK);
	for (size_t i = 0; i < 8; i++)
		close(full[i]);
	close(quiet);
	close(at);
}

static void
test_what_the_resolver_says(void **state)
{
	struct err e = ERR_INIT;
	int fd;

	(void)state;
	resolves_to("4", 9);
	name.error = EAI_MEMORY;
	T_RC(reach(5, &fd, &e), RC_NOMEM);
	name.error = EAI_AGAIN;
	T_RC(reach(5, &fd, &e), RC_TEMP);
	assert_non_null(strstr(e.text, "cannot be resolved"));
}

/* A server elsewhere: its name says so, whoever answers. */
static void
test_in_clear_only_on_this_machine(void **state)
{
	char host[] = "name.example", user[] = "dr";
	const struct conf_account account = { .protocol = CONF_POP3,
	    .server = { .host = host, .user = user, .tls = CONF_TLS_NONE,
	    .timeout_s = 5 } };
	const struct source_limits limits = { 100, 0, 0 };
	struct err e = ERR_INIT;
	struct source *s;
	uint16_t port;
	int at = listener(8, &port), fd;
	char octet;

	(void)state;
	resolves_to("4", port);
	name.v4[0].sin_addr.s_addr = htonl(0xc0000201);	/* 192.0.2.1 */
	T_RC(source_new(&account, &limits, &s, &e), RC_CONF);
	T_CHECK(s == NULL && name.ntried == 1);
	assert_non_null(strstr(e.text, "only this machine itself"));
	fd = accept(at, NULL, NULL);
	assert_int_equal(recv(fd, &octet, 1, 0), 0);	/* not a word */
	close(fd);
	close(at);
}

/* What is written wrongly is said first, wherever the server is. */
static void
test_settings_come_before_the_way(void **state)
{
	char host[] = "name.example", user[] = "dr", ca[] = "/nowhere.pem";
	const struct conf_account account = { .protocol = CONF_POP3,
	    .server = { .host = host, .user = user, .ca_file = ca,
	    .tls = CONF_TLS_IMPLICIT, .timeout_s = 5 } };
	const struct source_limits limits = { 100, 0, 0 };
	struct err e = ERR_INIT;
	struct source *s;

	(void)state;
	resolves_to("4", 9);
	name.error = EAI_AGAIN;
	T_RC(source_new(&account, &limits, &s, &e), RC_CONF);
	T_CHECK(s == NULL && strstr(e.text, ca) != NULL);
	name.error = 0;
	name.connects = "r";
	T_RC(source_new(&account, &limits, &s, &e), RC_CONF);
	T_CHECK(s == NULL && strstr(e.text, ca) != NULL);
}

/* The server has our hello before we read a word of its own. */
static void
test_hello_is_said_at_once(void **state)
{
	char host[] = "name.example", user[] = "dr",
	    pin[] = "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
	const struct conf_account account = { .protocol = CONF_POP3,
	    .server = { .host = host, .user = user, .pin = pin,
	    .tls = CONF_TLS_IMPLICIT, .timeout_s = 5 } };
	const struct source_limits limits = { 100, 0, 0 };
	struct err e = ERR_INIT;
	struct source *s;
	uint8_t hello[8];
	uint16_t port;
	int at = listener(8, &port), fd;

	(void)state;
	resolves_to("4", port);
	T_RC(source_new(&account, &limits, &s, &e), RC_OK);
	fd = accept(at, NULL, NULL);
	assert_int_equal(recv(fd, hello, sizeof(hello), MSG_DONTWAIT), 8);
	/* RFC 8446 5.1: a handshake; 4: of whose messages the first. */
	T_CHECK(hello[0] == 22 && hello[1] == 3 && hello[5] == 1);
	assert_int_equal(write(fd, "+OK in clear\r\n", 14), 14);
	T_RC(source_open(s, NULL, &e), RC_TEMP);
	T_CHECK(strstr(e.text, "does not answer in TLS") != NULL);
	source_close(&s);
	close(fd);
	/* Gone before it: said when it is missed. */
	resolves_to("4", port);
	T_RC(source_new(&account, &limits, &s, &e), RC_OK);
	fd = accept(at, NULL, NULL);
	close(fd);
	T_RC(source_open(s, NULL, &e), RC_TEMP);
	assert_int_equal(source_why(s), WHY_NETWORK);
	source_close(&s);
	close(at);
}

/* ---- streams ----------------------------------------------------------- */

static struct stream *
stream(int timeout_s, int *other)
{
	struct err e = ERR_INIT;
	struct stream *s;
	int fd[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	T_RC(net_adopt(fd[0], &e), RC_OK);
	s = stream_new(fd[0], "host", timeout_s, &e);
	assert_non_null(s);
	*other = fd[1];
	return s;
}

/* Dead, of the network, and for this reason. */
static void
dead(struct stream **s, int other, const char *why)
{
	struct err e = ERR_INIT;
	enum wire_why whose;

	T_CHECK(stream_dead(*s));
	T_RC(stream_error(*s, &whose, &e), RC_TEMP);
	assert_int_equal(whose, WHY_NETWORK);
	if (strstr(e.text, why) == NULL)
		fail_msg("%s", e.text);
	stream_free(s);
	close(other);
}

static void
test_an_interruption_is_no_end(void **state)
{
	static const char *const calls[] = { "recv", "send" };
	char room[8];
	int other;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct stream *s = stream(5, &other);

		assert_int_equal(write(other, "ab", 2), 2);
		fail_call(calls[i], 0, EINTR);
		if (i == 0)
			assert_int_equal(stream_read(s, room, 8), 2);
		else
			assert_int_equal(stream_write(s, "cd", 2), 2);
		T_CHECK(has_failed() && !stream_dead(s));
		stream_free(&s);
		close(other);
	}
}

static void
test_a_call_that_fails_is_the_end(void **state)
{
	static const char *const calls[] = { "recv", "send", "poll" };
	char room[8];
	int other;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct stream *s = stream(5, &other);

		fail_call(calls[i], 0, i < 2 ? ECONNRESET : ENOMEM);
		if (i == 1)
			assert_int_equal(stream_write(s, "cd", 2), -1);
		else
			assert_int_equal(stream_read(s, room, 8), -1);
		T_CHECK(has_failed());
		dead(&s, other, "the connection was lost");
	}
}

static void
test_an_interrupted_wait_goes_on(void **state)
{
	struct stream *s;
	char room[8];
	int other;

	(void)state;
	s = stream(1, &other);
	fail_call("poll", 0, EINTR);
	assert_int_equal(stream_read(s, room, 8), -1);
	T_CHECK(has_failed());
	dead(&s, other, "no answer within 1 seconds");
}

/* A session has its end even while the server keeps talking. */
static void
test_a_session_that_is_over(void **state)
{
	struct stream *s;
	char room[8];
	int other;

	(void)state;
	s = stream(5, &other);
	stream_until(s, clock_ms() - 1);
	assert_int_equal(stream_read(s, room, 8), -1);
	dead(&s, other, "longer than \"session\" allows");
	/* And of two limits the nearer one counts. */
	s = stream(1, &other);
	stream_until(s, clock_ms() + 3600 * 1000);
	assert_int_equal(stream_read(s, room, 8), -1);
	dead(&s, other, "no answer within 1 seconds");
	s = stream(3600, &other);
	stream_until(s, clock_ms() + 200);
	assert_int_equal(stream_read(s, room, 8), -1);
	dead(&s, other, "longer than \"session\" allows");
}

static void
test_limits_longer_than_a_wait_can_be(void **state)
{
	static char room[16];
	struct stream *s;
	int other;

	(void)state;
	s = stream(INT_MAX / 100, &other);
	stream_step(s, UINT64_MAX);
	assert_int_equal(write(other, "ab", 2), 2);
	assert_int_equal(stream_read(s, room, sizeof(room)), 2);
	stream_free(&s);
	close(other);
}

static void
test_dead_before_tls(void **state)
{
	struct err e = ERR_INIT, why = ERR_INIT;
	struct stream *s;
	int other;

	(void)state;
	s = stream(5, &other);
	err_set(&why, RC_TEMP, "it was over");
	stream_kill(s, WHY_SERVER, &why);
	T_RC(stream_tls(s, NULL, &e), RC_TEMP);
	T_STR(e.text, "it was over");
	/* Whoever waits for news is told at once. */
	T_CHECK(stream_wait(s, 5000, -1));
	stream_free(&s);
	close(other);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_families_take_turns),
		cmocka_unit_test(test_the_next_one_is_tried),
		cmocka_unit_test(test_silence_is_not_waited_for_alone),
		cmocka_unit_test(test_what_the_resolver_says),
		cmocka_unit_test(test_in_clear_only_on_this_machine),
		cmocka_unit_test(test_settings_come_before_the_way),
		cmocka_unit_test(test_hello_is_said_at_once),
		cmocka_unit_test(test_an_interruption_is_no_end),
		cmocka_unit_test(test_a_call_that_fails_is_the_end),
		cmocka_unit_test(test_an_interrupted_wait_goes_on),
		cmocka_unit_test(test_a_session_that_is_over),
		cmocka_unit_test(test_limits_longer_than_a_wait_can_be),
		cmocka_unit_test(test_dead_before_tls)
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
