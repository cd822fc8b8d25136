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
 * net_begin(host, port, race, e):
 * Resolve ${host} and knock at the first of its addresses, without waiting
 * for it: until net_end() there is time to get ready, and for the server too.
 * The resolver keeps its own time (resolv.conf).
 * race  owned, also NULL after a failure; net_end() or net_drop()
 * RC_OK; RC_TEMP: no such name now; RC_CONF: a name with a character that no
 * name has; RC_NOMEM.
 */
struct net_race;
enum rc net_begin(const char *host, uint16_t port, struct net_race **race,
    struct err *e);

/*
 * net_end(race, timeout_s, fd, peer, e):
 * Wait for the first of the addresses that answers, trying the next one each
 * 250 ms (the manner of RFC 8305, families in turn).  Call it before the
 * sandbox; nothing is read.
 * race  taken, whatever comes of it
 * fd    owned: close-on-exec, not blocking, TCP_NODELAY, keepalive
 * peer  filled on RC_OK
 * RC_OK; RC_TEMP: nobody there.
 */
enum rc net_end(struct net_race **race, int timeout_s, int *fd,
    struct net_peer *peer, struct err *e);
void net_drop(struct net_race **race);

/* net_connect(host, port, timeout_s, fd, peer, e): both in one go. */
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
