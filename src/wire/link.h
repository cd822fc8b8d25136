/* The way to one mail server: connection, certificates, TLS, our proof. */
#ifndef SC_WIRE_LINK_H
#define SC_WIRE_LINK_H

#include "base/buf.h"
#include "base/err.h"
#include "base/secret.h"
#include "conf/conf.h"
#include "wire/net.h"
#include "wire/stream.h"
#include "wire/tls.h"
#include "wire/why.h"

struct link {
	const struct conf_server	*server;	/* borrowed */
	struct net_peer			 peer;
	struct net_race			*race;	/* owned; until link_join() */
	struct tls			*tls;	/* owned; NULL: TLS_NONE */
	struct stream			*stream;	/* owned */
};

/*
 * link_new(server, l, e):
 * Check the settings, resolve and knock, and load the certificates while the
 * server gets ready.  ${l} must be link_free()d, after a failure too.
 * RC_OK, RC_TEMP, RC_CONF, RC_NOMEM.
 */
enum rc link_new(const struct conf_server *server, struct link *l,
    struct err *e);
void link_free(struct link *l);

/*
 * link_join(l, until_ms, e):
 * Have the connection, and say TLS's hello where it is implicit; nothing is
 * read.  ${until_ms}: as in stream_until().
 * Without TLS only to this machine itself.  Results as link_new().
 */
enum rc link_join(struct link *l, int64_t until_ms, struct err *e);

/* link_begin(l, e): TLS now, where it is implicit. */
enum rc link_begin(struct link *l, struct err *e);

/* link_safe(l): a password may be sent: verified, or this machine. */
bool link_safe(const struct link *l);

/* link_secret(l, secret, e): RC_CONF when there is none, or one that cannot
 * be sent (line ends, NUL). */
enum rc link_secret(const struct link *l, const struct secret *secret,
    struct err *e);

/*
 * link_said(secret, p, len, out):
 * What a server said, for an error text: printable ASCII, short, and nothing
 * at all should it repeat ${secret} (or NULL).
 */
#define LINK_SAID_CHARS 121
void link_said(const struct secret *secret, const void *p, size_t len,
    char out[LINK_SAID_CHARS]);

/* SASL initial responses in base64, into ${out} (emptied first, wiped when
 * freed).  False: memory.  Source: RFC 4616; XOAUTH2 as Google documents. */
bool link_plain(const struct link *l, const struct secret *secret,
    struct buf *out);
bool link_xoauth2(const struct link *l, const struct secret *secret,
    struct buf *out);
/* link_base64(p, len, out): the same of one word, for logins that ask. */
bool link_base64(const void *p, size_t len, struct buf *out);

#endif
