/* Names to connected sockets: whom, in which order, for how long. */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "unit.h"

#include "base/clock.h"
#include "wire/net.h"

static struct sockaddr_storage
address(int family, const char *host, uint16_t port)
{
	struct sockaddr_storage a;
	struct sockaddr_in *v4 = (void *)&a;
	struct sockaddr_in6 *v6 = (void *)&a;

	memset(&a, 0, sizeof(a));
	a.ss_family = (sa_family_t)family;
	if (family == AF_INET) {
		v4->sin_port = htons(port);
		T_CHECK(inet_pton(family, host, &v4->sin_addr) == 1);
	} else if (family == AF_INET6) {
		v6->sin6_port = htons(port);
		T_CHECK(inet_pton(family, host, &v6->sin6_addr) == 1);
	}
	return a;
}

static socklen_t
size_of(int family)
{
	return family == AF_INET ? sizeof(struct sockaddr_in) :
	    sizeof(struct sockaddr_in6);
}

/* Somebody who listens there, on the port given or a free one; -1: this
 * machine has no such addresses. */
static int
listener(int family, const char *host, int backlog, uint16_t *port)
{
	struct sockaddr_storage a = address(family, host, *port);
	socklen_t len = sizeof(a);
	int fd = socket(family, SOCK_STREAM, 0), on = 1;

	if (fd < 0)
		return -1;
	if (family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on,
		    sizeof(on));
	if (bind(fd, (struct sockaddr *)&a, size_of(family)) != 0 ||
	    listen(fd, backlog) != 0) {
		close(fd);
		return -1;
	}
	T_CHECK(getsockname(fd, (struct sockaddr *)&a, &len) == 0);
	*port = family == AF_INET ?
	    ntohs(((struct sockaddr_in *)(void *)&a)->sin_port) :
	    ntohs(((struct sockaddr_in6 *)(void *)&a)->sin6_port);
	return fd;
}

