/* Names to connected sockets, within a time. */
#ifndef SC_WIRE_NET_H
#define SC_WIRE_NET_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/err.h"

#define NET_ADDR_CHARS 64	/* an IPv6 address with a scope, NUL */

/* The address that answered, for libraries that connect by themselves. */
struct net_peer {
	char		address[NET_ADDR_CHARS];	/* numeric */
	uint16_t	port;
	bool		loopback;
};

/*
 * net_connect(host, port, timeout_s, fd, peer, e):
 * Resolve ${host} and connect to the first of its addresses that answers,
 * trying the next one each 250 ms (the manner of RFC 8305, families in turn).
 * Call it before the sandbox; nothing is read.  The resolver keeps its own
 * time (resolv.conf); ${timeout_s} is for the connection.
 * fd    owned: close-on-exec, not blocking, TCP_NODELAY, keepalive
 * peer  filled on RC_OK
 * RC_OK; RC_TEMP: no such name now, nobody there; RC_CONF: a name with a
 * character that no name has; RC_NOMEM.
 */
enum rc net_connect(const char *host, uint16_t port, int timeout_s, int *fd,
    struct net_peer *peer, struct err *e);

/* net_is_loopback(sa): what goes there does not leave this machine. */
bool net_is_loopback(const struct sockaddr *sa);

/*
 * net_adopt(fd, e): the same settings on a socket made elsewhere (a
 * test's socket pair: then nothing but blocking changes).
 */
enum rc net_adopt(int fd, struct err *e);

/*
 * net_word(what, s, e): RC_CONF when ${s} (borrowed; NULL is fine) holds a
 * control character: a line end in a user name would be a command of its own.
 */
enum rc net_word(const char *what, const char *s, struct err *e);

#endif
