#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/lang.h"
#include "wire/net.h"

#define TRIES_MAX 8
#define STAGGER_MS 250	/* RFC 8305 8: recommended delay between attempts */

/* The attempts under way; fd -1 when one has failed. */
struct net_race {
	const char		*host;	/* borrowed */
	uint16_t		 port;
	struct addrinfo		*list;
	struct pollfd		 fds[TRIES_MAX];
	const struct addrinfo	*at[TRIES_MAX];
	nfds_t			 n;	/* addresses */
	nfds_t			 begun;
	int			 error;	/* errno of the last failure */
};

enum rc
net_word(const char *what, const char *s, struct err *e)
{
	for (; s != NULL && *s != '\0'; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return err_set(e, RC_CONF, _("%s: it holds a line end "
			    "or another control character"), what);
	return RC_OK;
}

enum rc
net_adopt(int fd, struct err *e)
{
	const int on = 1;
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0 ||
	    fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
		return err_sys(e, "fcntl");
	/* Comforts: a socket without them works. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
#ifdef SO_NOSIGPIPE
	(void)setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof(on));
#endif
	return RC_OK;
}

static enum rc
resolve(const char *host, uint16_t port, struct addrinfo **list,
    struct err *e)
{
	const struct addrinfo hints = { .ai_flags = AI_NUMERICSERV,
	    .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
	char service[8];
	int r;

	if (net_word(_("host name"), host, e) != RC_OK)
		return e->rc;
	snprintf(service, sizeof(service), "%u", (unsigned)port);
	if ((r = getaddrinfo(host, service, &hints, list)) == 0)
		return RC_OK;
	*list = NULL;
	if (r == EAI_MEMORY)
		return err_nomem(e);
	return err_set(e, RC_TEMP, _("%s: the name cannot be resolved (%s)"),
	    host, lang_resolver(r));
}

/* The families in turn, the resolver's favourite first (RFC 8305 4). */
static void
line_up(struct net_race *race, const struct addrinfo *list)
{
	const struct addrinfo *one = list, *other = list;
	int first = list->ai_family;

	while (race->n < TRIES_MAX && (one != NULL || other != NULL)) {
		while (one != NULL && one->ai_family != first)
			one = one->ai_next;
		while (other != NULL && other->ai_family == first)
			other = other->ai_next;
		if (one != NULL) {
			race->at[race->n++] = one;
			one = one->ai_next;
		}
		if (other != NULL && race->n < TRIES_MAX) {
			race->at[race->n++] = other;
			other = other->ai_next;
		}
	}
}

static void
begin(struct net_race *race)
{
	const struct addrinfo *ai = race->at[race->begun];
	struct pollfd *p = &race->fds[race->begun++];
	struct err ignored = ERR_INIT;

	p->events = POLLOUT;
	p->fd = socket(ai->ai_family, ai->ai_socktype, ai->ai_protocol);
	if (p->fd >= 0 && net_adopt(p->fd, &ignored) == RC_OK &&
	    (connect(p->fd, ai->ai_addr, ai->ai_addrlen) == 0 ||
	    errno == EINPROGRESS))
		return;
	race->error = errno;
	if (p->fd >= 0)
		close(p->fd);
	p->fd = -1;
}

/* One that is connected, or -1; failed ones are closed and forgotten. */
static int
winner(struct net_race *race)
{
	for (nfds_t i = 0; i < race->begun; i++) {
		struct pollfd *p = &race->fds[i];
		socklen_t len = sizeof(race->error);
		int error = 0;

		if (p->fd < 0 || p->revents == 0)
			continue;
		if (getsockopt(p->fd, SOL_SOCKET, SO_ERROR, &error,
		    &len) == 0 && error == 0)
			return (int)i;
		race->error = error;
		close(p->fd);
		p->fd = -1;
	}
	return -1;
}

static bool
any_under_way(const struct net_race *race)
{
	for (nfds_t i = 0; i < race->begun; i++)
		if (race->fds[i].fd >= 0)
			return true;
	return false;
}

/* The first attempt has been begun. */
static int
run_race(struct net_race *race, int timeout_s)
{
	int64_t end = clock_ms() + (int64_t)timeout_s * 1000;
	int won = -1;

	while (won < 0) {
		int64_t left = end - clock_ms();

		if (!any_under_way(race) && race->begun == race->n)
			break;
		if (any_under_way(race) && left <= 0) {
			race->error = ETIMEDOUT;
			break;
		}
		if (race->begun < race->n && left > STAGGER_MS)
			left = STAGGER_MS;
		if (any_under_way(race) &&
		    poll(race->fds, race->begun, (int)left) > 0)
			won = winner(race);
		if (won < 0 && race->begun < race->n)
			begin(race);
	}
	return won;
}

bool
net_is_loopback(const struct sockaddr *sa)
{
	const struct sockaddr_in *v4 = (const void *)sa;
	const struct sockaddr_in6 *v6 = (const void *)sa;

	if (sa->sa_family == AF_INET)
		return ntohl(v4->sin_addr.s_addr) >> 24 == 127;
	return sa->sa_family == AF_INET6 && memcmp(&v6->sin6_addr,
	    &in6addr_loopback, sizeof(in6addr_loopback)) == 0;
}

enum rc
net_begin(const char *host, uint16_t port, struct net_race **race,
    struct err *e)
{
	struct net_race *r = *race = calloc(1, sizeof(*r));

	if (r == NULL)
		return err_nomem(e);
	if (resolve(host, port, &r->list, e) != RC_OK) {
		net_drop(race);
		return e->rc;
	}
	r->host = host;
	r->port = port;
	line_up(r, r->list);
	begin(r);
	return RC_OK;
}

void
net_drop(struct net_race **race)
{
	struct net_race *r = *race;

	if (r == NULL)
		return;
	for (nfds_t i = 0; i < r->begun; i++)
		if (r->fds[i].fd >= 0)
			close(r->fds[i].fd);
	if (r->list != NULL)
		freeaddrinfo(r->list);
	free(r);
	*race = NULL;
}

enum rc
net_end(struct net_race **race, int timeout_s, int *fd, struct net_peer *peer,
    struct err *e)
{
	struct net_race *r = *race;
	int won = run_race(r, timeout_s);

	*fd = -1;
	if (won >= 0) {
		const struct addrinfo *ai = r->at[won];

		*fd = r->fds[won].fd;
		r->fds[won].fd = -1;
		peer->port = r->port;
		peer->loopback = net_is_loopback(ai->ai_addr);
		if (getnameinfo(ai->ai_addr, ai->ai_addrlen, peer->address,
		    sizeof(peer->address), NULL, 0, NI_NUMERICHOST) != 0)
			peer->address[0] = '\0';
	} else {
		err_set(e, RC_TEMP, _("%s, port %u: no connection (%s)"),
		    r->host, (unsigned)r->port, lang_errno(r->error));
	}
	net_drop(race);
	return won >= 0 ? RC_OK : RC_TEMP;
}

enum rc
net_connect(const char *host, uint16_t port, int timeout_s, int *fd,
    struct net_peer *peer, struct err *e)
{
	struct net_race *race;
	enum rc rc = net_begin(host, port, &race, e);

	*fd = -1;
	return rc == RC_OK ? net_end(&race, timeout_s, fd, peer, e) : rc;
}