static void
reaches(const char *host, uint16_t port, const char *where)
{
	struct net_peer peer;
	struct err e = ERR_INIT;
	int fd;

	if (net_connect(host, port, 5, &fd, &peer, &e) != RC_OK)
		fail_msg("%s: %s", host, e.text);
	T_STR(peer.address, where);
	T_CHECK(peer.port == port && peer.loopback);
	T_CHECK((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
	T_CHECK((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
	close(fd);
}

static void
test_whoever_answers(void **state)
{
	uint16_t port = 0;
	int four = listener(AF_INET, "127.0.0.1", 8, &port), six;

	(void)state;
	T_CHECK(four >= 0);
	reaches("127.0.0.1", port, "127.0.0.1");
	/* The one that a name has and nobody listens at is passed over. */
	reaches("localhost", port, "127.0.0.1");
	close(four);
	port = 0;
	if ((six = listener(AF_INET6, "::1", 8, &port)) < 0)
		return;
	reaches("::1", port, "::1");
	close(six);
}

static void
test_nobody_answers(void **state)
{
	struct net_peer peer;
	struct err e = ERR_INIT;
	uint16_t port = 0;
	int fd = listener(AF_INET, "127.0.0.1", 8, &port);

	(void)state;
	T_CHECK(fd >= 0);
	close(fd);
	T_RC(net_connect("127.0.0.1", port, 5, &fd, &peer, &e), RC_TEMP);
	T_CHECK(fd == -1 && strstr(e.text, "refused") != NULL);
	T_RC(net_connect("localhost", port, 5, &fd, &peer, &e), RC_TEMP);
	T_CHECK(fd == -1);
	T_RC(net_connect("no.such.name.invalid", port, 5, &fd, &peer, &e),
	    RC_TEMP);
	T_CHECK(fd == -1);
	T_RC(net_connect("a\r\nb", port, 5, &fd, &peer, &e), RC_CONF);
	T_CHECK(fd == -1);
}

/* The server has heard us before we wait for it. */
static void
test_a_knock(void **state)
{
	struct net_race *race;
	struct net_peer peer;
	struct err e = ERR_INIT;
	uint16_t port = 0;
	int at = listener(AF_INET, "127.0.0.1", 8, &port), fd, other;
	char octet;

	(void)state;
	T_CHECK(at >= 0 && fcntl(at, F_SETFL, O_NONBLOCK) == 0);
	T_RC(net_begin("127.0.0.1", port, &race, &e), RC_OK);
	T_CHECK((other = accept(at, NULL, NULL)) >= 0);
	T_RC(net_end(&race, 5, &fd, &peer, &e), RC_OK);
	T_CHECK(race == NULL && write(fd, "x", 1) == 1 &&
	    recv(other, &octet, 1, 0) == 1);
	close(fd);
	close(other);
	/* Who thinks better of it goes without a word. */
	T_RC(net_begin("127.0.0.1", port, &race, &e), RC_OK);
	net_drop(&race);
	T_CHECK(race == NULL && (other = accept(at, NULL, NULL)) >= 0 &&
	    recv(other, &octet, 1, 0) == 0);
	close(other);
	close(at);
	T_RC(net_begin("127.0.0.1", port, &race, &e), RC_OK);
	T_RC(net_end(&race, 5, &fd, &peer, &e), RC_TEMP);
	T_CHECK(race == NULL && fd == -1);
	T_RC(net_begin("no.such.name.invalid", port, &race, &e), RC_TEMP);
	T_CHECK(race == NULL);
	net_drop(&race);
}

/* A listener whose queue is full says nothing at all. */
static void
test_somebody_says_nothing(void **state)
{
	struct net_peer peer;
	struct err e = ERR_INIT;
	uint16_t port = 0;
	int quiet = listener(AF_INET, "127.0.0.1", 0, &port), fd, full[8];
	struct sockaddr_storage a = address(AF_INET, "127.0.0.1", port);
	int64_t began;

	(void)state;
	T_CHECK(quiet >= 0);
	for (size_t i = 0; i < 8; i++) {
		full[i] = socket(AF_INET, SOCK_STREAM, 0);
		T_CHECK(full[i] >= 0 &&
		    fcntl(full[i], F_SETFL, O_NONBLOCK) == 0);
		T_CHECK(connect(full[i], (struct sockaddr *)&a,
		    size_of(AF_INET)) == 0 || errno == EINPROGRESS);
	}
	began = clock_ms();
	T_RC(net_connect("127.0.0.1", port, 1, &fd, &peer, &e), RC_TEMP);
	T_CHECK(fd == -1 && clock_ms() - began >= 900);
	for (size_t i = 0; i < 8; i++)
		close(full[i]);
	close(quiet);
}

static void
test_what_stays_on_this_machine(void **state)
{
	static const struct {
		int		 family;
		const char	*host;
		bool		 is;
	} are[] = { { AF_INET, "127.0.0.1", true },
	    { AF_INET, "127.255.1.2", true }, { AF_INET, "128.0.0.1", false },
	    { AF_INET, "10.0.0.127", false }, { AF_INET6, "::1", true },
	    { AF_INET6, "::2", false }, { AF_INET6, "1::1", false },
	    { AF_INET6, "::", false }, { AF_INET6, "::ffff:127.0.0.1",
	    false }, { AF_UNIX, "", false } };

	(void)state;
	for (size_t i = 0; i < sizeof(are) / sizeof(are[0]); i++) {
		struct sockaddr_storage a = address(are[i].family,
		    are[i].host, 0);

		if (net_is_loopback((struct sockaddr *)&a) != are[i].is)
			fail_msg("%s", are[i].host);
	}
}

static void
test_only_sockets_are_taken(void **state)
{
	struct err e = ERR_INIT;
	int fds[2];

	(void)state;
	T_RC(net_adopt(-1, &e), RC_TEMP);
	T_CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
	T_RC(net_adopt(fds[0], &e), RC_OK);
	close(fds[0]);
	close(fds[1]);
	T_RC(net_word("x", NULL, &e), RC_OK);
	T_RC(net_word("x", "word", &e), RC_OK);
	T_RC(net_word("x", "wo\trd", &e), RC_CONF);
	T_RC(net_word("x", "word\x7f", &e), RC_CONF);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whoever_answers),
		cmocka_unit_test(test_nobody_answers),
		cmocka_unit_test(test_a_knock),
		cmocka_unit_test(test_somebody_says_nothing),
		cmocka_unit_test(test_what_stays_on_this_machine),
		cmocka_unit_test(test_only_sockets_are_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
